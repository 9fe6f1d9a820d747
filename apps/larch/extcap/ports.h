/* SPDX-License-Identifier: Apache-2.0 */
/* The serial ports of this machine, as interfaces that Wireshark lists. */
#ifndef LARCH_EXTCAP_PORTS_H
#define LARCH_EXTCAP_PORTS_H

#include <stdbool.h>
#include <stddef.h>

#define LARCH_EXTCAP_PORTS_MAX 64

/* More ports, colon-separated: pseudo terminals, FIFOs, sockets. */
#define LARCH_EXTCAP_PORTS_ENV "LARCH_EXTCAP_PORTS"

typedef struct larch_extcap_port {
    char path[128]; /* a longer one would have no name either */
    char name[64];  /* "larch-ttyUSB0", "larch-tmp_board" */
} larch_extcap_port;

/* Returns how many it found. */
size_t larch_extcap_ports_find(larch_extcap_port ports[LARCH_EXTCAP_PORTS_MAX]);

#endif
