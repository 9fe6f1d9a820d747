/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <string.h>

#include "pin_old.h"
#include "say.h"
#include "typed.h"

static struct {
    const larch_storage *storage; /* NULL: the flash could not be mounted */
    const larch_kem *kem;
    larch_pin pin;
    bool open;     /* for the next gateway, on a person's word */
    bool endorsed; /* since the start: the pinned identity's root endorsed the direct key */
    uint64_t endorsed_ms;
} trust;

static const larch_peer nowhere = {.port = 0};

static void say_refusal(void) { larch_say("error: the flash refused it; 'status' shows it"); }

static void save(void)
{
    if (trust.storage == NULL || larch_pin_save(trust.storage, &trust.pin) != LARCH_OK)
        say_refusal();
}

bool larch_trust_load(const larch_storage *storage, const larch_kem *kem)
{
    larch_store_fault fault = LARCH_STORE_NONE;
    trust.storage = storage;
    trust.kem = kem;
    if (larch_pin_load(storage, kem, &trust.pin, &fault) == LARCH_OK &&
        larch_pin_old_take_over(storage, kem, &trust.pin, &fault) == LARCH_OK)
        return true;
    larch_say("fault: the pin %s; it was left as it is. 'format all' begins anew", larch_store_fault_text(fault));
    return false;
}

bool larch_trust_is_possible(void) { return trust.pin.known || trust.open; }

larch_trust_basis larch_trust_begin_with(uint64_t now_ms)
{
    const larch_pin *pin = &trust.pin;
    return (larch_trust_basis){.pinned = pin->known,
                               .identify = true,
                               .pin = pin->fingerprint,
                               .root_ek = larch_pin_root_key(pin, trust.kem),
                               .ek = larch_pin_direct_key(pin, trust.kem),
                               .age_ms = trust.endorsed ? now_ms - trust.endorsed_ms : UINT64_MAX};
}

bool larch_trust_seen_key(uint8_t fingerprint[LARCH_FINGERPRINT_LEN])
{
    const larch_pin *pin = &trust.pin;
    uint8_t hash[32];
    if (pin->known && pin->fingerprint.kind == LARCH_FINGERPRINT_KEY) {
        memcpy(fingerprint, pin->fingerprint.bytes, LARCH_FINGERPRINT_LEN);
        return true;
    }
    if (pin->keys_len == 0 || larch_direct_key_hash(larch_pin_direct_key(pin, trust.kem), hash) != LARCH_OK)
        return false;
    memcpy(fingerprint, hash, LARCH_FINGERPRINT_LEN);
    return true;
}

const larch_peer *larch_trust_gateway(void)
{
    return larch_peer_equal(&trust.pin.gateway, &nowhere) ? NULL : &trust.pin.gateway;
}

bool larch_trust_is_open(void) { return trust.open; }

static bool is_same_fingerprint(const larch_fingerprint *a, const larch_fingerprint *b)
{
    return a->kind == b->kind && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void larch_trust_keep(const larch_trust *now_trusted, uint64_t now_ms)
{
    larch_pin *pin = &trust.pin;
    const larch_trust_basis basis = larch_trust_record(now_trusted, now_ms);
    const bool is_same = pin->known && is_same_fingerprint(&pin->fingerprint, &basis.pin);
    const bool is_moved = pin->known && pin->fingerprint.kind != basis.pin.kind;
    trust.endorsed = basis.pin.kind == LARCH_FINGERPRINT_IDENTITY;
    trust.endorsed_ms = now_ms - basis.age_ms;
    if (is_same && pin->keys_len == basis.ek.len + basis.root_ek.len &&
        larch_bytes_equal(larch_pin_direct_key(pin, trust.kem), basis.ek))
        return; /* a root key of an identity on record is always the one that it names */
    pin->fingerprint = basis.pin;
    memcpy(pin->keys, basis.ek.data, basis.ek.len);
    if (basis.root_ek.len > 0)
        memcpy(pin->keys + basis.ek.len, basis.root_ek.data, basis.root_ek.len);
    pin->keys_len = basis.ek.len + basis.root_ek.len;
    trust.open = false;
    save();
    if (is_moved)
        larch_say("pin: the pinned key vouched for the gateway's identity, which takes its place");
    else if (larch_trust_rotated(now_trusted))
        larch_say("pin: %s endorsed a new one", trust.endorsed ? "the identity's root key" : "the old key");
    larch_trust_say();
}

static void say_key(void)
{
    char text[LARCH_FINGERPRINT_TEXT_LEN + 1];
    uint8_t bytes[LARCH_FINGERPRINT_LEN];
    if (trust.pin.fingerprint.kind != LARCH_FINGERPRINT_IDENTITY || !larch_trust_seen_key(bytes))
        return;
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, bytes, text);
    larch_say("pin: that identity's present key is %s", text);
}

void larch_trust_say(void)
{
    char text[LARCH_FINGERPRINT_TEXT_LEN + 1] = "none";
    const larch_peer *gateway = larch_trust_gateway();
    if (trust.pin.known)
        larch_fingerprint_format(trust.pin.fingerprint.kind, trust.pin.fingerprint.bytes, text);
    if (gateway == NULL)
        larch_say("pin: %s, gateway to be found on this network", text);
    else
        larch_say("pin: %s, gateway %a", text, gateway);
    say_key();
}

/* ---- typed --------------------------------------------------------------- */

bool larch_trust_type_pin(larch_bytes fingerprint)
{
    larch_fingerprint typed;
    if (larch_fingerprint_parse(fingerprint, &typed) != LARCH_OK) {
        larch_say("error: a fingerprint is larch2: (an identity) or larch1: (a key), and 32 letters and digits");
        return false;
    }
    if (!is_same_fingerprint(&typed, &trust.pin.fingerprint)) {
        trust.pin.keys_len = 0;
        trust.endorsed = false;
    }
    trust.pin.fingerprint = typed;
    save();
    larch_trust_say();
    return true;
}

bool larch_trust_type_trust(void)
{
    if (trust.pin.known) {
        larch_say("error: there is a pin, and nothing but its gateway replaces it; 'forget' first");
        return false;
    }
    trust.open = true;
    return true;
}

void larch_trust_type_forget(void)
{
    if (trust.storage == NULL || larch_pin_forget(trust.storage, &trust.pin) != LARCH_OK)
        say_refusal();
    trust.open = trust.endorsed = false;
}

bool larch_trust_type_gateway(larch_bytes address)
{
    larch_peer peer = nowhere;
    if (!larch_bytes_equal(address, LARCH_TEXT("auto")) && !larch_typed_peer(address, &peer)) {
        larch_say("error: give a.b.c.d, a.b.c.d:port, or auto to find it on this network");
        return false;
    }
    trust.pin.gateway = peer;
    if (trust.pin.known)
        save();
    larch_trust_say();
    return true;
}
