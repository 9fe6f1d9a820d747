/* SPDX-License-Identifier: Apache-2.0 */
#include "common/shake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/keylog.h"
#include "common/wire.h"
#include "larch/lake_client.h"
#include "loop.h"
#include "system.h"
#include "text/text.h"

#define EXCHANGES  16
#define C_I_LEN    7
#define PAUSE_MS   1000 /* before the try with the other key */
#define REQUEST    1024
#define ANSWER     2048
#define TEXT_BYTES 400

typedef struct shake {
    larch_app_session *session;
    const larch_app_shaking *shaking;
    larch_random random;
    const larch_lake_suite *suites[1];
    larch_lake_party party;
    uint8_t scratch[LARCH_LAKE_SCRATCH_PSK];
    uint8_t credential_bytes[LARCH_ENROLMENT_CREDENTIAL_MAX];
    larch_lake_credential credential;
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

/* ---- what the client asks --------------------------------------------------------- */

static larch_error find_nothing(void *context, const larch_lake_reference *reference, unsigned attempt,
                                larch_lake_credential *out)
{
    (void)context;
    (void)reference;
    (void)attempt;
    (void)out;
    return LARCH_AUTH; /* in method 4 an Initiator knows whom it speaks to */
}

static larch_error store(void *context, uint64_t now_ms, const larch_lake_made *made)
{
    shake *s = context;
    (void)now_ms;
    s->failure = larch_context_state_renew(&s->session->state, &made->oscore, &made->next,
                                           LARCH_LAKE_CLIENT_EPOCHS << 8, larch_posix_unix_ns() / 1000000000);
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
            larch_app_wire_send(&s->wire, datagram);
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
        larch_coap_endpoint_receive(&s->endpoint, now_ms, &d->peer, d->multicast, (larch_bytes){d->bytes, d->len},
                                    &writer, &event);
        if (writer.len > 0)
            larch_app_wire_send(&s->wire, (larch_bytes){reply, writer.len});
        take_event(s, now_ms, &event);
    }
}

/* One handshake under a key; NULL: the enrolment's own. */
static larch_error try_key(shake *s, const larch_lake_resumption *key)
{
    larch_loop_watch answers = {.fd = s->wire.udp.fd, .ready = take_datagrams, .context = s};
    larch_error e = larch_enrolment_credential(&s->session->enrolment, key, s->credential_bytes, &s->credential);
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
    if (larch_lake_client_error_code(&s->client) != 0)
        return larch_app_refuse(
            s->session->command,
            "%s refused the handshake: it does not know the device '%.*s' (any more), or has another key for it, or is "
            "not "
            "the gateway %s of the enrolment, or cannot store sessions now; a gateway's log says which",
            s->shaking->authority, (int)name.len, (const char *)name.data, identity);
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

static larch_error prepare(shake *s)
{
    const larch_coap_memory memory = {s->exchanges, EXCHANGES, s->answers, sizeof s->answers};
    s->random = larch_posix_random();
    s->suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    s->party = (larch_lake_party){.suites = s->suites,
                                  .suite_count = 1,
                                  .find = find_nothing,
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
                                           .method = LARCH_LAKE_METHOD_PSK,
                                           .own = &s->credential,
                                           .c_i_len = C_I_LEN,
                                           .rkid_len = LARCH_LAKE_KID_LEN,
                                           .request = s->request,
                                           .request_cap = sizeof s->request,
                                           .answer = s->answer,
                                           .answer_cap = sizeof s->answer,
                                           .store = store,
                                           .context = s};
    return s->suites[0] != NULL ? larch_coap_endpoint_init(&s->endpoint, &memory, &s->random, NULL, 0) : LARCH_STATE;
}

larch_exit larch_app_shake_hands(larch_app_session *session, const larch_app_shaking *shaking)
{
    static shake s; /* large for a stack */
    larch_posix_reason why;
    memset(&s, 0, sizeof s);
    s.session = session;
    s.shaking = shaking;
    const larch_error e = prepare(&s);
    if (e != LARCH_OK)
        return larch_app_fail(session->command, "handshakes: %s", larch_error_text(e));
    if (larch_app_wire_open(&s.wire, shaking->gateway, &why) != 0)
        return larch_app_fail(session->command, "%s", why.text);
    s.batch = malloc(sizeof *s.batch);
    const larch_exit code = s.batch != NULL ? try_keys(&s) : larch_app_fail(session->command, "out of memory");
    free(s.batch);
    larch_app_wire_close(&s.wire);
    larch_wipe(&s, sizeof s);
    return code;
}
