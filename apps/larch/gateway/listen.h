/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of a gateway: one for each address that it was told to listen on. */
#ifndef LARCH_APP_GATEWAY_LISTEN_H
#define LARCH_APP_GATEWAY_LISTEN_H

#include "gateway/options.h"
#include "udp.h"

/* Opens them; *count: how many are open, also if one cannot be. An address that this host does not have yet is waited for. */
larch_exit gateway_listen_open(const gateway_options *options, larch_udp sockets[GATEWAY_LISTEN_MAX], size_t *count);

#endif
