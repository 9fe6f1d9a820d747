/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that shakes hands with a gateway, and an attacker between them. The first byte says how: by PSK or by
 * signatures, and whether a reading goes along. Each step is
 *
 *     what (1)   len (1)   bytes
 *
 * what happens to the next datagram: it passes, is lost, comes twice, is altered (each three of bytes), or the attacker
 * answers it with a code, options and payload of its own; or time passes. Whatever happens: the device stores only keys that
 * the gateway has stored, once a handshake; it sends nothing under new keys before; and after its end no secret is left.
 */
#include "fuzz.h"
#include "lake_world.h"

enum { STEPS = 64, QUEUE = 16 };

static lake_world w;

static struct {
    size_t len;
    bool is_up;
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
} queue[QUEUE];
static size_t queued;

static void push(bool is_up, larch_bytes datagram)
{
    if (queued == QUEUE)
        return; /* lost */
    queue[queued].is_up = is_up;
    queue[queued].len = datagram.len;
    memcpy(queue[queued++].bytes, datagram.data, datagram.len);
}

static bool same_keys(void)
{
    for (size_t i = 0; i < LW_KEYS; i++) {
        const lw_context *c = &w.accounts[0].contexts[i];
        if (c->is && memcmp(c->o.master_secret, w.device_context.o.master_secret, c->o.master_secret_len) == 0)
            return true;
    }
    return false;
}

static void take_outcome(larch_error e)
{
    static const uint8_t zeros[sizeof w.client.lake];
    if (e == LARCH_AGAIN)
        return;
    w.outcome = e;
    require(e != LARCH_OK || larch_lake_client_is_stored(&w.client));
    require(memcmp(&w.client.session, zeros, sizeof w.client.session) == 0);
    require(memcmp(w.client.lake.prk, zeros, sizeof w.client.lake.prk) == 0);
    require(larch_lake_client_due_ms(&w.client) == UINT64_MAX);
}

static void take_event(const larch_coap_event *event)
{
    if (w.outcome == LARCH_AGAIN)
        take_outcome(larch_lake_client_take(&w.client, w.g.now_ms, event));
    require(!w.device_context.is || same_keys());
}

static void pump(void)
{
    larch_coap_event event;
    larch_peer peer;
    larch_bytes datagram;
    if (w.outcome == LARCH_AGAIN)
        take_outcome(larch_lake_client_maintain(&w.client, w.g.now_ms));
    while (larch_coap_endpoint_poll(&w.endpoint, w.g.now_ms, &peer, &datagram, &event) == LARCH_OK) {
        if (datagram.len > 0)
            push(true, datagram);
        else
            take_event(&event);
    }
    sessions_store(&w.g);
    while (larch_server_send(&w.g.srv, w.g.now_ms, &peer, &datagram) == LARCH_OK)
        push(false, datagram);
}

static void deliver(bool is_up, larch_bytes datagram)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_writer reply = larch_writer_to(bytes, sizeof bytes);
    larch_coap_event event;
    if (is_up) {
        require(larch_server_receive(&w.g.srv, w.g.now_ms, &w.address, false, datagram) == LARCH_OK);
    } else {
        larch_coap_endpoint_receive(&w.endpoint, w.g.now_ms, &w.gateway_address, false, datagram, &reply, &event);
        if (reply.len > 0)
            push(true, (larch_bytes){bytes, reply.len});
        take_event(&event);
    }
    pump();
}

/* The attacker answers: code, flags, payload. */
static void forge(larch_bytes request, larch_bytes bytes)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_message m;
    larch_coap_builder b;
    larch_bytes datagram;
    if (bytes.len < 2 || larch_coap_parse(request, &m) != LARCH_OK)
        return;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_ACK, (uint8_t)(bytes.data[0] | 0x40), m.message_id, m.token);
    if ((bytes.data[1] & 1) != 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_MAX_AGE, bytes.data[1] >> 4);
    if ((bytes.data[1] & 2) != 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK2, bytes.data[1] >> 2);
    if ((bytes.data[1] & 4) != 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, LARCH_TEXT("e"));
    larch_coap_build_payload(&b, (larch_bytes){bytes.data + 2, bytes.len - 2});
    require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    deliver(false, datagram);
}

static void step(uint8_t what, larch_bytes bytes)
{
    static uint8_t taken[LARCH_COAP_DATAGRAM_MAX];
    if ((what & 7) == 7 || queued == 0) {
        w.g.now_ms += 500u * (1u + (what >> 3));
        pump();
        return;
    }
    const size_t len = queue[0].len;
    const bool is_up = queue[0].is_up;
    memcpy(taken, queue[0].bytes, len);
    memmove(&queue[0], &queue[1], --queued * sizeof queue[0]);
    switch (what & 7) {
    case 4:
        return; /* lost */
    case 5:
        for (size_t i = 0; i + 2 < bytes.len; i += 3)
            taken[(size_t)(bytes.data[i] << 8 | bytes.data[i + 1]) % len] ^= bytes.data[i + 2];
        break;
    case 6:
        if (is_up) {
            forge((larch_bytes){taken, len}, bytes);
            return;
        }
        break;
    case 3:
        deliver(is_up, (larch_bytes){taken, len});
        break;
    default:
        break;
    }
    deliver(is_up, (larch_bytes){taken, len});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lake_world first;
    larch_reader r = larch_reader_of((larch_bytes){data, size});
    uint8_t how;
    if (first.g.now_ms == 0) { /* made once: it points into w alone */
        require(larch_crypto_init() == LARCH_OK);
        lw_prepare(&w, 1);
        first = w;
    }
    if (larch_reader_take_u8(&r, &how) != LARCH_OK)
        return 0;
    w = first;
    queued = 0;
    w.config.first = (how & 2) != 0 ? &w.first : NULL;
    lw_shake(&w, w.g.now_ms, (how & 1) != 0 ? LARCH_LAKE_METHOD_SIGNATURES : LARCH_LAKE_METHOD_PSK);
    pump();
    for (unsigned i = 0; i < STEPS; i++) {
        uint8_t what, len;
        larch_bytes bytes;
        if (larch_reader_take_u8(&r, &what) != LARCH_OK || larch_reader_take_u8(&r, &len) != LARCH_OK ||
            larch_reader_take(&r, len < r.left.len ? len : r.left.len, &bytes) != LARCH_OK)
            break;
        step(what, bytes);
    }
    require(!w.device_context.is || w.stores > 0);
    return 0;
}
