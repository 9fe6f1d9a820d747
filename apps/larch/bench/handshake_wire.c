/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the messages become on the wire, as larch's client and server send them: requests with a token of 4 bytes and an Echo
 * of 12, each message in blocks if it does not fit one, and the round trip for the Echo first. A test holds it against what
 * crosses the simulated network.
 */
#include "bench/handshake.h"
#include "larch/coap_block.h"
#include "larch/lake_made.h"
#include "larch/reach.h"

#define TOKEN_LEN 4
#define HEAD_MAX  128

/* IEEE 802.15.4 at 250 kbit/s with 6LoWPAN */
#define BYTE_US       32  /* 8 bits */
#define FRAME_MAX     127 /* of the MAC, with its checksum */
#define MAC_LEN       23  /* a data frame with 64-bit addresses in one PAN, and its checksum */
#define PHY_LEN       6   /* preamble, delimiter and length in front of each frame */
#define ACK_LEN       5   /* the frame that acknowledges another */
#define IP_LEN        9   /* IPv6 and UDP, compressed [RFC6282]: 2 + 1, ports, checksum */
#define FRAGMENT_HEAD 5   /* of the first 4 [RFC4944 5.3] */
#define FRAGMENT_MAX \
    96 /* bytes of a datagram in a fragment: FRAME_MAX - MAC_LEN - FRAGMENT_HEAD, down to a multiple of 8 */
#define SEND_MA    17.4 /* CC2420 at 0 dBm, Texas Instruments SWRS041B */
#define RECEIVE_MA 18.8
#define VOLTS      3.0

typedef struct counting {
    larch_bench_wire *wire;
    uint8_t szx;
    size_t size;
} counting;

/* ---- datagrams ---------------------------------------------------------------------- */

static void count(counting *c, const larch_coap_builder *built, bool is_up)
{
    larch_coap_builder b = *built;
    larch_bytes datagram;
    larch_bench_wire *w = c->wire;
    if (larch_coap_build_end(&b, &datagram) != LARCH_OK)
        return;
    const size_t len = datagram.len + IP_LEN;
    const bool is_whole = len <= FRAME_MAX - MAC_LEN;
    const size_t frames = is_whole ? 1 : (len + FRAGMENT_MAX - 1) / FRAGMENT_MAX;
    const size_t heads = is_whole ? 0 : FRAGMENT_HEAD * frames - 1;
    larch_bench_way *way = is_up ? &w->up : &w->down, *back = is_up ? &w->down : &w->up;
    way->datagrams++;
    way->bytes += datagram.len;
    way->frames += (unsigned)frames;
    way->air_bytes += len + heads + frames * (MAC_LEN + PHY_LEN);
    back->air_bytes += frames * (ACK_LEN + PHY_LEN);
}

static void begin(larch_coap_builder *b, uint8_t *bytes, size_t cap, larch_coap_type type, uint8_t code)
{
    static const uint8_t token[TOKEN_LEN];
    larch_coap_build(b, bytes, cap, type, code, 0, LARCH_BYTES(token));
}

static void put_block(larch_coap_builder *b, uint16_t option, const counting *c, size_t num, bool more)
{
    larch_coap_build_option_uint(b, option, larch_coap_block_value((larch_coap_block){(uint32_t)num, more, c->szx}));
}

static void end_request(counting *c, larch_coap_builder *b, bool has_echo, size_t payload)
{
    static const uint8_t echo[LARCH_ECHO_LEN];
    if (has_echo)
        larch_coap_build_option(b, LARCH_COAP_OPT_ECHO, LARCH_BYTES(echo));
    if (payload > 0)
        (void)larch_coap_build_payload_reserve(b, payload);
    count(c, b, true);
}

static size_t blocks_of(const counting *c, size_t len) { return (len + c->size - 1) / c->size; }

static size_t block_len(const counting *c, size_t len, size_t num)
{
    const size_t left = len - num * c->size;
    return left < c->size ? left : c->size;
}

/* The num-th block of a message of len bytes. */
static void ask(counting *c, size_t len, size_t num, bool has_echo)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    const size_t blocks = blocks_of(c, len);
    begin(&b, bytes, sizeof bytes, LARCH_COAP_CON, LARCH_COAP_POST);
    larch_coap_build_path(&b, LARCH_LAKE_PATH);
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, LARCH_COAP_FORMAT_CID_EDHOC);
    if (c->szx < LARCH_COAP_BLOCK_SZX)
        put_block(&b, LARCH_COAP_OPT_BLOCK2, c, 0, false); /* the answer shall have small blocks too */
    if (blocks > 1)
        put_block(&b, LARCH_COAP_OPT_BLOCK1, c, num, num + 1 < blocks);
    if (blocks > 1 && num == 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_SIZE1, (uint32_t)len);
    end_request(c, &b, has_echo, block_len(c, len, num));
}

static void challenge(counting *c)
{
    static const uint8_t echo[LARCH_ECHO_LEN];
    uint8_t bytes[HEAD_MAX];
    larch_coap_builder b;
    begin(&b, bytes, sizeof bytes, LARCH_COAP_ACK, LARCH_COAP_UNAUTHORIZED);
    larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, LARCH_BYTES(echo));
    count(c, &b, false);
}

static void go_on(counting *c, size_t num)
{
    uint8_t bytes[HEAD_MAX];
    larch_coap_builder b;
    begin(&b, bytes, sizeof bytes, LARCH_COAP_ACK, LARCH_COAP_CONTINUE);
    put_block(&b, LARCH_COAP_OPT_BLOCK1, c, num, true);
    count(c, &b, false);
}

/* The num-th block of an answer of len bytes; up_len: of the message that it answers. */
static void answer(counting *c, size_t len, size_t num, size_t up_len)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    const size_t blocks = blocks_of(c, len), up = blocks_of(c, up_len);
    const bool has_block2 = blocks > 1 || c->szx < LARCH_COAP_BLOCK_SZX;
    begin(&b, bytes, sizeof bytes, LARCH_COAP_ACK, LARCH_COAP_CHANGED);
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, LARCH_COAP_FORMAT_EDHOC);
    if (has_block2)
        put_block(&b, LARCH_COAP_OPT_BLOCK2, c, num, num + 1 < blocks);
    if (num == 0 && up > 1)
        put_block(&b, LARCH_COAP_OPT_BLOCK1, c, up - 1, false);
    if (num == 0 && has_block2)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_SIZE2, (uint32_t)len);
    (void)larch_coap_build_payload_reserve(&b, block_len(c, len, num));
    count(c, &b, false);
}

static void ask_next(counting *c, size_t num)
{
    uint8_t bytes[HEAD_MAX];
    larch_coap_builder b;
    begin(&b, bytes, sizeof bytes, LARCH_COAP_CON, LARCH_COAP_POST);
    larch_coap_build_path(&b, LARCH_LAKE_PATH);
    put_block(&b, LARCH_COAP_OPT_BLOCK2, c, num, false);
    end_request(c, &b, true, 0);
}

/* A message up, and its answer. */
static void exchange(counting *c, size_t up_len, size_t down_len, bool is_challenged)
{
    if (is_challenged) {
        ask(c, up_len, 0, false);
        challenge(c);
    }
    for (size_t num = 0; num < blocks_of(c, up_len); num++) {
        ask(c, up_len, num, true);
        if (num + 1 < blocks_of(c, up_len))
            go_on(c, num);
    }
    answer(c, down_len, 0, up_len);
    for (size_t num = 1; num < blocks_of(c, down_len); num++) {
        ask_next(c, num);
        answer(c, down_len, num, up_len);
    }
}

/* ---- all of a handshake -------------------------------------------------------------- */

void larch_bench_count_wire(const larch_bench_handshake *h, uint8_t szx, larch_bench_wire *wire)
{
    counting c = {wire, szx, larch_coap_block_size(szx)};
    *wire = (larch_bench_wire){.block = c.size};
    for (unsigned n = 0; n < LARCH_BENCH_MESSAGES; n++)
        wire->blocks[n] = (unsigned)blocks_of(&c, h->message_len[n] + (n % 2 == 0 ? h->prefix_len[n / 2] : 0));
    exchange(&c, h->prefix_len[0] + h->message_len[0], h->message_len[1], true);
    exchange(&c, h->prefix_len[1] + h->message_len[2], h->message_len[3], false);
    wire->round_trips = wire->up.datagrams;
    const double send_ms = (double)wire->up.air_bytes * BYTE_US / 1e3;
    const double receive_ms = (double)wire->down.air_bytes * BYTE_US / 1e3;
    wire->air_ms = send_ms + receive_ms;
    wire->device_mj = VOLTS * (send_ms * SEND_MA + receive_ms * RECEIVE_MA) / 1e3;
}

const char *larch_bench_wire_assumptions(void)
{
    return "Air time and energy are computed, not measured: IEEE 802.15.4 at 250 kbit/s, frames of 127 bytes with "
           "64-bit\n"
           "addresses (23 bytes), 6 bytes in front of each frame, 9 bytes of compressed IPv6 and UDP headers, "
           "fragments of\n"
           "96 bytes with 5 bytes in front, each frame acknowledged, nothing lost, no waiting for the channel, no "
           "security\n"
           "of the link. Energy is that of the device's radio while it sends (17.4 mA) or receives (18.8 mA) at 3 V, "
           "as a\n"
           "CC2420 does (Texas Instruments, SWRS041B); listening between datagrams, and the processor, are not in it.";
}
