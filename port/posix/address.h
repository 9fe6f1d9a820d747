/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers as people and the kernel write them (text/peer.h writes them for people): "192.0.2.1:5683",
 * "[fe80::1%eth0]:5683", coap://host/path, struct sockaddr.
 */
#ifndef LARCH_POSIX_ADDRESS_H
#define LARCH_POSIX_ADDRESS_H

#include <sys/socket.h>

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why something failed, as one sentence for a person, without a full stop. */
typedef struct larch_posix_reason {
    char text[256];
    bool unresolved; /* what was written is sound, but the name leads nowhere now */
} larch_posix_reason;

/* ---- text -------------------------------------------------------------- */

/* Reads ADDR[:PORT]: an IPv4 address, an IPv6 address (in brackets if a port
 * follows), or a name, which is looked up and may block. Port 0 is allowed: any
 * free one. Returns 0; or -1 with the reason, *out unchanged. */
int larch_posix_peer_parse(const char *text, uint16_t default_port, larch_peer *out, larch_posix_reason *why);

/* ---- URIs -------------------------------------------------------------- */

typedef struct larch_posix_uri {
    larch_peer peer;
    char host[256];  /* as written, without brackets */
    char path[256];  /* decoded, without the leading slash: "a/b" */
    char query[256]; /* decoded, "x=1&y=2"; "" if there is none */
} larch_posix_uri;

/* Reads coap://host[:port][/path][?query] [RFC7252 6.1, 6.4] and looks up the host,
 * which may block. Refused besides what is malformed: other schemes, a fragment, user
 * information, and encoded bytes that path and query could not tell from their own
 * separators (%2F in the path, %26 in the query, %00). Returns 0; or -1 with the reason, *out unchanged. */
int larch_posix_uri_parse(const char *text, larch_posix_uri *out, larch_posix_reason *why);

/* ---- struct sockaddr --------------------------------------------------- */

/* False if the address is neither IPv4 nor IPv6; *out is then unchanged. */
bool larch_posix_peer_from_sockaddr(const struct sockaddr *address, larch_peer *out);
/* For a socket of this family, AF_INET or AF_INET6; the latter takes IPv4 peers as
 * well. Returns the length, 0 if AF_INET cannot express the peer. */
socklen_t larch_posix_peer_to_sockaddr(const larch_peer *peer, int family, struct sockaddr_storage *out);

#ifdef __cplusplus
}
#endif

#endif
