/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "pin.h"

/* The record's payload:
 *
 *     fingerprint (20) | address (16) | port (2, big-endian) | place (1)
 *
 * The key stands in "gateway-0.ek" or "gateway-1.ek", as place says: the new one is written beside the old, and becomes
 * the pinned one as the record is replaced. */
#define NAME        "gateway.pin"
#define PAYLOAD_LEN (LARCH_FINGERPRINT_LEN + 16 + 2 + 1)

static const char *const places[2] = {"gateway-0.ek", "gateway-1.ek"};

static larch_error read_key(const larch_storage *storage, const larch_kem *kem, larch_pin *pin)
{
    const char *name = places[pin->place];
    uint8_t hash[32];
    uint32_t size;
    larch_error e = storage->size(storage->context, name, &size);
    if (e != LARCH_OK || size != kem->ek_len)
        return e;
    if ((e = storage->read(storage->context, name, 0, pin->ek, size)) != LARCH_OK)
        return e;
    if ((e = larch_direct_key_hash((larch_bytes){pin->ek, size}, hash)) != LARCH_OK)
        return e;
    if (memcmp(hash, pin->fingerprint, sizeof pin->fingerprint) == 0)
        pin->ek_len = size;
    return LARCH_OK;
}

static larch_error parse(larch_bytes payload, larch_pin *pin)
{
    larch_reader r = larch_reader_of(payload);
    larch_bytes fingerprint, address;
    larch_error e;
    if ((e = larch_reader_take(&r, LARCH_FINGERPRINT_LEN, &fingerprint)) != LARCH_OK ||
        (e = larch_reader_take(&r, 16, &address)) != LARCH_OK ||
        (e = larch_reader_take_u16(&r, &pin->gateway.port)) != LARCH_OK ||
        (e = larch_reader_take_u8(&r, &pin->place)) != LARCH_OK)
        return e;
    if (r.left.len != 0 || pin->place > 1)
        return LARCH_MALFORMED;
    memcpy(pin->fingerprint, fingerprint.data, fingerprint.len);
    memcpy(pin->gateway.address, address.data, address.len);
    pin->known = true;
    return LARCH_OK;
}

larch_error larch_pin_load(const larch_storage *storage, const larch_kem *kem, larch_pin *pin, larch_store_fault *fault)
{
    uint8_t payload[PAYLOAD_LEN];
    size_t len;
    *pin = (larch_pin){0};
    larch_error e = larch_record_read(storage, NAME, LARCH_RECORD_PIN, payload, sizeof payload, &len, fault);
    if (e == LARCH_STATE) /* there is none */
        return LARCH_OK;
    if (e == LARCH_OK && (e = parse((larch_bytes){payload, len}, pin)) != LARCH_OK)
        *fault = LARCH_STORE_DAMAGED;
    if (e == LARCH_OK && (e = read_key(storage, kem, pin)) != LARCH_OK)
        *fault = LARCH_STORE_MEDIUM;
    if (e != LARCH_OK)
        *pin = (larch_pin){0};
    return e;
}

larch_error larch_pin_save(const larch_storage *storage, larch_pin *pin)
{
    uint8_t payload[PAYLOAD_LEN];
    larch_writer w = larch_writer_to(payload, sizeof payload);
    const uint8_t before = pin->place, place = before ^ 1;
    larch_error e;
    larch_writer_put(&w, LARCH_BYTES(pin->fingerprint));
    larch_writer_put(&w, LARCH_BYTES(pin->gateway.address));
    larch_writer_put_u16(&w, pin->gateway.port);
    larch_writer_put_u8(&w, place);
    if (pin->ek_len > 0 &&
        (e = storage->replace(storage->context, places[place], (larch_bytes){pin->ek, pin->ek_len}, 0)) != LARCH_OK)
        return e;
    if ((e = larch_record_write(storage, NAME, LARCH_RECORD_PIN, LARCH_BYTES(payload), 0)) != LARCH_OK)
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
