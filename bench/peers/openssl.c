/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL through EVP; ML-KEM and ML-DSA from 3.5 on. "key objects ready": what
 * keygen made serves on, with all that OpenSSL keeps in it (the expanded matrix),
 * its best case. Otherwise keys are bytes before and after each operation, as in
 * larch, and as they come off a wire.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "peers.h"

#define PUBLIC_MAX  2592
#define PRIVATE_MAX 4896
#define OUT_MAX     4627
#define SECRET_MAX  64

typedef struct pair {
    const char *name; /* OpenSSL's */
    EVP_PKEY_CTX *maker;
    EVP_PKEY *key; /* the receiver's, the signer's */
    EVP_PKEY_CTX *to, *from;
    EVP_MD_CTX *md;
    size_t public_len, private_len, out_len, secret_len;
    unsigned char public[PUBLIC_MAX], private[PRIVATE_MAX], out[OUT_MAX], secret[SECRET_MAX];
    bool as_bytes;
} pair;

static void drop(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
    *context = NULL;
}

static bool keygen(pair *p)
{
    drop(&p->to);
    drop(&p->from);
    EVP_PKEY_free(p->key);
    p->key = NULL;
    return EVP_PKEY_generate(p->maker, &p->key) > 0;
}

/* ---- ML-KEM -------------------------------------------------------------- */

static bool export_pair(pair *p)
{
    p->public_len = sizeof p->public;
    p->private_len = sizeof p->private;
    return EVP_PKEY_get_raw_public_key(p->key, p->public, &p->public_len) > 0 &&
           EVP_PKEY_get_raw_private_key(p->key, p->private, &p->private_len) > 0;
}

static bool start_encaps(EVP_PKEY *key, EVP_PKEY_CTX **context)
{
    *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    return *context != NULL && EVP_PKEY_encapsulate_init(*context, NULL) > 0;
}

static bool start_decaps(EVP_PKEY *key, EVP_PKEY_CTX **context)
{
    *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    return *context != NULL && EVP_PKEY_decapsulate_init(*context, NULL) > 0;
}

static bool encaps(pair *p, EVP_PKEY_CTX *context)
{
    p->out_len = sizeof p->out;
    p->secret_len = sizeof p->secret;
    return EVP_PKEY_encapsulate(context, p->out, &p->out_len, p->secret, &p->secret_len) > 0;
}

static bool decaps(const pair *p, EVP_PKEY_CTX *context)
{
    unsigned char secret[SECRET_MAX];
    size_t len = sizeof secret;
    return EVP_PKEY_decapsulate(context, secret, &len, p->out, p->out_len) > 0 && len == p->secret_len &&
           memcmp(secret, p->secret, len) == 0;
}

static bool run_kem(void *state, unsigned op)
{
    pair *p = state;
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = NULL;
    bool ok;
    if (op == 0)
        return keygen(p) && (!p->as_bytes || export_pair(p));
    if (!p->as_bytes && op == 1)
        return (p->to != NULL || start_encaps(p->key, &p->to)) && encaps(p, p->to);
    if (!p->as_bytes)
        return (p->from != NULL || start_decaps(p->key, &p->from)) && decaps(p, p->from);
    if (op == 1) {
        key = EVP_PKEY_new_raw_public_key_ex(NULL, p->name, NULL, p->public, p->public_len);
        ok = key != NULL && start_encaps(key, &context) && encaps(p, context);
    } else {
        key = EVP_PKEY_new_raw_private_key_ex(NULL, p->name, NULL, p->private, p->private_len);
        ok = key != NULL && start_decaps(key, &context) && decaps(p, context);
    }
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

/* ---- signatures ---------------------------------------------------------- */

static bool sign(pair *p, EVP_PKEY *key, const char *digest)
{
    static const unsigned char message[PEER_MESSAGE_LEN] = {1};
    p->out_len = sizeof p->out;
    return EVP_MD_CTX_reset(p->md) > 0 && EVP_DigestSignInit_ex(p->md, NULL, digest, NULL, NULL, key, NULL) > 0 &&
           EVP_DigestSign(p->md, p->out, &p->out_len, message, sizeof message) > 0;
}

static bool verify(const pair *p, EVP_PKEY *key, const char *digest)
{
    static const unsigned char message[PEER_MESSAGE_LEN] = {1};
    return EVP_MD_CTX_reset(p->md) > 0 && EVP_DigestVerifyInit_ex(p->md, NULL, digest, NULL, NULL, key, NULL) > 0 &&
           EVP_DigestVerify(p->md, p->out, p->out_len, message, sizeof message) > 0;
}

static bool run_ecdsa(void *state, unsigned op)
{
    pair *p = state;
    return op == 0 ? keygen(p) : op == 1 ? sign(p, p->key, "SHA256") : verify(p, p->key, "SHA256");
}

static bool run_mldsa(void *state, unsigned op)
{
    pair *p = state;
    if (op == 0)
        return keygen(p) && (!p->as_bytes || export_pair(p));
    if (!p->as_bytes)
        return op == 1 ? sign(p, p->key, NULL) : verify(p, p->key, NULL);
    EVP_PKEY *key = op == 1 ? EVP_PKEY_new_raw_private_key_ex(NULL, p->name, NULL, p->private, p->private_len)
                            : EVP_PKEY_new_raw_public_key_ex(NULL, p->name, NULL, p->public, p->public_len);
    const bool ok = key != NULL && (op == 1 ? sign(p, key, NULL) : verify(p, key, NULL));
    EVP_PKEY_free(key);
    return ok;
}

/* ---- the classical key transports ---------------------------------------- */

/* A public key that came as bytes, of the curve of another. */
static EVP_PKEY *take_public(const EVP_PKEY *other, const unsigned char *bytes, size_t len)
{
    EVP_PKEY *key = EVP_PKEY_new();
    if (key != NULL && EVP_PKEY_copy_parameters(key, other) > 0 &&
        EVP_PKEY_set1_encoded_public_key(key, bytes, len) > 0)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

static bool agree(EVP_PKEY *mine, const unsigned char *bytes, size_t len, unsigned char secret[SECRET_MAX],
                  size_t *secret_len)
{
    EVP_PKEY *theirs = take_public(mine, bytes, len);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
    *secret_len = SECRET_MAX;
    const bool ok = theirs != NULL && context != NULL && EVP_PKEY_derive_init(context) > 0 &&
                    EVP_PKEY_derive_set_peer(context, theirs) > 0 && EVP_PKEY_derive(context, secret, secret_len) > 0;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(theirs);
    return ok;
}

static bool export_public(EVP_PKEY *key, unsigned char *out, size_t cap, size_t *len)
{
    unsigned char *bytes = NULL;
    *len = EVP_PKEY_get1_encoded_public_key(key, &bytes);
    const bool ok = *len > 0 && *len <= cap;
    if (ok)
        memcpy(out, bytes, *len);
    OPENSSL_free(bytes);
    return ok;
}

static bool run_agreement(void *state, unsigned op)
{
    pair *p = state;
    if (op == 0)
        return keygen(p) && export_public(p->key, p->public, sizeof p->public, &p->public_len);
    if (op == 1) {
        EVP_PKEY *ephemeral = NULL;
        const bool ok = EVP_PKEY_generate(p->maker, &ephemeral) > 0 &&
                        export_public(ephemeral, p->out, sizeof p->out, &p->out_len) &&
                        agree(ephemeral, p->public, p->public_len, p->secret, &p->secret_len);
        EVP_PKEY_free(ephemeral);
        return ok;
    }
    unsigned char secret[SECRET_MAX];
    size_t len;
    return agree(p->key, p->out, p->out_len, secret, &len) && len == p->secret_len &&
           memcmp(secret, p->secret, len) == 0;
}

static bool set_oaep(EVP_PKEY_CTX *context)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) > 0;
}

static bool run_rsa(void *state, unsigned op)
{
    pair *p = state;
    unsigned char secret[OUT_MAX];
    size_t len = sizeof secret;
    if (op == 0)
        return keygen(p);
    if (op == 1) {
        if (p->to == NULL && ((p->to = EVP_PKEY_CTX_new_from_pkey(NULL, p->key, NULL)) == NULL ||
                              EVP_PKEY_encrypt_init(p->to) <= 0 || !set_oaep(p->to)))
            return false;
        p->secret_len = 32;
        p->out_len = sizeof p->out;
        return RAND_bytes(p->secret, 32) > 0 &&
               EVP_PKEY_encrypt(p->to, p->out, &p->out_len, p->secret, p->secret_len) > 0;
    }
    if (p->from == NULL && ((p->from = EVP_PKEY_CTX_new_from_pkey(NULL, p->key, NULL)) == NULL ||
                            EVP_PKEY_decrypt_init(p->from) <= 0 || !set_oaep(p->from)))
        return false;
    return EVP_PKEY_decrypt(p->from, secret, &len, p->out, p->out_len) > 0 && len == p->secret_len &&
           memcmp(secret, p->secret, len) == 0;
}

/* ---- what is there ------------------------------------------------------- */

typedef struct offer {
    const char *algorithm;
    const char *name; /* OpenSSL's */
    const char *how;  /* NULL: both with key objects ready and as bytes */
    bool (*run)(void *state, unsigned op);
    larch_scheme_kind kind;
    unsigned key_len, out_len;
} offer;

static const offer offers[] = {
    {"ML-KEM-512", "ML-KEM-512", NULL, run_kem, LARCH_SCHEME_KEM, 800, 768},
    {"ML-KEM-768", "ML-KEM-768", NULL, run_kem, LARCH_SCHEME_KEM, 1184, 1088},
    {"ML-KEM-1024", "ML-KEM-1024", NULL, run_kem, LARCH_SCHEME_KEM, 1568, 1568},
    /* The same two parts side by side, as TLS has them, without X-Wing's combiner. */
    {"X-Wing", "X25519MLKEM768", "its X25519MLKEM768, keys ready", run_kem, LARCH_SCHEME_KEM, 1216, 1120},
    {"ML-DSA-44", "ML-DSA-44", NULL, run_mldsa, LARCH_SCHEME_SIGNATURE, 1312, 2420},
    {"ML-DSA-65", "ML-DSA-65", NULL, run_mldsa, LARCH_SCHEME_SIGNATURE, 1952, 3309},
    {"ML-DSA-87", "ML-DSA-87", NULL, run_mldsa, LARCH_SCHEME_SIGNATURE, 2592, 4627},
    {"X25519", "X25519", "", run_agreement, LARCH_SCHEME_KEM, 32, 32},
    {"P-256 ECDH", "EC", "", run_agreement, LARCH_SCHEME_KEM, 65, 65},
    {"RSA-2048 OAEP", "RSA", "", run_rsa, LARCH_SCHEME_KEM, 270, 256},
    {"P-256 ECDSA", "EC", "", run_ecdsa, LARCH_SCHEME_SIGNATURE, 65, 72},
};
#define OFFERS (sizeof offers / sizeof offers[0])

static bool start(pair *p, const offer *o, bool as_bytes)
{
    p->name = o->name;
    p->as_bytes = as_bytes;
    p->md = EVP_MD_CTX_new();
    p->maker = EVP_PKEY_CTX_new_from_name(NULL, o->name, NULL);
    return p->md != NULL && p->maker != NULL && EVP_PKEY_keygen_init(p->maker) > 0 &&
           (strcmp(o->name, "EC") != 0 || EVP_PKEY_CTX_set_group_name(p->maker, "P-256") > 0) &&
           (strcmp(o->name, "RSA") != 0 || EVP_PKEY_CTX_set_rsa_keygen_bits(p->maker, 2048) > 0);
}

void peer_openssl(void)
{
    static char version[64];
    static pair pairs[2 * OFFERS];
    (void)snprintf(version, sizeof version, "OpenSSL %s", OpenSSL_version(OPENSSL_VERSION_STRING));
    for (size_t i = 0; i < 2 * OFFERS; i++) {
        const offer *o = &offers[i / 2];
        const bool as_bytes = i % 2 != 0;
        const char *how = o->how != NULL ? o->how : as_bytes ? "keys as bytes" : "key objects ready";
        if ((as_bytes && o->how != NULL) || !start(&pairs[i], o, as_bytes))
            continue;
        peer_offer(&(larch_scheme){o->kind, version, o->algorithm, how, o->key_len, o->out_len, 1, o->run, &pairs[i]});
    }
}
