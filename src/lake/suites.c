/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lake_int.h"

#define HASH_LEN(hash) ((hash) == LARCH_COSE_SHAKE256 ? 64 : (hash) == LARCH_COSE_SHA_384 ? 48 : 32)

#define ROW(number, aead, hash, mac_len, exchange, signature, application_aead, application_hash, text) \
    {(number),                                                                                          \
     LARCH_COSE_##aead,                                                                                 \
     LARCH_COSE_##hash,                                                                                 \
     HASH_LEN(LARCH_COSE_##hash),                                                                       \
     (mac_len),                                                                                         \
     LARCH_COSE_##signature,                                                                            \
     LARCH_COSE_##application_aead,                                                                     \
     LARCH_COSE_##application_hash,                                                                     \
     (exchange),                                                                                        \
     (exchange) == LARCH_LAKE_P256,                                                                     \
     (text)},
static const larch_lake_suite suites[] = {LARCH_LAKE_SUITES(ROW)};
#undef ROW

static const lake_method methods[] = {
    {.number = LARCH_LAKE_METHOD_PSK, .is_psk = true},
#if LAKE_PROVES
    {.number = LARCH_LAKE_METHOD_SIGNATURES, .signs = true},
#endif
#if LARCH_ECC
    {.number = LARCH_LAKE_METHOD_STATIC_DH, .needs_dh = true},
#endif
};

const larch_lake_suite *larch_lake_suite_find(int64_t number)
{
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        if (suites[i].number == number)
            return larch_lake_exchange_is_built(&suites[i]) ? &suites[i] : NULL;
    return NULL;
}

const lake_method *larch_lake_method_find(unsigned number)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (methods[i].number == number)
            return &methods[i];
    return NULL;
}

bool larch_lake_method_fits(unsigned method, const larch_lake_suite *suite)
{
    const lake_method *m = larch_lake_method_find(method);
    if (m == NULL || (m->needs_dh && !suite->supports_dh))
        return false;
    return !m->signs || larch_cose_signature_len(suite->signature) > 0;
}

size_t larch_lake_id_max(const larch_lake_suite *suite)
{
    const size_t room = larch_cose_aead_find(suite->application_aead)->nonce_len - 6u;
    return room < LARCH_LAKE_ID_MAX ? room : LARCH_LAKE_ID_MAX;
}

larch_lake_id larch_lake_id_of(larch_bytes bytes)
{
    larch_lake_id id = {.len = (uint8_t)bytes.len};
    if (bytes.len > 0)
        memcpy(id.bytes, bytes.data, bytes.len);
    return id;
}
