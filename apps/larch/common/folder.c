/* SPDX-License-Identifier: Apache-2.0 */
#include "common/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state.h"

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

larch_exit larch_app_make_folder(const char *command, const char *state)
{
    larch_posix_storage files;
    struct stat st;
    if (stat(state, &st) == 0 || errno != ENOENT)
        return LARCH_EXIT_DONE;
    if (larch_posix_storage_open(&files, state, LARCH_POSIX_DURABILITY_MEDIUM) != LARCH_OK)
        return larch_app_fail(command, "%s", larch_posix_storage_error(&files));
    larch_posix_storage_close(&files);
    return LARCH_EXIT_DONE;
}

larch_exit larch_app_enter_folder(const char *command, const char *state, int *folder)
{
    struct stat st;
    *folder = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0 || fstat(*folder, &st) != 0)
        return larch_app_fail(command, "%s: %s; is there a gateway's state? --state DIR names another folder", state,
                              strerror(errno));
    if (geteuid() == 0 && st.st_uid != 0 && !become(st.st_uid, st.st_gid))
        return larch_app_fail(command, "cannot act for user %lu, whose folder %s is: %s", (unsigned long)st.st_uid,
                              state, strerror(errno));
    return LARCH_EXIT_DONE;
}

larch_exit larch_app_complain_of_file(const char *command, const larch_posix_storage *files, const char *name,
                                      larch_store_fault fault)
{
    if (fault == LARCH_STORE_MEDIUM)
        return larch_app_fail(command, "%s", larch_posix_storage_error(files));
    if (fault == LARCH_STORE_VERSION)
        return larch_app_fail(command,
                              "%s/%s %s; if that was an older one, 'larch gateway' moves the folder to the present "
                              "format at its start, as does 'larch keys rotate'",
                              files->path, name, larch_store_fault_text(fault));
    return larch_app_fail(command, "%s/%s %s. %s", files->path, name, larch_store_fault_text(fault),
                          larch_posix_state_advice(fault, name));
}
