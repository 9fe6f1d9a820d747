/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway with the Responder of LAKE, what its driver stores, and a device that shakes hands with it and then reports,
 * on the simulated network. Storage is durable, and the power of either side may go at any step of it.
 */
#ifndef LARCH_TESTS_LAKE_WORLD_H
#define LARCH_TESTS_LAKE_WORLD_H

#include "lake_store.h"
#include "larch/lake_client.h"
#include "larch/lake_service.h"
#include "session_bench.h"

enum { LW_DEVICES = 2, LW_PLACES = 16, LW_DEVICE_PORT = 40000, LW_UNIX_S = 1800000000 };

typedef struct lake_world {
    session_bench g;
    larch_sim *sim;
    larch_peer gateway_address;
    /* the gateway */
    larch_lake_service lake;
    larch_lake_service_config lake_config;
    larch_lake_place_44 places[LW_PLACES];
    larch_lake_half halves[LW_PLACES];
    larch_lake_party party;
    const larch_lake_suite *suites[3];
    uint8_t scratch[LARCH_LAKE_SCRATCH];
    lw_credentials gateway, devices[LW_DEVICES];
    lw_account accounts[LW_DEVICES];
    bool has_external; /* the external PSKs are known */
    unsigned found_device;
    int found_key; /* -1: the external PSK, or a signature */
    larch_lake_credential gateway_own;
    uint64_t retired; /* a session to be removed behind the call */
    lw_cut gateway_cut;
    unsigned stores, confirms;
    uint64_t unix_s;
    /* the device */
    unsigned who;
    larch_peer address;
    larch_coap_endpoint endpoint;
    larch_coap_exchange exchanges[8];
    uint8_t answers[1024];
    larch_sim_random random_state;
    larch_random random;
    larch_lake_client client;
    larch_lake_client_config config;
    larch_lake_party device_party;
    const larch_lake_suite *device_suites[3];
    uint8_t device_scratch[LARCH_LAKE_SCRATCH];
    larch_lake_credential own;
    uint8_t id_rpsk[32];
    uint8_t request[4096], answer[4720], first_body[64];
    uint8_t oscore_scratch[LARCH_OSCORE_CLIENT_SCRATCH];
    larch_coap_ask first;
    lw_cut device_cut;
    lw_key device_keys[2]; /* durable: the newest first */
    lw_context device_context;
    uint64_t learned_s;
    larch_error outcome; /* of the handshake; LARCH_AGAIN: under way */
    /* its report under the newest session */
    larch_session session;
    larch_oscore_client reporter;
    larch_oscore_client_config wiring;
    larch_error reported; /* LARCH_AGAIN: under way */
    uint8_t reported_code;
    unsigned datagrams, bytes_up, bytes_down; /* on the network */
} lake_world;

/* ---- the gateway's driver ---------------------------------------------------------- */

static inline larch_error lw_find(void *context, const larch_lake_reference *reference, unsigned attempt,
                                  larch_lake_credential *out)
{
    lake_world *w = context;
    if (reference->kind != LARCH_LAKE_BY_KID)
        return LARCH_AUTH;
    for (unsigned d = 0; d < LW_DEVICES; d++) {
        const lw_credentials *c = &w->devices[d];
        w->found_device = d;
        w->found_key = -1;
        if (reference->method != LARCH_LAKE_METHOD_PSK) {
            if (attempt > 0 || !larch_bytes_equal(reference->value, (larch_bytes){c->kid, 2}))
                continue;
            *out = lw_signing(c, false);
            return LARCH_OK;
        }
        if (w->has_external && larch_bytes_equal(reference->value, LARCH_BYTES(c->kid)) && attempt-- == 0) {
            *out = lw_psk(c, NULL);
            return LARCH_OK;
        }
        for (int k = 0; k < LW_KEYS; k++) {
            const lw_key *key = &w->accounts[d].keys[k];
            if (!key->is || !larch_bytes_equal(reference->value, (larch_bytes){key->r.kid, key->r.kid_len}) ||
                attempt-- != 0)
                continue;
            w->found_key = k;
            *out = lw_psk(c, key);
            return LARCH_OK;
        }
    }
    return LARCH_AUTH;
}

static inline const larch_lake_credential *lw_own(void *context, unsigned method, const larch_lake_suite *suite)
{
    lake_world *w = context;
    bench_require(method == LARCH_LAKE_METHOD_SIGNATURES && suite->signature == LARCH_COSE_ML_DSA_44);
    return &w->gateway_own;
}

static inline lw_context *lw_context_of(lw_account *a, uint64_t number)
{
    for (size_t i = 0; i < LW_KEYS; i++)
        if (number == 0 ? !a->contexts[i].is : a->contexts[i].is && a->contexts[i].number == number)
            return &a->contexts[i];
    return NULL;
}

/* Forgets sessions that are unconfirmed, and their rPSKs, but for the one whose rPSK this handshake used; and rPSKs
 * before that. */
static inline void lw_drop_stale(lw_account *a, int used)
{
    const lw_key key = used >= 0 ? a->keys[used] : (lw_key){0};
    for (size_t i = 0; i < LW_KEYS; i++) {
        lw_context *c = &a->contexts[i];
        const bool stays = !c->is_unconfirmed || (key.is && c->number == key.session);
        for (size_t k = 0; k < LW_KEYS && !stays && c->is; k++)
            if (a->keys[k].session == c->number)
                memset(&a->keys[k], 0, sizeof a->keys[k]);
        if (!stays)
            memset(c, 0, sizeof *c);
    }
    for (int k = 0; k < LW_KEYS && used >= 0; k++)
        if (k != used)
            memset(&a->keys[k], 0, sizeof a->keys[k]);
}

static inline larch_error lw_store(void *context, uint64_t now_ms, const larch_lake_made *made, larch_session *session)
{
    lake_world *w = context;
    lw_account *durable = &w->accounts[w->found_device], a = *durable;
    larch_session *place;
    bool is_durable;
    (void)now_ms;
    session->device = 0x100u + w->found_device;
    if (lw_context_of(&a, session->number) == NULL) {
        lw_drop_stale(&a, w->found_key);
        lw_context *c = lw_context_of(&a, 0);
        size_t k = 0;
        while (k < LW_KEYS && a.keys[k].is)
            k++;
        bench_require(c != NULL && k < LW_KEYS);
        *c = (lw_context){true, true, session->number, made->oscore};
        a.keys[k] = (lw_key){true, made->next, session->number};
    }
    const larch_error e = lw_step(&w->gateway_cut, &is_durable);
    if (is_durable)
        *durable = a;
    if (e != LARCH_OK)
        return e;
    w->stores++;
    return larch_session_table_add(&w->g.table, session, &place);
}

static inline larch_error lw_confirm(void *context, uint64_t now_ms, const larch_session *session)
{
    lake_world *w = context;
    lw_account *durable = &w->accounts[session->device - 0x100], a = *durable;
    bool is_durable;
    (void)now_ms;
    for (size_t i = 0; i < LW_KEYS; i++) {
        if (a.contexts[i].is && a.contexts[i].number != session->number)
            w->retired = a.contexts[i].number;
        if (a.contexts[i].number != session->number)
            memset(&a.contexts[i], 0, sizeof a.contexts[i]);
        if (a.keys[i].session != session->number)
            memset(&a.keys[i], 0, sizeof a.keys[i]);
    }
    lw_context_of(&a, session->number)->is_unconfirmed = false;
    const larch_error e = lw_step(&w->gateway_cut, &is_durable);
    if (is_durable)
        *durable = a;
    w->confirms += e == LARCH_OK;
    return e;
}

static inline uint64_t lw_unix_s(void *context) { return ((lake_world *)context)->unix_s; }

static inline larch_oscore_parameters lw_parameters(const larch_lake_oscore *o)
{
    return (larch_oscore_parameters){.aead = o->aead,
                                     .hash = o->hash,
                                     .master_secret = {o->master_secret, o->master_secret_len},
                                     .master_salt = LARCH_BYTES(o->master_salt),
                                     .sender_id = {o->sender_id.bytes, o->sender_id.len},
                                     .recipient_id = {o->recipient_id.bytes, o->recipient_id.len}};
}

/* Of what a start finds on the disk. */
static inline void lw_load(lake_world *w)
{
    for (unsigned d = 0; d < LW_DEVICES; d++)
        for (size_t i = 0; i < LW_KEYS; i++) {
            const lw_context *c = &w->accounts[d].contexts[i];
            const larch_oscore_parameters p = lw_parameters(&c->o);
            larch_session session = {.number = c->number, .device = 0x100u + d, .is_unconfirmed = c->is_unconfirmed};
            larch_session *place;
            if (!c->is)
                continue;
            bench_require(larch_oscore_context_init(&session.oscore, &p) == LARCH_OK &&
                          larch_oscore_forget_window(&session.oscore, &w->g.random) == LARCH_OK);
            larch_epochs_begin(&w->g.epochs, &session);
            bench_require(larch_session_table_add(&w->g.table, &session, &place) == LARCH_OK);
        }
}

static inline const larch_service *lw_begin_lake(session_bench *g)
{
    lake_world *w = (lake_world *)(void *)g; /* its first member */
    bench_require(larch_lake_service_init(&w->lake, &w->lake_config) == LARCH_OK);
    g->oscore_config.handshakes = &w->lake.handshakes;
    lw_load(w);
    return &w->lake.service;
}

static inline void lw_gateway_restart(lake_world *w)
{
    larch_server_wipe(&w->g.srv);
    w->gateway_cut = (lw_cut){.at = LW_NEVER};
    w->retired = 0;
    w->g.now_ms = w->sim != NULL ? larch_sim_now_ms(w->sim) : w->g.now_ms;
    sessions_start(&w->g);
}

/* ---- the device's driver ------------------------------------------------------------- */

static inline larch_error lw_device_find(void *context, const larch_lake_reference *reference, unsigned attempt,
                                         larch_lake_credential *out)
{
    lake_world *w = context;
    if (attempt > 0 || reference->owner != LARCH_LAKE_RESPONDER ||
        !larch_bytes_equal(reference->value, (larch_bytes){w->gateway.kid, 2}))
        return LARCH_AUTH;
    *out = lw_signing(&w->gateway, false);
    return LARCH_OK;
}

static inline larch_error lw_device_store(void *context, uint64_t now_ms, const larch_lake_made *made)
{
    lake_world *w = context;
    bool is_durable;
    (void)now_ms;
    const larch_error e = lw_step(&w->device_cut, &is_durable);
    if (is_durable) {
        w->device_keys[1] = w->device_keys[0];
        w->device_keys[0] = (lw_key){true, made->next, 0};
        w->device_context = (lw_context){true, false, 0, made->oscore};
    }
    w->learned_s = made->unix_s;
    return e;
}

static inline larch_error lw_report_number(void *context, uint64_t now_ms, uint64_t *number)
{
    lake_world *w = context;
    (void)now_ms;
    return larch_oscore_take_number(&w->session.oscore, number);
}

/* POST /r/temp under the session that is stored. */
static inline void lw_report(lake_world *w, uint64_t now_ms)
{
    const larch_oscore_parameters p = lw_parameters(&w->device_context.o);
    const larch_coap_target target = {.peer = w->gateway_address, .type = LARCH_COAP_CON};
    const larch_coap_ask ask = {.method = LARCH_COAP_POST,
                                .path = "r/temp",
                                .payload = LARCH_TEXT("21.5"),
                                .content_format = LARCH_COAP_FORMAT_TEXT};
    memset(&w->session, 0, sizeof w->session);
    memset(&w->reporter, 0, sizeof w->reporter);
    bench_require(larch_oscore_context_init(&w->session.oscore, &p) == LARCH_OK);
    larch_oscore_grant(&w->session.oscore, LARCH_LAKE_CLIENT_EPOCHS << 8, LARCH_OSCORE_NUMBER_MAX);
    w->wiring = (larch_oscore_client_config){&w->endpoint, &w->session, lw_report_number, w, w->oscore_scratch};
    w->reported = LARCH_AGAIN;
    w->random_state.fails_at = 0;
    bench_require(larch_oscore_client_ask(&w->reporter, &w->wiring, now_ms, &target, &ask, w->first_body,
                                          sizeof w->first_body) == LARCH_OK);
}

static inline void lw_take_outcome(lake_world *w, uint64_t now_ms, larch_error e)
{
    bool is_durable;
    if (e == LARCH_AGAIN || w->device_cut.is_off)
        return;
    w->outcome = e;
    if (e != LARCH_OK)
        return;
    if (lw_step(&w->device_cut, &is_durable) == LARCH_OK || is_durable) /* the rPSK of this handshake goes */
        w->device_keys[1].is = false;
    if (!w->device_cut.is_off)
        lw_report(w, now_ms);
}

static inline void lw_take_event(lake_world *w, uint64_t now_ms, const larch_coap_event *event)
{
    larch_coap_answer answer;
    if (w->outcome == LARCH_AGAIN)
        lw_take_outcome(w, now_ms, larch_lake_client_take(&w->client, now_ms, event));
    if (w->reporter.config == NULL || w->device_cut.is_off)
        return;
    const larch_error e = larch_oscore_client_take(&w->reporter, now_ms, event, &answer);
    if (e != LARCH_AGAIN) {
        w->reported = e;
        w->reported_code = answer.code;
    }
}

/* Its power comes: what was not stored is gone. */
static inline void lw_device_start(lake_world *w, uint64_t now_ms)
{
    static const uint16_t understood[] = {LARCH_COAP_OPT_BLOCK2, LARCH_COAP_OPT_BLOCK1, LARCH_COAP_OPT_OSCORE};
    const larch_coap_memory memory = {w->exchanges, 8, w->answers, sizeof w->answers};
    (void)now_ms;
    memset(&w->client, 0, sizeof w->client);
    memset(&w->reporter, 0, sizeof w->reporter);
    w->device_cut = (lw_cut){.at = LW_NEVER};
    w->reported = w->outcome = LARCH_STATE;
    bench_require(larch_coap_endpoint_init(&w->endpoint, &memory, &w->random, understood, 3) == LARCH_OK);
}

/* Shakes hands with the newest rPSK, else with the external PSK; or by signatures. */
static inline void lw_shake(lake_world *w, uint64_t now_ms, unsigned method)
{
    const lw_credentials *c = &w->devices[w->who];
    const lw_key *key = w->device_keys[0].is ? &w->device_keys[0] : NULL;
    w->own = method == LARCH_LAKE_METHOD_PSK ? lw_psk(c, key) : lw_signing(c, true);
    if (method == LARCH_LAKE_METHOD_PSK && key != NULL)
        w->own.id_cred = (larch_bytes){w->id_rpsk, lw_put_id(w->id_rpsk, (larch_bytes){key->r.kid, key->r.kid_len})};
    w->config.method = method;
    w->outcome = LARCH_AGAIN;
    const larch_error e = larch_lake_client_begin(&w->client, &w->config, now_ms);
    if (e != LARCH_OK)
        w->outcome = e;
}

/* ---- the network ----------------------------------------------------------------------- */

static inline void lw_gateway_poll(void *context, uint64_t now_ms)
{
    lake_world *w = context;
    larch_peer peer;
    larch_bytes datagram;
    if (w->gateway_cut.is_off)
        return;
    w->g.now_ms = now_ms;
    if (w->retired != 0) {
        larch_session *old = sessions_find_number(&w->g, w->retired);
        larch_oscore_service_forget(&w->g.oscore, &w->g.srv, w->retired);
        if (old != NULL)
            larch_session_table_remove(&w->g.table, old);
        w->retired = 0;
    }
    sessions_store(&w->g);
    while (larch_server_send(&w->g.srv, now_ms, &peer, &datagram) == LARCH_OK)
        larch_sim_send(w->sim, &w->gateway_address, &peer, datagram);
}

static inline void lw_gateway_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast,
                                      larch_bytes datagram)
{
    lake_world *w = context;
    if (w->gateway_cut.is_off)
        return;
    w->g.now_ms = now_ms;
    bench_require(larch_server_receive(&w->g.srv, now_ms, from, multicast, datagram) == LARCH_OK);
    lw_gateway_poll(context, now_ms);
}

static inline uint64_t lw_gateway_deadline(void *context)
{
    lake_world *w = context;
    return w->gateway_cut.is_off ? UINT64_MAX : larch_server_deadline_ms(&w->g.srv);
}

static inline void lw_device_poll(void *context, uint64_t now_ms)
{
    lake_world *w = context;
    larch_coap_event event;
    larch_peer peer;
    larch_bytes datagram;
    if (w->device_cut.is_off)
        return;
    if (w->outcome == LARCH_AGAIN)
        lw_take_outcome(w, now_ms, larch_lake_client_maintain(&w->client, now_ms));
    while (!w->device_cut.is_off &&
           larch_coap_endpoint_poll(&w->endpoint, now_ms, &peer, &datagram, &event) == LARCH_OK) {
        if (datagram.len > 0)
            larch_sim_send(w->sim, &w->address, &peer, datagram);
        else
            lw_take_event(w, now_ms, &event);
    }
}

static inline void lw_device_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast,
                                     larch_bytes datagram)
{
    lake_world *w = context;
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_writer reply = larch_writer_to(bytes, sizeof bytes);
    larch_coap_event event;
    if (w->device_cut.is_off)
        return;
    larch_coap_endpoint_receive(&w->endpoint, now_ms, from, multicast, datagram, &reply, &event);
    if (reply.len > 0)
        larch_sim_send(w->sim, &w->address, from, (larch_bytes){bytes, reply.len});
    lw_take_event(w, now_ms, &event);
    lw_device_poll(context, now_ms);
}

static inline uint64_t lw_device_deadline(void *context)
{
    lake_world *w = context;
    const uint64_t coap_ms = larch_coap_endpoint_deadline_ms(&w->endpoint);
    const uint64_t due_ms = w->outcome == LARCH_AGAIN ? larch_lake_client_due_ms(&w->client) : UINT64_MAX;
    return w->device_cut.is_off ? UINT64_MAX : due_ms < coap_ms ? due_ms : coap_ms;
}

static inline void lw_tap(void *context, uint64_t now_ms, const larch_peer *from, const larch_peer *to,
                          larch_bytes datagram, bool lost)
{
    lake_world *w = context;
    (void)now_ms, (void)to, (void)lost;
    w->datagrams++;
    if (larch_peer_equal(from, &w->address))
        w->bytes_up += (unsigned)datagram.len;
    else
        w->bytes_down += (unsigned)datagram.len;
}

/* ---- all of it -------------------------------------------------------------------------- */

/* Without a network. */
static inline void lw_prepare(lake_world *w, uint64_t seed)
{
    static lw_credentials gateway, devices[LW_DEVICES];
    if (gateway.sub[0] == '\0') { /* key pairs take longer than most tests */
        lw_make_credentials(&gateway, "larch2:gateway", 9);
        lw_make_credentials(&devices[0], "kitchen", 1);
        lw_make_credentials(&devices[1], "cellar", 2);
    }
    memset(w, 0, sizeof *w);
    w->gateway = gateway;
    memcpy(w->devices, devices, sizeof devices);
    w->has_external = true;
    w->gateway_own = lw_signing(&w->gateway, true);
    w->gateway_cut.at = w->device_cut.at = LW_NEVER;
    w->random_state.state = seed + 1;
    w->random = larch_sim_random_of(&w->random_state);
    sessions_begin(&w->g, seed);
    w->gateway_address = larch_sim_ipv4(0x0a000001, LARCH_COAP_PORT);
    w->address = larch_sim_ipv4(0x0a000002, LW_DEVICE_PORT);
    w->suites[0] = w->device_suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    w->party = (larch_lake_party){.suites = w->suites,
                                  .suite_count = 1,
                                  .methods = 1u << LARCH_LAKE_METHOD_PSK | 1u << LARCH_LAKE_METHOD_SIGNATURES,
                                  .find = lw_find,
                                  .context = w,
                                  .random = w->g.random,
                                  .scratch = w->scratch,
                                  .scratch_size = sizeof w->scratch};
    w->lake_config = (larch_lake_service_config){.party = &w->party,
                                                 .contexts = &w->g.contexts,
                                                 .epochs = &w->g.epochs,
                                                 LARCH_LAKE_POOL(w->places),
                                                 .halves = w->halves,
                                                 .kid_len = 2,
                                                 .rkid_len = LARCH_LAKE_KID_LEN,
                                                 .credentials = ";ed-cred-t=1;ed-idcred-t=4",
                                                 .own = lw_own,
                                                 .store = lw_store,
                                                 .confirm = lw_confirm,
                                                 .unix_s = lw_unix_s,
                                                 .context = w};
    larch_server_wipe(&w->g.srv);
    w->g.begin_other = lw_begin_lake;
    sessions_start(&w->g);
    w->device_party = w->party;
    w->device_party.suites = w->device_suites;
    w->device_party.find = lw_device_find;
    w->device_party.random = w->random;
    w->device_party.scratch = w->device_scratch;
    w->first = (larch_coap_ask){.method = LARCH_COAP_POST,
                                .path = "r/temp",
                                .payload = LARCH_TEXT("20.0"),
                                .content_format = LARCH_COAP_FORMAT_TEXT};
    w->config = (larch_lake_client_config){.endpoint = &w->endpoint,
                                           .responder = w->gateway_address,
                                           .party = &w->device_party,
                                           .own = &w->own,
                                           .c_i_len = 1,
                                           .rkid_len = LARCH_LAKE_KID_LEN,
                                           .request = w->request,
                                           .request_cap = sizeof w->request,
                                           .answer = w->answer,
                                           .answer_cap = sizeof w->answer,
                                           .store = lw_device_store,
                                           .context = w,
                                           .first_body = w->first_body,
                                           .first_body_cap = sizeof w->first_body,
                                           .scratch = w->oscore_scratch};
    lw_device_start(w, w->g.now_ms);
}

static inline void lw_begin(lake_world *w, uint64_t seed, const larch_sim_faults *faults)
{
    lw_prepare(w, seed);
    w->sim = larch_sim_create(seed, w->g.now_ms);
    larch_sim_set_faults(w->sim, faults);
    larch_sim_set_tap(w->sim, lw_tap, w);
    larch_sim_add(w->sim,
                  &(larch_sim_node){w->gateway_address, w, lw_gateway_receive, lw_gateway_poll, lw_gateway_deadline});
    larch_sim_add(w->sim, &(larch_sim_node){w->address, w, lw_device_receive, lw_device_poll, lw_device_deadline});
}

static inline void lw_end(lake_world *w)
{
    larch_server_wipe(&w->g.srv);
    if (w->sim != NULL)
        larch_sim_destroy(w->sim);
}

static inline void lw_run(lake_world *w, uint64_t ms)
{
    (void)larch_sim_run(w->sim, larch_sim_now_ms(w->sim) + ms, 1000000);
}

#endif
