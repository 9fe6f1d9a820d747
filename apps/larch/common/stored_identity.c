/* SPDX-License-Identifier: Apache-2.0 */
#include "common/stored_identity.h"

#include <string.h>

static larch_error identity_of(const larch_stored_identity *stored, uint8_t identity[LARCH_FINGERPRINT_LEN])
{
    larch_identity_document document = {.founding = stored->founding, .count = stored->count};
    for (size_t i = 0; i < stored->count; i++) {
        const larch_stored_identity_key *key = &stored->keys[i];
        document.entries[i] = (larch_identity_entry){.kind = key->kind, .algorithm = key->algorithm};
        memcpy(document.entries[i].hash, key->hash, sizeof key->hash);
    }
    return larch_identity_of(&document, identity);
}

larch_error larch_app_stored_identity(const larch_storage *storage, uint8_t identity[LARCH_FINGERPRINT_LEN],
                                      larch_store_fault *fault)
{
    larch_stored_identity stored;
    larch_error e = larch_stored_identity_load(storage, &stored, fault);
    if (e == LARCH_OK)
        e = identity_of(&stored, identity);
    larch_wipe(&stored, sizeof stored);
    return e;
}
