/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/cbor.h"
#include "oscore_int.h"

#define INFO_MAX 64

_Static_assert(sizeof(larch_oscore_context) <= 256, "RAM budget");
_Static_assert(1 + 1 + LARCH_OSCORE_ID_MAX + 1 + LARCH_OSCORE_ID_CONTEXT_MAX + 3 + 4 + 2 <= INFO_MAX, "info");

/* info = [id, id_context / nil, alg_aead, type, L] [RFC8613 3.2.1] */
static larch_error derive(const larch_oscore_parameters *p, larch_bytes id, const char *type, uint8_t *out, size_t len)
{
    uint8_t bytes[INFO_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_bytes info;
    larch_cbor_put_array(&w, 5);
    larch_cbor_put_bytes(&w, id);
    if (p->id_context.data != NULL)
        larch_cbor_put_bytes(&w, p->id_context);
    else
        larch_cbor_put_simple(&w, LARCH_CBOR_NULL);
    larch_cbor_put_int(&w, p->aead->number);
    larch_cbor_put_text(&w, type);
    larch_cbor_put_uint(&w, len);
    const larch_error e = larch_writer_finish(&w, &info);
    return e == LARCH_OK ? larch_cose_hkdf(p->hash, p->master_salt, p->master_secret, info, out, len) : e;
}

/* The nonce has 6 bytes for the length and the number. [RFC8613 3.3, 5.2] */
static bool is_usable(const larch_oscore_parameters *p)
{
    const size_t id_max = p->aead->nonce_len - 6u < LARCH_OSCORE_ID_MAX ? p->aead->nonce_len - 6u : LARCH_OSCORE_ID_MAX;
    return p->sender_id.len <= id_max && p->recipient_id.len <= id_max &&
           p->id_context.len <= LARCH_OSCORE_ID_CONTEXT_MAX && !larch_bytes_equal(p->sender_id, p->recipient_id);
}

static uint8_t copy(uint8_t *out, larch_bytes bytes)
{
    if (bytes.len > 0)
        memcpy(out, bytes.data, bytes.len);
    return (uint8_t)bytes.len;
}

/* An ID context that is absent is marked by a length that none has. */
#define NO_ID_CONTEXT UINT8_MAX

larch_error larch_oscore_context_init(larch_oscore_context *context, const larch_oscore_parameters *p)
{
    larch_error e = LARCH_STATE;
    memset(context, 0, sizeof *context);
    if (is_usable(p) && (e = derive(p, p->sender_id, "Key", context->sender_key, p->aead->key_len)) == LARCH_OK &&
        (e = derive(p, p->recipient_id, "Key", context->recipient_key, p->aead->key_len)) == LARCH_OK)
        e = derive(p, (larch_bytes){NULL, 0}, "IV", context->common_iv, p->aead->nonce_len);
    if (e != LARCH_OK) {
        larch_oscore_context_wipe(context);
        return e;
    }
    context->aead = p->aead;
    context->sender_id_len = copy(context->sender_id, p->sender_id);
    context->recipient_id_len = copy(context->recipient_id, p->recipient_id);
    context->id_context_len = p->id_context.data != NULL ? copy(context->id_context, p->id_context) : NO_ID_CONTEXT;
    return LARCH_OK;
}

void larch_oscore_context_wipe(larch_oscore_context *context) { larch_wipe(context, sizeof *context); }

/* ---- own numbers --------------------------------------------------------- */

void larch_oscore_grant(larch_oscore_context *context, uint64_t first, uint64_t end)
{
    if (end > LARCH_OSCORE_NUMBER_MAX + 1)
        end = LARCH_OSCORE_NUMBER_MAX + 1;
    if (first > context->own_number)
        context->own_number = first;
    context->own_end = end;
}

larch_error larch_oscore_take_number(larch_oscore_context *context, uint64_t *number)
{
    if (context->own_number >= context->own_end)
        return LARCH_SPENT;
    *number = context->own_number++;
    return LARCH_OK;
}
