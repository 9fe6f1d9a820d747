/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request with its whole answer, however many blocks either takes [RFC7959], and the Echo that
 * a server may ask for on the way [RFC9175]. A pure state machine: it yields the options and payload of
 * the next request and takes the response to it, so a layer that protects messages fits between
 * this and whatever sends them. It knows no peers, endpoints, tokens, keys or time.
 */
#ifndef LARCH_COAP_TRANSFER_H
#define LARCH_COAP_TRANSFER_H

#include "larch/coap_message.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is asked. The pointers, except echo's, are kept until the transfer ends. */
typedef struct larch_coap_ask {
    uint8_t method;
    const char *path;        /* "pqkem-pk" */
    const char *query;       /* "kem=768", or NULL */
    larch_bytes payload;     /* sent in blocks if larger than one */
    uint16_t content_format; /* of the payload; 0xffff: none */
    larch_bytes echo;        /* returned to this server if it gave one before; may be empty; copied */
    uint8_t challenges;      /* how often a 4.01 with Echo is answered; 0: once */
} larch_coap_ask;

typedef struct larch_coap_answer {
    uint8_t code;
    larch_bytes body;   /* in the caller's buffer */
    larch_bytes etag;   /* view into the transfer */
    larch_bytes echo;   /* view into the transfer: the latest Echo this server gave, for the next ask */
    uint32_t requests;  /* sent for this answer, without retransmissions */
    uint32_t max_age_s; /* Max-Age, 60 if it gives none: with 5.03 and 4.29 the time to wait [RFC7252 5.9.3.4] */
} larch_coap_answer;

typedef struct larch_coap_transfer {
    bool waits;         /* private, all of it; for a response */
    uint8_t challenges; /* that are still answered */
    bool restarted;
    uint8_t method;
    uint8_t szx;  /* of the blocks of the payload */
    uint8_t szx2; /* of the blocks of the answer */
    uint8_t etag_len;
    uint8_t echo_len;
    uint8_t etag[8];
    uint8_t echo[40];
    uint16_t content_format;
    uint32_t requests;
    const char *path;
    const char *query;
    larch_bytes payload;
    size_t payload_at; /* the block under way starts here */
    uint8_t *body;
    size_t body_cap;
    size_t body_len; /* the next block of the answer starts here */
} larch_coap_transfer;

/* Begins a transfer, and drops the one that was under way, if any. body: where the answer's payload goes, body_cap
 * bytes. LARCH_SPACE: the echo is longer than 40 bytes, or the payload has more blocks than numbers; nothing is under
 * way then. ask->echo may be a view that t gave before. */
LARCH_MUST_USE larch_error larch_coap_transfer_begin(larch_coap_transfer *t, const larch_coap_ask *ask, uint8_t *body,
                                                     size_t body_cap);

/* The method of every request of this transfer. */
uint8_t larch_coap_transfer_method(const larch_coap_transfer *t);
/* Adds the next request's options and payload to b, which the caller began and ends; it may be called again for the
 * same request. LARCH_STATE: nothing is under way. That they do not fit is b's error. */
LARCH_MUST_USE larch_error larch_coap_transfer_compose_request(const larch_coap_transfer *t, larch_coap_builder *b);

/* Takes the untrusted response to the request that was composed last. Returns
 * LARCH_OK: *answer is complete. An error code of the server, such as 4.04, is an answer too.
 * LARCH_AGAIN: more is to be asked: compose the next request. A 4.01 with Echo is answered by the same request with
 *   that Echo, as often as the ask allows [RFC9175 2.3]; a representation that changes on the way is fetched anew, once, if the payload is
 *   empty; a payload whose first blocks the server has lost, 4.08, is sent anew, once.
 * LARCH_SPACE: the answer is larger than body_cap, or has more blocks than numbers.
 * LARCH_MALFORMED: the server's blocks contradict each other, or the representation changed again.
 * LARCH_STATE: nothing is under way.
 * All but AGAIN end the transfer; all but OK leave *answer zeroed. The number of requests is bounded by the
 * lengths of payload and body, whatever the server answers. */
LARCH_MUST_USE larch_error larch_coap_transfer_process_response(larch_coap_transfer *t,
                                                                const larch_coap_message *response,
                                                                larch_coap_answer *answer);

#ifdef __cplusplus
}
#endif

#endif
