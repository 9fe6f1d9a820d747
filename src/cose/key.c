/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COSE_Key = { 1 => kty, ? 2 => kid, ? 3 => alg, ? 4 => key_ops, ? 5 => Base IV, * label => any } [RFC9052 7]
 *
 *     kty        -1    -2    -3          -4
 *     OKP 1      crv   x                 d       [RFC9053 7.2]
 *     EC2 2      crv   x     y or bool   d       [RFC9053 7.1]
 *     Symmetric 4  k                             [RFC9053 7.3]
 *     AKP 7      pub   priv                      [RFC9964]
 */
#include <string.h>

#include "cose/cose_int.h"
#include "larch/sig.h"

#define COORDINATE_LEN 32 /* of each curve that larch reads */
#define OPS            10 /* key operations [RFC9052 7.1, table 5] */

enum { KTY = 1, KID = 2, ALG = 3, KEY_OPS = 4, BASE_IV = 5 };

/* The place of a member that is a byte string; NULL for any other. */
static larch_bytes *string_of(larch_cose_key *key, int64_t label)
{
    if (label == KID)
        return &key->kid;
    if (label == BASE_IV)
        return &key->base_iv;
    switch (key->kty) {
    case LARCH_COSE_OKP:
    case LARCH_COSE_EC2:
        return label == -2                                 ? &key->x
               : label == -3 && key->kty == LARCH_COSE_EC2 ? &key->y
               : label == -4                               ? &key->d
                                                           : NULL;
    case LARCH_COSE_SYMMETRIC:
        return label == -1 ? &key->k : NULL;
    default: /* AKP */
        return label == -1 ? &key->pub : label == -2 ? &key->priv : NULL;
    }
}

static bool has_curve(const larch_cose_key *key) { return key->kty == LARCH_COSE_OKP || key->kty == LARCH_COSE_EC2; }

/* ---- reading ----------------------------------------------------------------- */

/* A number; what may be a text is not ours then. */
static larch_error take_number(larch_reader *r, int64_t *number)
{
    if (larch_cbor_peek(r) == LARCH_CBOR_TEXT)
        return LARCH_STATE;
    return larch_cbor_take_int(r, number);
}

static larch_error take_ops(larch_reader *r, uint16_t *ops)
{
    size_t count;
    larch_error e = larch_cbor_take_array(r, &count);
    if (e != LARCH_OK || count == 0)
        return LARCH_MALFORMED;
    *ops = 1; /* what larch does not know allows nothing that it does */
    for (; e == LARCH_OK && count > 0; count--) {
        int64_t op = 0;
        larch_bytes text;
        e = larch_cbor_peek(r) == LARCH_CBOR_TEXT ? larch_cbor_take_text(r, &text) : larch_cbor_take_int(r, &op);
        if (op >= 1 && op <= OPS)
            *ops |= (uint16_t)(1u << op);
    }
    return e;
}

static larch_error take_y(larch_reader *r, larch_cose_key *key)
{
    if (larch_cbor_peek(r) == LARCH_CBOR_BYTES)
        return larch_cbor_take_bytes(r, &key->y);
    key->has_y_sign = true;
    key->y_sign = larch_cbor_take_simple(r, LARCH_CBOR_TRUE) == LARCH_OK;
    return key->y_sign ? LARCH_OK : larch_cbor_take_simple(r, LARCH_CBOR_FALSE);
}

static larch_error take_member(larch_reader *r, larch_cose_key *key)
{
    larch_bytes text;
    int64_t label;
    larch_error e;
    if (larch_cbor_peek(r) == LARCH_CBOR_TEXT)
        return larch_cbor_take_text(r, &text) == LARCH_OK ? larch_cbor_take_whole(r, NULL) : LARCH_MALFORMED;
    if ((e = larch_cbor_take_int(r, &label)) != LARCH_OK)
        return e;
    larch_bytes *string = string_of(key, label);
    if (label == ALG)
        return take_number(r, &key->alg);
    if (label == KEY_OPS)
        return take_ops(r, &key->ops);
    if (label == -1 && has_curve(key))
        return take_number(r, &key->crv);
    if (label == -3 && key->kty == LARCH_COSE_EC2)
        return take_y(r, key);
    return string != NULL ? larch_cbor_take_bytes(r, string) : larch_cbor_take_whole(r, NULL);
}

static bool is_absent_or(larch_bytes value, size_t len) { return value.len == 0 || value.len == len; }

static larch_error check_curve(const larch_cose_key *key)
{
    const bool is_known = key->kty == LARCH_COSE_EC2 ? key->crv == LARCH_COSE_P256
                                                     : key->crv == LARCH_COSE_X25519 || key->crv == LARCH_COSE_ED25519;
    if (key->crv == 0) /* reserved; so it stands for none */
        return LARCH_MALFORMED;
    if (!is_known)
        return LARCH_STATE;
    const bool has_point = key->x.len > 0, has_y = key->y.len > 0 || key->has_y_sign;
    if ((!has_point && key->d.len == 0) || (key->kty == LARCH_COSE_EC2 && has_y != has_point))
        return LARCH_MALFORMED;
    return is_absent_or(key->x, COORDINATE_LEN) && is_absent_or(key->y, COORDINATE_LEN) &&
                   is_absent_or(key->d, COORDINATE_LEN)
               ? LARCH_OK
               : LARCH_MALFORMED;
}

static larch_error check_akp(const larch_cose_key *key)
{
    const bool fits_number = key->alg >= INT16_MIN && key->alg <= INT16_MAX;
    const larch_sig *sig = fits_number ? larch_sig_find((int)key->alg) : NULL;
    const larch_kem *kem = larch_cose_kem_find(key->alg);
    if (key->alg == 0 || key->pub.len == 0) /* both are required */
        return LARCH_MALFORMED;
    if (sig == NULL && kem == NULL)
        return LARCH_STATE;
    const size_t pub_len = sig != NULL ? sig->pk_len : kem->ek_len;
    const size_t priv_len = sig != NULL ? sig->seed_len : kem->seed_len;
    return key->pub.len == pub_len && is_absent_or(key->priv, priv_len) ? LARCH_OK : LARCH_MALFORMED;
}

static larch_error check(const larch_cose_key *key)
{
    if (key->kty == LARCH_COSE_SYMMETRIC)
        return key->k.len > 0 ? LARCH_OK : LARCH_MALFORMED;
    return key->kty == LARCH_COSE_AKP ? check_akp(key) : check_curve(key);
}

static larch_error parse(larch_bytes in, larch_cose_key *key)
{
    larch_reader whole = larch_reader_of(in), r = whole;
    int64_t label;
    size_t pairs;
    larch_error e;
    if (larch_cbor_take_whole(&whole, NULL) != LARCH_OK || whole.left.len > 0 ||
        larch_cbor_take_map(&r, &pairs) != LARCH_OK || pairs == 0)
        return LARCH_MALFORMED;
    /* kty is required, and its label is the first in order but for 0, which is reserved */
    if (larch_cbor_take_int(&r, &label) != LARCH_OK || label != KTY)
        return LARCH_MALFORMED;
    if ((e = take_number(&r, &key->kty)) != LARCH_OK)
        return e;
    if (key->kty != LARCH_COSE_SYMMETRIC && key->kty != LARCH_COSE_AKP && !has_curve(key))
        return LARCH_STATE;
    for (; e == LARCH_OK && pairs > 1; pairs--)
        e = take_member(&r, key);
    return e == LARCH_OK ? check(key) : e;
}

larch_error larch_cose_parse_key(larch_bytes in, larch_cose_key *out)
{
    memset(out, 0, sizeof *out);
    const larch_error e = parse(in, out);
    if (e != LARCH_OK)
        memset(out, 0, sizeof *out);
    return e;
}

/* ---- writing ----------------------------------------------------------------- */

/* Puts a member that is present; returns whether it is. w: NULL counts alone. */
static size_t put_member(larch_writer *w, larch_cose_key *key, int64_t label)
{
    const bool is_y_sign = label == -3 && key->kty == LARCH_COSE_EC2 && key->has_y_sign;
    const bool is_crv = label == -1 && has_curve(key);
    const larch_bytes *string = string_of(key, label);
    const bool is_number = label == KTY || (label == ALG && key->alg != 0) || is_crv;
    if (!is_number && !is_y_sign && (string == NULL || string->len == 0))
        return 0;
    if (w == NULL)
        return 1;
    larch_cbor_put_int(w, label);
    if (is_number)
        larch_cbor_put_int(w, label == KTY ? key->kty : is_crv ? key->crv : key->alg);
    else if (is_y_sign)
        larch_cbor_put_simple(w, key->y_sign ? LARCH_CBOR_TRUE : LARCH_CBOR_FALSE);
    else
        larch_cbor_put_bytes(w, *string);
    return 1;
}

void larch_cose_put_key(larch_writer *w, const larch_cose_key *key)
{
    static const int8_t labels[] = {KTY, KID, ALG, BASE_IV, -1, -2, -3, -4};
    larch_cose_key copy = *key;
    size_t count = 0;
    for (size_t i = 0; i < sizeof labels; i++)
        count += put_member(NULL, &copy, labels[i]);
    larch_cbor_put_map(w, count);
    for (size_t i = 0; i < sizeof labels; i++)
        (void)put_member(w, &copy, labels[i]);
}
