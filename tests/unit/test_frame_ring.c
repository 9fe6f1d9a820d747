/* SPDX-License-Identifier: Apache-2.0 */
/* The ring and the line behind it: frames that come at random, through a line that takes bytes at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/serial_decoder.h"
#include "roles/sniffer_line.h"

static larch_frame_ring ring;
static larch_sniffer_line line;
static larch_serial_decoder decoder;

/* Every byte of a frame follows from its number, so that the reader knows it again. */
static void fill(uint32_t sequence, uint8_t *out, size_t len)
{
    uint32_t x = sequence * 2654435761u + 1;
    for (size_t i = 0; i < len; i++, x = x * 1664525u + 1013904223u)
        out[i] = x >> 30 == 0 ? 0 : (uint8_t)(x >> 24);
}

/* What the far end has seen. */
static struct {
    uint32_t frames;
    uint32_t next;    /* sequence number */
    uint32_t dropped; /* as the last frame told */
    uint32_t statuses;
    uint32_t texts;
    size_t lengths[1 << 16]; /* on the air, by sequence number */
} seen;

static void take_frame(const larch_serial_record_frame *f)
{
    static uint8_t expected[UINT16_MAX];
    const uint32_t missing = f->sequence - seen.next;
    assert_true(f->sequence >= seen.next);
    assert_int_equal(missing, f->dropped - seen.dropped);
    assert_true(f->time_us == 1000 + f->sequence);
    assert_int_equal(f->channel, 1 + f->sequence % 14);
    assert_int_equal(f->signal_dbm, -(int)(f->sequence % 129));
    assert_int_equal(f->length, seen.lengths[f->sequence % (1 << 16)]);
    fill(f->sequence, expected, f->bytes.len);
    assert_memory_equal(f->bytes.data, expected, f->bytes.len);
    seen.next = f->sequence + 1;
    seen.dropped = f->dropped;
    seen.frames++;
}

static void take_bytes(larch_bytes bytes)
{
    larch_bytes out;
    larch_serial_record record;
    larch_serial_found found;
    while ((found = larch_serial_decode(&decoder, &bytes, &out)) != LARCH_SERIAL_NOTHING) {
        assert_int_equal(found, LARCH_SERIAL_WHOLE);
        assert_int_equal(larch_serial_record_parse(out, &record), LARCH_OK);
        if (record.type == LARCH_SERIAL_RECORD_FRAME)
            take_frame(&record.of.frame);
        seen.texts += record.type == LARCH_SERIAL_RECORD_TEXT;
        if (record.type == LARCH_SERIAL_RECORD_STATUS) {
            const larch_serial_record_status *s = &record.of.status;
            assert_int_equal(s->heard - s->dropped - s->waiting, seen.frames);
            assert_in_range(s->ring_used, 0, s->ring_size - 1);
            seen.statuses++;
        }
    }
}

static void drain(size_t budget)
{
    while (budget > 0) {
        const larch_bytes bytes = larch_sniffer_line_peek(&line, 5);
        const size_t len = bytes.len < budget ? bytes.len : budget;
        if (len == 0)
            return;
        take_bytes((larch_bytes){bytes.data, len});
        larch_sniffer_line_sent(&line, len);
        budget -= len;
    }
}

static void begin(uint8_t *memory, uint32_t size)
{
    memset(&seen, 0, sizeof seen);
    larch_frame_ring_init(&ring, memory, size);
    larch_sniffer_line_init(&line, &ring);
    larch_serial_decoder_init(&decoder);
    larch_frame_ring_run(&ring, true);
}

/* Puts the next frame; it must be taken if, and only if, there is room for what is kept of it. */
static bool hear(uint32_t sequence, size_t len)
{
    static uint8_t bytes[UINT16_MAX];
    larch_serial_record_status before, after;
    fill(sequence, bytes, len);
    seen.lengths[sequence % (1 << 16)] = len;
    larch_frame_ring_tell(&ring, &before);
    assert_int_equal(before.heard, sequence);
    const larch_board_frame frame = {
        1000 + sequence, (uint8_t)(1 + sequence % 14), (int8_t) - (int)(sequence % 129), {bytes, len}};
    larch_frame_ring_put(&ring, &frame);
    larch_frame_ring_tell(&ring, &after);
    size_t kept = len < before.snap ? len : before.snap;
    kept = kept < before.ring_size - 1 - LARCH_FRAME_RING_HEAD ? kept : before.ring_size - 1 - LARCH_FRAME_RING_HEAD;
    const bool fits = before.ring_used + LARCH_FRAME_RING_HEAD + kept < before.ring_size;
    assert_int_equal(after.heard, sequence + 1);
    assert_int_equal(after.dropped - before.dropped, fits ? 0 : 1);
    assert_int_equal(after.ring_used - before.ring_used, fits ? LARCH_FRAME_RING_HEAD + kept : 0);
    return fits;
}

static void run(unsigned seed, uint32_t size)
{
    uint8_t *memory = malloc(size); /* of exactly this size, so that a sanitizer sees a step past it */
    assert_non_null(memory);
    srand(seed);
    begin(memory, size);
    const int rate = 1 + rand() % 600, longest = 1 + rand() % 2000;
    uint32_t sequence = 0, accepted = 0, texts = 0, statuses = 0;
    for (unsigned step = 0; step < 3000; step++) {
        if (rand() % 3 == 0)
            accepted += hear(sequence++, (size_t)(rand() % longest));
        if (rand() % 300 == 0)
            larch_frame_ring_snap(&ring, (uint16_t)(1 + rand() % LARCH_SERIAL_RECORD_SNAP_MAX));
        if (rand() % 100 == 0)
            texts += larch_sniffer_line_text(&line, LARCH_TEXT("ok: text")) ? 1 : 0;
        if (rand() % 100 == 0 && !line.status_due) {
            larch_sniffer_line_status(&line);
            statuses++;
        }
        drain((size_t)(rand() % rate));
    }
    drain(SIZE_MAX);
    larch_serial_record_status end;
    larch_frame_ring_tell(&ring, &end);
    assert_int_equal(seen.frames, accepted);
    assert_int_equal(end.dropped, sequence - accepted);
    assert_int_equal(end.waiting, 0);
    assert_int_equal(end.ring_used, 0);
    assert_int_equal(seen.texts, texts);
    assert_int_equal(seen.statuses, statuses);
    free(memory);
}

static void test_random(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 60; seed++)
        run(seed, seed % 4 == 0 ? 24 + seed : 500 + 257 * seed);
}

/* A line that is as fast as the air loses nothing; one that stands still loses all that the ring has no room for, and says so. */
static void test_only_a_full_line_drops(void **state)
{
    (void)state;
    static uint8_t memory[4096];
    begin(memory, sizeof memory);
    uint32_t sequence = 0;
    for (; sequence < 1000; sequence++) {
        assert_true(hear(sequence, 1500));
        drain(SIZE_MAX);
    }
    const uint32_t room = (sizeof memory - 1) / (LARCH_FRAME_RING_HEAD + 300);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(hear(sequence++, 300), i < room);
    drain(SIZE_MAX);
    assert_int_equal(seen.frames, 1000 + room);
    assert_int_equal(seen.dropped, 0); /* the last that came has none before it */
    assert_true(hear(sequence, 10));
    drain(SIZE_MAX);
    assert_int_equal(seen.dropped, 100 - room);
    assert_int_equal(seen.next, sequence + 1);
}

/* Frames longer than the ring or snap are cut, and say how long they were. */
static void test_cut(void **state)
{
    (void)state;
    static uint8_t memory[128], bytes[3 * UINT16_MAX / 2];
    larch_serial_record_frame frame;
    larch_bytes rest;
    begin(memory, sizeof memory);
    larch_board_frame heard = {1, 1, -1, {bytes, 1000}};
    larch_frame_ring_put(&ring, &heard);
    assert_true(larch_frame_ring_peek(&ring, &frame, &rest));
    assert_int_equal(frame.bytes.len + rest.len, sizeof memory - 1 - LARCH_FRAME_RING_HEAD);
    assert_int_equal(frame.length, 1000);
    larch_frame_ring_release(&ring);
    larch_frame_ring_snap(&ring, 7);
    heard.bytes.len = sizeof bytes;
    larch_frame_ring_put(&ring, &heard);
    assert_true(larch_frame_ring_peek(&ring, &frame, &rest));
    assert_int_equal(frame.bytes.len + rest.len, 7);
    assert_int_equal(frame.length, UINT16_MAX);
}

static void test_stopped(void **state)
{
    (void)state;
    static uint8_t memory[128];
    larch_serial_record_status status;
    larch_serial_record_frame frame;
    larch_bytes rest;
    begin(memory, sizeof memory);
    larch_frame_ring_run(&ring, false);
    const larch_board_frame heard = {1, 1, -1, LARCH_TEXT("x")};
    larch_frame_ring_put(&ring, &heard);
    larch_frame_ring_tell(&ring, &status);
    assert_int_equal(status.heard, 0);
    assert_false(status.running);
    assert_false(larch_frame_ring_peek(&ring, &frame, &rest));
    assert_int_equal(larch_sniffer_line_peek(&line, 5).len, 0);
}

/* Answers overtake frames, and wait when there is no room for them. */
static void test_texts(void **state)
{
    (void)state;
    static uint8_t memory[4096], text[LARCH_SERIAL_RECORD_TEXT_MAX + 9];
    begin(memory, sizeof memory);
    memset(text, 'x', sizeof text);
    for (uint32_t i = 0; i < 5; i++)
        assert_true(hear(i, 300));
    const uint32_t fit = LARCH_SNIFFER_LINE_TEXTS / (2 + LARCH_SERIAL_RECORD_TEXT_MAX);
    for (uint32_t i = 0; i < fit; i++)
        assert_true(larch_sniffer_line_text(&line, LARCH_BYTES(text)));
    assert_false(larch_sniffer_line_text(&line, LARCH_BYTES(text)));
    larch_sniffer_line_status(&line);
    while (seen.statuses == 0)
        drain(1);
    assert_int_equal(seen.texts, fit);
    assert_int_equal(seen.frames, 0);
    assert_true(larch_sniffer_line_text(&line, LARCH_BYTES(text)));
    drain(SIZE_MAX);
    assert_int_equal(seen.texts, fit + 1);
    assert_int_equal(seen.frames, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random), cmocka_unit_test(test_only_a_full_line_drops),
        cmocka_unit_test(test_cut),    cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
