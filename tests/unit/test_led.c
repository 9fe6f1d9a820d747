/* SPDX-License-Identifier: Apache-2.0 */
/* LED patterns over time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/drivers/led.h"

#define NEVER UINT64_MAX

/* The lengths of light and dark from now on, "100 50 ...", until a deadline is over or beyond end_ms; it begins with light
 * or, after a minus sign, with dark. Neighbouring times of one state count as one. */
static void describe(const larch_led *led, uint64_t now_ms, uint64_t end_ms, char *text, size_t cap)
{
    uint64_t deadline, began = now_ms;
    bool lit = larch_led_at(led, now_ms, &deadline);
    size_t len = (size_t)snprintf(text, cap, "%s", lit ? "" : "-");

    while (deadline < end_ms) {
        uint64_t now = deadline;
        assert_true(now > now_ms);
        now_ms = now;
        bool was = lit;
        lit = larch_led_at(led, now_ms, &deadline);
        if (lit == was)
            continue;
        len += (size_t)snprintf(text + len, cap - len, "%llu ", (unsigned long long)(now_ms - began));
        began = now_ms;
        assert_true(len < cap);
    }
}

static void test_patterns(void **state)
{
    static const struct {
        larch_led_pattern pattern;
        const char *times;
    } cases[] = {
        {LARCH_LED_DARK, "-"},
        {LARCH_LED_START, ""},
        {LARCH_LED_NETWORK, "400 1600 400 1600 "},
        {LARCH_LED_READY, "20 "},
        {LARCH_LED_ACCEPTED, "1000 "},
        {LARCH_LED_REPLAY, "150 200 150 200 150 "},
        {LARCH_LED_AUTH, "50 70 50 250 50 70 50 250 50 70 50 "},
        {LARCH_LED_REFUSED, "150 200 150 "},
        {LARCH_LED_SENT, "40 "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        larch_led led;
        char text[256];
        larch_led_init(&led);
        larch_led_start(&led, cases[i].pattern, 1000);
        describe(&led, 1000, 5400, text, sizeof text);
        assert_string_equal(text, cases[i].times);
    }
}

/* No two patterns look the same from their start on, and every one has a text. */
static void test_told_apart(void **state)
{
    char texts[LARCH_LED_PATTERN_COUNT][1024];
    (void)state;
    for (int i = 0; i < LARCH_LED_PATTERN_COUNT; i++) {
        larch_led led;
        larch_led_init(&led);
        larch_led_start(&led, (larch_led_pattern)i, 0);
        describe(&led, 0, 10000, texts[i], sizeof texts[i]);
        assert_true(strlen(larch_led_text((larch_led_pattern)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(texts[i], texts[j]);
    }
}

static void test_event_over_lasting(void **state)
{
    larch_led led;
    uint64_t deadline;
    char text[256];
    (void)state;
    larch_led_init(&led);
    assert_false(larch_led_at(&led, 0, &deadline));
    assert_true(deadline == NEVER);
    larch_led_start(&led, LARCH_LED_START, 0);
    assert_true(larch_led_at(&led, 5, &deadline));
    assert_true(deadline == NEVER);
    larch_led_start(&led, LARCH_LED_REFUSED, 10);
    describe(&led, 10, 20000, text, sizeof text);
    assert_string_equal(text, "150 200 150 500 "); /* then lit for good */
    larch_led_start(&led, LARCH_LED_NETWORK, 100); /* is seen once the event is over, in its own time */
    describe(&led, 100, 4500, text, sizeof text);
    assert_string_equal(text, "60 200 150 1590 400 1600 ");
}

/* Events that come faster than they can be shown keep their look. */
static void test_flood(void **state)
{
    larch_led led;
    char text[256];
    (void)state;
    larch_led_init(&led);
    larch_led_start(&led, LARCH_LED_SENT, 0);
    for (uint64_t now = 1; now < 50; now++)
        larch_led_start(&led, now % 2 == 0 ? LARCH_LED_AUTH : LARCH_LED_REFUSED, now);
    describe(&led, 49, 10000, text, sizeof text);
    assert_string_equal(text, "-51 150 200 150 "); /* the last of them, once */

    larch_led_start(&led, LARCH_LED_ACCEPTED, 150); /* while the second is under way */
    describe(&led, 150, 10000, text, sizeof text);
    assert_string_equal(text, "100 200 150 500 1000 ");
    larch_led_start(&led, LARCH_LED_SENT, 5000); /* after all of them */
    describe(&led, 5000, 10000, text, sizeof text);
    assert_string_equal(text, "40 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_told_apart),
        cmocka_unit_test(test_event_over_lasting),
        cmocka_unit_test(test_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
