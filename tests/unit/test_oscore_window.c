/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Received numbers against a specification that is nothing but sets, over every order of a few messages, and over every
 * run of a few events in which a server restarts and an attacker delivers what it likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "larch/oscore.h"

static larch_oscore_context fresh;

static int make_context(void **state)
{
    static const uint8_t secret[16] = {1};
    const larch_oscore_parameters p = {.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                       .hash = LARCH_COSE_SHA_256,
                                       .master_secret = LARCH_BYTES(secret),
                                       .recipient_id = LARCH_TEXT("c")};
    (void)state;
    return larch_crypto_init() == LARCH_OK && larch_oscore_context_init(&fresh, &p) == LARCH_OK ? 0 : -1;
}

static larch_error count_up(void *context, uint8_t *out, size_t len)
{
    uint8_t *next = context;
    ++*next;
    memset(out, *next, len);
    return LARCH_OK;
}

/* ---- a synchronised window ------------------------------------------------- */

/* The specification: what was received, and how far it is sure of that. */
typedef struct spec {
    uint64_t received[16];
    size_t count;
} spec;

static bool spec_takes(const spec *s, uint64_t number)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->received[i] == number || s->received[i] >= number + LARCH_OSCORE_WINDOW)
            return false;
    return true;
}

static void deliver(larch_oscore_context *c, spec *s, uint64_t number)
{
    larch_oscore_verdict verdict;
    uint64_t own;
    const bool takes = spec_takes(s, number);
    assert_int_equal(larch_oscore_check_number(c, number), takes ? LARCH_OK : LARCH_REPLAY);
    assert_int_equal(larch_oscore_accept_number(c, number, (larch_bytes){NULL, 0}, &verdict, &own), LARCH_OK);
    assert_int_equal(verdict, takes ? LARCH_OSCORE_FRESH : LARCH_OSCORE_REPLAYED);
    if (takes)
        s->received[s->count++] = number;
}

static unsigned orders;

/* Delivers what is left in every order, each of them twice at the end. */
static void permute(larch_oscore_context c, spec s, const uint64_t *numbers, unsigned left)
{
    if (left == 0) {
        for (unsigned i = 0; i < 8; i++)
            deliver(&c, &s, numbers[i]);
        orders++;
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        if ((left >> i & 1) != 0) {
            larch_oscore_context then = c;
            spec after = s;
            deliver(&then, &after, numbers[i]);
            permute(then, after, numbers, left & ~(1u << i));
        }
}

static void test_every_order(void **state)
{
    (void)state;
    static const uint64_t base[] = {0, 1, LARCH_OSCORE_NUMBER_MAX - 7 * 64};
    static const uint64_t step[] = {1, 9, 21, 32, 63, 64};
    for (size_t b = 0; b < sizeof base / sizeof base[0]; b++)
        for (size_t k = 0; k < sizeof step / sizeof step[0]; k++) {
            uint64_t numbers[8];
            for (unsigned i = 0; i < 8; i++)
                numbers[i] = base[b] + i * step[k];
            orders = 0;
            permute(fresh, (spec){.count = 0}, numbers, 0xff);
            assert_int_equal(orders, 40320);
        }
}

/* ---- restarts and challenges ------------------------------------------------- */

/*
 * A client that makes messages in the order of its numbers, each with the Echo of the newest challenge that it has got;
 * a network that delivers any message that was made, as often as it likes; and a server that restarts. Whatever happens,
 * no message is carried out twice, and nothing is carried out after a restart before a message follows its challenge.
 */
#define MESSAGES 4
#define EVENTS   11

typedef struct world {
    larch_oscore_context server;
    uint8_t random;
    unsigned made;
    struct {
        uint8_t echo[LARCH_OSCORE_ECHO_LEN], echo_len;
        uint8_t life; /* in which life of the server the message was made */
    } message[MESSAGES];
    uint8_t challenge[LARCH_OSCORE_ECHO_LEN], challenge_len; /* on its way to the client */
    uint8_t client_echo[LARCH_OSCORE_ECHO_LEN], client_echo_len;
    unsigned executed; /* a bit a message */
    uint8_t life;
    bool lost; /* this life began without a window */
    unsigned own_used[2 * EVENTS];
    unsigned own_count;
} world;

static unsigned long runs, executions, challenges;

static void deliver_message(world *w, unsigned index)
{
    larch_oscore_verdict verdict;
    uint64_t own = 0;
    const uint64_t number = 5 + 40 * index;
    const larch_bytes echo = {w->message[index].echo, w->message[index].echo_len};
    if (larch_oscore_check_number(&w->server, number) != LARCH_OK)
        return;
    assert_int_equal(larch_oscore_accept_number(&w->server, number, echo, &verdict, &own), LARCH_OK);
    switch (verdict) {
    case LARCH_OSCORE_FRESH:
        assert_int_equal(w->executed >> index & 1, 0);
        assert_true(!w->lost || w->message[index].life == w->life || echo.len > 0);
        w->executed |= 1u << index;
        executions++;
        break;
    case LARCH_OSCORE_CHALLENGE:
        for (unsigned i = 0; i < w->own_count; i++) /* no own number serves two challenges */
            assert_true(w->own_used[i] != own);
        w->own_used[w->own_count++] = (unsigned)own;
        larch_oscore_put_echo(&w->server, w->challenge);
        w->challenge_len = LARCH_OSCORE_ECHO_LEN;
        challenges++;
        break;
    case LARCH_OSCORE_CHALLENGE_AGAIN: {
        uint8_t again[LARCH_OSCORE_ECHO_LEN];
        larch_oscore_put_echo(&w->server, again);
        assert_int_equal(own, w->own_used[w->own_count - 1]);
        memcpy(w->challenge, again, sizeof again);
        w->challenge_len = LARCH_OSCORE_ECHO_LEN;
        break;
    }
    case LARCH_OSCORE_REPLAYED:
    case LARCH_OSCORE_SILENCE:
        break;
    }
}

static void restart(world *w)
{
    const larch_random random = {count_up, &w->random};
    assert_int_equal(larch_oscore_forget_window(&w->server, &random), LARCH_OK);
    w->life++;
    w->lost = true;
}

static void make_message(world *w)
{
    memcpy(w->message[w->made].echo, w->client_echo, sizeof w->client_echo);
    w->message[w->made].echo_len = w->client_echo_len;
    w->message[w->made].life = w->life;
    w->made++;
}

static void run(const world *w, unsigned left)
{
    world next;
    runs++;
    if (left == 0)
        return;
    if (w->made < MESSAGES) {
        next = *w;
        make_message(&next);
        run(&next, left - 1);
    }
    for (unsigned i = 0; i < w->made; i++) {
        next = *w;
        deliver_message(&next, i);
        run(&next, left - 1);
    }
    if (w->challenge_len > 0) {
        next = *w;
        memcpy(next.client_echo, w->challenge, sizeof w->challenge);
        next.client_echo_len = w->challenge_len;
        next.challenge_len = 0;
        run(&next, left - 1);
    }
    next = *w;
    restart(&next);
    run(&next, left - 1);
}

static void test_every_run(void **state)
{
    (void)state;
    world w = {.server = fresh};
    larch_oscore_grant(&w.server, 0, 1000);
    run(&w, EVENTS);
    assert_true(runs > 100000 && executions > 10000 && challenges > 1000);
}

/* A client that answers the challenge gets through, and what waited behind it too. */
static void test_recovers(void **state)
{
    (void)state;
    world w = {.server = fresh};
    uint64_t number;
    larch_oscore_grant(&w.server, 7, 9);
    for (unsigned i = 0; i < 2; i++)
        make_message(&w);
    deliver_message(&w, 0);
    assert_int_equal(w.executed, 1);
    restart(&w);
    deliver_message(&w, 0); /* a replay from before is challenged, not carried out */
    deliver_message(&w, 1);
    assert_int_equal(w.executed, 1);
    assert_int_equal(w.own_count, 2);
    assert_int_equal(larch_oscore_take_number(&w.server, &number), LARCH_SPENT);
    memcpy(w.client_echo, w.challenge, sizeof w.challenge);
    w.client_echo_len = w.challenge_len;
    make_message(&w);
    make_message(&w);
    deliver_message(&w, 2);
    assert_int_equal(w.executed, 5);
    deliver_message(&w, 1); /* it came before the window was set */
    assert_int_equal(w.executed, 5);
    deliver_message(&w, 3);
    assert_int_equal(w.executed, 13);
    larch_oscore_context same = w.server;
    assert_true(larch_oscore_count_echo(&same, (larch_bytes){w.challenge, w.challenge_len}, &number));
    assert_int_equal(number, 45);
    assert_false(larch_oscore_count_echo(&same, (larch_bytes){w.challenge, w.challenge_len}, &number)); /* once */
    same = w.server;
    w.challenge[12] ^= 1;
    assert_false(larch_oscore_count_echo(&same, (larch_bytes){w.challenge, w.challenge_len}, &number));
}

/* Only a number above the challenged one shows that its request was made after the challenge. */
static void test_echo_in_no_later_request(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        larch_oscore_verdict verdict;
    } rows[] = {{4, LARCH_OSCORE_SILENCE}, {5, LARCH_OSCORE_CHALLENGE_AGAIN}, {6, LARCH_OSCORE_FRESH}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_oscore_context c = fresh;
        uint8_t next = 0, echo[LARCH_OSCORE_ECHO_LEN];
        const larch_random random = {count_up, &next};
        larch_oscore_verdict verdict;
        uint64_t own;
        larch_oscore_grant(&c, 0, 10);
        assert_int_equal(larch_oscore_forget_window(&c, &random), LARCH_OK);
        assert_int_equal(larch_oscore_accept_number(&c, 5, (larch_bytes){NULL, 0}, &verdict, &own), LARCH_OK);
        larch_oscore_put_echo(&c, echo);
        assert_int_equal(larch_oscore_accept_number(&c, rows[i].number, LARCH_BYTES(echo), &verdict, &own), LARCH_OK);
        assert_int_equal(verdict, rows[i].verdict);
    }
}

static void test_no_number_left(void **state)
{
    (void)state;
    larch_oscore_context c = fresh;
    uint8_t next = 0;
    const larch_random random = {count_up, &next};
    larch_oscore_verdict verdict;
    uint64_t own = 77, number = 77;
    assert_int_equal(larch_oscore_take_number(&c, &number), LARCH_SPENT);
    assert_int_equal(larch_oscore_forget_window(&c, &random), LARCH_OK);
    assert_int_equal(larch_oscore_accept_number(&c, 3, (larch_bytes){NULL, 0}, &verdict, &own), LARCH_SPENT);
    assert_int_equal(own, 77);
    assert_int_equal(number, 77);
    larch_oscore_grant(&c, LARCH_OSCORE_NUMBER_MAX, UINT64_MAX);
    assert_int_equal(larch_oscore_accept_number(&c, 3, (larch_bytes){NULL, 0}, &verdict, &own), LARCH_OK);
    assert_int_equal(verdict, LARCH_OSCORE_CHALLENGE);
    assert_true(own == LARCH_OSCORE_NUMBER_MAX);
    assert_int_equal(larch_oscore_take_number(&c, &number), LARCH_SPENT);
    larch_oscore_grant(&c, 0, 10); /* a grant never goes back */
    assert_int_equal(larch_oscore_take_number(&c, &number), LARCH_SPENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_order), cmocka_unit_test(test_every_run),
                                       cmocka_unit_test(test_recovers), cmocka_unit_test(test_echo_in_no_later_request),
                                       cmocka_unit_test(test_no_number_left)};
    return cmocka_run_group_tests_name("oscore_window", tests, make_context, NULL);
}
