/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a handshake comes from, and whether it may: devices of the table of sessions, and devices whose credential the
 * fleet's authority has signed. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/device_name.h"
#include "common/suite_name.h"
#include "gateway/lake.h"

#define QUIET_MS 1000

/* Who shakes hands has shown that its address is reached, and pays with a grant; still, one line a second is enough. */
void gateway_lake_complain(gateway_lake *lake, const char *format, ...)
{
    gateway_report *report = lake->sessions->report;
    char text[300];
    va_list arguments;
    if (report->now_ms < lake->quiet_until_ms) {
        lake->unsaid++;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (lake->unsaid > 0)
        gateway_report_say(report, "a handshake was refused: %s (and %lu more)", text, lake->unsaid);
    else
        gateway_report_say(report, "a handshake was refused: %s", text);
    lake->unsaid = 0;
    lake->quiet_until_ms = report->now_ms + QUIET_MS;
}

static larch_error refuse_suite(gateway_lake *lake, const larch_lake_reference *reference)
{
    gateway_lake_complain(lake, "%s asks for the cipher suite %s, and is on record with %s", lake->found.name,
                          larch_app_suite_name(reference->suite->number), larch_app_suite_name(lake->found.suite));
    return LARCH_AUTH;
}

/* A search in the table found nothing, or failed. */
static larch_error not_found(gateway_lake *lake, larch_error e, const char *what)
{
    if (e != LARCH_AGAIN)
        return e;
    gateway_lake_complain(lake,
                          "no device is known by this %s: it was never added, or was revoked, or has the enrolment "
                          "of another gateway",
                          what);
    return LARCH_AUTH;
}

const gateway_lake_own *gateway_lake_own_of(const gateway_lake *lake, const larch_lake_suite *suite)
{
    for (size_t i = 0; i < sizeof lake->own / sizeof lake->own[0]; i++)
        if (lake->own[i].signer.sig != NULL && lake->own[i].signer.sig->cose_algorithm == suite->signature)
            return &lake->own[i];
    return NULL;
}

/* ---- credentials ----------------------------------------------------------------- */

/* What CRED_I says; it is a CCS, or a CWT whose signature was verified before it was kept. */
larch_error gateway_lake_claims(larch_bytes cred, larch_lake_claims *claims)
{
    larch_cose_message m;
    if (larch_lake_parse_ccs(cred, claims) == LARCH_OK)
        return LARCH_OK;
    const larch_error e = larch_cose_parse_sign1(cred, &m);
    return e == LARCH_OK ? larch_lake_parse_ccs(m.content, claims) : e;
}

static larch_error check_times(gateway_lake *lake, const larch_lake_claims *claims)
{
    const uint64_t unix_s = gateway_sessions_unix_s(lake->sessions);
    lake->until_s = claims->exp;
    if (claims->exp == 0 && claims->nbf == 0)
        return LARCH_OK;
    if (unix_s == 0) {
        gateway_lake_complain(lake, "the credential of %s has times, and the clock of this host is off: set it",
                              lake->found.name);
        return LARCH_AUTH;
    }
    if (larch_lake_check_times(claims, unix_s) == LARCH_OK)
        return LARCH_OK;
    if (claims->exp > 0 && unix_s >= claims->exp)
        gateway_lake_complain(lake, "the credential of %s expired %llu s ago; have the authority sign another",
                              lake->found.name, (unsigned long long)(unix_s - claims->exp));
    else
        gateway_lake_complain(lake, "the credential of %s is valid in %llu s only; is a clock off?", lake->found.name,
                              (unsigned long long)(claims->nbf - unix_s));
    return LARCH_AUTH;
}

static void keep_cred(gateway_lake *lake, larch_bytes cred)
{
    memcpy(lake->found.cred, cred.data, cred.len);
    lake->found.cred_len = (uint16_t)cred.len;
}

/* A device that nobody has added: its credential vouches for it. */
static larch_error take_stranger(gateway_lake *lake, const larch_lake_claims *claims, larch_bytes cwt)
{
    larch_enrolled_key *key = &lake->found;
    const larch_error e = larch_sessions_find_revoked(lake->sessions->registry, claims->key.pub);
    if (e == LARCH_OK) {
        gateway_lake_complain(lake, "the key of a credential for '%.*s' was revoked", (int)claims->sub.len,
                              (const char *)claims->sub.data);
        return LARCH_AUTH;
    }
    if (e != LARCH_AGAIN)
        return e;
    const larch_sig *sig = larch_sig_find((int)claims->key.alg);
    memset(key, 0, sizeof *key);
    memcpy(key->name, claims->sub.data, claims->sub.len);
    memcpy(key->own_kid, claims->key.kid.data, sizeof key->own_kid);
    key->method = LARCH_LAKE_METHOD_SIGNATURES;
    key->suite = lake->reference_suite;
    keep_cred(lake, cwt);
    lake->is_new = true;
    return sig != NULL ? LARCH_OK : LARCH_AUTH;
}

static bool is_credential(const larch_lake_claims *claims)
{
    char name[LARCH_SESSIONS_NAME_MAX + 1] = "";
    if (claims->sub.len >= sizeof name)
        return false;
    memcpy(name, claims->sub.data, claims->sub.len);
    return larch_app_is_device_name(name) && claims->key.kty == LARCH_COSE_AKP &&
           claims->key.kid.len == LARCH_LAKE_KID_LEN;
}

larch_error gateway_lake_take_cwt(gateway_lake *lake, larch_bytes cwt)
{
    larch_lake_claims claims, known;
    if (lake->authority.pub.len == 0) {
        gateway_lake_complain(lake, "it has a credential of an authority, and this gateway has no --ca");
        return LARCH_AUTH;
    }
    if (cwt.len > sizeof lake->found.cred || larch_lake_verify_cwt(cwt, &lake->authority, &claims) != LARCH_OK ||
        !is_credential(&claims)) {
        gateway_lake_complain(lake, "its credential was not signed by the authority of --ca, or is not for a device");
        return LARCH_AUTH;
    }
    const larch_error e = larch_sessions_find_own(lake->sessions->registry, claims.sub, &lake->found);
    if (e == LARCH_AGAIN)
        return take_stranger(lake, &claims, cwt);
    if (e != LARCH_OK)
        return e;
    if (lake->found.method != LARCH_LAKE_METHOD_SIGNATURES ||
        gateway_lake_claims((larch_bytes){lake->found.cred, lake->found.cred_len}, &known) != LARCH_OK ||
        !larch_bytes_equal(known.key.pub, claims.key.pub)) {
        gateway_lake_complain(lake, "%s is on record with another key: revoke it first", lake->found.name);
        return LARCH_AUTH;
    }
    lake->is_renewed = !larch_bytes_equal(cwt, (larch_bytes){lake->found.cred, lake->found.cred_len});
    keep_cred(lake, cwt);
    return LARCH_OK;
}

/* ---- by reference ---------------------------------------------------------------- */

static larch_error find_kid(gateway_lake *lake, larch_bytes kid)
{
    const larch_error e = larch_sessions_find_key(lake->sessions->registry, kid, 0, &lake->found);
    if (e != LARCH_OK)
        return not_found(lake, e, "kid");
    return lake->found.is_resumption ? LARCH_AUTH : LARCH_OK;
}

static larch_error find_ccs(gateway_lake *lake, larch_bytes ccs)
{
    larch_lake_claims claims;
    if (larch_lake_parse_ccs(ccs, &claims) != LARCH_OK)
        return LARCH_AUTH;
    const larch_error e = larch_sessions_find_own(lake->sessions->registry, claims.sub, &lake->found);
    if (e != LARCH_OK)
        return not_found(lake, e, "name");
    if (larch_bytes_equal(ccs, (larch_bytes){lake->found.cred, lake->found.cred_len}))
        return LARCH_OK;
    gateway_lake_complain(lake, "%s has another credential on record", lake->found.name);
    return LARCH_AUTH;
}

/* [-16, hash] of the credential, as it was checked on the way here. */
static larch_error find_hash(gateway_lake *lake, larch_bytes hash)
{
    const larch_error e = larch_sessions_find_cred(lake->sessions->registry, hash, &lake->found);
    return e == LARCH_OK ? LARCH_OK : not_found(lake, e, "hash (see 'larch device accept')");
}

static larch_error find_signer(gateway_lake *lake, const larch_lake_reference *reference, larch_lake_credential *out)
{
    larch_lake_claims claims;
    larch_error e;
    switch (reference->kind) {
    case LARCH_LAKE_BY_KID:
        e = find_kid(lake, reference->value);
        break;
    case LARCH_LAKE_BY_CCS:
        e = find_ccs(lake, reference->value);
        break;
    case LARCH_LAKE_BY_CWT:
        e = gateway_lake_take_cwt(lake, reference->value);
        break;
    default:
        e = find_hash(lake, reference->value);
    }
    if (e != LARCH_OK)
        return e;
    if (lake->found.method != LARCH_LAKE_METHOD_SIGNATURES) {
        gateway_lake_complain(lake, "%s is on record with a pre-shared key, and signs", lake->found.name);
        return LARCH_AUTH;
    }
    const larch_bytes cred = {lake->found.cred, lake->found.cred_len};
    if (gateway_lake_claims(cred, &claims) != LARCH_OK || claims.key.alg != reference->suite->signature ||
        lake->found.suite != reference->suite->number)
        return refuse_suite(lake, reference);
    if ((e = check_times(lake, &claims)) != LARCH_OK)
        return e;
    *out = (larch_lake_credential){.cred_i = cred, .key = claims.key};
    return LARCH_OK;
}

/* ---- by a pre-shared key ------------------------------------------------------------ */

/* A resumption of a device that signs: the credentials are those of its first handshake. */
static larch_error resume_signer(gateway_lake *lake, const larch_lake_reference *reference, larch_lake_credential *out)
{
    const gateway_lake_own *own = gateway_lake_own_of(lake, reference->suite);
    const larch_lake_resumption *key = &lake->found.key;
    larch_writer w = larch_writer_to(lake->credential, sizeof lake->credential);
    larch_lake_claims claims;
    const larch_bytes cred = {lake->found.cred, lake->found.cred_len};
    if (!lake->found.is_resumption || own == NULL || gateway_lake_claims(cred, &claims) != LARCH_OK)
        return LARCH_AUTH;
    const larch_error e = check_times(lake, &claims);
    if (e != LARCH_OK)
        return e;
    larch_lake_put_id_cred(&w, LARCH_LAKE_BY_KID, (larch_bytes){key->kid, key->kid_len});
    *out = (larch_lake_credential){.id_cred = {lake->credential, w.len},
                                   .cred_i = cred,
                                   .cred_r = own->credential.cred_r,
                                   .key = {.kty = LARCH_COSE_SYMMETRIC, .k = {key->psk, key->psk_len}},
                                   .psk_hash = key->psk_hash};
    return LARCH_OK;
}

static larch_error find_psk(gateway_lake *lake, const larch_lake_reference *reference, unsigned attempt,
                            larch_lake_credential *out)
{
    const larch_error e = larch_sessions_find_key(lake->sessions->registry, reference->value, attempt, &lake->found);
    if (e != LARCH_OK)
        return attempt == 0 ? not_found(lake, e, "kid") : e == LARCH_AGAIN ? LARCH_AUTH : e;
    if (lake->found.suite != reference->suite->number)
        return refuse_suite(lake, reference);
    if (lake->found.method == LARCH_LAKE_METHOD_SIGNATURES)
        return resume_signer(lake, reference, out);
    larch_enrolment enrolment = {.name = larch_bytes_of_text(lake->found.name), .method = LARCH_LAKE_METHOD_PSK};
    memcpy(enrolment.kid, lake->found.own_kid, sizeof enrolment.kid);
    memcpy(enrolment.identity, lake->identity, sizeof enrolment.identity);
    return larch_enrolment_credential(&enrolment, &lake->found.key, lake->credential, out);
}

larch_error gateway_lake_find(void *context, const larch_lake_reference *reference, unsigned attempt,
                              larch_lake_credential *out)
{
    gateway_lake *lake = context;
    lake->is_new = lake->is_renewed = false;
    lake->until_s = 0;
    lake->reference_suite = reference->suite->number;
    if (reference->method == LARCH_LAKE_METHOD_SIGNATURES)
        return find_signer(lake, reference, out);
    if (reference->method != LARCH_LAKE_METHOD_PSK || reference->kind != LARCH_LAKE_BY_KID)
        return LARCH_AUTH;
    return find_psk(lake, reference, attempt, out);
}
