/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what is written is what is read, whatever names and links lead there. */
#ifndef LARCH_APP_SAME_FILE_H
#define LARCH_APP_SAME_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/* By device and inode. Never true of a terminal, another character device or a socket: what is written to one of those
 * does not come back. */
bool larch_app_is_same_file(const struct stat *a, const struct stat *b);

#endif
