/* SPDX-License-Identifier: Apache-2.0 */
#include "common/shake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/keylog.h"
#include "common/signer.h"
#include "common/suite_name.h"
#include "common/wire.h"
#include "larch/lake_client.h"
#include "loop.h"
#include "system.h"
#include "text/text.h"

#define EXCHANGES   16
#define C_I_LEN     7
#define PAUSE_MS    1000                  /* before the try with the other key */
#define REQUEST     LARCH_COAP_UPLOAD_MAX /* message_3 with a credential by value */
#define ANSWER      7168                  /* message_2 with ML-KEM-1024 and a signature of ML-DSA-87: 6.2 kB */
#define CLOCK_OFF_S 300                   /* from here on a clock is complained of */

typedef struct shake {
    larch_app_session *session;
    const larch_app_shaking *shaking;
    larch_random random;
    const larch_lake_suite *suites[1];
    larch_lake_party party;
    uint8_t scratch[LARCH_LAKE_SCRATCH];
    uint8_t credential_bytes[LARCH_ENROLMENT_CREDENTIAL_MAX]; /* method 4 */
    larch_app_signer signer;                                  /* method 0, with what follows */
    uint8_t gateway_kid[LARCH_LAKE_KID_LEN];
    uint8_t cred_i[LARCH_ENROLMENT_CCS_MAX], cred_r[LARCH_ENROLMENT_CCS_MAX];
    uint8_t id_cred[LARCH_LAKE_CWT_MAX + 16];
    larch_lake_credential own, gateway;
    larch_lake_credential credential; /* that this try uses */
    uint8_t request[REQUEST], answer[ANSWER];
    larch_coap_exchange exchanges[EXCHANGES];
    uint8_t answers[EXCHANGES * 8];
    larch_coap_endpoint endpoint;
    larch_lake_client_config config;
    larch_lake_client client;
    larch_app_wire wire;
    larch_udp_batch *batch; /* not secret, and large */
    larch_loop loop;
    larch_error outcome; /* LARCH_AGAIN: none yet */
    larch_exit failure;  /* of the state, which has said why */
} shake;

static void show(const shake *s, const char *what, const char *result)
{
    if (s->shaking->show != NULL)
        s->shaking->show(s->shaking->context, what, result);
}

static void send_datagram(shake *s, larch_bytes datagram)
{
    larch_app_wire_send(&s->wire, datagram);
    if (s->shaking->show_datagram != NULL)
        s->shaking->show_datagram(s->shaking->context, true, datagram);
}

/* ---- what the client asks --------------------------------------------------------- */

/* In method 0 the gateway proves itself by the key that the enrolment has. In method 4 an Initiator knows whom it speaks to. */
static larch_error find(void *context, const larch_lake_reference *reference, unsigned attempt,
                        larch_lake_credential *out)
{
    const shake *s = context;
    if (attempt > 0 || reference->owner != LARCH_LAKE_RESPONDER || reference->kind != LARCH_LAKE_BY_KID ||
        s->gateway.cred_r.len == 0 || !larch_bytes_equal(reference->value, LARCH_BYTES(s->gateway_kid)))
        return LARCH_AUTH;
    *out = s->gateway;
    return LARCH_OK;
}

/* What the device's own credential says of its times; LARCH_EXIT_DONE too if it says nothing, or the time is not known. */
static larch_exit check_credential(const shake *s, uint64_t unix_s)
{
    const larch_app_session *session = s->session;
    larch_cose_message m;
    larch_lake_claims claims;
    if (session->cwt.len == 0 || unix_s == 0 || larch_cose_parse_sign1(session->cwt, &m) != LARCH_OK ||
        larch_lake_parse_ccs(m.content, &claims) != LARCH_OK || larch_lake_check_times(&claims, unix_s) == LARCH_OK)
        return LARCH_EXIT_DONE;
    if (claims.exp > 0 && unix_s >= claims.exp)
        return larch_app_refuse(
            session->command, "the credential %s expired %llu s ago; have the authority sign another ('larch ca sign')",
            session->cwt_path, (unsigned long long)(unix_s - claims.exp));
    return larch_app_refuse(
        session->command,
        "the credential %s is valid in %llu s only: is this host's clock right? --no-clock takes the "
        "time from the gateway",
        session->cwt_path, (unsigned long long)(claims.nbf - unix_s));
}

/* The gateway is authenticated, and so is its time, if it gave one. */
static larch_exit take_time(shake *s, uint64_t unix_s)
{
    larch_app_session *session = s->session;
    const uint64_t own_s = larch_posix_unix_ns() / 1000000000;
    const uint64_t off_s = own_s > unix_s ? own_s - unix_s : unix_s - own_s;
    if (session->has_no_clock && unix_s == 0)
        return larch_app_fail(session->command, "%s does not know the time either: set the gateway's clock",
                              s->shaking->authority);
    if (session->has_no_clock) {
        session->clock_s = unix_s;
        session->clock_at_ms = larch_posix_now_ms();
        return check_credential(s, unix_s);
    }
    if (unix_s > 0 && off_s > CLOCK_OFF_S)
        (void)larch_app_fail(session->command,
                             "this host's clock is %llu s %s that of the gateway: set it, or give --no-clock",
                             (unsigned long long)off_s, own_s > unix_s ? "ahead of" : "behind");
    return LARCH_EXIT_DONE;
}

static larch_error store(void *context, uint64_t now_ms, const larch_lake_made *made)
{
    shake *s = context;
    (void)now_ms;
    s->failure = take_time(s, made->unix_s);
    if (s->failure == LARCH_EXIT_DONE)
        s->failure = larch_context_state_renew(&s->session->state, &made->oscore, &made->next,
                                               LARCH_LAKE_CLIENT_EPOCHS << 8, larch_app_session_unix_s(s->session));
    return s->failure == LARCH_EXIT_DONE ? LARCH_OK : LARCH_PLATFORM;
}

/* ---- on the wire ------------------------------------------------------------------ */

static void take_event(shake *s, uint64_t now_ms, const larch_coap_event *event)
{
    if (s->outcome == LARCH_AGAIN)
        s->outcome = larch_lake_client_take(&s->client, now_ms, event);
}

static uint64_t settle(void *context)
{
    shake *s = context;
    const uint64_t now_ms = larch_posix_now_ms();
    larch_peer peer;
    larch_bytes datagram;
    larch_coap_event event;
    if (s->outcome == LARCH_AGAIN)
        s->outcome = larch_lake_client_maintain(&s->client, now_ms);
    while (larch_coap_endpoint_poll(&s->endpoint, now_ms, &peer, &datagram, &event) == LARCH_OK) {
        if (datagram.len > 0)
            send_datagram(s, datagram);
        else
            take_event(s, now_ms, &event);
    }
    if (s->outcome != LARCH_AGAIN)
        larch_loop_stop(&s->loop, 0);
    const uint64_t a_ms = larch_coap_endpoint_deadline_ms(&s->endpoint), b_ms = larch_lake_client_due_ms(&s->client);
    return a_ms < b_ms ? a_ms : b_ms;
}

static void take_datagrams(larch_loop_watch *watch, unsigned events)
{
    shake *s = watch->context;
    larch_udp_batch *batch = s->batch;
    uint8_t reply[LARCH_COAP_DATAGRAM_MAX];
    (void)events;
    larch_app_wire_receive(&s->wire, batch);
    for (size_t i = 0; i < batch->count; i++) {
        const larch_udp_datagram *d = &batch->datagrams[i];
        larch_writer writer = larch_writer_to(reply, sizeof reply);
        larch_coap_event event;
        const uint64_t now_ms = larch_posix_now_ms();
        if (s->shaking->show_datagram != NULL)
            s->shaking->show_datagram(s->shaking->context, false, (larch_bytes){d->bytes, d->len});
        larch_coap_endpoint_receive(&s->endpoint, now_ms, &d->peer, d->multicast, (larch_bytes){d->bytes, d->len},
                                    &writer, &event);
        if (writer.len > 0)
            send_datagram(s, (larch_bytes){reply, writer.len});
        take_event(s, now_ms, &event);
    }
}

/* A resumption of a device that signs keeps the credentials of its first handshake. */
static larch_error resume_signer(shake *s, const larch_lake_resumption *key)
{
    larch_writer w = larch_writer_to(s->credential_bytes, sizeof s->credential_bytes);
    larch_lake_put_id_cred(&w, LARCH_LAKE_BY_KID, (larch_bytes){key->kid, key->kid_len});
    s->credential = (larch_lake_credential){.id_cred = {s->credential_bytes, w.len},
                                            .cred_i = s->own.cred_i,
                                            .cred_r = s->gateway.cred_r,
                                            .key = {.kty = LARCH_COSE_SYMMETRIC, .k = {key->psk, key->psk_len}},
                                            .psk_hash = key->psk_hash};
    return LARCH_OK;
}

static larch_error choose_credential(shake *s, const larch_lake_resumption *key)
{
    const larch_enrolment *e = &s->session->enrolment;
    s->config.method = key != NULL ? LARCH_LAKE_METHOD_PSK : e->method;
    if (e->method == LARCH_LAKE_METHOD_PSK)
        return larch_enrolment_credential(e, key, s->credential_bytes, &s->credential);
    if (key != NULL)
        return resume_signer(s, key);
    s->credential = s->own;
    return LARCH_OK;
}

/* One handshake under a key; NULL: by what the enrolment says. */
static larch_error try_key(shake *s, const larch_lake_resumption *key)
{
    larch_loop_watch answers = {.fd = s->wire.udp.fd, .ready = take_datagrams, .context = s};
    larch_error e = choose_credential(s, key);
    s->outcome = LARCH_AGAIN;
    if (e == LARCH_OK)
        e = larch_lake_client_begin(&s->client, &s->config, larch_posix_now_ms());
    if (e != LARCH_OK)
        return e;
    larch_loop_init(&s->loop, settle, s);
    if (larch_loop_add_watch(&s->loop, &answers, LARCH_LOOP_READ) != LARCH_OK)
        return LARCH_PLATFORM;
    if (larch_loop_run_until(&s->loop, larch_posix_now_ms() + (uint64_t)(s->shaking->timeout_s * 1000)) ==
        LARCH_LOOP_DUE)
        s->outcome = LARCH_TIMEOUT;
    larch_lake_client_cancel(&s->client);
    return s->outcome;
}

/* ---- the end ---------------------------------------------------------------------- */

static larch_exit refuse(const shake *s)
{
    char identity[LARCH_FINGERPRINT_TEXT_LEN + 1], code[LARCH_TEXT_CODE_MAX];
    const larch_bytes name = s->session->enrolment.name;
    const uint8_t hint = larch_lake_client_hint(&s->client);
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, s->session->enrolment.identity, identity);
    switch (larch_lake_client_error_code(&s->client)) {
    case 0:
        break;
    case LARCH_LAKE_ERROR_SUITE:
        return larch_app_refuse(s->session->command,
                                "%s refused the handshake: it does not allow the cipher suite %s of the enrolment "
                                "('larch gateway --suites')",
                                s->shaking->authority, larch_app_suite_name(s->session->enrolment.suite));
    case LARCH_LAKE_ERROR_CREDENTIAL:
        return larch_app_refuse(
            s->session->command,
            "%s refused the handshake: it does not know the device '%.*s' (any more), or is not the "
            "gateway %s of the enrolment",
            s->shaking->authority, (int)name.len, (const char *)name.data, identity);
    default:
        return larch_app_refuse(s->session->command,
                                "%s refused the handshake: it has another key, method or cipher suite for the device "
                                "'%.*s', or none, or its credential is not valid there, or it is not the gateway %s of "
                                "the enrolment, or it cannot store sessions now; a gateway's log says which",
                                s->shaking->authority, (int)name.len, (const char *)name.data, identity);
    }
    if (hint != 0)
        return larch_app_refuse(s->session->command, "%s takes no handshakes: it answered %s %s", s->shaking->authority,
                                larch_text_of_code(hint, code), larch_coap_code_text(hint));
    return larch_app_refuse(
        s->session->command,
        "%s could not prove that it is the gateway %s of the enrolment: somebody else answers there",
        s->shaking->authority, identity);
}

static larch_exit fail(const shake *s, larch_error e)
{
    const char *authority = s->shaking->authority, *command = s->session->command;
    if (s->failure != LARCH_EXIT_DONE)
        return s->failure;
    if (e == LARCH_AUTH || e == LARCH_MALFORMED)
        return refuse(s);
    if (e == LARCH_TIMEOUT && s->wire.hint != 0)
        return larch_app_fail(command, "%s: no answer to the handshake: %s; %s", authority,
                              larch_app_hint_of(s->wire.hint).text, larch_app_hint_of(s->wire.hint).advice);
    if (e == LARCH_TIMEOUT)
        return larch_app_fail(command, "%s: no answer to the handshake within %g s; check the address", authority,
                              s->shaking->timeout_s);
    if (e == LARCH_BUSY)
        return larch_app_fail(command, "%s: the gateway has no room for handshakes now; try again later", authority);
    return larch_app_fail(command, "%s: the handshake failed: %s", authority, larch_error_text(e));
}

/* A key that the gateway has no more is no reason to give up: the enrolment's own stays good. */
static larch_exit try_keys(shake *s)
{
    const larch_lake_resumption *last = &s->session->state.stored.made.key;
    larch_error e = LARCH_AUTH;
    if (last->psk_len > 0) {
        e = try_key(s, last);
        show(s, "handshake", e == LARCH_OK ? "the session was renewed" : larch_error_text(e));
        if (e == LARCH_AUTH && s->failure == LARCH_EXIT_DONE) {
            larch_loop_init(&s->loop, NULL, NULL);
            (void)larch_loop_run_until(&s->loop, larch_posix_now_ms() + PAUSE_MS);
        }
    }
    if (e == LARCH_AUTH && s->failure == LARCH_EXIT_DONE) {
        e = try_key(s, NULL);
        show(s, "handshake", e == LARCH_OK ? "a session began" : larch_error_text(e));
    }
    return e == LARCH_OK ? LARCH_EXIT_DONE : fail(s, e);
}

/* ---- life ------------------------------------------------------------------------- */

#if LARCH_KEYLOG
/* A log that cannot be written is complained of; the session's context, which is logged behind it, ends the run. */
static void log_secrets(void *context, larch_bytes line)
{
    const shake *s = context;
    (void)larch_app_keylog_lake(s->session->command, line);
}
#endif

/* CRED_I and ID_CRED_I. */
static larch_error prepare_own(shake *s)
{
    const larch_enrolment *e = &s->session->enrolment;
    uint8_t hash[LARCH_SHA256_LEN];
    larch_writer w = larch_writer_to(s->cred_i, sizeof s->cred_i), id = larch_writer_to(s->id_cred, sizeof s->id_cred);
    larch_bytes value = LARCH_BYTES(e->kid);
    larch_enrolment_put_public(&w, e->name, LARCH_BYTES(e->kid), s->signer.sig->cose_algorithm,
                               larch_app_signer_pub(&s->signer));
    s->own = (larch_lake_credential){.cred_i = {s->cred_i, w.len}, .key = larch_app_signer_key(&s->signer)};
    if (s->session->cwt.len > 0)
        s->own.cred_i = s->session->cwt;
    if (larch_sha256(&s->own.cred_i, 1, hash) != LARCH_OK)
        return LARCH_PLATFORM;
    if (e->reference == LARCH_LAKE_BY_CWT_HASH)
        value = LARCH_BYTES(hash);
    else if (e->reference != LARCH_LAKE_BY_KID)
        value = s->own.cred_i;
    larch_lake_put_id_cred(&id, (larch_lake_reference_kind)e->reference, value);
    return larch_writer_finish(&id, &s->own.id_cred);
}

/* Both sides' credentials of method 0. */
static larch_error prepare_signer(shake *s)
{
    const larch_enrolment *e = &s->session->enrolment;
    const int alg = s->suites[0]->signature;
    larch_writer w = larch_writer_to(s->cred_r, sizeof s->cred_r);
    larch_error error = larch_app_signer_of(&s->signer, alg, e->psk);
    if (error != LARCH_OK || (error = prepare_own(s)) != LARCH_OK ||
        (error = larch_enrolment_put_gateway(&w, e->identity, alg, e->key, s->gateway_kid)) != LARCH_OK)
        return error;
    s->gateway = (larch_lake_credential){.cred_r = {s->cred_r, w.len},
                                         .key = {.kty = LARCH_COSE_AKP, .alg = alg, .pub = e->key}};
    return LARCH_OK;
}

static larch_error prepare(shake *s)
{
    static const uint16_t understood[] = {LARCH_COAP_OPT_BLOCK2, LARCH_COAP_OPT_BLOCK1};
    const larch_coap_memory memory = {s->exchanges, EXCHANGES, s->answers, sizeof s->answers};
    s->random = larch_posix_random();
    s->suites[0] = larch_lake_suite_find(s->session->enrolment.suite);
    s->party = (larch_lake_party){.suites = s->suites,
                                  .suite_count = 1,
                                  .find = find,
                                  .context = s,
                                  .random = s->random,
                                  .scratch = s->scratch,
                                  .scratch_size = sizeof s->scratch};
#if LARCH_KEYLOG
    s->party.key_log = log_secrets;
#endif
    s->config = (larch_lake_client_config){.endpoint = &s->endpoint,
                                           .responder = *s->shaking->gateway,
                                           .party = &s->party,
                                           .own = &s->credential,
                                           .c_i_len = C_I_LEN,
                                           .rkid_len = LARCH_LAKE_KID_LEN,
                                           .request = s->request,
                                           .request_cap = sizeof s->request,
                                           .answer = s->answer,
                                           .answer_cap = sizeof s->answer,
                                           .store = store,
                                           .context = s};
    if (s->suites[0] == NULL)
        return LARCH_STATE;
    if (s->session->enrolment.method == LARCH_LAKE_METHOD_SIGNATURES) {
        const larch_error e = prepare_signer(s);
        if (e != LARCH_OK)
            return e;
    }
    return larch_coap_endpoint_init(&s->endpoint, &memory, &s->random, understood,
                                    sizeof understood / sizeof understood[0]);
}

larch_exit larch_app_shake_hands(larch_app_session *session, const larch_app_shaking *shaking)
{
    static shake s; /* large for a stack */
    larch_posix_reason why;
    memset(&s, 0, sizeof s);
    s.session = session;
    s.shaking = shaking;
    larch_exit code = larch_app_session_read_credential(session);
    if (code != LARCH_EXIT_DONE || (code = check_credential(&s, larch_app_session_unix_s(session))) != LARCH_EXIT_DONE)
        return code;
    const larch_error e = prepare(&s);
    if (e != LARCH_OK) {
        larch_wipe(&s, sizeof s);
        return larch_app_fail(session->command, "handshakes: %s", larch_error_text(e));
    }
    if (larch_app_wire_open(&s.wire, shaking->gateway, &why) != 0) {
        code = larch_app_fail(session->command, "%s", why.text);
    } else {
        s.batch = malloc(sizeof *s.batch);
        code = s.batch != NULL ? try_keys(&s) : larch_app_fail(session->command, "out of memory");
        free(s.batch);
        larch_app_wire_close(&s.wire);
    }
    larch_wipe(&s, sizeof s);
    return code;
}
