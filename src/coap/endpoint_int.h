/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the endpoint and of block-wise transfer share. */
#ifndef LARCH_ENDPOINT_INT_H
#define LARCH_ENDPOINT_INT_H

#include "larch/coap_endpoint.h"

/* What a transmission waits for. */
enum {
    LARCH_COAP_WAIT_END,          /* its builder to be ended */
    LARCH_COAP_WAIT_ACK,          /* its time to be sent (again), or an acknowledgement */
    LARCH_COAP_WAIT_SEND,         /* its time to be sent, once */
    LARCH_COAP_WAIT_RESPONSE,     /* a response */
    LARCH_COAP_WAIT_NOTIFICATION, /* notifications, without end */
};

/* In a transmission's flags, beside the public ones: it is a response itself. */
#define LARCH_COAP_IS_RESPONSE 0x80u

/* ---- hash.c ------------------------------------------------------------ */

/* Derives the key for long messages. */
void larch_coap_hash_init(larch_coap_endpoint *ep);
/* The hash of a message in datagram (a whole header at least), as far as its beginning and end make it. Its place
 * depends on the last bytes, so that nobody who has not seen the message can aim there: a sealed one ends with its
 * tag. */
larch_coap_hash larch_coap_hash_ends(const larch_coap_endpoint *ep, const larch_peer *peer, larch_bytes datagram);
/* Completes its content. */
void larch_coap_hash_middle(const larch_coap_endpoint *ep, larch_bytes datagram, larch_coap_hash *hash);

/* ---- exchange.c -------------------------------------------------------- */

/* The remembered message from this peer with this ID and these bytes, or NULL. */
larch_coap_exchange *larch_coap_exchange_find(const larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                              uint16_t message_id, const larch_coap_hash *hash);
#if LARCH_SERVER_GROUP > 1
/* Whether the message in datagram is remembered; hashes no more of it than that takes. */
bool larch_coap_exchange_is_copy(const larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                 uint16_t message_id, larch_bytes datagram);
#endif
/* Remembers it for the lifetime of its type; duplicates get answer, which fits the ring. */
void larch_coap_exchange_remember(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer, bool confirmable,
                                  uint16_t message_id, const larch_coap_hash *hash, larch_bytes answer);
/* The answer that is kept; empty if there was none, or newer ones took its place. */
larch_bytes larch_coap_exchange_answer(const larch_coap_endpoint *ep, const larch_coap_exchange *x);

/* ---- transmission.c ---------------------------------------------------- */

/* Ours with this message ID that went to peer, or NULL. */
larch_coap_transmission *larch_coap_transmission_of_id(larch_coap_endpoint *ep, const larch_peer *peer,
                                                       uint16_t message_id);
/* Our request with this token that peer may answer, or NULL. */
larch_coap_transmission *larch_coap_transmission_of_token(larch_coap_endpoint *ep, const larch_peer *peer,
                                                          larch_bytes token);
/* A response to our request was accepted: an observation waits for notifications from now on, and any other request
 * ends. */
void larch_coap_transmission_answered(larch_coap_transmission *t);
/* It has arrived, or needs no acknowledgement: a response is awaited, or, if it is one, nothing any more. */
void larch_coap_transmission_delivered(larch_coap_transmission *t, uint64_t now_ms);
/* Keeps the answer to a multicast request for a random part of the leisure [RFC7252 8.2], which is the shorter the fewer
 * transmissions are free. LARCH_AGAIN: it is to be sent at once. */
larch_error larch_coap_transmission_delay(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                          larch_bytes datagram);

#endif
