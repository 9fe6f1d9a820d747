/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-2, and HMAC and HKDF over it: libcrypto's own EVP_MAC and EVP_KDF look up and allocate in every call. */
#include <openssl/evp.h>
#include <string.h>

#include "crypto/libcrypto_int.h"

#define HASH_MAX  LARCH_SHA384_LEN
#define BLOCK_MAX 128

typedef struct hash {
    const char *name;
    size_t len, block_len;
    EVP_MD_CTX *context; /* NULL until the provider starts */
} hash;

static hash sha256 = {"SHA256", LARCH_SHA256_LEN, 64, NULL};
static hash sha384 = {"SHA384", LARCH_SHA384_LEN, 128, NULL};

static bool start(hash *h)
{
    if (h->context != NULL)
        return true;
    EVP_MD *md = EVP_MD_fetch(NULL, h->name, NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (md != NULL && context != NULL && EVP_DigestInit_ex2(context, md, NULL) == 1)
        h->context = context;
    else
        EVP_MD_CTX_free(context);
    EVP_MD_free(md); /* a context holds its own reference */
    return h->context != NULL;
}

bool larch_libcrypto_start_hash(void) { return start(&sha256) && start(&sha384); }

/* Ends a use: overwrites the chaining value, which is the result, and the last block, in which SHA-512's code leaves the
 * end of the message. A context that cannot be overwritten is given back, which cleanses it; larch_crypto_init makes
 * another. */
static bool forget(hash *h)
{
    static const uint8_t zeroes[BLOCK_MAX];
    if (h->context == NULL)
        return false;
    if (EVP_DigestInit_ex2(h->context, NULL, NULL) == 1 && EVP_DigestUpdate(h->context, zeroes, h->block_len - 1) == 1)
        return true;
    EVP_MD_CTX_free(h->context);
    h->context = NULL;
    return false;
}

/* The hash of first, then of the pieces. */
static bool digest(const hash *h, larch_bytes first, const larch_bytes *pieces, size_t count, uint8_t *out)
{
    bool ok = h->context != NULL && EVP_DigestInit_ex2(h->context, NULL, NULL) == 1 &&
              EVP_DigestUpdate(h->context, first.data, first.len) == 1;
    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(h->context, pieces[i].data, pieces[i].len) == 1;
    return ok && EVP_DigestFinal_ex(h->context, out, NULL) == 1;
}

/* H((K ^ opad) || H((K ^ ipad) || pieces)), K padded with zeroes to a block. [RFC2104 2] */
static bool hmac(const hash *h, larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t *out)
{
    uint8_t block[BLOCK_MAX] = {0}, inner[HASH_MAX];
    const larch_bytes padded = {block, h->block_len}, middle = {inner, h->len};
    bool ok = true;
    if (key.len > h->block_len)
        ok = digest(h, key, NULL, 0, block);
    else if (key.len > 0)
        memcpy(block, key.data, key.len);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36;
    ok = ok && digest(h, padded, pieces, count, inner);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36 ^ 0x5c;
    ok = ok && digest(h, padded, &middle, 1, out);
    larch_wipe(block, sizeof block);
    larch_wipe(inner, sizeof inner);
    return ok;
}

/* PRK = HMAC(salt, ikm); T(i) = HMAC(PRK, T(i - 1) || info || i). [RFC5869 2] */
static bool hkdf(const hash *h, larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t out_len)
{
    uint8_t prk[HASH_MAX], t[HASH_MAX], i = 0;
    larch_bytes pieces[] = {{t, 0}, info, {&i, 1}};
    bool ok = hmac(h, salt, &ikm, 1, prk);
    for (size_t done = 0; ok && done < out_len; done += h->len) {
        size_t left = out_len - done;
        i++;
        ok = hmac(h, (larch_bytes){prk, h->len}, pieces, 3, t);
        memcpy(out + done, t, left < h->len ? left : h->len);
        pieces[0].len = h->len;
    }
    larch_wipe(prk, sizeof prk);
    larch_wipe(t, sizeof t);
    return ok;
}

/* Ends every use of a hash. */
static larch_error end(hash *h, bool ok, uint8_t *out, size_t out_len)
{
    if (forget(h) && ok)
        return LARCH_OK;
    larch_wipe(out, out_len);
    return larch_libcrypto_outcome(false, LARCH_PLATFORM);
}

larch_error larch_sha256(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN])
{
    return end(&sha256, digest(&sha256, (larch_bytes){0}, pieces, count, out), out, LARCH_SHA256_LEN);
}

larch_error larch_sha384(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA384_LEN])
{
    return end(&sha384, digest(&sha384, (larch_bytes){0}, pieces, count, out), out, LARCH_SHA384_LEN);
}

larch_error larch_hmac_sha256(larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN])
{
    return end(&sha256, hmac(&sha256, key, pieces, count, out), out, LARCH_SHA256_LEN);
}

larch_error larch_hmac_sha384(larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA384_LEN])
{
    return end(&sha384, hmac(&sha384, key, pieces, count, out), out, LARCH_SHA384_LEN);
}

static larch_error derive(hash *h, larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t out_len)
{
    if (out_len == 0 || out_len > 255 * h->len)
        return LARCH_SPACE;
    return end(h, hkdf(h, salt, ikm, info, out, out_len), out, out_len);
}

larch_error larch_hkdf_sha256(larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t out_len)
{
    return derive(&sha256, salt, ikm, info, out, out_len);
}

larch_error larch_hkdf_sha384(larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t out_len)
{
    return derive(&sha384, salt, ikm, info, out, out_len);
}
