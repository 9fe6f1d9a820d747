/* SPDX-License-Identifier: Apache-2.0 */
/* First byte: how many bytes come at a time; then what the line carries. Whatever it was, the record behind it is found. */
#include <string.h>

#include "board/serial_decoder.h"
#include "fuzz.h"
#include "sniff/serial/serial.h"

/* What parses composes to the same bytes again. */
static void check_whole(larch_bytes body)
{
    static larch_serial_record_encoder encoder;
    static larch_serial_decoder again;
    static uint8_t line[LARCH_SERIAL_RECORD_ON_LINE(LARCH_SERIAL_RECORD_MAX)];
    larch_serial_record record;
    if (larch_serial_record_parse(body, &record) != LARCH_OK)
        return;
    if (record.type == LARCH_SERIAL_RECORD_FRAME)
        require(larch_serial_record_begin_frame(&encoder, &record.of.frame, (larch_bytes){NULL, 0}) == LARCH_OK);
    else if (record.type == LARCH_SERIAL_RECORD_STATUS)
        larch_serial_record_begin_status(&encoder, &record.of.status);
    else
        require(larch_serial_record_begin_text(&encoder, record.of.text) == LARCH_OK);
    larch_bytes input = {line, larch_serial_record_encode(&encoder, line, sizeof line)}, out;
    require(larch_serial_record_done(&encoder));
    larch_serial_decoder_init(&again);
    require(larch_serial_decode(&again, &input, &out) == LARCH_SERIAL_WHOLE && larch_bytes_equal(out, body));
}

/* The host's side: what it makes of the same bytes keeps its promises. */
static void check_serial(larch_bytes input)
{
    static larch_sniff_serial serial;
    larch_sniff_serial_event event;
    larch_sniff_serial_item item;
    uint64_t now_ns = UINT64_C(1) << 60, last_ns = 0;
    larch_sniff_serial_init(&serial);
    while ((event = larch_sniff_serial_next(&serial, &input, now_ns, &item)) != LARCH_SNIFF_SERIAL_NOTHING) {
        require(item.missing >= item.dropped || event != LARCH_SNIFF_SERIAL_FRAME);
        for (size_t i = 0; i < item.talk.len; i++)
            require((item.talk.data[i] >= 0x20 && item.talk.data[i] <= 0x7e) || item.talk.data[i] == '\t');
        if (event != LARCH_SNIFF_SERIAL_FRAME)
            continue;
        require(item.frame.bytes.len > 0 && item.frame.bytes.len <= LARCH_SNIFF_SERIAL_SNAPLEN);
        require(item.frame.wire_len >= item.frame.bytes.len);
        if (item.frame.linktype == LARCH_SNIFF_LINK_RADIOTAP) {
            require(item.frame.time_ns >= last_ns);
            last_ns = item.frame.time_ns;
        }
        now_ns += 1000;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t frame[] = {8, 0, 0, 0, 0xff, 2, 0};
    static larch_serial_decoder decoder;
    uint8_t
        line[LARCH_SERIAL_RECORD_ON_LINE(LARCH_SERIAL_RECORD_HEAD_MAX + sizeof frame + LARCH_SERIAL_RECORD_CRC_LEN)];
    larch_serial_record_encoder encoder;
    larch_serial_found found;
    larch_serial_record record;
    larch_bytes out;

    if (size == 0)
        return 0;
    const size_t step = data[0] == 0 ? size : data[0];
    size_t taken = 0;
    larch_serial_decoder_init(&decoder);
    for (size_t at = 1; at < size; at += step) {
        larch_bytes input = {data + at, size - at < step ? size - at : step};
        while ((found = larch_serial_decode(&decoder, &input, &out)) != LARCH_SERIAL_NOTHING) {
            taken += out.len;
            require(found != LARCH_SERIAL_LINE || (out.len > 0 && memchr(out.data, '\n', out.len) == NULL));
            if (found == LARCH_SERIAL_WHOLE)
                check_whole(out);
        }
        require(input.len == 0);
    }
    require(taken <= size); /* no byte is told twice */
    check_serial((larch_bytes){data + 1, size - 1});

    const larch_serial_record_frame last = {7, 1, 1u << 31, 14, -90, 200, LARCH_BYTES(frame)};
    require(larch_serial_record_begin_frame(&encoder, &last, (larch_bytes){NULL, 0}) == LARCH_OK);
    larch_bytes input = {line, larch_serial_record_encode(&encoder, line, sizeof line)};
    require(larch_serial_record_done(&encoder));
    found = larch_serial_decode(&decoder, &input, &out);
    if (input.len > 0) /* its first 0x00 ended what came before */
        found = larch_serial_decode(&decoder, &input, &out);
    require(found == LARCH_SERIAL_WHOLE && larch_serial_record_parse(out, &record) == LARCH_OK);
    require(record.of.frame.sequence == 7 && larch_bytes_equal(record.of.frame.bytes, last.bytes));
    return 0;
}
