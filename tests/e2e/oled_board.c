/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for a board: what its drivers put on the second channel, on standard output. usage: oled_board SCENE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/drivers/led.h"
#include "firmware/drivers/screen.h"
#include "port/board/i2c_stream.h"

static void put_frame(uint8_t first, larch_bytes bytes)
{
    const uint8_t header[LARCH_I2C_STREAM_HEADER] = {first, (uint8_t)(bytes.len >> 8), (uint8_t)bytes.len};
    (void)fwrite(header, 1, sizeof header, stdout);
    (void)fwrite(bytes.data, 1, bytes.len, stdout);
}

static larch_error write_bus(void *context, uint8_t address, larch_bytes bytes)
{
    (void)context;
    put_frame((uint8_t)(address << 1), bytes);
    return LARCH_OK;
}

static void check(larch_error r)
{
    if (r != LARCH_OK)
        exit(1);
}

/* The LED through a pattern that passes, from *now on. */
static void play(larch_led *led, larch_led_pattern pattern, uint64_t *now)
{
    uint64_t deadline;
    uint8_t lit = 0;

    larch_led_start(led, pattern, *now);
    for (;; *now = deadline) {
        uint8_t next = larch_led_at(led, *now, &deadline);
        if (next != lit)
            put_frame(LARCH_I2C_STREAM_LED, (larch_bytes){&next, 1});
        lit = next;
        if (deadline == UINT64_MAX)
            return;
    }
}

static void say(const char *text) { (void)fwrite(text, 1, strlen(text), stdout); }

int main(int argc, char **argv)
{
    static const uint8_t foreign[] = {1, 2, 3};
    const char *scene = argc == 2 ? argv[1] : "";
    larch_ssd1306 display;
    larch_screen screen;
    larch_led led;
    uint64_t now = 0;

    larch_ssd1306_init(&display, write_bus, NULL);
    larch_led_init(&led);
    larch_screen_show_start(&screen, "gateway", "asking for an address", "qemu-virt rv32imfc");
    check(larch_screen_send(&screen, &display));
    larch_screen_show_waiting(&screen, "10.0.2.15:5683", "ML-KEM-512");
    check(larch_screen_send(&screen, &display));
    put_frame(0x50 << 1, LARCH_BYTES(foreign)); /* another device of the bus */
    if (strcmp(scene, "broken") == 0)
        say("\r\npanic: no memory\r\n");
    larch_screen_show_message(&screen, 1, LARCH_TEXT("Greenhouse 3: 21.4 C, 63 % humidity. The door is open!"),
                              "10.0.2.2:40112", "ML-KEM-512");
    check(larch_screen_send(&screen, &display));
    play(&led, LARCH_LED_ACCEPTED, &now);
    if (strcmp(scene, "misunderstood") == 0)
        put_frame(LARCH_SSD1306_ADDRESS << 1, LARCH_TEXT("\xff"));
    play(&led, LARCH_LED_REPLAY, &now);
    if (strcmp(scene, "cut") == 0)
        say("\x78");
    if (strcmp(scene, "asleep") == 0) {
        larch_ssd1306_set_sleep(&display, true);
        check(larch_ssd1306_flush(&display));
    }
    return ferror(stdout) || fflush(stdout) != 0;
}
