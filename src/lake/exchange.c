/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G_X, G_Y and G_XY: ephemeral Diffie-Hellman [RFC9528 3.7], or a KEM, whose G_X is an encapsulation key, G_Y a
 * ciphertext and G_XY the shared secret [pqsuites 3]. Of a KEM's key pair the seed alone is kept.
 */
#include <string.h>

#include "lake_int.h"

_Static_assert(LARCH_KEM_SS_LEN == 32, "G_XY of every exchange");

uint8_t *larch_lake_take_scratch(lake_scratch *scratch, size_t len)
{
    uint8_t *at = scratch->at;
    if (len > scratch->left)
        return NULL;
    scratch->at += len;
    scratch->left -= len;
    return at;
}

static bool is_p256(const larch_lake_suite *suite) { return LARCH_ECC && suite->key_exchange == LARCH_LAKE_P256; }

static const larch_kem *kem_of(const larch_lake_suite *suite)
{
    return suite->key_exchange == LARCH_XWING_SET ? larch_kem_xwing() : larch_kem_find(suite->key_exchange);
}

bool larch_lake_exchange_is_built(const larch_lake_suite *suite) { return is_p256(suite) || kem_of(suite) != NULL; }

size_t larch_lake_g_x_len(const larch_lake_suite *suite) { return is_p256(suite) ? 32 : kem_of(suite)->ek_len; }

size_t larch_lake_g_y_len(const larch_lake_suite *suite) { return is_p256(suite) ? 32 : kem_of(suite)->ct_len; }

/* ---- P-256: x alone is sent [RFC9528 3.7] ------------------------------------ */

#if LARCH_ECC
/* Of 2^32 numbers one is no private key; that counts as a failed source. */
static larch_error make_point(const larch_random *random, uint8_t *private_key, uint8_t *x)
{
    uint8_t point[LARCH_P256_PUBLIC_LEN];
    larch_error e = larch_random_fill(random, private_key, LARCH_P256_LEN);
    if (e == LARCH_OK && (e = larch_p256_public(private_key, point)) == LARCH_OK)
        memcpy(x, point, LARCH_P256_LEN);
    return e == LARCH_MALFORMED ? LARCH_PLATFORM : e;
}

static larch_error share_point(const uint8_t *private_key, larch_bytes x, uint8_t *shared)
{
    return larch_p256_ecdh(private_key, x, shared);
}
#else
static larch_error make_point(const larch_random *random, uint8_t *private_key, uint8_t *x)
{
    (void)random, (void)private_key, (void)x;
    return LARCH_STATE;
}

static larch_error share_point(const uint8_t *private_key, larch_bytes x, uint8_t *shared)
{
    (void)private_key, (void)x, (void)shared;
    return LARCH_STATE;
}
#endif

/* ---- KEM ----------------------------------------------------------------------- */

larch_error larch_lake_make_g_x(const larch_lake_suite *suite, const larch_random *random, lake_scratch scratch,
                                uint8_t *ephemeral, uint8_t *g_x)
{
    if (is_p256(suite))
        return make_point(random, ephemeral, g_x);
    const larch_kem *kem = kem_of(suite);
    uint8_t *dk = larch_lake_take_scratch(&scratch, kem->dk_len);
    if (dk == NULL)
        return LARCH_SPACE;
    const larch_error e = larch_random_fill(random, ephemeral, kem->seed_len);
    return e == LARCH_OK ? larch_kem_keygen(kem, ephemeral, g_x, dk) : e;
}

larch_error larch_lake_make_g_y(const larch_lake_suite *suite, const larch_random *random, larch_bytes g_x,
                                const larch_lake_answer *answer, uint8_t *ephemeral, uint8_t *g_y,
                                uint8_t g_xy[LARCH_KEM_SS_LEN])
{
    if (is_p256(suite)) {
        const larch_error e = make_point(random, ephemeral, g_y);
        return e == LARCH_OK ? share_point(ephemeral, g_x, g_xy) : e;
    }
    if (answer->ct.len == 0)
        return larch_kem_encaps(kem_of(suite), random, g_x, g_y, g_xy);
    if (answer->ct.len != kem_of(suite)->ct_len)
        return LARCH_STATE;
    memcpy(g_y, answer->ct.data, answer->ct.len);
    memcpy(g_xy, answer->ss, LARCH_KEM_SS_LEN);
    return LARCH_OK;
}

larch_error larch_lake_find_g_xy(const larch_lake_suite *suite, lake_scratch scratch, const uint8_t *ephemeral,
                                 larch_bytes g_y, uint8_t g_xy[LARCH_KEM_SS_LEN])
{
    if (is_p256(suite))
        return share_point(ephemeral, g_y, g_xy);
    const larch_kem *kem = kem_of(suite);
    uint8_t *dk = larch_lake_take_scratch(&scratch, kem->dk_len), *ek = larch_lake_take_scratch(&scratch, kem->ek_len);
    if (dk == NULL || ek == NULL)
        return LARCH_SPACE;
    const larch_error e = larch_kem_keygen(kem, ephemeral, ek, dk);
    return e == LARCH_OK ? larch_kem_decaps(kem, dk, g_y, g_xy) : e;
}
