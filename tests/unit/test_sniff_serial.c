/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sniff/serial/serial.h"

#define NOW UINT64_C(1795186800000000000)

static larch_sniff_serial serial;
static larch_sniff_serial_item item;
static const uint8_t wifi[] = {8, 1, 0, 0xff};

static int reset(void **state)
{
    (void)state;
    larch_sniff_serial_init(&serial);
    return 0;
}

/* The last event of bytes that come now; the others must be none that a caller would miss. */
static larch_sniff_serial_event feed(larch_bytes bytes, uint64_t now_ns)
{
    larch_sniff_serial_event event = LARCH_SNIFF_SERIAL_NOTHING;
    while (bytes.len > 0)
        event = larch_sniff_serial_next(&serial, &bytes, now_ns, &item);
    return event;
}

static larch_sniff_serial_event feed_frame(const larch_serial_record_frame *frame, uint64_t now_ns)
{
    uint8_t line[LARCH_SERIAL_RECORD_ON_LINE(LARCH_SERIAL_RECORD_HEAD_MAX + sizeof wifi + LARCH_SERIAL_RECORD_CRC_LEN)];
    larch_serial_record_encoder e;
    assert_int_equal(larch_serial_record_begin_frame(&e, frame, (larch_bytes){NULL, 0}), LARCH_OK);
    return feed((larch_bytes){line, larch_serial_record_encode(&e, line, sizeof line)}, now_ns);
}

static larch_sniff_serial_event frame_at(uint32_t sequence, uint32_t dropped, uint64_t time_us, uint64_t now_ns)
{
    const larch_serial_record_frame frame = {sequence, dropped, time_us, 6, -42, 60, LARCH_BYTES(wifi)};
    return feed_frame(&frame, now_ns);
}

static larch_sniff_serial_event status_at(uint32_t heard, uint32_t dropped, uint16_t waiting, uint64_t time_us)
{
    uint8_t line[64];
    larch_serial_record_encoder e;
    const larch_serial_record_status status = {time_us, heard, dropped, waiting, 4096, 0, 20480, 6, true};
    larch_serial_record_begin_status(&e, &status);
    return feed((larch_bytes){line, larch_serial_record_encode(&e, line, sizeof line)}, NOW);
}

static void assert_loss(uint32_t dropped, uint32_t lost, uint32_t missing, bool restarted)
{
    assert_int_equal(item.dropped, dropped);
    assert_int_equal(item.lost, lost);
    assert_int_equal(item.missing, missing);
    assert_int_equal(item.restarted, restarted);
}

static void test_radiotap(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0, 0, 23, 0, 0x2b, 0,    0,    0,    8,    7, 6, 5, 4,   3,
                                       2, 1, 0,  0, 0x85, 0x09, 0x80, 0x00, 0xd6, 8, 1, 0, 0xff};
    assert_int_equal(frame_at(1, 0, UINT64_C(0x0102030405060708), NOW), LARCH_SNIFF_SERIAL_FRAME);
    assert_int_equal(item.frame.linktype, LARCH_SNIFF_LINK_RADIOTAP);
    assert_true(larch_bytes_equal(item.frame.bytes, LARCH_BYTES(expected)));
    assert_int_equal(item.frame.wire_len, LARCH_SNIFF_RADIOTAP_MAX + 60);
}

/* A radio that does not tell the signal strength: the field is left out, not made up. */
static void test_no_signal(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0, 0, 22, 0, 0x0b, 0,    0,    0,    8,    7, 6, 5, 4,
                                       3, 2, 1,  0, 0,    0x85, 0x09, 0x80, 0x00, 8, 1, 0, 0xff};
    const larch_serial_record_frame frame = {
        1, 0, UINT64_C(0x0102030405060708), 6, LARCH_SERIAL_RECORD_SIGNAL_UNKNOWN, 60, LARCH_BYTES(wifi)};
    assert_int_equal(feed_frame(&frame, NOW), LARCH_SNIFF_SERIAL_FRAME);
    assert_true(larch_bytes_equal(item.frame.bytes, LARCH_BYTES(expected)));
    assert_int_equal(item.frame.wire_len, 22 + 60);
}

/* Whose fault each gap is, and that the one before the first record is nobody's. */
static void test_gaps(void **state)
{
    (void)state;
    frame_at(1000, 90, 1, NOW);
    assert_loss(0, 0, 0, false);
    frame_at(1001, 90, 2, NOW);
    assert_loss(0, 0, 0, false);
    frame_at(1005, 93, 3, NOW);
    assert_loss(3, 0, 3, false);
    frame_at(1008, 93, 4, NOW);
    assert_loss(0, 2, 2, false);
    frame_at(1020, 99, 5, NOW);
    assert_loss(6, 5, 11, false);
    assert_int_equal(serial.totals.frames, 5);
    assert_int_equal(serial.totals.dropped, 9);
    assert_int_equal(serial.totals.lost, 7);
    assert_int_equal(serial.totals.restarts, 0);
}

static void test_counters_run_over(void **state)
{
    (void)state;
    frame_at(UINT32_MAX - 1, UINT32_MAX, 1, NOW);
    frame_at(2, 1, 2, NOW);
    assert_loss(2, 1, 3, false);
}

/* A status tells what is missing before the next frame does; frames that wait are not missing. */
static void test_status(void **state)
{
    (void)state;
    frame_at(10, 2, 1000, NOW);
    assert_int_equal(status_at(20, 5, 6, 9000), LARCH_SNIFF_SERIAL_STATUS);
    assert_loss(0, 0, 0, false);
    frame_at(11, 2, 2000, NOW); /* heard before the status, sent after it */
    assert_loss(0, 0, 0, false);
    assert_int_equal(status_at(20, 5, 0, 10000), LARCH_SNIFF_SERIAL_STATUS);
    assert_loss(3, 5, 0, false);
    assert_int_equal(item.status.ring_size, 20480);
    status_at(20, 5, 0, 11000);
    assert_loss(0, 0, 0, false);
    frame_at(21, 5, 12000, NOW);
    assert_loss(0, 1, 9, false); /* the drop count of the capture file has all nine */
}

/* After a restart all counts from the board's start: what it heard meanwhile is missing. */
static void test_restart(void **state)
{
    (void)state;
    frame_at(1000, 90, 5000000, NOW);
    frame_at(4, 1, 70000, NOW);
    assert_loss(1, 3, 4, true);
    frame_at(5, 1, 80000, NOW);
    assert_loss(0, 0, 0, false);
    status_at(0, 0, 0, 100);
    assert_loss(0, 0, 0, true);
    frame_at(0, 0, 200, NOW);
    assert_loss(0, 0, 0, false);
    assert_int_equal(serial.totals.restarts, 2);
}

/* The least delay counts, frames keep their order, and none is later than now. */
static void test_time(void **state)
{
    (void)state;
    const uint64_t ms = 1000000;
    frame_at(0, 0, 1000000, NOW + 50 * ms); /* late by 50 ms */
    assert_true(item.frame.time_ns == NOW + 50 * ms);
    frame_at(1, 0, 1010000, NOW + 12 * ms); /* late by 2: the offset falls, the order stays */
    assert_true(item.frame.time_ns == NOW + 50 * ms);
    frame_at(2, 0, 1100000, NOW + 190 * ms); /* late by 90: as if late by 2, and what crystals drift in 90 ms */
    assert_in_range(item.frame.time_ns, NOW + 102 * ms, NOW + 102 * ms + 18000);
    /* a board that is slow by 100 ppm for an hour stays within what its drift allows */
    for (uint64_t s = 1; s <= 3600; s++)
        frame_at((uint32_t)s + 2, 0, 1100000 + s * 1000000, NOW + 102 * ms + s * 1000100000);
    assert_in_range(NOW + 102 * ms + 3600 * UINT64_C(1000100000) - item.frame.time_ns, 0, ms);
    frame_at(9000, 0, UINT64_MAX, NOW * 2);
    assert_true(item.frame.time_ns <= NOW * 2);
}

static void test_prototype(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        larch_sniff_serial_event event;
        size_t len;
    } rows[] = {{"#pkt#4500aBCd\r\n", LARCH_SNIFF_SERIAL_FRAME, 4}, {"Sniffer on\n", LARCH_SNIFF_SERIAL_TALK, 10},
                {"#pkt#\n", LARCH_SNIFF_SERIAL_DAMAGED, 0},         {"#pkt#450\n", LARCH_SNIFF_SERIAL_FRAME, 2},
                {"#pkt#45g0\n", LARCH_SNIFF_SERIAL_DAMAGED, 0},     {"#pkt\n", LARCH_SNIFF_SERIAL_TALK, 4},
                {"#pkt#4\n", LARCH_SNIFF_SERIAL_DAMAGED, 0},        {"#pkt#45007\r\n", LARCH_SNIFF_SERIAL_FRAME, 3},
                {"#pkt#45g\n", LARCH_SNIFF_SERIAL_DAMAGED, 0},      {"\x1b[2Jx\n", LARCH_SNIFF_SERIAL_DAMAGED, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const larch_bytes line = {(const uint8_t *)rows[i].line, strlen(rows[i].line)};
        assert_int_equal(feed(line, NOW), rows[i].event);
        assert_int_equal(item.talk.len, rows[i].event == LARCH_SNIFF_SERIAL_TALK ? rows[i].len : 0);
        assert_int_equal(item.frame.bytes.len, rows[i].event == LARCH_SNIFF_SERIAL_FRAME ? rows[i].len : 0);
    }
    feed(LARCH_TEXT("#pkt#4500aBCd\n"), NOW);
    static const uint8_t packet[] = {0x45, 0, 0xab, 0xcd};
    assert_true(larch_bytes_equal(item.frame.bytes, LARCH_BYTES(packet)));
    assert_int_equal(item.frame.linktype, LARCH_SNIFF_LINK_RAW);
    assert_true(item.frame.time_ns == NOW);
    feed(LARCH_TEXT("#pkt#4500aBC\n"), NOW); /* a digit is missing */
    static const uint8_t padded[] = {0x45, 0, 0xab, 0xc0};
    assert_true(larch_bytes_equal(item.frame.bytes, LARCH_BYTES(padded)) && item.frame.wire_len == sizeof padded);
}

/* The rest of a record at the start is no damage; later it is. */
static void test_begin(void **state)
{
    (void)state;
    assert_int_equal(feed(LARCH_TEXT("\xff\x80\x00"), NOW), LARCH_SNIFF_SERIAL_SKIPPED);
    assert_int_equal(frame_at(0, 0, 1, NOW), LARCH_SNIFF_SERIAL_FRAME);
    assert_int_equal(feed(LARCH_TEXT("\x02\x03\x00"), NOW), LARCH_SNIFF_SERIAL_DAMAGED);
    assert_int_equal(serial.totals.damaged, 1);
}

/* A text record that would steer a terminal is not shown. */
static void test_text(void **state)
{
    (void)state;
    uint8_t line[64];
    larch_serial_record_encoder e;
    assert_int_equal(larch_serial_record_begin_text(&e, LARCH_TEXT("ok: channel 6")), LARCH_OK);
    assert_int_equal(feed((larch_bytes){line, larch_serial_record_encode(&e, line, sizeof line)}, NOW),
                     LARCH_SNIFF_SERIAL_TALK);
    assert_true(larch_bytes_equal(item.talk, LARCH_TEXT("ok: channel 6")));
    assert_int_equal(larch_serial_record_begin_text(&e, LARCH_TEXT("\x1b[2J")), LARCH_OK);
    assert_int_equal(feed((larch_bytes){line, larch_serial_record_encode(&e, line, sizeof line)}, NOW),
                     LARCH_SNIFF_SERIAL_DAMAGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_radiotap, reset), cmocka_unit_test_setup(test_no_signal, reset),
        cmocka_unit_test_setup(test_gaps, reset),     cmocka_unit_test_setup(test_counters_run_over, reset),
        cmocka_unit_test_setup(test_status, reset),   cmocka_unit_test_setup(test_restart, reset),
        cmocka_unit_test_setup(test_time, reset),     cmocka_unit_test_setup(test_prototype, reset),
        cmocka_unit_test_setup(test_begin, reset),    cmocka_unit_test_setup(test_text, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
