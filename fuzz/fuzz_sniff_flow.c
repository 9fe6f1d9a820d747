/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams through flow, alerts and both printers, with the keys of RFC 8613's examples and of two handshakes. Each: who (1: bits 0-1 the client, 2 the direction, 3 another
 * port, 4 cut), how long after (1, in quarters of a second), length (2), bytes. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "sniff/dissect/flow.h"
#include "sniff/dissect/reason.h"
#include "sniff/judge/alerts.h"
#include "sniff/write/json.h"
#include "sniff/write/text.h"

/* One line of printable ASCII that fits. */
static void check_line(const larch_writer *w)
{
    require(w->len <= w->cap);
    for (size_t i = 0; i + 1 < w->len; i++)
        require(w->data[i] >= 0x20 && w->data[i] < 0x7f);
    require(w->len == 0 || w->data[w->len - 1] == '\n');
}

static void show(const larch_sniff_packet *p, const larch_sniff_alert *alerts, size_t count)
{
    uint8_t out[LARCH_SNIFF_LINE_MAX];
    larch_sniff_style style = {false, 0};
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_sniff_text_packet(&w, &style, p, alerts, count);
    check_line(&w);
    w = larch_writer_to(out, sizeof out);
    larch_sniff_json_packet(&w, p, alerts, count);
    check_line(&w);
    for (size_t i = 0; i < count; i++) {
        w = larch_writer_to(out, sizeof out);
        larch_sniff_text_alert(&w, &style, &alerts[i]);
        check_line(&w);
        w = larch_writer_to(out, sizeof out);
        larch_sniff_json_alert(&w, &alerts[i]);
        check_line(&w);
    }
}

static void use_keys(larch_sniff_flow *flow)
{
    static const char text[] =
        "\"\",\"01\",\"0102030405060708090a0b0c0d0e0f10\",\"9e7ca92223786340\",\"\",\"10\"\n"
        "\"00\",\"01\",\"0102030405060708090a0b0c0d0e0f10\",\"\",\"\",\"10\"\n"
        "\"\",\"01\",\"0102030405060708090a0b0c0d0e0f10\",\"9e7ca92223786340\",\"37cbf3210017a2d3\",\"10\"\n"
        /* handshakes of tests/lake_pair.h under suite 2, by PSK and by signatures: lake_psk and lake_signatures */
        "#LAKE_2 13e29a4281d685438b95612c525b74fafe28fef6bd93219fd49ce862ff96ca4e e3bb45084e15d11b25660de"
        "826ed7075f232c6d7cd3c139f75c999cd1db3b3e7 4b906f86caa860f2a9aec68ceeef0ec378e9bb430b38216da895c3"
        "de62df2063 e3bb45084e15d11b25660de826ed7075f232c6d7cd3c139f75c999cd1db3b3e7\n"
        "#LAKE_3 4b906f86caa860f2a9aec68ceeef0ec378e9bb430b38216da895c3de62df2063 4331174d1dc1cde1f77c522"
        "dfa5ddf42d55cd00ac352c06d768b32c6e0b8f868 e316310d312e9b99124c2850266084234e6b6fa9d4617c296aae7b"
        "0e87ef0374 a20269696e69746961746f7208a101a20104024770736b2d6b6964a20269726573706f6e64657208a101a"
        "20104024770736b2d6b6964\n"
        "#LAKE_2 8af59e15f3fd881ad67f4d4caa203b9a2471f7e13a6a77835e50aa5686e7154c 31ec76f3a3d2da41f30cb5c"
        "ed6e944a5f51e7c6af2e90077a41c88b67f99d12a 32dbfe22325b1c3b3c547bc33b71c35d327be43fe0e41d91050727"
        "e6334b50e0 31ec76f3a3d2da41f30cb5ced6e944a5f51e7c6af2e90077a41c88b67f99d12a\n"
        "#LAKE_3 32dbfe22325b1c3b3c547bc33b71c35d327be43fe0e41d91050727e6334b50e0 31ec76f3a3d2da41f30cb5c"
        "ed6e944a5f51e7c6af2e90077a41c88b67f99d12a be0061ee876cfb7dd6612e6b4d6d04057a58d156d9797954f0420b"
        "d4618e631c -\n";
    static larch_sniff_keys keys;
    larch_sniff_keys_trouble trouble;
    if (keys.count == 0)
        require(larch_sniff_keys_read(&keys, larch_bytes_of_text(text), &trouble) == LARCH_OK && keys.count == 3 &&
                keys.secret_count == 4);
    larch_sniff_flow_use_keys(flow, &keys);
}

/* What OSCORE's dissector says holds together. */
static void check_oscore(const larch_sniff_packet *p)
{
    const larch_sniff_oscore *o = &p->oscore;
    const bool open = o->outcome == LARCH_SNIFF_OSCORE_OPENED;
    require(o->message != LARCH_SNIFF_OSCORE_BROKEN || p->why != NULL);
    require(o->number <= LARCH_OSCORE_NUMBER_MAX && (o->number == 0 || o->has_number));
    require(!open || (o->inner.code != LARCH_COAP_EMPTY && o->inner.payload.len < o->ciphertext.len));
    require(open || (o->inner.payload.len == 0 && p->inner_path[0] == 0));
    require(o->asked.context == 0 || (open && o->message == LARCH_SNIFF_OSCORE_REQUEST));
    require(p->claims.count.name == NULL || (p->understood && o->message != LARCH_SNIFF_OSCORE_NONE));
}

/* What LAKE's dissector says holds together. */
static void check_lake(const larch_sniff_packet *p)
{
    const larch_sniff_lake *l = &p->lake;
    const larch_sniff_agreement *a = &p->claims.agreement;
    const bool open = l->outcome == LARCH_SNIFF_LAKE_OPENED,
               sealed = l->message >= LARCH_SNIFF_LAKE_MESSAGE_2 && l->message <= LARCH_SNIFF_LAKE_MESSAGE_4;
    require(l->message == LARCH_SNIFF_LAKE_NONE || (l->bytes.len > 0 && l->bytes.len <= p->body.len));
    require(l->outcome == LARCH_SNIFF_LAKE_CLOSED || sealed);
    require(!open || (l->inside.ead.len < l->bytes.len && l->inside.signature_or_mac.len < l->bytes.len &&
                      l->inside.id_cred.len < l->bytes.len && l->inside.kid.len < l->bytes.len));
    require(open || (l->inside.ead.len == 0 && l->inside_eads.count == 0));
    require(l->message != LARCH_SNIFF_LAKE_ERROR || l->error.code != 0);
    require(l->suites.count <= LARCH_SNIFF_SUITES_MAX && l->eads.count <= LARCH_SNIFF_EADS_MAX);
    require(l->handshake <= p->number && (l->handshake != 0 || !l->has_terms));
    require(l->strength == (l->has_terms ? larch_sniff_suite_strength(l->suite) : LARCH_SNIFF_STRENGTH_UNKNOWN));
    require(l->completes == (a->step == LARCH_SNIFF_STEP_COMPLETES));
    require(a->step != LARCH_SNIFF_STEP_COMPLETES || p->kind == LARCH_SNIFF_RESPONSE);
    require(a->step == LARCH_SNIFF_STEP_NONE ||
            larch_peer_equal(&a->initiator,
                             p->kind == LARCH_SNIFF_REQUEST ? &p->datagram.source : &p->datagram.destination));
}

static void check_totals(const struct larch_sniff_handshake_totals *t, uint64_t packets)
{
    require(t->begun <= packets && t->completed <= packets);
    require(t->sessions[LARCH_SNIFF_STRENGTH_POST_QUANTUM] + t->sessions[LARCH_SNIFF_STRENGTH_CLASSICAL] <=
            t->completed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static larch_sniff_flow flow;
    static larch_sniff_alerts alerts;
    larch_reader r = larch_reader_of((larch_bytes){data, size});
    uint64_t number = 0, time_ns = 1;
    uint8_t who, after;
    uint16_t len;

    require(larch_sniff_flow_init(&flow) == LARCH_OK);
    use_keys(&flow);
    larch_sniff_alerts_init(&alerts);
    while (larch_reader_take_u8(&r, &who) == LARCH_OK && larch_reader_take_u8(&r, &after) == LARCH_OK &&
           larch_reader_take_u16(&r, &len) == LARCH_OK) {
        larch_peer gateway = {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}, .port = 5683};
        larch_peer client = {.address = {0x20, 1, 0xd, 0xb8}, .port = 40000};
        larch_bytes bytes;
        if (larch_reader_take(&r, len < r.left.len ? len : r.left.len, &bytes) != LARCH_OK)
            break;
        uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
        require(copy != NULL);
        memcpy(copy, bytes.data, bytes.len);
        client.address[15] = who & 3;
        if ((who & 8) != 0)
            gateway.port = 7000;
        larch_sniff_datagram d = {.source = (who & 4) != 0 ? gateway : client,
                                  .destination = (who & 4) != 0 ? client : gateway,
                                  .has_addresses = true,
                                  .payload = {copy, bytes.len},
                                  .payload_len = bytes.len + ((who & 16) != 0 ? 100 : 0)};
        larch_sniff_packet packet;
        const larch_sniff_alert *raised;
        larch_coap_message message;
        time_ns += after * UINT64_C(250000000);
        larch_sniff_flow_take(&flow, ++number, time_ns, &d, &packet);
        size_t count = larch_sniff_alerts_take(&alerts, &packet, &raised);
        require(count <= LARCH_SNIFF_ALERTS_MAX);
        require(packet.duplicate_of < number && packet.refers_to < number);
        require(packet.exchange == NULL || packet.exchange->number <= number);
        require(packet.kind != LARCH_SNIFF_BROKEN || packet.why != NULL);
        require(packet.direct.message == LARCH_SNIFF_DIRECT_NONE || packet.body.len <= LARCH_SNIFF_BODY_MAX ||
                packet.body.data == packet.coap.payload.data);
        /* our words for what is broken and the parser agree */
        require((larch_sniff_reason_coap(d.payload) == NULL) == (larch_coap_parse(d.payload, &message) == LARCH_OK));
        check_oscore(&packet);
        check_lake(&packet);
        check_totals(&flow.handshakes.totals, number);
        show(&packet, raised, count);
        free(copy);
    }
    return 0;
}
