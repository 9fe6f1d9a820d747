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

larch_error larch_lake_derive_oscore(const larch_lake_keys *keys, larch_lake_oscore *out)
{
    const bool is_initiator = keys->role == LARCH_LAKE_INITIATOR;
    larch_error e;
    memset(out, 0, sizeof *out);
    out->aead = larch_cose_aead_find(keys->suite->application_aead);
    out->hash = keys->suite->application_hash;
    out->master_secret_len = out->aead->key_len;
    out->sender_id = is_initiator ? keys->c_r : keys->c_i;
    out->recipient_id = is_initiator ? keys->c_i : keys->c_r;
    if ((e = larch_lake_export(keys, OSCORE_MASTER_SECRET, (larch_bytes){0}, out->master_secret,
                               out->master_secret_len)) != LARCH_OK ||
        (e = larch_lake_export(keys, OSCORE_MASTER_SALT, (larch_bytes){0}, out->master_salt,
                               sizeof out->master_salt)) != LARCH_OK)
        larch_wipe(out, sizeof *out);
    return e;
}

larch_error larch_lake_derive_resumption(const larch_lake_keys *keys, size_t kid_len, larch_lake_resumption *out)
{
    larch_error e;
    memset(out, 0, sizeof *out);
    if (kid_len < 1 || kid_len > sizeof out->kid)
        return LARCH_STATE;
    out->psk_hash = keys->suite->hash;
    out->psk_len = keys->suite->hash_len;
    out->kid_len = (uint8_t)kid_len;
    if ((e = larch_lake_export(keys, LARCH_LAKE_EXPORTER_RPSK, (larch_bytes){0}, out->psk, out->psk_len)) != LARCH_OK ||
        (e = larch_lake_export(keys, LARCH_LAKE_EXPORTER_RKID, (larch_bytes){0}, out->kid, kid_len)) != LARCH_OK)
        larch_wipe(out, sizeof *out);
    return e;
}
