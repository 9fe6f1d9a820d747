/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server with the OSCORE service over a table of sessions in memory, its driver's storage, and a device that holds the
 * other end of a session: for tests.
 */
#ifndef LARCH_TESTS_SESSION_BENCH_H
#define LARCH_TESTS_SESSION_BENCH_H

#include "gateway_bench.h"
#include "larch/oscore_downlink.h"

#ifndef SESSION_UNIX_S
#define SESSION_UNIX_S 0 /* the wall clock at a start; 0: it cannot be right, and own numbers begin at 0 */
#endif

enum { SESSIONS = 8, SESSION_INDEX = 16, STORED = 64, WATCHES = 3, KEPT = 8, COMMANDS = 3 };

typedef struct stored_reading {
    larch_accepted_id id;
    uint8_t hash[LARCH_ACCEPTED_HASH_LEN];
    char name[LARCH_READING_NAME_MAX + 1];
    uint16_t format;
    size_t len;
    uint8_t text[LARCH_COAP_BODY_MAX];
} stored_reading;

typedef struct session_bench {
    larch_flash flash;
    larch_storage storage;
    larch_sim_random random_state;
    larch_random random;
    uint64_t now_ms;
    larch_server srv;
    larch_server_config config;
    larch_coap_exchange exchanges[BENCH_EXCHANGES];
    uint8_t answers[16384];
    larch_server_slot slots[BENCH_SLOTS];
    uint8_t pool[BENCH_SLOTS * 2560];
    larch_server_body bodies[2];
    uint8_t body_bytes[8192];
    larch_reach_entry reach[BENCH_REACH];
    /* A second service, which is made anew at each start. */
    const larch_service *(*begin_other)(struct session_bench *s);

    larch_oscore_service oscore;
    larch_oscore_config oscore_config;
    larch_session places[SESSIONS];
    uint32_t by_kid[SESSION_INDEX], by_number[SESSION_INDEX];
    larch_session_table table;
    larch_contexts contexts;
    larch_epochs epochs;
    uint64_t epoch; /* durable */
    bool storage_fails;
    bool recall_fails;
    larch_observation observations[WATCHES]; /* durable */
    larch_oscore_kept kept[KEPT];
    uint8_t kept_bytes[4096];
    larch_oscore_watch watches[WATCHES];
    larch_oscore_command commands[COMMANDS];
    uint8_t command_scratch[LARCH_OSCORE_CLIENT_SCRATCH];

    larch_readings readings; /* the driver's storage: it survives restarts */
    stored_reading stored[STORED];
    size_t stored_count;
    larch_accepted_id noted[STORED]; /* identities of readings that were stored before */
    size_t noted_count;
    unsigned no_room;
    unsigned told[LARCH_EVENT_COUNT];

    /* The device. */
    larch_oscore_context device;
    uint64_t number; /* the next of its own */
    larch_oscore_binding binding;
    larch_peer peer;
    uint16_t message_id;
    uint8_t token;
    uint8_t sent[LARCH_COAP_DATAGRAM_MAX]; /* its last request */
    size_t sent_len;
    uint8_t got[LARCH_COAP_DATAGRAM_MAX]; /* the last answer */
    size_t got_len;
    uint8_t inner[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_message command; /* the request to it that is in got, decrypted into inner */
    uint8_t command_token[LARCH_COAP_TOKEN_MAX];
    larch_oscore_binding command_binding;
    uint64_t command_number;
} session_bench;

/* ---- the driver's storage -------------------------------------------------- */

static inline larch_session *sessions_find(void *context, larch_bytes kid, larch_bytes kid_context)
{
    return larch_session_table_find(&((session_bench *)context)->table, kid, kid_context, 0);
}

static inline larch_session *sessions_find_number(void *context, uint64_t number)
{
    return larch_session_table_find_number(&((session_bench *)context)->table, number);
}

static inline larch_error sessions_raise(void *context, uint64_t epoch)
{
    session_bench *s = context;
    if (s->storage_fails)
        return LARCH_PLATFORM;
    s->epoch = epoch;
    return LARCH_OK;
}

static inline larch_observation *sessions_observation(session_bench *s, uint64_t session, const larch_observation *o)
{
    for (size_t i = 0; i < WATCHES; i++)
        if (s->observations[i].session == session &&
            (session == 0 ||
             (larch_peer_equal(&s->observations[i].peer, &o->peer) && s->observations[i].token_len == o->token_len &&
              memcmp(s->observations[i].token, o->token, o->token_len) == 0)))
            return &s->observations[i];
    return NULL;
}

static inline larch_error sessions_add_observation(void *context, const larch_observation *o)
{
    session_bench *s = context;
    larch_observation *place = sessions_observation(s, o->session, o);
    if (s->storage_fails)
        return LARCH_PLATFORM;
    if (place == NULL && (place = sessions_observation(s, 0, o)) == NULL)
        return LARCH_SPACE;
    *place = *o;
    return LARCH_OK;
}

static inline larch_error sessions_end_observation(void *context, const larch_observation *o)
{
    session_bench *s = context;
    larch_observation *place = sessions_observation(s, o->session, o);
    if (s->storage_fails)
        return LARCH_PLATFORM;
    if (place != NULL)
        place->session = 0;
    return LARCH_OK;
}

static inline bool same_id(const larch_accepted_id *a, const larch_accepted_id *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static inline larch_recall readings_recall(void *context, const larch_accepted_id *id,
                                           const uint8_t hash[LARCH_ACCEPTED_HASH_LEN], uint64_t *highest)
{
    session_bench *s = context;
    if (s->recall_fails)
        return LARCH_RECALL_FAILED;
    for (size_t i = 0; i < s->noted_count; i++)
        if (same_id(&s->noted[i], id))
            return LARCH_RECALL_KNOWN;
    for (size_t i = 0; i < s->stored_count; i++)
        if (same_id(&s->stored[i].id, id)) {
            *highest = 4711;
            return memcmp(s->stored[i].hash, hash, LARCH_ACCEPTED_HASH_LEN) == 0 ? LARCH_RECALL_KNOWN
                                                                                 : LARCH_RECALL_CONFLICT;
        }
    return LARCH_RECALL_UNKNOWN;
}

static inline larch_error readings_last(void *context, larch_bytes name, uint8_t *out, size_t cap, size_t *len,
                                        uint16_t *format)
{
    session_bench *s = context;
    for (size_t i = s->stored_count; i-- > 0;) {
        const stored_reading *r = &s->stored[i];
        if (!larch_bytes_equal(name, larch_bytes_of_text(r->name)))
            continue;
        bench_require(r->len <= cap);
        memcpy(out, r->text, r->len);
        *len = r->len;
        *format = r->format;
        return LARCH_OK;
    }
    return LARCH_AGAIN;
}

/* ---- life ------------------------------------------------------------------ */

static inline void sessions_note(void *context, const larch_event *event)
{
    ((session_bench *)context)->told[event->kind]++;
}

/* Each bench of each program has keys of its own, so that one log of nonces may hold them all. */
static uint8_t session_secret[32] = {1, 2, 3};

static inline void sessions_draw_secret(void)
{
    static const char program[] = __BASE_FILE__;
    const size_t len = sizeof program - 1 < 24 ? sizeof program - 1 : 24;
    memcpy(session_secret + 4, program + sizeof program - 1 - len, len);
    session_secret[31]++;
}

static inline larch_oscore_parameters session_parameters(bool is_device)
{
    static const uint8_t salt[8] = {4};
    return (larch_oscore_parameters){.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                     .hash = LARCH_COSE_SHA_256,
                                     .master_secret = LARCH_BYTES(session_secret),
                                     .master_salt = LARCH_BYTES(salt),
                                     .sender_id = is_device ? LARCH_TEXT("d") : LARCH_TEXT("g"),
                                     .recipient_id = is_device ? LARCH_TEXT("g") : LARCH_TEXT("d")};
}

/* Also a restart: what is durable stays, and the session's window is lost. */
static inline void sessions_start(session_bench *s)
{
    const larch_service *services[2] = {&s->oscore.service};
    const larch_oscore_parameters p = session_parameters(false);
    larch_session session = {.number = 0x1122334455667788, .device = 0x99, .last = {.port = 0}};
    larch_session *place;
    const bool again = s->epoch != 0;
    bench_require(larch_session_table_init(&s->table, s->places, SESSIONS, s->by_kid, s->by_number, SESSION_INDEX,
                                           &s->random) == LARCH_OK);
    bench_require(larch_epochs_start(&s->epochs, &s->contexts, s->now_ms, s->epoch, SESSION_UNIX_S) == LARCH_OK);
    bench_require(larch_oscore_context_init(&session.oscore, &p) == LARCH_OK);
    larch_epochs_begin(&s->epochs, &session);
    if (again)
        bench_require(larch_oscore_forget_window(&session.oscore, &s->random) == LARCH_OK);
    bench_require(larch_session_table_add(&s->table, &session, &place) == LARCH_OK);
    if (s->begin_other != NULL)
        services[1] = s->begin_other(s);
    bench_require(larch_oscore_service_init(&s->oscore, &s->oscore_config, &s->random) == LARCH_OK);
    bench_require(larch_server_init(&s->srv, &s->config, services, services[1] != NULL ? 2 : 1) == LARCH_OK);
    for (size_t i = 0; i < WATCHES; i++)
        if (s->observations[i].session != 0)
            bench_require(larch_oscore_service_resume(&s->oscore, &s->observations[i]) == LARCH_OK);
}

static inline void sessions_begin(session_bench *s, uint64_t seed)
{
    const larch_oscore_parameters p = session_parameters(true);
    memset(s, 0, sizeof *s);
    sessions_draw_secret();
    s->random_state = (larch_sim_random){.state = seed};
    s->random = larch_sim_random_of(&s->random_state);
    s->now_ms = 1000000;
    s->contexts = (larch_contexts){.context = s,
                                   .find = sessions_find,
                                   .find_number = sessions_find_number,
                                   .raise = sessions_raise,
                                   .add_observation = sessions_add_observation,
                                   .end_observation = sessions_end_observation};
    s->readings = (larch_readings){.context = s, .recall = readings_recall, .last = readings_last};
    s->oscore_config = (larch_oscore_config){.contexts = &s->contexts,
                                             .readings = &s->readings,
                                             .epochs = &s->epochs,
                                             .kept = s->kept,
                                             .kept_count = KEPT,
                                             .kept_bytes = s->kept_bytes,
                                             .kept_bytes_len = sizeof s->kept_bytes,
                                             .watches = s->watches,
                                             .watch_count = WATCHES,
                                             .commands = s->commands,
                                             .command_count = COMMANDS,
                                             .command_scratch = s->command_scratch};
    s->config = (larch_server_config){.random = &s->random,
                                      .event = sessions_note,
                                      .context = s,
                                      .protection = &s->oscore.protection,
                                      .coap = {s->exchanges, BENCH_EXCHANGES, s->answers, sizeof s->answers},
                                      .slots = s->slots,
                                      .slot_count = BENCH_SLOTS,
                                      .pool = s->pool,
                                      .pool_len = sizeof s->pool,
                                      .bodies = s->bodies,
                                      .body_count = 2,
                                      .body_bytes = s->body_bytes,
                                      .body_bytes_len = sizeof s->body_bytes,
                                      .reach = s->reach,
                                      .reach_count = BENCH_REACH,
                                      .limits = bench_limits()};
    s->peer = larch_sim_ipv4(0x0a000001, 40000);
    bench_require(larch_oscore_context_init(&s->device, &p) == LARCH_OK);
    sessions_start(s);
}

/* ---- in and out --------------------------------------------------------------- */

static inline void sessions_store(session_bench *s)
{
    larch_accepted batch[BENCH_BATCH];
    size_t count = 0;
    while (larch_server_accepted(&s->srv, s->now_ms, &batch[count]) == LARCH_OK)
        bench_require(++count < BENCH_BATCH);
    for (size_t i = 0; i < count; i++) {
        const larch_accepted *m = &batch[i];
        larch_settlement settlement = LARCH_SETTLED_STORED;
        if (m->is_known) {
            s->noted[s->noted_count++] = m->identity;
        } else if (s->no_room > 0) {
            s->no_room--;
            settlement = LARCH_SETTLED_NO_ROOM;
        } else {
            stored_reading *r = &s->stored[s->stored_count++];
            *r = (stored_reading){.id = m->identity, .format = m->format, .len = m->text.len};
            memcpy(r->hash, m->hash, sizeof r->hash);
            memcpy(r->name, m->name.data, m->name.len);
            if (m->text.len > 0)
                memcpy(r->text, m->text.data, m->text.len);
            if (m->also.len > 0)
                s->noted[s->noted_count++] = m->also;
        }
        bench_require(larch_server_settle(&s->srv, m, settlement) == LARCH_OK);
    }
}

/* The next datagram that the server sends becomes got; false: there is none. */
static inline bool sessions_poll(session_bench *s)
{
    larch_peer peer;
    larch_bytes datagram;
    sessions_store(s);
    if (larch_server_send(&s->srv, s->now_ms, &peer, &datagram) != LARCH_OK)
        return false;
    bench_require(larch_peer_equal(&peer, &s->peer));
    memcpy(s->got, datagram.data, datagram.len);
    s->got_len = datagram.len;
    return true;
}

/* Hands bytes in, from the device's present address. */
static inline bool sessions_deliver(session_bench *s, larch_bytes datagram)
{
    s->got_len = 0;
    if (larch_server_receive(&s->srv, s->now_ms, &s->peer, false, datagram) == LARCH_AGAIN) {
        bench_require(!sessions_poll(s)); /* all has left: the slots are free again */
        bench_require(larch_server_receive(&s->srv, s->now_ms, &s->peer, false, datagram) == LARCH_OK);
    }
    return sessions_poll(s);
}

/* The device protects a request; options: encoded by the caller's builder. */
static inline larch_bytes sessions_protect(session_bench *s, larch_coap_builder *plain)
{
    uint8_t scratch[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_message message;
    larch_bytes datagram;
    bench_require(larch_coap_build_end(plain, &datagram) == LARCH_OK);
    bench_require(larch_coap_parse(datagram, &message) == LARCH_OK);
    bench_require(larch_oscore_protect_request(&s->device, s->number++, &message,
                                               (larch_oscore_scratch){scratch, sizeof scratch}, s->sent, sizeof s->sent,
                                               &s->binding, &datagram) == LARCH_OK);
    s->sent_len = datagram.len;
    return datagram;
}

static inline void sessions_begin_request(session_bench *s, larch_coap_builder *b, uint8_t *out, size_t cap,
                                          uint8_t code)
{
    s->token++;
    larch_coap_build(b, out, cap, LARCH_COAP_CON, code, ++s->message_id, (larch_bytes){&s->token, 1});
}

/* POST /r/NAME[?query] with text, and an inner Echo if its length is not 0. */
static inline larch_bytes sessions_reading(session_bench *s, const char *name, const char *query, larch_bytes echo,
                                           const char *text)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    sessions_begin_request(s, &b, bytes, sizeof bytes, LARCH_COAP_POST);
    larch_coap_build_path(&b, "r");
    larch_coap_build_path(&b, name);
    if (query != NULL)
        larch_coap_build_query(&b, query);
    if (echo.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, echo);
    larch_coap_build_payload(&b, larch_bytes_of_text(text));
    return sessions_protect(s, &b);
}

/* What the last answer says, verified; its views point into inner. LARCH_STATE: it is not protected, and *m is as it is. */
static inline larch_error sessions_open(session_bench *s, larch_coap_message *m, bool *has_number, uint64_t *number)
{
    larch_coap_message outer;
    bench_require(larch_coap_parse((larch_bytes){s->got, s->got_len}, &outer) == LARCH_OK);
    const larch_error e = larch_oscore_unprotect_response(
        &s->device, &s->binding, &outer, (larch_oscore_scratch){s->inner, sizeof s->inner}, has_number, number, m);
    if (e == LARCH_STATE)
        *m = outer;
    return e;
}

/* ---- requests to the device ----------------------------------------------------- */

/* The device opens the request that got holds. */
static inline void sessions_take_command(session_bench *s)
{
    larch_coap_message outer;
    larch_oscore_option option;
    larch_bytes value;
    bench_require(larch_coap_parse((larch_bytes){s->got, s->got_len}, &outer) == LARCH_OK);
    bench_require(LARCH_COAP_CLASS(outer.code) == 0 && outer.code != LARCH_COAP_EMPTY);
    bench_require(larch_coap_option_find(&outer, LARCH_COAP_OPT_OSCORE, &value));
    bench_require(larch_oscore_option_parse(value, &option) == LARCH_OK);
    bench_require(larch_oscore_unprotect_request(&s->device, &option, &outer,
                                                 (larch_oscore_scratch){s->inner, sizeof s->inner}, &s->command_binding,
                                                 &s->command_number, &s->command) == LARCH_OK);
    memcpy(s->command_token, outer.token.data, outer.token.len);
    s->command.token = (larch_bytes){s->command_token, outer.token.len};
}

/* The device answers the request that it took, in the acknowledgement; or in a message of its own under a number of its
 * own, if number is not NULL. plain: begun by the caller, as a message of that code. */
static inline void sessions_answer(session_bench *s, larch_coap_builder *plain, const uint64_t *number)
{
    uint8_t scratch[LARCH_COAP_DATAGRAM_MAX], bytes[LARCH_COAP_DATAGRAM_MAX], out[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_message message, outer;
    larch_coap_builder b;
    larch_coap_option option;
    larch_bytes datagram;
    bench_require(larch_coap_build_end(plain, &datagram) == LARCH_OK);
    bench_require(larch_coap_parse(datagram, &message) == LARCH_OK);
    bench_require(larch_oscore_protect_response(&s->device, &s->command_binding, number, &message,
                                                (larch_oscore_scratch){scratch, sizeof scratch}, bytes, sizeof bytes,
                                                &datagram) == LARCH_OK);
    bench_require(larch_coap_parse(datagram, &outer) == LARCH_OK);
    larch_coap_build(&b, out, sizeof out, number == NULL ? LARCH_COAP_ACK : LARCH_COAP_NON, outer.code,
                     number == NULL ? s->command.message_id : ++s->message_id, s->command.token);
    larch_coap_options options = larch_coap_options_of(&outer);
    while (larch_coap_options_next(&options, &option))
        larch_coap_build_option(&b, option.number, option.value);
    larch_coap_build_payload(&b, outer.payload);
    bench_require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    (void)sessions_deliver(s, datagram);
}

/* The code of the answer to a datagram; protected: its verified inner code, else 0x100 more. */
static inline unsigned sessions_ask(session_bench *s, larch_bytes datagram, larch_coap_message *m)
{
    bool has_number;
    uint64_t number;
    if (!sessions_deliver(s, datagram))
        return 0;
    const larch_error e = sessions_open(s, m, &has_number, &number);
    return e == LARCH_OK ? m->code : e == LARCH_STATE ? 0x100u | m->code : 0xfff;
}

#endif
