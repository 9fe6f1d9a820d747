/* SPDX-License-Identifier: Apache-2.0 */
/* Two parties of a LAKE handshake with credentials of any kind, step by step. */
#ifndef TESTS_LAKE_PAIR_H
#define TESTS_LAKE_PAIR_H

#include <string.h>

#include "all_are.h"
#include "larch/cbor.h"
#include "larch/crypto.h"
#include "larch/ecc.h"
#include "larch/lake.h"
#include "random_sources.h"

enum { LAKE_CRED_MAX = LARCH_LAKE_CWT_MAX, LAKE_MESSAGE_MAX = 1 << 14 };

/* A step is one call: messages are composed at even ones. */
enum { COMPOSE_1, PROCESS_1, COMPOSE_2, PROCESS_2, COMPOSE_3, PROCESS_3, COMPOSE_4, PROCESS_4, LAKE_STEPS };

typedef struct lake_end {
    larch_lake_session session;
    larch_lake_party party;
    larch_lake_credential own;
    const struct lake_end *knows; /* whose credential it finds */
    larch_lake_reference_kind kind;
    uint8_t cred[LAKE_CRED_MAX], id_cred[LAKE_CRED_MAX + 16];
    uint8_t pk[LARCH_SIG_PK_MAX], seed[32], d[32], point[64];
    uint8_t scratch[LARCH_LAKE_SCRATCH];
    unsigned looked_up;
    larch_lake_received received;
} lake_end;

typedef struct lake_pair {
    lake_end i, r;
    unsigned method;
    const larch_lake_suite *suite;
    larch_keccak sponge;
    long random_left;   /* calls before the source fails; negative: it never does */
    larch_bytes ead[4]; /* of each message */
    larch_lake_message_1 message_1;
    larch_writer w[4];
    uint8_t bytes[4][LAKE_MESSAGE_MAX];
} lake_pair;

static larch_error lake_draw(void *context, uint8_t *out, size_t len)
{
    lake_pair *p = context;
    if (p->random_left == 0)
        return fill_and_fail(NULL, out, len);
    p->random_left -= p->random_left > 0;
    larch_shake_squeeze(&p->sponge, out, len);
    return LARCH_OK;
}

static inline larch_error lake_find_known(void *context, const larch_lake_reference *reference, unsigned attempt,
                                          larch_lake_credential *out)
{
    lake_end *end = context;
    end->looked_up++;
    if (attempt > 0 || !larch_bytes_equal(reference->id_cred, end->knows->own.id_cred))
        return LARCH_AUTH;
    *out = end->knows->own;
    return LARCH_OK;
}

/* An authority that signs CWTs. */
static inline larch_cose_key lake_authority(void)
{
    static const uint8_t seed[LARCH_SIG_SEED_LEN] = {7};
    static uint8_t pk[LARCH_SIG_PK_MAX], sk[LARCH_SIG_SK_MAX];
    const larch_sig *sig = larch_sig_find(LARCH_COSE_ML_DSA_87);
    const larch_error e = larch_sig_keygen(sig, seed, pk, sk);
    return (larch_cose_key){.kty = LARCH_COSE_AKP,
                            .alg = e == LARCH_OK ? sig->cose_algorithm : 0,
                            .pub = {pk, sig->pk_len},
                            .priv = LARCH_BYTES(seed)};
}

/* Keys that fit method and suite. name: sub; its first byte is the kid too. */
static inline bool lake_make_key(lake_end *end, unsigned method, const larch_lake_suite *suite, uint8_t number)
{
    static uint8_t sk[LARCH_SIG_SK_MAX];
    const larch_sig *sig = larch_sig_find(suite->signature);
    memset(end->seed, number, sizeof end->seed);
    memset(end->d, number, sizeof end->d);
    if (method == LARCH_LAKE_METHOD_PSK) {
        memset(end->seed, 0x99, sizeof end->seed); /* both have the same */
        end->own.key = (larch_cose_key){.kty = LARCH_COSE_SYMMETRIC, .k = LARCH_BYTES(end->seed)};
        end->own.psk_hash = suite->hash;
        return true;
    }
    if (sig == NULL) {
        end->own.key = (larch_cose_key){.kty = LARCH_COSE_EC2,
                                        .crv = LARCH_COSE_P256,
                                        .x = {end->point, 32},
                                        .y = {end->point + 32, 32},
                                        .d = LARCH_BYTES(end->d)};
        return larch_p256_public(end->d, end->point) == LARCH_OK;
    }
    end->own.key = (larch_cose_key){.kty = LARCH_COSE_AKP,
                                    .alg = sig->cose_algorithm,
                                    .pub = {end->pk, sig->pk_len},
                                    .priv = LARCH_BYTES(end->seed)};
    return larch_sig_keygen(sig, end->seed, end->pk, sk) == LARCH_OK;
}

/* The credential, and how it is named. */
static inline bool lake_make_cred(lake_end *end, const char *sub, larch_lake_reference_kind kind, larch_lake_role role)
{
    static uint8_t ccs[LAKE_CRED_MAX];
    const larch_cose_key authority = lake_authority();
    const larch_bytes kid = {(const uint8_t *)sub, 1};
    larch_lake_claims claims = {.sub = larch_bytes_of_text(sub), .key = end->own.key};
    larch_writer c = larch_writer_to(ccs, sizeof ccs), w = larch_writer_to(end->cred, sizeof end->cred);
    larch_writer id = larch_writer_to(end->id_cred, sizeof end->id_cred);
    uint8_t hash[LARCH_SHA256_LEN];
    larch_error e = LARCH_OK;
    claims.key.kid = end->own.key.kty == LARCH_COSE_SYMMETRIC ? LARCH_TEXT("psk-kid") : kid;
    claims.key.priv = claims.key.d = claims.key.k = (larch_bytes){0};
    larch_lake_put_ccs(&c, &claims);
    if (kind == LARCH_LAKE_BY_CWT || kind == LARCH_LAKE_BY_CWT_HASH)
        e = larch_lake_put_cwt(&w, (larch_bytes){ccs, c.len}, &authority, NULL);
    else
        larch_writer_put(&w, (larch_bytes){ccs, c.len});
    const larch_bytes cred = {end->cred, w.len};
    *(role == LARCH_LAKE_INITIATOR ? &end->own.cred_i : &end->own.cred_r) = cred;
    if (kind == LARCH_LAKE_BY_CWT_HASH && e == LARCH_OK)
        e = larch_sha256(&cred, 1, hash);
    larch_lake_put_id_cred(&id, kind,
                           kind == LARCH_LAKE_BY_KID        ? claims.key.kid
                           : kind == LARCH_LAKE_BY_CWT_HASH ? LARCH_BYTES(hash)
                                                            : cred);
    end->own.id_cred = (larch_bytes){end->id_cred, id.len};
    end->kind = kind;
    return e == LARCH_OK && w.len <= w.cap && id.len <= id.cap;
}

static inline void lake_pair_begin(lake_pair *p)
{
    larch_shake256_init(&p->sponge);
    larch_shake_finalize(&p->sponge);
    p->random_left = -1;
    larch_lake_init(&p->i.session, LARCH_LAKE_INITIATOR);
    larch_lake_init(&p->r.session, LARCH_LAKE_RESPONDER);
    p->i.looked_up = p->r.looked_up = 0;
    for (size_t n = 0; n < 4; n++)
        p->w[n] = larch_writer_to(p->bytes[n], sizeof p->bytes[n]);
}

/* suites: a list of one; it outlives the pair. */
static inline bool lake_pair_init(lake_pair *p, unsigned method, const larch_lake_suite *const *suites,
                                  larch_lake_reference_kind kind)
{
    memset(p, 0, sizeof *p);
    p->method = method;
    p->suite = suites[0];
    if (!lake_make_key(&p->i, method, suites[0], 3) || !lake_make_key(&p->r, method, suites[0], 5) ||
        !lake_make_cred(&p->i, "initiator", kind, LARCH_LAKE_INITIATOR) ||
        !lake_make_cred(&p->r, "responder", kind, LARCH_LAKE_RESPONDER))
        return false;
    if (method == LARCH_LAKE_METHOD_PSK) { /* both know both credentials */
        p->i.own.cred_r = p->r.own.cred_r;
        p->r.own.cred_i = p->i.own.cred_i;
    }
    lake_end *const ends[] = {&p->i, &p->r};
    for (size_t n = 0; n < 2; n++) {
        ends[n]->knows = ends[1 - n];
        ends[n]->party = (larch_lake_party){.suites = suites,
                                            .suite_count = 1,
                                            .methods = (uint8_t)(1u << method),
                                            .find = lake_find_known,
                                            .context = ends[n],
                                            .random = {lake_draw, p},
                                            .scratch = ends[n]->scratch,
                                            .scratch_size = sizeof ends[n]->scratch};
    }
    lake_pair_begin(p);
    return true;
}

static inline larch_bytes lake_message(const lake_pair *p, unsigned number)
{
    return (larch_bytes){p->w[number - 1].data, p->w[number - 1].len};
}

/* Hands message, in place of the one that was composed, to a step that processes. */
static inline larch_error lake_pair_process(lake_pair *p, unsigned step, larch_bytes message)
{
    lake_end *end = step == PROCESS_1 || step == PROCESS_3 ? &p->r : &p->i;
    switch (step) {
    case PROCESS_1:
        return larch_lake_process_message_1(&end->session, &end->party, message, &p->message_1);
    case PROCESS_2:
        return larch_lake_process_message_2(&end->session, &end->party, message, &end->received);
    case PROCESS_3:
        return larch_lake_process_message_3(&end->session, &end->party, message, &end->received);
    default:
        return larch_lake_process_message_4(&end->session, &end->party, message, &end->received);
    }
}

static inline larch_error lake_pair_step(lake_pair *p, unsigned step)
{
    const larch_lake_answer answer = {.c_r = LARCH_TEXT("\x27"), .own = &p->r.own, .ead_2 = p->ead[1]};
    larch_writer *w = &p->w[step / 2];
    switch (step) {
    case COMPOSE_1:
        return larch_lake_compose_message_1(&p->i.session, &p->i.party, p->method, 0, LARCH_TEXT("ci"), p->ead[0], w);
    case COMPOSE_2:
        return larch_lake_compose_message_2(&p->r.session, &p->r.party, &p->message_1, &answer, w);
    case COMPOSE_3:
        return larch_lake_compose_message_3(&p->i.session, &p->i.party, &p->i.own, p->ead[2], w);
    case COMPOSE_4:
        return larch_lake_compose_message_4(&p->r.session, &p->r.party, p->ead[3], w);
    default:
        return lake_pair_process(p, step, lake_message(p, step / 2 + 1));
    }
}

/* Steps from first to last, while they succeed. */
static inline larch_error lake_pair_run(lake_pair *p, unsigned first, unsigned last)
{
    larch_error e = LARCH_OK;
    for (unsigned step = first; e == LARCH_OK && step <= last; step++)
        e = lake_pair_step(p, step);
    return e;
}

static inline lake_end *lake_actor(lake_pair *p, unsigned step)
{
    return step == COMPOSE_1 || step == PROCESS_2 || step == COMPOSE_3 || step == PROCESS_4 ? &p->i : &p->r;
}

/* An aborted session holds nothing but the error that it owes. */
static inline bool lake_is_empty(const larch_lake_session *s)
{
    larch_lake_session copy = *s;
    copy.error = 0;
    return is_zero((const uint8_t *)&copy, sizeof copy);
}

/* Whether the provider computes ECDH with an x alone, which P-256 suites need. */
static inline bool lake_has_p256(void)
{
    static const uint8_t one[32] = {[31] = 1};
    uint8_t point[64], shared[32];
    return larch_p256_public(one, point) == LARCH_OK &&
           larch_p256_ecdh(one, (larch_bytes){point, 32}, shared) == LARCH_OK;
}

#endif
