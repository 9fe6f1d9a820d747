/* SPDX-License-Identifier: Apache-2.0 */
/* The role of the sniffer: hears 802.11 frames, writes them to the serial line as records, and obeys lines typed there. */
#include "FreeRTOS.h"
#include "semphr.h"

#include "board/board.h"
#include "console.h"
#include "node.h"
#include "restart.h"
#include "role.h"
#include "say.h"
#include "sleep.h"
#include "sniffer_line.h"
#include "typed.h"

#ifndef LARCH_SNIFFER_RING
#define LARCH_SNIFFER_RING 20480 /* a tenth of a second of the line */
#endif
#define FIRST_CHANNEL  "6"
#define STATUS_EACH_US 1000000

const char *const larch_role_name = "sniffer";

static uint8_t memory[LARCH_SNIFFER_RING];
static larch_frame_ring ring;
static larch_sniffer_line line;
static larch_console console;
static SemaphoreHandle_t line_lock; /* any task may say something */
static bool listening;

/* ---- the line ---------------------------------------------------------- */

/* Gives the line all that it takes now. */
static void pump(void)
{
    size_t taken;
    larch_bytes bytes;
    (void)xSemaphoreTake(line_lock, portMAX_DELAY);
    do {
        bytes = larch_sniffer_line_peek(&line, larch_board_now_us());
        taken = bytes.len > 0 ? larch_board_line_write(bytes) : 0;
        larch_sniffer_line_sent(&line, taken);
    } while (taken > 0);
    (void)xSemaphoreGive(line_lock);
}

/* Where lines of talk go: between the frames. */
static bool say_in_record(larch_bytes text)
{
    if (text.len > 0 && text.data[text.len - 1] == '\n')
        text.len--;
    pump();
    (void)xSemaphoreTake(line_lock, portMAX_DELAY);
    const bool queued = larch_sniffer_line_text(&line, text);
    (void)xSemaphoreGive(line_lock);
    pump();
    return queued;
}

/* ---- what is typed ----------------------------------------------------- */

static void run_channel(larch_bytes rest)
{
    uint32_t n;
    if (!larch_typed_number(rest, LARCH_BOARD_CHANNEL_MAX, &n) || n < LARCH_BOARD_CHANNEL_MIN)
        larch_say("error: channel takes a number from %u to %u, not '%q'", (uint32_t)LARCH_BOARD_CHANNEL_MIN,
                  (uint32_t)LARCH_BOARD_CHANNEL_MAX, &rest);
    else if (larch_board_radio_channel((uint8_t)n) != LARCH_OK)
        larch_say("error: this radio does not tune to channel %u; it stays on %u", n, (uint32_t)line.channel);
    else {
        line.channel = (uint8_t)n;
        larch_say("ok: channel %u", n);
    }
}

static void run_start(larch_bytes rest)
{
    (void)rest;
    larch_frame_ring_run(&ring, true);
    larch_board_led(listening = true);
    larch_say("ok: listening on channel %u", (uint32_t)line.channel);
}

static void run_stop(larch_bytes rest)
{
    (void)rest;
    larch_frame_ring_run(&ring, false);
    larch_board_led(listening = false);
    larch_say("ok: stopped; start goes on");
}

static void run_snap(larch_bytes rest)
{
    uint32_t n;
    if (!larch_typed_number(rest, LARCH_SERIAL_RECORD_SNAP_MAX, &n) || n < 1) {
        larch_say("error: snap takes a number of bytes from 1 to %u, not '%q'", (uint32_t)LARCH_SERIAL_RECORD_SNAP_MAX,
                  &rest);
        return;
    }
    larch_frame_ring_snap(&ring, (uint16_t)n);
    larch_say("ok: snap %u", n);
}

static void run_status(larch_bytes rest)
{
    (void)rest;
    larch_serial_record_status s;
    larch_frame_ring_tell(&ring, &s);
    larch_sniffer_line_status(&line);
    larch_say("ok: %s channel %u, snap %u, %u heard, %u dropped, ring %u of %u", listening ? "listening," : "stopped,",
              (uint32_t)line.channel, (uint32_t)s.snap, s.heard, s.dropped, s.ring_used, s.ring_size);
}

static const larch_command commands[] = {
    {"channel", "N", "listen on channel N, 1 to 14", run_channel},
    {"start", "", "hear frames", run_start},
    {"stop", "", "hear none", run_stop},
    {"snap", "N", "keep at most N bytes of a frame, 1 to 4096", run_snap},
    {"status", "", "how the board fares, as a record too", run_status},
};

/* ---- the task ---------------------------------------------------------- */

static void on_frame(void *context, const larch_board_frame *frame) { larch_frame_ring_put(context, frame); }

void larch_role_main(void)
{
    static StaticSemaphore_t lock_memory;
    uint64_t status_at_us = 0;

    larch_frame_ring_init(&ring, memory, sizeof memory);
    larch_sniffer_line_init(&line, &ring);
    line_lock = xSemaphoreCreateMutexStatic(&lock_memory);
    larch_say_through(say_in_record);
    larch_node_greet();
    larch_console_init(&console, commands, sizeof commands / sizeof *commands);

    if (larch_board_radio_start(on_frame, &ring) != LARCH_OK)
        larch_restart("the radio does not start");
    run_channel(LARCH_TEXT(FIRST_CHANNEL));
    run_start((larch_bytes){NULL, 0});
    for (;;) {
        const uint64_t now_us = larch_board_now_us();
        larch_board_watchdog_feed();
        larch_console_poll(&console);
        if (now_us >= status_at_us) {
            larch_sniffer_line_status(&line);
            status_at_us = now_us + STATUS_EACH_US;
        }
        pump();
        larch_sleep_ms(1); /* shorter than the transmit buffer lasts, so that the line stays full */
    }
}
