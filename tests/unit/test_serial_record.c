/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/serial_decoder.h"

static const larch_bytes none = {NULL, 0};
static uint8_t line[LARCH_SERIAL_RECORD_ON_LINE(LARCH_SERIAL_RECORD_MAX)];
static larch_serial_decoder decoder;

/* The example of PROTOCOL.md, section 5.2, made by other code. */
static const uint8_t drawn[] = {0x00, 0x02, 0x01, 0x01, 0x01, 0x01, 0x02, 0x2a, 0x01, 0x01, 0x02,
                                0x03, 0x01, 0x01, 0x01, 0x01, 0x06, 0x0f, 0x42, 0x40, 0x06, 0xd6,
                                0x08, 0x3c, 0x08, 0x01, 0xda, 0x41, 0x18, 0xa8, 0x00};

static larch_serial_record_frame frame_of(larch_bytes bytes)
{
    return (larch_serial_record_frame){42, 3, 1000000, 6, -42, (uint16_t)bytes.len, bytes};
}

static size_t compose(const larch_serial_record_frame *frame, larch_bytes rest, size_t step)
{
    larch_serial_record_encoder e;
    size_t len = 0, more;
    assert_int_equal(larch_serial_record_begin_frame(&e, frame, rest), LARCH_OK);
    while ((more = larch_serial_record_encode(&e, line + len, step)) > 0) {
        assert_true(more <= step);
        len += more;
    }
    assert_true(larch_serial_record_done(&e));
    assert_in_range(len, 1, LARCH_SERIAL_RECORD_ON_LINE(22 + frame->bytes.len + rest.len + 4));
    return len;
}

static larch_serial_found decode(larch_bytes *input, larch_serial_record *record)
{
    larch_bytes out;
    const larch_serial_found found = larch_serial_decode(&decoder, input, &out);
    if (found == LARCH_SERIAL_WHOLE)
        assert_int_equal(larch_serial_record_parse(out, record), LARCH_OK);
    return found;
}

static void test_drawn(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {8, 1};
    larch_serial_record_frame frame = frame_of(LARCH_BYTES(bytes));
    frame.length = 60;
    assert_int_equal(compose(&frame, none, sizeof line), sizeof drawn);
    assert_memory_equal(line, drawn, sizeof drawn);
}

static void check_same(const larch_serial_record_frame *a, const larch_serial_record *record, const uint8_t *bytes,
                       size_t len)
{
    const larch_serial_record_frame *b = &record->of.frame;
    assert_int_equal(record->type, LARCH_SERIAL_RECORD_FRAME);
    assert_int_equal(b->sequence, a->sequence);
    assert_int_equal(b->dropped, a->dropped);
    assert_true(b->time_us == a->time_us);
    assert_int_equal(b->channel, a->channel);
    assert_int_equal(b->signal_dbm, a->signal_dbm);
    assert_int_equal(b->length, a->length);
    assert_int_equal(b->bytes.len, len);
    assert_memory_equal(b->bytes.data, bytes, len);
}

/* Every length, zeros of every density, cut in two anywhere, in pieces of any size. */
static void test_round_trip(void **state)
{
    (void)state;
    static uint8_t bytes[LARCH_SERIAL_RECORD_SNAP_MAX];
    static const int densities[] = {0, 1, 3, 300, 1 << 20};
    srand(1);
    for (size_t len = 0; len <= sizeof bytes; len += len < 800 ? 1 : 97) {
        const int density = densities[len % 5];
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(density == 0 || rand() % density == 0 ? 0 : rand());
        const size_t cut = len > 0 ? (size_t)rand() % len : 0;
        larch_serial_record_frame frame = frame_of((larch_bytes){bytes, cut});
        frame.sequence = (uint32_t)rand();
        frame.time_us = (uint64_t)rand() << 30;
        frame.signal_dbm = (int8_t) - (int)(len % 128);
        frame.length = (uint16_t)(len + len % 3);
        const size_t n = compose(&frame, (larch_bytes){bytes + cut, len - cut}, 1 + (size_t)rand() % 300);
        assert_null(memchr(line + 1, 0, n - 2));
        larch_bytes input = {line, n};
        larch_serial_record record;
        larch_serial_decoder_init(&decoder);
        assert_int_equal(decode(&input, &record), LARCH_SERIAL_WHOLE);
        assert_int_equal(input.len, 0);
        check_same(&frame, &record, bytes, len);
    }
    larch_serial_record_encoder e;
    const larch_serial_record_frame frame = frame_of(LARCH_BYTES(bytes));
    assert_int_equal(larch_serial_record_begin_frame(&e, &frame, (larch_bytes){bytes, 1}), LARCH_SPACE);
    assert_int_equal(larch_serial_record_encode(&e, line, sizeof line), 0);
}

static void test_status_and_text(void **state)
{
    (void)state;
    const larch_serial_record_status status = {1u << 31, 100000, 17, 12, 1500, 20000, 24576, 11, true};
    larch_serial_record_encoder e;
    larch_serial_record record;
    uint8_t text[LARCH_SERIAL_RECORD_TEXT_MAX + 1];

    larch_serial_record_begin_status(&e, &status);
    larch_bytes input = {line, larch_serial_record_encode(&e, line, sizeof line)};
    larch_serial_decoder_init(&decoder);
    assert_int_equal(decode(&input, &record), LARCH_SERIAL_WHOLE);
    assert_int_equal(record.type, LARCH_SERIAL_RECORD_STATUS);
    const larch_serial_record_status *s = &record.of.status;
    assert_true(s->time_us == status.time_us && s->running);
    assert_int_equal(s->heard, 100000);
    assert_int_equal(s->dropped, 17);
    assert_int_equal(s->waiting, 12);
    assert_int_equal(s->snap, 1500);
    assert_int_equal(s->ring_used, 20000);
    assert_int_equal(s->ring_size, 24576);
    assert_int_equal(s->channel, 11);

    memset(text, 'x', sizeof text);
    assert_int_equal(larch_serial_record_begin_text(&e, LARCH_BYTES(text)), LARCH_SPACE);
    assert_true(larch_serial_record_done(&e));
    assert_int_equal(larch_serial_record_begin_text(&e, (larch_bytes){text, sizeof text - 1}), LARCH_OK);
    input = (larch_bytes){line, larch_serial_record_encode(&e, line, sizeof line)};
    assert_int_equal(decode(&input, &record), LARCH_SERIAL_WHOLE);
    assert_int_equal(record.type, LARCH_SERIAL_RECORD_TEXT);
    assert_true(larch_bytes_equal(record.of.text, (larch_bytes){text, sizeof text - 1}));
}

/* Only the lengths and values that the format has. */
static void test_parse_refuses(void **state)
{
    (void)state;
    static uint8_t bytes[LARCH_SERIAL_RECORD_HEAD_MAX + LARCH_SERIAL_RECORD_SNAP_MAX + 1];
    larch_serial_record record, untouched;
    memset(&record, 0x5a, sizeof record);
    untouched = record;
    for (unsigned type = 0; type < 256; type++) {
        memset(bytes, 0, sizeof bytes);
        bytes[0] = (uint8_t)type;
        for (size_t len = 0; len <= 32; len++) {
            const bool good = (type == 1 && len == 22) || (type == 2 && len == 32) || (type == 3 && len >= 2);
            assert_int_equal(larch_serial_record_parse((larch_bytes){bytes, len}, &record),
                             good ? LARCH_OK : LARCH_MALFORMED);
            if (!good)
                assert_memory_equal(&record, &untouched, sizeof record);
            record = untouched;
        }
    }
    bytes[0] = 3;
    assert_int_equal(larch_serial_record_parse((larch_bytes){bytes, 2 + LARCH_SERIAL_RECORD_TEXT_MAX}, &record),
                     LARCH_OK);
    assert_int_equal(larch_serial_record_parse((larch_bytes){bytes, 3 + LARCH_SERIAL_RECORD_TEXT_MAX}, &record),
                     LARCH_MALFORMED);
    bytes[0] = 1;
    bytes[20] = 0xff; /* the length on the air */
    assert_int_equal(larch_serial_record_parse((larch_bytes){bytes, 22 + LARCH_SERIAL_RECORD_SNAP_MAX}, &record),
                     LARCH_OK);
    assert_int_equal(larch_serial_record_parse((larch_bytes){bytes, 23 + LARCH_SERIAL_RECORD_SNAP_MAX}, &record),
                     LARCH_MALFORMED);
    bytes[20] = 0;
    bytes[21] = 9;
    assert_int_equal(larch_serial_record_parse((larch_bytes){bytes, 22 + 9}, &record), LARCH_OK);
    assert_int_equal(larch_serial_record_parse((larch_bytes){bytes, 22 + 10}, &record), LARCH_MALFORMED);
    bytes[1] = 1;
    assert_int_equal(larch_serial_record_parse((larch_bytes){bytes, 22 + 9}, &record), LARCH_MALFORMED);
    bytes[1] = 0, bytes[0] = 2, bytes[31] = 2;
    assert_int_equal(larch_serial_record_parse((larch_bytes){bytes, 32}, &record), LARCH_MALFORMED);
}

/* No single changed, lost or doubled byte yields a record, and the next one is found in any case. */
static void test_damage(void **state)
{
    (void)state;
    static uint8_t body[300], good[1024], damaged[2100];
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i % 7 == 0 ? 0 : i);
    const larch_serial_record_frame frame = frame_of(LARCH_BYTES(body));
    const size_t n = compose(&frame, none, sizeof line);
    memcpy(good, line, n);
    for (size_t at = 0; at < n; at++) {
        for (unsigned change = 1; change <= 257; change++) {
            size_t len = n;
            memcpy(damaged, good, n);
            if (change <= 255) {
                damaged[at] = (uint8_t)(damaged[at] ^ change);
            } else if (change == 256) { /* lost */
                memmove(damaged + at, damaged + at + 1, n - at - 1);
                len--;
            } else { /* doubled */
                memmove(damaged + at + 1, damaged + at, n - at);
                len++;
            }
            memcpy(damaged + len, good, n);
            larch_bytes input = {damaged, len + n};
            size_t whole = 0, at_last = 0;
            larch_serial_decoder_init(&decoder);
            while (input.len > 0) {
                larch_bytes out;
                if (larch_serial_decode(&decoder, &input, &out) == LARCH_SERIAL_WHOLE) {
                    whole++;
                    at_last = input.len;
                }
            }
            /* A delimiter that is lost or doubled does no harm: the neighbour's serves. */
            const bool harmless = change >= 256 && (at == 0 || at == n - 1);
            const bool alone = harmless && change == 256 && at == 0; /* the first of all: nothing stands before it */
            assert_int_equal(whole, harmless && !alone ? 2 : 1);
            assert_int_equal(at_last, 0);
        }
    }
}

/* From any place on, with any bytes before. */
static void test_resynchronise(void **state)
{
    (void)state;
    static uint8_t bytes[1500], stream[2 * sizeof bytes];
    larch_serial_record record;
    srand(2);
    for (unsigned round = 0; round < 3000; round++) {
        const size_t junk = (size_t)rand() % sizeof bytes;
        for (size_t i = 0; i < junk; i++)
            stream[i] = (uint8_t)(rand() % 9 == 0 ? rand() % 4 : rand());
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(rand() % 50 == 0 ? 0 : rand());
        const size_t len = (size_t)rand() % 1000;
        const larch_serial_record_frame frame = frame_of((larch_bytes){bytes, len});
        const size_t n = compose(&frame, none, sizeof line);
        memcpy(stream + junk, line, n);
        larch_bytes input = {stream, junk + n};
        larch_serial_found last = LARCH_SERIAL_NOTHING;
        larch_serial_decoder_init(&decoder);
        while (input.len > 0)
            last = decode(&input, &record);
        assert_int_equal(last, LARCH_SERIAL_WHOLE);
        check_same(&frame, &record, bytes, len);
    }
}

/* Text beside records: of a starting or failing board, and of the prototype. */
static void test_lines(void **state)
{
    (void)state;
    static const char text[] = "boot\r\n\r\n#pkt#4500\nbell\a\n\x02 no\n\0fault: stack";
    static const struct {
        larch_serial_found found;
        const char *bytes;
    } expected[] = {{LARCH_SERIAL_LINE, "boot"},         {LARCH_SERIAL_LINE, "#pkt#4500"},
                    {LARCH_SERIAL_GARBAGE, "bell\a"},    {LARCH_SERIAL_GARBAGE, "\x02 no"},
                    {LARCH_SERIAL_LINE, "fault: stack"}, {LARCH_SERIAL_WHOLE, NULL},
                    {LARCH_SERIAL_LINE, "after"}};
    uint8_t stream[256];
    const larch_serial_record_frame frame = frame_of(LARCH_TEXT("frame\n"));
    const size_t n = compose(&frame, none, sizeof line);
    memcpy(stream, text, sizeof text - 1);
    memcpy(stream + sizeof text - 1, line, n);
    memcpy(stream + sizeof text - 1 + n, "after\n", 6);
    for (size_t step = 1; step < 40; step++) {
        size_t i = 0;
        larch_serial_decoder_init(&decoder);
        for (size_t at = 0; at < sizeof text - 1 + n + 6; at += step) {
            const size_t left = sizeof text - 1 + n + 6 - at;
            larch_bytes input = {stream + at, left < step ? left : step}, out;
            larch_serial_found found;
            while ((found = larch_serial_decode(&decoder, &input, &out)) != LARCH_SERIAL_NOTHING) {
                assert_int_equal(found, expected[i].found);
                if (expected[i].bytes != NULL) {
                    assert_int_equal(out.len, strlen(expected[i].bytes));
                    assert_memory_equal(out.data, expected[i].bytes, out.len);
                }
                i++;
            }
        }
        assert_int_equal(i, sizeof expected / sizeof *expected);
    }
}

/* What is longer than anything valid is told as such, once. */
static void test_too_long(void **state)
{
    (void)state;
    static uint8_t stream[3 * LARCH_SERIAL_RECORD_MAX];
    larch_bytes out;
    memset(stream, 'a', sizeof stream);
    stream[sizeof stream - 1] = '\n';
    larch_bytes input = LARCH_BYTES(stream);
    larch_serial_decoder_init(&decoder);
    assert_int_equal(larch_serial_decode(&decoder, &input, &out), LARCH_SERIAL_GARBAGE);
    assert_int_equal(input.len, 0);
    stream[0] = 0, stream[1] = 2, stream[sizeof stream - 1] = 0;
    input = LARCH_BYTES(stream);
    assert_int_equal(larch_serial_decode(&decoder, &input, &out), LARCH_SERIAL_BAD);
    assert_int_equal(input.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drawn),         cmocka_unit_test(test_round_trip), cmocka_unit_test(test_status_and_text),
        cmocka_unit_test(test_parse_refuses), cmocka_unit_test(test_damage),     cmocka_unit_test(test_resynchronise),
        cmocka_unit_test(test_lines),         cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
