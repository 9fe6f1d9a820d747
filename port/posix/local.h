/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unix stream sockets of a folder, for its owner and root. They are reached through the open folder, so that neither
 * the length of its path (108 bytes at most in an address [unix(7)]) nor a folder moved meanwhile matters.
 */
#ifndef LARCH_POSIX_LOCAL_H
#define LARCH_POSIX_LOCAL_H

#include "address.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a socket of mode 0600 in the folder and listens. What has that name is removed first, so the caller holds the
 * folder's lock. folder: an open descriptor. Returns the socket, which does not wait; or -1 with the reason. */
int larch_local_listen(int folder, const char *name, larch_posix_reason *why);

/* The next connection that waits; it does not wait either. *is_allowed: its process belonged to root or to this
 * process's user when it connected. Returns -1 with errno, EAGAIN if there is none. */
int larch_local_accept(int listener, bool *is_allowed);

/* Connects, with timeout_ms for each later read and write. folder: may be open with O_PATH. Returns the socket, or -1
 * with errno: ENOENT and ECONNREFUSED if nobody listens. */
int larch_local_connect(int folder, const char *name, unsigned timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
