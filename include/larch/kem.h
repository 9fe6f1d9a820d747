/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key encapsulation: a constant table of algorithms with their sizes, so that
 * protocol code never names a parameter set. ML-KEM is FIPS 203, X-Wing
 * draft-connolly-cfrg-xwing-kem; a key pair is kept as its seed, d || z or the
 * draft's 32 bytes, from which both keys are made again.
 *
 * All functions run in time that depends on the algorithm alone, not on keys,
 * seeds, shared secrets or whether a ciphertext is genuine. No heap.
 */
#ifndef LARCH_KEM_H
#define LARCH_KEM_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_KEM_SS_LEN   32
#define LARCH_XWING_SET    25722 /* X-Wing's number in HPKE, 0x647a, where sets are told apart by numbers */
#define LARCH_KEM_SEED_LEN 64    /* of ML-KEM; the longest */

/* Sizes of the largest algorithm in this build, for buffers that hold any. */
#if LARCH_MLKEM_1024
#define LARCH_KEM_EK_MAX 1568
#define LARCH_KEM_DK_MAX 3168
#define LARCH_KEM_CT_MAX 1568
#elif LARCH_XWING
#define LARCH_KEM_EK_MAX 1216
#define LARCH_KEM_DK_MAX 2464
#define LARCH_KEM_CT_MAX 1120
#elif LARCH_MLKEM_768
#define LARCH_KEM_EK_MAX 1184
#define LARCH_KEM_DK_MAX 2400
#define LARCH_KEM_CT_MAX 1088
#else
#define LARCH_KEM_EK_MAX 800
#define LARCH_KEM_DK_MAX 1632
#define LARCH_KEM_CT_MAX 768
#endif

typedef struct larch_kem {
    const char *name;                            /* "ML-KEM-512" */
    uint16_t set;                                /* 512, 768 or 1024; LARCH_XWING_SET */
    uint16_t ek_len;                             /* encapsulation (public) key, bytes */
    uint16_t dk_len;                             /* decapsulation (private) key, bytes */
    uint16_t ct_len;                             /* ciphertext, bytes */
    uint16_t seed_len;                           /* seed of a key pair, bytes */
    uint16_t m_len;                              /* random bytes that an encapsulation takes */
    const struct larch_kem_functions *functions; /* private */
} larch_kem;

/* The sets of ML-KEM in this build, smallest first; NULL past the last. */
const larch_kem *larch_kem_at(size_t index);
/* The set by number (512, 768, 1024); NULL if it is not in this build. */
const larch_kem *larch_kem_find(unsigned set);
/* X-Wing, the hybrid of ML-KEM-768 and X25519, for protocols that name it: no set of ML-KEM, so
 * neither of the above gives it. NULL if it is not in this build. Its X25519 is the crypto
 * provider's (call larch_crypto_init first), which may fail: LARCH_PLATFORM. */
const larch_kem *larch_kem_xwing(void);

/* ML-KEM.KeyGen with the pair's seed [FIPS203 7.1]. seed: seed_len random bytes,
 * kept secret; ek: ek_len bytes out; dk: dk_len bytes out, secret. Deterministic:
 * the same seed always gives the same pair. LARCH_PLATFORM with zeroed outputs if
 * the provider of X-Wing's X25519 fails, or if LARCH_KEM_PAIRWISE_TEST is on and
 * finds the pair unfit, which is a fault of the machine; else ML-KEM cannot fail. */
LARCH_MUST_USE larch_error larch_kem_keygen(const larch_kem *kem, const uint8_t *seed, uint8_t *ek, uint8_t *dk);

/* Encapsulation key check [FIPS203 7.2]: length and modulus of untrusted bytes.
 * LARCH_MALFORMED if the key must not be used. */
LARCH_MUST_USE larch_error larch_kem_check_ek(const larch_kem *kem, larch_bytes ek);

/* The encapsulation key that belongs to a decapsulation key, which holds it. ek: ek_len bytes out. */
void larch_kem_ek_of(const larch_kem *kem, const uint8_t *dk, uint8_t *ek);

/* Decapsulation key check [FIPS203 7.3]: length and hash, for a key that was
 * stored or imported. LARCH_MALFORMED if the key must not be used. */
LARCH_MUST_USE larch_error larch_kem_check_dk(const larch_kem *kem, larch_bytes dk);

/* ML-KEM.Encaps [FIPS203 7.2]. ek: untrusted, checked here. ct: ct_len bytes
 * out; ss: LARCH_KEM_SS_LEN bytes out, secret. LARCH_MALFORMED if the key fails
 * its check, LARCH_PLATFORM if random or the provider fails: ct and ss are then
 * zeroed. */
LARCH_MUST_USE larch_error larch_kem_encaps(const larch_kem *kem, const larch_random *random, larch_bytes ek,
                                            uint8_t *ct, uint8_t *ss);

/* ML-KEM.Decaps [FIPS203 7.3]. dk: from larch_kem_keygen, or checked by
 * larch_kem_check_dk before its first use. ct: untrusted. ss: LARCH_KEM_SS_LEN
 * bytes out, secret. A ciphertext that is not genuine gives LARCH_OK and a secret
 * that nobody else knows. LARCH_MALFORMED if ct has the wrong length, or its X25519
 * share a small order; LARCH_PLATFORM if the provider fails: ss is then zeroed. */
LARCH_MUST_USE larch_error larch_kem_decaps(const larch_kem *kem, const uint8_t *dk, larch_bytes ct, uint8_t *ss);

/* ---- many at once ------------------------------------------------------ */

/* Vector processors compute several operations side by side in less time than one
 * after the other; elsewhere these are loops. Results are those of the single
 * functions. Buffers of different items must not overlap. They use up to 70 KB of
 * stack; use the single functions where that is too much. */

typedef struct larch_kem_keygen_item {
    const uint8_t *seed; /* seed_len bytes, secret */
    uint8_t *ek, *dk;    /* ek_len and dk_len bytes out */
    larch_error error;   /* out: as from larch_kem_keygen */
} larch_kem_keygen_item;

typedef struct larch_kem_encaps_item {
    larch_bytes ek;    /* untrusted; checked */
    uint8_t *ct, *ss;  /* ct_len and LARCH_KEM_SS_LEN bytes out */
    larch_error error; /* out: as from larch_kem_encaps */
} larch_kem_encaps_item;

typedef struct larch_kem_decaps_item {
    const uint8_t *dk; /* as for larch_kem_decaps; fastest where neighbours have the same pointer */
    larch_bytes ct;    /* untrusted */
    uint8_t *ss;       /* LARCH_KEM_SS_LEN bytes out, secret */
    larch_error error; /* out: as from larch_kem_decaps */
} larch_kem_decaps_item;

/* Each returns LARCH_OK if every item has it, else the error of the first that has
 * not. An item that is refused does not hinder the others: its outputs are zeroed,
 * theirs are valid. But if random fails, no item is done: all have LARCH_PLATFORM
 * and zeroed outputs. */
LARCH_MUST_USE larch_error larch_kem_keygen_batch(const larch_kem *kem, larch_kem_keygen_item *items, size_t count);
LARCH_MUST_USE larch_error larch_kem_encaps_batch(const larch_kem *kem, const larch_random *random,
                                                  larch_kem_encaps_item *items, size_t count);
LARCH_MUST_USE larch_error larch_kem_decaps_batch(const larch_kem *kem, larch_kem_decaps_item *items, size_t count);

/* ---- self-test --------------------------------------------------------- */

/* Known answers of SHA3-256 and of every operation of each KEM and signature set of this build, in
 * the code that this processor will use. For start-up: a third of a millisecond on a PC whose vector
 * code is used, 1.3 without, and a few times that at the first call, while the code is read in; the
 * KEMs' share is 0.1. Needs the stack of the largest operation and room for its keys. LARCH_OK, or
 * LARCH_PLATFORM: then nothing of this library may be trusted here. */
LARCH_MUST_USE larch_error larch_pq_self_test(void);

#ifdef __cplusplus
}
#endif

#endif
