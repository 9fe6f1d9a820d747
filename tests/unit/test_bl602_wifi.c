/* SPDX-License-Identifier: Apache-2.0 */
/* Which network to join: as it is typed, and as it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bl602/wifi_settings.h"
#include "sim/flash.h"

#define SSID_32       "12345678901234567890123456789012"
#define PASSPHRASE_63 "123456789012345678901234567890123456789012345678901234567890123"

static larch_bytes bytes_of(const char *text) { return (larch_bytes){(const uint8_t *)text, strlen(text)}; }

static void test_typed(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *ssid, *passphrase; /* NULL: refused */
    } rows[] = {
        {"home secret78", "home", "secret78"},
        {"home   a b c d e f", "home", "a b c d e f"},
        {"\"my home\" secret78", "my home", "secret78"},
        {"\"my home\"", "my home", ""},
        {"cafe", "cafe", ""},
        {"caf\xc3\xa9 secret78", "caf\xc3\xa9", "secret78"},
        {"ho\"me secret78", "ho\"me", "secret78"},
        {SSID_32 " " PASSPHRASE_63, SSID_32, PASSPHRASE_63},
        {"x 12345678", "x", "12345678"},
        {"", NULL, NULL},
        {"\"\" secret78", NULL, NULL},
        {"\"home secret78", NULL, NULL},
        {"\"home\"secret78", NULL, NULL},
        {"x 1234567", NULL, NULL},
        {"x " PASSPHRASE_63 "4", NULL, NULL},
        {SSID_32 "3 secret78", NULL, NULL},
        {"x secret7\xc3\xa9", NULL, NULL},
        {"x secret\t78", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        larch_wifi_settings s;
        memset(&s, 0xaa, sizeof s);
        const char *wrong = larch_wifi_settings_parse(bytes_of(rows[i].typed), &s);
        if (rows[i].ssid == NULL) {
            static const larch_wifi_settings none;
            assert_non_null(wrong);
            assert_int_equal(strncmp(wrong, "error: ", 7), 0);
            assert_memory_equal(&s, &none, sizeof s);
        } else {
            assert_null(wrong);
            assert_string_equal(s.ssid, rows[i].ssid);
            assert_string_equal(s.passphrase, rows[i].passphrase);
        }
    }
    larch_wifi_settings s;
    const uint8_t zero_inside[] = {'a', 0, 'b'};
    assert_non_null(larch_wifi_settings_parse(LARCH_BYTES(zero_inside), &s));
}

static void test_kept(void **state)
{
    (void)state;
    static const char *const typed[] = {"home secret78", "open", SSID_32 " " PASSPHRASE_63, "\"a b\" 12345678"};
    larch_flash flash;
    larch_wifi_settings s, back;
    larch_flash_init(&flash, 1);
    const larch_storage storage = larch_flash_storage(&flash);
    assert_int_equal(larch_wifi_settings_load(&storage, &back), LARCH_STATE);
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        assert_null(larch_wifi_settings_parse(bytes_of(typed[i]), &s));
        assert_int_equal(larch_wifi_settings_save(&storage, &s), LARCH_OK);
        assert_int_equal(larch_wifi_settings_load(&storage, &back), LARCH_OK);
        assert_memory_equal(&s, &back, sizeof s);
    }
    flash.fail_at = flash.operations;
    assert_int_equal(larch_wifi_settings_load(&storage, &back), LARCH_PLATFORM);
    assert_int_equal(back.ssid[0] | back.passphrase[0], 0);
    larch_flash_free(&flash);
}

/* Sound records whose payload is not. */
static void test_damaged(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[12];
        uint8_t len;
    } rows[] = {
        {{0}, 0},
        {{0, 0}, 2},
        {{1, 'a'}, 2},
        {{1, 'a', 0, 0}, 4},
        {{1, 'a', 9, '1', '2', '3', '4', '5', '6', '7', '8'}, 11},
        {{1, 'a', 7, '1', '2', '3', '4', '5', '6', '7'}, 10},
        {{1, 'a', 8, '1', '2', '3', '4', '5', '6', '7', 0}, 11},
        {{2, 'a', 0, 0}, 4},
        {{33, 'a', 0}, 3},
    };
    larch_flash flash;
    larch_flash_init(&flash, 1);
    const larch_storage storage = larch_flash_storage(&flash);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        larch_wifi_settings s;
        memset(&s, 0xaa, sizeof s);
        assert_int_equal(
            larch_record_write(&storage, "wifi.cfg", LARCH_RECORD_WIFI, (larch_bytes){rows[i].bytes, rows[i].len}, 0),
            LARCH_OK);
        assert_int_equal(larch_wifi_settings_load(&storage, &s), LARCH_MALFORMED);
        assert_int_equal(s.ssid[0] | s.passphrase[0], 0);
    }
    larch_flash_free(&flash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typed),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
