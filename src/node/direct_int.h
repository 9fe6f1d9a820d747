/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the direct service share. */
#ifndef LARCH_DIRECT_SERVICE_INT_H
#define LARCH_DIRECT_SERVICE_INT_H

#include "larch/crypto.h"
#include "larch/direct_service.h"

#define DIRECT_RETRY_MS  1000 /* between tries of a storage that failed */
#define DIRECT_KEY_TRIES 4    /* of a random source that repeats itself, until it is taken for broken */

/* ---- keys (direct_keys.c) ------------------------------------------------ */

LARCH_MUST_USE larch_error larch_direct_keys_load(larch_direct_service *direct, uint64_t now_ms, size_t index,
                                                  char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault);
/* The keys of a set; NULL if there is no such set, or kem is NULL. */
larch_direct_keys *larch_direct_keys_find(larch_direct_service *direct, const larch_kem *kem);
/* The present key first, then the one before; NULL past the last. */
larch_direct_key *larch_direct_key_by_age(larch_direct_keys *keys, unsigned age);
/* The key of this generation; NULL if it is gone. */
larch_direct_key *larch_direct_key_find(larch_direct_service *direct, const larch_kem *kem, uint32_t generation);
/* Whether another held key, a root among them, has the hint that begins this hash; hash may be that of a held key. */
bool larch_direct_is_hint_held(const larch_direct_service *direct, const uint8_t hash[32]);
bool larch_direct_keys_are_durable(const larch_direct_service *direct);
/* Rotates what is nearly full, forgets what had its time. */
void larch_direct_keys_maintain(larch_direct_service *direct, larch_server *srv, uint64_t now_ms);
/* When that has something to do; UINT64_MAX: only after a datagram. */
uint64_t larch_direct_keys_deadline_ms(const larch_direct_service *direct);

/* ---- identity (direct_identity.c) ---------------------------------------- */

/* After the keys of all sets. */
LARCH_MUST_USE larch_error larch_direct_identity_load(larch_direct_service *direct,
                                                      char faulty[LARCH_STORAGE_NAME_MAX + 1],
                                                      larch_store_fault *fault);

/* ---- resources (direct_public.c, direct_question.c) ---------------------- */

void larch_direct_get_key(void *context, const larch_request *rq);
void larch_direct_post_key(void *context, const larch_request *rq);
void larch_direct_get_root(void *context, const larch_request *rq);
void larch_direct_post_root(void *context, const larch_request *rq);
void larch_direct_post_next(void *context, const larch_request *rq);
/* Whether the gateway takes no sealed messages (config.is_closed); it has answered then. */
#if LARCH_SERVER_SESSIONS
bool larch_direct_is_closed(const larch_direct_service *direct, const larch_request *rq);
#else
static inline bool larch_direct_is_closed(const larch_direct_service *direct, const larch_request *rq)
{
    (void)direct, (void)rq;
    return false;
}
#endif

/* An answer that a copy of the request gets again: the request is not carried out twice. */
static inline void larch_direct_answer_once(const larch_request *rq, uint8_t code, larch_bytes body)
{
    larch_request_answer(rq, &(larch_answer){.code = code, .body = body});
}

/* The whole body of a request that costs something; false: the request is answered or dropped. */
static inline bool larch_direct_take_body(const larch_request *rq, larch_bytes *body)
{
    return !rq->multicast && larch_request_admit(rq) && larch_request_body(rq, body);
}

/* ---- the form of sealed messages ----------------------------------------- */

/* The form that the Content-Format of a request names; false: it is none of a sealed message. Prototypes give none. */
static inline bool larch_direct_find_form(const larch_coap_message *request, larch_direct_form *form)
{
    larch_bytes value;
    uint32_t format = LARCH_COAP_FORMAT_OCTETS;
    if (larch_coap_option_find(request, LARCH_COAP_OPT_CONTENT_FORMAT, &value) &&
        larch_coap_option_uint(value, &format) != LARCH_OK)
        return false;
    *form = format == LARCH_COAP_FORMAT_OCTETS ? LARCH_DIRECT_FORM_FIELDS : LARCH_DIRECT_FORM_COSE;
    return format == LARCH_COAP_FORMAT_OCTETS || (LARCH_DIRECT_COSE && format == LARCH_COAP_FORMAT_COSE_ENCRYPT);
}

static inline larch_direct_answer larch_direct_parse_form(larch_direct_form form, larch_bytes body,
                                                          larch_direct_sealed *sealed)
{
    return LARCH_DIRECT_COSE && form == LARCH_DIRECT_FORM_COSE ? larch_direct_parse_cose(body, sealed)
                                                               : larch_direct_parse(body, sealed);
}

/* Whether a message may be sealed to the key: one in the form of COSE names it. */
static inline bool larch_direct_may_fit(const larch_direct_key *key, const larch_direct_sealed *sealed)
{
    return !LARCH_DIRECT_COSE || larch_ct_equal(sealed->kid.data, key->hash, sealed->kid.len);
}

/* ---- marks ---------------------------------------------------------------- */

/* A mark is the tag of these pieces under the key's own secret. Nobody else can make an authentic message of the same
 * ciphertext and nonce, and so spend its mark first; of nonce and CCM tag alone, whoever has read the message can. The
 * nonces of the two forms differ in length, so no message of one has the mark of the other's. */
#define DIRECT_MARK_PIECES 4
static inline void larch_direct_mark_pieces(const larch_direct_key *key, const larch_direct_sealed *sealed,
                                            larch_bytes pieces[DIRECT_MARK_PIECES])
{
    const bool is_whole = larch_replay_set_mark_input(&key->marks) == LARCH_MARK_INPUT_WHOLE;
    pieces[0] = LARCH_BYTES(key->tag_key);
    pieces[1] = (larch_bytes){sealed->kem_ct.data, is_whole ? sealed->kem_ct.len : LARCH_MARK_FRONT_LEN};
    pieces[2] = (larch_bytes){sealed->kem_ct.data, 0};
    if (LARCH_XWING && !is_whole && sealed->kem->set == LARCH_XWING_SET) /* of both parts, in case that one breaks */
        pieces[2] =
            (larch_bytes){sealed->kem_ct.data + sealed->kem_ct.len - LARCH_MARK_FRONT_LEN, LARCH_MARK_FRONT_LEN};
    pieces[3] = sealed->nonce;
}

/* ---- several messages at once (direct_ahead.c) --------------------------- */

/* The service's look_ahead; not offered where each datagram is taken by itself. */
#if LARCH_SERVER_GROUP > 1
void larch_direct_look_ahead(void *context, larch_server *srv, uint64_t now_ms, const larch_server_datagram *datagrams,
                             size_t count, larch_ahead *ahead);
#else
#define larch_direct_look_ahead NULL
#endif

#endif
