/* SPDX-License-Identifier: Apache-2.0 */
/* What the server lets strangers spend: bytes of answers, places for bodies, marks and root decapsulations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server_bench.h"

enum { FAR = 0x20000001, LAN = 0x0a000001, SECOND_MS = 1000 };

static server_bench b;
static bench_answer answer;
static uint16_t message_id;

static int begin(void **state)
{
    (void)state;
    message_id = 0;
    sb_prepare(&b);
    b.config.limits = larch_reach_default_limits();
    assert_int_equal(sb_start(&b), LARCH_OK);
    return 0;
}

/* Hands in one request; what comes back is in answer. Returns how long it was. */
static size_t say(const larch_peer *peer, bench_ask ask)
{
    static bench_answer none;
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    ask.message_id = message_id++;
    assert_int_equal(sb_receive(&b, peer, &ask), LARCH_OK);
    (void)sb_settle(&b, LARCH_SETTLED_STORED);
    (void)sb_send(&b, &answer);
    if (answer.any)
        assert_int_equal(sb_send(&b, &none), LARCH_AGAIN);
    return bench_compose(&ask, out).len;
}

static bool is_challenge(larch_bytes *echo)
{
    return answer.any && answer.message.code == LARCH_COAP_UNAUTHORIZED &&
           larch_coap_option_find(&answer.message, LARCH_COAP_OPT_ECHO, echo) && echo->len == LARCH_ECHO_LEN;
}

/* The same again with the Echo of the challenge. */
static void say_again(const larch_peer *peer, bench_ask ask)
{
    uint8_t value[LARCH_ECHO_LEN];
    larch_bytes echo;
    assert_true(is_challenge(&echo));
    memcpy(value, echo.data, sizeof value);
    ask.echo = LARCH_BYTES(value);
    (void)say(peer, ask);
}

static uint32_t max_age(void)
{
    larch_bytes value;
    uint32_t seconds = 60;
    if (larch_coap_option_find(&answer.message, LARCH_COAP_OPT_MAX_AGE, &value))
        assert_int_equal(larch_coap_option_uint(value, &seconds), LARCH_OK);
    return seconds;
}

/* ---- bytes ------------------------------------------------------------------ */

static const bench_ask list = {.code = LARCH_COAP_GET, .path = ".well-known/core"};
static const bench_ask large = {.code = LARCH_COAP_POST, .path = "large"};

/* However a flood asks: beyond what is kept for a while it is challenged, and bytes out stay below three times bytes
 * in, and the budget. */
static void test_bytes_of_a_flood(void **state)
{
    (void)state;
    static const bench_ask *const asks[] = {&list, &large};
    const larch_reach_limits limits = larch_reach_default_limits();
    for (size_t kind = 0; kind < sizeof asks / sizeof *asks; kind++)
        for (int is_one_network = 0; is_one_network < 2; is_one_network++) {
            size_t in = 0, out = 0, challenges = 0;
            larch_bytes echo;
            (void)begin(NULL);
            for (uint32_t i = 0; i < 20000; i++) {
                larch_peer peer = larch_sim_ipv4(FAR + (is_one_network ? i % 200 : i << 8), 40000);
                b.now_ms += i % 2;
                in += say(&peer, *asks[kind]);
                out += answer.len;
                challenges += is_challenge(&echo);
            }
            const size_t rate = is_one_network ? limits.excess_prefix_rate : limits.excess_total_rate;
            const size_t burst = is_one_network ? limits.excess_prefix_burst : limits.excess_total_burst;
            assert_in_range(out, 1, 3 * in + burst + 10 * rate);
            assert_true(challenges > 10000);
        }
}

/* The first to ask are served at once; whoever is challenged and returns the Echo is served for good. */
static void test_bytes_in_quiet_times(void **state)
{
    (void)state;
    larch_bytes echo;
    larch_peer peer = larch_sim_ipv4(FAR, 40000);
    for (unsigned i = 0; i < 4; i++) {
        (void)say(&peer, large);
        assert_int_equal(answer.message.code, LARCH_COAP_CHANGED);
    }
    (void)say(&peer, large);
    assert_true(is_challenge(&echo));
    assert_int_equal(b.told[LARCH_EVENT_RATE], 1);
    say_again(&peer, large);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(answer.message.code, LARCH_COAP_CHANGED);
        (void)say(&peer, large);
    }
    peer = larch_sim_ipv4(FAR + 1, 40000);
    (void)say(&peer, large);
    assert_true(is_challenge(&echo));
    b.now_ms += 4 * SECOND_MS;
    (void)say(&peer, large);
    assert_int_equal(answer.message.code, LARCH_COAP_CHANGED);
}

/* Later blocks, and kept bodies, are answers like any other. */
static void test_bytes_of_blocks(void **state)
{
    (void)state;
    larch_bytes echo;
    const larch_peer peer = larch_sim_ipv4(FAR, 40000);
    (void)say(&peer, large);
    bench_ask later = large;
    later.has_block2 = true;
    for (unsigned i = 0;; i = (i + 1) % 2) {
        later.block2 = (larch_coap_block){1 + i, false, 6};
        (void)say(&peer, later);
        if (answer.message.code != LARCH_COAP_CHANGED)
            break;
        assert_true(++later.message_id < 10);
    }
    assert_true(is_challenge(&echo));
    assert_int_equal(b.first.ran, 1);
}

/* What the endpoint says by itself needs no budget: it is never longer than three times what it answers. */
static void test_bytes_of_the_endpoint(void **state)
{
    (void)state;
    const larch_peer peer = larch_sim_ipv4(FAR, 40000);
    const bench_ask odd = {.code = LARCH_COAP_GET, .path = "", .extra = 65001};
    b.config.limits.excess_prefix_burst = 0;
    assert_int_equal(sb_start(&b), LARCH_OK);
    const size_t asked = say(&peer, odd);
    assert_int_equal(answer.message.code, LARCH_COAP_BAD_OPTION);
    assert_true(answer.len <= 3 * asked);
}

/* A kept answer that a duplicate gets is charged as the first one was; beyond the budget the duplicate gets none. */
static void test_bytes_of_duplicates(void **state)
{
    (void)state;
    const larch_peer peer = larch_sim_ipv4(FAR, 40000);
    unsigned answered = 0;
    for (unsigned i = 0; i < 20; i++) {
        message_id = 7;
        (void)say(&peer, large);
        answered += answer.any;
        assert_true(!answer.any || answer.len > 1000);
    }
    assert_int_equal(answered, 4);
    assert_int_equal(b.first.ran, 1);
}

/* ---- places for bodies -------------------------------------------------------- */

static bench_ask block_of(const uint8_t *bytes, uint32_t num, bool more)
{
    return (bench_ask){.code = LARCH_COAP_POST,
                       .path = "message",
                       .has_block1 = true,
                       .block1 = {num, more, 0},
                       .payload = {bytes + 16 * num, more ? 16 : 1}};
}

/* Forged first blocks, however many and from wherever, stop no sender that returns its challenge. */
static void test_bodies_in_a_flood(void **state)
{
    (void)state;
    uint8_t bytes[17] = {0};
    unsigned challenged = 0;
    larch_bytes echo;
    for (uint32_t round = 0; round < 20; round++) {
        const larch_peer honest = larch_sim_ipv4(LAN + (round << 8), 40000);
        bytes[0] = (uint8_t)round;
        for (uint32_t i = 0; i < 16; i++) {
            const larch_peer forged = larch_sim_ipv4(FAR + ((16 * round + i) << 8), 40000);
            (void)say(&forged, block_of(bytes, 0, true));
            assert_true(is_challenge(&echo) || answer.message.code == LARCH_COAP_CONTINUE);
            b.now_ms += 1;
        }
        (void)say(&honest, block_of(bytes, 0, true));
        if (is_challenge(&echo)) {
            challenged++;
            say_again(&honest, block_of(bytes, 0, true));
        }
        assert_int_equal(answer.message.code, LARCH_COAP_CONTINUE);
        for (uint32_t i = 0; i < 16; i++) {
            const larch_peer forged = larch_sim_ipv4(FAR + 0x100000 + ((16 * round + i) << 8), 40000);
            (void)say(&forged, block_of(bytes, 0, true));
        }
        (void)say(&honest, block_of(bytes, 1, false));
        assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
        b.now_ms += SECOND_MS;
    }
    assert_true(challenged > 10);
}

/* A proven sender that finds every place taken by others that are proven is told when to come again. */
static void test_bodies_without_a_place(void **state)
{
    (void)state;
    uint8_t bytes[17] = {1};
    larch_bytes echo;
    unsigned served = 0;
    for (uint32_t i = 0; i <= LARCH_COAP_REASSEMBLIES; i++) {
        const larch_peer peer = larch_sim_ipv4(LAN + (i << 8), 40000);
        (void)say(&peer, block_of(bytes, 0, true));
        if (is_challenge(&echo))
            say_again(&peer, block_of(bytes, 0, true));
        served += answer.message.code == LARCH_COAP_CONTINUE;
        if (answer.message.code == LARCH_COAP_CONTINUE) { /* as a proven one, too */
            uint8_t value[LARCH_ECHO_LEN];
            bench_ask again = block_of(bytes, 0, true);
            larch_reach_echo(&b.srv.reach, b.now_ms, &peer, value);
            again.echo = LARCH_BYTES(value);
            (void)say(&peer, again);
            assert_int_equal(answer.message.code, LARCH_COAP_CONTINUE);
        }
    }
    assert_int_equal(served, LARCH_COAP_REASSEMBLIES);
    assert_int_equal(answer.message.code, LARCH_COAP_SERVICE_UNAVAILABLE);
    assert_int_equal(max_age(), 2);
}

/* ---- marks and roots ------------------------------------------------------------ */

/* Beyond the budget a stranger is challenged before anything is opened, and a proven peer told when to come again. */
static void test_marks(void **state)
{
    (void)state;
    const larch_peer peer = larch_sim_ipv4(FAR, 40000);
    larch_bytes echo;
    unsigned accepted = 0;
    b.config.limits.marks = b.config.limits.mark_burst = 128;
    assert_int_equal(sb_start(&b), LARCH_OK);
    for (uint8_t i = 0; i < 4; i++) {
        const larch_peer stranger = larch_sim_ipv4(FAR + 1u + i, 40000);
        (void)say(&stranger, (bench_ask){.code = LARCH_COAP_POST, .path = "marked", .payload = {&i, 1}});
        accepted += bench_answers(&answer, LARCH_COAP_CHANGED, "OK");
    }
    assert_int_equal(accepted, 2); /* a 64th of 128 */
    assert_true(is_challenge(&echo));
    assert_int_equal(b.first.opened, 2);
    for (uint8_t i = 10; i < 100; i++) {
        const bench_ask ask = {.code = LARCH_COAP_POST, .path = "marked", .payload = {&i, 1}};
        (void)say(&peer, ask);
        if (is_challenge(&echo))
            say_again(&peer, ask);
        if (answer.message.code != LARCH_COAP_CHANGED)
            break;
        accepted++;
    }
    assert_in_range(accepted, 32, 48); /* a prefix has 64, three quarters of it for those within their pace */
    assert_int_equal(b.first.opened, accepted);
    assert_int_equal(answer.message.code, LARCH_COAP_SERVICE_UNAVAILABLE);
    assert_in_range(max_age(), 1, 3600 / 64 + 1);
    /* It is not remembered: once the time is over the very datagram is accepted. */
    b.now_ms += max_age() * SECOND_MS;
    (void)say(&peer, (bench_ask){.code = LARCH_COAP_POST, .path = "marked", .payload = {(const uint8_t[]){200}, 1}});
    assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
}

static void test_roots(void **state)
{
    (void)state;
    const bench_ask ask = {.code = LARCH_COAP_POST, .path = "root"};
    larch_bytes echo;
    unsigned granted = 0;
    for (uint32_t i = 0; i < 30; i++) {
        const larch_peer peer = larch_sim_ipv4(FAR + (i << 8), 40000);
        (void)say(&peer, ask);
        if (is_challenge(&echo))
            say_again(&peer, ask);
        granted += answer.message.code == LARCH_COAP_CHANGED;
    }
    assert_int_equal(granted, larch_reach_default_limits().root_rate);
    assert_int_equal(answer.message.code, LARCH_COAP_SERVICE_UNAVAILABLE);
    assert_int_equal(max_age(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_bytes_of_a_flood, begin),
        cmocka_unit_test_setup(test_bytes_in_quiet_times, begin),
        cmocka_unit_test_setup(test_bytes_of_blocks, begin),
        cmocka_unit_test_setup(test_bytes_of_the_endpoint, begin),
        cmocka_unit_test_setup(test_bytes_of_duplicates, begin),
        cmocka_unit_test_setup(test_bodies_in_a_flood, begin),
        cmocka_unit_test_setup(test_bodies_without_a_place, begin),
        cmocka_unit_test_setup(test_marks, begin),
        cmocka_unit_test_setup(test_roots, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
