/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The direct keys of one parameter set, payload of "direct-<set>.key":
 *
 *     0     2              6          70             86             90         154          170
 *    +-----+--------------+----------+--------------+--------------+----------+-------------+
 *    | set | generation   | seed     | tag key      | generation   | seed     | tag key     |
 *    |     | present key: 84 bytes                  | previous key: as the present, or zeros |
 *    +-----+--------------+----------+--------------+--------------+----------+-------------+
 */
#include <string.h>

#include "store_int.h"

#define KEY_LEN  (4 + LARCH_STORE_SEED_LEN + LARCH_STORE_TAG_KEY_LEN)
#define RING_LEN (2 + 2 * KEY_LEN)

_Static_assert(RING_LEN <= LARCH_RECORD_MAX, "a ring is one record");

void larch_key_ring_name(uint16_t set, char name[LARCH_STORAGE_NAME_MAX + 1])
{
    larch_writer w = larch_writer_to((uint8_t *)name, LARCH_STORAGE_NAME_MAX + 1);
    larch_writer_put(&w, LARCH_TEXT("direct-"));
    larch_store_put_decimal(&w, set);
    larch_writer_put(&w, LARCH_TEXT(".key\0"));
}

/* A forgotten key leaves no secret behind, even if its owner did not wipe it. */
static void put_key(larch_writer *w, const larch_stored_key *key)
{
    static const larch_stored_key none;
    const larch_stored_key *kept = key->generation > 0 ? key : &none;
    larch_writer_put_u32(w, kept->generation);
    larch_writer_put(w, LARCH_BYTES(kept->seed));
    larch_writer_put(w, LARCH_BYTES(kept->tag_key));
}

static void compose_ring(const larch_key_ring *ring, uint8_t payload[RING_LEN])
{
    larch_writer w = larch_writer_to(payload, RING_LEN);
    larch_writer_put_u16(&w, ring->set);
    put_key(&w, &ring->present);
    put_key(&w, &ring->previous);
}

static larch_error take_key(larch_reader *r, larch_stored_key *key)
{
    larch_bytes seed;
    larch_bytes tag_key;
    larch_error e;
    if ((e = larch_reader_take_u32(r, &key->generation)) != LARCH_OK ||
        (e = larch_reader_take(r, sizeof key->seed, &seed)) != LARCH_OK ||
        (e = larch_reader_take(r, sizeof key->tag_key, &tag_key)) != LARCH_OK)
        return e;
    memcpy(key->seed, seed.data, seed.len);
    memcpy(key->tag_key, tag_key.data, tag_key.len);
    return LARCH_OK;
}

static bool ring_is_sound(const larch_key_ring *ring) { return ring->present.generation > ring->previous.generation; }

/* The one form that compose_ring makes is the only one taken. */
static larch_store_fault parse_ring(larch_bytes payload, uint16_t set, larch_key_ring *ring)
{
    larch_reader r = larch_reader_of(payload);
    if (payload.len != RING_LEN || larch_reader_take_u16(&r, &ring->set) != LARCH_OK || ring->set != set ||
        take_key(&r, &ring->present) != LARCH_OK || take_key(&r, &ring->previous) != LARCH_OK)
        return LARCH_STORE_KIND;

    uint8_t again[RING_LEN];
    compose_ring(ring, again);
    bool same = larch_ct_equal(again, payload.data, sizeof again);
    larch_wipe(again, sizeof again);
    return same && ring_is_sound(ring) ? LARCH_STORE_NONE : LARCH_STORE_DAMAGED;
}

larch_error larch_key_ring_load(const larch_storage *storage, uint16_t set, larch_key_ring *ring,
                                larch_store_fault *fault)
{
    char name[LARCH_STORAGE_NAME_MAX + 1];
    larch_key_ring_name(set, name);
    memset(ring, 0, sizeof *ring);

    uint8_t payload[RING_LEN];
    size_t len;
    larch_error e = larch_record_read(storage, name, LARCH_RECORD_KEYS, payload, sizeof payload, &len, fault);
    if (e != LARCH_OK)
        return e;

    uint32_t size;
    if (storage->size(storage->context, name, &size) != LARCH_OK)
        *fault = LARCH_STORE_MEDIUM;
    else if (size != LARCH_RECORD_OVERHEAD + len)
        *fault = LARCH_STORE_DAMAGED;
    else
        *fault = parse_ring((larch_bytes){payload, len}, set, ring);
    larch_wipe(payload, sizeof payload);
    if (*fault != LARCH_STORE_NONE)
        larch_wipe(ring, sizeof *ring);
    return larch_store_error(*fault);
}

larch_error larch_key_ring_save(const larch_storage *storage, const larch_key_ring *ring)
{
    if (!ring_is_sound(ring))
        return LARCH_STATE;

    char name[LARCH_STORAGE_NAME_MAX + 1];
    larch_key_ring_name(ring->set, name);
    uint8_t payload[RING_LEN];
    compose_ring(ring, payload);
    larch_error e = larch_record_write(storage, name, LARCH_RECORD_KEYS, LARCH_BYTES(payload), 0);
    larch_wipe(payload, sizeof payload);
    return e;
}
