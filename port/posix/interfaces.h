/* SPDX-License-Identifier: Apache-2.0 */
/* Learns that an interface or an address of this host came or went (netlink). */
#ifndef LARCH_POSIX_INTERFACES_H
#define LARCH_POSIX_INTERFACES_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A descriptor that is ready for reading after each change; it never blocks. -1: errno. */
int larch_posix_interfaces_open(void);
/* Takes what is there. Whether something changed, or may have: too many changes leave no room for their reports. */
bool larch_posix_interfaces_take(int fd);

#ifdef __cplusplus
}
#endif

#endif
