/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     error = (
 *       ERR_CODE : int,
 *       ERR_INFO : any,       1: text; 2: SUITES_R = [ 2* int ] / int; 3: true
 *     )                                                       [RFC9528 6]
 */
#include <string.h>

#include "lake_int.h"

/* Every suite that this party supports, so that the peer learns all at once. [RFC9528 6.3] */
static void put_suites_r(larch_writer *w, const larch_lake_party *party)
{
    if (party->suite_count > 1)
        larch_cbor_put_array(w, party->suite_count);
    for (size_t i = 0; i < party->suite_count; i++)
        larch_cbor_put_int(w, party->suites[i]->number);
}

larch_error larch_lake_compose_error(larch_lake_session *s, const larch_lake_party *party, larch_writer *w)
{
    const size_t before = w->len;
    if (s->state != LARCH_LAKE_ABORTED)
        return LARCH_STATE;
    if (s->error == 0)
        return LARCH_AGAIN;
    larch_cbor_put_uint(w, s->error);
    if (s->error == LARCH_LAKE_ERROR_SUITE)
        put_suites_r(w, party);
    else if (s->error == LARCH_LAKE_ERROR_CREDENTIAL)
        larch_cbor_put_simple(w, LARCH_CBOR_TRUE);
    else
        larch_cbor_put_text(w, "refused");
    if (w->len > w->cap) {
        w->len = before;
        return LARCH_SPACE;
    }
    s->error = 0;
    return LARCH_OK;
}

/* ---- received ------------------------------------------------------------------- */

/* A reader of suites, past their head; count is 0 if they are none. */
static larch_reader suites_of(larch_bytes info, size_t *count)
{
    larch_reader r = larch_reader_of(info);
    *count = 1;
    if (larch_cbor_peek(&r) == LARCH_CBOR_ARRAY && (larch_cbor_take_array(&r, count) != LARCH_OK || *count < 2))
        *count = 0;
    return r;
}

static bool are_suites(larch_bytes info)
{
    size_t count;
    larch_reader r = suites_of(info, &count);
    int64_t number;
    if (count == 0)
        return false;
    for (; count > 0; count--)
        if (larch_cbor_take_int(&r, &number) != LARCH_OK)
            return false;
    return true;
}

static bool is_valid(const larch_lake_error *error)
{
    const larch_reader r = larch_reader_of(error->info);
    switch (error->code) {
    case 0: /* reserved [RFC9528 6.1] */
        return false;
    case LARCH_LAKE_ERROR_UNSPECIFIED:
        return larch_cbor_peek(&r) == LARCH_CBOR_TEXT;
    case LARCH_LAKE_ERROR_SUITE:
        return are_suites(error->info);
    case LARCH_LAKE_ERROR_CREDENTIAL:
        return larch_bytes_equal(error->info, LARCH_TEXT("\xf5"));
    default:
        return true;
    }
}

larch_error larch_lake_parse_error(larch_bytes in, larch_lake_error *out)
{
    larch_reader r = larch_reader_of(in);
    if (larch_cbor_take_int(&r, &out->code) == LARCH_OK && larch_cbor_take_whole(&r, &out->info) == LARCH_OK &&
        r.left.len == 0 && is_valid(out))
        return LARCH_OK;
    memset(out, 0, sizeof *out);
    return LARCH_MALFORMED;
}

static bool holds(larch_bytes suites, int64_t number)
{
    size_t count;
    larch_reader r = suites_of(suites, &count);
    int64_t other;
    for (; count > 0 && larch_cbor_take_int(&r, &other) == LARCH_OK; count--)
        if (other == number)
            return true;
    return false;
}

larch_error larch_lake_choose_suite(const larch_lake_party *party, const larch_lake_error *error, size_t rejected,
                                    size_t *suite)
{
    if (error->code != LARCH_LAKE_ERROR_SUITE)
        return LARCH_STATE;
    for (size_t i = 0; i < party->suite_count; i++)
        if (i != rejected && holds(error->info, party->suites[i]->number)) {
            *suite = i;
            return LARCH_OK;
        }
    return LARCH_STATE;
}
