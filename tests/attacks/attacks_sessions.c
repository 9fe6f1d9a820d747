/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session under forgeries for its whole life. Its device reports every ten minutes for seven days, while somebody
 * without its key sends 10,000 datagrams a second under its kid. Time jumps between the datagrams: docs/attacks.md says
 * which of them are simulated.
 */
#include <stdio.h>
#include <string.h>

#include "larch/crypto.h"
#include "session_bench.h"
#include "table.h"

enum {
    RATE = 10000,       /* datagrams a second */
    REPORT_S = 600,     /* between two readings, */
    AROUND = 300,       /* before each of which so many datagrams come, more than all buckets hold, */
    BETWEEN = 40,       /* and after every minute so many, more than the buckets were given back */
    WHOLE_S = 6 * 3600, /* after which all datagrams of one second come */
    TRIES = 12,         /* of the device, for one reading */
    HOSTS = 30,         /* of the forger's own, far apart */
    FORGED_LEN = 4 + 1 + 8 + 1 + 24,
};

_Static_assert(AROUND > LARCH_SESSION_BURST * LARCH_SESSION_BUCKETS, "every bucket is emptied");

typedef struct siege {
    const char *name;
    unsigned sources;   /* a bit for each source below */
    unsigned move_s;    /* after which the device's address changes; 0: never */
    unsigned restart_s; /* after which the gateway starts anew */
} siege;

enum { OTHERS, DEVICE, OWN_HOSTS, RECORDED, SOURCES };

static session_bench s;
static const larch_bytes none = {NULL, 0};

static struct {
    uint64_t number;
    uint8_t recorded[512]; /* the last datagram of the device that was seen */
    size_t recorded_len;
    uint64_t end_ms;
    uint64_t sent;
} forger;

/* ---- the forger ---------------------------------------------------------- */

static void deliver_from(const larch_peer *from, larch_bytes datagram)
{
    const larch_peer device = s.peer;
    s.peer = *from;
    (void)sessions_deliver(&s, datagram);
    s.peer = device;
}

/* Any number, any tag, and if the sender can have one, a genuine Echo. */
static larch_bytes forge(const larch_peer *echo_of, uint8_t *out, size_t cap)
{
    uint8_t option[7] = {0x0d}, tag[24], echo[LARCH_ECHO_LEN];
    larch_coap_builder b;
    larch_bytes datagram;
    const uint64_t number = forger.number++;
    memset(tag, 0x5a, sizeof tag);
    memcpy(tag, &number, sizeof number);
    option[1] = (uint8_t)(1 + number % 255); /* five bytes: far ahead of the device */
    memcpy(option + 2, &number, 4);
    option[6] = 'd';
    larch_coap_build(&b, out, cap, LARCH_COAP_NON, LARCH_COAP_POST, (uint16_t)number, (larch_bytes){tag, 1});
    larch_coap_build_option(&b, LARCH_COAP_OPT_OSCORE, LARCH_BYTES(option));
    if (echo_of != NULL) {
        larch_reach_echo(&s.srv.reach, s.now_ms, echo_of, echo);
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, LARCH_BYTES(echo));
    }
    larch_coap_build_payload(&b, LARCH_BYTES(tag));
    bench_require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    return datagram;
}

static void send_forged(const siege *what)
{
    uint8_t out[128];
    larch_peer from;
    unsigned source = (unsigned)(forger.sent++ % SOURCES);
    while ((what->sources >> source & 1) == 0)
        source = (source + 1) % SOURCES;
    switch (source) {
    case OTHERS:
        from = larch_sim_ipv4(0x20000000u | (uint32_t)(forger.sent * 2654435761u) >> 4, 5000);
        deliver_from(&from, forge(NULL, out, sizeof out));
        break;
    case DEVICE:
        deliver_from(&s.peer, forge(NULL, out, sizeof out));
        break;
    case OWN_HOSTS:
        from = larch_sim_ipv4(0x16000001u + ((uint32_t)(forger.sent % HOSTS) << 8), 5000);
        deliver_from(&from, forge(&from, out, sizeof out));
        break;
    default: /* what the device sent, from elsewhere, under other message IDs */
        from = larch_sim_ipv4(0x21000000u | (uint32_t)(forger.sent * 2654435761u) >> 4, 5000);
        if (forger.recorded_len == 0)
            break;
        forger.recorded[2] = (uint8_t)(forger.sent >> 8);
        forger.recorded[3] = (uint8_t)forger.sent;
        deliver_from(&from, (larch_bytes){forger.recorded, forger.recorded_len});
        break;
    }
}

static void flood(const siege *what, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        send_forged(what);
}

/* ---- the device ---------------------------------------------------------- */

/* The same protected bytes under a new message ID, with the Echo outside, which has the highest number of all there. */
static larch_bytes with_echo(larch_bytes sent, larch_bytes echo, uint8_t *out, size_t cap)
{
    larch_coap_message request;
    larch_coap_builder b;
    larch_coap_option option;
    larch_bytes datagram;
    bench_require(larch_coap_parse(sent, &request) == LARCH_OK);
    larch_coap_build(&b, out, cap, LARCH_COAP_CON, request.code, ++s.message_id, request.token);
    larch_coap_options options = larch_coap_options_of(&request);
    while (larch_coap_options_next(&options, &option))
        larch_coap_build_option(&b, option.number, option.value);
    larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, echo);
    larch_coap_build_payload(&b, request.payload);
    bench_require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    return datagram;
}

static void note(larch_bytes datagram)
{
    forger.recorded_len = datagram.len;
    memcpy(forger.recorded, datagram.data, datagram.len);
}

/* One reading, as a client of larch sends it; between its datagrams the flood goes on. */
static bool report(const siege *what, const char *text)
{
    uint8_t again[512], inner_echo[LARCH_OSCORE_ECHO_LEN], outer_echo[LARCH_ECHO_LEN];
    larch_bytes datagram = sessions_reading(&s, "temp", NULL, none, text), value;
    larch_coap_message m;
    for (unsigned i = 0; i < TRIES; i++) {
        note(datagram);
        const unsigned code = sessions_ask(&s, datagram, &m);
        if (code == LARCH_COAP_CHANGED)
            return true;
        if (code == (0x100u | LARCH_COAP_UNAUTHORIZED) && larch_coap_option_find(&m, LARCH_COAP_OPT_ECHO, &value) &&
            value.len == sizeof outer_echo) {
            memcpy(outer_echo, value.data, value.len);
            datagram = with_echo((larch_bytes){s.sent, s.sent_len}, LARCH_BYTES(outer_echo), again, sizeof again);
        } else if (code == LARCH_COAP_UNAUTHORIZED && larch_coap_option_find(&m, LARCH_COAP_OPT_ECHO, &value) &&
                   value.len == sizeof inner_echo) {
            memcpy(inner_echo, value.data, value.len);
            datagram = sessions_reading(&s, "temp", NULL, LARCH_BYTES(inner_echo), text);
        }
        flood(what, BETWEEN);
    }
    return false;
}

/* ---- a life -------------------------------------------------------------- */

/* What is stored of the counters is rounded up at a start, at most by a grant of failures. */
static void restart(void)
{
    enum { FAILED_GRANT = 256, OWN_GRANT = 1024 };
    const uint32_t failed = s.places[0].failed + FAILED_GRANT, own = s.places[0].own_used + OWN_GRANT;
    larch_server_wipe(&s.srv);
    sessions_start(&s);
    s.places[0].failed = failed;
    s.places[0].own_used = own;
    memset(s.noted, 0, sizeof s.noted);
    s.noted_count = 0;
}

static void run(table *t, const siege *what)
{
    unsigned offered = 0, through = 0, stored = 0;
    char text[16], figures[96];
    sessions_begin(&s, 9);
    memset(&forger, 0, sizeof forger);
    table_begin(t);
    for (uint32_t now_s = 0; now_s < LARCH_SESSION_LIFE_S; now_s += 60) {
        if (what->restart_s > 0 && now_s > 0 && now_s % what->restart_s == 0)
            restart();
        if (what->move_s > 0 && now_s % what->move_s == 0)
            s.peer.port++;
        flood(what, now_s % WHOLE_S == 0 ? RATE : BETWEEN);
        if (now_s % REPORT_S == 0) {
            (void)snprintf(text, sizeof text, "%u", ++offered);
            flood(what, AROUND);
            s.stored_count = 0;
            through += report(what, text);
            stored += s.stored_count == 1 && s.stored[0].len == strlen(text) &&
                      memcmp(s.stored[0].text, text, strlen(text)) == 0;
        }
        s.now_ms += 60000;
    }
    const larch_session *session = &s.places[0];
    table_check(t, through == offered, "%u of %u readings through", through, offered);
    table_check(t, stored == offered, "%u of %u readings stored once", stored, offered);
    table_check(t, session->failed < 1u << 14, "%u failed decryptions", (unsigned)session->failed);
    table_check(t, !larch_session_is_spent(session), "the session is used up");
    table_check(t, session->own_used < 8192 + 4 * offered, "%u messages of our own", (unsigned)session->own_used);
    (void)snprintf(figures, sizeof figures, "%u/%u through, %u decryptions failed", through, offered,
                   (unsigned)session->failed);
    table_end_text(t, what->name, RATE, figures);
    larch_server_wipe(&s.srv);
}

int main(void)
{
    static const siege sieges[] = {
        {"forged readings from others and the device's address", 1 << OTHERS | 1 << DEVICE, 0, 0},
        {"these, and the device's port changes every hour", 1 << OTHERS | 1 << DEVICE, 3600, 0},
        {"these, recorded ones, and 30 hosts with an Echo", 1 << OTHERS | 1 << DEVICE | 1 << OWN_HOSTS | 1 << RECORDED,
         0, 0},
        {"these, and the gateway restarts every day", 1 << OTHERS | 1 << DEVICE | 1 << RECORDED, 0, 86400},
    };
    table t;
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    table_head(&t);
    for (size_t i = 0; i < sizeof sieges / sizeof sieges[0]; i++)
        run(&t, &sieges[i]);
    return table_close(&t);
}
