/* SPDX-License-Identifier: Apache-2.0 */
/* A device that shakes hands with the gateway of lake_world.h by hand, message by message and without a network. */
#ifndef LARCH_TESTS_LAKE_HAND_H
#define LARCH_TESTS_LAKE_HAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "lake_world.h"
#include "larch/cbor.h"

static lake_world w;

/* One handshake of a device, by hand. */
static struct hand {
    larch_peer peer;
    larch_lake_session lake;
    uint8_t echo[LARCH_ECHO_LEN];
    size_t echo_len;
    uint8_t up[4096]; /* the last message, with what stands before it */
    size_t up_len, prefix_len;
    uint16_t message_id;
    bench_answer answer;
    uint8_t down[5000]; /* the whole answer */
    size_t down_len;
} hand;

static inline void begin(void)
{
    lw_prepare(&w, 5);
    memset(&hand, 0, sizeof hand);
    hand.peer = larch_sim_ipv4(0x0a000002, LW_DEVICE_PORT);
}

static inline void end(void) { lw_end(&w); }

/* ---- requests ----------------------------------------------------------------- */

static inline bool collect(void)
{
    larch_peer peer;
    larch_bytes datagram;
    memset(&hand.answer, 0, sizeof hand.answer);
    sessions_store(&w.g);
    while (larch_server_send(&w.g.srv, w.g.now_ms, &peer, &datagram) == LARCH_OK) {
        bench_require(!hand.answer.any && larch_peer_equal(&peer, &hand.peer));
        hand.answer.any = true;
        hand.answer.len = datagram.len;
        memcpy(hand.answer.bytes, datagram.data, datagram.len);
        bench_require(larch_coap_parse((larch_bytes){hand.answer.bytes, datagram.len}, &hand.answer.message) ==
                      LARCH_OK);
    }
    return hand.answer.any;
}

/* The code of the answer; 0: there was none. */
static inline unsigned deliver(larch_bytes datagram)
{
    assert_int_equal(larch_server_receive(&w.g.srv, w.g.now_ms, &hand.peer, false, datagram), LARCH_OK);
    return collect() ? hand.answer.message.code : 0;
}

static inline bench_ask edhoc_ask(larch_bytes payload)
{
    return (bench_ask){.code = LARCH_COAP_POST,
                       .message_id = ++hand.message_id,
                       .token = LARCH_TEXT("t"),
                       .path = LARCH_LAKE_PATH,
                       .has_format = true,
                       .format = LARCH_COAP_FORMAT_CID_EDHOC,
                       .echo = {hand.echo, hand.echo_len},
                       .payload = payload};
}

static inline unsigned ask(const bench_ask *a)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    return deliver(bench_compose(a, out));
}

static inline void keep_echo(void)
{
    larch_bytes echo;
    assert_true(larch_coap_option_find(&hand.answer.message, LARCH_COAP_OPT_ECHO, &echo));
    assert_int_equal(echo.len, LARCH_ECHO_LEN);
    memcpy(hand.echo, echo.data, echo.len);
    hand.echo_len = echo.len;
}

/* Any body, in blocks if need be; *down is the whole answer. */
static inline unsigned post(larch_bytes body)
{
    unsigned code = 0;
    hand.down_len = 0;
    for (uint32_t at = 0; at < body.len || at == 0; at += 1024) {
        const uint32_t left = (uint32_t)body.len - at;
        bench_ask a = edhoc_ask((larch_bytes){body.data + at, left < 1024 ? left : 1024});
        a.has_block1 = body.len > 1024;
        a.block1 = (larch_coap_block){at / 1024, left > 1024, 6};
        code = ask(&a);
        if (left > 1024 && code != LARCH_COAP_CONTINUE)
            return code;
    }
    for (uint32_t num = 1;; num++) {
        larch_coap_block block = {0};
        bool given;
        const larch_bytes part = hand.answer.message.payload;
        if (part.len > 0)
            memcpy(hand.down + hand.down_len, part.data, part.len);
        hand.down_len += part.len;
        assert_int_equal(larch_coap_block_find(&hand.answer.message, LARCH_COAP_OPT_BLOCK2, &given, &block), LARCH_OK);
        if (!given || !block.more)
            return code;
        bench_ask a = edhoc_ask((larch_bytes){NULL, 0});
        a.has_format = false;
        a.has_block2 = true;
        a.block2 = (larch_coap_block){num, false, 6};
        code = ask(&a);
    }
}

static inline unsigned post_up(void) { return post((larch_bytes){hand.up, hand.up_len}); }

/* ---- messages ------------------------------------------------------------------- */

static inline void make_message_1(unsigned method)
{
    static uint8_t c_i = 0x80;
    larch_writer u = larch_writer_to(hand.up, sizeof hand.up);
    c_i++;
    larch_writer_put_u8(&u, 0xf5);
    larch_lake_init(&hand.lake, LARCH_LAKE_INITIATOR);
    assert_int_equal(larch_lake_compose_message_1(&hand.lake, &w.device_party, method, 0, (larch_bytes){&c_i, 1},
                                                  (larch_bytes){NULL, 0}, &u),
                     LARCH_OK);
    hand.up_len = u.len;
    hand.prefix_len = 1;
}

/* Takes message_2 from down. */
static inline void make_message_3(unsigned method, const lw_key *key)
{
    larch_lake_received received;
    larch_writer u = larch_writer_to(hand.up, sizeof hand.up);
    const lw_credentials *c = &w.devices[w.who];
    larch_lake_credential own = method == LARCH_LAKE_METHOD_PSK ? lw_psk(c, key) : lw_signing(c, true);
    if (key != NULL)
        own.id_cred = (larch_bytes){w.id_rpsk, lw_put_id(w.id_rpsk, (larch_bytes){key->r.kid, key->r.kid_len})};
    assert_int_equal(
        larch_lake_process_message_2(&hand.lake, &w.device_party, (larch_bytes){hand.down, hand.down_len}, &received),
        LARCH_OK);
    const larch_lake_id *c_r = &hand.lake.keys.c_r;
    larch_cbor_put_bytes(&u, (larch_bytes){c_r->bytes, c_r->len}); /* of two bytes, so no integer */
    hand.prefix_len = u.len;
    assert_int_equal(larch_lake_compose_message_3(&hand.lake, &w.device_party, &own, (larch_bytes){NULL, 0}, &u),
                     LARCH_OK);
    hand.up_len = u.len;
}

static inline larch_error take_message_4(void)
{
    larch_lake_received received;
    return larch_lake_process_message_4(&hand.lake, &w.device_party, (larch_bytes){hand.down, hand.down_len},
                                        &received);
}

/* Up to message_2. */
static inline void begin_handshake(unsigned method)
{
    make_message_1(method);
    hand.echo_len = 0;
    assert_int_equal(post_up(), LARCH_COAP_UNAUTHORIZED);
    keep_echo();
    assert_int_equal(post_up(), LARCH_COAP_CHANGED);
}

/* Up to message_3 in up. */
static inline void reach_message_3(unsigned method)
{
    begin_handshake(method);
    make_message_3(method, NULL);
}

static inline size_t places_in_use(void)
{
    size_t used = 0;
    for (size_t i = 0; i < LW_PLACES; i++)
        used += w.halves[i].until_ms > w.g.now_ms;
    return used;
}

static inline void expect_error(int64_t code)
{
    larch_lake_error error;
    larch_bytes format;
    assert_true(larch_coap_option_find(&hand.answer.message, LARCH_COAP_OPT_CONTENT_FORMAT, &format));
    assert_int_equal(larch_number_at(format.data, format.len), LARCH_COAP_FORMAT_EDHOC);
    assert_int_equal(larch_lake_parse_error(hand.answer.message.payload, &error), LARCH_OK);
    assert_int_equal(error.code, code);
}

static inline uint32_t max_age(void)
{
    larch_bytes value;
    assert_true(larch_coap_option_find(&hand.answer.message, LARCH_COAP_OPT_MAX_AGE, &value));
    return (uint32_t)larch_number_at(value.data, value.len);
}

/* The code for a message_1 from this address, which returns its Echo. */
static inline unsigned knock(uint32_t address)
{
    hand.peer = larch_sim_ipv4(address, LW_DEVICE_PORT);
    make_message_1(LARCH_LAKE_METHOD_PSK);
    larch_reach_echo(&w.g.srv.reach, w.g.now_ms, &hand.peer, hand.echo);
    hand.echo_len = sizeof hand.echo;
    return post_up();
}

/* ---- under the new keys ------------------------------------------------------- */

static larch_oscore_context device_end;
static larch_oscore_binding binding;

/* POST /r/temp under the new keys and this number; message_3 in up goes before it, if has_early. */
static inline unsigned report(uint64_t number, bool has_early, const char *text)
{
    uint8_t plain[256], scratch[256], out[512], whole[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    larch_coap_message m, outer;
    larch_coap_option option;
    larch_bytes datagram;
    larch_coap_build(&b, plain, sizeof plain, LARCH_COAP_CON, LARCH_COAP_POST, ++hand.message_id, LARCH_TEXT("t"));
    larch_coap_build_path(&b, "r/temp");
    larch_coap_build_payload(&b, larch_bytes_of_text(text));
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
    assert_int_equal(larch_oscore_protect_request(&device_end, number, &m,
                                                  (larch_oscore_scratch){scratch, sizeof scratch}, out, sizeof out,
                                                  &binding, &datagram),
                     LARCH_OK);
    assert_int_equal(larch_coap_parse(datagram, &outer), LARCH_OK);
    larch_coap_build(&b, whole, sizeof whole, LARCH_COAP_CON, outer.code, m.message_id, m.token);
    larch_coap_options options = larch_coap_options_of(&outer);
    while (larch_coap_options_next(&options, &option))
        larch_coap_build_option(&b, option.number, option.value);
    const size_t early = has_early ? hand.up_len - hand.prefix_len : 0;
    if (has_early)
        larch_coap_build_option(&b, LARCH_COAP_OPT_EDHOC, (larch_bytes){NULL, 0});
    uint8_t *payload = larch_coap_build_payload_reserve(&b, early + outer.payload.len);
    memcpy(payload, hand.up + hand.prefix_len, early);
    memcpy(payload + early, outer.payload.data, outer.payload.len);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    return deliver(datagram);
}

/* The inner code of the answer; 0: it is not protected. */
static inline unsigned inner_code(void)
{
    uint8_t scratch[256];
    larch_coap_message m;
    bool has_number;
    uint64_t number;
    return larch_oscore_unprotect_response(&device_end, &binding, &hand.answer.message,
                                           (larch_oscore_scratch){scratch, sizeof scratch}, &has_number, &number,
                                           &m) == LARCH_OK
               ? m.code
               : 0;
}

static inline void derive_device_end(void)
{
    larch_lake_oscore o;
    assert_int_equal(larch_lake_derive_oscore(larch_lake_keys_of(&hand.lake), &o), LARCH_OK);
    const larch_oscore_parameters p = lw_parameters(&o);
    assert_int_equal(larch_oscore_context_init(&device_end, &p), LARCH_OK);
}

#endif
