/* SPDX-License-Identifier: Apache-2.0 */
/* Peers as people write them: "192.0.2.1:5683", "[2001:db8::1]:5683", "[fe80::1%eth0]:5683". */
#ifndef LARCH_TEXT_PEER_H
#define LARCH_TEXT_PEER_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_TEXT_PEER_MAX 72 /* "[" address "%" interface "]:65535" and the end */

/* Writes the peer into out and returns out. An interface that is gone is shown by its number. */
char *larch_text_of_peer(const larch_peer *peer, char out[LARCH_TEXT_PEER_MAX]);
/* As above, but without brackets and port: "192.0.2.1", "fe80::1%eth0". */
char *larch_text_of_host(const larch_peer *peer, char out[LARCH_TEXT_PEER_MAX]);

void larch_text_put_peer(larch_writer *w, const larch_peer *peer);

#ifdef __cplusplus
}
#endif

#endif
