/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     message_1 = (
 *       METHOD : int,
 *       SUITES_I : suites,          [ 2* int ] / int, the selected one last
 *       G_X : bstr,
 *       C_I : bstr / -24..23,
 *       ? EAD_1,
 *     )                                                       [RFC9528 5.2.1]
 */
#include <string.h>

#include "lake_int.h"

/* ---- parse --------------------------------------------------------------------- */

static larch_error take_suites(larch_reader *r, larch_lake_message_1 *m)
{
    const larch_bytes before = r->left;
    size_t count = 1;
    larch_error e = LARCH_OK;
    if (larch_cbor_peek(r) == LARCH_CBOR_ARRAY && (larch_cbor_take_array(r, &count) != LARCH_OK || count < 2))
        return LARCH_MALFORMED;
    for (; e == LARCH_OK && count > 0; count--)
        e = larch_cbor_take_int(r, &m->selected);
    m->suites = (larch_bytes){before.data, before.len - r->left.len};
    return e;
}

static larch_error parse(larch_bytes in, larch_lake_message_1 *m)
{
    larch_reader r = larch_reader_of(in), items;
    larch_lake_ead item;
    int64_t method;
    larch_error e;
    if ((e = larch_cbor_take_int(&r, &method)) != LARCH_OK || (e = take_suites(&r, m)) != LARCH_OK ||
        (e = larch_cbor_take_bytes(&r, &m->g_x)) != LARCH_OK ||
        (e = larch_lake_take_identifier(&r, &m->c_i)) != LARCH_OK)
        return e;
    m->ead = r.left;
    items = r;
    while ((e = larch_lake_take_ead(&items, &item)) == LARCH_OK)
        ;
    if (e != LARCH_AGAIN)
        return e;
    if (method < 0 || method > UINT8_MAX)
        return LARCH_STATE;
    m->method = (uint8_t)method;
    return LARCH_OK;
}

larch_error larch_lake_parse_message_1(larch_bytes in, larch_lake_message_1 *out)
{
    memset(out, 0, sizeof *out);
    const larch_error e = parse(in, out);
    if (e != LARCH_OK)
        memset(out, 0, sizeof *out);
    return e;
}

/* ---- Initiator [RFC9528 5.2.2] --------------------------------------------------- */

/* SUITES_I: those that are preferred to the selected one, and that one. */
static void put_suites(larch_writer *w, const larch_lake_party *party, size_t selected)
{
    if (selected > 0)
        larch_cbor_put_array(w, selected + 1);
    for (size_t i = 0; i <= selected; i++)
        larch_cbor_put_int(w, party->suites[i]->number);
}

static larch_error compose(larch_lake_session *s, const larch_lake_party *party, unsigned method, size_t selected,
                           larch_bytes c_i, larch_bytes ead_1, larch_writer *w)
{
    const size_t before = w->len;
    if (selected >= party->suite_count || !larch_lake_method_fits(method, party->suites[selected]) ||
        c_i.len > larch_lake_id_max(party->suites[selected]))
        return LARCH_STATE;
    const larch_lake_suite *suite = party->suites[selected];
    const size_t g_x_len = larch_lake_g_x_len(suite);
    larch_cbor_put_uint(w, method);
    put_suites(w, party, selected);
    larch_cbor_put_bytes_head(w, g_x_len);
    uint8_t *g_x = larch_writer_reserve(w, g_x_len);
    larch_lake_put_identifier(w, c_i);
    larch_writer_put(w, ead_1);
    if (w->len > w->cap)
        return LARCH_SPACE;
    const larch_error e = larch_lake_make_g_x(suite, &party->random, lake_scratch_of(party), s->ephemeral, g_x);
    if (e != LARCH_OK)
        return e;
    s->keys.suite = suite;
    s->keys.method = (uint8_t)method;
    s->keys.c_i = larch_lake_id_of(c_i);
    return larch_lake_hash(suite, (larch_bytes){w->data + before, w->len - before}, s->th); /* H(message_1) */
}

larch_error larch_lake_compose_message_1(larch_lake_session *s, const larch_lake_party *party, unsigned method,
                                         size_t suite, larch_bytes c_i, larch_bytes ead_1, larch_writer *w)
{
    const size_t before = w->len;
    if (s->state != LARCH_LAKE_COMPOSE_MESSAGE_1)
        return LARCH_STATE;
    s->state = LARCH_LAKE_ABORTED;
    const larch_error e = compose(s, party, method, suite, c_i, ead_1, w);
    return larch_lake_end(s, party, e, LARCH_LAKE_WAIT_MESSAGE_2, w, before, NULL);
}

/* ---- Responder [RFC9528 5.2.3] --------------------------------------------------- */

static const larch_lake_suite *supported(const larch_lake_party *party, int64_t number)
{
    for (size_t i = 0; i < party->suite_count; i++)
        if (party->suites[i]->number == number)
            return party->suites[i];
    return NULL;
}

/* The selected suite; NULL unless it is the first one that this party supports. */
static const larch_lake_suite *select_suite(const larch_lake_party *party, const larch_lake_message_1 *m)
{
    larch_reader r = larch_reader_of(m->suites);
    const larch_lake_suite *first = NULL;
    size_t count = 1;
    int64_t number;
    if (larch_cbor_peek(&r) == LARCH_CBOR_ARRAY && larch_cbor_take_array(&r, &count) != LARCH_OK)
        return NULL;
    while (first == NULL && larch_cbor_take_int(&r, &number) == LARCH_OK)
        first = supported(party, number);
    return r.left.len == 0 ? first : NULL; /* so it is the last one */
}

static larch_error process(larch_lake_session *s, const larch_lake_party *party, larch_bytes message,
                           larch_lake_message_1 *m)
{
    larch_error e = larch_lake_parse_message_1(message, m);
    if (e != LARCH_OK)
        return e;
    const larch_lake_suite *suite = select_suite(party, m);
    if (suite == NULL) {
        s->error = LARCH_LAKE_ERROR_SUITE;
        return LARCH_STATE;
    }
    if (m->method >= 8 || (party->methods >> m->method & 1) == 0 || !larch_lake_method_fits(m->method, suite) ||
        m->c_i.len > larch_lake_id_max(suite))
        return LARCH_STATE;
    if (m->g_x.len != larch_lake_g_x_len(suite))
        return LARCH_MALFORMED;
    if ((e = larch_lake_check_ead(party, m->ead)) != LARCH_OK ||
        (e = larch_lake_hash(suite, message, s->th)) != LARCH_OK || (e = larch_lake_note(s, message)) != LARCH_OK)
        return e;
    s->keys.suite = suite;
    s->keys.method = m->method;
    s->keys.c_i = larch_lake_id_of(m->c_i);
    return LARCH_OK;
}

larch_error larch_lake_process_message_1(larch_lake_session *s, const larch_lake_party *party, larch_bytes message,
                                         larch_lake_message_1 *out)
{
    memset(out, 0, sizeof *out);
    if (s->state != LARCH_LAKE_WAIT_MESSAGE_1)
        return LARCH_STATE;
    s->state = LARCH_LAKE_ABORTED;
    const larch_error e = process(s, party, message, out);
    if (e != LARCH_OK)
        memset(out, 0, sizeof *out);
    return larch_lake_end(s, party, e, LARCH_LAKE_COMPOSE_MESSAGE_2, NULL, 0, NULL);
}
