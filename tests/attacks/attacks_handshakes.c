/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device shakes hands with a gateway while somebody attacks the handshake: with a pool that one prefix fills, with
 * message_3 of others, and from the path with forged error messages. A row holds if the device ends with a session that
 * both have, its reading is stored once, and the attacker's prefix holds no more of the pool than its share.
 */
#include <stdio.h>
#include <string.h>

#include "lake_world.h"
#include "larch/crypto.h"
#include "table.h"

enum { SHARE = LW_PLACES / 8, TRIES = 4, LONG_MS = 120000, RATE = 200, CROWD = 4000 };

static const larch_sim_faults sound = {.delay_min_ms = 10, .delay_max_ms = 10};
static lake_world w;

/* What the attacker does when it sees a datagram, or by the clock. */
static struct {
    bool forges_errors;     /* an answer to each message_1 or message_3 of the device, before the gateway's */
    bool garbles_message_3; /* its own message_3 under each C_R that it sees, from its own address */
    unsigned left;          /* how often it still does */
    uint64_t sent;
} attacker;

/* ---- the attacker -------------------------------------------------------- */

/* An error message in a response that the device takes for one to its request. */
static void forge_error(const larch_coap_message *asked, const larch_peer *device)
{
    static const uint8_t error[] = {0x01, 0x67, 'r', 'e', 'f', 'u', 's', 'e', 'd'};
    uint8_t out[128];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_ACK, LARCH_COAP_BAD_REQUEST, asked->message_id, asked->token);
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, LARCH_COAP_FORMAT_EDHOC);
    larch_coap_build_payload(&b, LARCH_BYTES(error));
    bench_require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    larch_sim_send(w.sim, &w.gateway_address, device, datagram);
    attacker.sent++;
}

/* The device's C_R with other bytes behind it, from an address that returns its Echo. */
static void garble(const larch_coap_message *asked)
{
    const larch_peer own = larch_sim_ipv4(0x15000001, 5000);
    uint8_t out[LARCH_COAP_DATAGRAM_MAX], payload[64], echo[LARCH_ECHO_LEN];
    const size_t len = asked->payload.len < sizeof payload ? asked->payload.len : sizeof payload;
    memcpy(payload, asked->payload.data, len);
    payload[len - 1] ^= 1;
    larch_reach_echo(&w.g.srv.reach, larch_sim_now_ms(w.sim), &own, echo);
    const bench_ask ask = {.code = LARCH_COAP_POST,
                           .message_id = (uint16_t)++attacker.sent,
                           .token = LARCH_TEXT("x"),
                           .path = LARCH_LAKE_PATH,
                           .has_format = true,
                           .format = LARCH_COAP_FORMAT_CID_EDHOC,
                           .echo = LARCH_BYTES(echo),
                           .payload = {payload, len}};
    larch_sim_send(w.sim, &own, &w.gateway_address, bench_compose(&ask, out));
}

static void see(void *context, uint64_t now_ms, const larch_peer *from, const larch_peer *to, larch_bytes datagram,
                bool lost)
{
    larch_coap_message m;
    (void)context, (void)now_ms, (void)to, (void)lost;
    if (attacker.left == 0 || !larch_peer_equal(from, &w.address) || larch_coap_parse(datagram, &m) != LARCH_OK ||
        m.code != LARCH_COAP_POST || m.payload.len == 0)
        return;
    const bool is_message_3 = m.payload.data[0] != 0xf5;
    if (attacker.forges_errors || (attacker.garbles_message_3 && is_message_3))
        attacker.left--;
    if (attacker.forges_errors)
        forge_error(&m, from);
    else if (attacker.garbles_message_3 && is_message_3)
        garble(&m);
}

/* message_1 from a proven address of one /24, with another ephemeral key each time. */
static void knock(uint64_t number)
{
    const larch_peer from = larch_sim_ipv4(0x15000001u + (uint32_t)(number % 250), 5000);
    uint8_t out[LARCH_COAP_DATAGRAM_MAX], body[1024], echo[LARCH_ECHO_LEN];
    larch_lake_session lake;
    larch_writer u = larch_writer_to(body, sizeof body);
    const uint8_t c_i = (uint8_t)number;
    larch_writer_put_u8(&u, 0xf5);
    larch_lake_init(&lake, LARCH_LAKE_INITIATOR);
    bench_require(larch_lake_compose_message_1(&lake, &w.device_party, LARCH_LAKE_METHOD_PSK, 0, (larch_bytes){&c_i, 1},
                                               (larch_bytes){NULL, 0}, &u) == LARCH_OK);
    larch_reach_echo(&w.g.srv.reach, larch_sim_now_ms(w.sim), &from, echo);
    const bench_ask ask = {.code = LARCH_COAP_POST,
                           .message_id = (uint16_t)number,
                           .token = LARCH_TEXT("x"),
                           .path = LARCH_LAKE_PATH,
                           .has_format = true,
                           .format = LARCH_COAP_FORMAT_CID_EDHOC,
                           .echo = LARCH_BYTES(echo),
                           .payload = {body, u.len}};
    larch_sim_send(w.sim, &from, &w.gateway_address, bench_compose(&ask, out));
    attacker.sent++;
}

/* ---- rows ------------------------------------------------------------------ */

static unsigned most_of_one_prefix(void)
{
    unsigned most = 0;
    for (size_t i = 0; i < LW_PLACES; i++) {
        unsigned same = 0;
        for (size_t k = 0; w.halves[i].until_ms > w.g.now_ms && k < LW_PLACES; k++)
            same +=
                w.halves[k].until_ms > w.g.now_ms && w.halves[k].stage == 0 && w.halves[k].owner == w.halves[i].owner;
        most = same > most ? same : most;
    }
    return most;
}

static void begin(table *t)
{
    memset(&attacker, 0, sizeof attacker);
    lw_begin(&w, 11, &sound);
    larch_sim_set_tap(w.sim, see, &w);
    table_begin(t);
}

/* The device tries as its program does: after a failure anew, with the key that it has. */
static unsigned try_handshakes(unsigned method)
{
    unsigned tries = 0;
    for (; tries < TRIES && w.outcome != LARCH_OK; tries++) {
        lw_device_start(&w, larch_sim_now_ms(w.sim));
        lw_shake(&w, larch_sim_now_ms(w.sim), method);
        lw_run(&w, LONG_MS);
    }
    return tries;
}

static void end(table *t, const char *name, unsigned rate, unsigned tries, unsigned most)
{
    char figures[80];
    table_check(t, w.outcome == LARCH_OK && w.reported == LARCH_OK, "the device has no session");
    table_check(t, w.g.stored_count == 1 && w.stores <= tries, "%zu readings, %u sessions", w.g.stored_count, w.stores);
    table_check(t, attacker.sent > 0, "nobody attacked");
    (void)snprintf(figures, sizeof figures, "  session after try %u; %u half open of one prefix", tries, most);
    table_end_text(t, name, rate, figures);
    lw_end(&w);
}

/* A prefix that can be reached fills what it may, and goes on. */
static void run_crowd(table *t, unsigned method, const char *name)
{
    unsigned most = 0;
    begin(t);
    for (uint64_t i = 0; i < CROWD; i++) {
        knock(i);
        if (i == CROWD / 2) {
            lw_device_start(&w, larch_sim_now_ms(w.sim));
            lw_shake(&w, larch_sim_now_ms(w.sim), method);
        }
        lw_run(&w, 1000 / RATE);
        most = most_of_one_prefix() > most ? most_of_one_prefix() : most;
    }
    table_check(t, most == SHARE, "%u half-open handshakes of one prefix", most);
    lw_run(&w, LONG_MS);
    end(t, name, RATE, 1 + (w.outcome != LARCH_OK ? try_handshakes(method) : 0), most);
}

static void run_garbled(table *t)
{
    begin(t);
    attacker.garbles_message_3 = true;
    attacker.left = 100;
    const unsigned tries = try_handshakes(LARCH_LAKE_METHOD_PSK);
    table_check(t, tries == 1, "message_3 of others ended the handshake");
    end(t, "others' message_3 under the device's C_R", 0, tries, 0);
}

/* Errors are not authenticated: they cost a try each, and change nothing of the next. */
static void run_errors(table *t, unsigned method, const char *name)
{
    begin(t);
    attacker.forges_errors = true;
    attacker.left = TRIES - 1;
    const unsigned tries = try_handshakes(method);
    table_check(t, tries == TRIES, "%u tries for %d forged errors", tries, TRIES - 1);
    end(t, name, 0, tries, 0);
}

int main(void)
{
    table t;
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    table_head(&t);
    run_crowd(&t, LARCH_LAKE_METHOD_PSK, "a proven prefix fills the pool, PSK");
    run_crowd(&t, LARCH_LAKE_METHOD_SIGNATURES, "a proven prefix fills the pool, signatures");
    run_garbled(&t);
    run_errors(&t, LARCH_LAKE_METHOD_PSK, "forged errors to the device, PSK");
    run_errors(&t, LARCH_LAKE_METHOD_SIGNATURES, "forged errors to the device, signatures");
    return table_close(&t);
}
