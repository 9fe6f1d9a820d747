/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sessions against a plain list, over many random steps, and with 100,000 sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/contexts.h"
#include "random_sources.h"

#define NO_ID_CONTEXT 0xff

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)draw(256);
    return LARCH_OK;
}

static const larch_random source = {fill, NULL};

static larch_session session_of(uint64_t number, larch_bytes kid, uint8_t id_context_len)
{
    larch_session s = {.number = number, .device = number + 1000};
    s.oscore.recipient_id_len = (uint8_t)kid.len;
    if (kid.len > 0)
        memcpy(s.oscore.recipient_id, kid.data, kid.len);
    s.oscore.id_context_len = id_context_len;
    return s;
}

/* ---- against a list ---------------------------------------------------------- */

enum { PLACES = 16, INDEX = 32, KIDS = 7, CONTEXTS = 4, NUMBERS = 40, STEPS = 200000 };

/* Kids of every length, of which one is empty and some are beginnings of others. */
static const uint8_t kid_bytes[7] = {1, 1, 0, 0, 2, 3, 4};

static larch_bytes kid_at(size_t i) { return (larch_bytes){kid_bytes, i}; }

/* Which ID contexts there are: none, an empty one, one of a byte, one of the longest. */
static const uint8_t context_lens[CONTEXTS] = {NO_ID_CONTEXT, 0, 1, LARCH_OSCORE_ID_CONTEXT_MAX};
static const uint8_t zeros[LARCH_OSCORE_ID_CONTEXT_MAX];

typedef struct row {
    uint64_t number;
    size_t kid, context;
    larch_session *place;
} row;

static struct {
    row rows[PLACES];
    size_t count;
} list;

static void check_finds(const larch_session_table *table)
{
    for (size_t kid = 0; kid < KIDS; kid++)
        for (size_t context = 0; context < CONTEXTS; context++) {
            const larch_bytes asked = {context == 0 ? NULL : zeros, context == 0 ? 0 : context_lens[context]};
            bool was_found[PLACES] = {false};
            size_t nth = 0, expected = 0;
            larch_session *s;
            for (; (s = larch_session_table_find(table, kid_at(kid), asked, nth)) != NULL; nth++) {
                size_t i = 0;
                while (i < list.count && list.rows[i].place != s)
                    i++;
                assert_true(i < list.count && !was_found[i]);
                was_found[i] = true;
                assert_true(list.rows[i].kid == kid && (context == 0 || list.rows[i].context == context));
            }
            for (size_t i = 0; i < list.count; i++)
                expected += list.rows[i].kid == kid && (context == 0 || list.rows[i].context == context);
            assert_int_equal(nth, expected);
        }
    for (uint64_t number = 0; number < NUMBERS; number++) {
        const larch_session *expected = NULL;
        for (size_t i = 0; i < list.count; i++)
            if (list.rows[i].number == number)
                expected = list.rows[i].place;
        assert_ptr_equal(larch_session_table_find_number(table, number), expected);
    }
    size_t at = 0, count = 0;
    for (const larch_session *s; (s = larch_session_table_next(table, &at)) != NULL; count++)
        assert_int_equal(s->device, s->number + 1000);
    assert_int_equal(count, list.count);
}

static unsigned added, refused, full;

static void step_add(larch_session_table *table)
{
    row r = {.number = draw(NUMBERS), .kid = draw(KIDS), .context = draw(CONTEXTS)};
    const larch_session s = session_of(r.number, kid_at(r.kid), context_lens[r.context]);
    bool clashes = r.number == 0;
    for (size_t i = 0; i < list.count; i++)
        clashes = clashes || list.rows[i].number == r.number ||
                  (list.rows[i].kid == r.kid && list.rows[i].context == r.context);
    const larch_error e = larch_session_table_add(table, &s, &r.place);
    if (clashes || list.count == PLACES) {
        assert_int_equal(e, clashes ? LARCH_STATE : LARCH_SPACE);
        assert_null(r.place);
        refused += clashes;
        full += !clashes;
        return;
    }
    assert_int_equal(e, LARCH_OK);
    assert_memory_equal(r.place, &s, sizeof s);
    list.rows[list.count++] = r;
    added++;
}

static void step_remove(larch_session_table *table)
{
    const size_t i = draw(list.count);
    larch_session *place = list.rows[i].place;
    memset(&place->oscore.sender_key, 0xee, sizeof place->oscore.sender_key);
    larch_session_table_remove(table, place);
    assert_true(is_zero((const uint8_t *)&place->oscore, sizeof place->oscore));
    assert_int_equal(place->number, 0);
    list.rows[i] = list.rows[--list.count];
}

static void test_against_a_list(void **state)
{
    (void)state;
    static larch_session places[PLACES];
    uint32_t by_kid[INDEX], by_number[INDEX];
    larch_session_table table;
    seed = 1;
    for (unsigned round = 0; round < 20; round++) { /* each with another key, so with other collisions */
        memset(&list, 0, sizeof list);
        assert_int_equal(larch_session_table_init(&table, places, PLACES, by_kid, by_number, INDEX, &source), LARCH_OK);
        for (unsigned i = 0; i < STEPS / 20; i++) {
            const bool fills = i / 500 % 2 == 0;
            if (list.count > 0 && draw(10) < (fills ? 3 : 6))
                step_remove(&table);
            else
                step_add(&table);
            if (i % 4 == 0)
                check_finds(&table);
        }
        while (list.count > 0)
            step_remove(&table);
        assert_true(is_zero((const uint8_t *)by_kid, sizeof by_kid)); /* nothing accumulates */
        assert_true(is_zero((const uint8_t *)by_number, sizeof by_number));
    }
    assert_true(added > 10000 && refused > 10000 && full > 100);
}

/* ---- counts ------------------------------------------------------------------- */

static void test_counts_refused(void **state)
{
    (void)state;
    static const struct {
        size_t places, index;
        larch_error error;
    } rows[] = {{4, 8, LARCH_OK},     {4, 16, LARCH_OK},   {4, 4, LARCH_STATE}, {4, 9, LARCH_STATE},
                {4, 12, LARCH_STATE}, {4, 0, LARCH_STATE}, {0, 1, LARCH_STATE}, {SIZE_MAX, 8, LARCH_STATE}};
    static larch_session places[4];
    uint32_t by_kid[16], by_number[16];
    larch_session_table table;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&table, 0xaa, sizeof table);
        assert_int_equal(
            larch_session_table_init(&table, places, rows[i].places, by_kid, by_number, rows[i].index, &source),
            rows[i].error);
        assert_true(rows[i].error == LARCH_OK || is_zero((const uint8_t *)&table, sizeof table));
    }
    assert_int_equal(larch_session_table_init(&table, places, 4, by_kid, by_number, 8, &failing), LARCH_PLATFORM);
    assert_true(is_zero((const uint8_t *)&table, sizeof table));
}

/* Look-ups stay as short with many sessions as with few, also after half of them were replaced. */
static void test_many(void **state)
{
    (void)state;
    enum { MANY = 100000, MANY_INDEX = 1 << 18 };
    larch_session *places = calloc(MANY, sizeof *places);
    uint32_t *by_kid = calloc(MANY_INDEX, sizeof *by_kid), *by_number = calloc(MANY_INDEX, sizeof *by_number);
    larch_session_table table;
    larch_session *place;
    assert_true(places != NULL && by_kid != NULL && by_number != NULL);
    seed = 2;
    assert_int_equal(larch_session_table_init(&table, places, MANY, by_kid, by_number, MANY_INDEX, &source), LARCH_OK);
    for (uint64_t n = 1; n <= MANY + MANY / 2; n++) {
        const uint8_t kid[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), 7};
        const larch_session s = session_of(n, LARCH_BYTES(kid), NO_ID_CONTEXT);
        if (n > MANY)
            larch_session_table_remove(&table, larch_session_table_find_number(&table, n - MANY));
        assert_int_equal(larch_session_table_add(&table, &s, &place), LARCH_OK);
    }
    for (uint64_t n = 1; n <= MANY + MANY / 2; n++) {
        const uint8_t kid[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), 7};
        const larch_session *s = larch_session_table_find(&table, LARCH_BYTES(kid), (larch_bytes){NULL, 0}, 0);
        assert_true(n <= MANY / 2 ? s == NULL : s != NULL && s->number == n);
        assert_ptr_equal(larch_session_table_find_number(&table, n), s);
    }
    for (size_t which = 0; which < 2; which++) {
        size_t run = 0, longest = 0;
        for (size_t i = 0; i < MANY_INDEX; i++) {
            run = (which == 0 ? by_kid : by_number)[i] != 0 ? run + 1 : 0;
            longest = run > longest ? run : longest;
        }
        assert_in_range(longest, 2, 100);
    }
    free(places);
    free(by_kid);
    free(by_number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_a_list), cmocka_unit_test(test_counts_refused),
                                       cmocka_unit_test(test_many)};
    return cmocka_run_group_tests_name("contexts_table", tests, NULL, NULL);
}
