/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lake.h"

#include <stdlib.h>
#include <string.h>

#include "common/authority.h"
#include "common/enrol.h"
#include "common/keylog.h"
#include "common/suite_name.h"

#define NAME    "gateway"
#define KID_LEN 7 /* bytes of the ID of a context */

/* ---- what the service asks ------------------------------------------------------- */

/* Method 4 has no credential of the gateway's own. */
static const larch_lake_credential *own(void *context, unsigned method, const larch_lake_suite *suite)
{
    const gateway_lake_own *found = method == LARCH_LAKE_METHOD_SIGNATURES ? gateway_lake_own_of(context, suite) : NULL;
    return found != NULL ? &found->credential : NULL;
}

/* What a credential that the authority has signed changes on record. */
static larch_error keep_credential(gateway_lake *lake)
{
    larch_enrolled_key *key = &lake->found;
    const larch_bytes cred = {key->cred, key->cred_len};
    larch_lake_claims claims;
    larch_error e = gateway_lake_claims(cred, &claims);
    if (e != LARCH_OK || (!lake->is_new && !lake->is_renewed))
        return lake->is_new || lake->is_renewed ? e : LARCH_OK;
    const larch_enrolled_signer signer = {.name = larch_bytes_of_text(key->name),
                                          .kid = LARCH_BYTES(key->own_kid),
                                          .suite = key->suite,
                                          .pub = claims.key.pub,
                                          .cred = cred};
    if (lake->is_renewed)
        return larch_sessions_renew_cred(lake->sessions->registry, key, &signer);
    if ((e = larch_sessions_enrol_signer(lake->sessions->registry, &signer, &key->device)) != LARCH_OK)
        return e;
    gateway_report_say(lake->sessions->report, "%s was added: its credential is the authority's", key->name);
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    memcpy(name, key->name, sizeof name);
    return larch_sessions_find_own(lake->sessions->registry, larch_bytes_of_text(name), key);
}

/* It runs right behind find, for the key that find gave last: the handshake is refused if it cannot be stored, so store never
 * runs again for it. The device begins anew, later. */
static larch_error store(void *context, uint64_t now_ms, const larch_lake_made *made, larch_session *session)
{
    gateway_lake *lake = context;
    gateway_sessions *s = lake->sessions;
    const larch_enrolled_key *key = &lake->found;
    (void)now_ms;
    larch_error e = lake->shaken_count < GATEWAY_LAKE_SHAKEN ? keep_credential(lake) : LARCH_SPACE;
    if (e == LARCH_OK)
        e = larch_sessions_add_made(s->registry, key, made, gateway_sessions_unix_s(s), lake->until_s, session);
    if (e == LARCH_OK) {
        gateway_lake_shaken *shaken = &lake->shaken[lake->shaken_count++];
        *shaken = (gateway_lake_shaken){.report = {.peer = session->last,
                                                   .method = made->method,
                                                   .suite = made->suite->number,
                                                   .is_resumption = key->is_resumption}};
        memcpy(shaken->name, key->name, sizeof shaken->name);
    } else if (e == LARCH_AUTH)
        gateway_report_say(
            s->report,
            "a handshake of %s was refused: its key was replaced or revoked meanwhile, or a later one came first",
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

static uint64_t stamp(void *context)
{
    const gateway_lake *lake = context;
    return larch_sessions_last_made(lake->sessions->registry);
}

static uint64_t unix_s(void *context)
{
    const gateway_lake *lake = context;
    return gateway_sessions_unix_s(lake->sessions);
}

/* ---- life ------------------------------------------------------------------------ */

#if LARCH_KEYLOG
/* As log_keys of sessions.c. */
static void log_secrets(void *context, larch_bytes line)
{
    (void)context;
    (void)larch_app_keylog_lake(NAME, line);
}
#endif

/* Those that the operator allows, in that order. */
static larch_exit take_suites(gateway_lake *lake, const gateway_options *options, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < options->suite_count; i++) {
        const larch_lake_suite *suite = larch_lake_suite_find(options->suites[i]);
        if (suite == NULL)
            return larch_app_fail(NAME, "this larch has no cipher suite %s", larch_app_suite_name(options->suites[i]));
        lake->suites[(*count)++] = suite;
    }
    return LARCH_EXIT_DONE;
}

static larch_exit open_pool(gateway_lake *lake)
{
    lake->places = calloc(GATEWAY_LAKE_PLACES, sizeof *lake->places);
    lake->halves = calloc(GATEWAY_LAKE_PLACES, sizeof *lake->halves);
    return lake->places != NULL && lake->halves != NULL ? LARCH_EXIT_DONE : larch_app_fail(NAME, "out of memory");
}

larch_exit gateway_lake_open(gateway_lake *lake, gateway_sessions *sessions, const gateway_options *options,
                             const larch_random *random)
{
    size_t suite_count;
    larch_exit code;
    lake->sessions = sessions;
    lake->random = *random;
    if ((code = take_suites(lake, options, &suite_count)) != LARCH_EXIT_DONE ||
        (code = open_pool(lake)) != LARCH_EXIT_DONE)
        return code;
    if (options->authority[0] != '\0' &&
        (code = larch_app_authority_read(NAME, options->authority, lake->authority_pub, sizeof lake->authority_pub,
                                         &lake->authority)) != LARCH_EXIT_DONE)
        return code;
    lake->party = (larch_lake_party){.suites = lake->suites,
                                     .suite_count = suite_count,
                                     .methods = 1 << LARCH_LAKE_METHOD_PSK | 1 << LARCH_LAKE_METHOD_SIGNATURES,
                                     .find = gateway_lake_find,
                                     .context = lake,
                                     .random = *random,
                                     .scratch = lake->scratch,
                                     .scratch_size = sizeof lake->scratch};
#if LARCH_KEYLOG
    lake->party.key_log = log_secrets;
#endif
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
                                               .credentials = ";ed-cred-t=0;ed-cred-t=1;ed-idcred-t=4",
                                               .own = own,
                                               .store = store,
                                               .commit = commit,
                                               .confirm = confirm,
                                               .stamp = stamp,
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
    larch_wipe(lake->own, sizeof lake->own);
}

static larch_error make_own(gateway_lake *lake, gateway_lake_own *made, int alg, const larch_storage *storage)
{
    larch_store_fault fault;
    larch_error e = larch_app_signer_load(&made->signer, alg, storage, &fault);
    if (e != LARCH_OK) /* without such a key there is no method 0 with its suites */
        return e == LARCH_STATE ? LARCH_OK : e;
    larch_writer w = larch_writer_to(made->cred_r, sizeof made->cred_r);
    e = larch_enrolment_put_gateway(&w, lake->identity, alg, larch_app_signer_pub(&made->signer), made->kid);
    if (e != LARCH_OK)
        return e;
    larch_writer id = larch_writer_to(made->id_cred, sizeof made->id_cred);
    larch_lake_put_id_cred(&id, LARCH_LAKE_BY_KID, LARCH_BYTES(made->kid));
    made->credential = (larch_lake_credential){.id_cred = {made->id_cred, id.len},
                                               .cred_r = {made->cred_r, w.len},
                                               .key = larch_app_signer_key(&made->signer)};
    return LARCH_OK;
}

larch_exit gateway_lake_set_identity(gateway_lake *lake, const uint8_t identity[LARCH_FINGERPRINT_LEN],
                                     const larch_storage *storage)
{
    static const int algorithms[] = {LARCH_COSE_ML_DSA_44, LARCH_COSE_ML_DSA_87};
    larch_error e = LARCH_OK;
    memcpy(lake->identity, identity, sizeof lake->identity);
    for (size_t i = 0; e == LARCH_OK && i < sizeof algorithms / sizeof algorithms[0]; i++)
        e = make_own(lake, &lake->own[i], algorithms[i], storage);
    return e == LARCH_OK ? LARCH_EXIT_DONE
                         : larch_app_fail(NAME, "the keys that sign handshakes: %s", larch_error_text(e));
}

/* ---- devices --------------------------------------------------------------------- */

static bool is_allowed(const gateway_lake *lake, const larch_lake_suite *suite)
{
    for (size_t i = 0; i < lake->party.suite_count; i++)
        if (lake->suites[i] == suite)
            return true;
    return false;
}

bool gateway_lake_enrol(gateway_lake *lake, const gateway_lake_enrolling *a, const larch_app_newcomer *newcomers,
                        size_t count, larch_app_take_enrolled *take, void *context, const char **why)
{
    const gateway_lake_own *own_key = gateway_lake_own_of(lake, a->suite);
    const larch_app_enrolling enrolling = {.sessions = lake->sessions->registry,
                                           .random = &lake->random,
                                           .identity = lake->identity,
                                           .gateway_key =
                                               own_key != NULL ? own_key->credential.key.pub : (larch_bytes){NULL, 0},
                                           .authority = a->authority,
                                           .method = a->method,
                                           .suite = a->suite,
                                           .reference = a->reference};
    *why = "this gateway does not allow the cipher suite: name it in --suites, or [gateway] suites";
    return is_allowed(lake, a->suite) && larch_app_enrol(&enrolling, newcomers, count, take, context, why);
}

/* The suite with the algorithm of a key that the operator allows, the most preferred first. */
static const larch_lake_suite *suite_for(const gateway_lake *lake, int64_t alg)
{
    for (size_t i = 0; i < lake->party.suite_count; i++)
        if (lake->suites[i]->signature == alg)
            return lake->suites[i];
    return NULL;
}

bool gateway_lake_accept(gateway_lake *lake, larch_bytes cwt, char name[LARCH_SESSIONS_NAME_MAX + 1], const char **why)
{
    larch_lake_claims claims;
    lake->is_new = lake->is_renewed = false;
    *why = "the credential was refused: the gateway's log says why";
    if (gateway_lake_take_cwt(lake, cwt) != LARCH_OK || gateway_lake_claims(cwt, &claims) != LARCH_OK)
        return false;
    const larch_lake_suite *suite = suite_for(lake, claims.key.alg);
    if (lake->is_new && suite == NULL) {
        *why = "no cipher suite that this gateway allows has the algorithm of the device's key";
        return false;
    }
    if (lake->is_new)
        lake->found.suite = suite->number;
    memcpy(name, lake->found.name, LARCH_SESSIONS_NAME_MAX + 1);
    const larch_error e = keep_credential(lake);
    *why = larch_sessions_error(lake->sessions->registry)->text;
    larch_wipe(&lake->found, sizeof lake->found);
    return e == LARCH_OK;
}
