/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service's keys of one set: the present one, and the one before until its
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
 *
 * The ring records what is left of the old key's grace and when that was. Within a run the grace passes with now_ms;
 * between runs with the wall clock, if there is one at both ends and it did not go back. Without one only runs count,
 * recorded GRACE_STEPS times: then a restart gives back less than a step. A wall clock that jumped ahead takes away
 * all but a step at the first start that believes it, and the rest at the second.
 */
#include <string.h>

#include "node/direct_int.h"

#define NEVER       UINT64_MAX
#define GRACE_STEPS 16

larch_direct_keys *larch_direct_keys_find(larch_direct_service *direct, const larch_kem *kem)
{
    for (size_t i = 0; kem != NULL && i < LARCH_DIRECT_SETS; i++)
        if (direct->keys[i].kem == kem)
            return &direct->keys[i];
    return NULL;
}

larch_direct_key *larch_direct_key_by_age(larch_direct_keys *keys, unsigned age)
{
    if (age > 1)
        return NULL;
    larch_direct_key *key = &keys->key[keys->present ^ age];
    return key->generation != 0 ? key : NULL;
}

larch_direct_key *larch_direct_key_find(larch_direct_service *direct, const larch_kem *kem, uint32_t generation)
{
    larch_direct_keys *keys = larch_direct_keys_find(direct, kem);
    larch_direct_key *key = NULL;
    for (unsigned age = 0; keys != NULL && (key = larch_direct_key_by_age(keys, age)) != NULL; age++)
        if (key->generation == generation)
            break;
    return key;
}

static bool has_hint_of(const uint8_t *held, const uint8_t hash[32])
{
    return held != hash && memcmp(held, hash, LARCH_DIRECT_HINT_LEN) == 0;
}

bool larch_direct_is_hint_held(const larch_direct_service *direct, const uint8_t hash[32])
{
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++) {
        const larch_direct_keys *keys = &direct->keys[i];
        if (keys->has_root && has_hint_of(keys->root_hash, hash))
            return true;
        for (unsigned half = 0; half < 2; half++)
            if (keys->key[half].generation != 0 && has_hint_of(keys->key[half].hash, hash))
                return true;
    }
    return false;
}

/* srv: NULL if nobody is to be told. */
static void report(larch_server *srv, larch_event_kind kind, const larch_kem *kem, uint32_t generation)
{
    if (srv != NULL)
        larch_server_report(srv, &(larch_event){.kind = kind, .kem = kem, .generation = generation});
}

/* Makes a key ready for use from what is stored of it; ek: scratch or the served key. */
static larch_error expand(const larch_kem *kem, const larch_stored_key *stored, larch_direct_key *key, uint8_t *ek)
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

/* A new key, ready for use, whose hint no other held key has. ek: as in expand. */
static larch_error make_key(const larch_direct_service *direct, const larch_kem *kem, uint32_t generation,
                            larch_stored_key *stored, larch_direct_key *key, uint8_t *ek)
{
    larch_error e = LARCH_OK;
    for (unsigned tries = 0; e == LARCH_OK && tries < DIRECT_KEY_TRIES; tries++)
        if ((e = invent(direct->config.random, generation, stored)) == LARCH_OK &&
            (e = expand(kem, stored, key, ek)) == LARCH_OK && !larch_direct_is_hint_held(direct, key->hash))
            return LARCH_OK;
    return e != LARCH_OK ? e : LARCH_PLATFORM;
}

/* ---- grace --------------------------------------------------------------- */

static uint64_t grace_step(const larch_direct_service *direct) { return direct->config.grace_ms / GRACE_STEPS; }

/* From now on, or never if that is what left_ms comes to. */
static void begin_grace(const larch_direct_service *direct, larch_direct_keys *keys, uint64_t now_ms, uint64_t left_ms)
{
    keys->forget_at_ms = left_ms < NEVER - now_ms ? now_ms + left_ms : NEVER;
    keys->record_at_ms = direct->config.unix_ms == 0 ? now_ms + grace_step(direct) : NEVER;
}

static void put_grace(const larch_direct_service *direct, uint64_t now_ms, uint64_t left_ms, larch_key_ring *ring)
{
    const uint64_t unix_ms = direct->config.unix_ms;
    ring->grace_left_ms = left_ms;
    ring->grace_unix_ms = unix_ms > 0 ? unix_ms + (now_ms - direct->loaded_at_ms) : 0;
}

/* What is left at a start is recorded soon after it, if the ring does not say so yet. */
static void resume_grace(const larch_direct_service *direct, larch_direct_keys *keys, uint64_t now_ms,
                         const larch_key_ring *ring)
{
    const uint64_t grace_ms = direct->config.grace_ms, unix_ms = direct->config.unix_ms, step_ms = grace_step(direct);
    const uint64_t was_ms = ring->grace_left_ms < grace_ms ? ring->grace_left_ms : grace_ms;
    uint64_t left_ms = was_ms;
    bool is_new = was_ms != ring->grace_left_ms;
    if (ring->grace_unix_ms > 0 && unix_ms > ring->grace_unix_ms) {
        const uint64_t passed_ms = unix_ms - ring->grace_unix_ms;
        left_ms = was_ms > passed_ms ? was_ms - passed_ms : 0;
        if (left_ms < step_ms && was_ms > step_ms) {
            left_ms = step_ms;
            is_new = true;
        }
    }
    begin_grace(direct, keys, now_ms, left_ms);
    if (is_new)
        keys->record_at_ms = now_ms;
}

/* Gives the ring's present key, which is ready for use in one half, an empty journal, and then stores the ring. */
static larch_error establish(larch_direct_service *direct, larch_direct_keys *keys, unsigned half,
                             const larch_key_ring *ring, char faulty[LARCH_STORAGE_NAME_MAX + 1],
                             larch_store_fault *fault)
{
    const larch_storage *storage = direct->config.storage;
    larch_direct_key *key = &keys->key[half];
    larch_error e = larch_replay_set_create(&key->marks, storage, ring->set, key->generation,
                                            direct->config.replay[keys->index][half], direct->config.replay_slots);
    if (e != LARCH_OK) {
        larch_replay_set_name(ring->set, key->generation, faulty);
        *fault = e == LARCH_PLATFORM ? LARCH_STORE_MEDIUM : LARCH_STORE_KIND;
    } else if ((e = larch_key_ring_save(storage, ring)) != LARCH_OK) {
        larch_key_ring_name(ring->set, faulty);
        *fault = LARCH_STORE_MEDIUM;
    }
    return e;
}

/* ---- load -------------------------------------------------------------- */

static larch_error load_key(larch_direct_service *direct, larch_direct_keys *keys, unsigned half,
                            const larch_stored_key *stored, char faulty[LARCH_STORAGE_NAME_MAX + 1],
                            larch_store_fault *fault)
{
    larch_direct_key *key = &keys->key[half];
    uint32_t slots_needed = 0;
    larch_error e = expand(keys->kem, stored, key, keys->ek);
    if (e != LARCH_OK)
        return e;
    e = larch_replay_set_open(&key->marks, direct->config.storage, keys->kem->set, stored->generation,
                              direct->config.replay[keys->index][half], direct->config.replay_slots, &slots_needed,
                              fault);
    if (e != LARCH_OK)
        larch_replay_set_name(keys->kem->set, stored->generation, faulty);
    return e;
}

/* The first start: a key and an empty journal. */
static larch_error create(larch_direct_service *direct, larch_direct_keys *keys, larch_key_ring *ring,
                          char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    ring->set = keys->kem->set;
    larch_error e = make_key(direct, keys->kem, 1, &ring->present, &keys->key[0], keys->ek);
    return e == LARCH_OK ? establish(direct, keys, 0, ring, faulty, fault) : e;
}

larch_error larch_direct_keys_load(larch_direct_service *direct, uint64_t now_ms, size_t index,
                                   char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    larch_direct_keys *keys = &direct->keys[index];
    larch_key_ring ring;
    keys->kem = larch_direct_kem_at(index);
    keys->index = (uint8_t)index;
    keys->forget_at_ms = NEVER;
    direct->loaded_at_ms = now_ms;
    larch_error e = larch_key_ring_load(direct->config.storage, keys->kem->set, &ring, fault);
    if (e == LARCH_STATE && *fault == LARCH_STORE_MISSING) {
        *fault = LARCH_STORE_NONE;
        e = create(direct, keys, &ring, faulty, fault);
    } else if (e != LARCH_OK) {
        larch_key_ring_name(keys->kem->set, faulty);
    } else {
        if (ring.previous.generation != 0) {
            e = load_key(direct, keys, 1, &ring.previous, faulty, fault);
            resume_grace(direct, keys, now_ms, &ring);
        } else if (ring.present.generation > 1) {
            /* What a power cut may have left between the two steps of forgetting. */
            e = larch_replay_set_discard(direct->config.storage, keys->kem->set, ring.present.generation - 1);
        }
        if (e == LARCH_OK) /* last, so that its key is the one served */
            e = load_key(direct, keys, 0, &ring.present, faulty, fault);
    }
    larch_wipe(&ring, sizeof ring);
    return e;
}

/* ---- marks ------------------------------------------------------------- */

larch_error larch_direct_service_commit(larch_direct_service *direct)
{
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++)
        for (unsigned half = 0; half < 2; half++) {
            larch_direct_key *key = &direct->keys[i].key[half];
            larch_error e = key->generation != 0 ? larch_replay_set_commit(&key->marks) : LARCH_OK;
            if (e != LARCH_OK)
                return e;
        }
    return LARCH_OK;
}

bool larch_direct_keys_are_durable(const larch_direct_service *direct)
{
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++)
        for (unsigned half = 0; half < 2; half++) {
            const larch_direct_key *key = &direct->keys[i].key[half];
            if (key->generation != 0 && !larch_replay_set_is_durable(&key->marks))
                return false;
        }
    return true;
}

/* ---- change ------------------------------------------------------------ */

/* Reads the ring back, changes it and saves it: seeds are not kept in memory. */
static larch_error load_ring(larch_direct_service *direct, const larch_direct_keys *keys, larch_key_ring *ring)
{
    larch_store_fault fault;
    const larch_error e = larch_key_ring_load(direct->config.storage, keys->kem->set, ring, &fault);
    return e == LARCH_OK ? LARCH_OK : LARCH_PLATFORM;
}

/* Stores the ring with what is left of the old key's grace; left_ms is NULL: without that key. */
static larch_error change_ring(larch_direct_service *direct, larch_direct_keys *keys, uint64_t now_ms,
                               const uint64_t *left_ms)
{
    larch_key_ring ring;
    larch_error e = load_ring(direct, keys, &ring);
    if (e == LARCH_OK) {
        if (left_ms != NULL)
            put_grace(direct, now_ms, *left_ms, &ring);
        else
            larch_wipe(&ring.previous, sizeof ring.previous);
        e = larch_key_ring_save(direct->config.storage, &ring);
    }
    larch_wipe(&ring, sizeof ring);
    return e;
}

static larch_error record_grace(larch_direct_service *direct, larch_direct_keys *keys, uint64_t now_ms)
{
    const uint64_t left_ms = keys->forget_at_ms == NEVER ? NEVER : keys->forget_at_ms - now_ms;
    const larch_error e = change_ring(direct, keys, now_ms, &left_ms);
    if (e == LARCH_OK)
        begin_grace(direct, keys, now_ms, left_ms);
    return e;
}

static larch_error forget(larch_direct_service *direct, larch_server *srv, larch_direct_keys *keys)
{
    larch_direct_key *old = larch_direct_key_by_age(keys, 1);
    const larch_error e = old != NULL ? change_ring(direct, keys, 0, NULL) : LARCH_OK;
    if (old == NULL || e != LARCH_OK)
        return e;
    uint32_t generation = old->generation;
    /* A journal that stays behind is litter, not danger: its key is gone. */
    (void)!larch_replay_set_remove(&old->marks);
    larch_wipe(old, sizeof *old);
    keys->forget_at_ms = NEVER;
    report(srv, LARCH_EVENT_FORGOTTEN, keys->kem, generation);
    return LARCH_OK;
}

larch_error larch_direct_service_rotate(larch_direct_service *direct, larch_server *srv, uint64_t now_ms,
                                        const larch_kem *kem)
{
    larch_direct_keys *keys = larch_direct_keys_find(direct, kem);
    larch_key_ring ring;
    uint8_t ek[LARCH_KEM_EK_MAX];
    char faulty[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    larch_error e;
    if (keys == NULL)
        return LARCH_STATE;
    if ((e = larch_direct_service_commit(direct)) != LARCH_OK || (e = forget(direct, srv, keys)) != LARCH_OK)
        return e;

    unsigned half = keys->present ^ 1u;
    larch_direct_key *fresh = &keys->key[half];
    e = load_ring(direct, keys, &ring);
    /* A save that failed may yet have reached the medium: then the new key stands there already, above the one
     * that is served, and so it stays. Its journal, empty so far, is made anew. */
    if (e == LARCH_OK && ring.present.generation == keys->key[keys->present].generation) {
        ring.previous = ring.present;
        put_grace(direct, now_ms, direct->config.grace_ms, &ring);
        e = make_key(direct, kem, ring.previous.generation + 1, &ring.present, fresh, ek);
    } else if (e == LARCH_OK) {
        e = expand(kem, &ring.present, fresh, ek);
    }
    if (e == LARCH_OK)
        e = establish(direct, keys, half, &ring, faulty, &fault);
    larch_wipe(&ring, sizeof ring);
    if (e != LARCH_OK) {
        larch_wipe(fresh, sizeof *fresh);
        return e;
    }
    memcpy(keys->ek, ek, kem->ek_len);
    keys->present = (uint8_t)half;
    begin_grace(direct, keys, now_ms, direct->config.grace_ms);
    report(srv, LARCH_EVENT_ROTATED, kem, fresh->generation);
    return LARCH_OK;
}

void larch_direct_keys_maintain(larch_direct_service *direct, larch_server *srv, uint64_t now_ms)
{
    if (now_ms < direct->maintain_at_ms)
        return;
    direct->maintain_at_ms = 0;
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++) {
        larch_direct_keys *keys = &direct->keys[i];
        const larch_direct_key *old = larch_direct_key_by_age(keys, 1);
        larch_error e = LARCH_OK;
        if (old != NULL && now_ms >= keys->forget_at_ms)
            e = forget(direct, srv, keys);
        else if (old != NULL && now_ms >= keys->record_at_ms)
            e = record_grace(direct, keys, now_ms);
        if (e == LARCH_OK && larch_replay_set_is_nearly_full(&keys->key[keys->present].marks))
            e = larch_direct_service_rotate(direct, srv, now_ms, keys->kem);
        if (e != LARCH_OK) {
            direct->maintain_at_ms = now_ms + DIRECT_RETRY_MS;
            report(srv, LARCH_EVENT_STORAGE, keys->kem, 0);
        }
    }
}

uint64_t larch_direct_keys_deadline_ms(const larch_direct_service *direct)
{
    uint64_t deadline_ms = NEVER;
    if (direct->maintain_at_ms > 0)
        return direct->maintain_at_ms;
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++)
        if (direct->keys[i].forget_at_ms < deadline_ms)
            deadline_ms = direct->keys[i].forget_at_ms;
    return deadline_ms;
}

larch_bytes larch_direct_service_key(const larch_direct_service *direct, const larch_kem *kem, uint32_t *generation,
                                     const uint8_t **hash)
{
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++) {
        const larch_direct_keys *keys = &direct->keys[i];
        const larch_direct_key *key = &keys->key[keys->present];
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
