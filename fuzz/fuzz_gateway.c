/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway under a script of datagrams. Each step is
 *
 *     kind (1)   peer (1)   ms (1)   len (1 or 2)   bytes
 *
 * kind selects raw bytes, or a request around the bytes: as payload, as the body of the next
 * block, or a message sealed by us and altered as the bytes say; also a rotation, a power cut.
 * Whatever comes: at most one answer a datagram, which parses; no text is accepted twice.
 */
#include "gateway_bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEALED = 4, STEPS = 64, COSTLY = 3 }; /* so many rotations and restarts, each of which makes keys */

static bench b;
static bench_sealed sealed[SEALED];
static unsigned accepted[SEALED];
static unsigned costly;
static unsigned asked, answered; /* an answer to a group may come later, but is still one */

/* Each of our messages says its number, so an accepted one is known. */
static void note_accepted(void *context, larch_bytes text)
{
    (void)context;
    bench_require(text.len == 1 && text.data[0] < SEALED);
    bench_require(++accepted[text.data[0]] == 1);
}

static void collect(void)
{
    larch_peer peer;
    larch_bytes datagram;
    larch_coap_message m;
    while (larch_gateway_send(&b.gw, b.now_ms, &peer, &datagram) == LARCH_OK) {
        bench_require(larch_coap_parse(datagram, &m) == LARCH_OK);
        bench_require(++answered <= asked);
    }
}

static void give(const larch_peer *peer, bool multicast, larch_bytes datagram)
{
    asked++;
    bench_require(larch_gateway_receive(&b.gw, b.now_ms, peer, multicast, datagram) == LARCH_OK);
    collect();
}

/* A request for one of the paths; the first bytes choose its options, the rest is payload. */
static void request(const larch_peer *peer, bool multicast, larch_bytes bytes)
{
    static const char *const paths[] = {"pqkem-pk", "pqkem-data", "pqkem-next", ".well-known/core"};
    static const char *const queries[] = {NULL, "kem=768", "kem=1024", "rt=larch.*"};
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
        .path = paths[head[2] & 3],
        .query = queries[head[2] >> 2 & 3],
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

/* One of our sealed messages; each pair of bytes flips one of it. */
static void post_sealed(const larch_peer *peer, uint8_t which, larch_bytes bytes)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    bench_sealed s = sealed[which % SEALED];
    for (size_t i = 0; i + 2 < bytes.len; i += 3)
        s.bytes[(size_t)(bytes.data[i] << 8 | bytes.data[i + 1]) % s.len] ^= bytes.data[i + 2];
    const bench_ask ask = {.code = LARCH_COAP_POST,
                           .message_id = (uint16_t)(which >> 2),
                           .path = "pqkem-data",
                           .payload = {s.bytes, s.len}};
    give(peer, false, bench_compose(&ask, out));
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
        bench_require(larch_gateway_rotate(&b.gw, b.now_ms, larch_kem_at(0)) == LARCH_OK);
        break;
    default:
        larch_gateway_wipe(&b.gw);
        larch_flash_power_on(&b.flash);
        bench_require(bench_start(&b) == LARCH_OK);
        break;
    }
}

/* A gateway just started. Making its keys costs more than most scripts, so it is done once, and copied. */
static void begin(void)
{
    static bench first;
    static bool made;
    if (!made) {
        bench_require(larch_crypto_init() == LARCH_OK);
        bench_begin(&b, 1, 16);
        b.accepted = note_accepted;
        for (size_t i = 0; i < SEALED; i++)
            bench_seal(&b, larch_kem_at(0), (larch_bytes){&(uint8_t){(uint8_t)i}, 1}, &sealed[i]);
        first = b;
        made = true;
    }
    b = first;
    memset(b.flash.files, 0, sizeof b.flash.files);
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++)
        if (first.flash.files[i].now != NULL)
            larch_flash_put(&b.flash, first.flash.files[i].name,
                            (larch_bytes){first.flash.files[i].now, first.flash.files[i].size});
    memset(accepted, 0, sizeof accepted);
    asked = answered = costly = 0;
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
        b.now_ms += (uint64_t)ms * ms;
        collect(); /* what is due by then, such as the answer to a group */
        step(kind, who, bytes);
        collect();
    }
    bench_end(&b);
    return 0;
}
