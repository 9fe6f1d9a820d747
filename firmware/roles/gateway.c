/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway board: keeps its key in flash, serves direct, shows what was authenticated. */
#include <string.h>

#include "board/board.h"
#include "front.h"
#include "larch/gateway.h"
#include "node.h"
#include "restart.h"
#include "role.h"
#include "say.h"
#include "steps.h"
#include "wear.h"

const char *const larch_role_name = "gateway";

#define EXCHANGES     6
#define ANSWERS       (EXCHANGES * 64) /* an endorsement is the longest: 66 bytes with the usual token */
#define REACH         32
#define REPLAY_SLOTS  LARCH_WEAR_REPLAY_SLOTS
#define MARKS         3600 /* an hour, if the flash lasts ten years under so many */
#define GRACE_MS      ((uint64_t)8 * 24 * 3600 * 1000)
/* A storage that failed so often in a row is not coming back by itself. */
#define STORAGE_TRIES 10

/* A decapsulation takes this processor some 3 ms: half its time at most goes to who is not known. */
static const larch_reach_limits limits = {.prefix_rate = 20,
                                          .prefix_burst = 40,
                                          .total_rate = 100,
                                          .total_burst = 100,
                                          .proven_rate = 100,
                                          .proven_burst = 100,
                                          .proven_ms = 3600 * 1000,
                                          .echo_ms = 300 * 1000,
                                          .noted_ms = 24 * 3600 * 1000,
                                          .marks = MARKS,                       /* or what the flash stands */
                                          .mark_burst = REPLAY_SLOTS / 16 * 13, /* what a key's set takes */
                                          .root_rate = 10,
                                          .excess_prefix_rate = 1024,
                                          .excess_prefix_burst = 4096,
                                          .excess_total_rate = 8192,
                                          .excess_total_burst = 16384};

static struct {
    larch_gateway gateway;
    uint32_t accepted;
    unsigned storage_tries;
    bool served; /* something was answered */
    larch_coap_exchange exchanges[EXCHANGES];
    uint8_t answers[ANSWERS];
    larch_server_slot slots[1];
    uint8_t pool[LARCH_COAP_DATAGRAM_MAX];
    larch_reach_entry reach[REACH];
    uint64_t replay[LARCH_DIRECT_SETS][2][REPLAY_SLOTS];
    bool is_message_new;
    larch_accepted message; /* the last one: all of the board's outbox */
    uint8_t text[LARCH_DIRECT_TEXT_MAX];
} app;

_Static_assert(sizeof app <= 22 * 1024, "RAM budget");

/* ---- events -------------------------------------------------------------- */

/* Takes the message over; it is shown when its mark is in flash. */
static void take_message(void)
{
    larch_accepted message;
    while (larch_gateway_accepted(&app.gateway, larch_board_now_ms(), &message) == LARCH_OK) {
        app.message = message;
        memcpy(app.text, message.text.data, message.text.len);
        app.message.text.data = app.text;
        app.is_message_new = true;
        (void)!larch_gateway_settle(&app.gateway, &message, LARCH_SETTLED_STORED);
    }
}

static void show_message(void)
{
    const larch_accepted *m = &app.message;
    if (!app.is_message_new)
        return;
    app.is_message_new = false;
    app.accepted = larch_node_show_message(m->text, &m->peer, m->kem, LARCH_LED_ACCEPTED);
    larch_say("accepted: #%u from %a, %s: %q", app.accepted, &m->peer, m->kem->name, &m->text);
}

static void take_event(void *context, const larch_event *event)
{
    (void)context;
    switch (event->kind) {
    case LARCH_EVENT_ROTATED:
    case LARCH_EVENT_FORGOTTEN:
        larch_say("%s", larch_event_text(event->kind));
        return;
    case LARCH_EVENT_REPLAY:
        larch_front_light(LARCH_LED_REPLAY);
        break;
    case LARCH_EVENT_AUTH:
        larch_front_light(LARCH_LED_AUTH);
        break;
    default:
        larch_front_light(LARCH_LED_REFUSED);
        break;
    }
    larch_say("refused: from %a, %s", &event->peer, larch_event_text(event->kind));
}

/* ---- console ------------------------------------------------------------- */

static void say_identity(void)
{
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_bytes document;
    const uint8_t *identity = larch_direct_service_identity(&app.gateway.direct, &document);
    if (document.len == 0)
        return; /* it could not be loaded */
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, identity, fingerprint);
    larch_say("identity: %s", fingerprint);
}

static void say_keys(void)
{
    const larch_kem *kem;
    say_identity();
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
        const uint8_t *hash;
        uint32_t generation;
        if (larch_gateway_key_of(&app.gateway, kem, &generation, &hash).len == 0)
            continue; /* it could not be loaded */
        larch_fingerprint_format(LARCH_FINGERPRINT_KEY, hash, fingerprint);
        larch_say("key: %s generation %u %s", kem->name, generation, fingerprint);
    }
}

static void command_rotate(larch_bytes rest)
{
    const larch_kem *kem;
    (void)rest;
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++)
        if (larch_gateway_rotate(&app.gateway, larch_board_now_ms(), kem) != LARCH_OK)
            larch_say("error: %s was not rotated; 'status' shows the flash", kem->name);
    say_keys();
}

static const larch_command commands[] = {
    {"status", "", "address, counters, keys, flash", larch_node_status},
    {"steps", "", "what the cryptography costs", larch_steps_command},
    {"rotate", "", "make and serve a new key; the old one endorses it", command_rotate},
    {"format", "all keys", "erase the flash, and begin anew", larch_node_format},
};

/* ---- the role ------------------------------------------------------------ */

static bool load(const larch_storage *storage)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    larch_gateway_config config = {.server = {.random = &larch_node_random,
                                              .trace = &larch_steps_trace,
                                              .event = take_event,
                                              .coap = {app.exchanges, EXCHANGES, app.answers, sizeof app.answers},
                                              .slots = app.slots,
                                              .slot_count = 1,
                                              .pool = app.pool,
                                              .pool_len = sizeof app.pool,
                                              .reach = app.reach,
                                              .reach_count = REACH,
                                              .limits = limits},
                                   .direct = {.storage = storage, .replay_slots = REPLAY_SLOTS, .grace_ms = GRACE_MS}};
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++) {
        config.direct.replay[i][0] = app.replay[i][0];
        config.direct.replay[i][1] = app.replay[i][1];
    }
    const uint32_t marks = larch_wear_marks(larch_board_flash());
    if (marks < MARKS)
        config.server.limits.marks = marks;
    const larch_error e = larch_gateway_init(&app.gateway, larch_board_now_ms(), &config, file, &fault);
    if (e == LARCH_PLATFORM)
        larch_say("fault: random source or flash failed");
    else if (e != LARCH_OK)
        larch_say("fault: %s %s; it was left as it is. 'format all keys' begins anew, and every sender has to pin anew",
                  file, larch_store_fault_text(fault));
    return e == LARCH_OK;
}

static uint64_t work(void) { return larch_gateway_deadline_ms(&app.gateway); }

static larch_error send(larch_peer *peer, larch_bytes *datagram)
{
    take_message();
    const larch_error e = larch_gateway_send(&app.gateway, larch_board_now_ms(), peer, datagram);
    if (e != LARCH_PLATFORM)
        show_message();
    if (e == LARCH_PLATFORM && ++app.storage_tries == STORAGE_TRIES)
        larch_restart("the flash fails; nothing is accepted that cannot be kept");
    if (e != LARCH_OK)
        return e;
    if (!app.served)
        larch_say("served: the first answer, %U ms after the start", larch_board_now_ms());
    app.served = true;
    app.storage_tries = 0;
    return LARCH_OK;
}

/* What a message costs is counted until its answer has left. */
static void receive(const larch_peer *peer, bool multicast, larch_bytes datagram)
{
    const uint32_t began = larch_board_instructions(), before = app.accepted;
    while (larch_gateway_receive(&app.gateway, larch_board_now_ms(), peer, multicast, datagram) == LARCH_AGAIN)
        larch_node_send();
    larch_node_send();
    if (app.accepted != before)
        larch_steps_message(larch_board_instructions() - began);
}

void larch_role_main(void)
{
    static const larch_node_role role = {.commands = commands,
                                         .command_count = sizeof commands / sizeof commands[0],
                                         .port = LARCH_COAP_PORT,
                                         .messages = "accepted",
                                         .lost = "the keys that senders pinned",
                                         .consent = "all keys",
                                         .load = load,
                                         .say_keys = say_keys,
                                         .work = work,
                                         .send = send,
                                         .receive = receive};
    larch_node_run(&role);
}
