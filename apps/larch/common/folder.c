/* SPDX-License-Identifier: Apache-2.0 */
#include "common/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of all rights that the process may have, only that of reading and walking through folders is left, if it was there. */
static bool keep_walking(void)
{
    struct __user_cap_header_struct version = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &version, rights) != 0)
        return false;
    const uint32_t kept = rights[0].permitted & (1u << CAP_DAC_READ_SEARCH);
    memset(rights, 0, sizeof rights);
    rights[0].permitted = rights[0].effective = kept;
    return syscall(SYS_capset, &version, rights) == 0;
}

static bool become(uid_t user, gid_t group)
{
    return prctl(PR_SET_KEEPCAPS, 1) == 0 && setgroups(0, NULL) == 0 && setresgid(group, group, group) == 0 &&
           setresuid(user, user, user) == 0 && keep_walking();
}

larch_exit larch_app_enter_folder(const char *command, const char *path, int *folder)
{
    struct stat st;
    *folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0 || fstat(*folder, &st) != 0)
        return larch_app_fail(command, "%s: %s; is there a gateway's state? --state DIR names another folder", path,
                              strerror(errno));
    if (geteuid() == 0 && st.st_uid != 0 && !become(st.st_uid, st.st_gid))
        return larch_app_fail(command, "cannot act for user %lu, whose folder %s is: %s", (unsigned long)st.st_uid,
                              path, strerror(errno));
    return LARCH_EXIT_DONE;
}
