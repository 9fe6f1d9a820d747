/* SPDX-License-Identifier: Apache-2.0 */
/* What a key delivery service answers: JSON, keys, UUIDs and messages, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device/json_read.h"
#include "device/qkd_answer.h"

#define UUID "550e8400-e29b-41d4-a716-446655440000"
#define KEY  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static bool is_json(larch_bytes bytes)
{
    device_json j = device_json_of(bytes);
    device_json_token token;
    larch_bytes text;
    do
        token = device_json_next(&j, &text);
    while (token != DEVICE_JSON_END && token != DEVICE_JSON_BAD);
    return token == DEVICE_JSON_END;
}

static void test_json(void **state)
{
    static const char *const good[] = {"{}",
                                       "[]",
                                       " [ ] ",
                                       "0",
                                       "-0",
                                       "10",
                                       "1.5",
                                       "1e9",
                                       "-2.5E-07",
                                       "1e+1",
                                       "true",
                                       "false",
                                       "null",
                                       "\"\"",
                                       "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fF\"",
                                       "{\"a\":[1,{\"b\":null},[]],\"c\":\"d\"}",
                                       "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
                                       "\t\r\n {\t\"a\" : 1 , \"b\" : 2 }\n",
                                       "\"\xc3\xa9\""};
    static const char *const bad[] = {"",           " ",
                                      "{",          "}",
                                      "[",          "]",
                                      "[1,]",       "[,1]",
                                      "[1 2]",      "{,}",
                                      "{\"a\"}",    "{\"a\":}",
                                      "{\"a\":1,}", "{\"a\" 1}",
                                      "{a:1}",      "{1:1}",
                                      "{\"a\":1]",  "[1}",
                                      "01",         "-",
                                      "+1",         ".5",
                                      "1.",         "1e",
                                      "1e+",        "0x1",
                                      "tru",        "True",
                                      "nul",        "NaN",
                                      "'a'",        "\"",
                                      "\"\\\"",     "\"\\x\"",
                                      "\"\\u00f\"", "\"\\u00g0\"",
                                      "\"\t\"",     "\"\x1f\"",
                                      "1 1",        "{}{}",
                                      "[]x",        "\"\xff\"",
                                      "\"\xc3\"",   "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
                                      "// c",       "\xef\xbb\xbf{}"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!is_json(larch_bytes_of_text(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (is_json(larch_bytes_of_text(bad[i])))
            fail_msg("taken: %s", bad[i]);
    assert_false(is_json((larch_bytes){(const uint8_t *)"\"\\\0\"", 4})); /* a NUL behind a backslash */
    assert_false(is_json((larch_bytes){(const uint8_t *)"1\0", 2}));
    /* Each beginning of one that is complete is not. */
    const larch_bytes whole = larch_bytes_of_text(good[15]);
    for (size_t len = 0; len < whole.len; len++)
        assert_false(is_json((larch_bytes){whole.data, len}));
}

static void test_keys(void **state)
{
    static const struct {
        const char *json;
        device_qkd_fault fault;
    } rows[] = {
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\"}]}", DEVICE_QKD_FAULT_NONE},
        {"{\"more\":[[\"keys\"]],\"keys\":[{\"x\":{\"key\":1},\"key\":\"" KEY "\",\"y\":[[]],\"key_ID\":\"" UUID
         "\"}],\"z\":"
         "{\"keys\":[]}}",
         DEVICE_QKD_FAULT_NONE},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\"}]", DEVICE_QKD_FAULT_JSON},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\"}],\"keys\":[]}", DEVICE_QKD_FAULT_CONTAINER},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\",\"key\":\"" KEY "\"}]}", DEVICE_QKD_FAULT_CONTAINER},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\"}]}",
         DEVICE_QKD_FAULT_CONTAINER},
        {"{\"keys\":[{\"key_id\":\"" UUID "\",\"key\":\"" KEY "\"}]}", DEVICE_QKD_FAULT_CONTAINER},
        {"{\"x\":{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\"}]}}", DEVICE_QKD_FAULT_CONTAINER},
        {"[{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\"}]}]", DEVICE_QKD_FAULT_CONTAINER},
        {"{\"keys\":[{\"x\":{\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\"}}]}", DEVICE_QKD_FAULT_CONTAINER},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\"},7]}", DEVICE_QKD_FAULT_CONTAINER},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\"},[]]}", DEVICE_QKD_FAULT_CONTAINER},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":null}]}", DEVICE_QKD_FAULT_CONTAINER},
        {"null", DEVICE_QKD_FAULT_CONTAINER},
        {"{\"keys\":[]}", DEVICE_QKD_FAULT_KEYS},
        {"{\"keys\":[{},{}]}", DEVICE_QKD_FAULT_KEYS},
        {"{\"keys\":[{\"key_ID\":\"" UUID "0\",\"key\":\"" KEY "\"}]}", DEVICE_QKD_FAULT_ID},
        {"{\"keys\":[{\"key_ID\":\"550e8400+e29b-41d4-a716-446655440000\",\"key\":\"" KEY "\"}]}", DEVICE_QKD_FAULT_ID},
        {"{\"keys\":[{\"key_ID\":\"550e8400-e29b-41d4-a716-44665544000g\",\"key\":\"" KEY "\"}]}", DEVICE_QKD_FAULT_ID},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"\"}]}", DEVICE_QKD_FAULT_LENGTH},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"AAEC\"}]}", DEVICE_QKD_FAULT_LENGTH},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\"}]}",
         DEVICE_QKD_FAULT_LENGTH},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\"}]}",
         DEVICE_QKD_FAULT_LENGTH},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\"}]}",
         DEVICE_QKD_FAULT_KEY}, /* bits behind the end */
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}]}",
         DEVICE_QKD_FAULT_KEY},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"AAEC=wQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}]}",
         DEVICE_QKD_FAULT_KEY},
        {"{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH-_=\"}]}",
         DEVICE_QKD_FAULT_KEY}, /* base64url */
    };
    static const device_qkd_key nothing;
    device_qkd_key key;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&key, 0xa5, sizeof key);
        const device_qkd_fault fault = device_qkd_take_key(larch_bytes_of_text(rows[i].json), &key);
        if (fault != rows[i].fault)
            fail_msg("%s: %s", rows[i].json, device_qkd_fault_text(fault));
        if (fault != DEVICE_QKD_FAULT_NONE) {
            assert_memory_equal(&key, &nothing, sizeof key);
            continue;
        }
        for (uint8_t k = 0; k < DEVICE_QKD_KEY_LEN; k++)
            assert_int_equal(key.key[k], k);
        assert_string_equal(key.id, UUID);
        assert_int_equal(key.uuid[0], 0x55);
        assert_int_equal(key.uuid[7], 0xd4);
        assert_int_equal(key.uuid[8], 0xa7);
    }
}

/* Every digit of base64, in one key after the other. */
static void test_digits(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char json[] = "{\"keys\":[{\"key_ID\":\"" UUID "\",\"key\":\"" KEY "\"}]}";
    char *first = strstr(json, KEY);
    device_qkd_key key;
    (void)state;
    for (int c = 1; c < 128; c++) {
        const char *digit = strchr(digits, c);
        *first = (char)c;
        const device_qkd_fault fault = device_qkd_take_key(larch_bytes_of_text(json), &key);
        assert_int_equal(fault == DEVICE_QKD_FAULT_NONE, digit != NULL);
        if (digit != NULL)
            assert_int_equal(key.key[0], (uint8_t)((digit - digits) << 2));
    }
}

static void test_messages(void **state)
{
    static const struct {
        const char *json, *message;
    } rows[] = {{"{\"message\":\"none\",\"details\":[{\"message\":\"other\"}]}", "none"},
                {"{\"message\":\"a\\u0041\\u20ac\\n\\/\"}", "aA?\n/"},
                {"{\"message\":7}", ""},
                {"{\"message\":\"cut\"", ""},
                {"[\"message\"]", ""},
                {"{\"message\":\"0123456789abcdefghij\"}", "0123456789abcdef"}};
    uint8_t out[16];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const size_t len = device_qkd_take_message(larch_bytes_of_text(rows[i].json), out, sizeof out);
        assert_true(larch_bytes_equal((larch_bytes){out, len}, larch_bytes_of_text(rows[i].message)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_json), cmocka_unit_test(test_keys),
                                       cmocka_unit_test(test_digits), cmocka_unit_test(test_messages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
