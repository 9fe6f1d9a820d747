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

/* Whether a message names this Content-Format. */
bool larch_sniff_has_format(const larch_coap_message *message, uint32_t format);

/* Bytes in hexadecimal, with what Wireshark lets stand between two bytes. False: they are none, or more than cap. */
bool larch_sniff_read_hex(larch_bytes text, uint8_t *out, size_t cap, larch_bytes *bytes);

/* LAKE, of lake.c, for its row in lake_fields.c. */
bool larch_sniff_lake_match(const larch_coap_message *request, uint8_t *resource);
bool larch_sniff_lake_read(larch_sniff_packet *packet);
/* message_3 stands before the ciphertext of an OSCORE request with this kid. False: it is none. */
bool larch_sniff_lake_take_combined(larch_sniff_packet *packet, larch_bytes message_3, larch_bytes kid);
/* An OSCORE response: if it answers such a request, it confirms the handshake. */
void larch_sniff_lake_take_confirmation(larch_sniff_packet *packet);

#endif
