/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     CCS = { ? 1: iss, 2: sub, ? 4: exp, ? 5: nbf, 8: { 1: COSE_Key } }       [RFC8392 3.1] [RFC8747 3.2]
 *     CWT = [ h'{ 1: alg }', {}, h'CCS', signature ]                           COSE_Sign1 [RFC8392 7.1]
 */
#include <string.h>

#include "lake_int.h"

enum { ISS = 1, SUB = 2, EXP = 4, NBF = 5, CNF = 8, CNF_KEY = 1 };

/* ---- writing -------------------------------------------------------------------- */

void larch_lake_put_ccs(larch_writer *w, const larch_lake_claims *claims)
{
    larch_cbor_put_map(w, 2u + (claims->iss.len > 0) + (claims->exp > 0) + (claims->nbf > 0));
    if (claims->iss.len > 0) {
        larch_cbor_put_uint(w, ISS);
        larch_cbor_put_text_bytes(w, claims->iss);
    }
    larch_cbor_put_uint(w, SUB);
    larch_cbor_put_text_bytes(w, claims->sub);
    if (claims->exp > 0) {
        larch_cbor_put_uint(w, EXP);
        larch_cbor_put_uint(w, claims->exp);
    }
    if (claims->nbf > 0) {
        larch_cbor_put_uint(w, NBF);
        larch_cbor_put_uint(w, claims->nbf);
    }
    larch_cbor_put_uint(w, CNF);
    larch_cbor_put_map(w, 1);
    larch_cbor_put_uint(w, CNF_KEY);
    larch_cose_put_key(w, &claims->key);
}

#if LAKE_PROVES
larch_error larch_lake_put_cwt(larch_writer *w, larch_bytes ccs, const larch_cose_key *authority,
                               const larch_random *random)
{
    const larch_cose_header header = {
        .present = LARCH_COSE_HAS_ALG, .protects = LARCH_COSE_HAS_ALG, .alg = authority->alg};
    return larch_cose_put_sign1(w, false, &header, authority, random, (larch_bytes){0}, ccs);
}
#endif

/* ---- reading -------------------------------------------------------------------- */

/* { 1: COSE_Key }, in the order that deterministic CBOR has: other members follow. */
static larch_error take_cnf(larch_reader *r, larch_cose_key *key)
{
    larch_bytes cnf, encoded;
    size_t pairs;
    int64_t label;
    if (larch_cbor_take_whole(r, &cnf) != LARCH_OK)
        return LARCH_MALFORMED;
    larch_reader member = larch_reader_of(cnf);
    if (larch_cbor_take_map(&member, &pairs) != LARCH_OK || pairs == 0)
        return LARCH_MALFORMED;
    if (larch_cbor_take_int(&member, &label) != LARCH_OK || label != CNF_KEY)
        return LARCH_STATE; /* an encrypted key, or a kid */
    if (larch_cbor_take_whole(&member, &encoded) != LARCH_OK)
        return LARCH_MALFORMED;
    const larch_error e = larch_cose_parse_key(encoded, key);
    return e == LARCH_OK && (key->d.len > 0 || key->priv.len > 0 || key->k.len > 0) ? LARCH_MALFORMED : e;
}

static larch_error take_time(larch_reader *r, uint64_t *time)
{
    if (larch_cbor_peek(r) == LARCH_CBOR_BYTES || larch_cbor_peek(r) == LARCH_CBOR_TEXT)
        return LARCH_MALFORMED;
    return larch_cbor_take_uint(r, time) == LARCH_OK && *time > 0 ? LARCH_OK : LARCH_STATE;
}

static larch_error take_claim(larch_reader *r, larch_lake_claims *claims)
{
    int64_t label;
    if (larch_cbor_peek(r) == LARCH_CBOR_TEXT) /* a name of somebody's own */
        return larch_cbor_take_whole(r, NULL) == LARCH_OK ? larch_cbor_take_whole(r, NULL) : LARCH_MALFORMED;
    if (larch_cbor_take_int(r, &label) != LARCH_OK)
        return LARCH_MALFORMED;
    switch (label) {
    case ISS:
        return larch_cbor_take_text(r, &claims->iss);
    case SUB:
        return larch_cbor_take_text(r, &claims->sub);
    case EXP:
        return take_time(r, &claims->exp);
    case NBF:
        return take_time(r, &claims->nbf);
    case CNF:
        return take_cnf(r, &claims->key);
    default:
        return larch_cbor_take_whole(r, NULL);
    }
}

static larch_error parse(larch_bytes in, larch_lake_claims *claims)
{
    larch_reader whole = larch_reader_of(in), r = whole;
    larch_error e;
    size_t pairs;
    if (larch_cbor_take_whole(&whole, NULL) != LARCH_OK || whole.left.len > 0 ||
        (e = larch_cbor_take_map(&r, &pairs)) != LARCH_OK)
        return LARCH_MALFORMED;
    for (; e == LARCH_OK && pairs > 0; pairs--)
        e = take_claim(&r, claims);
    return e == LARCH_OK && (claims->sub.len == 0 || claims->key.kty == 0) ? LARCH_MALFORMED : e;
}

larch_error larch_lake_parse_ccs(larch_bytes in, larch_lake_claims *out)
{
    memset(out, 0, sizeof *out);
    const larch_error e = parse(in, out);
    if (e != LARCH_OK)
        memset(out, 0, sizeof *out);
    return e;
}

#if LAKE_PROVES
larch_error larch_lake_verify_cwt(larch_bytes in, const larch_cose_key *authority, larch_lake_claims *out)
{
    larch_cose_message m;
    larch_error e;
    memset(out, 0, sizeof *out);
    if ((e = larch_cose_parse_sign1(in, &m)) != LARCH_OK)
        return e;
    if ((m.header.protects & LARCH_COSE_HAS_ALG) == 0) /* what is not signed chooses no algorithm */
        return LARCH_STATE;
    if ((e = larch_cose_verify_sign1(&m, authority, (larch_bytes){0})) != LARCH_OK)
        return e;
    return larch_lake_parse_ccs(m.content, out);
}
#endif

larch_error larch_lake_check_times(const larch_lake_claims *claims, uint64_t now)
{
    return (claims->nbf > 0 && now < claims->nbf) || (claims->exp > 0 && now >= claims->exp) ? LARCH_AUTH : LARCH_OK;
}
