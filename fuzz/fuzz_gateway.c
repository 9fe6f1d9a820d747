/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway under a script of datagrams. Each step is
 *
 *     kind (1)   peer (1)   ms (1)   len (1 or 2)   bytes
 *
 * kind selects raw bytes, or a request around the bytes: as payload, as the body of the next
 * block, or a message sealed by us and altered as the bytes say; also a rotation, a power cut. Datagrams
 * with ms 0 come together with the one before; there are two gateways, and one takes them one by one.
 * Whatever comes: at most one answer a datagram, which parses; no text is accepted twice; and both gateways
 * tell, answer, remember and store the same.
 */
#include <stddef.h>

#include "fuzz.h"
#include "gateway_pair.h"

enum { SEALED = 4, STEPS = 64, TOGETHER = 12, SLOTS = 10, LONGEST = 8 * 255 };
enum { COSTLY = 3 }; /* so many rotations and restarts, each of which makes keys */

static pair p;
static bench_sealed sealed[SEALED];
static unsigned accepted[2][SEALED];
static unsigned costly;
static unsigned asked; /* an answer to a group may come later, but is still one */

static larch_server_datagram in[TOGETHER];
static uint8_t in_bytes[TOGETHER][LONGEST];
static size_t in_count;

/* Each of our messages says its number, so an accepted one is known. */
static void note_accepted(void *context, larch_bytes text)
{
    unsigned *times = context;
    bench_require(text.len == 1 && text.data[0] < SEALED);
    bench_require(++times[text.data[0]] == 1);
}

static void check_answer(void *context, larch_bytes datagram)
{
    larch_coap_message m;
    (void)context;
    bench_require(larch_coap_parse(datagram, &m) == LARCH_OK);
}

/* Hands in what came together, and what is due by then, such as the answer to a group. */
static void settle(void)
{
    asked += (unsigned)in_count;
    pair_give(&p, in, in_count);
    in_count = 0;
    bench_require(p.many.answered <= asked);
    bench_require(pair_is_same(&p));
}

static void give(const larch_peer *peer, bool multicast, larch_bytes datagram)
{
    if (in_count == TOGETHER)
        settle();
    if (datagram.len > 0)
        memcpy(in_bytes[in_count], datagram.data, datagram.len);
    in[in_count] = (larch_server_datagram){*peer, multicast, {in_bytes[in_count], datagram.len}};
    in_count++;
}

/* A request for one of the paths; the first bytes choose its options, the rest is payload. */
static void request(const larch_peer *peer, bool multicast, larch_bytes bytes)
{
    static const char *const paths[] = {"pqkem-pk", "pqkem-data", "pqkem-next", ".well-known/core", "pqkem-root"};
    static const char *const queries[] = {NULL, "kem=768", "kem=1024", "rt=larch.*", "receipt"};
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    uint8_t head[7] = {0}; /* the longest token is all of it */
    size_t used = bytes.len < 6 ? bytes.len : 6;
    if (used > 0)
        memcpy(head, bytes.data, used);
    larch_bytes payload = {bytes.data + used, bytes.len - used};
    if (payload.len > 1024)
        payload.len = 1024;
    const bench_ask ask = {
        .type = (larch_coap_type)(head[0] & 1),
        .code = (uint8_t)(1 + (head[0] >> 1 & 1)),
        .message_id = head[1],
        .token = {head, head[0] >> 2 & 7},
        .path = paths[(head[5] & 0x80) != 0 ? 4 : head[2] & 3],
        .query = queries[(head[5] & 0x40) != 0 ? 4 : head[2] >> 2 & 3],
        .has_accept = (head[2] & 0x10) != 0,
        .accept = head[2] & 0x20 ? 42 : 0,
        .has_block2 = (head[2] & 0x40) != 0,
        .has_block1 = (head[2] & 0x80) != 0,
        .block1 = {head[3], (head[4] & 8) != 0, (uint8_t)(head[4] % 7)},
        .block2 = {head[3], false, (uint8_t)(head[5] % 7)},
        .payload = payload,
    };
    give(peer, multicast, bench_compose(&ask, out));
}

/* One of our sealed messages, half of them for a receipt; each pair of bytes flips one of it. */
static void post_sealed(const larch_peer *peer, uint8_t which, larch_bytes bytes)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    bench_sealed s = sealed[which % SEALED];
    for (size_t i = 0; i + 2 < bytes.len; i += 3)
        s.bytes[(size_t)(bytes.data[i] << 8 | bytes.data[i + 1]) % s.len] ^= bytes.data[i + 2];
    const bench_ask ask = {.code = LARCH_COAP_POST,
                           .message_id = (uint16_t)(which >> 2),
                           .path = "pqkem-data",
                           .query = (which & 0x10) != 0 ? "receipt" : NULL,
                           .payload = {s.bytes, s.len}};
    give(peer, false, bench_compose(&ask, out));
}

static void restart(bench *b)
{
    larch_gateway_wipe(&b->gw);
    larch_flash_power_on(&b->flash);
    bench_require(bench_start(b) == LARCH_OK);
}

static void step(uint8_t kind, uint8_t who, larch_bytes bytes)
{
    const larch_peer peer = larch_sim_ipv4(0x0a000000u + ((uint32_t)(who & 0x7f) << 5), 1);
    bool multicast = (who & 0x80) != 0;
    if ((kind & 7) >= 6 && ++costly > COSTLY)
        return;
    switch (kind & 7) {
    case 0:
    case 1:
        give(&peer, multicast, bytes);
        break;
    case 2:
    case 3:
    case 4:
        request(&peer, multicast, bytes);
        break;
    case 5:
        post_sealed(&peer, kind >> 3, bytes);
        break;
    case 6:
        settle();
        bench_require(larch_gateway_rotate(&p.one.b.gw, p.one.b.now_ms, larch_kem_at(0)) == LARCH_OK &&
                      larch_gateway_rotate(&p.many.b.gw, p.many.b.now_ms, larch_kem_at(0)) == LARCH_OK);
        break;
    default:
        settle();
        restart(&p.one.b);
        restart(&p.many.b);
        break;
    }
}

/* Copies a side without its log, and what its disk holds. */
static void revive(pair_side *s, const pair_side *first)
{
    memcpy(s, first, offsetof(pair_side, log_bytes));
    memset(s->b.flash.files, 0, sizeof s->b.flash.files);
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++)
        if (first->b.flash.files[i].now != NULL)
            larch_flash_put(&s->b.flash, first->b.flash.files[i].name,
                            (larch_bytes){first->b.flash.files[i].now, first->b.flash.files[i].size});
}

/* Gateways just started. Making their keys costs more than most scripts, so it is done once, and copied. */
static void begin(void)
{
    static pair first;
    static bool made;
    if (!made) {
        const larch_reach_limits limits = larch_reach_default_limits();
        bench_require(larch_crypto_init() == LARCH_OK);
        pair_begin(&p, 1, 16, SLOTS, &limits);
        p.one.b.accepted = p.many.b.accepted = note_accepted;
        p.one.b.context = accepted[0];
        p.many.b.context = accepted[1];
        p.one.answer = p.many.answer = check_answer;
        for (size_t i = 0; i < SEALED; i++) {
            bench_seal(&p.one.b, larch_kem_at(0), (larch_bytes){&(uint8_t){(uint8_t)i}, 1}, &sealed[i]);
            p.many.b.random_state = p.one.b.random_state;
        }
        first = p;
        made = true;
    }
    revive(&p.one, &first.one);
    revive(&p.many, &first.many);
    memset(accepted, 0, sizeof accepted);
    asked = costly = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    larch_reader r = larch_reader_of((larch_bytes){data, size});
    begin();
    for (unsigned i = 0; i < STEPS; i++) {
        uint8_t kind, who, ms, len;
        larch_bytes bytes;
        if (larch_reader_take_u8(&r, &kind) != LARCH_OK || larch_reader_take_u8(&r, &who) != LARCH_OK ||
            larch_reader_take_u8(&r, &ms) != LARCH_OK || larch_reader_take_u8(&r, &len) != LARCH_OK)
            break;
        size_t want = (kind & 0x80) != 0 ? 8 * (size_t)len : len; /* long enough for whole blocks */
        if (larch_reader_take(&r, want < r.left.len ? want : r.left.len, &bytes) != LARCH_OK)
            break;
        if (ms > 0) {
            settle();
            p.one.b.now_ms += (uint64_t)ms * ms;
            p.many.b.now_ms += (uint64_t)ms * ms;
            settle();
        }
        step(kind, who, bytes);
    }
    settle();
    pair_end(&p);
    return 0;
}
