/* SPDX-License-Identifier: Apache-2.0 */
/* The sniffer's role, whole, on a board made of arrays: its line is slow, its radio delivers what a test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "board/serial_decoder.h"
#include "roles/node.h"
#include "roles/restart.h"
#include "roles/role.h"
#include "roles/sleep.h"
#include "roles/sniffer_line.h"
#include "roles/stacks.h"

/* ---- the board --------------------------------------------------------- */

static struct {
    uint64_t now_us;
    size_t line_room;  /* bytes that the line takes in the present millisecond */
    size_t rate;       /* in each */
    const char *typed; /* not read yet */
    uint8_t channel;
    bool led;
    bool radio_fails;
    unsigned sleeps;      /* until the test goes on */
    unsigned frames_each; /* heard in each millisecond */
    void (*on_frame)(void *, const larch_board_frame *);
    void *context;
    jmp_buf after;
} board;

/* What the far end has read. */
static struct {
    char texts[4096];
    uint32_t frames, statuses, missing;
    larch_serial_record_frame last;
    larch_serial_record_status status;
} host;
static larch_serial_decoder decoder;

const char *const larch_board_name = "arrays";

uint64_t larch_board_now_us(void) { return board.now_us; }
uint64_t larch_board_now_ms(void) { return board.now_us / 1000; }
void larch_board_watchdog_feed(void) {}
size_t larch_board_line_room(void) { return board.line_room; }

size_t larch_board_line_write(larch_bytes bytes)
{
    larch_serial_record record;
    larch_bytes out;
    larch_serial_found found;
    const size_t len = bytes.len < board.line_room ? bytes.len : board.line_room;
    bytes.len = len;
    board.line_room -= len;
    while ((found = larch_serial_decode(&decoder, &bytes, &out)) != LARCH_SERIAL_NOTHING) {
        assert_int_equal(found, LARCH_SERIAL_WHOLE);
        assert_int_equal(larch_serial_record_parse(out, &record), LARCH_OK);
        if (record.type == LARCH_SERIAL_RECORD_TEXT) {
            strncat(host.texts, (const char *)record.of.text.data, record.of.text.len);
            strcat(host.texts, "\n");
        } else if (record.type == LARCH_SERIAL_RECORD_STATUS) {
            host.status = record.of.status;
            host.statuses++;
        } else {
            host.missing += record.of.frame.sequence - (host.frames == 0 ? 0 : host.last.sequence + 1);
            host.last = record.of.frame;
            host.frames++;
        }
    }
    return len;
}

size_t larch_board_line_read(uint8_t *out, size_t cap)
{
    size_t len = 0;
    while (len < cap && *board.typed != '\0')
        out[len++] = (uint8_t)*board.typed++;
    return len;
}

void larch_board_led(bool on) { board.led = on; }

larch_error larch_board_radio_start(void (*on_frame)(void *, const larch_board_frame *), void *context)
{
    board.on_frame = on_frame;
    board.context = context;
    return board.radio_fails ? LARCH_PLATFORM : LARCH_OK;
}

larch_error larch_board_radio_channel(uint8_t channel)
{
    if (channel == 13)
        return LARCH_SPACE;
    board.channel = channel;
    return LARCH_OK;
}

/* ---- what other files of the role lend ------------------------------------- */

void larch_node_greet(void) {}
void larch_stacks_say(void) {}

void larch_sleep_ms(uint32_t ms)
{
    static const uint8_t bytes[700] = {8, 2};
    board.now_us += ms * 1000;
    board.line_room = board.rate;
    for (unsigned i = 0; i < board.frames_each; i++) {
        const larch_board_frame frame = {board.now_us, board.channel, -50, LARCH_BYTES(bytes)};
        board.on_frame(board.context, &frame);
    }
    if (board.sleeps-- == 0)
        longjmp(board.after, 1);
}

void larch_restart(const char *why)
{
    strcat(host.texts, why);
    longjmp(board.after, 2);
}

/* Runs the role from power on for so many milliseconds. */
static int run(unsigned ms, const char *typed, unsigned frames_each, size_t rate)
{
    const bool fails = board.radio_fails;
    memset(&board, 0, sizeof board);
    memset(&host, 0, sizeof host);
    larch_serial_decoder_init(&decoder);
    board.radio_fails = fails;
    board.sleeps = ms;
    board.typed = typed;
    board.frames_each = frames_each;
    board.line_room = board.rate = rate;
    const int end = setjmp(board.after);
    if (end == 0)
        larch_role_main();
    return end;
}

/* ---- tests ------------------------------------------------------------- */

static void test_listens(void **state)
{
    (void)state;
    assert_int_equal(run(2100, "", 0, 200), 1);
    assert_string_equal(host.texts, "ok: channel 6\nok: listening on channel 6\n");
    assert_int_equal(board.channel, 6);
    assert_true(board.led);
    assert_int_equal(host.statuses, 3);
    assert_true(host.status.running);
    assert_int_equal(host.status.channel, 6);
    assert_int_equal(host.status.snap, LARCH_SERIAL_RECORD_SNAP_MAX);
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *answer;
    } rows[] = {
        {"channel 11\n", "ok: channel 11\n"},
        {"channel 0\n", "error: channel takes a number from 1 to 14, not '0'\n"},
        {"channel 15\r\n", "error: channel takes a number from 1 to 14, not '15'\n"},
        {"channel\n", "error: channel takes a number from 1 to 14, not ''\n"},
        {"channel 1x\n", "error: channel takes a number from 1 to 14, not '1x'\n"},
        {"channel 13\n", "error: this radio does not tune to channel 13; it stays on 6\n"},
        {"stop\n", "ok: stopped; start goes on\n"},
        {"stop now\n", "error: stop takes nothing\n"},
        {"stop\nstart\n", "ok: stopped; start goes on\nok: listening on channel 6\n"},
        {"snap 64\n", "ok: snap 64\n"},
        {"snap 0\n", "error: snap takes a number of bytes from 1 to 4096, not '0'\n"},
        {"snap 4097\n", "error: snap takes a number of bytes from 1 to 4096, not '4097'\n"},
        {"chanel 3\n", "error: no command 'chanel'; help lists them\n"},
        {"status\n", "ok: listening, channel 6, snap 4096, 0 heard, 0 dropped, ring 0 of 20480\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(run(20, rows[i].typed, 0, 500), 1);
        static const char start[] = "ok: channel 6\nok: listening on channel 6\n";
        assert_int_equal(strncmp(host.texts, start, sizeof start - 1), 0);
        assert_string_equal(host.texts + sizeof start - 1, rows[i].answer);
    }
    assert_int_equal(run(200, "help\n", 0, 20), 1); /* more than the texts that may wait: the console waits */
    assert_non_null(strstr(host.texts, "snap N: keep at most N bytes of a frame, 1 to 4096\n"));
    assert_non_null(strstr(host.texts, "help: this list\n"));
}

/* 700,000 bytes a second of air on a line of 200,000: the line is never idle, and every frame is accounted for. */
static void test_full_line(void **state)
{
    (void)state;
    assert_int_equal(run(5000, "", 1, 200), 1);
    assert_int_equal(host.missing, host.last.dropped);
    assert_in_range(host.frames, 5000 * 200 / (700 + 33) - 5, 5000 * 200 / (700 + 29));
    assert_int_equal(host.statuses, 5);
    assert_int_equal(host.status.channel, 6);
    /* a slower air leaves nothing out */
    assert_int_equal(run(5000, "", 1, 800), 1);
    assert_int_equal(host.last.dropped + host.missing, 0);
    assert_int_equal(host.frames, 5000);
}

static void test_snap_and_stop(void **state)
{
    (void)state;
    assert_int_equal(run(100, "snap 32\n", 1, 2000), 1);
    assert_int_equal(host.last.bytes.len, 32);
    assert_int_equal(host.last.length, 700);
    assert_int_equal(run(100, "stop\n", 1, 2000), 1);
    assert_in_range(host.frames, 0, 1);
    assert_false(board.led);
}

static void test_no_radio(void **state)
{
    (void)state;
    board.radio_fails = true;
    assert_int_equal(run(10, "", 0, 500), 2);
    assert_string_equal(host.texts, "the radio does not start");
    board.radio_fails = false;
}

/* Nobody reads the line: the role waits a second for it, once, and goes on. What is lost then is told to the tests behind. */
static void test_nobody_reads(void **state)
{
    (void)state;
    assert_int_equal(run(1500, "help\nhelp\nhelp\nstop\n", 0, 0), 1);
    assert_int_equal(strlen(board.typed), 0);
    assert_false(board.led);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listens),       cmocka_unit_test(test_answers),  cmocka_unit_test(test_full_line),
        cmocka_unit_test(test_snap_and_stop), cmocka_unit_test(test_no_radio), cmocka_unit_test(test_nobody_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
