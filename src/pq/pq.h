/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pq room offers to the crypto room and to tests: SHA-3 and the
 * derandomized forms of ML-KEM and ML-DSA. Not installed: a seeded encapsulation in the
 * hands of an application is a mistake waiting to happen.
 */
#ifndef LARCH_PQ_H
#define LARCH_PQ_H

#include "larch/base.h"
#include "larch/kem.h"
#include "larch/sig.h"

/* ---- FIPS 202 ---------------------------------------------------------- */

/* The round constants. [FIPS202 3.2.5] */
extern const uint64_t larch_keccak_rc[24];

/* A sponge in progress: absorb any number of times, then squeeze any number of
 * times. Holds secrets if what it absorbed was secret: wipe it. */
typedef struct larch_keccak {
#if LARCH_KECCAK_32
    uint32_t state[50]; /* of each lane the bits at even places, then those at odd places */
#else
    uint64_t state[25];
#endif
    uint8_t rate; /* bytes */
    uint8_t at;   /* bytes of the rate in use */
} larch_keccak;

void larch_shake128_init(larch_keccak *k);
void larch_shake256_init(larch_keccak *k);
void larch_shake_absorb(larch_keccak *k, larch_bytes bytes);
/* Ends absorbing; call once, before the first squeeze. */
void larch_shake_finalize(larch_keccak *k);
/* The same for cSHAKE with a name or customization. [SP800-185 3.3] */
void larch_cshake_finalize(larch_keccak *k);
void larch_shake_squeeze(larch_keccak *k, uint8_t *out, size_t len);
/* Makes the first block of output of each of count sponges, which were just finalized, side by side where this processor
 * can. Calling it is never necessary. */
void larch_shake_prepare_many(larch_keccak *k, size_t count);
/* The next 8 bytes a lane as two words, least significant byte first. What was squeezed before must be whole lanes. */
void larch_shake_squeeze_words(larch_keccak *k, uint32_t *words, size_t lanes);

void larch_sha3_224(larch_bytes in, uint8_t out[28]);
void larch_sha3_256(larch_bytes in, uint8_t out[32]);
void larch_sha3_384(larch_bytes in, uint8_t out[48]);
void larch_sha3_512(larch_bytes in, uint8_t out[64]);
void larch_shake128(larch_bytes in, uint8_t *out, size_t len);
void larch_shake256(larch_bytes in, uint8_t *out, size_t len);

/* Whether hashes are computed side by side: boards without groups of datagrams have no use for it. */
#define LARCH_PQ_HASHES_MANY (LARCH_X86 || LARCH_SERVER_GROUP > 1)

#if LARCH_PQ_HASHES_MANY
/* The first 8 bytes of SHAKE128 of each of count inputs, several side by side where this processor can and as long as
 * neighbours have the same length. Input i is the piece_count pieces from pieces[piece_count * i] on, in a row. */
void larch_shake128_many(uint8_t (*out)[8], const larch_bytes *pieces, size_t piece_count, size_t count);

/* For tests: that function for one level; see larch_mlkem_at_level. */
typedef void larch_shake_many(uint8_t (*out)[8], const larch_bytes *pieces, size_t piece_count, size_t count);
larch_shake_many *larch_shake128_many_at_level(unsigned level);
#endif

/* ---- FIPS 203 ---------------------------------------------------------- */

/* One KEM's functions; lengths were checked by the caller. seed and m have the lengths that the table names.
 * ML-KEM alone never fails; what is built with it may, and then leaves its outputs as they come. */
struct larch_kem_functions {
    larch_error (*keygen)(const uint8_t *seed, uint8_t *ek, uint8_t *dk); /* ML-KEM.KeyGen_internal(d, z) */
    larch_error (*encaps)(const uint8_t *ek, const uint8_t *m, uint8_t *ct, uint8_t *ss); /* ML-KEM.Encaps_internal */
    larch_error (*decaps)(const uint8_t *dk, const uint8_t *ct, uint8_t *ss);             /* ML-KEM.Decaps_internal */
    bool (*ek_is_valid)(const uint8_t *ek);                                               /* modulus check */
    bool (*dk_is_valid)(const uint8_t *dk);                                               /* hash check */
    /* The first three, count at a time with the same results, where they cannot fail; or all NULL. */
    void (*keygen_many)(const uint8_t *const *seed, uint8_t *const *ek, uint8_t *const *dk, size_t count);
    void (*encaps_many)(const uint8_t *const *ek, const uint8_t *const *m, uint8_t *const *ct, uint8_t *const *ss,
                        size_t count);
    void (*decaps_many)(const uint8_t *const *dk, const uint8_t *const *ct, uint8_t *const *ss, size_t count);
};

/* As fast as this processor can: the choice is made at each call, by its features. */
extern const struct larch_kem_functions larch_mlkem_512;
extern const struct larch_kem_functions larch_mlkem_768;
extern const struct larch_kem_functions larch_mlkem_1024;

/* For tests: the set's functions as written for one level, 0 being the portable
 * code; NULL if this build or this processor does not have the level, or the set. */
#define LARCH_PQ_LEVELS 3
const char *larch_pq_level_name(unsigned level); /* "portable", "avx2", "avx512" */
const struct larch_kem_functions *larch_mlkem_at_level(unsigned level, unsigned set);

/* ---- FIPS 204 ---------------------------------------------------------- */

/* One signature algorithm's functions; lengths were checked by the caller. mu is the 64-byte message
 * representative; rnd 32 bytes, all zero for the deterministic variant. */
struct larch_sig_functions {
    void (*keygen)(const uint8_t *seed, uint8_t *pk, uint8_t *sk); /* ML-DSA.KeyGen_internal(xi) */
    /* ML-DSA.Sign_internal from mu on. false, and sig unchanged: more attempts failed than a working machine needs. */
    bool (*sign)(const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd, uint8_t *sig);
    bool (*verify)(const uint8_t *pk, const uint8_t *mu, const uint8_t *sig); /* ML-DSA.Verify_internal from mu on */
};

/* Whether each coefficient of s1 and s2 in sk is between -eta and eta, which skDecode leaves to its caller
 * [FIPS204 algorithm 25]; false for an unknown set. The answer is public, where the coefficient stands is not. */
bool larch_mldsa_sk_is_in_range(int cose_algorithm, const uint8_t *sk);

/* As fast as this processor can, as for ML-KEM. */
extern const struct larch_sig_functions larch_mldsa_44;
extern const struct larch_sig_functions larch_mldsa_65;
extern const struct larch_sig_functions larch_mldsa_87;

/* For tests: see larch_mlkem_at_level. */
const struct larch_sig_functions *larch_mldsa_at_level(unsigned level, int cose_algorithm);

#endif
