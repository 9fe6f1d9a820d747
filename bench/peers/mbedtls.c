/* SPDX-License-Identifier: Apache-2.0 */
/* Mbed TLS through the PSA Crypto API: what devices use today. */
#include <mbedtls/version.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

#include "peers.h"

#define SECRET_LEN 32
#define PUBLIC_MAX 512
#define OUT_MAX    256

typedef struct pair {
    psa_key_type_t type;
    size_t bits;
    psa_key_usage_t usage;
    psa_algorithm_t algorithm;
    psa_key_id_t key; /* the receiver's, the signer's; 0: not yet made */
    psa_key_id_t public;
    uint8_t bytes[PUBLIC_MAX]; /* its public key */
    size_t len;
    uint8_t out[OUT_MAX]; /* what goes over the wire */
    size_t out_len;
    uint8_t secret[SECRET_LEN]; /* the sender's */
} pair;

static bool make(const pair *p, psa_key_id_t *key)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, p->type);
    psa_set_key_bits(&attributes, p->bits);
    psa_set_key_usage_flags(&attributes, p->usage);
    psa_set_key_algorithm(&attributes, p->algorithm);
    return psa_generate_key(&attributes, key) == PSA_SUCCESS;
}

static bool keygen(pair *p)
{
    (void)psa_destroy_key(p->key);
    return make(p, &p->key) && psa_export_public_key(p->key, p->bytes, sizeof p->bytes, &p->len) == PSA_SUCCESS;
}

/* A public key that came as bytes. */
static bool import(const pair *p, psa_key_usage_t usage, psa_key_id_t *key)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, (psa_key_type_t)PSA_KEY_TYPE_PUBLIC_KEY_OF_KEY_PAIR(p->type));
    psa_set_key_usage_flags(&attributes, usage);
    psa_set_key_algorithm(&attributes, p->algorithm);
    return psa_import_key(&attributes, p->bytes, p->len, key) == PSA_SUCCESS;
}

static bool run_agreement(void *state, unsigned op)
{
    pair *p = state;
    uint8_t secret[SECRET_LEN];
    psa_key_id_t ephemeral = 0;
    size_t len;
    switch (op) {
    case 0:
        return keygen(p);
    case 1: {
        const bool ok = make(p, &ephemeral) &&
                        psa_export_public_key(ephemeral, p->out, sizeof p->out, &p->out_len) == PSA_SUCCESS &&
                        psa_raw_key_agreement(PSA_ALG_ECDH, ephemeral, p->bytes, p->len, p->secret, sizeof p->secret,
                                              &len) == PSA_SUCCESS;
        (void)psa_destroy_key(ephemeral);
        return ok;
    }
    default:
        return psa_raw_key_agreement(PSA_ALG_ECDH, p->key, p->out, p->out_len, secret, sizeof secret, &len) ==
                   PSA_SUCCESS &&
               memcmp(secret, p->secret, sizeof secret) == 0;
    }
}

static bool run_rsa(void *state, unsigned op)
{
    pair *p = state;
    uint8_t secret[OUT_MAX];
    psa_key_id_t public = 0;
    size_t len;
    switch (op) {
    case 0:
        return keygen(p);
    case 1: {
        const bool ok = psa_generate_random(p->secret, sizeof p->secret) == PSA_SUCCESS &&
                        import(p, PSA_KEY_USAGE_ENCRYPT, &public) &&
                        psa_asymmetric_encrypt(public, p->algorithm, p->secret, sizeof p->secret, NULL, 0, p->out,
                                               sizeof p->out, &p->out_len) == PSA_SUCCESS;
        (void)psa_destroy_key(public);
        return ok;
    }
    default:
        return psa_asymmetric_decrypt(p->key, p->algorithm, p->out, p->out_len, NULL, 0, secret, sizeof secret, &len) ==
                   PSA_SUCCESS &&
               len == sizeof p->secret && memcmp(secret, p->secret, len) == 0;
    }
}

static bool run_ecdsa(void *state, unsigned op)
{
    static const uint8_t message[PEER_MESSAGE_LEN] = {1};
    pair *p = state;
    psa_key_id_t public = 0;
    switch (op) {
    case 0:
        return keygen(p);
    case 1:
        return psa_sign_message(p->key, p->algorithm, message, sizeof message, p->out, sizeof p->out, &p->out_len) ==
               PSA_SUCCESS;
    default: {
        const bool ok =
            import(p, PSA_KEY_USAGE_VERIFY_MESSAGE, &public) &&
            psa_verify_message(public, p->algorithm, message, sizeof message, p->out, p->out_len) == PSA_SUCCESS;
        (void)psa_destroy_key(public);
        return ok;
    }
    }
}

void peer_mbedtls(void)
{
    static char version[32];
    static pair x25519 = {.type = PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_MONTGOMERY),
                          .bits = 255,
                          .usage = PSA_KEY_USAGE_DERIVE,
                          .algorithm = PSA_ALG_ECDH};
    static pair p256 = {.type = PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1),
                        .bits = 256,
                        .usage = PSA_KEY_USAGE_DERIVE,
                        .algorithm = PSA_ALG_ECDH};
    static pair rsa = {.type = PSA_KEY_TYPE_RSA_KEY_PAIR,
                       .bits = 2048,
                       .usage = PSA_KEY_USAGE_DECRYPT,
                       .algorithm = PSA_ALG_RSA_OAEP(PSA_ALG_SHA_256)};
    static pair ecdsa = {.type = PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1),
                         .bits = 256,
                         .usage = PSA_KEY_USAGE_SIGN_MESSAGE,
                         .algorithm = PSA_ALG_ECDSA(PSA_ALG_SHA_256)};
    static const struct {
        larch_scheme_kind kind;
        const char *algorithm;
        unsigned key_len, out_len;
        bool (*run)(void *state, unsigned op);
        pair *state;
    } all[] = {
        {LARCH_SCHEME_KEM, "X25519", 32, 32, run_agreement, &x25519},
        {LARCH_SCHEME_KEM, "P-256 ECDH", 65, 65, run_agreement, &p256},
        {LARCH_SCHEME_KEM, "RSA-2048 OAEP", 270, 256, run_rsa, &rsa},
        {LARCH_SCHEME_SIGNATURE, "P-256 ECDSA", 65, 64, run_ecdsa, &ecdsa},
    };
    char number[16];
    mbedtls_version_get_string(number);
    (void)snprintf(version, sizeof version, "Mbed TLS %s", number);
    if (psa_crypto_init() != PSA_SUCCESS)
        return;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        peer_offer(&(larch_scheme){all[i].kind, version, all[i].algorithm, "", all[i].key_len, all[i].out_len, 1,
                                   all[i].run, all[i].state});
}
