/* SPDX-License-Identifier: Apache-2.0 */
/* Backup files: what was put comes back, and no other bytes open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "secrets/backup.h"

#define SECRET LARCH_TEXT("a recovery passphrase")

static uint8_t file[3 * LARCH_BACKUP_CHUNK + 4096];
static size_t file_len, file_at;
static larch_backup backup;
static uint8_t content[3 * LARCH_BACKUP_CHUNK];

static larch_error write_file(void *context, uint8_t *bytes, size_t len)
{
    (void)context;
    assert_true(len <= sizeof file - file_len);
    memcpy(file + file_len, bytes, len);
    file_len += len;
    return LARCH_OK;
}

static larch_error read_file(void *context, uint8_t *bytes, size_t len)
{
    (void)context;
    assert_true(len <= file_len - file_at);
    memcpy(bytes, file + file_at, len);
    file_at += len;
    return LARCH_OK;
}

static larch_backup_head head_of(uint8_t kind)
{
    larch_backup_head head = {.kind = kind, .time_s = 1800000000, .format = 2, .schema = 1};
    if (kind == LARCH_BACKUP_PASSPHRASE)
        head.cost = (larch_argon2_cost){1, 64, 1};
    return head;
}

static void write_backup(const larch_backup_head *head, size_t len)
{
    file_len = 0;
    backup.move = write_file;
    assert_int_equal(larch_backup_begin(&backup, head, SECRET), LARCH_OK);
    assert_int_equal(larch_backup_put_item(&backup, "outbox.db", len), LARCH_OK);
    assert_int_equal(larch_backup_put(&backup, (larch_bytes){content, len}), LARCH_OK);
    assert_int_equal(larch_backup_put_item(&backup, "empty", 0), LARCH_OK);
    assert_int_equal(larch_backup_end(&backup), LARCH_OK);
}

/* Up to the end of the file: LARCH_AGAIN. */
static larch_error read_backup(larch_bytes secret, size_t want)
{
    static uint8_t got[sizeof content];
    char name[LARCH_BACKUP_NAME_MAX + 1];
    larch_backup_head head;
    uint64_t size;
    if (file_len < LARCH_BACKUP_HEAD_LEN)
        return LARCH_MALFORMED;
    larch_error e = larch_backup_head_take((larch_bytes){file, LARCH_BACKUP_HEAD_LEN}, &head);
    file_at = LARCH_BACKUP_HEAD_LEN;
    backup.move = read_file;
    if (e != LARCH_OK || (e = larch_backup_open(&backup, &head, secret, file_len - file_at)) != LARCH_OK ||
        (e = larch_backup_take_item(&backup, name, &size)) != LARCH_OK)
        return e;
    assert_string_equal(name, "outbox.db");
    assert_int_equal(size, want);
    if ((e = larch_backup_take(&backup, got, want)) != LARCH_OK)
        return e;
    assert_memory_equal(got, content, want);
    if ((e = larch_backup_take_item(&backup, name, &size)) != LARCH_OK)
        return e;
    assert_string_equal(name, "empty");
    return larch_backup_take_item(&backup, name, &size);
}

static void test_round_trip(void **state)
{
    (void)state;
    /* 19 + 14 + 1 bytes stand beside the content: the last sizes fill one or two chunks to their last byte. */
    const size_t sizes[] = {0,
                            1,
                            1000,
                            LARCH_BACKUP_CHUNK,
                            2 * LARCH_BACKUP_CHUNK + 1,
                            LARCH_BACKUP_CHUNK - 18 - 14 - 1,
                            2 * LARCH_BACKUP_CHUNK - 18 - 14 - 1};
    for (uint8_t kind = LARCH_BACKUP_PASSPHRASE; kind <= LARCH_BACKUP_KEY; kind++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            const larch_backup_head head = head_of(kind);
            write_backup(&head, sizes[i]);
            assert_int_equal(read_backup(SECRET, sizes[i]), LARCH_AGAIN);
            assert_int_equal(read_backup(LARCH_TEXT("another passphrase"), sizes[i]), LARCH_AUTH);
        }
}

static void test_every_byte(void **state)
{
    (void)state;
    const larch_backup_head head = head_of(LARCH_BACKUP_KEY);
    write_backup(&head, 200);
    for (size_t i = 0; i < file_len; i++) {
        file[i] ^= 0x10;
        assert_int_not_equal(read_backup(SECRET, 200), LARCH_AGAIN);
        file[i] ^= 0x10;
    }
    assert_int_equal(read_backup(SECRET, 200), LARCH_AGAIN);
}

/* Cut short anywhere, also between chunks; longer; chunks that changed places. */
static void test_chunks(void **state)
{
    (void)state;
    static uint8_t chunk[LARCH_BACKUP_CHUNK + LARCH_GCM_TAG_LEN];
    const size_t first = LARCH_BACKUP_HEAD_LEN, len = 2 * LARCH_BACKUP_CHUNK + 1000;
    const larch_backup_head head = head_of(LARCH_BACKUP_KEY);
    write_backup(&head, len);
    const size_t whole = file_len;
    const size_t cuts[] = {0,        12, first, first + 1, first + 16, first + sizeof chunk, first + 2 * sizeof chunk,
                           whole - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        file_len = cuts[i];
        assert_int_not_equal(read_backup(SECRET, len), LARCH_AGAIN);
    }
    for (size_t n = 0; n <= 2; n++) { /* whole chunks, of which the last one does not say that it is the last */
        file_len = first + n * sizeof chunk;
        assert_int_equal(read_backup(SECRET, len), n == 0 ? LARCH_MALFORMED : LARCH_AUTH);
    }
    file_len = whole + 1;
    assert_int_not_equal(read_backup(SECRET, len), LARCH_AGAIN);
    file_len = whole;
    memcpy(chunk, file + first, sizeof chunk);
    memmove(file + first, file + first + sizeof chunk, sizeof chunk);
    memcpy(file + first + sizeof chunk, chunk, sizeof chunk);
    assert_int_equal(read_backup(SECRET, len), LARCH_AUTH);
}

static void test_head(void **state)
{
    (void)state;
    uint8_t bytes[LARCH_BACKUP_HEAD_LEN];
    larch_backup_head head = head_of(LARCH_BACKUP_PASSPHRASE), taken;
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_backup_head_put(&w, &head);
    assert_int_equal(w.len, sizeof bytes);
    assert_int_equal(larch_backup_head_take(LARCH_BYTES(bytes), &taken), LARCH_OK);
    assert_int_equal(taken.time_s, head.time_s);
    bytes[12] = 2; /* of a later version */
    assert_int_equal(larch_backup_head_take(LARCH_BYTES(bytes), &taken), LARCH_STATE);
    bytes[12] = 1;
    bytes[18] = 0x7f; /* more memory than any machine has */
    assert_int_equal(larch_backup_head_take(LARCH_BYTES(bytes), &taken), LARCH_MALFORMED);
    assert_int_equal(taken.kind, 0);
}

static int start(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i * 31 >> 3);
    return larch_crypto_init() == LARCH_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_every_byte),
                                       cmocka_unit_test(test_chunks), cmocka_unit_test(test_head)};
    return cmocka_run_group_tests(tests, start, NULL);
}
