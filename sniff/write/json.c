/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/write/json.h"

#include <string.h>

#include "sniff/dissect/dissector.h"
#include "text/json.h"
#include "text/peer.h"
#include "text/text.h"

#define FOREIGN_MAX 128 /* bytes of a stranger that a member holds */

static larch_json begin(larch_writer *w, const char *event, uint64_t number, uint64_t time_ns)
{
    larch_json j = larch_json_begin_ascii_line(w);
    larch_json_put_text(&j, "event", event);
    larch_json_put_number(&j, "number", number);
    larch_json_put_time(&j, "time", (int64_t)(time_ns / 1000), LARCH_TEXT_US);
    return j;
}

static void put_block(larch_json *j, const char *name, const larch_coap_block *block)
{
    larch_json_begin_object(j, name);
    larch_json_put_number(j, "num", block->num);
    larch_json_put_bool(j, "more", block->more);
    larch_json_put_number(j, "size", larch_coap_block_size(block->szx));
    larch_json_end_object(j);
}

static void put_value(larch_json *j, const char *name, const larch_sniff_value *v)
{
    switch (v->type) {
    case LARCH_SNIFF_VALUE_TEXT:
        larch_json_put_text(j, name, v->of.text);
        break;
    case LARCH_SNIFF_VALUE_NUMBER:
        larch_json_put_number(j, name, v->of.number);
        break;
    case LARCH_SNIFF_VALUE_INTEGER:
        larch_json_put_integer(j, name, v->of.integer);
        break;
    case LARCH_SNIFF_VALUE_LIST:
        larch_json_begin_array(j, name);
        for (size_t i = 0; i < v->of.list.count; i++)
            larch_json_put_integer(j, NULL, v->of.list.numbers[i]);
        larch_json_end_array(j);
        break;
    case LARCH_SNIFF_VALUE_BLOCK:
        put_block(j, name, &v->of.block);
        break;
    case LARCH_SNIFF_VALUE_MS:
        larch_json_put_decimal(j, name, v->of.ms, 3);
        break;
    case LARCH_SNIFF_VALUE_HEX:
        larch_json_put_hex(j, name, v->of.bytes);
        break;
    case LARCH_SNIFF_VALUE_FOREIGN:
        larch_json_put_bytes(j, name, larch_text_first(v->of.bytes, FOREIGN_MAX));
        break;
    }
}

/* The objects that are open around a member: "oscore.inner." */
typedef struct path_to_member {
    char text[LARCH_SNIFF_NAME_MAX];
    size_t len;
} path_to_member;

/* Closes the objects that a name does not lie in, opens those that it does, and returns what is left of it. */
static const char *enter(larch_json *j, path_to_member *open, const char *name)
{
    while (strncmp(name, open->text, open->len) != 0) {
        open->len--; /* the last point; then back to behind the one before it */
        while (open->len > 0 && open->text[open->len - 1] != '.')
            open->len--;
        larch_json_end_object(j);
    }
    const char *point;
    while ((point = strchr(name + open->len, '.')) != NULL) {
        const size_t len = (size_t)(point - name);
        memcpy(open->text, name, len);
        open->text[len] = 0;
        larch_json_begin_object(j, open->text + open->len);
        open->text[len] = '.';
        open->len = len + 1;
    }
    return name + open->len;
}

static void put_fields(larch_json *j, const larch_sniff_packet *p)
{
    larch_sniff_field_walk walk = {0, 0};
    path_to_member open = {"", 0};
    const larch_sniff_field *f;
    larch_sniff_value value;
    unsigned message;
    while ((f = larch_sniff_field_next(&walk, p, &message)) != NULL)
        if ((f->of & LARCH_SNIFF_OF(message)) != 0 && f->get(p, &value))
            put_value(j, enter(j, &open, f->name), &value);
    (void)enter(j, &open, "");
}

static void put_alerts(larch_json *j, const larch_sniff_alert *alerts, size_t count)
{
    if (count == 0)
        return;
    larch_json_begin_array(j, "alerts");
    for (size_t i = 0; i < count; i++)
        if (i == 0 || alerts[i].kind != alerts[i - 1].kind)
            larch_json_put_text(j, NULL, larch_sniff_alert_name(alerts[i].kind));
    larch_json_end_array(j);
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
    if (p->kind == LARCH_SNIFF_NOT_COAP)
        return;
    larch_json j = begin(w, "packet", p->number, p->time_ns);
    larch_json_put_peer(&j, "source", &p->datagram.source);
    larch_json_put_peer(&j, "destination", &p->datagram.destination);
    larch_json_put_number(&j, "length", p->datagram.payload_len);
    larch_json_put_text(&j, "checksum", checksums[p->datagram.checksum]);
    if (p->datagram.reassembled)
        larch_json_put_bool(&j, "reassembled", true);
    larch_json_put_text(&j, "kind", kinds[p->kind]);
    put_fields(&j, p);
    put_alerts(&j, alerts, alert_count);
    larch_json_end_line(&j);
}

/* Of what is malformed below UDP, the port may be unknown. */
static void put_address(larch_json *j, const char *name, const larch_peer *peer)
{
    char host[LARCH_TEXT_PEER_MAX];
    if (peer->port != 0)
        larch_json_put_peer(j, name, peer);
    else
        larch_json_put_text(j, name, larch_text_of_host(peer, host));
}

static void put_fingerprint(larch_json *j, const char *name, const uint8_t *bytes)
{
    char text[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, bytes, text);
    larch_json_put_text(j, name, text);
}

void larch_sniff_json_alert(larch_writer *w, const larch_sniff_alert *alert)
{
    larch_json j = begin(w, "alert", alert->number, alert->time_ns);
    larch_json_put_text(&j, "alert", larch_sniff_alert_name(alert->kind));
    larch_json_put_text(&j, "severity", larch_sniff_severity_text(larch_sniff_alert_severity(alert->kind)));
    larch_json_put_text(&j, "text", alert->text);
    if (alert->has_addresses) {
        put_address(&j, "source", &alert->source);
        put_address(&j, "destination", &alert->destination);
    }
    if (alert->before != 0)
        larch_json_put_number(&j, "before", alert->before);
    if (alert->has_before_source)
        larch_json_put_peer(&j, "before_source", &alert->before_source);
    if (alert->request != 0)
        larch_json_put_number(&j, "request", alert->request);
    if (alert->has_key)
        put_fingerprint(&j, "fingerprint", alert->key);
    if (alert->has_key_before)
        put_fingerprint(&j, "fingerprint_before", alert->key_before);
    larch_json_end_line(&j);
}
