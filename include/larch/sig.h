/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures: a constant table of algorithms with their sizes, so that protocol
 * code never names a parameter set. ML-DSA is FIPS 204; a key pair is kept as its
 * 32-byte seed, as in COSE [RFC9964], from which both keys are made again.
 *
 * The time of key generation and signing depends on the algorithm, on lengths,
 * and on how many attempts a signature took: that number is independent of the
 * key. No heap.
 */
#ifndef LARCH_SIG_H
#define LARCH_SIG_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SIG_SEED_LEN    32
#define LARCH_SIG_MU_LEN      64
#define LARCH_SIG_CONTEXT_MAX 255

/* Sizes of the largest set in this build, for buffers that hold any. */
#if LARCH_MLDSA_87
#define LARCH_SIG_PK_MAX  2592
#define LARCH_SIG_SK_MAX  4896
#define LARCH_SIG_SIG_MAX 4627
#elif LARCH_MLDSA_65
#define LARCH_SIG_PK_MAX  1952
#define LARCH_SIG_SK_MAX  4032
#define LARCH_SIG_SIG_MAX 3309
#else
#define LARCH_SIG_PK_MAX  1312
#define LARCH_SIG_SK_MAX  2560
#define LARCH_SIG_SIG_MAX 2420
#endif

typedef struct larch_sig {
    const char *name;                            /* "ML-DSA-44" */
    int16_t cose_algorithm;                      /* -48, -49 or -50 [RFC9964] */
    uint16_t pk_len;                             /* public key, bytes */
    uint16_t sk_len;                             /* private key, expanded from the seed, bytes */
    uint16_t sig_len;                            /* signature, bytes */
    uint16_t seed_len;                           /* LARCH_SIG_SEED_LEN */
    const struct larch_sig_functions *functions; /* private */
} larch_sig;

/* The sets of this build, smallest first; NULL past the last. */
const larch_sig *larch_sig_at(size_t index);
/* The set by its number in COSE; NULL if it is not in this build. */
const larch_sig *larch_sig_find(int cose_algorithm);

/* ML-DSA.KeyGen with the pair's seed [FIPS204 5.1]. seed: seed_len random bytes,
 * kept secret; pk: pk_len bytes out; sk: sk_len bytes out, secret.
 * Deterministic: the same seed always gives the same pair. */
LARCH_MUST_USE larch_error larch_sig_keygen(const larch_sig *sig, const uint8_t *seed, uint8_t *pk, uint8_t *sk);

/* Checks a private key that comes from elsewhere before its first use: its length, and that each coefficient of s1 and
 * s2 is between -eta and eta [FIPS204 7.2, skDecode]; signatures by any other would tell of the key. Whether t0 and tr
 * belong to s1 and s2 is not checked. sk: untrusted in form, secret. Only the answer shows in the time.
 * LARCH_MALFORMED: do not sign with it. */
LARCH_MUST_USE larch_error larch_sig_check_sk(const larch_sig *sig, larch_bytes sk);

/* ML-DSA.Sign [FIPS204 5.2]. random: hedges against faults and side channels; NULL
 * makes the deterministic variant, whose signatures are as valid. sk: from
 * larch_sig_keygen, or passed by larch_sig_check_sk. context: at most
 * LARCH_SIG_CONTEXT_MAX bytes that the verifier must name too, often none.
 * signature: sig_len bytes out, not to overlap the inputs. LARCH_MALFORMED if the context is too long,
 * LARCH_PLATFORM if random (or the machine) fails: the signature is then zeroed. */
LARCH_MUST_USE larch_error larch_sig_sign(const larch_sig *sig, const larch_random *random, const uint8_t *sk,
                                          larch_bytes context, larch_bytes message, uint8_t *signature);

/* ML-DSA.Verify [FIPS204 5.3]. pk, message, signature: untrusted, of any length.
 * LARCH_AUTH if the signature is not pk's for this message and context, or is no
 * signature at all; LARCH_MALFORMED if pk has the wrong length or the context is
 * too long. Only LARCH_OK means valid. */
LARCH_MUST_USE larch_error larch_sig_verify(const larch_sig *sig, larch_bytes pk, larch_bytes context,
                                            larch_bytes message, larch_bytes signature);

/* The message representative mu = H(H(pk) || M'), for a message that comes in count
 * pieces, or is hashed elsewhere than it is signed. [FIPS204 6.2, algorithm 7 line 6]
 * mu: out. LARCH_MALFORMED as for larch_sig_verify: mu is then zeroed. */
LARCH_MUST_USE larch_error larch_sig_mu(const larch_sig *sig, larch_bytes pk, larch_bytes context,
                                        const larch_bytes *pieces, size_t count, uint8_t mu[LARCH_SIG_MU_LEN]);

/* Signing and verification of such a mu; the rest as above. mu must come from
 * larch_sig_mu (or the like) over the signer's own pk. */
LARCH_MUST_USE larch_error larch_sig_sign_mu(const larch_sig *sig, const larch_random *random, const uint8_t *sk,
                                             const uint8_t mu[LARCH_SIG_MU_LEN], uint8_t *signature);
LARCH_MUST_USE larch_error larch_sig_verify_mu(const larch_sig *sig, larch_bytes pk, const uint8_t mu[LARCH_SIG_MU_LEN],
                                               larch_bytes signature);

#ifdef __cplusplus
}
#endif

#endif
