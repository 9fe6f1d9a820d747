/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Responder of LAKE under a script of requests. Each step is
 *
 *     kind (1)   peer (1)   ms (1)   len (1)   bytes
 *
 * kind selects raw bytes as a datagram, or as a body; message_1 of a peer, with or without its Echo; message_3 for the
 * message_2 that the peer got, alone or before a protected request; or a restart. Each three of bytes alter one of it.
 * Whatever comes: at most one answer a datagram, which parses; no prefix has more than its share half open; nothing is kept
 * without an Echo; and a session is stored only for a message_3 that nobody altered, once.
 */
#include "fuzz.h"
#include "lake_world.h"
#include "larch/cbor.h"

enum { PEERS = 4, STEPS = 48, COSTLY = 2 };

static lake_world w;
static unsigned restarts;

/* One handshake of each peer. */
static struct {
    larch_lake_session lake;
    uint8_t up[1400];
    size_t up_len, prefix_len;
    bool is_good; /* message_3 in up would be accepted, once */
    uint16_t message_id;
    uint8_t sent; /* the message that was sent last: 1 or 3 */
} peers[PEERS];
static unsigned good;

static larch_peer peer_of(uint8_t who) { return larch_sim_ipv4(0x0a000000u + ((uint32_t)(who % PEERS) << 7), 1); }

static void expect_shares(void)
{
    for (size_t i = 0; i < LW_PLACES; i++) {
        size_t held = 0;
        for (size_t j = 0; j < LW_PLACES; j++)
            held += w.halves[j].until_ms > w.g.now_ms && w.halves[j].stage != 2 && w.halves[i].until_ms > w.g.now_ms &&
                    w.halves[j].owner == w.halves[i].owner;
        require(held <= LW_PLACES / 8);
    }
}

/* Message_2 for the peer, from the answer to its message_1. */
static void take_answer(uint8_t who, const larch_coap_message *m)
{
    larch_lake_received received;
    const lw_credentials *c = &w.devices[0];
    const larch_lake_credential own = lw_psk(c, NULL);
    larch_writer u = larch_writer_to(peers[who].up, sizeof peers[who].up);
    if (peers[who].sent != 1 || m->code != LARCH_COAP_CHANGED)
        return;
    peers[who].sent = 0;
    if (larch_lake_process_message_2(&peers[who].lake, &w.device_party, m->payload, &received) != LARCH_OK)
        return;
    const larch_lake_id *c_r = &peers[who].lake.keys.c_r;
    larch_cbor_put_bytes(&u, (larch_bytes){c_r->bytes, c_r->len});
    peers[who].prefix_len = u.len;
    require(larch_lake_compose_message_3(&peers[who].lake, &w.device_party, &own, (larch_bytes){NULL, 0}, &u) ==
            LARCH_OK);
    peers[who].up_len = u.len;
    peers[who].is_good = true;
}

static void give(uint8_t who, larch_bytes datagram)
{
    const larch_peer from = peer_of(who);
    larch_peer to;
    larch_bytes out;
    larch_coap_message m;
    unsigned answers = 0;
    require(larch_server_receive(&w.g.srv, w.g.now_ms, &from, false, datagram) == LARCH_OK);
    sessions_store(&w.g);
    while (larch_server_send(&w.g.srv, w.g.now_ms, &to, &out) == LARCH_OK) {
        require(++answers == 1 && larch_peer_equal(&to, &from) && larch_coap_parse(out, &m) == LARCH_OK);
        take_answer(who, &m);
    }
    expect_shares();
    require(w.stores <= good);
}

static void alter(uint8_t *at, size_t len, larch_bytes bytes)
{
    for (size_t i = 0; i + 2 < bytes.len; i += 3)
        at[(size_t)(bytes.data[i] << 8 | bytes.data[i + 1]) % len] ^= bytes.data[i + 2];
}

static void post(uint8_t who, larch_bytes body, bool has_echo)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX], echo[LARCH_ECHO_LEN];
    const larch_peer from = peer_of(who);
    larch_reach_echo(&w.g.srv.reach, w.g.now_ms, &from, echo);
    const bench_ask ask = {.code = LARCH_COAP_POST,
                           .message_id = ++peers[who].message_id,
                           .path = LARCH_LAKE_PATH,
                           .has_format = true,
                           .format = LARCH_COAP_FORMAT_CID_EDHOC,
                           .echo = {echo, has_echo ? sizeof echo : 0},
                           .payload = body};
    give(who, bench_compose(&ask, out));
}

static void knock(uint8_t who, bool has_echo, larch_bytes bytes)
{
    uint8_t body[900];
    const uint8_t c_i = who;
    larch_writer u = larch_writer_to(body, sizeof body);
    size_t before = 0, behind = 0;
    for (size_t i = 0; i < LW_PLACES; i++)
        before += w.halves[i].until_ms != 0;
    larch_writer_put_u8(&u, 0xf5);
    larch_lake_init(&peers[who].lake, LARCH_LAKE_INITIATOR);
    require(larch_lake_compose_message_1(&peers[who].lake, &w.device_party, LARCH_LAKE_METHOD_PSK, 0,
                                         (larch_bytes){&c_i, 1}, (larch_bytes){NULL, 0}, &u) == LARCH_OK);
    alter(body, u.len, bytes);
    peers[who].sent = 1; /* a message_3 of the handshake before is as good as it was */
    post(who, (larch_bytes){body, u.len}, has_echo);
    for (size_t i = 0; i < LW_PLACES; i++)
        behind += w.halves[i].until_ms != 0;
    require(has_echo || behind <= before);
}

/* message_3 alone, or before what nobody protected. */
static void finish(uint8_t who, bool is_combined, larch_bytes bytes)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX], body[1400];
    larch_coap_builder b;
    larch_bytes datagram;
    if (peers[who].up_len == 0)
        return;
    memcpy(body, peers[who].up, peers[who].up_len);
    alter(body, peers[who].up_len, bytes);
    const size_t from = is_combined ? peers[who].prefix_len : 0; /* what stands before it does not go along */
    if (peers[who].is_good && memcmp(body + from, peers[who].up + from, peers[who].up_len - from) == 0) {
        good++;
        peers[who].is_good = false;
    }
    if (!is_combined) {
        post(who, (larch_bytes){body, peers[who].up_len}, false);
        return;
    }
    const larch_lake_id *c_r = &peers[who].lake.keys.c_r;
    uint8_t option[10] = {0x09, 0x00};
    memcpy(option + 2, c_r->bytes, c_r->len);
    const size_t len = peers[who].up_len - peers[who].prefix_len;
    memset(body + peers[who].up_len, 0x55, 20);
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_POST, ++peers[who].message_id, LARCH_TEXT("c"));
    larch_coap_build_option(&b, LARCH_COAP_OPT_OSCORE, (larch_bytes){option, 2u + c_r->len});
    larch_coap_build_option(&b, LARCH_COAP_OPT_EDHOC, (larch_bytes){NULL, 0});
    larch_coap_build_payload(&b, (larch_bytes){body + peers[who].prefix_len, len + 20});
    require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    give(who, datagram);
}

static void step(uint8_t kind, uint8_t who, larch_bytes bytes)
{
    who %= PEERS;
    switch (kind & 7) {
    case 0:
        give(who, bytes);
        break;
    case 1:
        post(who, bytes, (kind & 8) != 0);
        break;
    case 2:
    case 3:
        knock(who, (kind & 8) != 0, bytes);
        break;
    case 4:
    case 5:
        finish(who, (kind & 8) != 0, bytes);
        break;
    case 6: /* storage fails at the next step of it */
        w.gateway_cut = (lw_cut){.at = 0, .fails = true, .is_behind = (kind & 8) != 0};
        break;
    default:
        if (++restarts <= COSTLY)
            lw_gateway_restart(&w);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lake_world first;
    larch_reader r = larch_reader_of((larch_bytes){data, size});
    if (first.g.now_ms == 0) { /* made once: it points into w alone */
        require(larch_crypto_init() == LARCH_OK);
        lw_prepare(&w, 1);
        first = w;
    }
    w = first;
    memset(peers, 0, sizeof peers);
    good = restarts = 0;
    for (unsigned i = 0; i < STEPS; i++) {
        uint8_t kind, who, ms, len;
        larch_bytes bytes;
        if (larch_reader_take_u8(&r, &kind) != LARCH_OK || larch_reader_take_u8(&r, &who) != LARCH_OK ||
            larch_reader_take_u8(&r, &ms) != LARCH_OK || larch_reader_take_u8(&r, &len) != LARCH_OK ||
            larch_reader_take(&r, len < r.left.len ? len : r.left.len, &bytes) != LARCH_OK)
            break;
        w.g.now_ms += (uint64_t)ms * ms;
        step(kind, who, bytes);
    }
    return 0;
}
