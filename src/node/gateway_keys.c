/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's keys of one set: the present one, and the one before until its
 * grace is over. Once its set of marks is full that one opens nothing more, but it
 * still endorses its successor: who notices only by an AUTH_FAIL that the key was
 * rotated must find it. The order of the durable steps is what a power cut at any
 * moment must survive:
 *
 *   rotate: forget the old key, create the new journal, save the ring {new, present}
 *   forget: save the ring without the key, then remove its journal
 *
 * A journal without a key in the ring is empty or useless; a key without its
 * journal never stands in the ring.
 */
#include <string.h>

#include "node/gateway_int.h"

#define NEVER UINT64_MAX

larch_gateway_keys *larch_gateway_keys_of(larch_gateway *gw, const larch_kem *kem)
{
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++)
        if (gw->keys[i].kem == kem)
            return &gw->keys[i];
    return NULL;
}

larch_gateway_key *larch_gateway_key_at(larch_gateway_keys *keys, unsigned age)
{
    if (age > 1)
        return NULL;
    larch_gateway_key *key = &keys->key[keys->present ^ age];
    return key->generation != 0 ? key : NULL;
}

/* Makes a key ready for use from what is stored of it; ek: scratch or the served key. */
static larch_error expand(const larch_kem *kem, const larch_stored_key *stored, larch_gateway_key *key, uint8_t *ek)
{
    larch_error e;
    if ((e = larch_kem_keygen(kem, stored->seed, ek, key->dk)) != LARCH_OK ||
        (e = larch_direct_key_hash((larch_bytes){ek, kem->ek_len}, key->hash)) != LARCH_OK)
        return e;
    memcpy(key->tag_key, stored->tag_key, sizeof key->tag_key);
    key->generation = stored->generation;
    return LARCH_OK;
}

static larch_error invent(const larch_random *random, uint32_t generation, larch_stored_key *stored)
{
    larch_error e;
    if ((e = larch_random_fill(random, stored->seed, sizeof stored->seed)) != LARCH_OK ||
        (e = larch_random_fill(random, stored->tag_key, sizeof stored->tag_key)) != LARCH_OK)
        larch_wipe(stored, sizeof *stored);
    else
        stored->generation = generation;
    return e;
}

static uint64_t *memory_of(const larch_gateway *gw, const larch_gateway_keys *keys, unsigned half)
{
    return gw->config.replay[keys - gw->keys][half];
}

/* From now on, or never if that is what grace_ms comes to. */
static uint64_t end_of_grace(const larch_gateway *gw, uint64_t now_ms)
{
    return gw->config.grace_ms < NEVER - now_ms ? now_ms + gw->config.grace_ms : NEVER;
}

/* ---- load -------------------------------------------------------------- */

static larch_error load_key(larch_gateway *gw, larch_gateway_keys *keys, unsigned half, const larch_stored_key *stored,
                            char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    larch_gateway_key *key = &keys->key[half];
    uint32_t slots_needed = 0;
    larch_error e = expand(keys->kem, stored, key, keys->ek);
    if (e != LARCH_OK)
        return e;
    e = larch_replay_set_open(&key->marks, gw->config.storage, keys->kem->set, stored->generation,
                              memory_of(gw, keys, half), gw->config.replay_slots, &slots_needed, fault);
    if (e != LARCH_OK)
        larch_replay_set_name(keys->kem->set, stored->generation, faulty);
    return e;
}

/* The first start: a key and an empty journal. */
static larch_error create(larch_gateway *gw, larch_gateway_keys *keys, larch_key_ring *ring,
                          char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    larch_gateway_key *key = &keys->key[0];
    larch_error e;
    *ring = (larch_key_ring){.set = keys->kem->set};
    if ((e = invent(gw->config.random, 1, &ring->present)) != LARCH_OK ||
        (e = expand(keys->kem, &ring->present, key, keys->ek)) != LARCH_OK)
        return e;
    e = larch_replay_set_create(&key->marks, gw->config.storage, keys->kem->set, 1, memory_of(gw, keys, 0),
                                gw->config.replay_slots);
    if (e != LARCH_OK) {
        larch_replay_set_name(keys->kem->set, 1, faulty);
        *fault = e == LARCH_PLATFORM ? LARCH_STORE_MEDIUM : LARCH_STORE_KIND;
        return e;
    }
    e = larch_key_ring_save(gw->config.storage, ring);
    if (e != LARCH_OK) {
        larch_key_ring_name(keys->kem->set, faulty);
        *fault = LARCH_STORE_MEDIUM;
    }
    return e;
}

larch_error larch_gateway_keys_load(larch_gateway *gw, uint64_t now_ms, size_t index,
                                    char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    larch_gateway_keys *keys = &gw->keys[index];
    larch_key_ring ring;
    keys->kem = larch_kem_at(index);
    keys->forget_at_ms = NEVER;
    larch_error e = larch_key_ring_load(gw->config.storage, keys->kem->set, &ring, fault);
    if (e == LARCH_STATE && *fault == LARCH_STORE_MISSING) {
        *fault = LARCH_STORE_NONE;
        e = create(gw, keys, &ring, faulty, fault);
    } else if (e != LARCH_OK) {
        larch_key_ring_name(keys->kem->set, faulty);
    } else {
        if (ring.previous.generation != 0) {
            e = load_key(gw, keys, 1, &ring.previous, faulty, fault);
            keys->forget_at_ms = end_of_grace(gw, now_ms);
        } else if (ring.present.generation > 1) {
            /* What a power cut may have left between the two steps of forgetting. */
            e = larch_replay_set_discard(gw->config.storage, keys->kem->set, ring.present.generation - 1);
        }
        if (e == LARCH_OK) /* last, so that its key is the one served */
            e = load_key(gw, keys, 0, &ring.present, faulty, fault);
    }
    larch_wipe(&ring, sizeof ring);
    return e;
}

/* ---- marks ------------------------------------------------------------- */

larch_error larch_gateway_keys_commit(larch_gateway *gw)
{
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++)
        for (unsigned half = 0; half < 2; half++) {
            larch_gateway_key *key = &gw->keys[i].key[half];
            larch_error e = key->generation != 0 ? larch_replay_set_commit(&key->marks) : LARCH_OK;
            if (e != LARCH_OK)
                return e;
        }
    return LARCH_OK;
}

bool larch_gateway_keys_are_durable(const larch_gateway *gw)
{
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++)
        for (unsigned half = 0; half < 2; half++) {
            const larch_gateway_key *key = &gw->keys[i].key[half];
            if (key->generation != 0 && !larch_replay_set_is_durable(&key->marks))
                return false;
        }
    return true;
}

/* ---- change ------------------------------------------------------------ */

/* Reads the ring back, changes it and saves it: seeds are not kept in memory. */
static larch_error load_ring(larch_gateway *gw, const larch_gateway_keys *keys, larch_key_ring *ring)
{
    larch_store_fault fault;
    return larch_key_ring_load(gw->config.storage, keys->kem->set, ring, &fault) == LARCH_OK ? LARCH_OK
                                                                                             : LARCH_PLATFORM;
}

static larch_error forget(larch_gateway *gw, larch_gateway_keys *keys)
{
    larch_gateway_key *old = larch_gateway_key_at(keys, 1);
    larch_key_ring ring;
    larch_error e;
    if (old == NULL)
        return LARCH_OK;
    if ((e = load_ring(gw, keys, &ring)) == LARCH_OK) {
        larch_wipe(&ring.previous, sizeof ring.previous);
        e = larch_key_ring_save(gw->config.storage, &ring);
    }
    larch_wipe(&ring, sizeof ring);
    if (e != LARCH_OK)
        return e;
    uint32_t generation = old->generation;
    /* A journal that stays behind is litter, not danger: its key is gone. */
    (void)!larch_replay_set_remove(&old->marks);
    larch_wipe(old, sizeof *old);
    keys->forget_at_ms = NEVER;
    larch_gateway_tell(
        gw, (larch_gateway_event){.reason = LARCH_GATEWAY_FORGOTTEN, .kem = keys->kem, .generation = generation});
    return LARCH_OK;
}

larch_error larch_gateway_rotate(larch_gateway *gw, uint64_t now_ms, const larch_kem *kem)
{
    larch_gateway_keys *keys = larch_gateway_keys_of(gw, kem);
    larch_key_ring ring;
    uint8_t ek[LARCH_KEM_EK_MAX];
    larch_error e;
    if (keys == NULL)
        return LARCH_STATE;
    if ((e = larch_gateway_keys_commit(gw)) != LARCH_OK || (e = forget(gw, keys)) != LARCH_OK)
        return e;

    unsigned half = keys->present ^ 1u;
    larch_gateway_key *fresh = &keys->key[half];
    e = load_ring(gw, keys, &ring);
    /* A save that failed may yet have reached the medium: then the new key stands there already, above the one
     * that is served, and so it stays. Its journal, empty so far, is made anew. */
    if (e == LARCH_OK && ring.present.generation == keys->key[keys->present].generation) {
        ring.previous = ring.present;
        e = invent(gw->config.random, ring.previous.generation + 1, &ring.present);
    }
    if (e == LARCH_OK && (e = expand(kem, &ring.present, fresh, ek)) == LARCH_OK &&
        (e = larch_replay_set_create(&fresh->marks, gw->config.storage, kem->set, ring.present.generation,
                                     memory_of(gw, keys, half), gw->config.replay_slots)) == LARCH_OK)
        e = larch_key_ring_save(gw->config.storage, &ring);
    larch_wipe(&ring, sizeof ring);
    if (e != LARCH_OK) {
        larch_wipe(fresh, sizeof *fresh);
        return e;
    }
    memcpy(keys->ek, ek, kem->ek_len);
    keys->present = (uint8_t)half;
    keys->forget_at_ms = end_of_grace(gw, now_ms);
    larch_gateway_tell(
        gw, (larch_gateway_event){.reason = LARCH_GATEWAY_ROTATED, .kem = kem, .generation = fresh->generation});
    return LARCH_OK;
}

void larch_gateway_keys_maintain(larch_gateway *gw, uint64_t now_ms)
{
    if (now_ms < gw->maintain_at_ms)
        return;
    gw->maintain_at_ms = 0;
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++) {
        larch_gateway_keys *keys = &gw->keys[i];
        const larch_gateway_key *old = larch_gateway_key_at(keys, 1);
        larch_error e = LARCH_OK;
        if (old != NULL && now_ms >= keys->forget_at_ms)
            e = forget(gw, keys);
        if (e == LARCH_OK && larch_replay_set_is_nearly_full(&keys->key[keys->present].marks))
            e = larch_gateway_rotate(gw, now_ms, keys->kem);
        if (e != LARCH_OK) {
            gw->maintain_at_ms = now_ms + GATEWAY_RETRY_MS;
            larch_gateway_tell(gw, (larch_gateway_event){.reason = LARCH_GATEWAY_STORAGE, .kem = keys->kem});
        }
    }
}

uint64_t larch_gateway_keys_deadline_ms(const larch_gateway *gw)
{
    uint64_t deadline_ms = NEVER;
    if (gw->maintain_at_ms > 0)
        return gw->maintain_at_ms;
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++)
        if (gw->keys[i].forget_at_ms < deadline_ms)
            deadline_ms = gw->keys[i].forget_at_ms;
    return deadline_ms;
}

larch_bytes larch_gateway_key_of(const larch_gateway *gw, const larch_kem *kem, uint32_t *generation,
                                 const uint8_t **hash)
{
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++) {
        const larch_gateway_keys *keys = &gw->keys[i];
        const larch_gateway_key *key = &keys->key[keys->present];
        if (keys->kem != kem)
            continue;
        if (generation != NULL)
            *generation = key->generation;
        if (hash != NULL)
            *hash = key->hash;
        return (larch_bytes){keys->ek, kem->ek_len};
    }
    return (larch_bytes){0};
}
