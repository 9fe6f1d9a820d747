/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway that a sender trusts, as it is kept in flash: the pinned fingerprint, the keys that were seen of it, and its
 * address if it is fixed. */
#ifndef LARCH_PIN_H
#define LARCH_PIN_H

#include "larch/identity.h"
#include "larch/kem.h"
#include "larch/port.h"
#include "larch/store.h"

typedef struct larch_pin {
    bool known;                         /* whether there is one at all; else all is zero */
    larch_fingerprint fingerprint;      /* of an identity, or of one direct key */
    larch_peer gateway;                 /* all zero: to be found by discovery */
    uint8_t place;                      /* private: which of two files has the keys */
    size_t keys_len;                    /* 0: not seen yet */
    uint8_t keys[2 * LARCH_KEM_EK_MAX]; /* the direct key; behind it, of an identity, its root key */
} larch_pin;

/* LARCH_OK also if there is none. LARCH_MALFORMED, LARCH_SPACE: what stands there is not sound, see *fault;
 * LARCH_PLATFORM. The pin is zero on error. Keys that are not those on record count as not seen. */
LARCH_MUST_USE larch_error larch_pin_load(const larch_storage *storage, const larch_kem *kem, larch_pin *pin,
                                          larch_store_fault *fault);

/* Durable on LARCH_OK; a power cut leaves the old pin with its keys, or the new one with its own. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_pin_save(const larch_storage *storage, larch_pin *pin);

/* Forgets it, durably. */
LARCH_MUST_USE larch_error larch_pin_forget(const larch_storage *storage, larch_pin *pin);

/* The direct key: the pinned one, or the one that the identity's root endorsed last; empty: not seen yet. */
static inline larch_bytes larch_pin_direct_key(const larch_pin *pin, const larch_kem *kem)
{
    return pin->keys_len > 0 ? (larch_bytes){pin->keys, kem->ek_len} : (larch_bytes){0};
}

/* The identity's root key; empty: not seen yet, or no identity is pinned. */
static inline larch_bytes larch_pin_root_key(const larch_pin *pin, const larch_kem *kem)
{
    return pin->keys_len > kem->ek_len ? (larch_bytes){pin->keys + kem->ek_len, kem->ek_len} : (larch_bytes){0};
}

#endif
