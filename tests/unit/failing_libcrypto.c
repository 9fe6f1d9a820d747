/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unit/failing.h"

/* ---- memory: a list of what is lent, and of what was given back ------------ */

typedef struct block {
    struct block *next, *previous;
    size_t len;
    max_align_t bytes[];
} block;

static block lent = {&lent, &lent, 0}, given_back = {&given_back, &given_back, 0};
static long held;
static unsigned long made;

static void move(block *b, block *list)
{
    b->next = list->next;
    b->previous = list;
    b->next->previous = b;
    list->next = b;
}

static void take_out(const block *b)
{
    b->previous->next = b->next;
    b->next->previous = b->previous;
}

static void *lend(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    block *b = malloc(sizeof *b + len);
    if (b == NULL)
        return NULL;
    b->len = len;
    move(b, &lent);
    held++;
    made++;
    return b->bytes;
}

/* Kept, as it is, for failing_keeps. */
static void give_back(void *bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    if (bytes == NULL)
        return;
    block *b = (block *)((uint8_t *)bytes - offsetof(block, bytes));
    take_out(b);
    move(b, &given_back);
    held--;
}

static void *lend_again(void *bytes, size_t len, const char *file, int line)
{
    void *other = len > 0 ? lend(len, file, line) : NULL;
    if (bytes != NULL && other != NULL) {
        const block *b = (const block *)((uint8_t *)bytes - offsetof(block, bytes));
        memcpy(other, bytes, b->len < len ? b->len : len);
    }
    if (other != NULL || len == 0)
        give_back(bytes, file, line);
    return other;
}

static bool has(const block *list, const uint8_t *secret, size_t len)
{
    for (const block *b = list->next; b != list; b = b->next)
        for (size_t at = 0; at + len <= b->len; at++)
            if (memcmp((const uint8_t *)b->bytes + at, secret, len) == 0)
                return true;
    return false;
}

bool failing_keeps(const uint8_t *secret, size_t len)
{
    const bool found = has(&lent, secret, len) || has(&given_back, secret, len);
    while (given_back.next != &given_back) {
        block *b = given_back.next;
        take_out(b);
        free(b);
    }
    return found;
}

bool failing_begin(void) { return CRYPTO_set_mem_functions(lend, lend_again, give_back) == 1; }
long failing_held(void) { return held; }
unsigned long failing_made(void) { return made; }

bool failing_aead_is_static(void) { return true; }
/* OpenSSL 3.0 gives a hash's state back, cleansed, and allocates another one wherever a hash begins; 3.5 does not. */
bool failing_hash_is_static(void) { return OpenSSL_version_num() >= 0x30500000; }

FAILS(int, 0, RAND_status, (void), ())
FAILS(int, 0, RAND_bytes_ex, (OSSL_LIB_CTX * a, unsigned char *b, size_t c, unsigned int d), (a, b, c, d))
FAILS(EVP_MD *, NULL, EVP_MD_fetch, (OSSL_LIB_CTX * a, const char *b, const char *c), (a, b, c))
FAILS(EVP_MD_CTX *, NULL, EVP_MD_CTX_new, (void), ())
FAILS(int, 0, EVP_DigestInit_ex2, (EVP_MD_CTX * a, const EVP_MD *b, const OSSL_PARAM *c), (a, b, c))
FAILS(int, 0, EVP_DigestUpdate, (EVP_MD_CTX * a, const void *b, size_t c), (a, b, c))
FAILS(int, 0, EVP_DigestFinal_ex, (EVP_MD_CTX * a, unsigned char *b, unsigned int *c), (a, b, c))
FAILS(EVP_CIPHER *, NULL, EVP_CIPHER_fetch, (OSSL_LIB_CTX * a, const char *b, const char *c), (a, b, c))
FAILS(EVP_CIPHER_CTX *, NULL, EVP_CIPHER_CTX_new, (void), ())
FAILS(int, 0, EVP_CipherInit_ex2,
      (EVP_CIPHER_CTX * a, const EVP_CIPHER *b, const unsigned char *c, const unsigned char *d, int e,
       const OSSL_PARAM *f),
      (a, b, c, d, e, f))
FAILS(int, 0, EVP_CipherUpdate, (EVP_CIPHER_CTX * a, unsigned char *b, int *c, const unsigned char *d, int e),
      (a, b, c, d, e))
FAILS(int, 0, EVP_CipherFinal_ex, (EVP_CIPHER_CTX * a, unsigned char *b, int *c), (a, b, c))
FAILS(int, 0, EVP_CIPHER_CTX_set_params, (EVP_CIPHER_CTX * a, const OSSL_PARAM *b), (a, b))
FAILS(int, 0, EVP_CIPHER_CTX_get_params, (EVP_CIPHER_CTX * a, OSSL_PARAM *b), (a, b))
FAILS(EVP_PKEY_CTX *, NULL, EVP_PKEY_CTX_new_from_name, (OSSL_LIB_CTX * a, const char *b, const char *c), (a, b, c))
FAILS(EVP_PKEY_CTX *, NULL, EVP_PKEY_CTX_new_from_pkey, (OSSL_LIB_CTX * a, EVP_PKEY *b, const char *c), (a, b, c))
FAILS(int, 0, EVP_PKEY_fromdata_init, (EVP_PKEY_CTX * a), (a))
FAILS(int, 0, EVP_PKEY_fromdata, (EVP_PKEY_CTX * a, EVP_PKEY **b, int c, OSSL_PARAM *d), (a, b, c, d))
FAILS(int, 0, EVP_PKEY_get_raw_public_key, (const EVP_PKEY *a, unsigned char *b, size_t *c), (a, b, c))
FAILS(int, 0, EVP_PKEY_derive_init, (EVP_PKEY_CTX * a), (a))
FAILS(int, 0, EVP_PKEY_derive_set_peer_ex, (EVP_PKEY_CTX * a, EVP_PKEY *b, int c), (a, b, c))
FAILS(int, 0, EVP_PKEY_derive, (EVP_PKEY_CTX * a, unsigned char *b, size_t *c), (a, b, c))
FAILS(int, 0, EVP_PKEY_sign_init, (EVP_PKEY_CTX * a), (a))
FAILS(int, 0, EVP_PKEY_sign, (EVP_PKEY_CTX * a, unsigned char *b, size_t *c, const unsigned char *d, size_t e),
      (a, b, c, d, e))
FAILS(int, 0, EVP_PKEY_verify_init, (EVP_PKEY_CTX * a), (a))
FAILS(int, -1, EVP_PKEY_verify, (EVP_PKEY_CTX * a, const unsigned char *b, size_t c, const unsigned char *d, size_t e),
      (a, b, c, d, e))
FAILS(EC_GROUP *, NULL, EC_GROUP_new_by_curve_name, (int a), (a))
FAILS(EC_POINT *, NULL, EC_POINT_new, (const EC_GROUP *a), (a))
FAILS(int, 0, EC_POINT_mul,
      (const EC_GROUP *a, EC_POINT *b, const BIGNUM *c, const EC_POINT *d, const BIGNUM *e, BN_CTX *f),
      (a, b, c, d, e, f))
FAILS(int, 0, EC_POINT_oct2point, (const EC_GROUP *a, EC_POINT *b, const unsigned char *c, size_t d, BN_CTX *e),
      (a, b, c, d, e))
FAILS(size_t, 0, EC_POINT_point2oct,
      (const EC_GROUP *a, const EC_POINT *b, point_conversion_form_t c, unsigned char *d, size_t e, BN_CTX *f),
      (a, b, c, d, e, f))
FAILS(BIGNUM *, NULL, BN_bin2bn, (const unsigned char *a, int b, BIGNUM *c), (a, b, c))
FAILS(int, -1, BN_bn2binpad, (const BIGNUM *a, unsigned char *b, int c), (a, b, c))
FAILS(int, -1, BN_bn2nativepad, (const BIGNUM *a, unsigned char *b, int c), (a, b, c))
FAILS(ECDSA_SIG *, NULL, ECDSA_SIG_new, (void), ())
FAILS(int, 0, ECDSA_SIG_set0, (ECDSA_SIG * a, BIGNUM *b, BIGNUM *c), (a, b, c))
FAILS(ECDSA_SIG *, NULL, d2i_ECDSA_SIG, (ECDSA_SIG * *a, const unsigned char **b, long c), (a, b, c))
FAILS(int, -1, i2d_ECDSA_SIG, (const ECDSA_SIG *a, unsigned char **b), (a, b))
