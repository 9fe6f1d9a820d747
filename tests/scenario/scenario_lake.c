/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device shakes hands with a gateway over a network that loses datagrams, and both lose their power: there is always a
 * way back to a session that both have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lake_world.h"

#define LONG_MS (6u * 60 * 1000)

static const larch_sim_faults sound = {.delay_min_ms = 10, .delay_max_ms = 10};
static lake_world w;

static void expect_session(bool has_first)
{
    assert_int_equal(w.outcome, LARCH_OK);
    assert_true(larch_lake_client_is_stored(&w.client));
    assert_int_equal(larch_lake_client_first(&w.client) != NULL, has_first);
    if (has_first)
        assert_int_equal(larch_lake_client_first(&w.client)->code, LARCH_COAP_CHANGED);
    assert_int_equal(w.reported, LARCH_OK);
    assert_int_equal(w.reported_code, LARCH_COAP_CHANGED);
    assert_int_equal(w.learned_s, has_first ? 0 : LW_UNIX_S); /* message_4 carries it */
}

/* How a run goes. */
typedef struct course {
    const char *name;
    unsigned method;
    bool is_resumed;
    bool has_first;
} course;

static const course courses[] = {
    {"external PSK", LARCH_LAKE_METHOD_PSK, false, false},
    {"external PSK, combined", LARCH_LAKE_METHOD_PSK, false, true},
    {"resumption", LARCH_LAKE_METHOD_PSK, true, false},
    {"resumption, combined", LARCH_LAKE_METHOD_PSK, true, true},
    {"signatures", LARCH_LAKE_METHOD_SIGNATURES, false, false},
};
enum { COURSES = sizeof courses / sizeof courses[0] };

static void begin(const course *c, uint64_t seed)
{
    lw_begin(&w, seed, &sound);
    w.unix_s = LW_UNIX_S;
    if (c->is_resumed) {
        lw_shake(&w, larch_sim_now_ms(w.sim), LARCH_LAKE_METHOD_PSK);
        lw_run(&w, LONG_MS);
        expect_session(false);
        w.has_external = false; /* no other way back than the rPSK */
        lw_device_start(&w, larch_sim_now_ms(w.sim));
        lw_run(&w, LONG_MS); /* nothing of the first one is left anywhere */
    }
    w.config.first = c->has_first ? &w.first : NULL;
    w.datagrams = w.bytes_up = w.bytes_down = 0;
}

static void shake(const course *c)
{
    lw_shake(&w, larch_sim_now_ms(w.sim), c->method);
    lw_run(&w, LONG_MS);
}

/* ---- sound network ---------------------------------------------------------------- */

static void test_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < COURSES; i++) {
        begin(&courses[i], 1);
        shake(&courses[i]);
        expect_session(courses[i].has_first);
        print_message("%s: %u datagrams with the report behind it, %u bytes up, %u down\n", courses[i].name,
                      w.datagrams, w.bytes_up, w.bytes_down);
        assert_int_equal(w.g.stored_count, (size_t)1 + courses[i].has_first + courses[i].is_resumed);
        assert_int_equal(w.stores, 1 + courses[i].is_resumed);
        assert_int_equal(w.confirms, w.stores);
        lw_end(&w);
    }
}

/* ---- lost datagrams ------------------------------------------------------------------ */

/* The network numbers its datagrams from the start; those of the course begin at base. */
static void run_without(const course *c, unsigned count, unsigned first, unsigned second)
{
    begin(c, 7);
    const unsigned base = larch_sim_sent(w.sim);
    const unsigned drop[] = {base + first, base + second};
    const larch_sim_faults faults = {.delay_min_ms = 10, .delay_max_ms = 10, .drop = drop, .drop_count = 2};
    larch_sim_set_faults(w.sim, &faults);
    shake(c);
    assert_true(w.datagrams > count);
    expect_session(c->has_first);
    assert_int_equal(w.g.stored_count, (size_t)1 + c->has_first + c->is_resumed); /* each reading once */
    assert_int_equal(w.stores, 1 + c->is_resumed);
    lw_end(&w);
}

/* Every one and every pair of the datagrams of a handshake and the report behind it. */
static void test_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < COURSES; i++) {
        begin(&courses[i], 7);
        shake(&courses[i]);
        const unsigned count = w.datagrams;
        lw_end(&w);
        for (unsigned first = 0; first < count; first++)
            for (unsigned second = first; second < count; second++)
                run_without(&courses[i], count, first, second);
    }
}

/* ---- power cuts -------------------------------------------------------------------------- */

static bool knows_key(const larch_lake_resumption *r)
{
    for (size_t i = 0; i < LW_KEYS; i++) {
        const lw_key *key = &w.accounts[0].keys[i];
        if (key->is && key->r.psk_len == r->psk_len && memcmp(key->r.psk, r->psk, r->psk_len) == 0)
            return true;
    }
    return false;
}

static bool knows_context(const larch_lake_oscore *o)
{
    for (size_t i = 0; i < LW_KEYS; i++) {
        const lw_context *c = &w.accounts[0].contexts[i];
        if (c->is && memcmp(c->o.master_secret, o->master_secret, o->master_secret_len) == 0)
            return true;
    }
    return false;
}

/* What both have on their disks: a session, or an rPSK. */
static void expect_way_back(void)
{
    assert_true((w.device_context.is && knows_context(&w.device_context.o)) ||
                (w.device_keys[0].is && knows_key(&w.device_keys[0].r)));
}

/* The power comes back, and the device goes on with what it has: its session, else a handshake. */
static void recover(bool gateway_too)
{
    if (gateway_too)
        lw_gateway_restart(&w);
    lw_device_start(&w, larch_sim_now_ms(w.sim));
    w.config.first = NULL;
    if (w.device_keys[0].is)
        w.has_external = false;
    for (unsigned tries = 0; w.reported != LARCH_OK; tries++) {
        assert_true(tries < 3);
        lw_shake(&w, larch_sim_now_ms(w.sim), LARCH_LAKE_METHOD_PSK);
        lw_run(&w, LONG_MS);
    }
    assert_int_equal(w.reported_code, LARCH_COAP_CHANGED);
    expect_way_back();
}

typedef struct cut_case {
    const char *name;
    bool of_gateway, is_behind, fails;
} cut_case;

static const cut_case cuts[] = {
    {"gateway, before", true, false, false}, {"gateway, behind", true, true, false},
    {"gateway fails", true, false, true},    {"gateway fails, and it is durable", true, true, true},
    {"device, before", false, false, false}, {"device, behind", false, true, false},
    {"device fails", false, false, true},    {"device fails, and it is durable", false, true, true},
};

/* A device that has a session and an rPSK, with a gateway that has no external PSK any more. */
static void test_power_cuts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COURSES; i++) {
        if (!courses[i].is_resumed)
            continue;
        for (size_t c = 0; c < sizeof cuts / sizeof cuts[0]; c++)
            for (int step = 0; step < 2; step++) {
                begin(&courses[i], 11 + c);
                lw_cut *cut = cuts[c].of_gateway ? &w.gateway_cut : &w.device_cut;
                *cut = (lw_cut){.at = step, .is_behind = cuts[c].is_behind, .fails = cuts[c].fails};
                shake(&courses[i]);
                assert_true(cut->steps > step); /* the cut came */
                expect_way_back();
                if (cut->is_off || w.outcome != LARCH_OK) {
                    recover(cuts[c].of_gateway && cut->is_off);
                } else {
                    assert_int_equal(w.reported, LARCH_OK);
                    expect_way_back();
                }
                lw_end(&w);
            }
    }
}

/* The other side restarts at each datagram of the handshake; the reading inside message_3 is stored once at most. */
static void test_restarts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COURSES; i++) {
        const bool is_psk = courses[i].method == LARCH_LAKE_METHOD_PSK;
        for (unsigned at = 0; at < 8; at++) {
            begin(&courses[i], 23 + at);
            lw_shake(&w, larch_sim_now_ms(w.sim), courses[i].method);
            lw_run(&w, 5 + 10 * (uint64_t)at); /* a datagram takes 10 ms */
            const size_t before = w.g.stored_count;
            lw_gateway_restart(&w);
            lw_run(&w, LONG_MS);
            assert_true(w.g.stored_count <= before + 2);
            if (is_psk && w.device_keys[0].is)
                expect_way_back();
            if (w.reported != LARCH_OK)
                recover(false);
            lw_end(&w);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_power_cuts),
        cmocka_unit_test(test_restarts),
    };
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
