/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer: its commas, its strings, and what becomes of too little room. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/json.h"
#include "text/text.h"

/* Everything at once. */
static const char whole_text[] =
    "{\"name\":\"a \\\"b\\\" \\\\ \\u0007 \xc3\xa4 "
    "\\u00ff\",\"n\":18446744073709551615,\"zero\":0,\"yes\":true,\"no\":false,"
    "\"none\":null,\"hex\":\"00ff\",\"empty\":\"\",\"time\":\"2026-11-20T15:00:00.123Z\",\"third\":0.333,"
    "\"peer\":\"192.0.2.7:40000\",\"list\":[],\"object\":{},\"deep\":[1,\"two\",{\"three\":[[],{}]},null,-4.5,true],"
    "\"odd\\nname\":1}\n";

static void put_whole(larch_writer *w)
{
    const larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7}, .port = 40000};
    static const uint8_t bytes[] = {0x00, 0xff};
    larch_json j = larch_json_begin_line(w);
    larch_json_put_text(&j, "name", "a \"b\" \\ \a \xc3\xa4 \xff");
    larch_json_put_number(&j, "n", UINT64_MAX);
    larch_json_put_number(&j, "zero", 0);
    larch_json_put_bool(&j, "yes", true);
    larch_json_put_bool(&j, "no", false);
    larch_json_put_null(&j, "none");
    larch_json_put_hex(&j, "hex", LARCH_BYTES(bytes));
    larch_json_put_bytes(&j, "empty", (larch_bytes){NULL, 0});
    larch_json_put_time(&j, "time", 1795186800123, LARCH_TEXT_MS);
    larch_json_put_decimal(&j, "third", 1.0 / 3, 3);
    larch_json_put_peer(&j, "peer", &peer);
    larch_json_begin_array(&j, "list");
    larch_json_end_array(&j);
    larch_json_begin_object(&j, "object");
    larch_json_end_object(&j);
    larch_json_begin_array(&j, "deep");
    larch_json_put_number(&j, NULL, 1);
    larch_json_put_text(&j, NULL, "two");
    larch_json_begin_object(&j, NULL);
    larch_json_begin_array(&j, "three");
    larch_json_begin_array(&j, NULL);
    larch_json_end_array(&j);
    larch_json_begin_object(&j, NULL);
    larch_json_end_object(&j);
    larch_json_end_array(&j);
    larch_json_end_object(&j);
    larch_json_put_null(&j, NULL);
    larch_json_put_decimal(&j, NULL, -4.5, 1);
    larch_json_put_bool(&j, NULL, true);
    larch_json_end_array(&j);
    larch_json_put_number(&j, "odd\nname", 1);
    larch_json_end_line(&j);
}

static void test_whole(void **state)
{
    uint8_t out[1024];
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_bytes written;
    (void)state;
    put_whole(&w);
    assert_int_equal(larch_writer_finish(&w, &written), LARCH_OK);
    out[written.len] = '\0';
    assert_string_equal((const char *)out, whole_text);
}

static void test_measure(void **state)
{
    larch_writer w = larch_writer_to(NULL, 0);
    (void)state;
    put_whole(&w);
    assert_int_equal(w.len, sizeof whole_text - 1);
}

/* Nothing is written past the end, wherever that is, and the length is counted all the same. */
static void test_too_small(void **state)
{
    (void)state;
    for (size_t cap = 0; cap < sizeof whole_text; cap++) {
        uint8_t *out = malloc(cap + 1); /* of just this size: the sanitizer watches its end */
        larch_bytes written;
        assert_non_null(out);
        memset(out, 0xa5, cap + 1);
        larch_writer w = larch_writer_to(out, cap);
        put_whole(&w);
        assert_int_equal(w.len, sizeof whole_text - 1);
        assert_int_equal(larch_writer_finish(&w, &written), cap == sizeof whole_text - 1 ? LARCH_OK : LARCH_SPACE);
        assert_int_equal(out[cap], 0xa5);
        free(out);
    }
}

/* In ASCII each byte stands for itself, in names too; the rest of a line is as ever. */
static void test_ascii(void **state)
{
    char out[256] = {0};
    larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
    larch_json j = larch_json_begin_ascii_line(&w);
    (void)state;
    larch_json_put_text(&j, "\xc3\xa4", "a \"b\" \\ \a \xc3\xa4 \xff ~\x7f");
    larch_json_put_bytes(&j, "zero", (larch_bytes){(const uint8_t *)"\0\n", 2});
    larch_json_put_time(&j, "time", 1795186800123456, LARCH_TEXT_US);
    larch_json_begin_array(&j, "list");
    larch_json_put_text(&j, NULL, "\xe2\x82\xac");
    larch_json_end_array(&j);
    larch_json_end_line(&j);
    assert_string_equal(out,
                        "{\"\\u00c3\\u00a4\":\"a \\u0022b\\u0022 \\u005c \\u0007 \\u00c3\\u00a4 \\u00ff ~\\u007f\","
                        "\"zero\":\"\\u0000\\u000a\",\"time\":\"2026-11-20T15:00:00.123456Z\","
                        "\"list\":[\"\\u00e2\\u0082\\u00ac\"]}\n");
}

static void test_decimals(void **state)
{
    static const struct {
        double value;
        unsigned digits;
        const char *text;
    } rows[] = {{0, 0, "0"},           {1.5, 0, "2"},      {2.5, 0, "2"},    {1e6, 3, "1000000.000"},
                {-0.25, 2, "-0.25"},   {1e-9, 3, "0.000"}, {NAN, 1, "null"}, {INFINITY, 1, "null"},
                {-INFINITY, 0, "null"}};
    uint8_t out[400];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_writer w = larch_writer_to(out, sizeof out - 1);
        larch_json j = larch_json_to(&w);
        larch_json_put_decimal(&j, NULL, rows[i].value, rows[i].digits);
        out[w.len] = '\0';
        assert_string_equal((const char *)out, rows[i].text);
    }
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_json j = larch_json_to(&w);
    larch_json_put_decimal(&j, NULL, -1.7976931348623157e308, 20); /* the longest */
    assert_int_equal(w.len, 1 + 309 + 1 + 20);
}

static void test_deepest(void **state)
{
    uint8_t out[4 * LARCH_JSON_DEPTH];
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_json j = larch_json_to(&w);
    (void)state;
    for (unsigned i = 0; i < LARCH_JSON_DEPTH; i++) {
        larch_json_begin_array(&j, NULL);
        larch_json_put_number(&j, NULL, i % 10);
    }
    for (unsigned i = 0; i < LARCH_JSON_DEPTH; i++)
        larch_json_end_array(&j);
    assert_int_equal(w.len, 4 * LARCH_JSON_DEPTH - 1); /* "[0,[1,[2" ... "]]]": the innermost has no comma */
    assert_memory_equal(out, "[0,[1,[2,", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole), cmocka_unit_test(test_measure),  cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_ascii), cmocka_unit_test(test_decimals), cmocka_unit_test(test_deepest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
