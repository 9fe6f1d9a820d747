/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/cbor.h"
#include "oscore_int.h"

size_t larch_oscore_partial_iv(uint64_t number, uint8_t out[LARCH_OSCORE_PARTIAL_IV_MAX])
{
    size_t len = 1;
    while (len < LARCH_OSCORE_PARTIAL_IV_MAX && number >> (8 * len) != 0)
        len++;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(number >> (8 * (len - 1 - i)));
    return len;
}

void larch_oscore_bind(larch_oscore_binding *binding, larch_bytes kid, larch_bytes partial_iv)
{
    memset(binding, 0, sizeof *binding);
    binding->kid_len = (uint8_t)kid.len;
    binding->partial_iv_len = (uint8_t)partial_iv.len;
    if (kid.len > 0)
        memcpy(binding->kid, kid.data, kid.len);
    if (partial_iv.len > 0)
        memcpy(binding->partial_iv, partial_iv.data, partial_iv.len);
}

/*
 *     0              1                        n - 5        n
 *    +--------------+------------------------+------------+
 *    | length of ID | ID, zeros in front     | Partial IV,|  xor Common IV
 *    |              | (n - 6)                | zeros (5)  |
 *    +--------------+------------------------+------------+
 */
void larch_oscore_nonce(const larch_oscore_context *context, larch_bytes id, larch_bytes partial_iv,
                        uint8_t nonce[LARCH_COSE_AEAD_NONCE_MAX])
{
    const size_t len = context->aead->nonce_len;
    memset(nonce, 0, LARCH_COSE_AEAD_NONCE_MAX);
    nonce[0] = (uint8_t)id.len;
    if (id.len > 0)
        memcpy(nonce + len - LARCH_OSCORE_PARTIAL_IV_MAX - id.len, id.data, id.len);
    if (partial_iv.len > 0)
        memcpy(nonce + len - partial_iv.len, partial_iv.data, partial_iv.len);
    for (size_t i = 0; i < LARCH_COSE_AEAD_NONCE_MAX; i++) /* behind the nonce's length both are 0 */
        nonce[i] ^= context->common_iv[i];
}

/* aad_array = [1, [alg_aead], request_kid, request_piv, options of class I: none] */
larch_bytes larch_oscore_aad(const larch_oscore_context *context, const larch_oscore_binding *binding,
                             uint8_t out[OSCORE_AAD_MAX])
{
    uint8_t array[4 + 2 + 1 + LARCH_OSCORE_ID_MAX + 1 + LARCH_OSCORE_PARTIAL_IV_MAX + 1];
    larch_writer inner = larch_writer_to(array, sizeof array), w = larch_writer_to(out, OSCORE_AAD_MAX);
    _Static_assert(1 + 9 + 1 + 2 + sizeof array <= OSCORE_AAD_MAX, "Enc_structure");
    larch_cbor_put_array(&inner, 5);
    larch_cbor_put_uint(&inner, 1);
    larch_cbor_put_array(&inner, 1);
    larch_cbor_put_int(&inner, context->aead->number);
    larch_cbor_put_bytes(&inner, larch_oscore_kid_of(binding));
    larch_cbor_put_bytes(&inner, larch_oscore_partial_iv_of(binding));
    larch_cbor_put_bytes(&inner, (larch_bytes){NULL, 0});
    larch_cose_put_enc_structure(&w, "Encrypt0", (larch_bytes){NULL, 0}, (larch_bytes){array, inner.len});
    return (larch_bytes){out, w.len};
}

bool larch_oscore_is_outer(uint16_t option)
{
    switch (option) {
    case LARCH_COAP_OPT_URI_HOST:
    case LARCH_COAP_OPT_URI_PORT:
    case LARCH_COAP_OPT_OSCORE:
    case LARCH_COAP_OPT_HOP_LIMIT:
    case LARCH_COAP_OPT_EDHOC:
    case LARCH_COAP_OPT_PROXY_URI:
    case LARCH_COAP_OPT_PROXY_SCHEME:
        return true;
    default: /* an unknown one too [RFC8613 4.1] */
        return false;
    }
}
