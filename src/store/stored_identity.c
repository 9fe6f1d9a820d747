/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of a gateway's identity, "identity.key": one record for each entry of the document, in its order. They stand
 * in one file, which is replaced as a whole, so that neither the document nor a key is ever there without the other.
 *
 *     0       1          2       3      4           6      38
 *    +-------+----------+-------+------+-----------+------+-----------------------+
 *    | index | founding | count | kind | algorithm | hash | seed, then zeros (64) |
 *    |       | entries  |       |      |           | (32) |                       |
 *    +-------+----------+-------+------+-----------+------+-----------------------+
 *
 * An entry whose private key is elsewhere has a seed of zeros.
 */
#include <string.h>

#include "store_int.h"

#define ENTRY_LEN  (3 + 1 + 2 + 32 + LARCH_STORE_SEED_LEN)
#define RECORD_LEN (ENTRY_LEN + LARCH_RECORD_OVERHEAD)

_Static_assert(ENTRY_LEN <= LARCH_RECORD_MAX, "an entry is one record");
_Static_assert(LARCH_IDENTITY_HELD >= 1 && LARCH_IDENTITY_HELD <= 16, "entries of a document");

static void put_entry(larch_writer *w, const larch_stored_identity *identity, size_t index)
{
    const larch_stored_identity_key *key = &identity->keys[index];
    larch_writer_put_u8(w, (uint8_t)index);
    larch_writer_put_u8(w, identity->founding);
    larch_writer_put_u8(w, identity->count);
    larch_writer_put_u8(w, key->kind);
    larch_writer_put_u16(w, key->algorithm);
    larch_writer_put(w, LARCH_BYTES(key->hash));
    larch_writer_put(w, LARCH_BYTES(key->seed));
}

/* The first entry says how many there are; the others must agree. */
static larch_store_fault take_entry(larch_bytes payload, size_t index, larch_stored_identity *identity)
{
    const uint8_t *at = payload.data;
    if (payload.len != ENTRY_LEN || at[0] != index)
        return LARCH_STORE_KIND;
    if (index == 0) {
        identity->founding = at[1];
        identity->count = at[2];
    }
    if (at[1] != identity->founding || at[2] != identity->count || identity->founding == 0 ||
        identity->founding > identity->count)
        return LARCH_STORE_KIND;
    if (identity->count > LARCH_IDENTITY_HELD)
        return LARCH_STORE_VERSION;
    larch_stored_identity_key *key = &identity->keys[index];
    key->kind = at[3];
    key->algorithm = (uint16_t)larch_number_at(at + 4, 2);
    memcpy(key->hash, at + 6, sizeof key->hash);
    memcpy(key->seed, at + 6 + sizeof key->hash, sizeof key->seed);
    return LARCH_STORE_NONE;
}

larch_error larch_stored_identity_load(const larch_storage *storage, larch_stored_identity *identity,
                                       larch_store_fault *fault)
{
    uint8_t payload[ENTRY_LEN];
    size_t len;
    uint32_t size;
    larch_error e = LARCH_OK;
    memset(identity, 0, sizeof *identity);
    for (size_t index = 0; e == LARCH_OK && (index == 0 || index < identity->count); index++) {
        e = larch_store_read_at(storage, LARCH_STORED_IDENTITY_NAME, (uint32_t)(index * RECORD_LEN),
                                LARCH_RECORD_IDENTITY, payload, sizeof payload, &len, fault);
        if (e == LARCH_OK) {
            *fault = take_entry((larch_bytes){payload, len}, index, identity);
            e = larch_store_error(*fault);
        }
    }
    if (e == LARCH_OK) {
        if (storage->size(storage->context, LARCH_STORED_IDENTITY_NAME, &size) != LARCH_OK)
            *fault = LARCH_STORE_MEDIUM;
        else if (size != identity->count * RECORD_LEN)
            *fault = LARCH_STORE_DAMAGED;
        e = larch_store_error(*fault);
    }
    larch_wipe(payload, sizeof payload);
    if (e != LARCH_OK)
        larch_wipe(identity, sizeof *identity);
    return e;
}

larch_error larch_stored_identity_save(const larch_storage *storage, const larch_stored_identity *identity)
{
    uint8_t file[LARCH_IDENTITY_HELD * RECORD_LEN], payload[ENTRY_LEN];
    larch_writer all = larch_writer_to(file, sizeof file);
    if (identity->founding == 0 || identity->founding > identity->count || identity->count > LARCH_IDENTITY_HELD)
        return LARCH_STATE;
    for (size_t i = 0; i < identity->count; i++) {
        larch_writer one = larch_writer_to(payload, sizeof payload);
        put_entry(&one, identity, i);
        larch_record_compose(&all, LARCH_RECORD_IDENTITY, storage->start, LARCH_BYTES(payload));
    }
    const larch_error e =
        storage->replace(storage->context, LARCH_STORED_IDENTITY_NAME, (larch_bytes){file, all.len}, 0);
    larch_wipe(file, sizeof file);
    larch_wipe(payload, sizeof payload);
    return e;
}
