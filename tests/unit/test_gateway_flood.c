/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a flood of each kind gets out of a gateway with the limits by default: docs/attacks.md shows the kind of table that
 * this test prints. Every request comes from an address of its own; alone is the answer to the first of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_bench.h"

enum { FAR = 0x20000001, LAN = 0x0a000001, SECONDS = 10, A_SECOND = 2000 };

static bench b;

typedef struct kind {
    const char *name;
    bench_ask ask;
} kind;

static const kind kinds[] = {
    {"GET /pqkem-pk", {.code = LARCH_COAP_GET, .path = "pqkem-pk"}},
    {"POST /pqkem-pk", {.code = LARCH_COAP_POST, .path = "pqkem-pk"}},
    {"GET /pqkem-pk?kem=768", {.code = LARCH_COAP_GET, .path = "pqkem-pk", .query = "kem=768"}},
    {"GET /pqkem-pk?kem=1024", {.code = LARCH_COAP_GET, .path = "pqkem-pk", .query = "kem=1024"}},
    {"GET /.well-known/core", {.code = LARCH_COAP_GET, .path = ".well-known/core"}},
    {"a critical option", {.code = LARCH_COAP_GET, .path = "", .extra = LARCH_COAP_OPT_PROXY_URI}},
    {"an unknown path", {.code = LARCH_COAP_GET, .path = "x"}},
    {"POST /pqkem-data, 1 byte", {.code = LARCH_COAP_POST, .path = "pqkem-data", .payload = {(const uint8_t *)"", 1}}},
    {"POST /pqkem-next, 1 byte", {.code = LARCH_COAP_POST, .path = "pqkem-next", .payload = {(const uint8_t *)"", 1}}},
    {"a first block",
     {.code = LARCH_COAP_POST,
      .path = "pqkem-data",
      .has_block1 = true,
      .block1 = {0, true, 0},
      .payload = {(const uint8_t *)"0123456789abcdef", 16}}},
};

typedef struct flow {
    size_t in, out, large; /* bytes in and out; answers of more than three times their request */
} flow;

/* spread: how far apart the addresses are. */
static flow flood(const bench_ask *kind_ask, uint32_t first, uint32_t spread, bool is_on_link)
{
    flow sum = {0};
    bench_answer answer;
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    bench_prepare(&b, 1, BENCH_MARKS);
    b.config.server.limits = larch_reach_default_limits();
    assert_int_equal(bench_start(&b), LARCH_OK);
    bench_ask ask = *kind_ask;
    const size_t asked = bench_compose(&ask, out).len;
    for (uint32_t i = 0; i < SECONDS * A_SECOND; i++) {
        larch_peer peer = larch_sim_ipv4(first + i * spread % 0x1000000, 40000);
        peer.is_on_link = is_on_link;
        ask.message_id = (uint16_t)i;
        b.now_ms = 1000000 + (uint64_t)i * 1000 / A_SECOND;
        bench_say(&b, &peer, false, &ask, &answer);
        sum.in += asked;
        sum.out += answer.len;
        sum.large += answer.len > 3 * asked;
    }
    bench_end(&b);
    return sum;
}

static void test_floods(void **state)
{
    (void)state;
    const larch_reach_limits l = larch_reach_default_limits();
    print_message("request                  | bytes | alone | times | flood, bytes/s in | out | times\n");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bench_answer answer;
        uint8_t out[LARCH_COAP_DATAGRAM_MAX];
        const larch_peer peer = larch_sim_ipv4(FAR, 40000);
        bench_prepare(&b, 1, BENCH_MARKS);
        b.config.server.limits = l;
        assert_int_equal(bench_start(&b), LARCH_OK);
        bench_say(&b, &peer, false, &kinds[i].ask, &answer);
        bench_end(&b);
        const size_t asked = bench_compose(&kinds[i].ask, out).len, alone = answer.len;
        const flow many = flood(&kinds[i].ask, FAR, 256, false);
        const flow one = flood(&kinds[i].ask, FAR, 0, false);
        const flow near = flood(&kinds[i].ask, LAN, 1, true);
        print_message("%-24s | %5zu | %5zu | %5.1f | %17zu | %5zu | %4.2f\n", kinds[i].name, asked, alone,
                      (double)alone / (double)asked, many.in / SECONDS, many.out / SECONDS,
                      (double)many.out / (double)many.in);
        assert_true(many.out <= 3 * many.in + l.excess_total_burst + SECONDS * l.excess_total_rate);
        assert_true(near.out <= 3 * near.in + l.excess_total_burst + SECONDS * l.excess_total_rate);
        assert_true(one.out <= 3 * one.in + l.excess_prefix_burst + SECONDS * l.excess_prefix_rate);
        if (alone > 1000) /* it is not only small answers that are counted */
            assert_in_range(many.large, 16, (l.excess_total_burst + SECONDS * l.excess_total_rate) / 900);
    }
}

/* A good message under a forged address, which anybody can seal, buys a note; and the note buys nothing outside the
 * budgets: all of four addresses in each of many networks are bounded in grants and in bytes. */
static void test_flood_of_noted_addresses(void **state)
{
    (void)state;
    enum { NOTED = 64 };
    const larch_reach_limits l = larch_reach_default_limits();
    static bench_sealed sealed[NOTED];
    bench_answer answer;
    uint16_t message_id = 0;
    size_t in = 0, out = 0, keys = 0;
    uint8_t datagram[LARCH_COAP_DATAGRAM_MAX];
    bench_prepare(&b, 1, 2 * NOTED);
    static uint64_t replay[LARCH_DIRECT_SETS][2][2 * NOTED];
    for (size_t i = 0; i < 2 * LARCH_DIRECT_SETS; i++)
        b.config.direct.replay[i / 2][i % 2] = replay[i / 2][i % 2];
    b.config.server.limits = l;
    assert_int_equal(bench_start(&b), LARCH_OK);
    for (size_t i = 0; i < NOTED; i++) {
        const larch_peer peer = larch_sim_ipv4(FAR + (uint32_t)(i / 4 << 8 | i % 4), 40000);
        bench_seal(&b, larch_kem_at(0), LARCH_TEXT("Hello"), &sealed[i]);
        bench_post(&b, &peer, message_id++, &sealed[i], &answer);
        assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
    }
    for (uint32_t i = 0; i < SECONDS * A_SECOND; i++) {
        const uint32_t which = i % NOTED;
        const larch_peer peer = larch_sim_ipv4(FAR + (which / 4 << 8 | which % 4), 40000);
        const bench_ask ask = {.code = LARCH_COAP_GET, .message_id = message_id++, .path = "pqkem-pk"};
        b.now_ms = 1001000 + (uint64_t)i * 1000 / A_SECOND;
        bench_say(&b, &peer, false, &ask, &answer);
        in += bench_compose(&ask, datagram).len;
        out += answer.len;
        keys += answer.len > 800;
    }
    bench_end(&b);
    print_message("noted addresses, all forged: %zu bytes/s in, %zu out, %zu keys/s\n", in / SECONDS, out / SECONDS,
                  keys / SECONDS);
    assert_in_range(keys, 1, (2 * l.excess_total_burst + SECONDS * l.excess_total_rate) / 780);
    assert_true(out <= 3 * in + 2 * l.excess_total_burst + SECONDS * l.excess_total_rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floods),
        cmocka_unit_test(test_flood_of_noted_addresses),
    };
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
