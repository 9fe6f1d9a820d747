/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "serial_record.h"

#define RUN_MAX 254 /* bytes of a COBS block without its code */

enum { DONE, DELIMITER, CODE, RUN, END };

/* ---- fields ------------------------------------------------------------ */

/* The byte after the type is always 0, so the first COBS code is always 2, which begins no text. */
static void begin(larch_serial_record_encoder *e, larch_serial_record_type type, larch_writer *w)
{
    memset(e, 0, sizeof *e);
    *w = larch_writer_to(e->head, sizeof e->head);
    larch_writer_put_u8(w, (uint8_t)type);
    larch_writer_put_u8(w, 0);
}

static void finish(larch_serial_record_encoder *e, const larch_writer *head, larch_bytes first, larch_bytes second)
{
    e->head_len = head->len;
    e->body[0] = first;
    e->body[1] = second;
    uint32_t crc = larch_crc32(0, (larch_bytes){e->head, e->head_len});
    crc = larch_crc32(larch_crc32(crc, first), second);
    larch_writer w = larch_writer_to(e->crc, sizeof e->crc);
    larch_writer_put_u32(&w, crc);
    e->phase = DELIMITER;
}

/*  1 | 0 | sequence 4 | dropped 4 | time 8 | channel 1 | signal 1 | length 2 | bytes  */
larch_error larch_serial_record_begin_frame(larch_serial_record_encoder *e, const larch_serial_record_frame *frame,
                                            larch_bytes rest)
{
    larch_writer w;
    begin(e, LARCH_SERIAL_RECORD_FRAME, &w);
    if (frame->bytes.len > LARCH_SERIAL_RECORD_SNAP_MAX || rest.len > LARCH_SERIAL_RECORD_SNAP_MAX - frame->bytes.len)
        return LARCH_SPACE;
    larch_writer_put_u32(&w, frame->sequence);
    larch_writer_put_u32(&w, frame->dropped);
    larch_writer_put_u64(&w, frame->time_us);
    larch_writer_put_u8(&w, frame->channel);
    larch_writer_put_u8(&w, (uint8_t)frame->signal_dbm);
    larch_writer_put_u16(&w, frame->length);
    finish(e, &w, frame->bytes, rest);
    return LARCH_OK;
}

/*  2 | 0 | time 8 | heard 4 | dropped 4 | waiting 2 | snap 2 | ring used 4 | ring size 4 | channel 1 | running 1  */
void larch_serial_record_begin_status(larch_serial_record_encoder *e, const larch_serial_record_status *status)
{
    larch_writer w;
    begin(e, LARCH_SERIAL_RECORD_STATUS, &w);
    larch_writer_put_u64(&w, status->time_us);
    larch_writer_put_u32(&w, status->heard);
    larch_writer_put_u32(&w, status->dropped);
    larch_writer_put_u16(&w, status->waiting);
    larch_writer_put_u16(&w, status->snap);
    larch_writer_put_u32(&w, status->ring_used);
    larch_writer_put_u32(&w, status->ring_size);
    larch_writer_put_u8(&w, status->channel);
    larch_writer_put_u8(&w, status->running ? 1 : 0);
    finish(e, &w, (larch_bytes){NULL, 0}, (larch_bytes){NULL, 0});
}

/*  3 | 0 | text  */
larch_error larch_serial_record_begin_text(larch_serial_record_encoder *e, larch_bytes text)
{
    larch_writer w;
    begin(e, LARCH_SERIAL_RECORD_TEXT, &w);
    if (text.len > LARCH_SERIAL_RECORD_TEXT_MAX)
        return LARCH_SPACE;
    finish(e, &w, text, (larch_bytes){NULL, 0});
    return LARCH_OK;
}

static larch_error parse_frame(larch_reader *r, larch_serial_record_frame *f)
{
    larch_error e;
    uint8_t signal;
    if ((e = larch_reader_take_u32(r, &f->sequence)) != LARCH_OK ||
        (e = larch_reader_take_u32(r, &f->dropped)) != LARCH_OK ||
        (e = larch_reader_take_u64(r, &f->time_us)) != LARCH_OK ||
        (e = larch_reader_take_u8(r, &f->channel)) != LARCH_OK || (e = larch_reader_take_u8(r, &signal)) != LARCH_OK ||
        (e = larch_reader_take_u16(r, &f->length)) != LARCH_OK)
        return e;
    f->signal_dbm = (int8_t)signal;
    if (r->left.len > f->length || r->left.len > LARCH_SERIAL_RECORD_SNAP_MAX)
        return LARCH_MALFORMED;
    return larch_reader_take(r, r->left.len, &f->bytes);
}

static larch_error parse_status(larch_reader *r, larch_serial_record_status *s)
{
    larch_error e;
    uint8_t running;
    if ((e = larch_reader_take_u64(r, &s->time_us)) != LARCH_OK ||
        (e = larch_reader_take_u32(r, &s->heard)) != LARCH_OK ||
        (e = larch_reader_take_u32(r, &s->dropped)) != LARCH_OK ||
        (e = larch_reader_take_u16(r, &s->waiting)) != LARCH_OK ||
        (e = larch_reader_take_u16(r, &s->snap)) != LARCH_OK ||
        (e = larch_reader_take_u32(r, &s->ring_used)) != LARCH_OK ||
        (e = larch_reader_take_u32(r, &s->ring_size)) != LARCH_OK ||
        (e = larch_reader_take_u8(r, &s->channel)) != LARCH_OK || (e = larch_reader_take_u8(r, &running)) != LARCH_OK)
        return e;
    s->running = running != 0;
    return running <= 1 && r->left.len == 0 ? LARCH_OK : LARCH_MALFORMED;
}

static larch_error parse_text(larch_reader *r, larch_bytes *text)
{
    return r->left.len <= LARCH_SERIAL_RECORD_TEXT_MAX ? larch_reader_take(r, r->left.len, text) : LARCH_MALFORMED;
}

larch_error larch_serial_record_parse(larch_bytes bytes, larch_serial_record *out)
{
    larch_reader r = larch_reader_of(bytes);
    larch_serial_record record;
    larch_error e;
    uint8_t type, zero;
    memset(&record, 0, sizeof record);
    if ((e = larch_reader_take_u8(&r, &type)) != LARCH_OK || (e = larch_reader_take_u8(&r, &zero)) != LARCH_OK)
        return e;
    switch (zero == 0 ? type : 0) {
    case LARCH_SERIAL_RECORD_FRAME:
        e = parse_frame(&r, &record.of.frame);
        break;
    case LARCH_SERIAL_RECORD_STATUS:
        e = parse_status(&r, &record.of.status);
        break;
    case LARCH_SERIAL_RECORD_TEXT:
        e = parse_text(&r, &record.of.text);
        break;
    default:
        e = LARCH_MALFORMED;
    }
    if (e != LARCH_OK)
        return e;
    record.type = (larch_serial_record_type)type;
    *out = record;
    return LARCH_OK;
}

/* ---- the line ---------------------------------------------------------- */

/* The bytes from place at on that lie together; none: the record is over. */
static larch_bytes piece_at(const larch_serial_record_encoder *e, size_t at)
{
    const larch_bytes pieces[] = {{e->head, e->head_len}, e->body[0], e->body[1], {e->crc, sizeof e->crc}};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        if (at < pieces[i].len)
            return (larch_bytes){pieces[i].data + at, pieces[i].len - at};
        at -= pieces[i].len;
    }
    return (larch_bytes){NULL, 0};
}

/* Bytes from the present place to the next zero or the end, at most RUN_MAX. */
static uint8_t measure_run(const larch_serial_record_encoder *e)
{
    size_t run = 0;
    while (run < RUN_MAX) {
        const larch_bytes piece = piece_at(e, e->at + run);
        const size_t look = piece.len < RUN_MAX - run ? piece.len : RUN_MAX - run;
        const uint8_t *zero = look > 0 ? memchr(piece.data, 0, look) : NULL;
        if (look == 0 || zero != NULL)
            return (uint8_t)(run + (zero != NULL ? (size_t)(zero - piece.data) : 0));
        run += look;
    }
    return RUN_MAX;
}

static uint8_t begin_block(larch_serial_record_encoder *e)
{
    e->run = measure_run(e);
    e->full = e->run == RUN_MAX;
    e->phase = RUN;
    return (uint8_t)(e->run + 1);
}

/* A block that was not full stands for the zero behind it too, but for the last, where the record ends. */
static void end_block(larch_serial_record_encoder *e)
{
    if (piece_at(e, e->at).len == 0) {
        e->phase = END;
        return;
    }
    if (!e->full)
        e->at++;
    e->phase = CODE;
}

static size_t copy_run(larch_serial_record_encoder *e, uint8_t *out, size_t cap)
{
    const larch_bytes piece = piece_at(e, e->at);
    size_t len = e->run < cap ? e->run : cap;
    len = piece.len < len ? piece.len : len;
    if (len > 0)
        memcpy(out, piece.data, len);
    e->at += len;
    e->run = (uint8_t)(e->run - len);
    return len;
}

size_t larch_serial_record_encode(larch_serial_record_encoder *e, uint8_t *out, size_t cap)
{
    size_t len = 0;
    while (len < cap && e->phase != DONE) {
        switch (e->phase) {
        case DELIMITER:
            out[len++] = 0;
            e->phase = CODE;
            break;
        case CODE:
            out[len++] = begin_block(e);
            break;
        case RUN:
            len += copy_run(e, out + len, cap - len);
            break;
        default: /* END */
            out[len++] = 0;
            e->phase = DONE;
        }
        if (e->phase == RUN && e->run == 0)
            end_block(e);
    }
    return len;
}

bool larch_serial_record_done(const larch_serial_record_encoder *e) { return e->phase == DONE; }
