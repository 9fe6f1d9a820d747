/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "board/board.h"
#include "drivers/screen.h"
#include "front.h"
#include "say.h"

#define PEER_TEXT_MAX 48

static struct {
    larch_ssd1306 display;
    larch_screen screen;
    larch_led led;
    bool lit;
    bool display_failed; /* said */
} front;

static larch_error write_i2c(void *context, uint8_t address, larch_bytes bytes)
{
    (void)context;
    return larch_board_i2c_write(address, bytes);
}

static void send_screen(void)
{
    const bool failed = larch_screen_send(&front.screen, &front.display) != LARCH_OK;
    if (failed && !front.display_failed)
        larch_say("display: nobody answers on the I2C bus; going on without");
    front.display_failed = failed;
}

static const char *text_of(const larch_peer *peer, char text[PEER_TEXT_MAX])
{
    larch_writer w = larch_writer_to((uint8_t *)text, PEER_TEXT_MAX - 1);
    larch_say_put(&w, "%a", peer);
    text[w.len < w.cap ? w.len : w.cap] = '\0';
    return text;
}

void larch_front_init(void)
{
    larch_ssd1306_init(&front.display, write_i2c, NULL);
    larch_led_init(&front.led);
    larch_front_light(LARCH_LED_START);
}

void larch_front_step(const char *role, const char *step)
{
    larch_screen_show_start(&front.screen, role, step, larch_board_name);
    send_screen();
}

void larch_front_waiting(const larch_peer *address, const char *kem)
{
    char text[PEER_TEXT_MAX];
    larch_screen_show_waiting(&front.screen, text_of(address, text), kem);
    send_screen();
}

void larch_front_message(uint32_t number, larch_bytes text, const larch_peer *sender, const char *kem)
{
    char from[PEER_TEXT_MAX];
    larch_screen_show_message(&front.screen, number, text, text_of(sender, from), kem);
    send_screen();
}

void larch_front_error(const char *why, const char *remedy)
{
    larch_screen_show_error(&front.screen, (larch_bytes){(const uint8_t *)why, strlen(why)}, remedy);
    send_screen();
    larch_front_light(LARCH_LED_FAULT);
}

void larch_front_light(larch_led_pattern pattern)
{
    larch_led_start(&front.led, pattern, larch_board_now_ms());
    larch_front_poll();
}

void larch_front_poll(void)
{
    uint64_t deadline_ms;
    const bool lit = larch_led_at(&front.led, larch_board_now_ms(), &deadline_ms);
    if (lit != front.lit)
        larch_board_led(lit);
    front.lit = lit;
}
