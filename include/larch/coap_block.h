/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of block-wise transfer [RFC7959]: it hands out slices of a representation
 * and puts bodies together. The client's side is coap_transfer.h.
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

/* Whether the request asks for another block of an answer than the first. */
bool larch_coap_asks_later_block(const larch_coap_message *request);
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
    uint64_t hash_key[2];
    struct larch_coap_body {
        larch_peer peer; /* private, all of it */
        uint64_t until_ms;
        uint64_t key;
        uint32_t len;
        bool used;
        bool is_proven;
        uint8_t bytes[LARCH_COAP_UPLOAD_MAX];
    } bodies[LARCH_COAP_REASSEMBLIES];
} larch_coap_reassembly;

/* LARCH_PLATFORM: random failed; r must not be used. */
LARCH_MUST_USE larch_error larch_coap_reassembly_init(larch_coap_reassembly *r, const larch_random *random);

/* Takes a request that may carry Block1. Returns
 * LARCH_OK: *body is the whole body (the payload itself without Block1; else a view that
 *   holds until the next call); echo *block in the final answer if *blockwise.
 * LARCH_AGAIN: answer 2.31 Continue with *block.
 * LARCH_STATE: out of order or unknown: answer 4.08. LARCH_SPACE: too large: 4.13 with Size1 =
 *   LARCH_COAP_UPLOAD_MAX. LARCH_MALFORMED: 4.00. The body in progress is dropped on these three.
 * LARCH_BUSY: there is no place for its first block now: answer a peer that is proven (its address can be reached)
 *   with 5.03, any other with a challenge. A peer that is not proven gets a place only while more than half are free, and
 *   one for its whole prefix. For a proven one a body of a peer that is not makes room; else one of a prefix (on the
 *   link: of an address) that has more of them than the peer's has; else the one longest without a block, once it has
 *   been idle for a second. */
LARCH_MUST_USE larch_error larch_coap_reassembly_take(larch_coap_reassembly *r, uint64_t now_ms, const larch_peer *peer,
                                                      bool is_proven, const larch_coap_message *request,
                                                      bool *blockwise, larch_coap_block *block, larch_bytes *body);

/* For a request whose whole body larch_coap_reassembly_take has just given, and which is refused for now: when its last
 * block comes again, byte for byte, it gives the whole body again. Nothing happens for a request without Block1. */
void larch_coap_reassembly_put_back(larch_coap_reassembly *r, uint64_t now_ms, const larch_peer *peer,
                                    const larch_coap_message *request);

/* What a body belongs to beside its peer: a keyed hash, never 0, over the method and every option that names the
 * resource or tells this body from another. [RFC7959 2.5] [RFC9175 3.3] */
uint64_t larch_coap_request_key(const larch_coap_reassembly *r, const larch_coap_message *request);

#ifdef __cplusplus
}
#endif

#endif
