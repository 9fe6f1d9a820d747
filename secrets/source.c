/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/source.h"

#include <stdio.h>
#include <string.h>

#include "secrets/passphrase.h"

static larch_error fail(char *why, larch_error e, const char *text)
{
    snprintf(why, LARCH_TOKEN_WHY_MAX, "%s", text);
    return e;
}

static larch_error fail_crypto(char *why)
{
    return fail(why, LARCH_PLATFORM, "the cryptography failed, or memory is out");
}

/* What wraps under a credential or a passphrase. */
static larch_error wrapping_key(const larch_store_head *head, larch_bytes secret, uint8_t out[LARCH_SEAL_KEY_LEN])
{
    if (head->source == LARCH_STORE_SOURCE_PASSPHRASE)
        return larch_passphrase_key(secret, head->salt, &head->cost, out);
    return larch_hkdf_sha256(LARCH_BYTES(head->salt), secret, LARCH_TEXT("larch-store credential"), out,
                             LARCH_SEAL_KEY_LEN);
}

/* Each wrapping key serves one head, since the salt is new each time: the nonce need not differ. */
static const uint8_t nonce[LARCH_GCM_NONCE_LEN];

static larch_error seal_head(larch_store_head *head, const larch_seal_key *key, larch_bytes secret)
{
    uint8_t front[LARCH_HEAD_LEN_MAX], wrapping[LARCH_SEAL_KEY_LEN];
    larch_writer w = larch_writer_to(front, sizeof front);
    larch_bytes aad;
    larch_store_head_put_front(&w, head);
    larch_error e = larch_writer_finish(&w, &aad);
    if (e == LARCH_OK && (e = wrapping_key(head, secret, wrapping)) == LARCH_OK)
        e = larch_gcm_seal(LARCH_BYTES(wrapping), nonce, aad, LARCH_BYTES(key->bytes), head->wrapped,
                           sizeof head->wrapped);
    head->wrapped_len = sizeof head->wrapped;
    larch_wipe(wrapping, sizeof wrapping);
    return e;
}

static larch_error open_head(const larch_store_head *head, larch_bytes secret, larch_seal_key *key)
{
    uint8_t front[LARCH_HEAD_LEN_MAX], wrapping[LARCH_SEAL_KEY_LEN];
    larch_writer w = larch_writer_to(front, sizeof front);
    larch_bytes aad;
    larch_store_head_put_front(&w, head);
    larch_error e = larch_writer_finish(&w, &aad);
    if (e == LARCH_OK && (e = wrapping_key(head, secret, wrapping)) == LARCH_OK)
        e = larch_gcm_open(LARCH_BYTES(wrapping), nonce, aad, (larch_bytes){head->wrapped, head->wrapped_len},
                           key->bytes, sizeof key->bytes);
    larch_wipe(wrapping, sizeof wrapping);
    return e;
}

static const char *bad_length(const larch_store_head *head, larch_bytes secret)
{
    if (head->source == LARCH_STORE_SOURCE_CREDENTIAL && secret.len < LARCH_STORE_CREDENTIAL_MIN)
        return "the credential has less than 32 bytes; make one with: head -c 32 /dev/urandom";
    if (head->source == LARCH_STORE_SOURCE_PASSPHRASE && secret.len < LARCH_PASSPHRASE_MIN)
        return "the passphrase has less than 12 bytes; take a longer one";
    return secret.len > LARCH_PASSPHRASE_MAX ? "the secret is longer than 1024 bytes" : NULL;
}

larch_error larch_store_wrap(larch_store_head *head, const larch_seal_key *key, larch_bytes secret,
                             const larch_random *random, char why[LARCH_TOKEN_WHY_MAX])
{
    const char *bad = bad_length(head, secret);
    why[0] = '\0';
    if (bad != NULL && head->source != LARCH_STORE_SOURCE_FILE)
        return fail(why, LARCH_STATE, bad);
    head->wrapped_len = sizeof key->bytes;
    larch_error e = larch_store_check(key, head->check);
    if (e == LARCH_OK && head->source != LARCH_STORE_SOURCE_FILE)
        e = larch_random_fill(random, head->salt, sizeof head->salt);
    if (e != LARCH_OK)
        return fail_crypto(why);
    switch (head->source) {
    case LARCH_STORE_SOURCE_FILE:
        memcpy(head->wrapped, key->bytes, sizeof key->bytes);
        return LARCH_OK;
    case LARCH_STORE_SOURCE_TOKEN:
        return larch_token_wrap(head->name, secret, head->salt, key->bytes, head->wrapped, why);
    default:
        return seal_head(head, key, secret) == LARCH_OK ? LARCH_OK : fail_crypto(why);
    }
}

static larch_error unwrap(const larch_store_head *head, larch_bytes secret, larch_seal_key *key, char *why)
{
    switch (head->source) {
    case LARCH_STORE_SOURCE_FILE:
        memcpy(key->bytes, head->wrapped, sizeof key->bytes);
        return LARCH_OK;
    case LARCH_STORE_SOURCE_TOKEN:
        return larch_token_unwrap(head->name, secret, head->salt, head->wrapped, key->bytes, why);
    default:
        return open_head(head, secret, key);
    }
}

/* A head of version 1 has no check value: the databases' own finds a wrong key. */
static larch_error check(const larch_store_head *head, const larch_seal_key *key)
{
    uint8_t value[LARCH_HEAD_CHECK_LEN];
    if (head->version == 1)
        return LARCH_OK;
    const larch_error e = larch_store_check(key, value);
    return e != LARCH_OK || larch_ct_equal(value, head->check, sizeof value) ? e : LARCH_AUTH;
}

larch_error larch_store_unwrap(const larch_store_head *head, larch_bytes secret, larch_seal_key *key,
                               char why[LARCH_TOKEN_WHY_MAX])
{
    static const char *const wrong[] = {[LARCH_STORE_SOURCE_FILE] = "the file is damaged",
                                        [LARCH_STORE_SOURCE_CREDENTIAL] = "the credential is not the one",
                                        [LARCH_STORE_SOURCE_PASSPHRASE] = "the passphrase is wrong",
                                        [LARCH_STORE_SOURCE_TOKEN] =
                                            "its key is not the one that wrapped the store key"};
    why[0] = '\0';
    larch_error e = unwrap(head, secret, key, why);
    if (e == LARCH_OK)
        e = check(head, key);
    if (e == LARCH_OK)
        return LARCH_OK;
    larch_wipe(key, sizeof *key);
    if (why[0] != '\0')
        return e;
    return e == LARCH_AUTH ? fail(why, e, wrong[head->source]) : fail_crypto(why);
}
