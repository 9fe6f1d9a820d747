/* SPDX-License-Identifier: Apache-2.0 */
#include "common/same_file.h"

bool larch_app_is_same_file(const struct stat *a, const struct stat *b)
{
    const bool two_ways = S_ISCHR(a->st_mode) || S_ISSOCK(a->st_mode);
    return !two_ways && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}
