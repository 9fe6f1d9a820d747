/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The direct keys of one parameter set, payload of "direct-<set>.key":
 *
 *     0     2              6          70             86             90         154          170     178     186
 *    +-----+--------------+----------+--------------+--------------+----------+-------------+-------+-------+
 *    | set | generation   | seed     | tag key      | generation   | seed     | tag key     | grace | saved |
 *    |     | present key: 84 bytes                  | previous key: as the present, or zeros | left  | at    |
 *    +-----+--------------+----------+--------------+--------------+----------+-------------+-------+-------+
 *
 * A ring of an older version ends at 170: what is left of the grace is not recorded.
 */
#include <string.h>

#include "store_int.h"

#define KEY_LEN      (4 + LARCH_STORE_SEED_LEN + LARCH_STORE_TAG_KEY_LEN)
#define OLD_RING_LEN (2 + 2 * KEY_LEN)
#define RING_LEN     (OLD_RING_LEN + 16)

_Static_assert(RING_LEN <= LARCH_RECORD_MAX, "a ring is one record");

void larch_key_ring_name(uint16_t set, char name[LARCH_STORAGE_NAME_MAX + 1])
{
    larch_writer w = larch_writer_to((uint8_t *)name, LARCH_STORAGE_NAME_MAX + 1);
    larch_writer_put_text(&w, "direct-");
    larch_writer_put_decimal(&w, set);
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
    const bool has_grace = ring->previous.generation > 0;
    larch_writer_put_u64(&w, has_grace ? ring->grace_left_ms : 0);
    larch_writer_put_u64(&w, has_grace ? ring->grace_unix_ms : 0);
}

static void take_key(const uint8_t at[KEY_LEN], larch_stored_key *key)
{
    key->generation = (uint32_t)larch_number_at(at, 4);
    memcpy(key->seed, at + 4, sizeof key->seed);
    memcpy(key->tag_key, at + 4 + sizeof key->seed, sizeof key->tag_key);
}

static bool ring_is_sound(const larch_key_ring *ring) { return ring->present.generation > ring->previous.generation; }

/* The one form that compose_ring makes is the only one taken, and its front as an older version made it. */
static larch_store_fault parse_ring(larch_bytes payload, uint16_t set, larch_key_ring *ring)
{
    if ((payload.len != RING_LEN && payload.len != OLD_RING_LEN) || larch_number_at(payload.data, 2) != set)
        return LARCH_STORE_KIND;
    ring->set = set;
    take_key(payload.data + 2, &ring->present);
    take_key(payload.data + 2 + KEY_LEN, &ring->previous);
    if (payload.len == RING_LEN) {
        ring->grace_left_ms = larch_number_at(payload.data + OLD_RING_LEN, 8);
        ring->grace_unix_ms = larch_number_at(payload.data + OLD_RING_LEN + 8, 8);
    } else if (ring->previous.generation > 0) {
        ring->grace_left_ms = LARCH_GRACE_UNKNOWN;
    }

    uint8_t again[RING_LEN];
    compose_ring(ring, again);
    bool same = larch_ct_equal(again, payload.data, payload.len);
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
    larch_error e =
        larch_store_read_whole(storage, name, LARCH_RECORD_KEYS, NULL, payload, sizeof payload, &len, fault);
    if (e == LARCH_OK) {
        *fault = parse_ring((larch_bytes){payload, len}, set, ring);
        e = larch_store_error(*fault);
    }
    larch_wipe(payload, sizeof payload);
    if (e != LARCH_OK)
        larch_wipe(ring, sizeof *ring);
    return e;
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
