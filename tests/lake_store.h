/* SPDX-License-Identifier: Apache-2.0 */
/* What either side of a handshake stores, where its power may go, and credentials. */
#ifndef LARCH_TESTS_LAKE_STORE_H
#define LARCH_TESTS_LAKE_STORE_H

#include "gateway_bench.h"
#include "larch/lake.h"

enum {
    LW_KEYS = 4, /* rPSKs and sessions that a store has room for, of one device */
    LW_CRED_MAX = 1500,
    LW_NEVER = 1 << 30,
};

/* Where the power goes: at this durable step, counted from 0; before it is durable, or behind. */
typedef struct lw_cut {
    int at;
    bool is_behind;
    bool fails; /* the step fails, and the power stays */
    int steps;
    bool is_off;
} lw_cut;

typedef struct lw_key {
    bool is;
    larch_lake_resumption r;
    uint64_t session; /* the handshake that left it made this one */
} lw_key;

typedef struct lw_context {
    bool is;
    bool is_unconfirmed;
    uint64_t number;
    larch_lake_oscore o;
} lw_context;

/* What a gateway stores of a device. */
typedef struct lw_account {
    lw_key keys[LW_KEYS];
    lw_context contexts[LW_KEYS];
} lw_account;

typedef struct lw_credentials {
    uint8_t kid[8];
    uint8_t psk[32];
    uint8_t seed[LARCH_SIG_SEED_LEN];
    uint8_t pk[LARCH_SIG_PK_MAX];
    char sub[16];
    uint8_t psk_cred_i[64], psk_cred_r[64], cred[LW_CRED_MAX];
    size_t psk_cred_i_len, psk_cred_r_len, cred_len;
    uint8_t id_psk[32], id[32];
    size_t id_psk_len, id_len;
} lw_credentials;

/* ---- credentials ------------------------------------------------------------- */

static inline size_t lw_put_cred(uint8_t *out, size_t cap, const char *sub, const larch_cose_key *key)
{
    const larch_lake_claims claims = {.sub = larch_bytes_of_text(sub), .key = *key};
    larch_writer w = larch_writer_to(out, cap);
    larch_lake_put_ccs(&w, &claims);
    bench_require(w.len <= cap);
    return w.len;
}

static inline size_t lw_put_id(uint8_t out[32], larch_bytes kid)
{
    larch_writer w = larch_writer_to(out, 32);
    larch_lake_put_id_cred(&w, LARCH_LAKE_BY_KID, kid);
    bench_require(w.len <= 32);
    return w.len;
}

static inline void lw_make_credentials(lw_credentials *c, const char *sub, uint8_t number)
{
    static uint8_t sk[LARCH_SIG_SK_MAX];
    const larch_sig *sig = larch_sig_find(LARCH_COSE_ML_DSA_44);
    memset(c, 0, sizeof *c);
    memset(c->kid, number, sizeof c->kid);
    memset(c->psk, 0x40 + number, sizeof c->psk);
    memset(c->seed, 0x80 + number, sizeof c->seed);
    memcpy(c->sub, sub, strlen(sub));
    bench_require(larch_sig_keygen(sig, c->seed, c->pk, sk) == LARCH_OK);
    const larch_cose_key psk = {.kty = LARCH_COSE_SYMMETRIC, .kid = LARCH_BYTES(c->kid)};
    const larch_cose_key pub = {.kty = LARCH_COSE_AKP, .alg = sig->cose_algorithm, .pub = {c->pk, sig->pk_len}};
    c->psk_cred_i_len = lw_put_cred(c->psk_cred_i, sizeof c->psk_cred_i, sub, &psk);
    c->psk_cred_r_len = lw_put_cred(c->psk_cred_r, sizeof c->psk_cred_r, "larch2:gateway", &psk);
    c->cred_len = lw_put_cred(c->cred, sizeof c->cred, sub, &pub);
    c->id_psk_len = lw_put_id(c->id_psk, LARCH_BYTES(c->kid));
    c->id_len = lw_put_id(c->id, (larch_bytes){c->kid, 2});
}

/* Of method 0; is_own: with the private part. */
static inline larch_lake_credential lw_signing(const lw_credentials *c, bool is_own)
{
    const larch_sig *sig = larch_sig_find(LARCH_COSE_ML_DSA_44);
    return (larch_lake_credential){.id_cred = {c->id, c->id_len},
                                   .cred_i = {c->cred, c->cred_len},
                                   .cred_r = {c->cred, c->cred_len},
                                   .key = {.kty = LARCH_COSE_AKP,
                                           .alg = sig->cose_algorithm,
                                           .pub = {c->pk, sig->pk_len},
                                           .priv = {c->seed, is_own ? sizeof c->seed : 0}}};
}

/* Of method 4; key: NULL: the external PSK. */
static inline larch_lake_credential lw_psk(const lw_credentials *c, const lw_key *key)
{
    return (larch_lake_credential){
        .id_cred = {c->id_psk, c->id_psk_len},
        .cred_i = {c->psk_cred_i, c->psk_cred_i_len},
        .cred_r = {c->psk_cred_r, c->psk_cred_r_len},
        .key = {.kty = LARCH_COSE_SYMMETRIC,
                .k = {key != NULL ? key->r.psk : c->psk, key != NULL ? key->r.psk_len : sizeof c->psk}},
        .psk_hash = key != NULL ? key->r.psk_hash : LARCH_COSE_SHAKE256};
}

/* ---- storage --------------------------------------------------------------------- */

/* One durable step: whether it became durable, and what its caller hears. */
static inline larch_error lw_step(lw_cut *cut, bool *is_durable)
{
    *is_durable = true;
    if (cut->steps++ != cut->at)
        return LARCH_OK;
    *is_durable = cut->is_behind;
    cut->is_off = !cut->fails;
    return cut->is_behind && !cut->fails ? LARCH_OK : LARCH_PLATFORM;
}

#endif
