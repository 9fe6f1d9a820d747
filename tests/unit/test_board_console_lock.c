/* SPDX-License-Identifier: Apache-2.0 */
/* The lock of the boards' console: what it opens for, what tries cost, and what runs before it is open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "board/board.h"
#include "larch/crypto.h"
#include "roles/console.h"
#include "roles/restart.h"
#include "roles/say.h"
#include "roles/stacks.h"
#include "roles/unlock.h"

static uint64_t now_ms;
static char said[256];
static unsigned ran, helped;

uint64_t larch_board_now_ms(void) { return now_ms; }
void larch_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (format[0] == ' ')
        helped++;
    else
        strncpy(said, format, sizeof said - 1);
    va_end(arguments);
}
void larch_stacks_say(void) { strcpy(said, "stacks"); }
size_t larch_board_line_read(uint8_t *out, size_t cap)
{
    (void)out;
    (void)cap;
    return 0;
}
void larch_restart(const char *why)
{
    (void)why;
    fail_msg("restarted");
    for (;;)
        ;
}

static uint8_t digest[LARCH_CONSOLE_LOCK_DIGEST_LEN];
static larch_console console;

static void run(larch_bytes rest)
{
    (void)rest;
    ran++;
}
static const larch_command commands[] = {{"status", "", "", run}, {"format", "all", "", run}};
static const larch_command wifi = {"wifi", "SSID PASSPHRASE", "", run};

static void type(const char *text)
{
    said[0] = '\0';
    ran = helped = 0;
    larch_console_take(&console, (larch_bytes){(const uint8_t *)text, strlen(text)});
}

static int start(void **state)
{
    (void)state;
    const larch_bytes code = LARCH_TEXT("open sesame");
    assert_int_equal(larch_crypto_init(), LARCH_OK);
    assert_int_equal(larch_sha256(&code, 1, digest), LARCH_OK);
    now_ms = 100;
    larch_console_init(&console, commands, 2);
    larch_console_add_gate(&console, larch_unlock_start(digest));
    larch_console_add(&console, &wifi);
    return 0;
}

static void test_commands(void **state)
{
    (void)state;
    static const char *const closed[] = {"status\n", "format all\n", "format\n", "wifi net secret78\n"};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        type(closed[i]);
        assert_int_equal(ran, 0);
        assert_string_equal(said, "error: locked; 'unlock CODE' first");
    }
    type("stack\n");
    assert_string_equal(said, "stacks");
    type("help\n"); /* unlock, lock, stack, restart, help */
    assert_int_equal(helped, 5);
    now_ms += LARCH_CONSOLE_LOCK_FIRST_MS;
    type("unlock open sesame\n");
    assert_string_equal(said, "ok: unlocked, until 'lock' or a restart");
    type("status\nformat all\nwifi net secret78\n");
    assert_int_equal(ran, 3);
    type("help\n");
    assert_int_equal(helped, 8);
    type("lock\n");
    type("status\n");
    assert_int_equal(ran, 0);
}

static void test_wrong_codes(void **state)
{
    (void)state;
    static const char *const wrong[] = {"unlock open sesamf\n", "unlock open sesam\n", "unlock open sesamee\n",
                                        "unlock\n", "unlock OPEN SESAME\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        now_ms += 64000;
        type(wrong[i]);
        assert_string_equal(said, "error: wrong code; the next one is looked at in %u s");
        type("status\n");
        assert_int_equal(ran, 0);
    }
}

/* Each wrong code doubles the time to the next, to 64 s; a try before that is not looked at, and costs nothing. */
static void test_delays(void **state)
{
    (void)state;
    larch_console_lock lock;
    const larch_bytes right = LARCH_TEXT("open sesame"), wrong = LARCH_TEXT("guess");
    uint64_t now = 0, wait = LARCH_CONSOLE_LOCK_FIRST_MS;
    larch_console_lock_init(&lock, digest, now);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(larch_console_lock_wait_ms(&lock, now), wait);
        assert_int_equal(larch_console_lock_try(&lock, now + wait - 1, right), LARCH_AGAIN);
        assert_false(lock.open);
        now += wait;
        assert_int_equal(larch_console_lock_wait_ms(&lock, now), 0);
        assert_int_equal(larch_console_lock_try(&lock, now, wrong), LARCH_AUTH);
        wait = wait < 64000 ? 2 * wait : wait;
    }
    assert_int_equal(larch_console_lock_try(&lock, now + wait, right), LARCH_OK);
    assert_true(lock.open);
    larch_console_lock_close(&lock, now);
    assert_false(lock.open);
    assert_int_equal(larch_console_lock_wait_ms(&lock, now), LARCH_CONSOLE_LOCK_FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_commands, start),
                                       cmocka_unit_test_setup(test_wrong_codes, start),
                                       cmocka_unit_test_setup(test_delays, start)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
