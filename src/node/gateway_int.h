/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway's files share. */
#ifndef LARCH_GATEWAY_INT_H
#define LARCH_GATEWAY_INT_H

#include "larch/crypto.h"
#include "larch/gateway.h"

#define GATEWAY_RETRY_MS 1000 /* between tries of a storage that failed */

/* One request on its way through a resource: the answer is built in place. */
typedef struct gateway_request {
    larch_gateway *gw;
    uint64_t now_ms;
    const larch_coap_event *event;
    larch_gateway_slot *slot;
} gateway_request;

/* What larch_gateway_receive_many worked out of one datagram before its turn came. It holds for this very
 * ciphertext and this key alone: between the two, whoever is told of an event may rotate. */
typedef struct larch_gateway_ahead {
    const larch_kem *kem;
    uint32_t generation; /* of the key; 0: nothing was worked out */
    bool has_ss;
    larch_bytes kem_ct; /* where it stands in the datagram */
    uint64_t tag;
    uint8_t ss[LARCH_KEM_SS_LEN];
} larch_gateway_ahead;

/* ---- answers (gateway.c) ----------------------------------------------- */

/* Begins an answer in the request's slot; options and payload follow. */
LARCH_MUST_USE larch_error larch_gateway_answer(const gateway_request *rq, uint8_t code, larch_coap_builder *b);
/* Ends it and puts it on its way. remember: see larch_coap_endpoint_answer_end. An
 * answer that cannot be built becomes none: the peer asks again. */
void larch_gateway_answer_end(const gateway_request *rq, const larch_coap_builder *b, bool remember);
/* The whole of it: a code and an ASCII payload, which may be empty. */
void larch_gateway_answer_text(const gateway_request *rq, uint8_t code, larch_bytes text, bool remember);

void larch_gateway_tell(larch_gateway *gw, larch_gateway_event event);

/* Grants the request what it costs, or answers it with a challenge or not at
 * all; false: it is dealt with. */
bool larch_gateway_admit(const gateway_request *rq);

/* ---- keys (gateway_keys.c) --------------------------------------------- */

LARCH_MUST_USE larch_error larch_gateway_keys_load(larch_gateway *gw, uint64_t now_ms, size_t index,
                                                   char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault);
larch_gateway_keys *larch_gateway_keys_of(larch_gateway *gw, const larch_kem *kem);
/* Makes every mark durable. */
LARCH_MUST_USE larch_error larch_gateway_keys_commit(larch_gateway *gw);
bool larch_gateway_keys_are_durable(const larch_gateway *gw);
/* Rotates what is nearly full, forgets what had its time. */
void larch_gateway_keys_maintain(larch_gateway *gw, uint64_t now_ms);
/* When that has something to do; UINT64_MAX: only after a datagram. */
uint64_t larch_gateway_keys_deadline_ms(const larch_gateway *gw);
/* The present key first, then the one before; NULL past the last. */
larch_gateway_key *larch_gateway_key_at(larch_gateway_keys *keys, unsigned age);

/* The mark of a message under a key. */
static inline uint64_t larch_gateway_tag(const larch_gateway_key *key, const larch_direct_sealed *sealed)
{
    const larch_bytes pieces[] = {sealed->kem_ct, sealed->nonce};
    return larch_tag64(key->tag_key, pieces, 2);
}

/* ---- resources --------------------------------------------------------- */

void larch_gateway_get_key(const gateway_request *rq); /* gateway_direct.c */
void larch_gateway_post_key(const gateway_request *rq);
void larch_gateway_post_sealed(const gateway_request *rq);
void larch_gateway_post_next(const gateway_request *rq);
void larch_gateway_dispatch(const gateway_request *rq); /* resource.c */

#endif
