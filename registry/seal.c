/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/seal.h"

#include <string.h>

#define KEY_VERSION 1 /* in front of the key in its record */
#define CONTEXT     "larch-seal"
#define PLACE_MAX   (sizeof CONTEXT - 1 + 1 + LARCH_SEAL_NAME_MAX + 8 + 1 + LARCH_SEAL_NAME_MAX + 4)

/* ---- store key ----------------------------------------------------------- */

larch_error larch_seal_key_load(larch_seal_key *key, const larch_storage *storage, larch_store_fault *fault)
{
    uint8_t payload[1 + LARCH_SEAL_KEY_LEN];
    size_t len;
    memset(key, 0, sizeof *key);
    larch_error e =
        larch_record_read(storage, LARCH_SEAL_KEY_NAME, LARCH_RECORD_SEAL, payload, sizeof payload, &len, fault);
    if (e == LARCH_SPACE || (e == LARCH_OK && (len != sizeof payload || payload[0] != KEY_VERSION))) {
        *fault = LARCH_STORE_VERSION;
        e = LARCH_MALFORMED;
    }
    if (e == LARCH_OK)
        memcpy(key->bytes, payload + 1, sizeof key->bytes);
    larch_wipe(payload, sizeof payload);
    return e;
}

larch_error larch_seal_key_make(larch_seal_key *key, const larch_storage *storage, const larch_random *random)
{
    uint8_t payload[1 + LARCH_SEAL_KEY_LEN] = {KEY_VERSION};
    memset(key, 0, sizeof *key);
    larch_error e = larch_random_fill(random, payload + 1, LARCH_SEAL_KEY_LEN);
    if (e == LARCH_OK)
        e = larch_record_write(storage, LARCH_SEAL_KEY_NAME, LARCH_RECORD_SEAL, LARCH_BYTES(payload), 0);
    if (e == LARCH_OK)
        memcpy(key->bytes, payload + 1, sizeof key->bytes);
    larch_wipe(payload, sizeof payload);
    return e;
}

larch_error larch_seal_key_derive(const larch_seal_key *key, const char *use, uint8_t *out, size_t out_len)
{
    return larch_hkdf_sha256((larch_bytes){NULL, 0}, LARCH_BYTES(key->bytes), larch_bytes_of_text(use), out, out_len);
}

/* ---- records ------------------------------------------------------------- */

static void put_name(larch_writer *w, const char *name)
{
    larch_writer_put_u8(w, (uint8_t)strlen(name));
    larch_writer_put_text(w, name);
}

/* What a record's key and tag depend on. */
static larch_error begin(const larch_seal_key *key, const larch_seal_place *place, larch_bytes salt,
                         uint8_t bytes[PLACE_MAX], larch_bytes *aad, uint8_t record_key[LARCH_SEAL_KEY_LEN])
{
    larch_writer w = larch_writer_to(bytes, PLACE_MAX);
    larch_writer_put_text(&w, CONTEXT);
    put_name(&w, place->table);
    larch_writer_put_u64(&w, place->row);
    put_name(&w, place->column);
    larch_writer_put_u32(&w, place->schema);
    const larch_error e = larch_writer_finish(&w, aad);
    return e == LARCH_OK ? larch_hkdf_sha256(salt, LARCH_BYTES(key->bytes), *aad, record_key, LARCH_SEAL_KEY_LEN) : e;
}

/* Each key serves one record, so the nonce need not differ. */
static const uint8_t nonce[LARCH_GCM_NONCE_LEN];

larch_error larch_seal_record(const larch_seal_key *key, const larch_seal_place *place, const larch_random *random,
                              larch_bytes plain, uint8_t *out, size_t cap, larch_bytes *sealed)
{
    uint8_t place_bytes[PLACE_MAX], record_key[LARCH_SEAL_KEY_LEN];
    larch_bytes aad;
    *sealed = (larch_bytes){NULL, 0};
    if (cap < LARCH_SEAL_OVERHEAD || plain.len > cap - LARCH_SEAL_OVERHEAD)
        return LARCH_SPACE;
    larch_error e = larch_random_fill(random, out, LARCH_SEAL_SALT_LEN);
    if (e == LARCH_OK &&
        (e = begin(key, place, (larch_bytes){out, LARCH_SEAL_SALT_LEN}, place_bytes, &aad, record_key)) == LARCH_OK)
        e = larch_gcm_seal(LARCH_BYTES(record_key), nonce, aad, plain, out + LARCH_SEAL_SALT_LEN,
                           cap - LARCH_SEAL_SALT_LEN);
    larch_wipe(record_key, sizeof record_key);
    if (e == LARCH_OK)
        *sealed = (larch_bytes){out, plain.len + LARCH_SEAL_OVERHEAD};
    return e;
}

larch_error larch_seal_open_record(const larch_seal_key *key, const larch_seal_place *place, larch_bytes sealed,
                                   uint8_t *out, size_t cap, larch_bytes *plain)
{
    uint8_t place_bytes[PLACE_MAX], record_key[LARCH_SEAL_KEY_LEN];
    larch_reader reader = larch_reader_of(sealed);
    larch_bytes aad, salt;
    *plain = (larch_bytes){NULL, 0};
    if (sealed.len < LARCH_SEAL_OVERHEAD)
        return LARCH_MALFORMED;
    larch_error e = larch_reader_take(&reader, LARCH_SEAL_SALT_LEN, &salt);
    if (e == LARCH_OK && (e = begin(key, place, salt, place_bytes, &aad, record_key)) == LARCH_OK)
        e = larch_gcm_open(LARCH_BYTES(record_key), nonce, aad, reader.left, out, cap);
    larch_wipe(record_key, sizeof record_key);
    if (e == LARCH_OK)
        *plain = (larch_bytes){out, sealed.len - LARCH_SEAL_OVERHEAD};
    return e;
}
