/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of bytes against a plain account of who wrote which byte of the memory last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "larch/base.h"
#include "sim.h"

enum { SIZE_MAX_TESTED = 64, CANARY = 16, PIECES = 400 };

typedef struct piece {
    uint64_t position;
    size_t at; /* in the memory */
    size_t len;
    bool gone; /* newer bytes, or the gap before them, took its place */
    uint8_t bytes[SIZE_MAX_TESTED];
} piece;

static larch_sim_random dice;
static piece pieces[PIECES];
static uint8_t memory[SIZE_MAX_TESTED + 2 * CANARY];

static size_t below(size_t limit)
{
    const larch_random random = larch_sim_random_of(&dice);
    uint32_t n = 0;
    assert_int_equal(larch_random_fill(&random, (uint8_t *)&n, sizeof n), LARCH_OK);
    return n % limit;
}

static void lose(size_t count, size_t from, size_t to)
{
    for (size_t i = 0; i < count; i++)
        if (pieces[i].at < to && from < pieces[i].at + pieces[i].len)
            pieces[i].gone = true;
}

/* Puts another piece, and marks those that lie in its place. */
static void put(larch_ring *ring, size_t size, size_t count, size_t len)
{
    const larch_random random = larch_sim_random_of(&dice);
    const size_t end = count > 0 ? pieces[count - 1].at + pieces[count - 1].len : 0;
    piece *p = &pieces[count];
    p->len = len;
    p->gone = false;
    assert_int_equal(larch_random_fill(&random, p->bytes, len), LARCH_OK);
    p->position = larch_ring_put(ring, (larch_bytes){p->bytes, len});
    p->at = end + len <= size ? end : 0;
    if (p->at != end)
        lose(count, end, size);
    lose(count, p->at, p->at + len);
}

static void check(const larch_ring *ring, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const piece *p = &pieces[i];
        const larch_bytes got = larch_ring_get(ring, p->position, p->len);
        if (p->gone) {
            assert_null(got.data);
            assert_int_equal(got.len, 0);
        } else {
            assert_ptr_equal(got.data, memory + CANARY + p->at);
            assert_int_equal(got.len, p->len);
            assert_memory_equal(got.data, p->bytes, p->len);
        }
    }
    for (size_t i = 0; i < CANARY; i++) {
        assert_int_equal(memory[i], 0xee);
        assert_int_equal(memory[CANARY + ring->size + i], 0xee);
    }
}

static void test_against_an_account(void **state)
{
    (void)state;
    for (size_t run = 0; run < 200; run++) {
        const size_t size = 1 + run % SIZE_MAX_TESTED;
        const size_t longest = run < SIZE_MAX_TESTED ? size : 1 + below(size);
        dice.state = run + 1;
        memset(memory, 0xee, sizeof memory);
        larch_ring ring = larch_ring_of(memory + CANARY, size);
        for (size_t count = 0; count < PIECES / 4; count++) {
            put(&ring, size, count, 1 + below(longest));
            check(&ring, count + 1);
            assert_false(pieces[count].gone); /* the newest is always there */
        }
    }
}

static void test_edges(void **state)
{
    (void)state;
    memset(memory, 0xee, sizeof memory);
    larch_ring ring = larch_ring_of(memory + CANARY, 16);
    assert_null(larch_ring_get(&ring, 0, 0).data);
    /* Nothing has a position, but no bytes. */
    assert_int_equal(larch_ring_put(&ring, (larch_bytes){NULL, 0}), 0);
    assert_null(larch_ring_get(&ring, 0, 0).data);
    /* A piece as large as the ring leaves no gap, again and again. */
    for (size_t i = 0; i < 3; i++)
        put(&ring, 16, i, 16);
    check(&ring, 3);
    assert_int_equal(ring.put, 48);
    /* What fits before the end exactly is not moved to the start. */
    put(&ring, 16, 3, 5);
    put(&ring, 16, 4, 11);
    check(&ring, 5);
    assert_false(pieces[3].gone);
    /* The gap before a piece that does not fit costs the oldest what it stood in. */
    put(&ring, 16, 5, 10);
    put(&ring, 16, 6, 7);
    check(&ring, 7);
    assert_int_equal(pieces[6].at, 0);
    assert_true(pieces[4].gone);
    /* An empty piece pushes nothing out. */
    assert_int_equal(larch_ring_put(&ring, (larch_bytes){NULL, 0}), pieces[6].position + 7);
    check(&ring, 7);
}

/* A ring of no bytes takes the empty piece alone. */
static void test_no_memory(void **state)
{
    (void)state;
    larch_ring ring = larch_ring_of(NULL, 0);
    assert_int_equal(larch_ring_put(&ring, (larch_bytes){NULL, 0}), 0);
    assert_null(larch_ring_get(&ring, 0, 0).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_an_account),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
