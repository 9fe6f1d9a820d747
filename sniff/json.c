/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sniff/text_int.h"

#define DIAGNOSTIC_MAX 128

/* All our own texts are ASCII without quotes or backslashes; only bytes of strangers need care. */
static void put_string(larch_writer *w, larch_bytes bytes, size_t max)
{
    larch_sniff_put(w, "\"");
    for (size_t i = 0; i < bytes.len && i < max; i++) {
        uint8_t c = bytes.data[i];
        if (c >= 0x20 && c < 0x7f && c != '\\' && c != '"')
            larch_writer_put_u8(w, c);
        else
            larch_sniff_put(w, "\\u%04x", (unsigned)c); /* a byte as the character of its number: Latin-1 */
    }
    larch_sniff_put(w, "\"");
}

static void put_head(larch_writer *w, const char *event, uint64_t number, uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / 1000000000);
    struct tm utc;
    char date[64] = "1970-01-01T00:00:00";
    if (gmtime_r(&seconds, &utc) != NULL)
        (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    larch_sniff_put(w, "{\"event\":\"%s\",\"number\":%llu,\"time\":\"%s.%06uZ\"", event, (unsigned long long)number,
                    date, (unsigned)(time_ns / 1000 % 1000000));
}

static void put_block(larch_writer *w, const char *name, larch_coap_block block)
{
    larch_sniff_put(w, ",\"%s\":{\"num\":%lu,\"more\":%s,\"size\":%zu}", name, (unsigned long)block.num,
                    block.more ? "true" : "false", larch_coap_block_size(block.szx));
}

static void put_coap(larch_writer *w, const larch_sniff_packet *p)
{
    larch_bytes value;
    uint32_t format;
    larch_sniff_put(w, ",\"type\":\"%s\",\"code\":\"%u.%02u\",\"code_text\":\"%s\",\"mid\":%u,\"token\":\"",
                    larch_sniff_type_text[p->coap.type], (unsigned)LARCH_COAP_CLASS(p->coap.code),
                    (unsigned)LARCH_COAP_DETAIL(p->coap.code), larch_coap_code_text(p->coap.code),
                    (unsigned)p->coap.message_id);
    larch_sniff_put_hex(w, p->coap.token);
    larch_sniff_put(w, "\"");
    if (p->path[0] != 0)
        larch_sniff_put(w, ",\"path\":\"%s\"", p->path);
    if (p->has_block1)
        put_block(w, "block1", p->block1);
    if (p->has_block2)
        put_block(w, "block2", p->block2);
    if (larch_coap_option_find(&p->coap, LARCH_COAP_OPT_CONTENT_FORMAT, &value) &&
        larch_coap_option_uint(value, &format) == LARCH_OK)
        larch_sniff_put(w, ",\"format\":%lu", (unsigned long)format);
    if (p->coap.payload.len > 0)
        larch_sniff_put(w, ",\"payload_length\":%zu",
                        p->coap.payload.len + p->datagram.payload_len - p->datagram.payload.len);
    if (p->duplicate_of != 0)
        larch_sniff_put(w, ",\"duplicate_of\":%llu", (unsigned long long)p->duplicate_of);
    if (p->refers_to != 0)
        larch_sniff_put(w, ",\"refers_to\":%llu", (unsigned long long)p->refers_to);
    if (p->kind == LARCH_SNIFF_RESPONSE && p->exchange != NULL)
        larch_sniff_put(w, ",\"answers\":%llu,\"rtt_ms\":%.3f", (unsigned long long)p->exchange->number,
                        ((double)p->time_ns - (double)p->exchange->time_ns) / 1e6);
}

static void put_direct(larch_writer *w, const larch_sniff_packet *p)
{
    static const char *const names[] = {[LARCH_SNIFF_DIRECT_SEALED] = "sealed",
                                        [LARCH_SNIFF_DIRECT_KEY] = "key",
                                        [LARCH_SNIFF_DIRECT_ANSWER] = "answer",
                                        [LARCH_SNIFF_DIRECT_NEXT_ASK] = "next-ask",
                                        [LARCH_SNIFF_DIRECT_NEXT_ANSWER] = "next-answer"};
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    if (p->direct == LARCH_SNIFF_DIRECT_NONE) {
        if (p->kind == LARCH_SNIFF_RESPONSE && LARCH_COAP_CLASS(p->coap.code) >= 4 && p->coap.payload.len > 0) {
            larch_sniff_put(w, ",\"diagnostic\":");
            put_string(w, p->coap.payload, DIAGNOSTIC_MAX);
        }
        return;
    }
    larch_sniff_put(w, ",\"direct\":\"%s\"", names[p->direct]);
    if (p->kem != NULL)
        larch_sniff_put(w, ",\"kem\":\"%s\"", p->kem->name);
    if (p->direct == LARCH_SNIFF_DIRECT_SEALED)
        larch_sniff_put(w, ",\"text_length\":%zu", p->sealed.sealed.len - LARCH_DIRECT_TAG_LEN);
    if (p->direct == LARCH_SNIFF_DIRECT_KEY || p->direct == LARCH_SNIFF_DIRECT_NEXT_ANSWER) {
        larch_fingerprint_format(p->hash, fingerprint);
        larch_sniff_put(w, ",\"fingerprint\":\"%s\"", fingerprint);
    }
    if (p->direct == LARCH_SNIFF_DIRECT_ANSWER)
        larch_sniff_put(w, ",\"answer\":\"%s\"", larch_direct_answer_text(p->answer));
}

void larch_sniff_json_packet(larch_writer *w, const larch_sniff_packet *p, const larch_sniff_alert *alerts,
                             size_t alert_count)
{
    static const char *const kinds[] = {
        [LARCH_SNIFF_NOT_COAP] = "",   [LARCH_SNIFF_BROKEN] = "broken",   [LARCH_SNIFF_CUT] = "cut",
        [LARCH_SNIFF_EMPTY] = "empty", [LARCH_SNIFF_REQUEST] = "request", [LARCH_SNIFF_RESPONSE] = "response"};
    static const char *const checksums[] = {[LARCH_SNIFF_CHECKSUM_GOOD] = "good",
                                            [LARCH_SNIFF_CHECKSUM_BAD] = "bad",
                                            [LARCH_SNIFF_CHECKSUM_NONE] = "none",
                                            [LARCH_SNIFF_CHECKSUM_OFFLOADED] = "offloaded",
                                            [LARCH_SNIFF_CHECKSUM_UNKNOWN] = "unknown"};
    char source[LARCH_SNIFF_PEER_TEXT], destination[LARCH_SNIFF_PEER_TEXT];
    if (p->kind == LARCH_SNIFF_NOT_COAP)
        return;
    put_head(w, "packet", p->number, p->time_ns);
    larch_sniff_put(w, ",\"source\":\"%s\",\"destination\":\"%s\",\"length\":%zu,\"checksum\":\"%s\"",
                    larch_sniff_peer_text(&p->datagram.source, source),
                    larch_sniff_peer_text(&p->datagram.destination, destination), p->datagram.payload_len,
                    checksums[p->datagram.checksum]);
    if (p->datagram.reassembled)
        larch_sniff_put(w, ",\"reassembled\":true");
    larch_sniff_put(w, ",\"kind\":\"%s\"", kinds[p->kind]);
    if (p->has_header)
        put_coap(w, p);
    if (p->why != NULL)
        larch_sniff_put(w, ",\"why\":\"%s\"", p->why);
    put_direct(w, p);
    for (size_t i = 0; i < alert_count; i++)
        if (i == 0 || alerts[i].kind != alerts[i - 1].kind)
            larch_sniff_put(w, "%s\"%s\"", i == 0 ? ",\"alerts\":[" : ",", larch_sniff_alert_name(alerts[i].kind));
    larch_sniff_put(w, alert_count > 0 ? "]}\n" : "}\n");
}

void larch_sniff_json_alert(larch_writer *w, const larch_sniff_alert *alert)
{
    put_head(w, "alert", alert->number, alert->time_ns);
    larch_sniff_put(w, ",\"alert\":\"%s\",\"severity\":\"%s\",\"text\":", larch_sniff_alert_name(alert->kind),
                    larch_sniff_severity_text(larch_sniff_alert_severity(alert->kind)));
    put_string(w, (larch_bytes){(const uint8_t *)alert->text, strlen(alert->text)}, LARCH_SNIFF_ALERT_TEXT);
    larch_sniff_put(w, "}\n");
}
