/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/write/text.h"

#include <string.h>

#include "sniff/dissect/dissector.h"
#include "text/peer.h"
#include "text/text.h"

#define FOREIGN_MAX 64 /* bytes of a stranger that a line shows */

/* ---- colour ------------------------------------------------------------ */

static const char *paint(const larch_sniff_style *style, const char *code) { return style->colour ? code : ""; }

#define DIM    "\033[2m"
#define BOLD   "\033[1m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[1;31m"
#define PLAIN  "\033[0m"

static const char *severity_paint(larch_sniff_severity severity)
{
    static const char *const codes[] = {
        [LARCH_SNIFF_NOTICE] = GREEN, [LARCH_SNIFF_WARNING] = YELLOW, [LARCH_SNIFF_ALARM] = RED};
    return codes[severity];
}

/* ---- fields ------------------------------------------------------------ */

static void put_value(larch_writer *w, const larch_sniff_value *v)
{
    switch (v->type) {
    case LARCH_SNIFF_VALUE_TEXT:
        larch_text_put(w, v->of.text);
        break;
    case LARCH_SNIFF_VALUE_NUMBER:
        larch_text_put_number(w, v->of.number);
        break;
    case LARCH_SNIFF_VALUE_INTEGER:
        larch_text_put_format(w, "%lld", (long long)v->of.integer);
        break;
    case LARCH_SNIFF_VALUE_LIST:
        for (size_t i = 0; i < v->of.list.count; i++)
            larch_text_put_format(w, "%s%lld", i == 0 ? "" : " ", (long long)v->of.list.numbers[i]);
        break;
    case LARCH_SNIFF_VALUE_BLOCK:
        larch_text_put_format(w, "%lu%s/%zu", (unsigned long)v->of.block.num, v->of.block.more ? "+" : "",
                              larch_coap_block_size(v->of.block.szx));
        break;
    case LARCH_SNIFF_VALUE_MS:
        larch_text_put_format(w, "%.3f ms", v->of.ms);
        break;
    case LARCH_SNIFF_VALUE_HEX:
        if (v->of.bytes.len == 0)
            larch_text_put(w, "-");
        larch_text_put_hex(w, v->of.bytes);
        break;
    case LARCH_SNIFF_VALUE_FOREIGN:
        larch_text_put_plain_ascii(w, larch_text_first(v->of.bytes, FOREIGN_MAX));
        if (v->of.bytes.len > FOREIGN_MAX)
            larch_text_put(w, "...");
        break;
    }
}

static void put_spaces(larch_writer *w, size_t count)
{
    while (count-- > 0)
        larch_writer_put_u8(w, ' ');
}

static void put_field(larch_writer *w, const larch_sniff_style *style, const larch_sniff_field *f,
                      const larch_sniff_value *v)
{
    static const char *const codes[] = {[LARCH_SNIFF_PLAIN] = "", [LARCH_SNIFF_BOLD] = BOLD, [LARCH_SNIFF_DIM] = DIM};
    const bool painted = f->column.emphasis != LARCH_SNIFF_PLAIN, left = f->column.width < 0;
    const size_t width = (size_t)(left ? -f->column.width : f->column.width);
    uint8_t bytes[512];
    larch_writer value = larch_writer_to(bytes, sizeof bytes);
    put_value(&value, v);
    const size_t len = value.len < value.cap ? value.len : value.cap, padding = len < width ? width - len : 0;

    larch_text_put(w, f->column.before);
    larch_text_put(w, paint(style, codes[f->column.emphasis]));
    put_spaces(w, left ? 0 : padding);
    larch_writer_put(w, (larch_bytes){bytes, len});
    put_spaces(w, left ? padding : 0);
    larch_text_put(w, painted ? paint(style, PLAIN) : "");
    larch_text_put(w, f->column.after);
}

static void put_fields(larch_writer *w, const larch_sniff_style *style, const larch_sniff_packet *p)
{
    larch_sniff_field_walk walk = {0, 0};
    const larch_sniff_field *f;
    larch_sniff_value value;
    unsigned message;
    while ((f = larch_sniff_field_next(&walk, p, &message)) != NULL)
        if ((f->column.of & LARCH_SNIFF_OF(message)) != 0 && f->get(p, &value))
            put_field(w, style, f, &value);
}

/* ---- lines ------------------------------------------------------------- */

/* "     7  15:00:00.123456  " */
static void put_head(larch_writer *w, const larch_sniff_style *style, uint64_t number, uint64_t time_ns)
{
    larch_text_put_format(w, "%6llu  %s", (unsigned long long)number, paint(style, DIM));
    larch_text_put_clock(w, (int64_t)(time_ns / 1000), LARCH_TEXT_US);
    larch_text_put(w, paint(style, PLAIN));
    larch_text_put(w, "  ");
}

static void put_end(larch_writer *w, const larch_sniff_style *style, const larch_sniff_packet *p,
                    const larch_sniff_alert *alerts, size_t alert_count)
{
    if (p->kind == LARCH_SNIFF_CUT || p->datagram.payload.len < p->datagram.payload_len)
        larch_text_put_format(w, "  [%zu of %zu bytes captured]", p->datagram.payload.len, p->datagram.payload_len);
    if (p->datagram.checksum == LARCH_SNIFF_CHECKSUM_BAD)
        larch_text_put(w, "  [wrong UDP checksum]");
    if (p->datagram.reassembled)
        larch_text_put(w, "  [from fragments]");
    for (size_t i = 0; i < alert_count; i++)
        if (i == 0 || alerts[i].kind != alerts[i - 1].kind)
            larch_text_put_format(w, "  %s!%s%s",
                                  paint(style, severity_paint(larch_sniff_alert_severity(alerts[i].kind))),
                                  larch_sniff_alert_name(alerts[i].kind), paint(style, PLAIN));
    while (w->len > 0 && w->len <= w->cap && w->data[w->len - 1] == ' ')
        w->len--; /* of columns that stayed empty */
    larch_text_put(w, "\n");
}

void larch_sniff_text_packet(larch_writer *w, larch_sniff_style *style, const larch_sniff_packet *p,
                             const larch_sniff_alert *alerts, size_t alert_count)
{
    char source[LARCH_TEXT_PEER_MAX], destination[LARCH_TEXT_PEER_MAX];
    if (p->kind == LARCH_SNIFF_NOT_COAP)
        return;
    larch_text_of_peer(&p->datagram.source, source);
    larch_text_of_peer(&p->datagram.destination, destination);
    int width = style->address_width < 20 ? 20 : style->address_width;
    if ((int)strlen(source) > width)
        width = (int)strlen(source);
    if ((int)strlen(destination) > width)
        width = (int)strlen(destination);
    style->address_width = width;

    put_head(w, style, p->number, p->time_ns);
    larch_text_put_format(w, "%-*s > %-*s  ", width, source, width, destination);
    put_fields(w, style, p);
    put_end(w, style, p, alerts, alert_count);
}

void larch_sniff_text_alert(larch_writer *w, larch_sniff_style *style, const larch_sniff_alert *alert)
{
    larch_sniff_severity severity = larch_sniff_alert_severity(alert->kind);
    put_head(w, style, alert->number, alert->time_ns);
    larch_text_put_format(w, "%s%-7s  %s%s: ", paint(style, severity_paint(severity)),
                          larch_sniff_severity_text(severity), larch_sniff_alert_name(alert->kind),
                          paint(style, PLAIN));
    larch_text_put_format(w, "%s\n", alert->text);
}
