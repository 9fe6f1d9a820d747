/* SPDX-License-Identifier: Apache-2.0 */
/* What several messages are made of: identifiers, ID_CRED_x and EAD items. */
#include <string.h>

#include "lake_int.h"

/* COSE header parameters that name a credential. [RFC9052 3.1] [RFC9528 10.7] */
enum { KID = 4, KCWT = 13, KCCS = 14 };

/* ---- identifiers [RFC9528 3.3.2] ----------------------------------------------- */

/* Whether this is the encoding of a number from -24 to 23. */
static bool is_number(larch_bytes b) { return b.len == 1 && (b.data[0] & 0xdf) <= 0x17; } /* 00 to 17, 20 to 37 */

void larch_lake_put_identifier(larch_writer *w, larch_bytes identifier)
{
    if (is_number(identifier))
        larch_writer_put(w, identifier);
    else
        larch_cbor_put_bytes(w, identifier);
}

larch_error larch_lake_take_identifier(larch_reader *r, larch_bytes *out)
{
    larch_reader rest = *r;
    larch_bytes bytes;
    if (larch_cbor_peek(r) == LARCH_CBOR_BYTES) {
        if (larch_cbor_take_bytes(&rest, &bytes) != LARCH_OK || is_number(bytes))
            return LARCH_MALFORMED;
    } else if (larch_reader_take(&rest, 1, &bytes) != LARCH_OK || !is_number(bytes)) {
        return LARCH_MALFORMED;
    }
    *r = rest;
    *out = bytes;
    return LARCH_OK;
}

larch_error larch_lake_take_only(larch_bytes in, larch_bytes *out)
{
    larch_reader r = larch_reader_of(in);
    const larch_error e = larch_cbor_take_bytes(&r, out);
    return e == LARCH_OK && r.left.len > 0 ? LARCH_MALFORMED : e;
}

/* ---- ID_CRED_x [RFC9528 3.5.3] --------------------------------------------------- */

static const int32_t labels[] = {[LARCH_LAKE_BY_KID] = KID,
                                 [LARCH_LAKE_BY_CCS] = KCCS,
                                 [LARCH_LAKE_BY_CWT] = KCWT,
                                 [LARCH_LAKE_BY_CWT_HASH] = LARCH_LAKE_HEADER_CWT_HASH};

void larch_lake_put_id_cred(larch_writer *w, larch_lake_reference_kind kind, larch_bytes value)
{
    larch_cbor_put_map(w, 1);
    larch_cbor_put_int(w, labels[kind]);
    if (kind == LARCH_LAKE_BY_CWT_HASH) {
        larch_cbor_put_array(w, 2);
        larch_cbor_put_int(w, LARCH_COSE_SHA_256);
    }
    if (kind == LARCH_LAKE_BY_KID || kind == LARCH_LAKE_BY_CWT_HASH)
        larch_cbor_put_bytes(w, value);
    else
        larch_writer_put(w, value);
}

larch_bytes larch_lake_lone_kid(larch_bytes id_cred)
{
    larch_reader r = larch_reader_of(id_cred);
    larch_bytes kid;
    size_t pairs;
    int64_t label;
    return larch_cbor_take_map(&r, &pairs) == LARCH_OK && pairs == 1 && larch_cbor_take_int(&r, &label) == LARCH_OK &&
                   label == KID && larch_cbor_take_bytes(&r, &kid) == LARCH_OK
               ? kid
               : (larch_bytes){0};
}

void larch_lake_put_sent_id_cred(larch_writer *w, larch_bytes id_cred)
{
    const larch_bytes kid = larch_lake_lone_kid(id_cred);
    if (kid.data != NULL)
        larch_lake_put_identifier(w, kid);
    else
        larch_writer_put(w, id_cred);
}

/* [ -16, hash ] */
static larch_error take_hash(larch_reader *r, larch_bytes *hash)
{
    size_t count;
    int64_t algorithm;
    larch_error e;
    if (larch_cbor_take_array(r, &count) != LARCH_OK || count != 2)
        return LARCH_MALFORMED;
    if ((e = larch_cbor_take_int(r, &algorithm)) != LARCH_OK)
        return e;
    if (algorithm != LARCH_COSE_SHA_256)
        return LARCH_STATE;
    e = larch_cbor_take_bytes(r, hash);
    return e == LARCH_OK && hash->len != LARCH_SHA256_LEN ? LARCH_MALFORMED : e;
}

/* COSE_Sign1, without its tag [RFC9528 3.5.2] */
static larch_error take_cwt(larch_reader *r, larch_bytes *cwt)
{
    uint64_t tag;
    if (larch_cbor_peek(r) == LARCH_CBOR_TAG && (larch_cbor_take_tag(r, &tag) != LARCH_OK || tag != 18))
        return LARCH_STATE;
    return larch_cbor_take_whole(r, cwt);
}

/* The only member of a map that was checked as a whole. */
static larch_error take_reference(larch_reader *r, larch_lake_reference *out)
{
    size_t pairs;
    int64_t label;
    if (larch_cbor_take_map(r, &pairs) != LARCH_OK)
        return LARCH_MALFORMED;
    if (pairs != 1 || larch_cbor_take_int(r, &label) != LARCH_OK)
        return LARCH_STATE;
    switch (label) {
    case KID: /* the map of a lone kid is never sent [RFC9528 3.5.3.2] */
        return LARCH_MALFORMED;
    case KCCS:
        out->kind = LARCH_LAKE_BY_CCS;
        return larch_cbor_take_whole(r, &out->value);
    case KCWT:
        out->kind = LARCH_LAKE_BY_CWT;
        return take_cwt(r, &out->value);
    case LARCH_LAKE_HEADER_CWT_HASH:
        out->kind = LARCH_LAKE_BY_CWT_HASH;
        return take_hash(r, &out->value);
    default:
        return LARCH_STATE;
    }
}

larch_error larch_lake_take_id_cred(larch_reader *r, uint8_t map[LAKE_KID_MAP_MAX], larch_lake_reference *out)
{
    if (larch_cbor_peek(r) == LARCH_CBOR_MAP) {
        const larch_error e = larch_cbor_take_whole(r, &out->id_cred);
        larch_reader member = larch_reader_of(out->id_cred);
        return e == LARCH_OK ? take_reference(&member, out) : e;
    }
    const larch_error e = larch_lake_take_identifier(r, &out->value);
    if (e != LARCH_OK)
        return e;
    if (out->value.len > LARCH_LAKE_KID_MAX)
        return LARCH_STATE;
    larch_writer w = larch_writer_to(map, LAKE_KID_MAP_MAX);
    out->kind = LARCH_LAKE_BY_KID;
    larch_lake_put_id_cred(&w, LARCH_LAKE_BY_KID, out->value);
    return larch_writer_finish(&w, &out->id_cred);
}

/* ---- EAD [RFC9528 3.8] ------------------------------------------------------------ */

void larch_lake_put_ead(larch_writer *w, const larch_lake_ead *ead)
{
    larch_cbor_put_int(w, ead->is_critical ? -(int64_t)ead->label : ead->label);
    if (ead->has_value)
        larch_cbor_put_bytes(w, ead->value);
}

larch_error larch_lake_take_ead(larch_reader *r, larch_lake_ead *ead)
{
    larch_reader rest = *r;
    larch_lake_ead item = {0};
    int64_t label;
    if (r->left.len == 0)
        return LARCH_AGAIN;
    if (larch_cbor_take_int(&rest, &label) != LARCH_OK)
        return LARCH_MALFORMED;
    if (label > UINT16_MAX || label < -UINT16_MAX)
        return LARCH_STATE;
    item.is_critical = label < 0;
    item.label = (uint16_t)(label < 0 ? -label : label);
    item.has_value = larch_cbor_peek(&rest) == LARCH_CBOR_BYTES;
    if (item.has_value && larch_cbor_take_bytes(&rest, &item.value) != LARCH_OK)
        return LARCH_MALFORMED;
    *r = rest;
    *ead = item;
    return LARCH_OK;
}

static bool is_processed(const larch_lake_party *party, uint16_t label)
{
    for (size_t i = 0; i < party->ead_count; i++)
        if (party->eads[i] == label)
            return true;
    return false;
}

larch_error larch_lake_check_ead(const larch_lake_party *party, larch_bytes ead)
{
    larch_reader r = larch_reader_of(ead);
    larch_lake_ead item;
    larch_error e;
    while ((e = larch_lake_take_ead(&r, &item)) == LARCH_OK)
        if (item.is_critical && !is_processed(party, item.label))
            return LARCH_STATE;
    return e == LARCH_AGAIN ? LARCH_OK : e;
}
