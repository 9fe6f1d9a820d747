/* SPDX-License-Identifier: Apache-2.0 */
/* Context files: what is read from them, what is refused and in which words, and which files are not opened; names of
 * devices. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/context_file.h"
#include "common/device_name.h"
#include "complaint.h"
#include "larch/crypto.h"
#include "temp_folder.h"

#define SECRET "master_secret,hex,\"0102030405060708090a0b0c0d0e0f10\"\n"
#define SALT   "master_salt,hex,\"9e7ca92223786340\"\n"
#define IDS    "sender_id,ascii,\"client\"\nrecipient_id,ascii,\"server\"\n"
#define SOUND  SECRET SALT IDS

static larch_error parse(const char *text, larch_context_file *file, larch_context_fault *fault)
{
    return larch_context_file_parse(larch_bytes_of_text(text), file, fault);
}

static larch_oscore_parameters parse_ok(const char *text, larch_context_file *file)
{
    larch_context_fault fault;
    larch_oscore_context context;
    if (parse(text, file, &fault) != LARCH_OK)
        fail_msg("line %u: %s", fault.line, fault.text);
    const larch_oscore_parameters p = larch_context_file_parameters(file);
    assert_int_equal(larch_oscore_context_init(&context, &p), LARCH_OK);
    larch_oscore_context_wipe(&context);
    return p;
}

/* The example of coap-oscore-conf(5), with all that larch takes. */
static void test_example(void **state)
{
    (void)state;
    static const uint8_t secret[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
                         salt[] = {0x9e, 0x7c, 0xa9, 0x22, 0x23, 0x78, 0x63, 0x40};
    static const char *const forms[] = {
        "# Master Secret (same for both client and server)\n" SOUND
        "\n# Replay Window (usually 32)\nreplay_window,integer,32\naead_alg,integer,10\nhkdf_alg,integer,-10\n"
        "rfc8613_b_1_2,bool,true\nrfc8613_b_2,bool,false\nssn_freq,integer,100\n"
        "break_sender_key,bool,false\nbreak_recipient_key,bool,true\n",
        "recipient_id,hex,736572766572\r\nsender_id,hex,\"636c69656E74\"\r\n\r\n" SECRET SALT
        "hkdf_alg,text,\"direct+HKDF-SHA-256\"\r\naead_alg,text,AES-CCM-16-64-128",
    };
    larch_context_file file;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const larch_oscore_parameters p = parse_ok(forms[i], &file);
        assert_true(larch_bytes_equal(p.master_secret, LARCH_BYTES(secret)));
        assert_true(larch_bytes_equal(p.master_salt, LARCH_BYTES(salt)));
        assert_true(larch_bytes_equal(p.sender_id, LARCH_TEXT("client")));
        assert_true(larch_bytes_equal(p.recipient_id, LARCH_TEXT("server")));
        assert_null(p.id_context.data);
        assert_int_equal(p.aead->number, LARCH_COSE_AES_CCM_16_64_128);
        assert_int_equal(p.hash, LARCH_COSE_SHA_256);
    }
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int aead;
    } aeads[] = {{"integer,10", 10},
                 {"integer,30", 30},
                 {"integer,\"1\"", 1},
                 {"integer,3", 3},
                 {"text,AES-CCM-16-128-128", 30},
                 {"text,\"A128GCM\"", 1},
                 {"text,A256GCM", 3}};
    larch_context_file file;
    char text[512];
    for (size_t i = 0; i < sizeof aeads / sizeof aeads[0]; i++) {
        snprintf(text, sizeof text, SOUND "aead_alg,%s\n", aeads[i].line);
        assert_int_equal(parse_ok(text, &file).aead->number, aeads[i].aead);
    }
    larch_oscore_parameters p = parse_ok(SECRET "sender_id,hex,\"\"\nrecipient_id,ascii,a, b#c \n"
                                                "id_context,hex,\"\"\nmaster_salt,ascii,\"\"\n",
                                         &file);
    assert_true(p.id_context.data != NULL && p.id_context.len == 0); /* an empty one is not none */
    assert_int_equal(p.sender_id.len + p.master_salt.len, 0);
    assert_true(larch_bytes_equal(p.recipient_id, LARCH_TEXT("a, b#c ")));
    p = parse_ok(SOUND "id_context,ascii,0123456789abcdef\n", &file);
    assert_true(larch_bytes_equal(p.id_context, LARCH_TEXT("0123456789abcdef")));
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line;
        const char *fault;
    } rows[] = {
        {"", 0, "'master_secret' is missing"},
        {SECRET SALT, 0, "'sender_id' is missing"},
        {SECRET "sender_id,ascii,a\n", 0, "'recipient_id' is missing"},
        {SOUND "colour,text,red\n", 5, "larch does not know the key 'colour'"},
        {SOUND "complex_sender,config,'\n", 5, "larch does not know the key 'complex_sender'"},
        {SOUND "Master_salt,hex,00\n", 5, "does not begin with a key"},
        {"0102030405060708090a0b0c0d0e0f10,hex,master_secret\n", 1, "does not begin with a key"},
        {" " SOUND, 1, "does not begin with a key"},
        {SOUND "\n#\nsender_id,ascii,\"client\"\n", 7, "'sender_id' is given twice: first in line 3"},
        {SOUND "recipient_id,ascii,third\n", 5, "'recipient_id' is given twice: first in line 4"},
        {"master_secret,hex\n", 1, "is not of the form key,type,value"},
        {"master_secret\n", 1, "is not of the form key,type,value"},
        {"master_secret,hex,\n", 1, "'master_secret' has no value; an empty one is written as \"\""},
        {"master_secret,integer,1\n", 1, "'master_secret' cannot be of type integer"},
        {"master_secret,base64,AAAA\n", 1,
         "'master_secret' has a type that is none of hex, ascii, text, integer and bool"},
        {"aead_alg,hex,0a\n", 1, "'aead_alg' cannot be of type hex"},
        {"master_secret,hex,\"00\n", 1, "'master_secret' lacks its closing quote"},
        {"master_secret,hex,\"\n", 1, "'master_secret' lacks its closing quote"},
        {"master_secret,hex,\"00\" \n", 1, "'master_secret' has something behind its closing quote"},
        {"master_secret,hex,00\"\n", 1, "'master_secret' has a quote in its value"},
        {"master_secret,hex,000102030405060708090a0b0c0d0e0f1\n", 1,
         "'master_secret' has an odd number of hexadecimal digits"},
        {"master_secret,hex,0001020304050607 8090a0b0c0d0e0f\n", 1,
         "'master_secret' holds a character that is no hexadecimal digit"},
        {"master_secret,hex,000102030405060g08090a0b0c0d0e0f\n", 1,
         "'master_secret' holds a character that is no hexadecimal digit"},
        {"master_secret,hex,000102030405060708090a0b0c0d0e\n", 1,
         "'master_secret' has 15 bytes, and may have 16 to 64"},
        {"sender_id,ascii,clients8\n", 1, "'sender_id' has 8 bytes, and may have 0 to 7"},
        {"id_context,ascii,0123456789abcdefg\n", 1, "'id_context' has 17 bytes, and may have 0 to 16"},
        {SECRET "sender_id,ascii,1234567\nrecipient_id,ascii,1\naead_alg,integer,1\n", 2,
         "'sender_id' has 7 bytes, and A128GCM allows 6"},
        {SECRET "sender_id,ascii,1\nrecipient_id,ascii,1234567\naead_alg,integer,1\n", 3,
         "'recipient_id' has 7 bytes, and A128GCM allows 6"},
        {SECRET "sender_id,ascii,1\nrecipient_id,hex,31\n", 3, "'recipient_id' is the same as 'sender_id'"},
        {"aead_alg,integer,11\n", 1,
         "larch does not have this aead_alg: it has 10, 30, 1 and 3, AES-CCM-16-64-128 to A256GCM"},
        {"aead_alg,text,AES-CCM-16-64-256\n", 1,
         "larch does not have this aead_alg: it has 10, 30, 1 and 3, AES-CCM-16-64-128 to A256GCM"},
        {"aead_alg,integer,010\n", 1, "'aead_alg' is no integer that it can be"},
        {"aead_alg,integer,10 \n", 1, "'aead_alg' is no integer that it can be"},
        {"aead_alg,integer,4294967306\n", 1, "'aead_alg' is no integer that it can be"},
        {"hkdf_alg,integer,10\n", 1, "larch does not have this hkdf_alg: it has -10, direct+HKDF-SHA-256"},
        {"hkdf_alg,integer,-\n", 1, "'hkdf_alg' is no integer that it can be"},
        {"replay_window,integer,0\n", 1, "'replay_window' may be 1 to 64"},
        {"replay_window,integer,65\n", 1, "'replay_window' may be 1 to 64"},
        {"ssn_freq,integer,0\n", 1, "'ssn_freq' has to be above 0"},
        {"ssn_freq,integer,-5\n", 1, "'ssn_freq' has to be above 0"},
        {"rfc8613_b_1_2,bool,yes\n", 1, "'rfc8613_b_1_2' is neither true nor false"},
        {"rfc8613_b_2,bool,true\n", 1, "'rfc8613_b_2' cannot be true: Appendix B.2 is not built"},
        {"sender_id,ascii,a\tb\n", 1, "holds a character that is not printable ASCII"},
        {"sender_id,ascii,\xc3\xa4\n", 1, "holds a character that is not printable ASCII"},
    };
    static const larch_context_file wiped;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_context_file file;
        larch_context_fault fault;
        assert_int_equal(parse(rows[i].text, &file, &fault), LARCH_MALFORMED);
        assert_string_equal(fault.text, rows[i].fault);
        assert_int_equal(fault.line, rows[i].line);
        assert_memory_equal(&file, &wiped, sizeof file);
    }
}

static void test_digits(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdef";
    for (int c = 0x20; c < 0x7f; c++) {
        char text[256];
        larch_context_file file;
        larch_context_fault fault;
        const char *digit = strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);
        snprintf(text, sizeof text, SECRET "recipient_id,hex,00\nsender_id,hex,\"%c8\"\n", c);
        assert_int_equal(parse(text, &file, &fault), digit != NULL ? LARCH_OK : LARCH_MALFORMED);
        if (digit != NULL)
            assert_int_equal(file.sender_id.bytes[0], 16 * (digit - digits) + 8);
    }
}

/* ---- files ------------------------------------------------------------------- */

static char folder[TEMP_FOLDER_MAX], path[96], other[96];

static void write_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_read(larch_exit code, const char *text)
{
    static const larch_context_file wiped;
    larch_context_file file;
    memset(&file, 0xa5, sizeof file);
    begin_complaint();
    const larch_exit is = larch_context_file_read("keys", path, &file);
    end_complaint();
    assert_complaint(text);
    assert_int_equal(is, code);
    if (code != LARCH_EXIT_DONE)
        assert_memory_equal(&file, &wiped, sizeof file);
    else
        assert_int_equal(file.master_secret.len, 16);
}

static void test_files(void **state)
{
    (void)state;
    static char large[LARCH_CONTEXT_FILE_MAX + 2];
    char wanted[256];
    memset(large, '#', LARCH_CONTEXT_FILE_MAX + 1);
    snprintf(path, sizeof path, "%s/c", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    assert_read(LARCH_EXIT_FAILED, "/c: No such file or directory");
    write_file(SOUND, 0600);
    assert_read(LARCH_EXIT_DONE, "");
    write_file(SOUND, 0400);
    assert_read(LARCH_EXIT_DONE, "");
    snprintf(wanted, sizeof wanted, "others can read its keys; if nobody has, run: chmod 600 '%s'", path);
    static const mode_t modes[] = {0640, 0604, 0620, 0601};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        write_file(SOUND, modes[i]);
        assert_read(LARCH_EXIT_REFUSED, wanted);
    }
    write_file(SECRET "\nsender_id,hex,0\n", 0600);
    snprintf(wanted, sizeof wanted, "larch keys: %s:3: 'sender_id' has an odd number of hexadecimal digits\n", path);
    assert_read(LARCH_EXIT_USAGE, wanted);
    write_file(SECRET, 0600);
    snprintf(wanted, sizeof wanted, "larch keys: %s: 'sender_id' is missing\n", path);
    assert_read(LARCH_EXIT_USAGE, wanted);
    write_file(large, 0600);
    assert_read(LARCH_EXIT_REFUSED, "is longer than 16384 bytes");
    large[LARCH_CONTEXT_FILE_MAX - sizeof SOUND] = '\n';
    strcpy(large + LARCH_CONTEXT_FILE_MAX + 1 - sizeof SOUND, SOUND); /* NOLINT(clang-analyzer-security.*) */
    write_file(large, 0600);
    assert_read(LARCH_EXIT_DONE, "");
    assert_int_equal(link(path, other), 0);
    assert_read(LARCH_EXIT_REFUSED, "the file has a second name");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_read(LARCH_EXIT_REFUSED, "it is a symbolic link; name the file itself");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_read(LARCH_EXIT_REFUSED, "it is not a regular file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_read(LARCH_EXIT_REFUSED, "it is not a regular file"); /* and nobody waits for a writer */
}

/* ---- names ------------------------------------------------------------------- */

static void test_device_names(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "garden-7", "0123456789abcdef", "A.b_C", "Z9"},
                             *const bad[] = {"",     "0123456789abcdefg", "a:b",         "a b", "a\nb", "\x7f",
                                             "\xff", "\xc3\xbc",          "back\\slash", "a/b"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(larch_app_is_device_name(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(larch_app_is_device_name(bad[i]));
}

static int set_up(void **state)
{
    (void)state;
    return temp_folder_make(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return temp_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_digits),
        cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
        cmocka_unit_test(test_device_names),
    };
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
