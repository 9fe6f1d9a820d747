/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway that a sender trusts, as it is kept in flash: the fingerprint of its key, the key itself once it was
 * seen (it endorses the next one), and its address if it is fixed. */
#ifndef LARCH_PIN_H
#define LARCH_PIN_H

#include "larch/direct.h"
#include "larch/port.h"
#include "larch/store.h"

typedef struct larch_pin {
    bool known; /* whether there is one at all; else all is zero */
    uint8_t fingerprint[LARCH_FINGERPRINT_LEN];
    larch_peer gateway; /* all zero: to be found by discovery */
    uint8_t place;      /* private: which of two files has the key */
    size_t ek_len;      /* 0: not seen yet */
    uint8_t ek[LARCH_KEM_EK_MAX];
} larch_pin;

/* LARCH_OK also if there is none. LARCH_MALFORMED, LARCH_SPACE: what stands there is not sound, see *fault;
 * LARCH_PLATFORM. The pin is zero on error. A key that does not fit the fingerprint counts as not seen. */
LARCH_MUST_USE larch_error larch_pin_load(const larch_storage *storage, const larch_kem *kem, larch_pin *pin,
                                          larch_store_fault *fault);

/* Durable on LARCH_OK; a power cut leaves the old pin with its key, or the new one with its own. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_pin_save(const larch_storage *storage, larch_pin *pin);

/* Forgets it, durably. */
LARCH_MUST_USE larch_error larch_pin_forget(const larch_storage *storage, larch_pin *pin);

#endif
