/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/crypto.h"
#include "pin_old.h"

/* The record's payload, of kind LARCH_RECORD_PIN:
 *
 *     0                 20             36     38      39
 *    +-----------------+--------------+------+-------+
 *    | fingerprint     | address      | port | place |
 *    +-----------------+--------------+------+-------+
 *
 * The pinned key stands in "gateway-0.ek" or "gateway-1.ek", as place says. */
#define NAME        "gateway.pin"
#define PAYLOAD_LEN (LARCH_FINGERPRINT_LEN + 16 + 2 + 1)

static const char *const places[2] = {"gateway-0.ek", "gateway-1.ek"};

/* One that does not fit the fingerprint counts as not seen. */
static larch_error read_key(const larch_storage *storage, const larch_kem *kem, uint8_t place, larch_pin *pin)
{
    uint8_t hash[32];
    uint32_t size;
    larch_error e = storage->size(storage->context, places[place], &size);
    if (e != LARCH_OK || size != kem->ek_len)
        return e;
    const larch_bytes ek = {pin->keys, size};
    if ((e = storage->read(storage->context, places[place], 0, pin->keys, size)) != LARCH_OK ||
        (e = larch_sha256(&ek, 1, hash)) != LARCH_OK)
        return e;
    if (memcmp(hash, pin->fingerprint.bytes, sizeof pin->fingerprint.bytes) == 0)
        pin->keys_len = size;
    return LARCH_OK;
}

static larch_error parse(larch_bytes payload, uint8_t *place, larch_pin *pin)
{
    larch_reader r = larch_reader_of(payload);
    larch_bytes fingerprint, address;
    larch_error e;
    if ((e = larch_reader_take(&r, LARCH_FINGERPRINT_LEN, &fingerprint)) != LARCH_OK ||
        (e = larch_reader_take(&r, 16, &address)) != LARCH_OK ||
        (e = larch_reader_take_u16(&r, &pin->gateway.port)) != LARCH_OK ||
        (e = larch_reader_take_u8(&r, place)) != LARCH_OK)
        return e;
    if (r.left.len != 0 || *place > 1)
        return LARCH_MALFORMED;
    memcpy(pin->fingerprint.bytes, fingerprint.data, fingerprint.len);
    memcpy(pin->gateway.address, address.data, address.len);
    pin->fingerprint.kind = LARCH_FINGERPRINT_KEY;
    pin->known = true;
    return LARCH_OK;
}

static larch_error load(const larch_storage *storage, const larch_kem *kem, larch_pin *pin, larch_store_fault *fault)
{
    uint8_t payload[PAYLOAD_LEN], place;
    size_t len;
    larch_error e = larch_record_read(storage, NAME, LARCH_RECORD_PIN, payload, sizeof payload, &len, fault);
    if (e == LARCH_STATE) /* there is none */
        return LARCH_OK;
    if (e == LARCH_OK && (e = parse((larch_bytes){payload, len}, &place, pin)) != LARCH_OK)
        *fault = LARCH_STORE_DAMAGED;
    if (e == LARCH_OK &&
        ((e = read_key(storage, kem, place, pin)) != LARCH_OK || (e = larch_pin_save(storage, pin)) != LARCH_OK))
        *fault = LARCH_STORE_MEDIUM;
    if (e != LARCH_OK)
        *pin = (larch_pin){0};
    return e;
}

larch_error larch_pin_old_take_over(const larch_storage *storage, const larch_kem *kem, larch_pin *pin,
                                    larch_store_fault *fault)
{
    larch_error e = pin->known ? LARCH_OK : load(storage, kem, pin, fault);
    if (e != LARCH_OK || !pin->known)
        return e;
    e = storage->remove(storage->context, NAME);
    for (unsigned i = 0; e == LARCH_OK && i < 2; i++)
        e = storage->remove(storage->context, places[i]);
    if (e != LARCH_OK)
        *fault = LARCH_STORE_MEDIUM;
    return e;
}
