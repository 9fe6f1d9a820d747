/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534 /* where the system has no user of that name */

/* What sudo says about its caller; never root. */
static bool find_caller(larch_privilege *who)
{
    const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
    unsigned long u, g;
    if (uid == NULL || gid == NULL || !larch_app_number(uid, 1, UINT32_MAX - 1, &u) ||
        !larch_app_number(gid, 1, UINT32_MAX - 1, &g))
        return false;
    who->uid = (uid_t)u;
    who->gid = (gid_t)g;
    return true;
}

larch_exit larch_privilege_choose(const char *command, const char *user, larch_privilege *who)
{
    *who = (larch_privilege){NOBODY, NOBODY, false};
    const struct passwd *entry = getpwnam(user != NULL ? user : "nobody");
    if (user != NULL && entry == NULL)
        return larch_app_usage(command, "there is no user '%s'", user);
    if (user != NULL && geteuid() != 0 && entry->pw_uid != geteuid())
        return larch_app_usage(command, "only root can become '%s'", user);
    if (user != NULL || !find_caller(who)) {
        who->uid = entry != NULL ? entry->pw_uid : NOBODY;
        who->gid = entry != NULL ? entry->pw_gid : NOBODY;
    }
    who->keep = user != NULL && who->uid == 0;
    return LARCH_EXIT_DONE;
}

/* EINVAL: a user namespace that does not have this user. Root is somebody else outside of it, and nothing to give up. */
static bool change_user(const larch_privilege *who)
{
    if (geteuid() != 0)
        return true;
    if (setresgid(who->gid, who->gid, who->gid) != 0)
        return errno == EINVAL;
    if (setgroups(0, NULL) != 0 &&
        errno != EPERM) /* EPERM: a user namespace without that call; else the next one fails */
        return false;
    if (setresuid(who->uid, who->uid, who->uid) != 0)
        return errno == EINVAL;
    errno = EPERM;
    return setuid(0) != 0;
}

/* The program's file may grant them, to whoever starts it. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_capset, &header, none) == 0;
}

larch_exit larch_privilege_drop(const char *command, const larch_privilege *who)
{
    if (who->keep)
        return LARCH_EXIT_DONE;
    if (change_user(who) && drop_capabilities() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        return LARCH_EXIT_DONE;
    return larch_app_fail(command, "cannot give up root's rights: %s; --user root keeps them", strerror(errno));
}
