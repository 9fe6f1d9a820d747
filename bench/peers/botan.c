/* SPDX-License-Identifier: Apache-2.0 */
/* Botan 3 through its C interface, key objects ready. */
#include <botan/ffi.h>
#include <stdio.h>
#include <string.h>

#include "peers.h"

#define OUT_MAX 4627

typedef struct pair {
    const char *algorithm, *set;
    botan_privkey_t key;
    botan_pubkey_t public;
    botan_pk_op_kem_encrypt_t encrypt;
    botan_pk_op_kem_decrypt_t decrypt;
    botan_pk_op_sign_t sign;
    botan_pk_op_verify_t verify;
    uint8_t out[OUT_MAX], secret[32];
    size_t out_len;
} pair;

static botan_rng_t rng;

static bool keygen(pair *p)
{
    (void)botan_pk_op_kem_encrypt_destroy(p->encrypt);
    (void)botan_pk_op_kem_decrypt_destroy(p->decrypt);
    (void)botan_pk_op_sign_destroy(p->sign);
    (void)botan_pk_op_verify_destroy(p->verify);
    (void)botan_pubkey_destroy(p->public);
    (void)botan_privkey_destroy(p->key);
    p->encrypt = NULL;
    p->decrypt = NULL;
    p->sign = NULL;
    p->verify = NULL;
    p->public = NULL;
    p->key = NULL;
    return botan_privkey_create(&p->key, p->algorithm, p->set, rng) == 0 &&
           botan_privkey_export_pubkey(&p->public, p->key) == 0;
}

static bool run_kem(void *state, unsigned op)
{
    pair *p = state;
    uint8_t secret[32];
    size_t len = sizeof secret;
    switch (op) {
    case 0:
        return keygen(p);
    case 1:
        p->out_len = sizeof p->out;
        return (p->encrypt != NULL || botan_pk_op_kem_encrypt_create(&p->encrypt, p->public, "Raw") == 0) &&
               botan_pk_op_kem_encrypt_create_shared_key(p->encrypt, rng, NULL, 0, sizeof p->secret, p->secret, &len,
                                                         p->out, &p->out_len) == 0;
    default:
        return (p->decrypt != NULL || botan_pk_op_kem_decrypt_create(&p->decrypt, p->key, "Raw") == 0) &&
               botan_pk_op_kem_decrypt_shared_key(p->decrypt, NULL, 0, p->out, p->out_len, sizeof secret, secret,
                                                  &len) == 0 &&
               memcmp(secret, p->secret, sizeof secret) == 0;
    }
}

static bool run_signature(void *state, unsigned op)
{
    static const uint8_t message[PEER_MESSAGE_LEN] = {1};
    pair *p = state;
    switch (op) {
    case 0:
        return keygen(p);
    case 1:
        p->out_len = sizeof p->out;
        return (p->sign != NULL || botan_pk_op_sign_create(&p->sign, p->key, "Randomized", 0) == 0) &&
               botan_pk_op_sign_update(p->sign, message, sizeof message) == 0 &&
               botan_pk_op_sign_finish(p->sign, rng, p->out, &p->out_len) == 0;
    default:
        return (p->verify != NULL || botan_pk_op_verify_create(&p->verify, p->public, "", 0) == 0) &&
               botan_pk_op_verify_update(p->verify, message, sizeof message) == 0 &&
               botan_pk_op_verify_finish(p->verify, p->out, p->out_len) == 0;
    }
}

void peer_botan(void)
{
    static char version[32];
    static pair pairs[] = {
        {.algorithm = "ML-KEM", .set = "ML-KEM-512"},  {.algorithm = "ML-KEM", .set = "ML-KEM-768"},
        {.algorithm = "ML-KEM", .set = "ML-KEM-1024"}, {.algorithm = "ML-DSA", .set = "ML-DSA-4x4"},
        {.algorithm = "ML-DSA", .set = "ML-DSA-6x5"},  {.algorithm = "ML-DSA", .set = "ML-DSA-8x7"},
    };
    static const larch_scheme schemes[] = {
        {.kind = LARCH_SCHEME_KEM, .algorithm = "ML-KEM-512", .key_len = 800, .out_len = 768},
        {.kind = LARCH_SCHEME_KEM, .algorithm = "ML-KEM-768", .key_len = 1184, .out_len = 1088},
        {.kind = LARCH_SCHEME_KEM, .algorithm = "ML-KEM-1024", .key_len = 1568, .out_len = 1568},
        {.kind = LARCH_SCHEME_SIGNATURE, .algorithm = "ML-DSA-44", .key_len = 1312, .out_len = 2420},
        {.kind = LARCH_SCHEME_SIGNATURE, .algorithm = "ML-DSA-65", .key_len = 1952, .out_len = 3309},
        {.kind = LARCH_SCHEME_SIGNATURE, .algorithm = "ML-DSA-87", .key_len = 2592, .out_len = 4627},
    };
    (void)snprintf(version, sizeof version, "Botan %u.%u.%u", (unsigned)botan_version_major(),
                   (unsigned)botan_version_minor(), (unsigned)botan_version_patch());
    if (botan_rng_init(&rng, "user") != 0)
        return;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        larch_scheme scheme = schemes[i];
        scheme.library = version;
        scheme.how = "key objects ready";
        scheme.batch = 1;
        scheme.run = scheme.kind == LARCH_SCHEME_KEM ? run_kem : run_signature;
        scheme.state = &pairs[i];
        peer_offer(&scheme);
    }
}
