/* SPDX-License-Identifier: Apache-2.0 */
/* The sender board: finds the pinned gateway, follows its endorsed rotations, seals messages to it. */
#include <string.h>

#include "board/board.h"
#include "console.h"
#include "credentials.h"
#include "finder.h"
#include "freertos_lwip/network.h"
#include "front.h"
#include "larch/crypto.h"
#include "larch/sender.h"
#include "pin.h"
#include "role.h"
#include "say.h"
#include "state.h"
#include "steps.h"

const char *const larch_role_name = "sender";

#define INTERVAL_S 10
#define RETRY_MS   5000
#define TEXT_MAX   64 /* what a prototype takes */

typedef enum phase { IDLE, FINDING, FETCHING, READY, POSTING, RESTING } phase;

static struct {
    larch_sender sender;
    larch_finder finder;
    larch_pin pin;
    larch_console console;
    larch_random random;
    const larch_storage *storage;
    const larch_kem *kem;
    phase phase;
    bool trust_first; /* for the next key, on the console's word */
    bool from_queue;  /* text is what was typed */
    uint64_t next_ms; /* the next message by itself; when RESTING ends */
    uint32_t interval_s;
    uint32_t sent;
    uint32_t number;
    size_t queue_len; /* typed, and kept until it is delivered; 0: nothing */
    size_t text_len;
    uint8_t queue[TEXT_MAX];
    uint8_t text[TEXT_MAX];
    uint8_t datagram[LARCH_COAP_DATAGRAM_MAX];
} app;

static void rest(uint64_t ms)
{
    app.phase = RESTING;
    app.next_ms = larch_board_now_ms() + ms;
}

/* From whatever state: begins again with what the pin says. */
static void begin(void)
{
    app.phase = app.pin.known || app.trust_first ? RESTING : IDLE;
    app.next_ms = 0;
    if (app.phase == IDLE)
        larch_say("pin: none; take the fingerprint from the gateway's console: pin larch1:...");
}

static void storage_failed(void) { larch_say("error: the flash refused it; 'status' shows it"); }

static void save_pin(void)
{
    if (larch_pin_save(app.storage, &app.pin) != LARCH_OK)
        storage_failed();
}

static void say_pin(void)
{
    char text[LARCH_FINGERPRINT_TEXT_LEN + 1] = "none";
    const larch_peer none = {{0}, 0, 0, 0};
    if (app.pin.known)
        larch_fingerprint_format(app.pin.fingerprint, text);
    if (larch_peer_equal(&app.pin.gateway, &none))
        larch_say("pin: %s, gateway to be found on this network", text);
    else
        larch_say("pin: %s, gateway %a", text, &app.pin.gateway);
}

/* ---- console ------------------------------------------------------------- */

static void command_pin(larch_bytes rest)
{
    uint8_t fingerprint[LARCH_FINGERPRINT_LEN];
    if (larch_fingerprint_parse(rest, fingerprint) != LARCH_OK) {
        larch_say("error: a fingerprint is larch1: and 32 letters and digits");
        return;
    }
    if (memcmp(fingerprint, app.pin.fingerprint, sizeof fingerprint) != 0)
        app.pin.ek_len = 0;
    memcpy(app.pin.fingerprint, fingerprint, sizeof fingerprint);
    save_pin();
    say_pin();
    begin();
}

static void command_trust(larch_bytes rest)
{
    (void)rest;
    if (app.pin.known) {
        larch_say("error: there is a pin, and nothing but its gateway replaces it; 'forget' first");
        return;
    }
    app.trust_first = true;
    begin();
}

static void command_forget(larch_bytes rest)
{
    (void)rest;
    if (larch_pin_forget(app.storage, &app.pin) != LARCH_OK)
        storage_failed();
    app.trust_first = false;
    begin();
}

/* a.b.c.d or a.b.c.d:port, or empty for discovery. */
static bool parse_gateway(larch_bytes text, larch_peer *peer)
{
    *peer = (larch_peer){{[10] = 0xff, [11] = 0xff}, 0, LARCH_COAP_PORT, 0};
    for (unsigned i = 0; i < 5; i++) {
        size_t len = 0;
        uint32_t n;
        while (len < text.len && text.data[len] != '.' && text.data[len] != ':')
            len++;
        if (!larch_console_number((larch_bytes){text.data, len}, i < 4 ? 255 : 65535, &n))
            return false;
        if (i < 4)
            peer->address[12 + i] = (uint8_t)n;
        else
            peer->port = (uint16_t)n;
        if (len == text.len)
            return i >= 3 && peer->port != 0;
        if (i == 4 || text.data[len] != (i < 3 ? '.' : ':'))
            return false;
        text = (larch_bytes){text.data + len + 1, text.len - len - 1};
    }
    return false;
}

static void command_gateway(larch_bytes rest)
{
    larch_peer peer = {{0}, 0, 0, 0};
    if (!larch_bytes_equal(rest, LARCH_TEXT("auto")) && !parse_gateway(rest, &peer)) {
        larch_say("error: give a.b.c.d, a.b.c.d:port, or auto to find it on this network");
        return;
    }
    app.pin.gateway = peer;
    if (app.pin.known)
        save_pin();
    say_pin();
    begin();
}

static void command_send(larch_bytes rest)
{
    if (rest.len == 0 || rest.len > TEXT_MAX) {
        larch_say("error: a text has 1 to %u bytes", (uint32_t)TEXT_MAX);
        return;
    }
    if (app.queue_len > 0) {
        larch_say("error: the last text is not delivered yet");
        return;
    }
    memcpy(app.queue, rest.data, rest.len);
    app.queue_len = rest.len;
}

static void command_interval(larch_bytes rest)
{
    if (!larch_console_number(rest, 86400, &app.interval_s))
        larch_say("error: a number of seconds, at most 86400; 0: only what is typed");
    else
        larch_say("interval: %u s", app.interval_s);
    if (app.phase == READY)
        app.next_ms = larch_board_now_ms() + (uint64_t)app.interval_s * 1000;
}

static void command_status(larch_bytes rest)
{
    (void)rest;
    larch_role_say_status(app.sent, "delivered");
    say_pin();
    larch_state_say();
}

static void command_format(larch_bytes rest)
{
    if (!larch_bytes_equal(rest, LARCH_TEXT("all")))
        larch_say("error: this forgets the pin; if that is meant: format all");
    else
        larch_state_format();
}

static const larch_command commands[] = {
    {"send", "TEXT", "seal and send a message", command_send},
    {"interval", "SECONDS", "send one by itself so often; 0: never", command_interval},
    {"pin", "FINGERPRINT", "trust the gateway with this key alone; kept in flash", command_pin},
    {"trust", "", "without a pin: take and pin the key that is shown next", command_trust},
    {"forget", "", "forget the pin", command_forget},
    {"gateway", "ADDRESS|auto", "where it is; kept in flash", command_gateway},
    {"status", "", "address, counters, pin, flash", command_status},
    {"steps", "", "what the cryptography costs", larch_steps_command},
    {"format", "all", "erase the flash, and begin anew", command_format},
};

static void poll(void)
{
    larch_front_poll();
    larch_console_poll(&app.console);
}

/* ---- work ---------------------------------------------------------------- */

static void fetch_from(const larch_peer *gateway)
{
    larch_sender_config config = {.random = &app.random,
                                  .trace = &larch_steps_trace,
                                  .kem = app.kem,
                                  .peer = *gateway,
                                  .pinned = app.pin.known,
                                  .pinned_ek = {app.pin.ek, app.pin.ek_len}};
    memcpy(config.pin, app.pin.fingerprint, sizeof config.pin);
    larch_sender_wipe(&app.sender);
    const uint64_t now_ms = larch_board_now_ms();
    if (larch_sender_init(&app.sender, now_ms, &config) != LARCH_OK ||
        larch_sender_fetch(&app.sender, now_ms) != LARCH_OK) {
        larch_say("error: the random source failed");
        rest(RETRY_MS);
        return;
    }
    larch_say("gateway: %a, fetching its key", gateway);
    app.phase = FETCHING;
}

static void look_for_gateway(void)
{
    const larch_peer none = {{0}, 0, 0, 0};
    if (!larch_peer_equal(&app.pin.gateway, &none)) {
        fetch_from(&app.pin.gateway);
        return;
    }
    if (larch_finder_start(&app.finder, larch_board_now_ms(), app.kem, app.pin.known ? app.pin.fingerprint : NULL,
                           &app.random) != LARCH_OK) {
        larch_say("error: the random source failed");
        rest(RETRY_MS);
        return;
    }
    larch_say("gateway: looking for it on this network");
    app.phase = FINDING;
}

/* The key is trusted: it is kept, if it is another than the one on record. */
static void keep_key(void)
{
    const uint8_t *hash;
    const larch_bytes ek = larch_sender_key(&app.sender, &hash);
    const bool same = memcmp(app.pin.fingerprint, hash, sizeof app.pin.fingerprint) == 0;
    if (same && app.pin.ek_len == ek.len)
        return;
    memcpy(app.pin.fingerprint, hash, sizeof app.pin.fingerprint);
    memcpy(app.pin.ek, ek.data, ek.len);
    app.pin.ek_len = ek.len;
    app.trust_first = false;
    save_pin();
    if (larch_sender_rotated(&app.sender))
        larch_say("pin: the old key endorsed a new one");
    say_pin();
}

static void delivered(void)
{
    app.sent++;
    if (app.from_queue)
        app.queue_len = 0;
    larch_say("delivered: #%u", app.sent);
    larch_front_message(app.sent, (larch_bytes){app.text, app.text_len}, &app.sender.config.peer, app.kem->name);
    larch_front_light(LARCH_LED_SENT);
}

static void failed(void)
{
    larch_bytes answer;
    const larch_sender_failure failure = larch_sender_failure_of(&app.sender);
    const uint8_t code = larch_sender_answer(&app.sender, &answer);
    if (code != 0)
        larch_say("failed: %s (%u.%u%u %q)", larch_sender_failure_text(failure), (uint32_t)LARCH_COAP_CLASS(code),
                  (uint32_t)LARCH_COAP_DETAIL(code) / 10, (uint32_t)LARCH_COAP_DETAIL(code) % 10, &answer);
    else
        larch_say("failed: %s", larch_sender_failure_text(failure));
    if (failure == LARCH_SENDER_FAIL_REPLAY) /* it was accepted, and the answer lost */
        delivered();
    if (failure == LARCH_SENDER_FAIL_WRONG_KEY)
        larch_say("refused: compare with the gateway's console; only if it shows that key, pin it");
    larch_front_light(failure == LARCH_SENDER_FAIL_REPLAY ? LARCH_LED_REPLAY
                      : failure == LARCH_SENDER_FAIL_AUTH || failure == LARCH_SENDER_FAIL_WRONG_KEY
                          ? LARCH_LED_AUTH
                          : LARCH_LED_REFUSED);
    rest(RETRY_MS);
}

static void ready(void)
{
    app.phase = READY;
    app.next_ms = larch_board_now_ms() + (uint64_t)app.interval_s * 1000;
}

/* What the sender came to. */
static void take_outcome(void)
{
    switch (larch_sender_state_of(&app.sender)) {
    case LARCH_SENDER_DECIDE:
        if (!app.trust_first || larch_sender_trust(&app.sender) != LARCH_OK)
            rest(RETRY_MS);
        break; /* READY now */
    case LARCH_SENDER_READY:
        keep_key();
        if (app.phase == POSTING) {
            delivered();
        } else {
            larch_say("ready: %u ms after the start", (uint32_t)larch_board_now_ms());
        }
        ready();
        break;
    case LARCH_SENDER_FAILED:
        failed();
        break;
    default:
        break; /* busy */
    }
}

static void post(void)
{
    app.from_queue = app.queue_len > 0;
    if (app.from_queue) {
        memcpy(app.text, app.queue, app.queue_len);
        app.text_len = app.queue_len;
    } else {
        larch_writer w = larch_writer_to(app.text, sizeof app.text);
        larch_say_put(&w, "message %u of %s", ++app.number, larch_board_name);
        app.text_len = w.len < w.cap ? w.len : w.cap;
    }
    if (larch_sender_post(&app.sender, larch_board_now_ms(), (larch_bytes){app.text, app.text_len}) == LARCH_OK) {
        app.phase = POSTING;
    } else {
        larch_say("error: the message could not be sealed");
        rest(RETRY_MS);
    }
}

static void transmit(void)
{
    larch_peer peer;
    larch_bytes datagram;
    size_t len;
    const uint64_t now_ms = larch_board_now_ms();
    if (app.phase == FINDING && larch_finder_ask(&app.finder, now_ms, app.datagram, &len) == LARCH_OK) {
        peer = larch_network_broadcast(LARCH_COAP_PORT);
        (void)larch_network_send(&peer, (larch_bytes){app.datagram, len});
    }
    if (app.phase == FETCHING || app.phase == READY || app.phase == POSTING)
        while (larch_sender_send(&app.sender, now_ms, &peer, &datagram) == LARCH_OK)
            (void)larch_network_send(&peer, datagram);
}

static void receive(void)
{
    const uint64_t until_ms = larch_board_now_ms() + LARCH_ROLE_POLL_MS;
    larch_peer peer;
    bool multicast;
    size_t len;
    if (larch_network_receive(until_ms, &peer, &multicast, app.datagram, sizeof app.datagram, &len) != LARCH_OK ||
        multicast)
        return;
    const larch_bytes datagram = {app.datagram, len};
    if (app.phase == FINDING)
        larch_finder_take(&app.finder, larch_board_now_ms(), &peer, datagram);
    else if (app.phase == FETCHING || app.phase == READY || app.phase == POSTING)
        larch_sender_receive(&app.sender, larch_board_now_ms(), &peer, datagram);
}

static void work(void)
{
    const uint64_t now_ms = larch_board_now_ms();
    larch_peer gateway;
    transmit();
    receive();
    if (app.phase == RESTING && now_ms >= app.next_ms)
        look_for_gateway();
    else if (app.phase == FINDING && larch_finder_found(&app.finder, now_ms, &gateway) == LARCH_OK)
        fetch_from(&gateway);
    else if (app.phase == FETCHING || app.phase == POSTING)
        take_outcome();
    else if (app.phase == READY && (app.queue_len > 0 || (app.interval_s > 0 && now_ms >= app.next_ms)))
        post();
    poll();
}

/* ---- start --------------------------------------------------------------- */

static void load(void)
{
    larch_store_fault fault = LARCH_STORE_NONE;
    app.storage = larch_state_open();
    if (app.storage != NULL && larch_pin_load(app.storage, app.kem, &app.pin, &fault) == LARCH_OK)
        return;
    if (app.storage != NULL)
        larch_say("fault: the pin %s; it was left as it is. 'format all' begins anew", larch_store_fault_text(fault));
    larch_role_wait_for_help(poll);
}

void larch_role_main(void)
{
    larch_console_init(&app.console, commands, sizeof commands / sizeof commands[0]);
    app.random = (larch_random){larch_board_random, NULL};
    app.kem = larch_kem_at(0);
    app.interval_s = INTERVAL_S;
    larch_front_init();
    larch_front_step("starting");
    larch_role_begin();
    larch_role_begin_crypto();
    load();
    larch_credentials_offer(&app.console, app.storage);
    say_pin();
    if (larch_network_start(app.storage) != LARCH_OK || larch_network_open(0) != LARCH_OK)
        larch_role_restart("the network interface does not start");
    begin();
    for (;;) {
        larch_front_step("joining the network");
        larch_front_light(LARCH_LED_NETWORK);
        larch_role_join(poll);
        const larch_peer address = larch_network_address();
        larch_front_waiting(&address, app.kem->name);
        larch_front_light(LARCH_LED_READY);
        while (larch_network_state_of() == LARCH_NETWORK_READY)
            work();
        larch_say("network: lost");
    }
}
