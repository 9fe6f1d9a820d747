/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a neighbour is there, as the system's own table says. A datagram to an address that nobody answers for waits
 * in the system for seconds, at the cost of its socket's send buffer. So answers to forged addresses of the own link
 * can fill it, and keep out those to everybody else.
 */
#ifndef LARCH_POSIX_NEIGHBOUR_H
#define LARCH_POSIX_NEIGHBOUR_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct larch_posix_neighbours {
    int fd;            /* private, all of it; 0: not open yet */
    uint32_t sequence; /* of the last question */
} larch_posix_neighbours;

/* Whether the table has an address of its link layer for this neighbour, through this interface. A host that has just
 * sent to us is in the table, since it asked for our address. True where the table cannot be read. */
bool larch_posix_neighbour_is_there(larch_posix_neighbours *neighbours, unsigned interface, const uint8_t address[16]);
void larch_posix_neighbours_close(larch_posix_neighbours *neighbours);

#ifdef __cplusplus
}
#endif

#endif
