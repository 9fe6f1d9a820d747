/* SPDX-License-Identifier: Apache-2.0 */
/* A device and a gateway over a bad network, and both lose their power: each reading is stored once, each command answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "larch/device.h"
#define SESSION_UNIX_S 1798761600 /* 2027-01-01: the gateway's numbers begin where they do in life */
#include "session_bench.h"
#include "sim.h"

#define SEEDS   6
#define LONG_MS (4u * 60 * 1000)
#define SLOTS   4

static const larch_sim_faults sound = {.delay_min_ms = 10, .delay_max_ms = 10};
static const larch_sim_faults faulty = {.loss = 150, .duplication = 150, .delay_min_ms = 5, .delay_max_ms = 700};

static session_bench gateway;

static struct world {
    larch_sim *sim;
    larch_peer gateway_address, device_address;
    void (*took)(void *context, larch_server *srv, uint64_t now_ms, const larch_coap_event *event);
    /* the gateway's commands */
    larch_oscore_client commander;
    larch_oscore_client_config wiring;
    uint8_t scratch[LARCH_OSCORE_CLIENT_SCRATCH];
    uint8_t body[256];
    larch_error outcome;
    larch_coap_answer answer;
    /* the device */
    larch_device device;
    larch_sim_random random_state;
    larch_random random;
    larch_coap_exchange exchanges[16];
    uint8_t answers[2048], pool[SLOTS * LARCH_COAP_DATAGRAM_MAX];
    larch_server_slot slots[SLOTS];
    larch_reach_entry reach[16];
    uint64_t epoch; /* durable, like n */
    bool storage_fails;
    uint64_t n, n_end; /* the reading under way; where to stop */
    char text[24];
    unsigned reported, refused, retries, notified, unobserved, executed;
    uint8_t hint;
    char noticed[32];
    uint8_t led;
} w;

/* ---- the gateway ------------------------------------------------------------- */

static void gateway_took(void *context, larch_server *srv, uint64_t now_ms, const larch_coap_event *event)
{
    larch_coap_answer answer;
    w.took(context, srv, now_ms, event);
    const larch_error e = larch_oscore_client_take(&w.commander, now_ms, event, &answer);
    if (e == LARCH_AGAIN)
        return;
    w.outcome = e;
    w.answer = answer;
}

static void gateway_send(uint64_t now_ms)
{
    larch_peer peer;
    larch_bytes datagram;
    gateway.now_ms = now_ms;
    sessions_store(&gateway);
    while (larch_server_send(&gateway.srv, now_ms, &peer, &datagram) == LARCH_OK)
        larch_sim_send(w.sim, &w.gateway_address, &peer, datagram);
}

static void gateway_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast,
                            larch_bytes datagram)
{
    (void)context;
    (void)multicast;
    gateway.now_ms = now_ms;
    assert_int_equal(larch_server_receive(&gateway.srv, now_ms, from, false, datagram), LARCH_OK);
    gateway_send(now_ms);
}

static void gateway_poll(void *context, uint64_t now_ms)
{
    (void)context;
    gateway_send(now_ms);
}

static uint64_t gateway_deadline(void *context)
{
    (void)context;
    return larch_server_deadline_ms(&gateway.srv);
}

static larch_session *gateway_session(void) { return sessions_find_number(&gateway, 0x1122334455667788); }

static larch_error gateway_number(void *context, uint64_t now_ms, uint64_t *number)
{
    (void)context;
    return larch_epochs_take(&gateway.epochs, gateway_session(), now_ms, number);
}

static void gateway_connect(void)
{
    w.took = gateway.oscore.service.take_event;
    gateway.oscore.service.take_event = gateway_took;
    memset(&w.commander, 0, sizeof w.commander);
    w.wiring = (larch_oscore_client_config){&gateway.srv.endpoint, gateway_session(), gateway_number, NULL, w.scratch};
}

/* Its power is cut, and comes back. */
static void gateway_restart(void)
{
    larch_server_wipe(&gateway.srv);
    gateway.now_ms = larch_sim_now_ms(w.sim);
    sessions_start(&gateway);
    gateway_connect();
}

static void command(uint8_t method, const char *path, const char *text)
{
    const larch_coap_target target = {.peer = w.device_address, .type = LARCH_COAP_CON};
    const larch_coap_ask ask = {
        .method = method, .path = path, .payload = larch_bytes_of_text(text), .content_format = LARCH_COAP_FORMAT_NONE};
    w.outcome = LARCH_AGAIN;
    const uint64_t now_ms = larch_sim_now_ms(w.sim);
    assert_int_equal(larch_oscore_client_ask(&w.commander, &w.wiring, now_ms, &target, &ask, w.body, sizeof w.body),
                     LARCH_OK);
}

/* ---- the device -------------------------------------------------------------- */

static void get_led(void *context, const larch_request *rq)
{
    const uint8_t state[] = {(uint8_t)(((struct world *)context)->led != 0 ? '1' : '0')};
    larch_request_answer(rq, &(larch_answer){.code = LARCH_COAP_CONTENT, .is_safe = true, .body = LARCH_BYTES(state)});
}

static void post_led(void *context, const larch_request *rq)
{
    struct world *world = context;
    larch_bytes body;
    if (!larch_request_body(rq, &body))
        return;
    world->executed++;
    world->led = larch_bytes_equal(body, LARCH_TEXT("on"));
    larch_request_answer(rq, &(larch_answer){.code = LARCH_COAP_CHANGED});
}

static const uint16_t formats[] = {LARCH_COAP_FORMAT_TEXT, LARCH_COAP_FORMAT_NONE};
static const larch_resource resources[] = {
    {.path = "led", .get = get_led, .post = post_led, .put = post_led, .is_protected = true, .formats = formats}};

static larch_error raise_epoch(void *context, uint64_t epoch)
{
    (void)context;
    if (w.storage_fails)
        return LARCH_PLATFORM;
    w.epoch = epoch;
    return LARCH_OK;
}

static void report_next(uint64_t now_ms)
{
    if (w.n >= w.n_end)
        return;
    (void)snprintf(w.text, sizeof w.text, "value %u", (unsigned)w.n);
    const larch_device_reading reading = {.path = "r/temp",
                                          .has_n = true,
                                          .n = w.n,
                                          .content_format = LARCH_COAP_FORMAT_TEXT,
                                          .payload = larch_bytes_of_text(w.text)};
    assert_int_equal(larch_device_report(&w.device, now_ms, &reading), LARCH_OK);
    assert_int_equal(larch_device_report(&w.device, now_ms, &reading), LARCH_BUSY);
}

static void on_event(void *context, const larch_device_event *event)
{
    (void)context;
    switch (event->kind) {
    case LARCH_DEVICE_REPORTED:
        assert_int_equal(event->n, w.n);
        w.reported += event->error == LARCH_OK && event->code == LARCH_COAP_CHANGED;
        w.refused += event->error != LARCH_OK || event->code != LARCH_COAP_CHANGED;
        w.n++;
        report_next(larch_sim_now_ms(w.sim));
        return;
    case LARCH_DEVICE_RETRIES:
        w.retries++;
        w.hint = event->hint;
        return;
    case LARCH_DEVICE_NOTIFIED:
        w.notified++;
        assert_true(event->body.len < sizeof w.noticed);
        memset(w.noticed, 0, sizeof w.noticed);
        memcpy(w.noticed, event->body.data, event->body.len);
        return;
    case LARCH_DEVICE_UNOBSERVED:
        w.unobserved++;
    }
}

static void no_event(void *context, const larch_event *event)
{
    (void)context;
    (void)event;
}

static larch_error device_start(void)
{
    const larch_oscore_parameters parameters = session_parameters(true);
    const larch_device_config config = {
        .server = {.random = &w.random,
                   .event = no_event,
                   .coap = {w.exchanges, 16, w.answers, sizeof w.answers},
                   .slots = w.slots,
                   .slot_count = SLOTS,
                   .pool = w.pool,
                   .pool_len = sizeof w.pool,
                   .reach = w.reach,
                   .reach_count = 16,
                   .limits = larch_reach_default_limits()},
        .parameters = &parameters,
        .gateway = w.gateway_address,
        .resources = resources,
        .resource_count = 1,
        .stored = w.epoch,
        .raise = raise_epoch,
        .event = on_event,
        .context = &w,
    };
    return larch_device_init(&w.device, larch_sim_now_ms(w.sim), &config);
}

static void device_restart(bool observes)
{
    larch_device_wipe(&w.device);
    assert_int_equal(device_start(), LARCH_OK);
    report_next(larch_sim_now_ms(w.sim));
    if (observes)
        assert_int_equal(larch_device_observe(&w.device, larch_sim_now_ms(w.sim), "r/temp"), LARCH_OK);
}

static void device_poll(void *context, uint64_t now_ms)
{
    larch_peer peer;
    larch_bytes datagram;
    (void)context;
    while (larch_device_send(&w.device, now_ms, &peer, &datagram) == LARCH_OK)
        larch_sim_send(w.sim, &w.device_address, &peer, datagram);
}

static void device_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast, larch_bytes datagram)
{
    assert_int_equal(larch_device_receive(&w.device, now_ms, from, multicast, datagram), LARCH_OK);
    device_poll(context, now_ms);
}

static uint64_t device_deadline(void *context)
{
    (void)context;
    return larch_device_deadline_ms(&w.device);
}

/* ---- both ---------------------------------------------------------------------- */

static void begin_world(uint64_t seed, const larch_sim_faults *faults)
{
    memset(&w, 0, sizeof w);
    sessions_begin(&gateway, seed);
    w.sim = larch_sim_create(seed, 1000000);
    larch_sim_set_faults(w.sim, faults);
    w.gateway_address = larch_sim_ipv4(0x0a000001, LARCH_COAP_PORT);
    w.device_address = larch_sim_ipv4(0x0a000002, LARCH_COAP_PORT);
    w.random_state.state = seed + 1;
    w.random = larch_sim_random_of(&w.random_state);
    gateway_connect();
    assert_int_equal(device_start(), LARCH_OK);
    larch_sim_add(w.sim, &(larch_sim_node){w.gateway_address, NULL, gateway_receive, gateway_poll, gateway_deadline});
    larch_sim_add(w.sim, &(larch_sim_node){w.device_address, NULL, device_receive, device_poll, device_deadline});
}

static void end_world(void)
{
    larch_device_wipe(&w.device);
    larch_server_wipe(&gateway.srv);
    larch_sim_destroy(w.sim);
}

static void run_for(uint64_t ms) { (void)larch_sim_run(w.sim, larch_sim_now_ms(w.sim) + ms, 100000); }

static void report(uint64_t count)
{
    w.n_end = w.n + count;
    report_next(larch_sim_now_ms(w.sim));
}

/* Every number once, with its value. */
static void expect_stored(uint64_t count)
{
    bool seen[STORED] = {false};
    char text[24];
    assert_int_equal(gateway.stored_count, count);
    for (size_t i = 0; i < gateway.stored_count; i++) {
        const stored_reading *r = &gateway.stored[i];
        const uint64_t n = larch_number_at(r->id.bytes + 9, 8);
        assert_int_equal(r->id.bytes[0], 'N');
        assert_true(n < count && !seen[n]);
        seen[n] = true;
        (void)snprintf(text, sizeof text, "value %u", (unsigned)n);
        assert_true(larch_bytes_equal((larch_bytes){r->text, r->len}, larch_bytes_of_text(text)));
    }
}

/* ---- readings ------------------------------------------------------------------ */

static void test_readings(void **state)
{
    (void)state;
    begin_world(1, &sound);
    assert_false(larch_device_is_busy(&w.device));
    report(5);
    assert_true(larch_device_is_busy(&w.device));
    run_for(LONG_MS);
    expect_stored(5);
    assert_int_equal(w.reported, 5);
    assert_false(larch_device_is_busy(&w.device));
    end_world();
}

/* Power fails on either side at any moment; each run of the device takes up the number that it had. */
static void test_power_cuts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_world(seed, &faulty);
        report(20);
        for (unsigned cuts = 0; w.n < w.n_end; cuts++) {
            assert_true(cuts < 400);
            run_for(larch_sim_below(w.sim, 8000));
            if (larch_sim_below(w.sim, 2) == 0)
                gateway_restart();
            else
                device_restart(false);
        }
        expect_stored(20);
        end_world();
    }
}

static void test_retries(void **state)
{
    (void)state;
    begin_world(2, &sound);
    gateway.no_room = 2; /* 5.03 with Max-Age */
    report(1);
    run_for(LONG_MS);
    assert_int_equal(w.retries, 2);
    expect_stored(1);
    /* The gateway does not know the session for a while: the unprotected error is a hint. */
    gateway_session()->oscore.recipient_id[0] ^= 1;
    w.hint = 0;
    larch_session_table_remove(&gateway.table, gateway_session());
    report(1);
    run_for(LONG_MS);
    assert_int_equal(w.hint, LARCH_COAP_UNAUTHORIZED);
    assert_true(w.retries >= 3);
    assert_true(larch_device_is_busy(&w.device));
    gateway_restart();
    run_for(LONG_MS);
    expect_stored(2);
    /* Another reading has this number: that is final. */
    w.n = 1;
    w.n_end = 2;
    gateway.stored[1].hash[0] ^= 1;
    report_next(larch_sim_now_ms(w.sim));
    run_for(LONG_MS);
    assert_int_equal(w.refused, 1);
    assert_false(larch_device_is_busy(&w.device));
    end_world();
}

/* No number is used that is not durable: nothing leaves. */
static void test_storage_fails(void **state)
{
    (void)state;
    begin_world(3, &sound);
    larch_device_wipe(&w.device);
    w.storage_fails = true;
    const unsigned sent = larch_sim_sent(w.sim);
    assert_int_equal(device_start(), LARCH_PLATFORM);
    run_for(LONG_MS);
    assert_int_equal(larch_sim_sent(w.sim), sent);
    w.storage_fails = false;
    assert_int_equal(device_start(), LARCH_OK);
    report(2);
    run_for(LONG_MS);
    expect_stored(2);
    const uint64_t next = larch_device_next_number(&w.device);
    assert_true(next > 0 && next <= w.epoch << 8);
    end_world();
}

/* ---- the observation ------------------------------------------------------------- */

static void test_observation(void **state)
{
    (void)state;
    begin_world(4, &sound);
    assert_int_equal(larch_device_observe(&w.device, 0, ""), LARCH_STATE);
    assert_int_equal(larch_device_observe(&w.device, 0, "a path of more than so many bytes as a device has room for"),
                     LARCH_SPACE);
    assert_int_equal(larch_device_observe(&w.device, larch_sim_now_ms(w.sim), "r/temp"), LARCH_OK);
    assert_int_equal(larch_device_observe(&w.device, larch_sim_now_ms(w.sim), "r/temp"), LARCH_STATE);
    run_for(1000);
    assert_true(w.unobserved > 0); /* nothing was reported yet: 4.04 */
    report(1);
    run_for(LONG_MS);
    assert_int_equal(w.notified, 1);
    assert_string_equal(w.noticed, "value 0");
    report(3);
    run_for(LONG_MS);
    assert_string_equal(w.noticed, "value 3");
    const unsigned before = w.notified;
    gateway_restart(); /* it keeps the observation */
    report(1);
    run_for(30000);
    assert_int_equal(w.notified, before + 2); /* it does not know what was heard before */
    assert_string_equal(w.noticed, "value 4");
    gateway.observations[0].session = 0; /* and now it does not */
    gateway_restart();
    report(1);
    run_for(10 * 60 * 1000u);
    assert_string_equal(w.noticed, "value 5");
    larch_device_unobserve(&w.device, larch_sim_now_ms(w.sim));
    assert_int_equal(larch_device_observe(&w.device, larch_sim_now_ms(w.sim), "r/other"), LARCH_BUSY);
    run_for(60000);
    assert_int_equal(gateway.observations[0].session, 0);
    const unsigned last = w.notified;
    report(1);
    run_for(LONG_MS);
    assert_int_equal(w.notified, last);
    assert_false(larch_device_is_busy(&w.device));
    end_world();
}

static void test_observation_bad_network(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_world(seed, &faulty);
        report(1);
        assert_int_equal(larch_device_observe(&w.device, larch_sim_now_ms(w.sim), "r/temp"), LARCH_OK);
        for (unsigned i = 0; i < 8; i++) {
            if (i % 3 == 2)
                gateway_restart();
            if (i % 4 == 3)
                device_restart(true);
            run_for(LONG_MS);
            report(1);
        }
        run_for(20 * 60 * 1000u);
        assert_string_equal(w.noticed, w.text); /* the newest comes in the end */
        end_world();
    }
}

/* ---- commands ---------------------------------------------------------------------- */

static void test_commands(void **state)
{
    (void)state;
    begin_world(5, &sound);
    command(LARCH_COAP_POST, "led", "on");
    run_for(LONG_MS);
    assert_int_equal(w.outcome, LARCH_OK);
    assert_int_equal(w.answer.code, LARCH_COAP_CHANGED);
    assert_int_equal(w.executed, 1);
    assert_int_equal(w.answer.requests, 2); /* the first one after a start was challenged */
    command(LARCH_COAP_GET, "led", "");
    run_for(LONG_MS);
    assert_int_equal(w.answer.code, LARCH_COAP_CONTENT);
    assert_true(larch_bytes_equal(w.answer.body, LARCH_TEXT("1")));
    assert_int_equal(w.answer.requests, 1);
    command(LARCH_COAP_GET, "nothing", "");
    run_for(LONG_MS);
    assert_int_equal(w.answer.code, LARCH_COAP_NOT_FOUND);
    end_world();
}

static void test_commands_bad_network(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_world(seed, &faulty);
        unsigned done = 0, sent = 0;
        report(20);
        for (; sent < 12; sent++) {
            if (sent % 4 == 3)
                device_restart(false);
            command(LARCH_COAP_POST, "led", "on");
            run_for(LONG_MS);
            done += w.outcome == LARCH_OK;
        }
        assert_true(w.executed >= done && w.executed <= sent);
        assert_true(done > sent / 2);
        run_for(20 * LONG_MS);
        expect_stored(20);
        end_world();
    }
}

/* Nothing of a device is open to strangers. */
static void test_unprotected(void **state)
{
    (void)state;
    begin_world(6, &sound);
    uint8_t bytes[64];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_CON, LARCH_COAP_POST, 1, LARCH_TEXT("t"));
    larch_coap_build_path(&b, "led");
    larch_coap_build_payload(&b, LARCH_TEXT("on"));
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    larch_sim_send(w.sim, &w.gateway_address, &w.device_address, datagram);
    run_for(1000);
    assert_int_equal(w.executed, 0);
    assert_int_equal(larch_sim_sent(w.sim), 2); /* 4.01 */
    end_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings),    cmocka_unit_test(test_power_cuts),
        cmocka_unit_test(test_retries),     cmocka_unit_test(test_storage_fails),
        cmocka_unit_test(test_observation), cmocka_unit_test(test_observation_bad_network),
        cmocka_unit_test(test_commands),    cmocka_unit_test(test_commands_bad_network),
        cmocka_unit_test(test_unprotected),
    };
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
