/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the endpoint and of block-wise transfer share. */
#ifndef LARCH_ENDPOINT_INT_H
#define LARCH_ENDPOINT_INT_H

#include "larch/coap_endpoint.h"

#define LARCH_COAP_EMPTY_LEN 4 /* an Empty message is its header */

/* What a transmission waits for. */
enum {
    LARCH_COAP_WAIT_END,      /* its builder to be ended */
    LARCH_COAP_WAIT_ACK,      /* its time to be sent (again), or an acknowledgement */
    LARCH_COAP_WAIT_SEND,     /* its time to be sent, once */
    LARCH_COAP_WAIT_RESPONSE, /* a response */
};

/* In a transmission's flags, beside the public ones: it is a response itself. */
#define LARCH_COAP_IS_RESPONSE 4u

/* ---- hash.c: SipHash-1-3, so that table places cannot be foreseen ------- */

typedef struct larch_coap_hash {
    uint64_t v[4];
} larch_coap_hash;

void larch_coap_hash_init(larch_coap_hash *h, const uint64_t key[2]);
/* Parts are told apart: "a", "bc" hashes unlike "ab", "c" (lengths below 256). */
void larch_coap_hash_part(larch_coap_hash *h, larch_bytes part);
uint64_t larch_coap_hash_end(larch_coap_hash *h);

/* ---- exchange.c -------------------------------------------------------- */

/* The remembered message with this ID from this peer, or NULL. */
const larch_coap_exchange *larch_coap_exchange_find(const larch_coap_endpoint *ep, uint64_t now_ms,
                                                    const larch_peer *peer, uint16_t message_id);
/* Remembers it for the lifetime of its type; duplicates get answer, of at most LARCH_COAP_ANSWER_MAX bytes. */
void larch_coap_exchange_remember(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                  larch_coap_type type, uint16_t message_id, larch_bytes answer);

/* ---- transmission.c ---------------------------------------------------- */

/* Ours with this message ID that went to peer, or NULL. */
larch_coap_transmission *larch_coap_transmission_of_id(larch_coap_endpoint *ep, const larch_peer *peer,
                                                       uint16_t message_id);
/* Our request with this token that went to peer, or NULL. */
larch_coap_transmission *larch_coap_transmission_of_token(larch_coap_endpoint *ep, const larch_peer *peer,
                                                          larch_bytes token);
/* It has arrived, or needs no acknowledgement: a response is awaited, or, if it is one, nothing any more. */
void larch_coap_transmission_delivered(larch_coap_transmission *t, uint64_t now_ms);
/* Keeps the answer to a multicast request for a random part of the leisure. [RFC7252 8.2] */
larch_error larch_coap_transmission_delay(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                          larch_bytes datagram);

#endif
