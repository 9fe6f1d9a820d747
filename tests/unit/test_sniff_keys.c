/* SPDX-License-Identifier: Apache-2.0 */
/* The key log: which lines are contexts, what is said of one that is none, and that nothing is read half-way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "sniff/dissect/keys.h"

#define GOOD "\"00\",\"01\",\"0102\",\"\",\"\",\"AES-CCM-16-64-128 (CCM*)\"\n"

static larch_sniff_keys *keys;

static larch_error read_text(const char *text, larch_sniff_keys_trouble *trouble)
{
    return larch_sniff_keys_read(keys, larch_bytes_of_text(text), trouble);
}

static bool is_wiped(void)
{
    static const larch_sniff_keys none;
    return memcmp(keys, &none, sizeof none) == 0;
}

static void test_lines(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\"00\",\"01\",\"0102\",\"\",\"\",\"AES-CCM-16-64-128 (CCM*)\"",
        "\"00\",\"01\",\"0102\",\"\",\"\",\"AES-CCM-16-64-128\"",
        "\"00\",\"01\",\"0102\",\"\",\"\",\"10\"",
        "  \"00\" ,\t\"01\",\"01:02\",\"\",\"\",\"10\" \r",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_sniff_key_line line;
        const char *why = "as it was";
        assert_int_equal(larch_sniff_key_line_parse(larch_bytes_of_text(rows[i]), &line, &why), LARCH_OK);
        assert_string_equal(why, "as it was");
        assert_true(larch_bytes_equal(line.parameters.sender_id, (larch_bytes){(const uint8_t[]){0}, 1}));
        assert_true(larch_bytes_equal(line.parameters.recipient_id, LARCH_TEXT("\x01")));
        assert_true(larch_bytes_equal(line.parameters.master_secret, LARCH_TEXT("\x01\x02")));
        assert_int_equal(line.parameters.master_salt.len, 0);
        assert_null(line.parameters.id_context.data);
        assert_int_equal(line.parameters.aead->number, LARCH_COSE_AES_CCM_16_64_128);
        assert_int_equal(line.parameters.hash, LARCH_COSE_SHA_256);
    }
    larch_sniff_key_line line;
    const char *why;
    assert_int_equal(
        larch_sniff_key_line_parse(LARCH_TEXT("\"\",\"FfEe\",\"aB\",\"cd\",\"37cb\",\"A256GCM\""), &line, &why),
        LARCH_OK);
    assert_true(larch_bytes_equal(line.parameters.recipient_id, LARCH_TEXT("\xff\xee")));
    assert_true(larch_bytes_equal(line.parameters.id_context, LARCH_TEXT("\x37\xcb")));
    assert_int_equal(line.parameters.aead->number, LARCH_COSE_A256GCM);
}

static void test_wrong_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line, *why;
        larch_error error;
    } rows[] = {
        {"x", "six quoted values", LARCH_MALFORMED},
        {"\"00\",\"01\",\"0102\",\"\",\"\"", "six quoted values", LARCH_MALFORMED},
        {"\"00\",\"01\",\"0102\",\"\",\"\",\"10\",\"\"", "six quoted values", LARCH_MALFORMED},
        {"\"00\",\"01\",\"0102\",\"\",\"\",\"10", "six quoted values", LARCH_MALFORMED},
        {"\"00\" \"01\",\"0102\",\"\",\"\",\"10\"", "six quoted values", LARCH_MALFORMED},
        {"\"0\",\"01\",\"0102\",\"\",\"\",\"10\"", "Sender ID", LARCH_MALFORMED},
        {"\"0001020304050607\",\"01\",\"0102\",\"\",\"\",\"10\"", "Sender ID", LARCH_MALFORMED},
        {"\":00\",\"01\",\"0102\",\"\",\"\",\"10\"", "Sender ID", LARCH_MALFORMED},
        {"\"00\",\"0g\",\"0102\",\"\",\"\",\"10\"", "Recipient ID", LARCH_MALFORMED},
        {"\"00\",\"01\",\"\",\"\",\"\",\"10\"", "Master Secret", LARCH_MALFORMED},
        {"\"00\",\"01\",\"01::02\",\"\",\"\",\"10\"", "Master Secret", LARCH_MALFORMED},
        {"\"00\",\"01\",\"01:\",\"\",\"\",\"10\"", "Master Secret", LARCH_MALFORMED},
        {"\"00\",\"01\",\"0102\",\"zz\",\"\",\"10\"", "Master Salt", LARCH_MALFORMED},
        {"\"00\",\"01\",\"0102\",\"\",\"000102030405060708090a0b0c0d0e0f10\",\"10\"", "ID Context", LARCH_MALFORMED},
        {"\"00\",\"01\",\"0102\",\"\",\"\",\"\"", "algorithm", LARCH_MALFORMED},
        {"\"00\",\"01\",\"0102\",\"\",\"\",\"11\"", "algorithm", LARCH_MALFORMED},
        {"\"00\",\"01\",\"0102\",\"\",\"\",\"AES-CCM-16\"", "algorithm", LARCH_MALFORMED},
        {"\"00\",\"00\",\"0102\",\"\",\"\",\"10\"", "IDs are the same", LARCH_STATE},
        {"\"00\",\"01020304050607\",\"0102\",\"\",\"\",\"A128GCM\"", "too long for the algorithm", LARCH_STATE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        larch_sniff_keys_trouble trouble;
        (void)snprintf(text, sizeof text, "# comment\n" GOOD "\n%s\n" GOOD, rows[i].line);
        assert_int_equal(read_text(text, &trouble), rows[i].error);
        assert_int_equal(trouble.line, 4);
        if (strstr(trouble.why, rows[i].why) == NULL)
            fail_msg("%s: %s", rows[i].line, trouble.why);
        assert_true(is_wiped());
    }
}

static void test_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {{"", 0}, {"\n\r\n# x\n  # y", 0}, {GOOD, 1}, {"#" GOOD GOOD " \t\n" GOOD "# end", 2}};
    larch_sniff_keys_trouble trouble;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(read_text(rows[i].text, &trouble), LARCH_OK);
        assert_int_equal(keys->count, rows[i].count);
    }
    char *many = malloc((LARCH_SNIFF_CONTEXTS + 1) * sizeof GOOD);
    assert_non_null(many);
    for (size_t i = 0; i <= LARCH_SNIFF_CONTEXTS; i++)
        memcpy(many + i * (sizeof GOOD - 1), GOOD, sizeof GOOD);
    assert_int_equal(read_text(many, &trouble), LARCH_SPACE);
    assert_int_equal(trouble.line, LARCH_SNIFF_CONTEXTS + 1);
    assert_true(is_wiped());
    many[LARCH_SNIFF_CONTEXTS * (sizeof GOOD - 1)] = 0;
    assert_int_equal(read_text(many, &trouble), LARCH_OK);
    assert_int_equal(keys->count, LARCH_SNIFF_CONTEXTS);
    free(many);
}

static int create(void **state)
{
    (void)state;
    keys = calloc(1, sizeof *keys);
    return keys == NULL || larch_crypto_init() != LARCH_OK;
}

static int destroy(void **state)
{
    (void)state;
    free(keys);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_wrong_lines),
                                       cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, create, destroy);
}
