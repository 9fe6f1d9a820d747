/* SPDX-License-Identifier: Apache-2.0 */
#include "larch/enrolment.h"

#include <string.h>

#include "larch/cbor.h"

enum {
    VERSION = 1,
    NAME = 2,
    KID = 3,
    PSK = 4,
    HASH = 5,
    IDENTITY = 6,
    AUTHORITY = 7,
    KEY = 8,
    METHOD = 9,
    SUITE = 10,
    REFERENCE = 11
};

#define PRESENT_VERSION 1
#define REQUIRED        6u /* members that are always there */

/* ---- what fits --------------------------------------------------------------------- */

static bool is_printable(larch_bytes text, size_t max)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.len > 0 && text.len <= max;
}

bool larch_enrolment_is_name(larch_bytes text)
{
    return is_printable(text, LARCH_ENROLMENT_NAME_MAX) && memchr(text.data, ':', text.len) == NULL;
}

bool larch_enrolment_is_hash(int64_t hash)
{
#define NUMBER(number, aead, hash, mac_len, exchange, signature, application_aead, application_hash, text) (number),
    static const int8_t numbers[] = {LARCH_LAKE_SUITES(NUMBER)};
#undef NUMBER
    for (size_t i = 0; i < sizeof numbers; i++) {
        const larch_lake_suite *suite = larch_lake_suite_find(numbers[i]);
        if (suite != NULL && suite->hash == hash)
            return true;
    }
    return false;
}

bool larch_enrolment_is_pair(unsigned method, const larch_lake_suite *suite)
{
    if (!larch_lake_method_fits(method, suite))
        return false;
    return method == LARCH_LAKE_METHOD_PSK ||
           (method == LARCH_LAKE_METHOD_SIGNATURES && larch_sig_find(suite->signature) != NULL);
}

/* What the members ask of each other. */
static bool is_whole(const larch_enrolment *e)
{
    const larch_lake_suite *suite = larch_lake_suite_find(e->suite);
    if (suite == NULL || suite->hash != e->hash || !larch_enrolment_is_pair(e->method, suite))
        return false;
    if (e->method == LARCH_LAKE_METHOD_PSK)
        return e->reference == LARCH_LAKE_BY_KID;
    return e->key.len == larch_sig_find(suite->signature)->pk_len;
}

static bool is_key(larch_bytes key)
{
    const larch_sig *sig;
    for (size_t i = 0; (sig = larch_sig_at(i)) != NULL; i++)
        if (sig->pk_len == key.len)
            return true;
    return false;
}

/* ---- writing ----------------------------------------------------------------------- */

static void put_bytes(larch_writer *w, unsigned label, larch_bytes bytes)
{
    larch_cbor_put_uint(w, label);
    larch_cbor_put_bytes(w, bytes);
}

static void put_text(larch_writer *w, unsigned label, larch_bytes text)
{
    larch_cbor_put_uint(w, label);
    larch_cbor_put_text_bytes(w, text);
}

void larch_enrolment_put(larch_writer *w, const larch_enrolment *e)
{
    const bool has_method = e->method != LARCH_LAKE_METHOD_PSK, has_suite = e->suite != LARCH_LAKE_SUITE_PQ_1;
    const bool has_reference = e->reference != LARCH_LAKE_BY_KID;
    larch_cbor_put_map(w,
                       REQUIRED + (e->authority.len > 0) + (e->key.len > 0) + has_method + has_suite + has_reference);
    larch_cbor_put_uint(w, VERSION);
    larch_cbor_put_uint(w, PRESENT_VERSION);
    put_text(w, NAME, e->name);
    put_bytes(w, KID, LARCH_BYTES(e->kid));
    put_bytes(w, PSK, LARCH_BYTES(e->psk));
    larch_cbor_put_uint(w, HASH);
    larch_cbor_put_int(w, e->hash);
    put_bytes(w, IDENTITY, LARCH_BYTES(e->identity));
    if (e->authority.len > 0)
        put_text(w, AUTHORITY, e->authority);
    if (e->key.len > 0)
        put_bytes(w, KEY, e->key);
    if (has_method) {
        larch_cbor_put_uint(w, METHOD);
        larch_cbor_put_uint(w, e->method);
    }
    if (has_suite) {
        larch_cbor_put_uint(w, SUITE);
        larch_cbor_put_int(w, e->suite);
    }
    if (has_reference) {
        larch_cbor_put_uint(w, REFERENCE);
        larch_cbor_put_uint(w, e->reference);
    }
}

/* ---- reading ----------------------------------------------------------------------- */

const char *larch_enrolment_fault_text(larch_enrolment_fault fault)
{
#define TEXT(name, text) text,
    static const char *const texts[] = {LARCH_ENROLMENT_FAULTS(TEXT)};
#undef TEXT
    return texts[fault];
}

static bool take_label(larch_reader *r, uint64_t wanted)
{
    uint64_t label;
    return larch_cbor_take_uint(r, &label) == LARCH_OK && label == wanted;
}

static bool take_text(larch_reader *r, larch_bytes *out) { return larch_cbor_take_text(r, out) == LARCH_OK; }

static bool take_fixed(larch_reader *r, uint8_t *out, size_t len)
{
    larch_bytes bytes;
    if (larch_cbor_take_bytes(r, &bytes) != LARCH_OK || bytes.len != len)
        return false;
    memcpy(out, bytes.data, len);
    return true;
}

static bool take_hash(larch_reader *r, int8_t *out)
{
    int64_t hash;
    if (larch_cbor_take_int(r, &hash) != LARCH_OK || !larch_enrolment_is_hash(hash))
        return false;
    *out = (int8_t)hash;
    return true;
}

/* A small number that is not the one which an absent member stands for. */
static bool take_choice(larch_reader *r, int absent, int64_t min, int64_t max, int64_t *out)
{
    return larch_cbor_take_int(r, out) == LARCH_OK && *out != absent && *out >= min && *out <= max;
}

static larch_enrolment_fault take_handshake(larch_reader *r, unsigned label, larch_enrolment *e)
{
    int64_t number;
    if (label == METHOD && take_choice(r, LARCH_LAKE_METHOD_PSK, 0, UINT8_MAX, &number))
        e->method = (uint8_t)number;
    else if (label == SUITE && take_choice(r, LARCH_LAKE_SUITE_PQ_1, INT8_MIN, INT8_MAX, &number))
        e->suite = (int8_t)number;
    else if (label == REFERENCE && take_choice(r, LARCH_LAKE_BY_KID, 0, LARCH_LAKE_BY_CWT_HASH, &number))
        e->reference = (uint8_t)number;
    else
        return LARCH_ENROLMENT_FAULT_PAIR;
    return LARCH_ENROLMENT_FAULT_NONE;
}

/* The value of a member. The keys of a map in deterministic CBOR stand in order. */
static larch_enrolment_fault take_member(larch_reader *r, unsigned label, larch_enrolment *e)
{
    if (!take_label(r, label))
        return LARCH_ENROLMENT_FAULT_MEMBER;
    switch (label) {
    case NAME:
        return take_text(r, &e->name) && larch_enrolment_is_name(e->name) ? LARCH_ENROLMENT_FAULT_NONE
                                                                          : LARCH_ENROLMENT_FAULT_NAME;
    case KID:
        return take_fixed(r, e->kid, sizeof e->kid) ? LARCH_ENROLMENT_FAULT_NONE : LARCH_ENROLMENT_FAULT_KID;
    case PSK:
        return take_fixed(r, e->psk, sizeof e->psk) ? LARCH_ENROLMENT_FAULT_NONE : LARCH_ENROLMENT_FAULT_PSK;
    case HASH:
        return take_hash(r, &e->hash) ? LARCH_ENROLMENT_FAULT_NONE : LARCH_ENROLMENT_FAULT_HASH;
    case IDENTITY:
        return take_fixed(r, e->identity, sizeof e->identity) ? LARCH_ENROLMENT_FAULT_NONE
                                                              : LARCH_ENROLMENT_FAULT_IDENTITY;
    case AUTHORITY:
        return take_text(r, &e->authority) && is_printable(e->authority, LARCH_ENROLMENT_AUTHORITY_MAX)
                   ? LARCH_ENROLMENT_FAULT_NONE
                   : LARCH_ENROLMENT_FAULT_AUTHORITY;
    case METHOD:
    case SUITE:
    case REFERENCE:
        return take_handshake(r, label, e);
    default:
        return larch_cbor_take_bytes(r, &e->key) == LARCH_OK && is_key(e->key) ? LARCH_ENROLMENT_FAULT_NONE
                                                                               : LARCH_ENROLMENT_FAULT_KEY;
    }
}

static larch_enrolment_fault take_head(larch_bytes in, larch_reader *r, size_t *members)
{
    larch_reader whole = larch_reader_of(in);
    uint64_t version;
    *r = whole;
    if (larch_cbor_take_whole(&whole, NULL) != LARCH_OK || whole.left.len > 0 ||
        larch_cbor_take_map(r, members) != LARCH_OK || !take_label(r, VERSION) ||
        larch_cbor_take_uint(r, &version) != LARCH_OK)
        return LARCH_ENROLMENT_FAULT_FOREIGN;
    if (version != PRESENT_VERSION)
        return LARCH_ENROLMENT_FAULT_VERSION;
    return *members >= REQUIRED && *members <= REFERENCE ? LARCH_ENROLMENT_FAULT_NONE : LARCH_ENROLMENT_FAULT_MEMBER;
}

static larch_enrolment_fault parse(larch_bytes in, larch_enrolment *out)
{
    larch_reader r;
    size_t members = REQUIRED;
    larch_enrolment_fault fault = take_head(in, &r, &members);
    for (unsigned label = NAME; fault == LARCH_ENROLMENT_FAULT_NONE && label <= REQUIRED; label++)
        fault = take_member(&r, label, out);
    out->method = LARCH_LAKE_METHOD_PSK;
    out->suite = LARCH_LAKE_SUITE_PQ_1;
    for (unsigned label = AUTHORITY; fault == LARCH_ENROLMENT_FAULT_NONE && r.left.len > 0; label++) {
        larch_reader ahead = r;
        if (label > REFERENCE)
            fault = LARCH_ENROLMENT_FAULT_MEMBER;
        else if (take_label(&ahead, label))
            fault = take_member(&r, label, out);
    }
    return fault != LARCH_ENROLMENT_FAULT_NONE || is_whole(out) ? fault : LARCH_ENROLMENT_FAULT_PAIR;
}

larch_error larch_enrolment_parse(larch_bytes in, larch_enrolment *out, larch_enrolment_fault *fault)
{
    memset(out, 0, sizeof *out);
    const larch_enrolment_fault found = parse(in, out);
    if (fault != NULL)
        *fault = found;
    if (found == LARCH_ENROLMENT_FAULT_NONE)
        return LARCH_OK;
    larch_wipe(out, sizeof *out);
    return LARCH_MALFORMED;
}

/* ---- credentials ------------------------------------------------------------------- */

void larch_enrolment_put_public(larch_writer *w, larch_bytes sub, larch_bytes kid, int alg, larch_bytes pub)
{
    larch_lake_put_ccs(
        w, &(larch_lake_claims){.sub = sub, .key = {.kty = LARCH_COSE_AKP, .alg = alg, .kid = kid, .pub = pub}});
}

larch_error larch_enrolment_put_gateway(larch_writer *w, const uint8_t identity[LARCH_FINGERPRINT_LEN], int alg,
                                        larch_bytes pub, uint8_t kid[LARCH_LAKE_KID_LEN])
{
    char sub[LARCH_FINGERPRINT_TEXT_LEN + 1];
    uint8_t hash[LARCH_SHA256_LEN];
    const larch_error e = larch_sha256(&pub, 1, hash);
    if (e != LARCH_OK)
        return e;
    memcpy(kid, hash, LARCH_LAKE_KID_LEN);
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, identity, sub);
    larch_enrolment_put_public(w, larch_bytes_of_text(sub), (larch_bytes){kid, LARCH_LAKE_KID_LEN}, alg, pub);
    return LARCH_OK;
}

static larch_bytes put_ccs(larch_writer *w, const larch_enrolment *e, larch_bytes sub)
{
    const larch_lake_claims claims = {.sub = sub, .key = {.kty = LARCH_COSE_SYMMETRIC, .kid = LARCH_BYTES(e->kid)}};
    const size_t before = w->len;
    larch_lake_put_ccs(w, &claims);
    return (larch_bytes){w->data + before, w->len - before};
}

larch_error larch_enrolment_credential(const larch_enrolment *e, const larch_lake_resumption *resumption,
                                       uint8_t buffer[LARCH_ENROLMENT_CREDENTIAL_MAX], larch_lake_credential *out)
{
    const larch_bytes kid =
        resumption != NULL ? (larch_bytes){resumption->kid, resumption->kid_len} : LARCH_BYTES(e->kid);
    char identity[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_writer w = larch_writer_to(buffer, LARCH_ENROLMENT_CREDENTIAL_MAX);
    larch_bytes all;
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, e->identity, identity);
    memset(out, 0, sizeof *out);
    if (e->method != LARCH_LAKE_METHOD_PSK)
        return LARCH_STATE;
    *out = (larch_lake_credential){.key = {.kty = LARCH_COSE_SYMMETRIC, .k = LARCH_BYTES(e->psk)}, .psk_hash = e->hash};
    if (resumption != NULL) {
        out->key.k = (larch_bytes){resumption->psk, resumption->psk_len};
        out->psk_hash = resumption->psk_hash;
    }
    larch_lake_put_id_cred(&w, LARCH_LAKE_BY_KID, kid);
    out->id_cred = (larch_bytes){buffer, w.len};
    out->cred_i = put_ccs(&w, e, e->name);
    out->cred_r = put_ccs(&w, e, larch_bytes_of_text(identity));
    const larch_error error = larch_writer_finish(&w, &all);
    if (error != LARCH_OK)
        memset(out, 0, sizeof *out);
    return error;
}
