/* SPDX-License-Identifier: Apache-2.0 */
/* The store's head, the sources of the store key, and key files that are sealed. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "secrets/sealed_files.h"
#include "secrets/source.h"
#include "sessions_folder.h"

#define CHEAP ((larch_argon2_cost){1, 64, 2})

static const larch_seal_key key = {{9, 8, 7}}, other_key = {{9, 8, 6}};

/* ---- head ------------------------------------------------------------------ */

static larch_store_head head_of(larch_store_source kind)
{
    larch_store_head head = {.version = 2, .source = kind, .wrapped_len = LARCH_SEAL_KEY_LEN};
    if (kind == LARCH_STORE_SOURCE_PASSPHRASE)
        head.cost = CHEAP;
    if (kind == LARCH_STORE_SOURCE_CREDENTIAL || kind == LARCH_STORE_SOURCE_TOKEN)
        strcpy(head.name, "larch-store-key");
    if (kind == LARCH_STORE_SOURCE_CREDENTIAL || kind == LARCH_STORE_SOURCE_PASSPHRASE)
        head.wrapped_len += LARCH_GCM_TAG_LEN;
    return head;
}

static void test_head(void **state)
{
    (void)state;
    for (unsigned kind = LARCH_STORE_SOURCE_FILE; kind <= LARCH_STORE_SOURCE_TOKEN; kind++) {
        uint8_t bytes[LARCH_HEAD_LEN_MAX + 1], again[LARCH_HEAD_LEN_MAX];
        const larch_store_head head = head_of((larch_store_source)kind);
        larch_store_head taken;
        larch_writer w = larch_writer_to(bytes, LARCH_HEAD_LEN_MAX);
        larch_store_head_put(&w, &head);
        assert_int_equal(larch_store_head_take((larch_bytes){bytes, w.len}, &taken), LARCH_OK);
        larch_writer w2 = larch_writer_to(again, sizeof again);
        larch_store_head_put(&w2, &taken);
        assert_int_equal(w2.len, w.len);
        assert_memory_equal(bytes, again, w.len);
        for (size_t len = 0; len < w.len; len++) /* cut short */
            assert_int_equal(larch_store_head_take((larch_bytes){bytes, len}, &taken), LARCH_MALFORMED);
        bytes[w.len] = 0;
        assert_int_equal(larch_store_head_take((larch_bytes){bytes, w.len + 1}, &taken), LARCH_MALFORMED);
        bytes[1] = 5; /* a source that is not known yet */
        assert_int_equal(larch_store_head_take((larch_bytes){bytes, w.len}, &taken), LARCH_STATE);
        bytes[0] = 3;
        assert_int_equal(larch_store_head_take((larch_bytes){bytes, w.len}, &taken), LARCH_STATE);
        assert_int_equal(taken.wrapped_len, 0);
    }
}

/* Costs that would take a machine's memory or days are refused unread. */
static void test_bounds(void **state)
{
    (void)state;
    const larch_argon2_cost costs[] = {{0, 64, 1}, {LARCH_ARGON2_PASSES_MAX + 1, 64, 1},
                                       {1, 7, 1},  {1, LARCH_ARGON2_MEMORY_KIB_MAX + 1, 1},
                                       {1, 64, 0}, {1, 1024, LARCH_ARGON2_LANES_MAX + 1}};
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        uint8_t bytes[LARCH_HEAD_LEN_MAX];
        larch_store_head head = head_of(LARCH_STORE_SOURCE_PASSPHRASE), taken;
        head.cost = costs[i];
        larch_writer w = larch_writer_to(bytes, sizeof bytes);
        larch_store_head_put(&w, &head);
        assert_int_equal(larch_store_head_take((larch_bytes){bytes, w.len}, &taken), LARCH_MALFORMED);
    }
}

/* ---- sources ------------------------------------------------------------------ */

#define SECRET LARCH_TEXT("a passphrase, or 32 bytes of a credential")

static void test_wrap(void **state)
{
    (void)state;
    char text[LARCH_TOKEN_WHY_MAX];
    for (unsigned kind = LARCH_STORE_SOURCE_FILE; kind <= LARCH_STORE_SOURCE_PASSPHRASE; kind++) {
        larch_store_head head = head_of((larch_store_source)kind);
        larch_seal_key got;
        assert_int_equal(larch_store_wrap(&head, &key, SECRET, &source, text), LARCH_OK);
        assert_int_equal(larch_store_unwrap(&head, SECRET, &got, text), LARCH_OK);
        assert_memory_equal(got.bytes, key.bytes, sizeof got.bytes);
        head.check[3] ^= 1;
        assert_int_equal(larch_store_unwrap(&head, SECRET, &got, text), LARCH_AUTH);
        head.check[3] ^= 1;
        head.wrapped[5] ^= 1;
        assert_int_equal(larch_store_unwrap(&head, SECRET, &got, text), LARCH_AUTH);
        static const larch_seal_key zeros;
        assert_memory_equal(got.bytes, zeros.bytes, sizeof got.bytes);
        head.wrapped[5] ^= 1;
        if (kind == LARCH_STORE_SOURCE_FILE)
            continue;
        assert_int_equal(larch_store_unwrap(&head, LARCH_TEXT("another one, also of more than 32 bytes"), &got, text),
                         LARCH_AUTH);
        assert_true(strstr(text, "wrong") != NULL || strstr(text, "not the one") != NULL);
        head.salt[0] ^= 1;
        assert_int_equal(larch_store_unwrap(&head, SECRET, &got, text), LARCH_AUTH);
        assert_int_equal(larch_store_wrap(&head, &key, LARCH_TEXT("too short"), &source, text), LARCH_STATE);
        assert_non_null(strstr(text, "less than"));
    }
}

static void test_parameters_are_authenticated(void **state)
{
    (void)state;
    char text[LARCH_TOKEN_WHY_MAX];
    larch_store_head head = head_of(LARCH_STORE_SOURCE_CREDENTIAL);
    larch_seal_key got;
    assert_int_equal(larch_store_wrap(&head, &key, SECRET, &source, text), LARCH_OK);
    head.name[0] = 'L';
    assert_int_equal(larch_store_unwrap(&head, SECRET, &got, text), LARCH_AUTH);
}

/* ---- key files ------------------------------------------------------------------ */

static larch_sealed_files sealed;

static void open_sealed(const larch_seal_key *k)
{
    const larch_store_head head = head_of(LARCH_STORE_SOURCE_FILE);
    larch_sealed_files_init(&sealed, &storage, &source, NULL, NULL);
    larch_sealed_files_open(&sealed, &head, 1, k);
}

static void test_files(void **state)
{
    (void)state;
    uint8_t payload[100], got[LARCH_RECORD_MAX], raw[256];
    size_t len;
    uint32_t size;
    larch_store_fault fault;
    memset(payload, 0x5a, sizeof payload);
    open_sealed(&key);
    larch_storage view = larch_sealed_files_interface(&sealed);
    view.start = 1;
    assert_int_equal(larch_record_write(&view, "identity.key", LARCH_RECORD_IDENTITY, LARCH_BYTES(payload), 0),
                     LARCH_OK);
    assert_int_equal(larch_record_read(&view, "identity.key", LARCH_RECORD_IDENTITY, got, sizeof got, &len, &fault),
                     LARCH_OK);
    assert_int_equal(len, sizeof payload);
    assert_memory_equal(got, payload, len);

    assert_int_equal(storage.size(storage.context, "identity.key", &size), LARCH_OK); /* nothing of it on the medium */
    assert_int_equal(size, sizeof payload + LARCH_RECORD_OVERHEAD + LARCH_SEAL_OVERHEAD);
    assert_int_equal(storage.read(storage.context, "identity.key", 0, raw, size), LARCH_OK);
    for (size_t i = 0; i + 4 < size; i++)
        assert_memory_not_equal(raw + i, payload, 4);
    bool is_sealed;
    assert_int_equal(larch_sealed_files_is_sealed(&storage, "identity.key", &is_sealed), LARCH_OK);
    assert_true(is_sealed);

    open_sealed(&other_key); /* under another key, and in another's place, it is not what its name says */
    assert_int_equal(larch_record_read(&view, "identity.key", LARCH_RECORD_IDENTITY, got, sizeof got, &len, &fault),
                     LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_STORE_KIND);
    open_sealed(&key);
    assert_int_equal(storage.replace(storage.context, "direct-512.key", (larch_bytes){raw, size}, 0), LARCH_OK);
    assert_int_equal(larch_record_read(&view, "direct-512.key", LARCH_RECORD_IDENTITY, got, sizeof got, &len, &fault),
                     LARCH_MALFORMED);
}

/* What an older larch left plain reads as it is, and is sealed when it is written next. */
static void test_plain_files(void **state)
{
    (void)state;
    uint8_t got[LARCH_RECORD_MAX];
    size_t len;
    larch_store_fault fault;
    bool is_sealed;
    assert_int_equal(larch_record_write(&storage, "direct-512.key", LARCH_RECORD_KEYS, LARCH_TEXT("plain"), 0),
                     LARCH_OK);
    open_sealed(&key);
    larch_storage view = larch_sealed_files_interface(&sealed);
    view.start = 1;
    assert_int_equal(larch_record_read(&view, "direct-512.key", LARCH_RECORD_KEYS, got, sizeof got, &len, &fault),
                     LARCH_OK);
    assert_int_equal(larch_record_write(&view, "direct-512.key", LARCH_RECORD_KEYS, (larch_bytes){got, len}, 0),
                     LARCH_OK);
    assert_int_equal(larch_sealed_files_is_sealed(&storage, "direct-512.key", &is_sealed), LARCH_OK);
    assert_true(is_sealed);
}

/* A record may end in a byte as an erased one has it, and then come as content and tail. */
static void test_tail(void **state)
{
    (void)state;
    uint8_t record[64], payload[2], got[LARCH_RECORD_MAX];
    larch_writer w;
    size_t len;
    larch_store_fault fault;
    unsigned n = 0;
    do {
        payload[0] = (uint8_t)(n >> 8);
        payload[1] = (uint8_t)n++;
        w = larch_writer_to(record, sizeof record);
        larch_record_compose(&w, LARCH_RECORD_KEYS, 1, LARCH_BYTES(payload));
    } while (record[w.len - 1] != LARCH_STORAGE_ERASED);
    open_sealed(&key);
    larch_storage view = larch_sealed_files_interface(&sealed);
    view.start = 1;
    assert_int_equal(view.replace(view.context, "direct-512.key", (larch_bytes){record, w.len - 1}, 1), LARCH_OK);
    assert_int_equal(larch_record_read(&view, "direct-512.key", LARCH_RECORD_KEYS, got, sizeof got, &len, &fault),
                     LARCH_OK);
    assert_int_equal(len, sizeof payload);
    assert_memory_equal(got, payload, sizeof payload);
    static uint8_t large[LARCH_SEALED_FILE_MAX + 1];
    assert_int_equal(view.replace(view.context, "direct-512.key", LARCH_BYTES(large), 0), LARCH_PLATFORM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_head, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_bounds, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_wrap, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_parameters_are_authenticated, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_files, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_plain_files, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_tail, set_up_folder, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
