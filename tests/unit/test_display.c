/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway's display shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/display.h"

static void test_render(void **state)
{
    larch_screen got, expected;
    larch_display d = {.accepted = 0};
    (void)state;
    larch_display_render(&d, &got);
    larch_screen_show_waiting(&expected, NULL, NULL);
    assert_memory_equal(&got, &expected, sizeof got);
    d = (larch_display){.accepted = 7, .text = LARCH_TEXT("Hello"), .sender = "[::1]:5683", .kem = "ML-KEM-512"};
    larch_display_render(&d, &got);
    larch_screen_show_message(&expected, 7, LARCH_TEXT("Hello"), "[::1]:5683", "ML-KEM-512");
    assert_memory_equal(&got, &expected, sizeof got);
}

static size_t lines_of(const larch_writer *w)
{
    size_t lines = 0;
    for (size_t i = 0; i < w->len; i++)
        lines += w->data[i] == '\n';
    return lines;
}

static void test_draw(void **state)
{
    char out[1024];
    larch_display d = {
        .accepted = 1, .text = LARCH_TEXT("Hello"), .sender = "a", .kem = "b", .led = LARCH_DISPLAY_LED_ACCEPTED};
    (void)state;
    for (int colour = 0; colour < 2; colour++)
        for (int led = LARCH_DISPLAY_LED_OFF; led <= LARCH_DISPLAY_LED_REFUSED; led++) {
            larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
            d.led = (larch_display_led)led;
            d.reason = "replay";
            larch_display_draw(&w, &d, colour != 0);
            assert_true(w.len < w.cap);
            out[w.len] = '\0';
            assert_int_equal(lines_of(&w), LARCH_DISPLAY_LINES);
            assert_true((strchr(out, '\x1b') != NULL) == (colour != 0 && led != LARCH_DISPLAY_LED_OFF));
            assert_true((strstr(out, "red: refused, replay") != NULL) == (led == LARCH_DISPLAY_LED_REFUSED));
            assert_true((strstr(out, "green: accepted") != NULL) == (led == LARCH_DISPLAY_LED_ACCEPTED));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render),
        cmocka_unit_test(test_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
