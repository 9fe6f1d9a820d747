/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block-wise transfer [RFC7959]: a server hands out slices of a representation
 * and puts bodies together; a client does both the other way round, over an
 * endpoint, so that one call asks and one event brings the whole answer.
 */
#ifndef LARCH_COAP_BLOCK_H
#define LARCH_COAP_BLOCK_H

#include "larch/coap_endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- server: Block2 ---------------------------------------------------- */

/* Where the representation stands that a request asks a block of. */
typedef struct larch_coap_slice {
    larch_coap_block block;
    bool blockwise; /* put a Block2 option into the answer */
    larch_bytes bytes;
} larch_coap_slice;

/* Cuts the block that request asks for out of the whole representation; without
 * a Block2 option the first, if the whole does not fit one block of
 * LARCH_COAP_BLOCK_SZX. LARCH_MALFORMED: a bad option, or a block past the end
 * (answer 4.00). */
LARCH_MUST_USE larch_error larch_coap_block2_slice(const larch_coap_message *request, larch_bytes representation,
                                                   larch_coap_slice *out);
/* Adds Block2, and Size2 with the first block, in their place among the options: call it after
 * options with smaller numbers; then the payload. */
void larch_coap_block2_build(larch_coap_builder *b, const larch_coap_slice *slice, size_t representation_len);
/* The same for the answer to a request that brought Block1: block1, from
 * larch_coap_reassembly_take, is echoed in its place between the two; NULL: none. */
void larch_coap_blocks_build(larch_coap_builder *b, const larch_coap_slice *slice, size_t representation_len,
                             const larch_coap_block *block1);

/* ---- server: Block1 ---------------------------------------------------- */

/* Bodies in progress, keyed by peer, method, path, query and Request-Tag. */
typedef struct larch_coap_reassembly {
    struct larch_coap_body {
        larch_peer peer; /* private, all of it */
        uint64_t until_ms;
        uint64_t key;
        uint32_t len;
        bool used;
        uint8_t bytes[LARCH_COAP_BODY_MAX];
    } bodies[LARCH_COAP_REASSEMBLIES];
    uint64_t hash_key[2];
} larch_coap_reassembly;

/* LARCH_PLATFORM: random failed; r must not be used. */
LARCH_MUST_USE larch_error larch_coap_reassembly_init(larch_coap_reassembly *r, const larch_random *random);

/* Takes a request that may carry Block1. Returns
 * LARCH_OK: *body is the whole body (the payload itself without Block1; else a view that
 *   holds until the next call); echo *block in the final answer if *blockwise.
 * LARCH_AGAIN: answer 2.31 Continue with *block.
 * LARCH_STATE: out of order or unknown: answer 4.08. LARCH_SPACE: too large: 4.13 with Size1 =
 *   LARCH_COAP_BODY_MAX. LARCH_MALFORMED: 4.00. The body in progress is dropped on these three.
 * When all places are taken the one longest without a block makes room, once it has
 * been idle for a second; before that LARCH_PLATFORM: answer 5.03. */
LARCH_MUST_USE larch_error larch_coap_reassembly_take(larch_coap_reassembly *r, uint64_t now_ms, const larch_peer *peer,
                                                      const larch_coap_message *request, bool *blockwise,
                                                      larch_coap_block *block, larch_bytes *body);

/* ---- client ------------------------------------------------------------ */

/* One request with its whole answer, however many blocks either takes. */
typedef struct larch_coap_client {
    larch_coap_endpoint *endpoint; /* private, all of it */
    larch_peer peer;
    uint32_t handle; /* 0: idle */
    uint8_t method;
    uint8_t szx;  /* of the blocks of the payload */
    uint8_t szx2; /* of the blocks of the answer */
    uint8_t etag_len;
    uint8_t echo_len;
    uint8_t etag[8];
    uint8_t echo[40];
    bool echo_tried;
    bool restarted;
    larch_coap_type type;
    unsigned flags;
    const char *path;
    const char *query;
    uint16_t content_format;
    larch_bytes payload;
    size_t payload_at; /* the block under way starts here */
    uint8_t *body;
    size_t body_cap;
    size_t body_len; /* the next block of the answer starts here */
    uint32_t requests;
} larch_coap_client;

/* What is asked. The pointers are kept until the answer is there. */
typedef struct larch_coap_ask {
    larch_peer peer;
    larch_coap_type type;
    uint8_t method;
    unsigned flags;      /* LARCH_COAP_EMPTY_TOKEN; LARCH_COAP_ANY_PEER: the first to answer is the peer from then on */
    const char *path;    /* "pqkem-pk" */
    const char *query;   /* "kem=768", or NULL */
    larch_bytes payload; /* sent in blocks if larger than one */
    uint16_t content_format; /* of the payload; 0xffff: none */
    larch_bytes echo;        /* returned to this server if it gave one before; may be empty */
} larch_coap_ask;

typedef struct larch_coap_answer {
    uint8_t code;
    larch_bytes body;  /* in the caller's buffer */
    larch_bytes etag;  /* view into the client */
    larch_bytes echo;  /* the latest Echo this server gave, to be used with the next ask */
    larch_peer peer;   /* who answered */
    uint32_t requests; /* sent for this answer, without retransmissions */
} larch_coap_answer;

/* Asks over ep. body: where the answer's payload goes, body_cap bytes. A 4.01 with Echo is
 * answered by the same request with that Echo, once [RFC9175 2.3]. Errors as
 * larch_coap_endpoint_request, and LARCH_SPACE if ask's path, query and options fill the
 * datagram, or its echo is longer than 40 bytes; the client is idle then. c: all zero before
 * its first use; LARCH_STATE while it still asks. */
LARCH_MUST_USE larch_error larch_coap_client_ask(larch_coap_client *c, larch_coap_endpoint *ep, uint64_t now_ms,
                                                 const larch_coap_ask *ask, uint8_t *body, size_t body_cap);
/* Hands an event of the endpoint to the client. Returns LARCH_OK: *answer is complete;
 * LARCH_AGAIN: not for this client, or more blocks are to come (poll the endpoint);
 * LARCH_SPACE: the answer is larger than body_cap; LARCH_MALFORMED: the server's blocks
 * contradict each other, or the representation changed twice on the way (once it is fetched
 * anew, if the payload is empty); LARCH_STATE: reset by the peer; LARCH_PLATFORM: timed out,
 * or the next block could not be asked for. After all but AGAIN the client is idle. An error
 * code of the server, such as 4.08, is an answer: LARCH_OK. */
LARCH_MUST_USE larch_error larch_coap_client_take(larch_coap_client *c, uint64_t now_ms, const larch_coap_event *event,
                                                  larch_coap_answer *answer);
/* Gives up; the client is idle. */
void larch_coap_client_cancel(larch_coap_client *c);

#ifdef __cplusplus
}
#endif

#endif
