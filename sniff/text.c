/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sniff/text_int.h"

#define DIAGNOSTIC_MAX 64 /* bytes shown of an error's payload */

const char *const larch_sniff_type_text[4] = {"CON", "NON", "ACK", "RST"};

char *larch_sniff_host_text(const larch_peer *peer, char text[LARCH_SNIFF_PEER_TEXT])
{
    bool v4 = larch_peer_is_ipv4(peer);
    if (inet_ntop(v4 ? AF_INET : AF_INET6, peer->address + (v4 ? 12 : 0), text, LARCH_SNIFF_PEER_TEXT) == NULL)
        text[0] = 0;
    return text;
}

char *larch_sniff_peer_text(const larch_peer *peer, char text[LARCH_SNIFF_PEER_TEXT])
{
    char host[LARCH_SNIFF_PEER_TEXT];
    larch_sniff_host_text(peer, host);
    (void)snprintf(text, LARCH_SNIFF_PEER_TEXT, larch_peer_is_ipv4(peer) ? "%.46s:%u" : "[%.46s]:%u", host,
                   (unsigned)peer->port);
    return text;
}

void larch_sniff_put(larch_writer *w, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments); /* NOLINT(clang-analyzer-valist.Uninitialized) */
    va_end(arguments);
    if (len > 0)
        larch_writer_put(
            w, (larch_bytes){(const uint8_t *)text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1});
}

void larch_sniff_put_escaped(larch_writer *w, larch_bytes bytes, size_t max)
{
    for (size_t i = 0; i < bytes.len && i < max; i++) {
        uint8_t c = bytes.data[i];
        if (c >= 0x20 && c < 0x7f && c != '\\' && c != '"')
            larch_writer_put_u8(w, c);
        else
            larch_sniff_put(w, "\\x%02x", (unsigned)c);
    }
    if (bytes.len > max)
        larch_sniff_put(w, "...");
}

void larch_sniff_put_hex(larch_writer *w, larch_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        larch_sniff_put(w, "%02x", (unsigned)bytes.data[i]);
}

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

/* ---- lines ------------------------------------------------------------- */

/* "     7  15:00:00.123456  " */
static void put_head(larch_writer *w, const larch_sniff_style *style, uint64_t number, uint64_t time_ns)
{
    unsigned seconds = (unsigned)(time_ns / 1000000000 % 86400);
    larch_sniff_put(w, "%6llu  %s%02u:%02u:%02u.%06u%s  ", (unsigned long long)number, paint(style, DIM),
                    seconds / 3600, seconds / 60 % 60, seconds % 60, (unsigned)(time_ns / 1000 % 1000000),
                    paint(style, PLAIN));
}

/* Names for empty messages by type; methods by name, responses by number. */
static void put_code(larch_writer *w, const larch_coap_message *m)
{
    char code[16];
    const char *name = larch_coap_code_text(m->code);
    if (m->code == LARCH_COAP_EMPTY)
        (void)snprintf(code, sizeof code, "%s", m->type == LARCH_COAP_CON ? "ping" : "-");
    else if (LARCH_COAP_CLASS(m->code) == 0 && strcmp(name, "?") != 0)
        (void)snprintf(code, sizeof code, "%s", name);
    else
        (void)snprintf(code, sizeof code, "%u.%02u", (unsigned)LARCH_COAP_CLASS(m->code),
                       (unsigned)LARCH_COAP_DETAIL(m->code));
    larch_sniff_put(w, "%s %-6s %5u  ", larch_sniff_type_text[m->type], code, (unsigned)m->message_id);
}

static void put_token(larch_writer *w, larch_bytes token)
{
    if (token.len == 0)
        larch_sniff_put(w, "-");
    larch_sniff_put_hex(w, token);
    for (size_t i = token.len == 0 ? 1 : token.len * 2; i < 8; i++)
        larch_writer_put_u8(w, ' ');
    larch_sniff_put(w, "  ");
}

static void put_block(larch_writer *w, const char *name, larch_coap_block block)
{
    larch_sniff_put(w, "  %s %lu%s/%zu", name, (unsigned long)block.num, block.more ? "+" : "",
                    larch_coap_block_size(block.szx));
}

static void put_direct(larch_writer *w, const larch_sniff_packet *p)
{
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    switch (p->direct) {
    case LARCH_SNIFF_DIRECT_SEALED:
        larch_sniff_put(w, "  sealed, %s, text %zu", p->kem->name, p->sealed.sealed.len - LARCH_DIRECT_TAG_LEN);
        break;
    case LARCH_SNIFF_DIRECT_KEY:
        larch_fingerprint_format(p->hash, fingerprint);
        larch_sniff_put(w, "  key, %s, %s", p->kem->name, fingerprint);
        break;
    case LARCH_SNIFF_DIRECT_ANSWER:
        larch_sniff_put(w, "  %s", larch_direct_answer_text(p->answer));
        break;
    case LARCH_SNIFF_DIRECT_NEXT_ASK:
        larch_sniff_put(w, "  who follows %02x%02x%02x%02x?", (unsigned)p->hash[0], (unsigned)p->hash[1],
                        (unsigned)p->hash[2], (unsigned)p->hash[3]);
        break;
    case LARCH_SNIFF_DIRECT_NEXT_ANSWER:
        larch_fingerprint_format(p->hash, fingerprint);
        larch_sniff_put(w, "  names %s", fingerprint);
        break;
    case LARCH_SNIFF_DIRECT_NONE:
        break;
    }
}

static void put_payload(larch_writer *w, const larch_sniff_packet *p)
{
    if (p->direct != LARCH_SNIFF_DIRECT_NONE || p->coap.payload.len == 0)
        return;
    if (p->kind == LARCH_SNIFF_RESPONSE && LARCH_COAP_CLASS(p->coap.code) >= 4) {
        larch_sniff_put(w, "  \"");
        larch_sniff_put_escaped(w, p->coap.payload, DIAGNOSTIC_MAX);
        larch_sniff_put(w, "\"");
    } else {
        larch_sniff_put(w, "  %zu bytes", p->datagram.payload_len - p->datagram.payload.len + p->coap.payload.len);
    }
}

/* "  (#3, 1.234 ms)": what this belongs to. */
static void put_belonging(larch_writer *w, const larch_sniff_style *style, const larch_sniff_packet *p)
{
    if (p->duplicate_of != 0)
        larch_sniff_put(w, "  %s(duplicate of #%llu)%s", paint(style, DIM), (unsigned long long)p->duplicate_of,
                        paint(style, PLAIN));
    else if (p->kind == LARCH_SNIFF_RESPONSE && p->exchange != NULL)
        larch_sniff_put(w, "  %s(to #%llu, %.3f ms)%s", paint(style, DIM), (unsigned long long)p->exchange->number,
                        ((double)p->time_ns - (double)p->exchange->time_ns) / 1e6, paint(style, PLAIN));
    else if (p->kind == LARCH_SNIFF_RESPONSE)
        larch_sniff_put(w, "  %s(request not seen)%s", paint(style, DIM), paint(style, PLAIN));
    else if (p->refers_to != 0)
        larch_sniff_put(w, "  %s(%s #%llu)%s", paint(style, DIM),
                        p->coap.type == LARCH_COAP_ACK ? "acknowledges" : "resets", (unsigned long long)p->refers_to,
                        paint(style, PLAIN));
}

static void put_end(larch_writer *w, const larch_sniff_style *style, const larch_sniff_packet *p,
                    const larch_sniff_alert *alerts, size_t alert_count)
{
    if (p->kind == LARCH_SNIFF_CUT || p->datagram.payload.len < p->datagram.payload_len)
        larch_sniff_put(w, "  [%zu of %zu bytes captured]", p->datagram.payload.len, p->datagram.payload_len);
    if (p->datagram.checksum == LARCH_SNIFF_CHECKSUM_BAD)
        larch_sniff_put(w, "  [wrong UDP checksum]");
    if (p->datagram.reassembled)
        larch_sniff_put(w, "  [from fragments]");
    for (size_t i = 0; i < alert_count; i++)
        if (i == 0 || alerts[i].kind != alerts[i - 1].kind)
            larch_sniff_put(w, "  %s!%s%s", paint(style, severity_paint(larch_sniff_alert_severity(alerts[i].kind))),
                            larch_sniff_alert_name(alerts[i].kind), paint(style, PLAIN));
    while (w->len > 0 && w->len <= w->cap && w->data[w->len - 1] == ' ')
        w->len--; /* of columns that stayed empty */
    larch_sniff_put(w, "\n");
}

void larch_sniff_text_packet(larch_writer *w, larch_sniff_style *style, const larch_sniff_packet *p,
                             const larch_sniff_alert *alerts, size_t alert_count)
{
    char source[LARCH_SNIFF_PEER_TEXT], destination[LARCH_SNIFF_PEER_TEXT];
    if (p->kind == LARCH_SNIFF_NOT_COAP)
        return;
    larch_sniff_peer_text(&p->datagram.source, source);
    larch_sniff_peer_text(&p->datagram.destination, destination);
    int width = style->address_width < 20 ? 20 : style->address_width;
    if ((int)strlen(source) > width)
        width = (int)strlen(source);
    if ((int)strlen(destination) > width)
        width = (int)strlen(destination);
    style->address_width = width;

    put_head(w, style, p->number, p->time_ns);
    larch_sniff_put(w, "%-*s > %-*s  ", width, source, width, destination);
    if (p->has_header && p->kind != LARCH_SNIFF_BROKEN && p->kind != LARCH_SNIFF_CUT) {
        put_code(w, &p->coap);
        put_token(w, p->coap.token);
        larch_sniff_put(w, "%s%-11s%s", paint(style, BOLD), p->path, paint(style, PLAIN));
        if (p->has_block1)
            put_block(w, "Block1", p->block1);
        if (p->has_block2)
            put_block(w, "Block2", p->block2);
        if (p->has_echo)
            larch_sniff_put(w, "  Echo");
        put_direct(w, p);
        put_payload(w, p);
        put_belonging(w, style, p);
    } else {
        larch_sniff_put(w, "%s, %zu bytes", p->kind == LARCH_SNIFF_CUT ? "CoAP?" : "not CoAP", p->datagram.payload_len);
    }
    put_end(w, style, p, alerts, alert_count);
}

void larch_sniff_text_alert(larch_writer *w, larch_sniff_style *style, const larch_sniff_alert *alert)
{
    larch_sniff_severity severity = larch_sniff_alert_severity(alert->kind);
    put_head(w, style, alert->number, alert->time_ns);
    larch_sniff_put(w, "%s%-7s  %s%s: ", paint(style, severity_paint(severity)), larch_sniff_severity_text(severity),
                    larch_sniff_alert_name(alert->kind), paint(style, PLAIN));
    larch_sniff_put(w, "%s\n", alert->text);
}
