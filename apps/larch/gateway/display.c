/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/display.h"
#include "text/text.h"

void larch_display_render(const larch_display *d, larch_screen *screen)
{
    if (d->accepted == 0)
        larch_screen_show_waiting(screen, NULL, NULL);
    else
        larch_screen_show_message(screen, d->accepted, d->text, d->sender, d->kem);
}

static void put_frame(larch_writer *w)
{
    larch_text_put(w, "  +");
    for (size_t i = 0; i < LARCH_SCREEN_COLUMNS + 2; i++)
        larch_writer_put_u8(w, '-');
    larch_text_put(w, "+\n");
}

static void put_led(larch_writer *w, const larch_display *d, bool colour)
{
    static const char *const dots[] = {[LARCH_DISPLAY_LED_OFF] = "( )",
                                       [LARCH_DISPLAY_LED_ACCEPTED] = "\x1b[32m\xe2\x97\x8f\x1b[0m  ",
                                       [LARCH_DISPLAY_LED_REFUSED] = "\x1b[31m\xe2\x97\x8f\x1b[0m  "};
    static const char *const words[] = {[LARCH_DISPLAY_LED_OFF] = "off",
                                        [LARCH_DISPLAY_LED_ACCEPTED] = "green: accepted",
                                        [LARCH_DISPLAY_LED_REFUSED] = "red: refused"};

    larch_text_put(w, "  LED ");
    larch_text_put(w, colour ? dots[d->led] : d->led == LARCH_DISPLAY_LED_OFF ? "( )" : "(*)");
    larch_writer_put_u8(w, ' ');
    larch_text_put(w, words[d->led]);
    if (d->led == LARCH_DISPLAY_LED_REFUSED && d->reason != NULL) {
        larch_text_put(w, ", ");
        larch_text_put(w, d->reason);
    }
    larch_writer_put_u8(w, '\n');
}

void larch_display_draw(larch_writer *w, const larch_display *d, bool colour)
{
    larch_screen screen;

    larch_display_render(d, &screen);
    put_frame(w);
    for (size_t row = 0; row < LARCH_SCREEN_ROWS; row++) {
        larch_text_put(w, "  | ");
        larch_text_put(w, screen.rows[row]);
        larch_text_put(w, " |\n");
    }
    put_frame(w);
    put_led(w, d, colour);
}
