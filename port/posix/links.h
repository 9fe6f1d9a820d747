/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses belong to the links of this host's interfaces, by its own addresses and their netmasks. */
#ifndef LARCH_POSIX_LINKS_H
#define LARCH_POSIX_LINKS_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_POSIX_LINKS_MAX 32 /* addresses of this host; further ones count as elsewhere */

typedef struct larch_posix_link {
    unsigned interface;
    unsigned bits; /* of the 128, that its neighbours share */
    bool resolves; /* the system asks for the link-layer addresses of neighbours */
    uint8_t address[16];
} larch_posix_link;

typedef struct larch_posix_links {
    larch_posix_link links[LARCH_POSIX_LINKS_MAX]; /* private, all of it */
    size_t count;
    bool is_read;
    uint64_t read_at_ms;
} larch_posix_links;

/* Reads the system's addresses, if that was not done within the last 10 seconds: they come and go. */
void larch_posix_links_refresh(larch_posix_links *links, uint64_t now_ms);

/* Whether an address that a datagram came from through this interface belongs to its link: it has the prefix of an
 * address of ours there, or is link-local, or is one of ours. */
bool larch_posix_links_have(const larch_posix_links *links, unsigned interface, const uint8_t address[16]);

/* The interface on whose link the system has to find this neighbour; 0: none, or it is one of ours. */
unsigned larch_posix_links_interface(const larch_posix_links *links, const uint8_t address[16]);

#ifdef __cplusplus
}
#endif

#endif
