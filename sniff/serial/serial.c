/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sniff/serial/serial.h"

#define DRIFT_PPM 200 /* more than two cheap crystals differ by */

void larch_sniff_serial_init(larch_sniff_serial *serial)
{
    memset(serial, 0, sizeof *serial);
    larch_serial_decoder_init(&serial->decoder);
}

/* ---- time -------------------------------------------------------------- */

/* Of the delays between board and here the least is the nearest to the truth; it may rise only as crystals drift. All
 * modulo 2^64: what a board tells may be anything, and a frame is never later than now. */
static uint64_t host_time(larch_sniff_serial *s, uint64_t board_us, uint64_t now_ns)
{
    const uint64_t sample = now_ns - board_us * 1000;
    if (s->clocked && board_us > s->clock_us) {
        s->offset_ns += (board_us - s->clock_us) * DRIFT_PPM / 1000;
        s->clock_us = board_us;
    }
    if (!s->clocked || s->offset_ns - sample <= INT64_MAX) {
        s->offset_ns = sample;
        s->clock_us = board_us;
        s->clocked = true;
    }
    const uint64_t time_ns = board_us * 1000 + s->offset_ns;
    if (time_ns > s->last_ns)
        s->last_ns = time_ns; /* frames keep their order when the offset falls */
    return s->last_ns;
}

/* ---- what is missing --------------------------------------------------- */

static void restart(larch_sniff_serial *s, larch_sniff_serial_item *item)
{
    item->restarted = true;
    s->totals.restarts++;
    s->next = s->next_dropped = 0;
    s->frame_us = s->latest_us = 0;
    s->clocked = false;
}

/* All frames below sequence have come by now or never will; so many of them were dropped by the board. */
static void account(larch_sniff_serial *s, uint32_t sequence, uint32_t dropped, larch_sniff_serial_item *item)
{
    if (s->known) {
        const uint32_t gap = sequence - s->next, by_board = dropped - s->next_dropped;
        item->dropped = by_board < gap ? by_board : gap;
        item->lost = gap - item->dropped;
        s->totals.dropped += item->dropped;
        s->totals.lost += item->lost;
        s->pending += gap;
    }
    s->known = true;
    s->next = sequence;
    s->next_dropped = dropped;
}

/* The board's counters only rise, modulo 2^32. */
static bool falls(const larch_sniff_serial *s, uint32_t sequence)
{
    return s->known && sequence - s->next > UINT32_MAX / 2;
}

/* ---- records ----------------------------------------------------------- */

static uint16_t frequency_of(uint8_t channel)
{
    if (channel == 0)
        return 0;
    if (channel <= 13)
        return (uint16_t)(2407 + 5 * channel);
    return (uint16_t)(channel == 14 ? 2484 : 5000 + 5 * channel);
}

/* [radiotap.org]  0 | 0 | length 2 LE | present 4 LE | TSFT 8 LE | flags 1 | 0 | frequency 2 LE, band 2 LE | dBm 1, if known  */
static void put_radiotap(larch_writer *w, const larch_serial_record_frame *f)
{
    enum { TSFT = 1 << 0, FLAGS = 1 << 1, CHANNEL = 1 << 3, DBM_SIGNAL = 1 << 5, BAND_2GHZ = 0x80, BAND_5GHZ = 0x100 };
    const bool has_signal = f->signal_dbm != LARCH_SERIAL_RECORD_SIGNAL_UNKNOWN;
    larch_writer_put_u16(w, 0);
    larch_writer_put_u16le(w, (uint16_t)(LARCH_SNIFF_RADIOTAP_MAX - (has_signal ? 0 : 1)));
    larch_writer_put_u16le(w, (uint16_t)(TSFT | FLAGS | CHANNEL | (has_signal ? DBM_SIGNAL : 0)));
    larch_writer_put_u16le(w, 0);
    for (unsigned i = 0; i < 8; i += 2)
        larch_writer_put_u16le(w, (uint16_t)(f->time_us >> 8 * i));
    larch_writer_put_u16(w, 0); /* no check sequence follows the frame */
    larch_writer_put_u16le(w, frequency_of(f->channel));
    larch_writer_put_u16le(w, f->channel <= 14 ? BAND_2GHZ : BAND_5GHZ);
    if (has_signal)
        larch_writer_put_u8(w, (uint8_t)f->signal_dbm);
}

static larch_sniff_serial_event take_frame(larch_sniff_serial *s, const larch_serial_record_frame *f, uint64_t now_ns,
                                           larch_sniff_serial_item *item)
{
    larch_writer w = larch_writer_to(s->bytes, sizeof s->bytes);
    if (f->time_us < s->frame_us || falls(s, f->sequence))
        restart(s, item);
    account(s, f->sequence, f->dropped, item);
    s->next++;
    s->frame_us = f->time_us;
    s->latest_us = f->time_us > s->latest_us ? f->time_us : s->latest_us;
    put_radiotap(&w, f);
    const size_t header_len = w.len;
    larch_writer_put(&w, f->bytes);
    item->missing = s->pending;
    item->frame = (larch_sniff_frame){
        host_time(s, f->time_us, now_ns), LARCH_SNIFF_LINK_RADIOTAP, {s->bytes, w.len}, header_len + f->length};
    s->pending = 0;
    s->totals.frames++;
    return LARCH_SNIFF_SERIAL_FRAME;
}

/* It overtakes the frames that wait in the ring. With none waiting, what did not come is missing. */
static larch_sniff_serial_event take_status(larch_sniff_serial *s, const larch_serial_record_status *status,
                                            uint64_t now_ns, larch_sniff_serial_item *item)
{
    if (status->time_us < s->latest_us || falls(s, status->heard))
        restart(s, item);
    if (status->waiting == 0)
        account(s, status->heard, status->dropped, item);
    s->latest_us = status->time_us;
    (void)host_time(s, status->time_us, now_ns);
    item->status = *status;
    return LARCH_SNIFF_SERIAL_STATUS;
}

/* Who comes late finds the rest of a record first. */
static larch_sniff_serial_event damaged(larch_sniff_serial *s)
{
    if (!s->begun)
        return LARCH_SNIFF_SERIAL_SKIPPED;
    s->totals.damaged++;
    return LARCH_SNIFF_SERIAL_DAMAGED;
}

static bool all_printable(larch_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e)
            return false;
    return true;
}

static larch_sniff_serial_event take_record(larch_sniff_serial *s, larch_bytes bytes, uint64_t now_ns,
                                            larch_sniff_serial_item *item)
{
    larch_serial_record record;
    if (larch_serial_record_parse(bytes, &record) != LARCH_OK)
        return damaged(s);
    if (record.type == LARCH_SERIAL_RECORD_FRAME)
        return take_frame(s, &record.of.frame, now_ns, item);
    if (record.type == LARCH_SERIAL_RECORD_STATUS)
        return take_status(s, &record.of.status, now_ns, item);
    if (!all_printable(record.of.text))
        return damaged(s);
    item->talk = record.of.text;
    return LARCH_SNIFF_SERIAL_TALK;
}

/* ---- the prototype's lines --------------------------------------------- */

static int nibble_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static larch_sniff_serial_event take_line(larch_sniff_serial *s, larch_bytes line, uint64_t now_ns,
                                          larch_sniff_serial_item *item)
{
    static const char mark[] = "#pkt#";
    if (line.len < sizeof mark - 1 || memcmp(line.data, mark, sizeof mark - 1) != 0) {
        item->talk = line;
        return LARCH_SNIFF_SERIAL_TALK;
    }
    const larch_bytes hex = {line.data + sizeof mark - 1, line.len - (sizeof mark - 1)};
    if (hex.len < 2 || (hex.len + 1) / 2 > sizeof s->bytes)
        return damaged(s);
    for (size_t i = 0; i < hex.len; i += 2) {
        /* A digit is lost at times; as in the prototype's own script, a 0 at the end stands in for it. */
        const int high = nibble_of(hex.data[i]), low = i + 1 < hex.len ? nibble_of(hex.data[i + 1]) : 0;
        if (high < 0 || low < 0)
            return damaged(s);
        s->bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    item->frame = (larch_sniff_frame){now_ns, LARCH_SNIFF_LINK_RAW, {s->bytes, (hex.len + 1) / 2}, (hex.len + 1) / 2};
    s->totals.frames++;
    return LARCH_SNIFF_SERIAL_FRAME;
}

static larch_sniff_serial_event take(larch_sniff_serial *s, larch_serial_found found, larch_bytes bytes,
                                     uint64_t now_ns, larch_sniff_serial_item *item)
{
    switch (found) {
    case LARCH_SERIAL_WHOLE:
        s->begun = true;
        return take_record(s, bytes, now_ns, item);
    case LARCH_SERIAL_LINE:
        s->begun = true;
        return take_line(s, bytes, now_ns, item);
    case LARCH_SERIAL_NOTHING:
        return LARCH_SNIFF_SERIAL_NOTHING;
    default:
        return damaged(s);
    }
}

larch_sniff_serial_event larch_sniff_serial_next(larch_sniff_serial *serial, larch_bytes *input, uint64_t now_ns,
                                                 larch_sniff_serial_item *item)
{
    larch_bytes bytes;
    memset(item, 0, sizeof *item);
    const larch_serial_found found = larch_serial_decode(&serial->decoder, input, &bytes);
    return take(serial, found, bytes, now_ns, item);
}
