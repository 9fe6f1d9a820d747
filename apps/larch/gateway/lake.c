/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lake.h"

#include <stdlib.h>
#include <string.h>

#define NAME    "gateway"
#define KID_LEN 7 /* bytes of the ID of a context */

/* ---- what the service asks ------------------------------------------------------- */

static larch_enrolment enrolment_of(const gateway_lake *lake, const larch_enrolled_key *key)
{
    larch_enrolment e = {.name = larch_bytes_of_text(key->name)};
    memcpy(e.kid, key->own_kid, sizeof e.kid);
    memcpy(e.identity, lake->identity, sizeof e.identity);
    return e;
}

static larch_error find(void *context, const larch_lake_reference *reference, unsigned attempt,
                        larch_lake_credential *out)
{
    gateway_lake *lake = context;
    if (reference->method != LARCH_LAKE_METHOD_PSK || reference->kind != LARCH_LAKE_BY_KID)
        return LARCH_AUTH;
    const larch_error e = larch_sessions_find_key(lake->sessions->registry, reference->value, attempt, &lake->found);
    if (e != LARCH_OK)
        return e == LARCH_AGAIN ? LARCH_AUTH : e;
    const larch_enrolment enrolment = enrolment_of(lake, &lake->found);
    return larch_enrolment_credential(&enrolment, &lake->found.key, lake->credential, out);
}

/* Method 4 has no credential of the gateway's own. */
static const larch_lake_credential *own(void *context, unsigned method, const larch_lake_suite *suite)
{
    (void)context;
    (void)method;
    (void)suite;
    return NULL;
}

/* It runs right behind find, for the key that find gave last: the handshake is refused if it cannot be stored, so store never
 * runs again for it. The device begins anew, later. */
static larch_error store(void *context, uint64_t now_ms, const larch_lake_made *made, larch_session *session)
{
    gateway_lake *lake = context;
    gateway_sessions *s = lake->sessions;
    const larch_enrolled_key *key = &lake->found;
    larch_error e = LARCH_SPACE;
    (void)now_ms;
    if (lake->shaken_count < GATEWAY_LAKE_SHAKEN)
        e = larch_sessions_add_made(s->registry, key->number, key->device, &made->oscore, &made->next,
                                    gateway_sessions_unix_s(s), session);
    if (e == LARCH_OK) {
        gateway_lake_shaken *shaken = &lake->shaken[lake->shaken_count++];
        *shaken = (gateway_lake_shaken){.report = {.peer = session->last,
                                                   .method = made->method,
                                                   .suite = made->suite->number,
                                                   .is_resumption = key->is_resumption}};
        memcpy(shaken->name, key->name, sizeof shaken->name);
    } else if (e == LARCH_AUTH)
        gateway_report_say(s->report, "a handshake of %s was refused: its key has been replaced or revoked meanwhile",
                           key->name);
    else
        gateway_report_say(s->report, "a handshake of %s was refused: %s", key->name,
                           s->is_started ? larch_sessions_error(s->registry)->text : "sessions wait for the clock");
    larch_wipe(&lake->found, sizeof lake->found);
    return e == LARCH_OK || e == LARCH_AUTH ? e : LARCH_STATE;
}

/* All handshakes that came together are durable with one transaction, and only then reported. */
static larch_error commit(void *context)
{
    gateway_lake *lake = context;
    gateway_sessions *s = lake->sessions;
    const larch_error e = larch_sessions_commit(s->registry);
    for (size_t i = 0; i < lake->shaken_count; i++) {
        gateway_lake_shaken *shaken = &lake->shaken[i];
        shaken->report.device = shaken->name;
        if (e == LARCH_OK)
            gateway_report_handshake(s->report, &shaken->report);
        else
            gateway_report_say(s->report, "a handshake of %s was refused: %s", shaken->name,
                               larch_sessions_error(s->registry)->text);
    }
    lake->shaken_count = 0;
    return e;
}

static larch_error confirm(void *context, uint64_t now_ms, const larch_session *session)
{
    const gateway_lake *lake = context;
    (void)now_ms;
    const larch_error e = larch_sessions_confirm(lake->sessions->registry, session->number);
    if (e != LARCH_OK)
        gateway_report_say(lake->sessions->report, "older keys of %s are kept: %s",
                           gateway_sessions_name(lake->sessions, session->device),
                           larch_sessions_error(lake->sessions->registry)->text);
    return e;
}

static uint64_t unix_s(void *context)
{
    const gateway_lake *lake = context;
    return gateway_sessions_unix_s(lake->sessions);
}

/* ---- life ------------------------------------------------------------------------ */

larch_exit gateway_lake_open(gateway_lake *lake, gateway_sessions *sessions, const larch_random *random)
{
    static const larch_lake_suite *suites[1];
    suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    if (suites[0] == NULL)
        return larch_app_fail(NAME, "this larch has no ML-KEM-512 for handshakes");
    lake->sessions = sessions;
    lake->places = calloc(GATEWAY_LAKE_PLACES, sizeof *lake->places);
    lake->halves = calloc(GATEWAY_LAKE_PLACES, sizeof *lake->halves);
    if (lake->places == NULL || lake->halves == NULL)
        return larch_app_fail(NAME, "out of memory");
    lake->party = (larch_lake_party){.suites = suites,
                                     .suite_count = 1,
                                     .methods = 1 << LARCH_LAKE_METHOD_PSK,
                                     .find = find,
                                     .context = lake,
                                     .random = *random,
                                     .scratch = lake->scratch,
                                     .scratch_size = sizeof lake->scratch};
    lake->config = (larch_lake_service_config){.party = &lake->party,
                                               .contexts = larch_sessions_contexts(sessions->registry),
                                               .epochs = &sessions->epochs,
                                               .places = lake->places,
                                               .place_size = sizeof *lake->places,
                                               .answer_size = sizeof lake->places->answer,
                                               .place_count = GATEWAY_LAKE_PLACES,
                                               .halves = lake->halves,
                                               .kid_len = KID_LEN,
                                               .rkid_len = LARCH_LAKE_KID_LEN,
                                               .credentials = ";ed-idcred-t=4",
                                               .own = own,
                                               .store = store,
                                               .commit = commit,
                                               .confirm = confirm,
                                               .unix_s = unix_s,
                                               .context = lake};
    const larch_error e = larch_lake_service_init(&lake->service, &lake->config);
    return e == LARCH_OK ? LARCH_EXIT_DONE : larch_app_fail(NAME, "handshakes: %s", larch_error_text(e));
}

void gateway_lake_close(gateway_lake *lake)
{
    if (lake->places != NULL)
        larch_wipe(lake->places, GATEWAY_LAKE_PLACES * sizeof *lake->places);
    free(lake->places);
    free(lake->halves);
    lake->places = NULL;
    lake->halves = NULL;
}

void gateway_lake_set_identity(gateway_lake *lake, const uint8_t identity[LARCH_FINGERPRINT_LEN])
{
    memcpy(lake->identity, identity, sizeof lake->identity);
}

/* ---- devices --------------------------------------------------------------------- */

bool gateway_lake_enrol(gateway_lake *lake, const char *name, larch_bytes authority, larch_writer *enrolment,
                        const char **why)
{
    larch_enrolment e = {
        .name = larch_bytes_of_text(name), .hash = lake->party.suites[0]->hash, .authority = authority};
    uint64_t device;
    memcpy(e.identity, lake->identity, sizeof e.identity);
    const larch_error error = larch_sessions_enrol_new(lake->sessions->registry, &e, &device);
    *why = larch_sessions_error(lake->sessions->registry)->text;
    if (error == LARCH_OK)
        larch_enrolment_put(enrolment, &e);
    larch_wipe(&e, sizeof e);
    return error == LARCH_OK;
}
