/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two indexes over the places, each with open addressing and linear probing:
 *
 *     by_kid     hash(kid) -> | 3 | 1 |   | 2 | ...     place + 1; sessions of one kid stand in one run
 *     by_number  hash(number) -> ...
 *     places     | session | session | session |   free   |
 *
 * A removal moves later entries of its run back, so that no run ever has a hole and nothing accumulates.
 */
#include <string.h>

#include "base/siphash.h"
#include "larch/contexts.h"

_Static_assert(sizeof(larch_session) <= 256, "RAM budget");

static larch_bytes kid_of(const larch_session *session)
{
    return (larch_bytes){session->oscore.recipient_id, session->oscore.recipient_id_len};
}

/* data is NULL: it has none, which is not the same as an empty one. */
static larch_bytes id_context_of(const larch_session *session)
{
    const larch_oscore_context *c = &session->oscore;
    return c->id_context_len <= LARCH_OSCORE_ID_CONTEXT_MAX ? (larch_bytes){c->id_context, c->id_context_len}
                                                            : (larch_bytes){NULL, 0};
}

static bool is_same_id_context(larch_bytes a, larch_bytes b)
{
    return (a.data == NULL) == (b.data == NULL) && larch_bytes_equal(a, b);
}

/* ---- indexes ------------------------------------------------------------- */

static size_t home_of_kid(const larch_session_table *table, larch_bytes kid)
{
    larch_siphash h;
    larch_siphash_init(&h, table->key);
    larch_siphash_part(&h, kid);
    return (size_t)larch_siphash_end(&h) & (table->index_count - 1);
}

static size_t home_of_number(const larch_session_table *table, uint64_t number)
{
    larch_siphash h;
    larch_siphash_init(&h, table->key);
    larch_siphash_word(&h, number);
    return (size_t)larch_siphash_end(&h) & (table->index_count - 1);
}

static size_t home_of_place(const larch_session_table *table, const uint32_t *index, uint32_t place)
{
    const larch_session *session = &table->places[place - 1];
    return index == table->by_kid ? home_of_kid(table, kid_of(session)) : home_of_number(table, session->number);
}

static void index_add(const larch_session_table *table, uint32_t *index, uint32_t place)
{
    size_t at = home_of_place(table, index, place);
    while (index[at] != 0)
        at = (at + 1) & (table->index_count - 1);
    index[at] = place;
}

/* Each later entry of the run whose home is not behind the hole moves into it, and leaves the next hole. */
static void index_remove(const larch_session_table *table, uint32_t *index, uint32_t place)
{
    const size_t mask = table->index_count - 1;
    size_t hole = home_of_place(table, index, place);
    while (index[hole] != place)
        hole = (hole + 1) & mask;
    for (size_t at = (hole + 1) & mask; index[at] != 0; at = (at + 1) & mask) {
        const size_t home = home_of_place(table, index, index[at]);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            index[hole] = index[at];
            hole = at;
        }
    }
    index[hole] = 0;
}

/* ---- places -------------------------------------------------------------- */

/* Places behind `unused` were never used, and nothing reads or writes them: memory that a system lends page by page costs
 * nothing before a session takes it. Places that were given back form a list. Each holds, in `device`, how far its
 * successor lies behind the place after it; the last one leads to `unused`. */
static size_t take_place(larch_session_table *table)
{
    const size_t at = table->free_first;
    if (at == table->unused)
        table->free_first = ++table->unused;
    else
        table->free_first = at + 1 + (size_t)table->places[at].device;
    table->used++;
    return at;
}

static void give_place(larch_session_table *table, size_t at)
{
    larch_wipe(&table->places[at], sizeof table->places[at]);
    table->places[at].device = (uint64_t)(table->free_first - at - 1);
    table->free_first = at;
    table->used--;
}

/* ---- the table ----------------------------------------------------------- */

larch_error larch_session_table_init(larch_session_table *table, larch_session *places, size_t place_count,
                                     uint32_t *by_kid, uint32_t *by_number, size_t index_count,
                                     const larch_random *random)
{
    memset(table, 0, sizeof *table);
    if (index_count < 2 || (index_count & (index_count - 1)) != 0 || index_count / 2 < place_count ||
        place_count >= UINT32_MAX)
        return LARCH_STATE;
    const larch_error e = larch_siphash_key(random, table->key);
    if (e != LARCH_OK)
        return e;
    larch_zero_lazily(by_kid, index_count * sizeof *by_kid);
    larch_zero_lazily(by_number, index_count * sizeof *by_number);
    table->places = places;
    table->place_count = place_count;
    table->by_kid = by_kid;
    table->by_number = by_number;
    table->index_count = index_count;
    return LARCH_OK;
}

static bool is_there(const larch_session_table *table, const larch_session *session)
{
    const larch_bytes id_context = id_context_of(session);
    const larch_session *other;
    if (session->number == 0 || larch_session_table_find_number(table, session->number) != NULL)
        return true;
    for (size_t nth = 0;
         (other = larch_session_table_find(table, kid_of(session), (larch_bytes){NULL, 0}, nth)) != NULL; nth++)
        if (is_same_id_context(id_context_of(other), id_context))
            return true;
    return false;
}

larch_error larch_session_table_add(larch_session_table *table, const larch_session *session, larch_session **place)
{
    *place = NULL;
    if (is_there(table, session))
        return LARCH_STATE;
    if (table->used == table->place_count)
        return LARCH_SPACE;
    const size_t at = take_place(table);
    table->places[at] = *session;
    index_add(table, table->by_kid, (uint32_t)(at + 1));
    index_add(table, table->by_number, (uint32_t)(at + 1));
    *place = &table->places[at];
    return LARCH_OK;
}

void larch_session_table_remove(larch_session_table *table, larch_session *session)
{
    const size_t at = (size_t)(session - table->places);
    index_remove(table, table->by_kid, (uint32_t)(at + 1));
    index_remove(table, table->by_number, (uint32_t)(at + 1));
    give_place(table, at);
}

larch_session *larch_session_table_find(const larch_session_table *table, larch_bytes kid, larch_bytes kid_context,
                                        size_t nth)
{
    const size_t mask = table->index_count - 1;
    for (size_t at = home_of_kid(table, kid); table->by_kid[at] != 0; at = (at + 1) & mask) {
        larch_session *session = &table->places[table->by_kid[at] - 1];
        if (!larch_bytes_equal(kid_of(session), kid) ||
            (kid_context.data != NULL && !is_same_id_context(id_context_of(session), kid_context)))
            continue;
        if (nth-- == 0)
            return session;
    }
    return NULL;
}

larch_session *larch_session_table_find_number(const larch_session_table *table, uint64_t number)
{
    const size_t mask = table->index_count - 1;
    for (size_t at = home_of_number(table, number); table->by_number[at] != 0; at = (at + 1) & mask)
        if (table->places[table->by_number[at] - 1].number == number)
            return &table->places[table->by_number[at] - 1];
    return NULL;
}

larch_session *larch_session_table_next(const larch_session_table *table, size_t *at)
{
    while (*at < table->unused) {
        larch_session *session = &table->places[(*at)++];
        if (session->number != 0)
            return session;
    }
    return NULL;
}
