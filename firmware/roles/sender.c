/* SPDX-License-Identifier: Apache-2.0 */
/* The sender board: finds the pinned gateway, follows its endorsed rotations, seals messages to it, and counts what the
 * gateway's receipts prove. */
#include "larch/sender.h"

#include <string.h>

#include "board/board.h"
#include "finder.h"
#include "freertos_lwip/network.h"
#include "front.h"
#include "node.h"
#include "role.h"
#include "say.h"
#include "steps.h"
#include "trust.h"
#include "typed.h"

const char *const larch_role_name = "sender";

#define INTERVAL_S  10
#define RETRY_MS    5000
#define PATIENCE_MS 60000 /* with a gateway that asks to wait */
#define TEXT_MAX    64    /* what a prototype takes */

typedef enum phase { IDLE, FINDING, FETCHING, READY, POSTING, RESTING } phase;

static struct {
    larch_sender sender;
    larch_finder finder;
    const larch_kem *kem;
    phase phase;
    bool from_queue;  /* text is what was typed */
    uint64_t next_ms; /* the next message by itself; when RESTING ends */
    uint32_t interval_s;
    uint32_t number;
    size_t queue_len; /* typed, and kept until it is delivered; 0: nothing */
    size_t text_len;
    uint8_t queue[TEXT_MAX];
    uint8_t text[TEXT_MAX];
    uint8_t question[LARCH_FINDER_ASK_MAX];
} app;

static void rest(uint64_t ms)
{
    app.phase = RESTING;
    app.next_ms = larch_board_now_ms() + ms;
}

/* From whatever state: begins again with what is trusted. */
static void begin(void)
{
    app.phase = larch_trust_is_possible() ? RESTING : IDLE;
    app.next_ms = 0;
    if (app.phase == IDLE)
        larch_say("pin: none; take the fingerprint from the gateway's console: pin larch2:...");
}

/* ---- console ------------------------------------------------------------- */

static void command_pin(larch_bytes rest)
{
    if (larch_trust_type_pin(rest))
        begin();
}

static void command_trust(larch_bytes rest)
{
    (void)rest;
    if (larch_trust_type_trust())
        begin();
}

static void command_forget(larch_bytes rest)
{
    (void)rest;
    larch_trust_type_forget();
    begin();
}

static void command_gateway(larch_bytes rest)
{
    if (larch_trust_type_gateway(rest))
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
    if (!larch_typed_number(rest, 86400, &app.interval_s))
        larch_say("error: a number of seconds, at most 86400; 0: only what is typed");
    else
        larch_say("interval: %u s", app.interval_s);
    if (app.phase == READY)
        app.next_ms = larch_board_now_ms() + (uint64_t)app.interval_s * 1000;
}

static const larch_command commands[] = {
    {"send", "TEXT", "seal and send a message", command_send},
    {"interval", "SECONDS", "send one by itself so often; 0: never", command_interval},
    {"pin", "FINGERPRINT", "trust the gateway of this identity, or key, alone; kept in flash", command_pin},
    {"trust", "", "without a pin: take and pin the gateway that is shown next", command_trust},
    {"forget", "", "forget the pin", command_forget},
    {"gateway", "ADDRESS|auto", "where it is; kept in flash", command_gateway},
    {"status", "", "address, counters, pin, flash", larch_node_status},
    {"steps", "", "what the cryptography costs", larch_steps_command},
    {"format", "all", "erase the flash, and begin anew", larch_node_format},
};

/* ---- work ---------------------------------------------------------------- */

/* What this board could not do, and why; it tries again after a rest. */
static void say_error(const char *what, larch_error e)
{
    larch_say("error: %s: %s; trying again in %u s", what, larch_error_text(e), (uint32_t)RETRY_MS / 1000);
    rest(RETRY_MS);
}

static void fetch_from(const larch_peer *gateway)
{
    const uint64_t now_ms = larch_board_now_ms();
    const larch_trust_basis basis = larch_trust_begin_with(now_ms);
    const larch_sender_config config = {.random = &larch_node_random,
                                        .trace = &larch_steps_trace,
                                        .kem = app.kem,
                                        .peer = *gateway,
                                        .patience_ms = PATIENCE_MS,
                                        .trust = &basis};
    larch_error e;
    larch_sender_wipe(&app.sender);
    if ((e = larch_sender_init(&app.sender, now_ms, &config)) != LARCH_OK ||
        (e = larch_sender_fetch(&app.sender, now_ms)) != LARCH_OK) {
        say_error("the gateway cannot be asked", e);
        return;
    }
    larch_say("gateway: %a, fetching its key", gateway);
    app.phase = FETCHING;
}

static void look_for_gateway(void)
{
    const larch_peer *gateway = larch_trust_gateway();
    uint8_t wanted[LARCH_FINGERPRINT_LEN];
    if (gateway != NULL) {
        fetch_from(gateway);
        return;
    }
    const larch_error e = larch_finder_start(&app.finder, larch_board_now_ms(), app.kem,
                                             larch_trust_seen_key(wanted) ? wanted : NULL, &larch_node_random);
    if (e != LARCH_OK) {
        say_error("the gateway cannot be looked for", e);
        return;
    }
    larch_say("gateway: looking for it on this network");
    app.phase = FINDING;
}

static void delivered(void)
{
    if (app.from_queue)
        app.queue_len = 0;
    const larch_bytes text = {app.text, app.text_len};
    larch_say("delivered: #%u%s", larch_node_show_message(text, &app.sender.config.peer, app.kem, LARCH_LED_SENT),
              larch_sender_proven(&app.sender) ? "" : ", answered, not proven");
}

static void failed(void)
{
    larch_bytes answer;
    const larch_sender_failure failure = larch_sender_failure_of(&app.sender);
    const uint8_t code = larch_sender_answer(&app.sender, &answer);
    if (code != 0)
        larch_say("failed: %s (%u.%u%u %q); %s", larch_sender_failure_text(failure), (uint32_t)LARCH_COAP_CLASS(code),
                  (uint32_t)LARCH_COAP_DETAIL(code) / 10, (uint32_t)LARCH_COAP_DETAIL(code) % 10, &answer,
                  larch_sender_failure_advice(failure));
    else
        larch_say("failed: %s; %s", larch_sender_failure_text(failure), larch_sender_failure_advice(failure));
    if (failure == LARCH_SENDER_FAIL_REPLAY) /* it was accepted, and the answer lost */
        delivered();
    if (failure == LARCH_SENDER_FAIL_WRONG_KEY || failure == LARCH_SENDER_FAIL_WRONG_IDENTITY)
        larch_say("refused: compare with the gateway's console; only if it shows that fingerprint, pin it");
    larch_front_light(failure == LARCH_SENDER_FAIL_REPLAY                                      ? LARCH_LED_REPLAY
                      : failure == LARCH_SENDER_FAIL_AUTH || larch_sender_refused(&app.sender) ? LARCH_LED_AUTH
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
        if (!larch_trust_is_open() || larch_sender_trust(&app.sender, larch_board_now_ms()) != LARCH_OK)
            rest(RETRY_MS);
        break; /* READY now */
    case LARCH_SENDER_READY:
        larch_trust_keep(larch_sender_trust_of(&app.sender), larch_board_now_ms());
        if (app.phase == POSTING)
            delivered();
        else
            larch_node_say_ready();
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
    const larch_error e = larch_sender_post(&app.sender, larch_board_now_ms(), (larch_bytes){app.text, app.text_len});
    if (e == LARCH_OK)
        app.phase = POSTING;
    else
        say_error("the message cannot be sent", e);
}

/* ---- the role ------------------------------------------------------------ */

static bool load(const larch_storage *storage)
{
    app.kem = larch_kem_at(0);
    app.interval_s = INTERVAL_S;
    if (!larch_trust_load(storage, app.kem))
        return false;
    begin();
    return true;
}

static uint64_t work(void)
{
    const uint64_t now_ms = larch_board_now_ms();
    larch_peer gateway;
    if (app.phase == RESTING && now_ms >= app.next_ms)
        look_for_gateway();
    else if (app.phase == FINDING && larch_finder_found(&app.finder, now_ms, &gateway) == LARCH_OK)
        fetch_from(&gateway);
    else if (app.phase == FETCHING || app.phase == POSTING)
        take_outcome();
    else if (app.phase == READY && (app.queue_len > 0 || (app.interval_s > 0 && now_ms >= app.next_ms)))
        post();
    return UINT64_MAX;
}

/* Whether there is a gateway to talk to. */
static bool is_talking(void) { return app.phase == FETCHING || app.phase == READY || app.phase == POSTING; }

static larch_error send(larch_peer *peer, larch_bytes *datagram)
{
    if (is_talking())
        return larch_sender_send(&app.sender, larch_board_now_ms(), peer, datagram);
    if (app.phase != FINDING)
        return LARCH_AGAIN;
    const larch_error e = larch_finder_ask(&app.finder, larch_board_now_ms(), app.question, &datagram->len);
    datagram->data = app.question;
    *peer = larch_network_broadcast(LARCH_COAP_PORT);
    return e;
}

static void receive(const larch_peer *peer, bool multicast, larch_bytes datagram)
{
    if (multicast)
        return;
    if (app.phase == FINDING)
        larch_finder_take(&app.finder, larch_board_now_ms(), peer, datagram);
    else if (is_talking())
        larch_sender_receive(&app.sender, larch_board_now_ms(), peer, datagram);
}

void larch_role_main(void)
{
    static const larch_node_role role = {.commands = commands,
                                         .command_count = sizeof commands / sizeof commands[0],
                                         .port = 0,
                                         .messages = "delivered",
                                         .lost = "the pin",
                                         .consent = "all",
                                         .load = load,
                                         .say_keys = larch_trust_say,
                                         .work = work,
                                         .send = send,
                                         .receive = receive};
    larch_node_run(&role);
}
