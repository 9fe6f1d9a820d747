/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/crypto.h"
#include "pin.h"

/* The record's payload:
 *
 *     0      1                 21             37     39      40                  72
 *    +------+-----------------+--------------+------+-------+-------------------+
 *    | kind | fingerprint     | address      | port | place | SHA-256 of the    |
 *    |      |                 |              |      |       | keys; 0: not seen |
 *    +------+-----------------+--------------+------+-------+-------------------+
 *
 * The keys stand in "gateway-0.keys" or "gateway-1.keys", as place says: new ones are written beside the old, and become
 * those of the pin as the record is replaced. None of the names is one that an older larch reads. */
#define NAME        "gateway.trust"
#define HASH_LEN    32
#define PAYLOAD_LEN (1 + LARCH_FINGERPRINT_LEN + 16 + 2 + 1 + HASH_LEN)

static const char *const places[2] = {"gateway-0.keys", "gateway-1.keys"};

/* Whether keys of that length go with the pin; its hash is known. */
static bool are_keys_of(const larch_pin *pin, const larch_kem *kem, uint32_t size, const uint8_t hash[HASH_LEN])
{
    if (pin->fingerprint.kind == LARCH_FINGERPRINT_IDENTITY)
        return size == 2 * kem->ek_len;
    return size == kem->ek_len && memcmp(hash, pin->fingerprint.bytes, sizeof pin->fingerprint.bytes) == 0;
}

static larch_error read_keys(const larch_storage *storage, const larch_kem *kem, const uint8_t expected[HASH_LEN],
                             larch_pin *pin)
{
    const char *name = places[pin->place];
    uint8_t hash[HASH_LEN];
    uint32_t size;
    larch_error e = storage->size(storage->context, name, &size);
    if (e != LARCH_OK || !are_keys_of(pin, kem, size, expected))
        return e;
    const larch_bytes keys = {pin->keys, size};
    if ((e = storage->read(storage->context, name, 0, pin->keys, size)) != LARCH_OK ||
        (e = larch_sha256(&keys, 1, hash)) != LARCH_OK)
        return e;
    if (memcmp(hash, expected, sizeof hash) == 0)
        pin->keys_len = size;
    return LARCH_OK;
}

static larch_error parse(larch_bytes payload, larch_pin *pin, larch_bytes *hash)
{
    larch_reader r = larch_reader_of(payload);
    larch_bytes fingerprint, address;
    uint8_t kind;
    larch_error e;
    if ((e = larch_reader_take_u8(&r, &kind)) != LARCH_OK ||
        (e = larch_reader_take(&r, LARCH_FINGERPRINT_LEN, &fingerprint)) != LARCH_OK ||
        (e = larch_reader_take(&r, 16, &address)) != LARCH_OK ||
        (e = larch_reader_take_u16(&r, &pin->gateway.port)) != LARCH_OK ||
        (e = larch_reader_take_u8(&r, &pin->place)) != LARCH_OK ||
        (e = larch_reader_take(&r, HASH_LEN, hash)) != LARCH_OK)
        return e;
    if (r.left.len != 0 || pin->place > 1 || (kind != LARCH_FINGERPRINT_KEY && kind != LARCH_FINGERPRINT_IDENTITY))
        return LARCH_MALFORMED;
    pin->fingerprint.kind = (larch_fingerprint_kind)kind;
    memcpy(pin->fingerprint.bytes, fingerprint.data, fingerprint.len);
    memcpy(pin->gateway.address, address.data, address.len);
    pin->known = true;
    return LARCH_OK;
}

larch_error larch_pin_load(const larch_storage *storage, const larch_kem *kem, larch_pin *pin, larch_store_fault *fault)
{
    uint8_t payload[PAYLOAD_LEN];
    larch_bytes hash;
    size_t len;
    *pin = (larch_pin){0};
    larch_error e = larch_record_read(storage, NAME, LARCH_RECORD_TRUST, payload, sizeof payload, &len, fault);
    if (e == LARCH_STATE) /* there is none */
        return LARCH_OK;
    if (e == LARCH_OK && (e = parse((larch_bytes){payload, len}, pin, &hash)) != LARCH_OK)
        *fault = LARCH_STORE_DAMAGED;
    if (e == LARCH_OK && (e = read_keys(storage, kem, hash.data, pin)) != LARCH_OK)
        *fault = LARCH_STORE_MEDIUM;
    if (e != LARCH_OK)
        *pin = (larch_pin){0};
    return e;
}

larch_error larch_pin_save(const larch_storage *storage, larch_pin *pin)
{
    const larch_bytes keys = {pin->keys, pin->keys_len};
    const uint8_t before = pin->place, place = before ^ 1;
    uint8_t payload[PAYLOAD_LEN], hash[HASH_LEN] = {0};
    larch_writer w = larch_writer_to(payload, sizeof payload);
    larch_error e;
    if (keys.len > 0 && ((e = larch_sha256(&keys, 1, hash)) != LARCH_OK ||
                         (e = storage->replace(storage->context, places[place], keys, 0)) != LARCH_OK))
        return e;
    larch_writer_put_u8(&w, (uint8_t)pin->fingerprint.kind);
    larch_writer_put(&w, LARCH_BYTES(pin->fingerprint.bytes));
    larch_writer_put(&w, LARCH_BYTES(pin->gateway.address));
    larch_writer_put_u16(&w, pin->gateway.port);
    larch_writer_put_u8(&w, place);
    larch_writer_put(&w, LARCH_BYTES(hash));
    if ((e = larch_record_write(storage, NAME, LARCH_RECORD_TRUST, LARCH_BYTES(payload), 0)) != LARCH_OK)
        return e;
    pin->place = place;
    pin->known = true;
    return storage->remove(storage->context, places[before]);
}

larch_error larch_pin_forget(const larch_storage *storage, larch_pin *pin)
{
    larch_error e = storage->remove(storage->context, NAME);
    for (unsigned i = 0; e == LARCH_OK && i < 2; i++)
        e = storage->remove(storage->context, places[i]);
    if (e == LARCH_OK)
        *pin = (larch_pin){0};
    return e;
}
