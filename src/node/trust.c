/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/trust_int.h"

#define HASH_LEN 32

static bool same(const uint8_t a[HASH_LEN], const uint8_t b[HASH_LEN]) { return memcmp(a, b, HASH_LEN) == 0; }

/* ---- life -------------------------------------------------------------- */

static larch_error take_key_of_set(const larch_kem *kem, larch_bytes ek, uint8_t *out, uint8_t hash[HASH_LEN])
{
    larch_error e;
    if ((e = larch_kem_check_ek(kem, ek)) != LARCH_OK || (e = larch_direct_key_hash(ek, hash)) != LARCH_OK)
        return e;
    memcpy(out, ek.data, ek.len);
    return LARCH_OK;
}

larch_error larch_trust_init(larch_trust *t, const larch_kem *kem, const larch_trust_basis *basis, uint64_t now_ms)
{
    larch_error e;
    memset(t, 0, sizeof *t);
    t->kem = kem;
    t->identify = basis->identify;
    if (basis->pinned) {
        t->kind = (uint8_t)basis->pin.kind;
        memcpy(t->pin, basis->pin.bytes, sizeof t->pin);
    }
    if (basis->root_ek.len > 0) {
        if (!larch_trust_pins_identity(t))
            return LARCH_STATE;
        if ((e = take_key_of_set(kem, basis->root_ek, t->root_ek, t->root_hash)) != LARCH_OK)
            return e;
        t->has_root = true;
    }
    if (basis->ek.len > 0) {
        if ((e = take_key_of_set(kem, basis->ek, t->direct_ek, t->direct_hash)) != LARCH_OK)
            return e;
        if (t->has_root && same(t->direct_hash, t->root_hash))
            return LARCH_STATE;
        if (t->kind == LARCH_FINGERPRINT_KEY && memcmp(t->direct_hash, t->pin, sizeof t->pin) != 0)
            return LARCH_STATE;
        t->has_direct = true;
        /* One whose root is not on record says nothing about who endorsed it. */
        t->doubted = larch_trust_pins_identity(t) && !t->has_root;
        if (t->kind == 0) {
            t->kind = LARCH_FINGERPRINT_KEY;
            memcpy(t->pin, t->direct_hash, sizeof t->pin);
        }
    }
    t->endorsed_ms = now_ms - basis->age_ms;
    if (basis->age_ms >= LARCH_TRUST_HOLDS_MS) /* however much older, so that differences never wrap */
        t->endorsed_ms = now_ms - LARCH_TRUST_HOLDS_MS;
    larch_trust_begin(t);
    return LARCH_OK;
}

void larch_trust_wipe(larch_trust *t) { larch_wipe(t, sizeof *t); }

void larch_trust_begin(larch_trust *t)
{
    larch_trust_drop_question(t);
    t->fault = LARCH_TRUST_FAULT_NONE;
    t->has_fetched = t->has_named = t->confirmed = t->refreshed = false;
    t->identifying = t->identify && !larch_trust_pins_identity(t);
    if (!larch_trust_pins_identity(t))
        t->has_document = t->vouched = t->has_root = false;
}

void larch_trust_doubt(larch_trust *t)
{
    larch_trust_begin(t);
    t->doubted = true;
}

void larch_trust_drop_question(larch_trust *t)
{
    t->asked = LARCH_TRUST_NOTHING;
    larch_wipe(t->ss, sizeof t->ss);
}

void larch_trust_refuse(larch_trust *t, larch_trust_fault fault)
{
    larch_trust_drop_question(t);
    if (t->kind == 0 && fault == LARCH_TRUST_FAULT_KEY) /* there is no pinned key to differ from */
        fault = LARCH_TRUST_FAULT_ROOT;
    t->fault = (uint8_t)fault;
}

bool larch_trust_stop_identifying(larch_trust *t)
{
    if (t->kind != LARCH_FINGERPRINT_KEY || !t->identifying)
        return false;
    larch_trust_drop_question(t);
    t->identifying = t->has_document = t->vouched = t->has_root = t->has_named = false;
    return true;
}

void larch_trust_give_up(larch_trust *t, larch_trust_fault fault)
{
    if (!larch_trust_stop_identifying(t))
        larch_trust_refuse(t, fault);
}

/* ---- what is missing --------------------------------------------------- */

static uint64_t age_ms(const larch_trust *t, uint64_t now_ms) { return now_ms - t->endorsed_ms; }

/* For the root to name the present key, and for that key to be there. */
static larch_trust_need need_of_root(const larch_trust *t)
{
    if (!t->has_root && !t->has_document)
        return LARCH_TRUST_DOCUMENT;
    if (t->kind == LARCH_FINGERPRINT_KEY && !t->vouched)
        return LARCH_TRUST_VOUCHER;
    if (!t->has_root)
        return LARCH_TRUST_ROOT;
    return t->has_named ? LARCH_TRUST_KEY : LARCH_TRUST_NEXT;
}

static larch_trust_need need_of_key(const larch_trust *t)
{
    if (t->identifying && t->has_direct)
        return need_of_root(t);
    if (t->has_direct && same(t->fetched_hash, t->direct_hash))
        return LARCH_TRUST_NOTHING;
    return LARCH_TRUST_NEXT; /* a key that is known by its fingerprint alone has refused others already */
}

larch_trust_need larch_trust_need_of(const larch_trust *t, uint64_t now_ms)
{
    if (t->fault != LARCH_TRUST_FAULT_NONE)
        return LARCH_TRUST_REFUSED;
    if (larch_trust_pins_identity(t))
        return t->has_root && t->has_direct && !t->doubted && age_ms(t, now_ms) < LARCH_TRUST_RENEW_MS
                   ? LARCH_TRUST_NOTHING
                   : need_of_root(t);
    if (!t->has_fetched)
        return LARCH_TRUST_KEY;
    if (t->kind == LARCH_FINGERPRINT_KEY)
        return need_of_key(t);
    return t->identifying ? need_of_root(t) : LARCH_TRUST_DECISION;
}

bool larch_trust_is_usable(const larch_trust *t, uint64_t now_ms)
{
    if (t->fault != LARCH_TRUST_FAULT_NONE || !t->has_direct || t->doubted)
        return false;
    if (larch_trust_pins_identity(t))
        return age_ms(t, now_ms) < LARCH_TRUST_HOLDS_MS;
    return larch_trust_need_of(t, now_ms) == LARCH_TRUST_NOTHING;
}

larch_trust_fault larch_trust_fault_of(const larch_trust *t) { return (larch_trust_fault)t->fault; }

/* ---- keys -------------------------------------------------------------- */

void larch_trust_adopt(larch_trust *t)
{
    const bool other = !t->has_direct || !same(t->direct_hash, t->fetched_hash);
    t->rotated |= other && t->has_direct;
    t->changes = (uint8_t)(t->changes + other);
    memcpy(t->direct_ek, t->fetched_ek, t->kem->ek_len);
    memcpy(t->direct_hash, t->fetched_hash, HASH_LEN);
    if (t->kind == LARCH_FINGERPRINT_KEY)
        memcpy(t->pin, t->direct_hash, sizeof t->pin);
    t->has_direct = true;
    t->doubted = false;
}

/* The root of an identity that was not pinned endorses the fetched key. */
static void confirm(larch_trust *t)
{
    t->has_named = t->identifying = false;
    t->confirmed = true;
    if (t->kind == LARCH_FINGERPRINT_KEY) { /* the pinned key vouched for it */
        t->kind = LARCH_FINGERPRINT_IDENTITY;
        memcpy(t->pin, t->identity, sizeof t->pin);
        larch_trust_adopt(t);
        t->endorsed_ms = t->asked_ms;
    }
}

void larch_trust_match(larch_trust *t, bool fetched_last)
{
    const bool pinned = larch_trust_pins_identity(t);
    if (!t->has_named || t->fault != LARCH_TRUST_FAULT_NONE)
        return;
    if (pinned && t->has_direct && same(t->named, t->direct_hash)) {
        t->endorsed_ms = t->asked_ms;
        t->doubted = t->has_named = false;
    } else if (!t->has_fetched) {
        return;
    } else if (same(t->named, t->fetched_hash)) {
        if (!pinned) {
            confirm(t);
            return;
        }
        larch_trust_adopt(t);
        t->endorsed_ms = t->asked_ms;
        t->has_named = false;
    } else if (t->refreshed) {
        larch_trust_give_up(t, LARCH_TRUST_FAULT_KEY);
    } else { /* it was rotated in between: the older of the two is asked for once more */
        t->refreshed = true;
        t->has_fetched = t->has_fetched && fetched_last;
        t->has_named = !fetched_last;
    }
}

larch_error larch_trust_process_key(larch_trust *t, const larch_trace *trace, larch_bytes ek)
{
    uint8_t hash[HASH_LEN];
    larch_error e;
    larch_trust_drop_question(t);
    if (t->fault == LARCH_TRUST_FAULT_KEY) /* which another key had */
        t->fault = LARCH_TRUST_FAULT_NONE;
    larch_trace_begin(trace, LARCH_STEP_CHECK_KEY);
    e = larch_kem_check_ek(t->kem, ek);
    larch_trace_end(trace, LARCH_STEP_CHECK_KEY, ek.len);
    if (e == LARCH_OK) {
        larch_trace_begin(trace, LARCH_STEP_FINGERPRINT);
        e = larch_direct_key_hash(ek, hash);
        larch_trace_end(trace, LARCH_STEP_FINGERPRINT, HASH_LEN);
    }
    t->has_fetched = e == LARCH_OK;
    if (e != LARCH_OK)
        return e;
    memcpy(t->fetched_ek, ek.data, ek.len);
    memcpy(t->fetched_hash, hash, HASH_LEN);
    if ((t->has_root || t->has_document) && same(hash, t->root_hash)) {
        larch_trust_refuse(t, LARCH_TRUST_FAULT_ROOT);
    } else if (t->kind == LARCH_FINGERPRINT_KEY) {
        if (memcmp(hash, t->pin, sizeof t->pin) == 0)
            larch_trust_adopt(t); /* which puts it on record, if the fingerprint alone was */
        else if (!t->has_direct)
            larch_trust_refuse(t, LARCH_TRUST_FAULT_KEY);
    }
    larch_trust_match(t, true);
    return LARCH_OK;
}

larch_error larch_trust_process_root(larch_trust *t, larch_bytes ek)
{
    uint8_t hash[HASH_LEN];
    larch_trust_drop_question(t);
    larch_error e = larch_kem_check_ek(t->kem, ek);
    if (e == LARCH_OK)
        e = larch_direct_key_hash(ek, hash);
    if (e == LARCH_PLATFORM)
        return e;
    if (e != LARCH_OK || !t->has_document || !same(hash, t->root_hash)) {
        larch_trust_give_up(t, LARCH_TRUST_FAULT_ROOT);
        return LARCH_OK;
    }
    memcpy(t->root_ek, ek.data, ek.len);
    t->has_root = true;
    return LARCH_OK;
}

larch_error larch_trust_accept(larch_trust *t, uint64_t now_ms)
{
    if (larch_trust_need_of(t, now_ms) != LARCH_TRUST_DECISION)
        return LARCH_STATE;
    t->kind = t->confirmed ? LARCH_FINGERPRINT_IDENTITY : LARCH_FINGERPRINT_KEY;
    larch_trust_adopt(t);
    if (t->confirmed)
        memcpy(t->pin, t->identity, sizeof t->pin);
    t->endorsed_ms = t->asked_ms;
    return LARCH_OK;
}

/* ---- what came of it --------------------------------------------------- */

larch_bytes larch_trust_trusted_key(const larch_trust *t, uint64_t now_ms)
{
    return larch_trust_is_usable(t, now_ms) ? (larch_bytes){t->direct_ek, t->kem->ek_len} : (larch_bytes){0};
}

larch_bytes larch_trust_direct_key(const larch_trust *t, const uint8_t **hash)
{
    if (hash != NULL)
        *hash = t->direct_hash;
    return t->has_direct ? (larch_bytes){t->direct_ek, t->kem->ek_len} : (larch_bytes){0};
}

larch_bytes larch_trust_fetched_key(const larch_trust *t, const uint8_t **hash)
{
    if (hash != NULL)
        *hash = t->fetched_hash;
    return t->has_fetched ? (larch_bytes){t->fetched_ek, t->kem->ek_len} : (larch_bytes){0};
}

const uint8_t *larch_trust_identity(const larch_trust *t)
{
    if (t->has_document)
        return t->identity;
    return larch_trust_pins_identity(t) ? t->pin : NULL;
}

bool larch_trust_has_identity(const larch_trust *t) { return larch_trust_pins_identity(t); }
bool larch_trust_rotated(const larch_trust *t) { return t->rotated; }
uint8_t larch_trust_changes(const larch_trust *t) { return t->changes; }

larch_trust_basis larch_trust_record(const larch_trust *t, uint64_t now_ms)
{
    larch_trust_basis basis = {.pinned = t->kind != 0, .identify = t->identify};
    basis.pin.kind = (larch_fingerprint_kind)t->kind;
    memcpy(basis.pin.bytes, t->pin, sizeof t->pin);
    if (larch_trust_pins_identity(t) && t->has_root)
        basis.root_ek = (larch_bytes){t->root_ek, t->kem->ek_len};
    if (t->has_direct)
        basis.ek = (larch_bytes){t->direct_ek, t->kem->ek_len};
    basis.age_ms = larch_trust_pins_identity(t) ? age_ms(t, now_ms) : 0;
    return basis;
}
