/* SPDX-License-Identifier: Apache-2.0 */
#include "common/enrol.h"

#include <string.h>

static bool fail(const char **why, const char *text)
{
    *why = text;
    return false;
}

static larch_enrolment begin(const larch_app_enrolling *a)
{
    larch_enrolment e = {.name = larch_bytes_of_text(a->name),
                         .hash = a->suite->hash,
                         .authority = a->authority,
                         .method = (uint8_t)a->method,
                         .suite = a->suite->number,
                         .reference = (uint8_t)a->reference};
    memcpy(e.identity, a->identity, sizeof e.identity);
    return e;
}

/* The device's key pair, of which the seed goes into the enrolment. */
static larch_error enrol_signer(const larch_app_enrolling *a, larch_enrolment *e)
{
    larch_app_signer device;
    uint8_t ccs[LARCH_ENROLMENT_CCS_MAX];
    larch_writer w = larch_writer_to(ccs, sizeof ccs);
    uint64_t number;
    larch_error error = larch_random_fill(a->random, e->kid, sizeof e->kid);
    if (error != LARCH_OK || (error = larch_app_signer_make(&device, a->suite->signature, a->random)) != LARCH_OK)
        return error;
    larch_enrolment_put_public(&w, e->name, LARCH_BYTES(e->kid), a->suite->signature, larch_app_signer_pub(&device));
    const larch_enrolled_signer signer = {.name = e->name,
                                          .kid = LARCH_BYTES(e->kid),
                                          .suite = e->suite,
                                          .pub = larch_app_signer_pub(&device),
                                          .cred = {ccs, w.len}};
    error = larch_sessions_enrol_signer(a->sessions, &signer, &number);
    memcpy(e->psk, device.seed, sizeof e->psk);
    e->key = a->gateway_key;
    larch_wipe(&device, sizeof device);
    return error;
}

bool larch_app_enrol(const larch_app_enrolling *a, larch_writer *enrolment, const char **why)
{
    larch_enrolment e = begin(a);
    uint64_t number;
    larch_error error;
    if (!larch_enrolment_is_pair(a->method, a->suite))
        return fail(why, "this method cannot be had with this cipher suite");
    if (a->method == LARCH_LAKE_METHOD_PSK && a->reference != LARCH_LAKE_BY_KID)
        return fail(why, "a pre-shared key is named by its kid alone");
    if (a->method == LARCH_LAKE_METHOD_SIGNATURES && a->gateway_key.len == 0)
        return fail(why, "the gateway has no key that signs for this cipher suite");
    error =
        a->method == LARCH_LAKE_METHOD_PSK ? larch_sessions_enrol_new(a->sessions, &e, &number) : enrol_signer(a, &e);
    *why = larch_sessions_error(a->sessions)->text;
    if (error == LARCH_OK)
        larch_enrolment_put(enrolment, &e);
    larch_wipe(&e, sizeof e);
    return error == LARCH_OK;
}
