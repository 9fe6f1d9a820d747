/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Wing [draft-connolly-cfrg-xwing-kem]: ML-KEM-768 and X25519 side by side, so
 * that a secret holds while either does.
 *
 *     seed, 32    SHAKE256 makes of it: d | z | sk_X
 *     ek          ML-KEM's ek, 1184 | pk_X, 32
 *     dk          ML-KEM's dk, 2400 | sk_X, 32 | pk_X, 32: the draft's key is the seed; this is our expanded form
 *     m           ML-KEM's m, 32 | ephemeral sk_X, 32
 *     ct          ML-KEM's ct, 1088 | ct_X, 32
 *
 * One deviation: where the draft goes on with an X25519 result of all zeroes, the
 * peer's share is refused, as most providers do by themselves.
 */
#include <string.h>

#include "larch/crypto.h"
#include "larch/kem.h"
#include "pq/pq.h"

#if LARCH_XWING

#define X      LARCH_X25519_LEN
#define EK_M   1184
#define DK_M   2400
#define CT_M   1088
#define MLKEM  larch_mlkem_768
#define M_SEED 64

static larch_error keygen(const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
    uint8_t expanded[M_SEED + X];
    uint8_t *sk_x = dk + DK_M, *pk_x = sk_x + X;
    larch_error e;
    larch_shake256((larch_bytes){seed, 32}, expanded, sizeof expanded);
    memcpy(sk_x, expanded + M_SEED, X);
    if ((e = MLKEM.keygen(expanded, ek, dk)) == LARCH_OK && (e = larch_x25519_public(sk_x, pk_x)) == LARCH_OK)
        memcpy(ek + EK_M, pk_x, X);
    larch_wipe(expanded, sizeof expanded);
    return e;
}

/* ss = SHA3-256(ss_M || ss_X || ct_X || pk_X || XWingLabel). */
static void combine(const uint8_t *ss_m, const uint8_t *ss_x, const uint8_t *ct_x, const uint8_t *pk_x, uint8_t *ss)
{
    static const uint8_t label[6] = {0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c};
    uint8_t in[LARCH_KEM_SS_LEN + 3 * X + sizeof label];
    memcpy(in, ss_m, LARCH_KEM_SS_LEN);
    memcpy(in + LARCH_KEM_SS_LEN, ss_x, X);
    memcpy(in + LARCH_KEM_SS_LEN + X, ct_x, X);
    memcpy(in + LARCH_KEM_SS_LEN + 2 * X, pk_x, X);
    memcpy(in + LARCH_KEM_SS_LEN + 3 * X, label, sizeof label);
    larch_sha3_256(LARCH_BYTES(in), ss);
    larch_wipe(in, sizeof in);
}

static larch_error encaps(const uint8_t *ek, const uint8_t *m, uint8_t *ct, uint8_t *ss)
{
    const uint8_t *pk_x = ek + EK_M, *ephemeral = m + 32;
    uint8_t *ct_x = ct + CT_M;
    uint8_t ss_m[LARCH_KEM_SS_LEN], ss_x[X];
    larch_error e;
    if ((e = larch_x25519_public(ephemeral, ct_x)) == LARCH_OK &&
        (e = larch_x25519(ephemeral, pk_x, ss_x)) == LARCH_OK && (e = MLKEM.encaps(ek, m, ct, ss_m)) == LARCH_OK)
        combine(ss_m, ss_x, ct_x, pk_x, ss);
    larch_wipe(ss_m, sizeof ss_m);
    larch_wipe(ss_x, sizeof ss_x);
    return e;
}

static larch_error decaps(const uint8_t *dk, const uint8_t *ct, uint8_t *ss)
{
    const uint8_t *sk_x = dk + DK_M, *pk_x = sk_x + X, *ct_x = ct + CT_M;
    uint8_t ss_m[LARCH_KEM_SS_LEN], ss_x[X];
    larch_error e;
    if ((e = larch_x25519(sk_x, ct_x, ss_x)) == LARCH_OK && (e = MLKEM.decaps(dk, ct, ss_m)) == LARCH_OK)
        combine(ss_m, ss_x, ct_x, pk_x, ss);
    larch_wipe(ss_m, sizeof ss_m);
    larch_wipe(ss_x, sizeof ss_x);
    return e;
}

static bool ek_is_valid(const uint8_t *ek) { return MLKEM.ek_is_valid(ek); }

/* Also that pk_X is sk_X's; if the provider fails there, the key cannot be used either. */
static bool dk_is_valid(const uint8_t *dk)
{
    uint8_t pk_x[X];
    return MLKEM.dk_is_valid(dk) && larch_x25519_public(dk + DK_M, pk_x) == LARCH_OK &&
           larch_ct_equal(pk_x, dk + DK_M + X, X);
}

static const struct larch_kem_functions functions = {
    .keygen = keygen, .encaps = encaps, .decaps = decaps, .ek_is_valid = ek_is_valid, .dk_is_valid = dk_is_valid};
static const larch_kem xwing = {"X-Wing", LARCH_XWING_SET, EK_M + X, DK_M + 2 * X, CT_M + X, 32, 32 + X, &functions};

const larch_kem *larch_kem_xwing(void) { return &xwing; }

#else

const larch_kem *larch_kem_xwing(void) { return NULL; }

#endif
