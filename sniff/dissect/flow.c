/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sniff/dissect/dissect_int.h"
#include "sniff/dissect/dissector.h"
#include "sniff/dissect/reason.h"
#include "sniff/dissect/table.h"

larch_error larch_sniff_flow_init(larch_sniff_flow *flow)
{
    memset(flow, 0, sizeof *flow);
    flow->ports[0] = LARCH_COAP_PORT;
    flow->port_count = 1;
    return larch_crypto_init();
}

larch_error larch_sniff_flow_add_port(larch_sniff_flow *flow, uint16_t port)
{
    if (flow->port_count == LARCH_SNIFF_PORTS)
        return LARCH_SPACE;
    flow->ports[flow->port_count++] = port;
    return LARCH_OK;
}

void larch_sniff_flow_use_keys(larch_sniff_flow *flow, larch_sniff_keys *keys) { flow->keys = keys; }

/* ---- which ports ------------------------------------------------------- */

static bool port_is_known(const larch_sniff_flow *flow, const larch_peer *peer)
{
    for (size_t i = 0; i < flow->port_count; i++)
        if (flow->ports[i] == peer->port)
            return true;
    size_t learnt = flow->learnt_count < LARCH_SNIFF_LEARNT ? flow->learnt_count : LARCH_SNIFF_LEARNT;
    for (size_t i = 0; i < learnt; i++)
        if (larch_peer_equal(&flow->learnt[i], peer))
            return true;
    return false;
}

/* A server on a port of its own choice is known by a request for a resource of a protocol that we know. */
static bool learn(larch_sniff_flow *flow, const larch_sniff_datagram *d, const larch_coap_message *m)
{
    uint8_t resource;
    if (LARCH_COAP_CLASS(m->code) != 0 || m->code == LARCH_COAP_EMPTY || m->type > LARCH_COAP_NON ||
        larch_sniff_dissector_find(m, &resource) == NULL)
        return false;
    flow->learnt[flow->learnt_count++ % LARCH_SNIFF_LEARNT] = d->destination;
    return true;
}

/* Multicast, or an IPv4 address that ends in 255: the broadcast address of the usual networks. */
static bool is_group(const larch_peer *peer)
{
    if (larch_peer_is_ipv4(peer))
        return peer->address[12] >> 4 == 14 || peer->address[15] == 255;
    return peer->address[0] == 0xff;
}

/* ---- what was seen ----------------------------------------------------- */

static larch_sniff_seen_message *find_message(larch_sniff_flow *flow, const larch_peer *source,
                                              const larch_peer *destination, uint16_t message_id, bool reply,
                                              larch_sniff_seen_message **oldest)
{
    uint64_t hash = larch_sniff_hash_peer(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, source), destination);
    hash = larch_sniff_hash(hash, &message_id, sizeof message_id);
    larch_sniff_seen_message *set = &flow->messages[larch_sniff_hash_set(hash, LARCH_SNIFF_MESSAGES)];
    *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].number != 0 && set[i].message_id == message_id && set[i].reply == reply &&
            larch_peer_equal(&set[i].source, source) && larch_peer_equal(&set[i].destination, destination))
            return &set[i];
        if (set[i].number < (*oldest)->number)
            *oldest = &set[i];
    }
    return NULL;
}

/* Message IDs are a matter of two endpoints and of who asks: what a peer acknowledges or
 * resets carries the other's number [RFC7252 4.4]. */
static larch_sniff_seen_message *note_message(larch_sniff_flow *flow, larch_sniff_packet *packet)
{
    const larch_sniff_datagram *d = &packet->datagram;
    bool reply = packet->coap.type == LARCH_COAP_ACK || packet->coap.type == LARCH_COAP_RST;
    larch_sniff_seen_message *oldest;
    larch_sniff_seen_message *m =
        find_message(flow, &d->source, &d->destination, packet->coap.message_id, reply, &oldest);
    larch_sniff_digest(&d->payload, 1, packet->digest);
    if (m != NULL && memcmp(m->digest, packet->digest, sizeof m->digest) == 0 &&
        packet->time_ns - m->time_ns <= LARCH_SNIFF_LIFETIME_S * LARCH_SNIFF_SECOND_NS) {
        packet->duplicate_of = m->number;
        return m;
    }
    if (m == NULL)
        m = oldest;
    m->source = d->source;
    m->destination = d->destination;
    m->number = packet->number;
    m->time_ns = packet->time_ns;
    m->exchange = 0;
    m->message_id = packet->coap.message_id;
    m->reply = reply;
    memcpy(m->digest, packet->digest, sizeof m->digest);
    return m;
}

static larch_sniff_exchange *exchange_set(larch_sniff_flow *flow, const larch_peer *client, larch_bytes token)
{
    uint64_t hash = larch_sniff_hash(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, client), token.data, token.len);
    return &flow->exchanges[larch_sniff_hash_set(hash, LARCH_SNIFF_EXCHANGES)];
}

static bool exchange_is(const larch_sniff_exchange *e, const larch_peer *client, const larch_peer *server,
                        larch_bytes token)
{
    return e->number != 0 && larch_peer_equal(&e->client, client) && e->token_len == token.len &&
           (token.len == 0 || memcmp(e->token, token.data, token.len) == 0) &&
           (larch_peer_equal(&e->server, server) || (e->group && e->answers == 0));
}

/* The newest request with this token; by message ID where tokens do not tell, since the
 * prototype leaves them empty. */
static larch_sniff_exchange *find_exchange(larch_sniff_flow *flow, const larch_peer *client, const larch_peer *server,
                                           const larch_coap_message *m)
{
    larch_sniff_exchange *set = exchange_set(flow, client, m->token), *found = NULL;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        bool by_id = m->type == LARCH_COAP_ACK;
        if (exchange_is(&set[i], client, server, m->token) && (!by_id || set[i].message_id == m->message_id) &&
            (found == NULL || set[i].number > found->number))
            found = &set[i];
    }
    return found;
}

/* ---- requests and answers ---------------------------------------------- */

static void read_body(larch_sniff_flow *flow, larch_sniff_packet *packet, const larch_peer *client,
                      const larch_peer *server)
{
    if (larch_sniff_body_take(flow, packet, client, server) && packet->protocol != NULL &&
        packet->protocol->read != NULL)
        packet->understood = packet->protocol->read(packet);
}

static void take_request(larch_sniff_flow *flow, larch_sniff_packet *packet, larch_sniff_seen_message *seen)
{
    const larch_sniff_datagram *d = &packet->datagram;
    larch_sniff_exchange *set = exchange_set(flow, &d->source, packet->coap.token), *e = &set[0];

    larch_sniff_path_read(&packet->coap, packet->path);
    packet->protocol = larch_sniff_dissector_mark(packet);
    if (packet->protocol == NULL)
        packet->protocol = larch_sniff_dissector_find(&packet->coap, &packet->resource);
    if (packet->duplicate_of != 0) {
        for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
            if (set[i].number == seen->exchange && seen->exchange != 0) {
                set[i].copies++;
                packet->exchange = &set[i];
            }
        }
        return;
    }
    for (size_t i = 1; i < LARCH_SNIFF_WAYS; i++)
        if (set[i].number < e->number)
            e = &set[i];
    memset(e, 0, sizeof *e);
    e->client = d->source;
    e->server = d->destination;
    e->number = packet->number;
    e->time_ns = packet->time_ns;
    e->copies = 1;
    e->message_id = packet->coap.message_id;
    e->method = packet->coap.code;
    e->token_len = (uint8_t)packet->coap.token.len;
    if (e->token_len > 0)
        memcpy(e->token, packet->coap.token.data, e->token_len);
    e->protocol = packet->protocol;
    e->resource = packet->resource;
    e->group = is_group(&d->destination);
    memcpy(e->path, packet->path, sizeof e->path);
    seen->exchange = packet->number;
    packet->exchange = e;
    read_body(flow, packet, &d->source, &d->destination);
    e->once = packet->claims.once;
    memcpy(e->identity, packet->claims.identity, sizeof e->identity);
    e->count = packet->claims.count;
    e->asked = packet->oscore.asked;
    if (packet->oscore.message == LARCH_SNIFF_OSCORE_REQUEST)
        larch_sniff_id_set(&e->kid, packet->oscore.option.kid);
    else
        e->kid.len = LARCH_SNIFF_NO_ID;
    e->handshake = packet->lake.message == LARCH_SNIFF_LAKE_MESSAGE_3 ? packet->lake.handshake : 0;
    e->strength = packet->oscore.strength;
}

static void take_response(larch_sniff_flow *flow, larch_sniff_packet *packet)
{
    const larch_sniff_datagram *d = &packet->datagram;
    larch_sniff_exchange *e = find_exchange(flow, &d->destination, &d->source, &packet->coap);
    uint8_t digest[LARCH_SNIFF_DIGEST_LEN];
    larch_bytes code = {&packet->coap.code, 1}, observe;

    packet->protocol = larch_sniff_dissector_mark(packet);
    if (e == NULL) {
        if (packet->duplicate_of == 0)
            read_body(flow, packet, &d->destination, &d->source);
        return;
    }
    packet->exchange = e;
    if (packet->protocol == NULL) {
        packet->protocol = e->protocol;
        packet->resource = e->resource;
    }
    memcpy(packet->path, e->path, sizeof packet->path);
    if (packet->duplicate_of != 0)
        return;
    larch_sniff_digest((const larch_bytes[]){code, packet->coap.options, packet->coap.payload}, 3, digest);
    if (e->answers == 0) {
        e->server = d->source;
        e->answers = 1;
        e->answer_number = packet->number;
        memcpy(e->answer, digest, sizeof digest);
    } else if (memcmp(e->answer, digest, sizeof digest) != 0 &&
               !larch_coap_option_find(&packet->coap, LARCH_COAP_OPT_OBSERVE, &observe)) {
        /* A server that keeps no memory of duplicates may answer each copy its own way. */
        e->answers++;
        packet->other_answer = e->answers > e->copies;
    }
    read_body(flow, packet, &d->destination, &d->source);
}

static void take_empty(larch_sniff_flow *flow, larch_sniff_packet *packet)
{
    const larch_sniff_datagram *d = &packet->datagram;
    larch_sniff_seen_message *oldest;
    if (packet->coap.type == LARCH_COAP_CON)
        return; /* a ping */
    const larch_sniff_seen_message *m =
        find_message(flow, &d->destination, &d->source, packet->coap.message_id, false, &oldest);
    if (m != NULL)
        packet->refers_to = m->number;
}

static void read_options(larch_sniff_packet *packet)
{
    larch_bytes value;
    packet->has_block1 = larch_coap_option_find(&packet->coap, LARCH_COAP_OPT_BLOCK1, &value) &&
                         larch_coap_block_parse(value, &packet->block1) == LARCH_OK;
    packet->has_block2 = larch_coap_option_find(&packet->coap, LARCH_COAP_OPT_BLOCK2, &value) &&
                         larch_coap_block_parse(value, &packet->block2) == LARCH_OK;
    packet->has_echo = larch_coap_option_find(&packet->coap, LARCH_COAP_OPT_ECHO, &value);
}

/* What can still be said of a message that breaks RFC 7252, or whose end was not captured. */
static void read_start(larch_sniff_packet *packet)
{
    larch_reader r = larch_reader_of(packet->datagram.payload);
    larch_bytes header;
    if (larch_coap_parse_header(packet->datagram.payload, &packet->coap) != LARCH_OK ||
        larch_reader_take(&r, 4, &header) != LARCH_OK)
        return;
    const size_t token_len = header.data[0] & 15;
    packet->has_header = true;
    packet->has_token =
        token_len <= LARCH_COAP_TOKEN_MAX && larch_reader_take(&r, token_len, &packet->coap.token) == LARCH_OK;
}

void larch_sniff_flow_take(larch_sniff_flow *flow, uint64_t number, uint64_t time_ns,
                           const larch_sniff_datagram *datagram, larch_sniff_packet *out)
{
    memset(out, 0, sizeof *out);
    out->number = number;
    out->time_ns = time_ns;
    out->datagram = *datagram;
    out->keys = flow->keys;
    out->handshakes = &flow->handshakes;
    bool known = port_is_known(flow, &datagram->source) || port_is_known(flow, &datagram->destination);
    bool cut = datagram->payload.len < datagram->payload_len;
    /* Behind the last option that was captured, more may have stood, as long as no payload follows. */
    if (larch_coap_parse(datagram->payload, &out->coap) != LARCH_OK || (cut && out->coap.payload.len == 0)) {
        if (known) {
            read_start(out);
            out->kind = cut ? LARCH_SNIFF_CUT : LARCH_SNIFF_BROKEN;
            out->why = cut ? NULL : larch_sniff_reason_coap(datagram->payload);
        } else {
            memset(&out->coap, 0, sizeof out->coap);
        }
        return;
    }
    if (!known && !learn(flow, datagram, &out->coap)) {
        memset(&out->coap, 0, sizeof out->coap);
        return;
    }
    out->has_header = out->has_token = true;
    out->why = larch_sniff_reason_message(&out->coap);
    read_options(out);
    larch_sniff_seen_message *seen = note_message(flow, out);
    if (out->coap.code == LARCH_COAP_EMPTY) {
        out->kind = LARCH_SNIFF_EMPTY;
        take_empty(flow, out);
    } else if (LARCH_COAP_CLASS(out->coap.code) == 0) {
        out->kind = LARCH_SNIFF_REQUEST;
        take_request(flow, out, seen);
    } else {
        out->kind = LARCH_SNIFF_RESPONSE;
        take_response(flow, out);
    }
}
