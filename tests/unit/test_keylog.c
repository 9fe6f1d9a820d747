/* SPDX-License-Identifier: Apache-2.0 */
/* The key log: the line of a context, as Wireshark and the sniffer read it, and the file that programs append it to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/keylog.h"
#include "lake_pair.h"
#include "sniff/dissect/key_line.h"
#include "sniff/dissect/lake_line.h"
#include "temp_folder.h"

static const uint8_t secret[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t salt[] = {0x9e, 0x7c, 0xa9, 0x22, 0x23, 0x78, 0x63, 0x40};

static larch_oscore_parameters parameters(void)
{
    return (larch_oscore_parameters){.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                     .hash = LARCH_COSE_SHA_256,
                                     .master_secret = LARCH_BYTES(secret),
                                     .master_salt = LARCH_BYTES(salt),
                                     .recipient_id = LARCH_TEXT("\x01")};
}

#define LINE_1 \
    "\"\",\"01\",\"0102030405060708090a0b0c0d0e0f10\",\"9e7ca92223786340\",\"\",\"AES-CCM-16-64-128 (CCM*)\"\n"
#define LINE_2 \
    "\"01\",\"\",\"0102030405060708090a0b0c0d0e0f10\",\"9e7ca92223786340\",\"\",\"AES-CCM-16-64-128 (CCM*)\"\n"

static void test_line(void **state)
{
    (void)state;
    uint8_t out[512];
    larch_oscore_parameters p = parameters();
    larch_writer w = larch_writer_to(out, sizeof out);
    assert_int_equal(larch_oscore_keylog_put(&w, &p), LARCH_OK);
    assert_int_equal(w.len, sizeof LINE_1 - 1);
    assert_memory_equal(out, LINE_1, w.len);

    p.id_context = LARCH_TEXT("\x37\xcb");
    static const int8_t numbers[] = {LARCH_COSE_AES_CCM_16_64_128, LARCH_COSE_AES_CCM_16_128_128, LARCH_COSE_A128GCM,
                                     LARCH_COSE_A256GCM};
    for (size_t i = 0; i < sizeof numbers; i++) { /* the sniffer reads what it says of each algorithm */
        larch_sniff_key_line line;
        const char *why = NULL;
        p.aead = larch_cose_aead_find(numbers[i]);
        w = larch_writer_to(out, sizeof out);
        assert_int_equal(larch_oscore_keylog_put(&w, &p), LARCH_OK);
        assert_int_equal(larch_sniff_key_line_parse((larch_bytes){out, w.len - 1}, &line, &why), LARCH_OK);
        assert_ptr_equal(line.parameters.aead, p.aead);
        assert_true(larch_bytes_equal(line.parameters.id_context, p.id_context));
        assert_true(larch_bytes_equal(line.parameters.master_secret, p.master_secret));
        assert_true(larch_bytes_equal(line.parameters.master_salt, p.master_salt));
        assert_true(larch_bytes_equal(line.parameters.sender_id, p.sender_id));
        assert_true(larch_bytes_equal(line.parameters.recipient_id, p.recipient_id));
    }
}

/* What the form has no words for is not written as something else. */
static void test_no_words(void **state)
{
    (void)state;
    uint8_t out[512];
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_oscore_parameters p = parameters();
    p.hash = LARCH_COSE_SHA_384;
    assert_int_equal(larch_oscore_keylog_put(&w, &p), LARCH_STATE);
    p = parameters();
    p.id_context = LARCH_TEXT("");
    assert_int_equal(larch_oscore_keylog_put(&w, &p), LARCH_STATE);
    assert_int_equal(w.len, 0);
}

static void assert_file(const char *path, const char *content)
{
    char got[2048] = "";
    struct stat info;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t len = fread(got, 1, sizeof got - 1, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(len, strlen(content));
    assert_string_equal(got, content);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_file(void **state)
{
    (void)state;
    char folder[TEMP_FOLDER_MAX], path[256], link[256];
    assert_true(temp_folder_make(folder));
    const larch_oscore_parameters p = parameters();
    (void)snprintf(path, sizeof path, "%s/keys", folder);
    (void)snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(unsetenv(LARCH_APP_KEYLOG_VARIABLE), 0);
    assert_int_equal(larch_app_keylog("test", &p), LARCH_EXIT_DONE);
    assert_int_not_equal(access(path, F_OK), 0);

    assert_int_equal(setenv(LARCH_APP_KEYLOG_VARIABLE, path, 1), 0);
    (void)umask(0);
    assert_int_equal(larch_app_keylog("test", &p), LARCH_EXIT_DONE);
    assert_file(path, LINE_1 LINE_2);
    assert_int_equal(chmod(path, 0644), 0); /* it was there, for everybody to read */
    assert_int_equal(larch_app_keylog("test", &p), LARCH_EXIT_DONE);
    assert_file(path, LINE_1 LINE_2 LINE_1 LINE_2);

    assert_int_equal(symlink(path, link), 0); /* somebody's way to another file */
    assert_int_equal(setenv(LARCH_APP_KEYLOG_VARIABLE, link, 1), 0);
    assert_int_equal(larch_app_keylog("test", &p), LARCH_EXIT_FAILED);
    assert_int_equal(larch_app_keylog_lake("test", LARCH_TEXT("#LAKE_2 x\n")), LARCH_EXIT_FAILED);
    assert_file(path, LINE_1 LINE_2 LINE_1 LINE_2);
    assert_int_equal(setenv(LARCH_APP_KEYLOG_VARIABLE, path, 1), 0);
    assert_int_equal(larch_app_keylog_lake("test", LARCH_TEXT("#LAKE_2 x\n")), LARCH_EXIT_DONE);
    assert_file(path, LINE_1 LINE_2 LINE_1 LINE_2 "#LAKE_2 x\n");
    assert_int_equal(unsetenv(LARCH_APP_KEYLOG_VARIABLE), 0);
    assert_int_equal(larch_app_keylog_lake("test", LARCH_TEXT("#LAKE_2 x\n")), LARCH_EXIT_DONE);
    assert_file(path, LINE_1 LINE_2 LINE_1 LINE_2 "#LAKE_2 x\n");
    assert_int_equal(temp_folder_remove(folder), 0);
}

/* ---- handshakes ------------------------------------------------------------ */

static uint8_t logged[2][8192]; /* by the initiator, by the responder */
static size_t logged_len[2];
static lake_pair pair;

static void note_line(void *context, larch_bytes line)
{
    const int end = context == &pair.r;
    assert_true(logged_len[end] + line.len <= sizeof logged[end]);
    memcpy(logged[end] + logged_len[end], line.data, line.len);
    logged_len[end] += line.len;
}

static larch_bytes take_line(larch_bytes *text)
{
    const uint8_t *end = memchr(text->data, '\n', text->len);
    assert_non_null(end);
    const larch_bytes line = {text->data, (size_t)(end - text->data)};
    text->data += line.len + 1;
    text->len -= line.len + 1;
    return line;
}

/* Both ends log the same two lines, the sniffer reads them, and what it read is written as it was. */
static void test_handshakes(void **state)
{
    (void)state;
    static const uint8_t methods[] = {LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_METHOD_PSK};
    static const int suites[] = {LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_SUITE_PQ_3};
    assert_int_equal(larch_crypto_init(), LARCH_OK);
    for (size_t i = 0; i < 4; i++) {
        static const larch_lake_suite *list[1];
        const bool is_psk = methods[i / 2] == LARCH_LAKE_METHOD_PSK;
        list[0] = larch_lake_suite_find(suites[i % 2]);
        assert_true(lake_pair_init(&pair, methods[i / 2], list, LARCH_LAKE_BY_KID));
        logged_len[0] = logged_len[1] = 0;
        pair.i.party.key_log = pair.r.party.key_log = note_line;
        assert_int_equal(lake_pair_run(&pair, COMPOSE_1, PROCESS_4), LARCH_OK);
        assert_int_equal(logged_len[0], logged_len[1]);
        assert_memory_equal(logged[0], logged[1], logged_len[0]);
        larch_bytes text = {logged[0], logged_len[0]};
        for (int after_3 = 0; after_3 < 2; after_3++) {
            uint8_t out[2048];
            larch_writer w = larch_writer_to(out, sizeof out);
            larch_lake_secrets s;
            const char *why = NULL;
            const larch_bytes line = take_line(&text);
            assert_true(larch_sniff_is_lake_line(line));
            assert_true(larch_sniff_key_line_is_empty(line)); /* a comment, to Wireshark */
            assert_int_equal(larch_sniff_lake_line_parse(line, &s, &why), LARCH_OK);
            assert_int_equal(s.after_3, after_3);
            assert_int_equal(s.hash_len, list[0]->hash_len);
            assert_int_equal(s.creds_len, after_3 && is_psk ? pair.i.own.cred_i.len + pair.i.own.cred_r.len : 0);
            larch_lake_keylog_put(&w, &s);
            assert_int_equal(w.len, line.len + 1);
            assert_memory_equal(out, line.data, w.len);
        }
        assert_int_equal(text.len, 0);
    }
    logged_len[0] = 0; /* a party without a log */
    pair.i.party.key_log = pair.r.party.key_log = NULL;
    lake_pair_begin(&pair);
    assert_int_equal(lake_pair_run(&pair, COMPOSE_1, PROCESS_4), LARCH_OK);
    assert_int_equal(logged_len[0], 0);
}

static void test_lines_of_handshakes(void **state)
{
    (void)state;
#define H32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    static const struct {
        const char *line;
        const char *why; /* NULL: it is well-formed */
    } rows[] = {{"#LAKE_2 " H32 " " H32 " " H32 " " H32, NULL},
                {"#LAKE_2 " H32 " " H32 " " H32 " " H32 "\r", NULL},
                {"#LAKE_3 " H32 " " H32 " " H32 " -", NULL},
                {"#LAKE_3 " H32 " " H32 " " H32 " a1b2", NULL},
                {"#LAKE_2 " H32 " " H32 " " H32, "hashes"},
                {"#LAKE_2 " H32 " " H32 " " H32 " " H32 "00", "hashes"},
                {"#LAKE_2 " H32 " " H32 " " H32 "  " H32, "hashes"},
                {"#LAKE_2 00 00 00 00", "hashes"},
                {"#LAKE_2 " H32 " " H32 " " H32 " " H32 " 00", "more behind"},
                {"#LAKE_3 " H32 " " H32 " " H32 " - ", "credentials"},
                {"#LAKE_3 " H32 " " H32 " " H32 " a1b", "credentials"},
                {"#LAKE_3 " H32 " " H32 " " H32, "credentials"},
                {"#LAKE_3 ", "hashes"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static const larch_lake_secrets zero;
        larch_lake_secrets s;
        const char *why = NULL;
        assert_true(larch_sniff_is_lake_line(larch_bytes_of_text(rows[i].line)));
        const larch_error e = larch_sniff_lake_line_parse(larch_bytes_of_text(rows[i].line), &s, &why);
        if ((e == LARCH_OK) != (rows[i].why == NULL) || (why != NULL && strstr(why, rows[i].why) == NULL))
            fail_msg("row %zu: %s", i, why != NULL ? why : "read");
        if (e != LARCH_OK)
            assert_memory_equal(&s, &zero, sizeof s);
    }
    assert_false(larch_sniff_is_lake_line(LARCH_TEXT("#LAKE_4 00")));
    assert_false(larch_sniff_is_lake_line(LARCH_TEXT("# LAKE_2 00")));
    assert_false(larch_sniff_is_lake_line(LARCH_TEXT("#LAKE_2")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_no_words),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_handshakes),
        cmocka_unit_test(test_lines_of_handshakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
