/* SPDX-License-Identifier: Apache-2.0 */
/* The reading under way as a file keeps it: whole, or not at all. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "device/pending.h"
#include "temp_folder.h"

static const uint8_t keys[PENDING_KEYS_LEN] = {1, 2, 3}, other_keys[PENDING_KEYS_LEN] = {9};

static pending_reading reading_of(uint64_t n, const char *text)
{
    pending_reading r = {.n = n, .name = "temp", .len = strlen(text)};
    memcpy(r.text, text, r.len);
    return r;
}

/* A record that was cut short, or in which a bit is wrong, is none. */
static void test_record(void **state)
{
    (void)state;
    uint8_t bytes[PENDING_RECORD_MAX];
    pending_reading r = reading_of(7, "21.5"), back;
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    pending_put(&w, keys, &r);
    assert_int_equal(pending_parse((larch_bytes){bytes, w.len}, keys, &back), LARCH_OK);
    assert_memory_equal(&back, &r, sizeof r);
    assert_int_equal(pending_parse((larch_bytes){bytes, w.len}, other_keys, &back), LARCH_STATE);
    assert_int_equal(back.n, 0);
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(pending_parse((larch_bytes){bytes, len}, keys, &back), LARCH_MALFORMED);
    for (size_t bit = 0; bit < 8 * w.len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(pending_parse((larch_bytes){bytes, w.len}, keys, &back), LARCH_MALFORMED);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_longest(void **state)
{
    (void)state;
    uint8_t bytes[PENDING_RECORD_MAX];
    pending_reading r = {.n = UINT64_MAX, .len = DEVICE_TEXT_MAX}, back;
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    memset(r.name, 'n', LARCH_READING_NAME_MAX);
    memset(r.text, 't', sizeof r.text);
    pending_put(&w, keys, &r);
    assert_int_equal(w.len, sizeof bytes);
    assert_int_equal(pending_parse(LARCH_BYTES(bytes), keys, &back), LARCH_OK);
    assert_memory_equal(&back, &r, sizeof r);
}

static void test_file(void **state)
{
    (void)state;
    char folder[TEMP_FOLDER_MAX], context[TEMP_FOLDER_MAX + 16], path[TEMP_FOLDER_MAX + 32];
    assert_true(temp_folder_make(folder));
    pending_file file;
    pending_reading r, long_one = reading_of(1, "a reading that is longer than the next"), next = reading_of(2, "b");
    (void)snprintf(context, sizeof context, "%s/context", folder);
    (void)snprintf(path, sizeof path, "%s.reading", context);
    assert_int_equal(pending_open(&file, "device", context, keys, &r), LARCH_EXIT_DONE);
    assert_int_equal(r.n, 0);
    assert_true(pending_write(&file, &long_one) && pending_write(&file, &next));
    pending_close(&file);
    assert_int_equal(pending_open(&file, "device", context, keys, &r), LARCH_EXIT_DONE);
    assert_memory_equal(&r, &next, sizeof r);
    pending_close(&file);
    assert_int_equal(pending_open(&file, "device", context, other_keys, &r), LARCH_EXIT_REFUSED);
    pending_close(&file);
    assert_int_equal(pending_open(&file, "device", context, keys, &r), LARCH_EXIT_DONE);
    pending_clear(&file);
    pending_close(&file);
    assert_int_equal(pending_open(&file, "device", context, other_keys, &r), LARCH_EXIT_DONE);
    assert_int_equal(r.n, 0);
    pending_close(&file);
    assert_int_equal(chmod(path, 0622), 0);
    assert_int_equal(pending_open(&file, "device", context, keys, &r), LARCH_EXIT_REFUSED);
    pending_close(&file);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(context, path), 0);
    assert_int_equal(pending_open(&file, "device", context, keys, &r), LARCH_EXIT_FAILED);
    pending_close(&file);
    assert_int_equal(temp_folder_remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
