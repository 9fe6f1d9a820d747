/* SPDX-License-Identifier: Apache-2.0 */
/* The sender's role, whole, on the simulated network, beside a gateway that is a gateway, or only says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_bench.h"
#include "roles/sleep.h"

/* Their sources, as their memory has to be lost at a restart. */
#include "roles/sender.c"
#include "roles/trust.c" // NOLINT(bugprone-suspicious-include)

#define SECOND_MS ((uint64_t)1000)
#define HOUR_MS   (3600 * SECOND_MS)
#define STEP_MS   50 /* of the role's loop */

static const larch_peer sender_address = {.address = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 2}, .port = 40000};
static const larch_peer gateway_address = {.address = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1}, .port = 5683};

static larch_sim *sim;
static struct {
    larch_flash flash;
    larch_storage storage;
    const larch_node_role *role;
    unsigned delivered;
    char said[1 << 16];
} board;
static bench gw, other;
static bench *present;     /* which of them answers at the address; NULL: nobody */
static bool answers_ok;    /* it has the gateway's public keys alone, and answers OK to every message */
static bool is_old;        /* it knows no identities */
static unsigned questions; /* about the present key; within a minute they count as one, sent again with an Echo */
static uint64_t asked_ms;

/* ---- what a board lends the role --------------------------------------------- */

const char *const larch_board_name = "simulated";
const larch_random larch_node_random = {larch_board_random, NULL};
const larch_trace larch_steps_trace = {NULL, NULL};

uint64_t larch_board_now_ms(void) { return larch_sim_now_ms(sim); }
void larch_sleep_ms(uint32_t ms) { (void)ms; }
void larch_steps_command(larch_bytes rest) { (void)rest; }
void larch_node_status(larch_bytes rest) { (void)rest; }
void larch_node_format(larch_bytes rest) { (void)rest; }
void larch_node_say_ready(void) { larch_say("ready"); }
void larch_front_light(larch_led_pattern pattern) { (void)pattern; }

larch_error larch_board_random(void *context, uint8_t *out, size_t len)
{
    static larch_sim_random source = {.state = 5};
    const larch_random random = larch_sim_random_of(&source);
    (void)context;
    return larch_random_fill(&random, out, len);
}

size_t larch_board_line_room(void) { return SIZE_MAX; }

size_t larch_board_line_write(larch_bytes bytes)
{
    const size_t said = strlen(board.said), len = bytes.len;
    if (said + len < sizeof board.said)
        memcpy(board.said + said, bytes.data, len);
    return len;
}

uint32_t larch_node_show_message(larch_bytes text, const larch_peer *peer, const larch_kem *kem,
                                 larch_led_pattern pattern)
{
    (void)text;
    (void)peer;
    (void)kem;
    (void)pattern;
    return ++board.delivered;
}

larch_peer larch_network_broadcast(uint16_t port)
{
    larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff, 255, 255, 255, 255}, .port = port};
    return peer;
}

/* The role is a table of functions; the test is its loop. */
static jmp_buf has_role;
_Noreturn void larch_node_run(const larch_node_role *role)
{
    board.role = role;
    longjmp(has_role, 1);
}

/* ---- the two ends --------------------------------------------------------------- */

static void poll_sender(void *context, uint64_t now_ms)
{
    larch_peer peer;
    larch_bytes datagram;
    (void)context;
    (void)now_ms;
    (void)board.role->work();
    while (board.role->send(&peer, &datagram) == LARCH_OK)
        larch_sim_send(sim, &sender_address, &peer, datagram);
}

static void receive_as_sender(void *context, uint64_t now_ms, const larch_peer *from, bool multicast,
                              larch_bytes datagram)
{
    board.role->receive(from, multicast, datagram);
    poll_sender(context, now_ms);
}

static uint64_t sender_deadline_ms(void *context)
{
    (void)context;
    return larch_sim_now_ms(sim) + STEP_MS;
}

/* What the gateway would not say. Whether that is the answer. */
static bool answer_otherwise(const larch_peer *from, larch_bytes datagram)
{
    larch_coap_message m;
    larch_coap_builder b;
    larch_bytes answer;
    uint8_t out[64];
    if (larch_coap_parse(datagram, &m) != LARCH_OK)
        return false;
    const bool refuses = is_old && larch_coap_path_is(&m, LARCH_DIRECT_PATH_ROOT);
    if (!refuses && !(answers_ok && larch_coap_path_is(&m, LARCH_DIRECT_PATH_DATA)))
        return false;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_ACK, refuses ? LARCH_COAP_NOT_FOUND : LARCH_COAP_CHANGED,
                     m.message_id, m.token);
    if (!refuses)
        larch_coap_build_payload(&b, LARCH_TEXT("OK"));
    assert_int_equal(larch_coap_build_end(&b, &answer), LARCH_OK);
    larch_sim_send(sim, &gateway_address, from, answer);
    return true;
}

static void receive_as_gateway(void *context, uint64_t now_ms, const larch_peer *from, bool multicast,
                               larch_bytes datagram)
{
    larch_peer peer;
    larch_bytes answer;
    larch_coap_message m;
    (void)context;
    if (present == NULL || answer_otherwise(from, datagram))
        return;
    if (larch_coap_parse(datagram, &m) == LARCH_OK && larch_coap_path_is(&m, LARCH_DIRECT_PATH_NEXT)) {
        questions += questions == 0 || now_ms - asked_ms > 60 * SECOND_MS;
        asked_ms = now_ms;
    }
    present->now_ms = now_ms;
    assert_int_equal(larch_gateway_receive(&present->gw, now_ms, from, multicast, datagram), LARCH_OK);
    while (bench_send(present, &peer, &answer) == LARCH_OK)
        larch_sim_send(sim, &gateway_address, &peer, answer);
}

static void poll_gateway(void *context, uint64_t now_ms)
{
    larch_peer peer;
    larch_bytes answer;
    (void)context;
    if (present == NULL)
        return;
    present->now_ms = now_ms;
    while (bench_send(present, &peer, &answer) == LARCH_OK)
        larch_sim_send(sim, &gateway_address, &peer, answer);
}

static uint64_t gateway_deadline_ms(void *context)
{
    (void)context;
    return larch_sim_now_ms(sim) + STEP_MS;
}

/* ---- what a person does ---------------------------------------------------------- */

static void run_for(uint64_t ms) { larch_sim_run(sim, larch_sim_now_ms(sim) + ms, SIZE_MAX); }

static void type(const char *name, const char *rest_text)
{
    const larch_bytes rest_bytes = {(const uint8_t *)rest_text, strlen(rest_text)};
    for (size_t i = 0; i < board.role->command_count; i++)
        if (strcmp(board.role->commands[i].name, name) == 0) {
            board.role->commands[i].run(rest_bytes);
            return;
        }
    fail_msg("no command %s", name);
}

/* A board that starts has its flash, and nothing in memory. */
static void start(void)
{
    memset(&app, 0, sizeof app);
    memset(&trust, 0, sizeof trust);
    memset(board.said, 0, sizeof board.said);
    assert_true(board.role->load(&board.storage));
}

static void type_pin_of(const bench *b, larch_fingerprint_kind kind)
{
    char text[LARCH_FINGERPRINT_TEXT_LEN + 1];
    const uint8_t *hash = larch_direct_service_identity(&b->gw.direct, NULL);
    if (kind == LARCH_FINGERPRINT_KEY)
        (void)larch_gateway_key_of(&b->gw, larch_kem_at(0), NULL, &hash);
    larch_fingerprint_format(kind, hash, text);
    type("pin", text);
}

static void rotate(bench *b) { assert_int_equal(larch_gateway_rotate(&b->gw, b->now_ms, larch_kem_at(0)), LARCH_OK); }

static bool said(const char *what) { return strstr(board.said, what) != NULL; }

/* So many more messages of one every ten seconds, each proven, and nothing refused. */
static void expect_deliveries(unsigned count)
{
    const unsigned delivered_before = board.delivered, accepted_before = gw.told[LARCH_EVENT_ACCEPTED];
    run_for(count * 10 * SECOND_MS + 5 * SECOND_MS);
    assert_in_range(board.delivered - delivered_before, count - 1, count + 1);
    assert_int_equal(board.delivered - delivered_before, gw.told[LARCH_EVENT_ACCEPTED] - accepted_before);
    assert_false(said("failed"));
    assert_false(said("not proven"));
}

static bool pins(larch_fingerprint_kind kind) { return trust.pin.known && trust.pin.fingerprint.kind == kind; }

static int begin_board(void **state)
{
    (void)state;
    sim = larch_sim_create(1, 1000);
    bench_begin(&gw, 1, BENCH_MARKS);
    bench_begin(&other, 2, BENCH_MARKS);
    present = &gw;
    answers_ok = is_old = false;
    questions = 0;
    memset(&board, 0, sizeof board);
    larch_flash_init(&board.flash, 3);
    board.storage = larch_flash_storage(&board.flash);
    if (setjmp(has_role) == 0)
        larch_role_main();
    larch_sim_add(sim, &(larch_sim_node){sender_address, NULL, receive_as_sender, poll_sender, sender_deadline_ms});
    larch_sim_add(sim, &(larch_sim_node){gateway_address, NULL, receive_as_gateway, poll_gateway, gateway_deadline_ms});
    start();
    return 0;
}

static int end_board(void **state)
{
    (void)state;
    bench_end(&gw);
    bench_end(&other);
    larch_flash_free(&board.flash);
    larch_sim_destroy(sim);
    return 0;
}

/* ---- rotations ------------------------------------------------------------------------ */

/* Two rotations between two reports: the pinned identity's root names the key that none of the old ones endorses. */
static void test_two_rotations(void **state)
{
    (void)state;
    type_pin_of(&gw, LARCH_FINGERPRINT_IDENTITY);
    expect_deliveries(3);
    for (unsigned i = 0; i < 3; i++) {
        rotate(&gw);
        rotate(&gw);
        expect_deliveries(2);
        assert_true(said("endorsed a new one"));
        memset(board.said, 0, sizeof board.said);
    }
    /* while the board is off, too */
    rotate(&gw);
    rotate(&gw);
    rotate(&gw);
    start();
    expect_deliveries(2);
    assert_true(pins(LARCH_FINGERPRINT_IDENTITY));
}

/* A key's fingerprint becomes the identity that this key vouches for, by itself; from then on as above. */
static void test_key_becomes_identity(void **state)
{
    (void)state;
    type_pin_of(&gw, LARCH_FINGERPRINT_KEY);
    assert_true(pins(LARCH_FINGERPRINT_KEY));
    expect_deliveries(2);
    assert_true(pins(LARCH_FINGERPRINT_IDENTITY));
    assert_memory_equal(trust.pin.fingerprint.bytes, larch_direct_service_identity(&gw.gw.direct, NULL), 20);
    rotate(&gw);
    rotate(&gw);
    expect_deliveries(2);
    start();
    assert_true(pins(LARCH_FINGERPRINT_IDENTITY));
    expect_deliveries(2);
}

/* So does the pin that an older larch kept, also if the key was rotated once since. */
static void test_old_pin_becomes_identity(void **state)
{
    (void)state;
    uint8_t payload[39] = {0};
    const uint8_t *hash;
    const larch_bytes ek = larch_gateway_key_of(&gw.gw, larch_kem_at(0), NULL, &hash);
    memcpy(payload, hash, 20);
    assert_int_equal(board.storage.replace(board.storage.context, "gateway-0.ek", ek, 0), LARCH_OK);
    assert_int_equal(larch_record_write(&board.storage, "gateway.pin", LARCH_RECORD_PIN, LARCH_BYTES(payload), 0),
                     LARCH_OK);
    rotate(&gw);
    start();
    assert_true(pins(LARCH_FINGERPRINT_KEY));
    assert_null(larch_flash_look(&board.flash, "gateway.pin").data);
    expect_deliveries(2);
    assert_true(pins(LARCH_FINGERPRINT_IDENTITY));
    rotate(&gw);
    rotate(&gw);
    expect_deliveries(2);
}

/* A key that was rotated away twice before anybody asked vouches for nothing: a person has to pin anew. */
static void test_key_of_long_ago(void **state)
{
    (void)state;
    type_pin_of(&gw, LARCH_FINGERPRINT_KEY);
    rotate(&gw);
    rotate(&gw);
    run_for(60 * SECOND_MS);
    assert_true(said("refused: compare"));
    assert_int_equal(board.delivered, 0);
    assert_true(pins(LARCH_FINGERPRINT_KEY));
}

/* Without a pin, and on a person's word, it is the identity that is pinned. */
static void test_trust(void **state)
{
    (void)state;
    run_for(30 * SECOND_MS);
    assert_int_equal(board.delivered, 0);
    type("trust", "");
    expect_deliveries(2);
    assert_true(pins(LARCH_FINGERPRINT_IDENTITY));
    type("forget", "");
    assert_false(larch_trust_is_possible());
    start();
    assert_false(larch_trust_is_possible());
}

/* ---- whom it does not believe ------------------------------------------------------------ */

/* Another gateway in the place of the pinned one: nothing is sealed to it, nor does it become the pin. */
static void test_other_gateway(void **state)
{
    (void)state;
    static const larch_fingerprint_kind kinds[] = {LARCH_FINGERPRINT_IDENTITY, LARCH_FINGERPRINT_KEY};
    for (size_t i = 0; i < 2; i++) {
        present = &gw;
        type_pin_of(&gw, kinds[i]);
        if (i == 0)
            expect_deliveries(1);
        const larch_fingerprint before = trust.pin.fingerprint;
        const unsigned delivered_before = board.delivered;
        present = &other;
        start();
        run_for(60 * SECOND_MS);
        assert_true(said("refused: compare"));
        assert_int_equal(board.delivered, delivered_before);
        assert_int_equal(other.told[LARCH_EVENT_ACCEPTED], 0);
        assert_memory_equal(&trust.pin.fingerprint, &before, sizeof before);
    }
}

/* With an identity on record, an OK without a receipt is no delivery; what was typed waits. */
static void test_no_receipt(void **state)
{
    (void)state;
    type_pin_of(&gw, LARCH_FINGERPRINT_IDENTITY);
    type("interval", "0");
    run_for(10 * SECOND_MS);
    answers_ok = true;
    type("send", "to the gateway alone");
    run_for(60 * SECOND_MS);
    assert_true(said("does not prove"));
    assert_int_equal(board.delivered, 0);
    answers_ok = false;
    run_for(60 * SECOND_MS);
    assert_int_equal(board.delivered, 1);
    assert_int_equal(gw.told[LARCH_EVENT_ACCEPTED], 1);
}

/* A pinned key of a gateway without an identity takes it, and says what it is worth. */
static void test_answered_not_proven(void **state)
{
    (void)state;
    is_old = answers_ok = true;
    type_pin_of(&gw, LARCH_FINGERPRINT_KEY);
    type("interval", "0");
    type("send", "x");
    run_for(30 * SECOND_MS);
    assert_true(said("delivered: #1, answered, not proven"));
    assert_true(pins(LARCH_FINGERPRINT_KEY));
    /* one that gives receipts is believed them */
    answers_ok = false;
    memset(board.said, 0, sizeof board.said);
    type("send", "y");
    run_for(30 * SECOND_MS);
    assert_true(said("delivered: #2\n"));
    /* and with an identity on record, a gateway that shows none is refused */
    is_old = false;
    start();
    expect_deliveries(1);
    assert_true(pins(LARCH_FINGERPRINT_IDENTITY));
    type_pin_of(&gw, LARCH_FINGERPRINT_KEY);
    type_pin_of(&gw, LARCH_FINGERPRINT_IDENTITY);
    is_old = true;
    run_for(60 * SECOND_MS);
    assert_true(said("shows no identity"));
    assert_true(pins(LARCH_FINGERPRINT_IDENTITY));
}

/* ---- ages ----------------------------------------------------------------------------------- */

/* The root is asked at the start, and about every twelve hours; a gateway that is gone for a day has to prove itself. */
static void test_endorsement_ages(void **state)
{
    (void)state;
    type_pin_of(&gw, LARCH_FINGERPRINT_IDENTITY);
    type("interval", "3600"); /* so few that the key is not full */
    run_for(11 * HOUR_MS);
    assert_int_equal(questions, 1);
    run_for(26 * HOUR_MS);
    assert_int_equal(questions, 4);
    assert_false(said("failed"));
    start();
    run_for(60 * SECOND_MS);
    assert_int_equal(questions, 5);
    type("pin", "larch2:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    run_for(60 * SECOND_MS);
    assert_true(said("refused: compare"));
}

/* ---- what is typed ----------------------------------------------------------------------------- */

static void test_typed_pins(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "", "larch3:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "larch2:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "larch2:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    present = NULL;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        type("pin", refused[i]);
        assert_true(said("error: a fingerprint is"));
        assert_false(trust.pin.known);
    }
    type("pin", "larch2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_true(pins(LARCH_FINGERPRINT_IDENTITY));
    type("pin", "larch1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"); /* the same bytes, and another pin */
    assert_true(pins(LARCH_FINGERPRINT_KEY));
    start();
    assert_true(pins(LARCH_FINGERPRINT_KEY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_two_rotations, begin_board, end_board),
        cmocka_unit_test_setup_teardown(test_key_becomes_identity, begin_board, end_board),
        cmocka_unit_test_setup_teardown(test_old_pin_becomes_identity, begin_board, end_board),
        cmocka_unit_test_setup_teardown(test_key_of_long_ago, begin_board, end_board),
        cmocka_unit_test_setup_teardown(test_trust, begin_board, end_board),
        cmocka_unit_test_setup_teardown(test_other_gateway, begin_board, end_board),
        cmocka_unit_test_setup_teardown(test_no_receipt, begin_board, end_board),
        cmocka_unit_test_setup_teardown(test_answered_not_proven, begin_board, end_board),
        cmocka_unit_test_setup_teardown(test_endorsement_ages, begin_board, end_board),
        cmocka_unit_test_setup_teardown(test_typed_pins, begin_board, end_board),
    };
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
