/* SPDX-License-Identifier: Apache-2.0 */
/* The pin as an older larch kept it, which knew no identities. */
#ifndef LARCH_PIN_OLD_H
#define LARCH_PIN_OLD_H

#include "pin.h"

/* Once, after larch_pin_load. Where no pin was found, the old one becomes *pin, as that of one direct key, and is saved.
 * Then its files are removed: also those that a power cut left over, or the old pin would come back when *pin is
 * forgotten. LARCH_OK also if there is none; errors as larch_pin_load, with *pin as it was. */
LARCH_MUST_USE larch_error larch_pin_old_take_over(const larch_storage *storage, const larch_kem *kem, larch_pin *pin,
                                                   larch_store_fault *fault);

#endif
