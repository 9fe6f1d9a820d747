/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this folder alone. */
#ifndef LARCH_SNIFF_DISSECT_INT_H
#define LARCH_SNIFF_DISSECT_INT_H

#include "sniff/dissect/flow.h"

/* The start of a SHA-256 over pieces. */
void larch_sniff_digest(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SNIFF_DIGEST_LEN]);

/* Path and query of a request, percent-encoded, so that no byte of a stranger reaches a terminal as it is. */
void larch_sniff_path_read(const larch_coap_message *request, char path[LARCH_SNIFF_PATH_MAX]);

/* Fills packet->body: the payload, or the blocks so far if this is the last. False: it is not whole. */
bool larch_sniff_body_take(larch_sniff_flow *flow, larch_sniff_packet *packet, const larch_peer *client,
                           const larch_peer *server);

#endif
