/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway whose keys and journals lie on NOR flash, over rotations, with the power cut at each program and erase:
 * what was answered OK is never accepted again, and the gateway always starts again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_bench.h"
#include "nor.h"

enum { MESSAGES = 32, MARKS = 16 };

static bench b;
static bench_answer answer;
static const larch_kem *kem;
static larch_peer sender;
static larch_sim_nor sim;
static larch_nor_files files;
static bench_sealed sealed[MESSAGES];

static larch_error start(void)
{
    larch_nor_files_fault fault;
    larch_error e = larch_nor_files_mount(&files, &sim.nor, &fault);
    if (e != LARCH_OK && !sim.off)
        print_error("mount: the flash %s\n", larch_nor_files_fault_text(fault));
    if (e == LARCH_OK)
        e = bench_start(&b);
    if (e != LARCH_OK && !sim.off)
        print_error("%s: %s %s\n", larch_error_name(e), b.faulty, larch_store_fault_text(b.fault));
    assert_true(e == LARCH_OK || sim.off);
    return sim.off ? LARCH_PLATFORM : LARCH_OK;
}

static void prepare(uint64_t seed, uint32_t sector_size, uint32_t sector_count)
{
    bench_prepare(&b, seed, MARKS);
    larch_sim_nor_init(&sim, seed, sector_size, sector_count);
    b.storage = larch_nor_files_storage(&files);
}

static void restart(void)
{
    larch_gateway_wipe(&b.gw);
    larch_sim_nor_power_on(&sim);
    b.now_ms += 1000000;
    assert_int_equal(start(), LARCH_OK);
}

static void post(uint16_t message_id, const bench_sealed *message)
{
    b.now_ms += 1000; /* past every bucket */
    bench_post(&b, &sender, message_id, message, &answer);
}

static void end(void)
{
    bench_end(&b);
    larch_sim_nor_free(&sim);
}

/* So many messages, over two rotations; the number of operations it took. */
static uint32_t run(uint32_t cut_at, uint64_t seed, uint32_t sector_size, uint32_t sector_count)
{
    bool said[MESSAGES] = {false};
    uint16_t sent = 0;
    prepare(seed, sector_size, sector_count);
    sim.cut_at = cut_at;
    if (start() == LARCH_OK)
        for (; sent < MESSAGES && !sim.off; sent++) {
            bench_seal(&b, kem, LARCH_TEXT("Hello"), &sealed[sent]);
            post(sent, &sealed[sent]);
            said[sent] = bench_answers(&answer, LARCH_COAP_CHANGED, "OK");
            assert_true(said[sent] || sim.off);
        }
    const uint32_t operations = sim.operations;
    if (!sim.off)
        assert_int_equal(b.told[LARCH_EVENT_ROTATED], 2);
    restart();
    for (uint16_t i = 0; i < sent; i++) {
        post((uint16_t)(1000 + i), &sealed[i]);
        assert_false(said[i] && bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
    }
    bench_sealed next;
    bench_seal(&b, kem, LARCH_TEXT("next"), &next);
    post(5000, &next);
    assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
    end();
    return operations;
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = {{4096, 4}, {262144, 3}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const uint32_t operations = run(LARCH_SIM_NOR_NEVER, 1, shapes[i][0], shapes[i][1]);
        const uint32_t stride = i == 0 ? 1 : 37;
        for (uint32_t at = 0; at < operations; at += stride)
            for (uint64_t seed = 0; seed < 5; seed++)
                (void)run(at, seed << 32 | at, shapes[i][0], shapes[i][1]);
        print_message("%u sectors of %u bytes: %u operations\n", shapes[i][1], shapes[i][0], operations);
        assert_true(operations > 150);
    }
}

/* Years: rotation upon rotation, cut now and then, on the same few sectors. */
static void test_long_life(void **state)
{
    (void)state;
    uint64_t draw = 1;
    uint16_t message_id = 0;
    uint32_t generation;
    prepare(7, 4096, 4);
    assert_int_equal(start(), LARCH_OK);
    for (unsigned round = 0; round < 1200; round++) {
        bench_sealed message;
        draw = draw * 6364136223846793005u + 1442695040888963407u;
        if (draw >> 61 == 0)
            sim.cut_at = sim.operations + (uint32_t)(draw >> 40) % 60;
        bench_seal(&b, kem, LARCH_TEXT("Hello"), &message);
        post(message_id++, &message);
        const bool said = bench_answers(&answer, LARCH_COAP_CHANGED, "OK");
        assert_true(said || sim.off);
        if (sim.off) {
            restart();
            post(message_id++, &message);
            assert_false(said && bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
        }
    }
    (void)larch_gateway_key_of(&b.gw, kem, &generation, NULL);
    assert_true(generation > 60);
    larch_nor_files_status status;
    assert_int_equal(larch_nor_files_look(&files, &status), LARCH_OK);
    assert_int_equal(status.out_of_order, 0);
    assert_true(status.erases_min > 3);
    end();
}

static int begin(void **state)
{
    (void)state;
    kem = larch_kem_find(512);
    sender = larch_sim_ipv4(0x0a000001, 40000);
    return 0;
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_long_life),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
