/* SPDX-License-Identifier: Apache-2.0 */
/* AES-CCM and AES-GCM. Each cipher has a context a direction: one that changes direction refuses parameters. */
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "crypto/libcrypto_int.h"

typedef struct cipher {
    const char *name;
    EVP_CIPHER_CTX *contexts[2]; /* [0] opens, [1] seals; NULL until the provider starts */
    size_t nonce_len[2]; /* that each was given last: it keeps it, and parameters take libcrypto long; 0: none */
    size_t tag_len;      /* likewise, of [1] */
} cipher;

static cipher ccm = {.name = "AES-128-CCM"};
static cipher gcm_128 = {.name = "AES-128-GCM"};
static cipher gcm_256 = {.name = "AES-256-GCM"};

static bool start(cipher *c)
{
    for (int seal = 0; seal < 2; seal++) {
        if (c->contexts[seal] != NULL)
            continue;
        EVP_CIPHER *type = EVP_CIPHER_fetch(NULL, c->name, NULL);
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        c->nonce_len[seal] = 0;
        if (seal)
            c->tag_len = 0;
        if (type != NULL && context != NULL && EVP_CipherInit_ex2(context, type, NULL, NULL, seal, NULL) == 1)
            c->contexts[seal] = context;
        else
            EVP_CIPHER_CTX_free(context);
        EVP_CIPHER_free(type); /* a context holds its own reference */
        if (c->contexts[seal] == NULL)
            return false;
    }
    return true;
}

bool larch_libcrypto_start_aead(void) { return start(&ccm) && start(&gcm_128) && start(&gcm_256); }

/* Ends a use: a key of zeroes takes the place of the caller's, and of all that was derived from it. A context that
 * cannot be overwritten is given back, which cleanses it; larch_crypto_init makes another. */
static bool forget(EVP_CIPHER_CTX **context, int seal)
{
    static const uint8_t zeroes[32];
    if (*context == NULL || EVP_CipherInit_ex2(*context, NULL, zeroes, NULL, seal, NULL) == 1)
        return *context != NULL;
    EVP_CIPHER_CTX_free(*context);
    *context = NULL;
    return false;
}

/* libcrypto takes a NULL for another question. */
static const uint8_t *data_of(larch_bytes bytes)
{
    static const uint8_t none;
    return bytes.len > 0 ? bytes.data : &none;
}

static bool update(EVP_CIPHER_CTX *context, larch_bytes in, uint8_t *out)
{
    int len;
    return EVP_CipherUpdate(context, out, &len, data_of(in), (int)in.len) == 1;
}

static bool add_data(EVP_CIPHER_CTX *context, larch_bytes aad)
{
    return aad.len == 0 || (aad.len <= INT_MAX && update(context, aad, NULL));
}

/* tag may be NULL: then it is a tag's length alone that the cipher is given. */
static OSSL_PARAM tag_param(uint8_t *tag, size_t tag_len)
{
    return OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, tag_len);
}

static bool get_tag(EVP_CIPHER_CTX *context, uint8_t *tag, size_t tag_len)
{
    OSSL_PARAM params[] = {tag_param(tag, tag_len), OSSL_PARAM_construct_end()};
    return EVP_CIPHER_CTX_get_params(context, params) == 1;
}

/* Seal and open end alike: the context forgets, and on failure the text is wiped. */
static larch_error end(EVP_CIPHER_CTX **context, int seal, larch_error e, uint8_t *out, size_t out_len)
{
    if (!forget(context, seal))
        e = LARCH_PLATFORM;
    if (e != LARCH_OK)
        larch_wipe(out, out_len);
    return larch_libcrypto_outcome(e == LARCH_OK, e);
}

/* ---- CCM ----------------------------------------------------------------- */

/* The counter has 15 - nonce.len bytes; libcrypto's own check of that looks like a wrong tag. */
static bool ccm_takes(larch_bytes nonce, size_t text_len)
{
    return text_len <= INT_MAX && (nonce.len < 12 || text_len >> 8 * (15 - nonce.len) == 0);
}

/* Gives the context the lengths that it does not have yet, and, if it opens, the tag. */
static bool set_ccm(int seal, size_t nonce_len, OSSL_PARAM tag)
{
    OSSL_PARAM params[3], *end = params;
    if (ccm.nonce_len[seal] != nonce_len)
        *end++ = OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &nonce_len);
    if (!seal || ccm.tag_len != tag.data_size)
        *end++ = tag;
    *end = OSSL_PARAM_construct_end();
    const bool ok = end == params || EVP_CIPHER_CTX_set_params(ccm.contexts[seal], params) == 1;
    ccm.nonce_len[seal] = ok ? nonce_len : 0;
    if (seal)
        ccm.tag_len = ok ? tag.data_size : 0;
    return ok;
}

/* The text's length is told even where it could be left out: a context remembers that of a text whose tag was wrong. */
static bool start_ccm(int seal, const uint8_t *key, larch_bytes nonce, larch_bytes aad, size_t text_len, OSSL_PARAM tag)
{
    EVP_CIPHER_CTX *context = ccm.contexts[seal];
    int len;
    return context != NULL && ccm_takes(nonce, text_len) && set_ccm(seal, nonce.len, tag) &&
           EVP_CipherInit_ex2(context, NULL, key, nonce.data, seal, NULL) == 1 &&
           EVP_CipherUpdate(context, NULL, &len, NULL, (int)text_len) == 1 && add_data(context, aad);
}

larch_error larch_ccm_seal(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad, larch_bytes in,
                           size_t tag_len, uint8_t *out, size_t out_cap)
{
    EVP_CIPHER_CTX **context = &ccm.contexts[1];
    if (!larch_ccm_lengths_are_valid(nonce, tag_len))
        return LARCH_STATE;
    larch_error e = larch_aead_check_seal(in.len, tag_len, out_cap);
    if (e != LARCH_OK)
        return e;
    bool ok = start_ccm(1, key, nonce, aad, in.len, tag_param(NULL, tag_len)) && update(*context, in, out) &&
              get_tag(*context, out + in.len, tag_len);
    return end(context, 1, ok ? LARCH_OK : LARCH_PLATFORM, out, in.len + tag_len);
}

larch_error larch_ccm_open(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad, larch_bytes in,
                           size_t tag_len, uint8_t *out, size_t out_cap)
{
    EVP_CIPHER_CTX **context = &ccm.contexts[0];
    uint8_t none, tag[LARCH_CCM_TAG_LEN];
    if (!larch_ccm_lengths_are_valid(nonce, tag_len))
        return LARCH_STATE;
    larch_error e = larch_aead_check_open(in.len, tag_len, out_cap);
    if (e != LARCH_OK)
        return e;
    const larch_bytes text = {in.data, in.len - tag_len};
    memcpy(tag, in.data + text.len, tag_len);
    if (!start_ccm(0, key, nonce, aad, text.len, tag_param(tag, tag_len)))
        e = LARCH_PLATFORM;
    else if (!update(*context, text, text.len > 0 ? out : &none)) /* with all in place, it fails at the tag alone */
        e = LARCH_AUTH;
    return end(context, 0, e, out, text.len);
}

/* ---- GCM ----------------------------------------------------------------- */

static EVP_CIPHER_CTX **gcm_of(larch_bytes key, int seal)
{
    return &(key.len == 16 ? &gcm_128 : &gcm_256)->contexts[seal];
}

static bool run_gcm(EVP_CIPHER_CTX *context, int seal, larch_bytes key, const uint8_t *nonce, larch_bytes aad,
                    larch_bytes text, uint8_t *out)
{
    return context != NULL && text.len <= INT_MAX &&
           EVP_CipherInit_ex2(context, NULL, key.data, nonce, seal, NULL) == 1 && add_data(context, aad) &&
           (text.len == 0 || update(context, text, out));
}

static bool finish_gcm(EVP_CIPHER_CTX *context)
{
    uint8_t none[16];
    int len;
    return EVP_CipherFinal_ex(context, none, &len) == 1;
}

larch_error larch_gcm_seal(larch_bytes key, const uint8_t nonce[LARCH_GCM_NONCE_LEN], larch_bytes aad, larch_bytes in,
                           uint8_t *out, size_t out_cap)
{
    EVP_CIPHER_CTX **context = gcm_of(key, 1);
    if (!larch_gcm_key_is_valid(key))
        return LARCH_STATE;
    larch_error e = larch_aead_check_seal(in.len, LARCH_GCM_TAG_LEN, out_cap);
    if (e != LARCH_OK)
        return e;
    bool ok = run_gcm(*context, 1, key, nonce, aad, in, out) && finish_gcm(*context) &&
              get_tag(*context, out + in.len, LARCH_GCM_TAG_LEN);
    return end(context, 1, ok ? LARCH_OK : LARCH_PLATFORM, out, in.len + LARCH_GCM_TAG_LEN);
}

larch_error larch_gcm_open(larch_bytes key, const uint8_t nonce[LARCH_GCM_NONCE_LEN], larch_bytes aad, larch_bytes in,
                           uint8_t *out, size_t out_cap)
{
    EVP_CIPHER_CTX **context = gcm_of(key, 0);
    uint8_t tag[LARCH_GCM_TAG_LEN];
    const OSSL_PARAM params[] = {tag_param(tag, sizeof tag), OSSL_PARAM_construct_end()};
    if (!larch_gcm_key_is_valid(key))
        return LARCH_STATE;
    larch_error e = larch_aead_check_open(in.len, sizeof tag, out_cap);
    if (e != LARCH_OK)
        return e;
    const larch_bytes text = {in.data, in.len - sizeof tag};
    memcpy(tag, in.data + text.len, sizeof tag);
    if (!run_gcm(*context, 0, key, nonce, aad, text, out) || EVP_CIPHER_CTX_set_params(*context, params) != 1)
        e = LARCH_PLATFORM;
    else if (!finish_gcm(*context))
        e = LARCH_AUTH;
    return end(context, 0, e, out, text.len);
}
