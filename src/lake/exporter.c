/* SPDX-License-Identifier: Apache-2.0 */
/* What is derived from PRK_out. [RFC9528 4.2, A.1, H] [edhoc-psk 6] */
#include <string.h>

#include "lake_int.h"

enum { OSCORE_MASTER_SECRET = 0, OSCORE_MASTER_SALT = 1 };

/* EDHOC_Exporter(label, context, length) = EDHOC_KDF(PRK_exporter, label, context, length) */
larch_error larch_lake_export(const larch_lake_keys *keys, uint16_t label, larch_bytes context, uint8_t *out,
                              size_t len)
{
    return larch_lake_kdf(keys->suite, keys->prk_exporter, label, &context, 1, out, len);
}

/* PRK_out = EDHOC_KDF(PRK_out, 11, context, hash_length) */
larch_error larch_lake_update_keys(larch_lake_keys *keys, larch_bytes context)
{
    const larch_lake_suite *suite = keys->suite;
    larch_lake_keys next = *keys;
    larch_error e = larch_lake_kdf(suite, keys->prk_out, LAKE_KEY_UPDATE, &context, 1, next.prk_out, suite->hash_len);
    if (e == LARCH_OK)
        e = larch_lake_kdf(suite, next.prk_out, LAKE_PRK_EXPORTER, NULL, 0, next.prk_exporter, suite->hash_len);
    if (e == LARCH_OK)
        *keys = next;
    larch_wipe(&next, sizeof next);
    return e;
}

/* All that is wanted: both contexts are empty. */
static larch_error export_all(const larch_lake_keys *keys, larch_lake_oscore *oscore, larch_lake_resumption *next)
{
    lake_output outputs[LAKE_OUTPUTS] = {0};
    size_t count = 0;
    if (oscore != NULL) {
        outputs[count++] = (lake_output){OSCORE_MASTER_SECRET, oscore->master_secret, oscore->master_secret_len};
        outputs[count++] = (lake_output){OSCORE_MASTER_SALT, oscore->master_salt, sizeof oscore->master_salt};
    }
    if (next != NULL) {
        outputs[count++] = (lake_output){LARCH_LAKE_EXPORTER_RPSK, next->psk, next->psk_len};
        outputs[count++] = (lake_output){LARCH_LAKE_EXPORTER_RKID, next->kid, next->kid_len};
    }
    return larch_lake_kdf_each(keys->suite, keys->prk_exporter, (larch_bytes){0}, outputs, count);
}

static void begin_oscore(const larch_lake_keys *keys, larch_lake_oscore *out)
{
    const bool is_initiator = keys->role == LARCH_LAKE_INITIATOR;
    out->aead = larch_cose_aead_find(keys->suite->application_aead);
    out->hash = keys->suite->application_hash;
    out->master_secret_len = out->aead->key_len;
    out->sender_id = is_initiator ? keys->c_r : keys->c_i;
    out->recipient_id = is_initiator ? keys->c_i : keys->c_r;
}

larch_error larch_lake_derive(const larch_lake_keys *keys, size_t kid_len, larch_lake_oscore *oscore,
                              larch_lake_resumption *next)
{
    larch_error e = LARCH_OK;
    if (oscore != NULL) {
        memset(oscore, 0, sizeof *oscore);
        begin_oscore(keys, oscore);
    }
    if (next != NULL) {
        memset(next, 0, sizeof *next);
        next->psk_hash = keys->suite->hash;
        next->psk_len = keys->suite->hash_len;
        next->kid_len = (uint8_t)kid_len;
        e = kid_len < 1 || kid_len > sizeof next->kid ? LARCH_STATE : LARCH_OK;
    }
    if (e == LARCH_OK)
        e = export_all(keys, oscore, next);
    if (e != LARCH_OK && oscore != NULL)
        larch_wipe(oscore, sizeof *oscore);
    if (e != LARCH_OK && next != NULL)
        larch_wipe(next, sizeof *next);
    return e;
}
