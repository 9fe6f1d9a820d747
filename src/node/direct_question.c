/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a held key says when it is asked: which direct key of its set is present (/pqkem-next), or which identity
 * document holds (/pqkem-root). A direct key and a root key may be asked either.
 */
#include <string.h>

#include "node/direct_int.h"

/* The key that a question is to. */
typedef struct holder {
    const uint8_t *dk, *hash; /* NULL: no key with this hint is held */
    bool is_root;
} holder;

static holder find_holder(larch_direct_keys *keys, larch_bytes hint)
{
    const larch_direct_key *key;
    for (unsigned age = 0; (key = larch_direct_key_by_age(keys, age)) != NULL; age++)
        if (memcmp(key->hash, hint.data, LARCH_DIRECT_HINT_LEN) == 0)
            return (holder){key->dk, key->hash, false};
    if (keys->has_root && memcmp(keys->root_hash, hint.data, LARCH_DIRECT_HINT_LEN) == 0)
        return (holder){keys->root_dk, keys->root_hash, true};
    return (holder){0};
}

typedef larch_error (*statement)(const larch_kem *kem, const uint8_t *dk, larch_bytes kem_ct,
                                 const uint8_t asked_hash[32], const uint8_t said_hash[32],
                                 uint8_t out[LARCH_DIRECT_NEXT_LEN]);

/* What a root key says is worked out twice: a fault in one of the two, which might let a forged ciphertext pass for
 * a genuine one, and so tell of the key, gives no answer. That costs where roots are asked, and nowhere else. */
static larch_error answer_question(statement state, const larch_kem *kem, const holder *asked, larch_bytes kem_ct,
                                   const uint8_t said_hash[32], uint8_t out[LARCH_DIRECT_NEXT_LEN])
{
    uint8_t again[LARCH_DIRECT_NEXT_LEN];
    larch_error e = state(kem, asked->dk, kem_ct, asked->hash, said_hash, out);
    if (e != LARCH_OK || !asked->is_root)
        return e;
    e = state(kem, asked->dk, kem_ct, asked->hash, said_hash, again);
    if (e == LARCH_OK && !larch_ct_equal(out, again, sizeof again))
        e = LARCH_PLATFORM;
    larch_wipe(again, sizeof again);
    return e;
}

/* said_hash: NULL for that of the key that is present in the set of the asked one. */
static void take_question(larch_direct_service *direct, const larch_request *rq, statement state,
                          const uint8_t *said_hash)
{
    uint8_t out[LARCH_DIRECT_NEXT_LEN];
    const larch_kem *kem;
    larch_bytes body, hint, kem_ct;

    if (!larch_direct_take_body(rq, &body))
        return;
    if (larch_direct_next_parse(body, &kem, &hint, &kem_ct) != LARCH_OK) {
        larch_direct_answer_once(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("BAD_LEN"));
        return;
    }
    larch_direct_keys *keys = larch_direct_keys_find(direct, kem);
    const holder asked = find_holder(keys, hint);
    if (asked.dk == NULL) {
        larch_direct_answer_once(rq, LARCH_COAP_NOT_FOUND, LARCH_TEXT("UNKNOWN_KEY"));
        return;
    }
    /* a root key is charged on top of the request itself */
    if (asked.is_root && !larch_request_admit_root(rq))
        return;
    if (said_hash == NULL)
        said_hash = larch_direct_key_by_age(keys, 0)->hash;
    const larch_error e = answer_question(state, kem, &asked, kem_ct, said_hash, out);
    if (e == LARCH_OK)
        larch_direct_answer_once(rq, LARCH_COAP_CHANGED, LARCH_BYTES(out));
    else if (LARCH_XWING && e == LARCH_MALFORMED) /* a share of small order */
        larch_direct_answer_once(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("BAD_CT"));
    else
        larch_direct_answer_once(rq, LARCH_COAP_INTERNAL_SERVER_ERROR, (larch_bytes){0});
}

void larch_direct_post_next(void *context, const larch_request *rq)
{
    take_question(context, rq, larch_direct_next_answer, NULL);
}

void larch_direct_post_root(void *context, const larch_request *rq)
{
    larch_direct_service *direct = context;
    take_question(direct, rq, larch_direct_root_answer, direct->document_hash);
}
