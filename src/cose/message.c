/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     COSE_Encrypt0 = #6.16([ Headers, ciphertext ])                          [RFC9052 5.2]
 *     COSE_Encrypt  = #6.96([ Headers, ciphertext, [ + COSE_recipient ] ])    [RFC9052 5.1]
 *     COSE_recipient =      [ Headers, ciphertext, ? recipients ]
 *     COSE_Sign1    = #6.18([ Headers, payload, signature ])                  [RFC9052 4.2]
 *
 * Headers are two items; ciphertext and payload are byte strings, or nil if they are elsewhere.
 */
#include <string.h>

#include "cose/cose_int.h"

static larch_error take_content(larch_reader *r, larch_cose_message *out)
{
    out->is_detached = larch_cbor_peek(r) == LARCH_CBOR_SIMPLE;
    return out->is_detached ? larch_cbor_take_simple(r, LARCH_CBOR_NULL) : larch_cbor_take_bytes(r, &out->content);
}

/* Takes all of in up to the content, and leaves what follows it in r. tag: 0 if the structure has none. */
static larch_error begin(larch_bytes in, uint64_t tag, size_t count, larch_reader *r, larch_cose_message *out)
{
    larch_reader whole = larch_reader_of(in);
    uint64_t found;
    size_t items;
    larch_error e;
    memset(out, 0, sizeof *out);
    *r = whole;
    if (larch_cbor_take_whole(&whole, NULL) != LARCH_OK || whole.left.len > 0)
        return LARCH_MALFORMED;
    out->is_tagged = larch_cbor_peek(r) == LARCH_CBOR_TAG;
    if (out->is_tagged && (larch_cbor_take_tag(r, &found) != LARCH_OK || found != tag))
        return LARCH_MALFORMED;
    if (larch_cbor_take_array(r, &items) != LARCH_OK || items != count)
        return LARCH_MALFORMED;
    if ((e = larch_cose_take_header(r, &out->header)) != LARCH_OK)
        return e;
    return take_content(r, out);
}

static larch_error end(larch_error e, larch_cose_message *out)
{
    if (e != LARCH_OK)
        memset(out, 0, sizeof *out);
    return e;
}

larch_error larch_cose_parse_encrypt0(larch_bytes in, larch_cose_message *out)
{
    larch_reader r;
    return end(begin(in, COSE_TAG_ENCRYPT0, 3, &r, out), out);
}

larch_error larch_cose_parse_encrypt(larch_bytes in, larch_cose_message *out)
{
    larch_reader r;
    larch_error e = begin(in, COSE_TAG_ENCRYPT, 4, &r, out);
    if (e == LARCH_OK)
        e = larch_cbor_take_array(&r, &out->recipient_count);
    if (e == LARCH_OK && out->recipient_count == 0)
        e = LARCH_MALFORMED;
    out->recipients = r;
    return end(e, out);
}

larch_error larch_cose_parse_sign1(larch_bytes in, larch_cose_message *out)
{
    larch_reader r;
    larch_error e = begin(in, COSE_TAG_SIGN1, 4, &r, out);
    if (e == LARCH_OK)
        e = larch_cbor_take_bytes(&r, &out->signature);
    return end(e, out);
}

larch_error larch_cose_take_recipient(larch_reader *recipients, larch_cose_message *out)
{
    larch_reader rest = *recipients, r, front;
    larch_bytes whole;
    size_t items;
    memset(out, 0, sizeof *out);
    if (larch_cbor_take_whole(&rest, &whole) != LARCH_OK)
        return LARCH_MALFORMED;
    front = larch_reader_of(whole);
    if (larch_cbor_take_array(&front, &items) != LARCH_OK || (items != 3 && items != 4) ||
        larch_cbor_peek(&front) != LARCH_CBOR_BYTES)
        return LARCH_MALFORMED;
    const larch_error e = items == 4 ? LARCH_STATE : end(begin(whole, 0, 3, &r, out), out);
    if (e == LARCH_OK)
        *recipients = rest;
    return e;
}
