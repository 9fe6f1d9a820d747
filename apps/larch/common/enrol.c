/* SPDX-License-Identifier: Apache-2.0 */
#include "common/enrol.h"

#include <string.h>

static bool fail(const char **why, const char *text)
{
    *why = text;
    return false;
}

size_t larch_app_enrol_max(unsigned method)
{
    return method == LARCH_LAKE_METHOD_PSK ? LARCH_APP_ENROL_MAX : LARCH_APP_ENROL_MAX / 8;
}

static larch_enrolment begin(const larch_app_enrolling *a, larch_bytes name)
{
    larch_enrolment e = {.name = name,
                         .hash = a->suite->hash,
                         .authority = a->authority,
                         .method = (uint8_t)a->method,
                         .suite = a->suite->number,
                         .reference = (uint8_t)a->reference};
    memcpy(e.identity, a->identity, sizeof e.identity);
    return e;
}

/* The device's key pair, of which the seed goes into the enrolment. */
static larch_error enrol_signer(const larch_app_enrolling *a, larch_enrolment *e, uint64_t *number)
{
    larch_app_signer device;
    uint8_t ccs[LARCH_ENROLMENT_CCS_MAX];
    larch_writer w = larch_writer_to(ccs, sizeof ccs);
    larch_error error = larch_random_fill(a->random, e->kid, sizeof e->kid);
    if (error != LARCH_OK || (error = larch_app_signer_make(&device, a->suite->signature, a->random)) != LARCH_OK)
        return error;
    larch_enrolment_put_public(&w, e->name, LARCH_BYTES(e->kid), a->suite->signature, larch_app_signer_pub(&device));
    const larch_enrolled_signer signer = {.name = e->name,
                                          .kid = LARCH_BYTES(e->kid),
                                          .suite = e->suite,
                                          .pub = larch_app_signer_pub(&device),
                                          .cred = {ccs, w.len}};
    error = larch_sessions_enrol_signer(a->sessions, &signer, number);
    memcpy(e->psk, device.seed, sizeof e->psk);
    e->key = a->gateway_key;
    larch_wipe(&device, sizeof device);
    return error;
}

/* A key that comes from elsewhere. LARCH_STATE: *why says so if its kid is on record. */
static larch_error enrol_given(const larch_app_enrolling *a, const larch_app_newcomer *n, larch_enrolment *e,
                               uint64_t *number, const char **why)
{
    larch_enrolled_key other;
    const larch_error error = larch_sessions_find_key(a->sessions, (larch_bytes){n->kid, sizeof e->kid}, 0, &other);
    larch_wipe(&other, sizeof other);
    if (error == LARCH_OK)
        *why = "a key with this key_ID, or with the same first 8 bytes, is on record already: take another key";
    if (error != LARCH_AGAIN)
        return error == LARCH_OK ? LARCH_STATE : error;
    memcpy(e->kid, n->kid, sizeof e->kid);
    memcpy(e->psk, n->psk, sizeof e->psk);
    return larch_sessions_enrol(a->sessions, e, number);
}

/* LARCH_STATE: there is a device of this name already. LARCH_MALFORMED: no device can have this name. */
static larch_error enrol_one(const larch_app_enrolling *a, const larch_app_newcomer *n, larch_app_take_enrolled *take,
                             void *context)
{
    uint8_t bytes[LARCH_ENROLMENT_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_enrolment e = begin(a, n->name);
    uint64_t number;
    const char *why = NULL;
    larch_error error = n->psk != NULL                       ? enrol_given(a, n, &e, &number, &why)
                        : a->method == LARCH_LAKE_METHOD_PSK ? larch_sessions_enrol_new(a->sessions, &e, &number)
                                                             : enrol_signer(a, &e, &number);
    if (error == LARCH_OK && n->policy_count > 0)
        error = larch_sessions_set_policy(a->sessions, number, n->policy, n->policy_count);
    if (error == LARCH_OK)
        larch_enrolment_put(&w, &e);
    take(context, n->name, (larch_bytes){bytes, w.len}, why != NULL ? why : larch_sessions_error(a->sessions)->text);
    larch_wipe(&e, sizeof e);
    larch_wipe(bytes, sizeof bytes);
    return error;
}

bool larch_app_enrol(const larch_app_enrolling *a, const larch_app_newcomer *newcomers, size_t count,
                     larch_app_take_enrolled *take, void *context, const char **why)
{
    if (!larch_enrolment_is_pair(a->method, a->suite))
        return fail(why, "this method cannot be had with this cipher suite");
    if (a->method == LARCH_LAKE_METHOD_PSK && a->reference != LARCH_LAKE_BY_KID)
        return fail(why, "a pre-shared key is named by its kid alone");
    if (a->method == LARCH_LAKE_METHOD_SIGNATURES && a->gateway_key.len == 0)
        return fail(why, "the gateway has no key that signs for this cipher suite");
    if (count > larch_app_enrol_max(a->method))
        return fail(why, "these are too many devices at once");
    larch_error e = larch_sessions_begin_changes(a->sessions);
    bool goes_on = e == LARCH_OK;
    for (size_t i = 0; goes_on && i < count; i++) {
        e = enrol_one(a, &newcomers[i], take, context);
        goes_on = e == LARCH_OK || e == LARCH_STATE || e == LARCH_MALFORMED;
    }
    *why = larch_sessions_error(a->sessions)->text;
    if (goes_on)
        return larch_sessions_end_changes(a->sessions, true) == LARCH_OK;
    (void)!larch_sessions_end_changes(a->sessions, false);
    return false;
}
