/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway board: keeps its key in flash, serves direct, shows what was authenticated. */
#include "larch/gateway.h"
#include "board/board.h"
#include "console.h"
#include "credentials.h"
#include "freertos_lwip/network.h"
#include "front.h"
#include "larch/crypto.h"
#include "role.h"
#include "say.h"
#include "state.h"
#include "steps.h"

const char *const larch_role_name = "gateway";

#define EXCHANGES     6
#define REACH         32
#define REPLAY_SLOTS  256
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
                                          .echo_ms = 300 * 1000};

static struct {
    larch_gateway gateway;
    larch_console console;
    larch_random random;
    uint32_t accepted;
    unsigned storage_tries;
    bool served; /* something was answered */
    larch_coap_exchange exchanges[EXCHANGES];
    larch_gateway_slot slots[1];
    larch_reach_entry reach[REACH];
    uint64_t replay[LARCH_GATEWAY_SETS][2][REPLAY_SLOTS];
    uint8_t datagram[LARCH_COAP_DATAGRAM_MAX];
} app;

_Static_assert(sizeof app <= 16 * 1024, "RAM budget");

static uint32_t now_ms_32(void) { return (uint32_t)larch_board_now_ms(); }

static void say_key(void)
{
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_kem_at(i)) != NULL; i++) {
        char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
        const uint8_t *hash;
        uint32_t generation;
        (void)larch_gateway_key_of(&app.gateway, kem, &generation, &hash);
        larch_fingerprint_format(hash, fingerprint);
        larch_say("key: %s generation %u %s", kem->name, generation, fingerprint);
    }
}

/* ---- events -------------------------------------------------------------- */

static void accepted(const larch_gateway_event *event)
{
    app.accepted++;
    larch_say("accepted: #%u from %a, %s: %q", app.accepted, &event->peer, event->kem->name, &event->text);
    larch_front_message(app.accepted, event->text, &event->peer, event->kem->name);
    larch_front_light(LARCH_LED_ACCEPTED);
}

static void take_event(void *context, const larch_gateway_event *event)
{
    (void)context;
    switch (event->reason) {
    case LARCH_GATEWAY_ACCEPTED:
        accepted(event);
        return;
    case LARCH_GATEWAY_ROTATED:
    case LARCH_GATEWAY_FORGOTTEN:
        larch_say("%s", larch_gateway_reason_text(event->reason));
        return;
    case LARCH_GATEWAY_REPLAY:
        larch_front_light(LARCH_LED_REPLAY);
        break;
    case LARCH_GATEWAY_AUTH:
        larch_front_light(LARCH_LED_AUTH);
        break;
    default:
        larch_front_light(LARCH_LED_REFUSED);
        break;
    }
    larch_say("refused: from %a, %s", &event->peer, larch_gateway_reason_text(event->reason));
}

/* ---- console ------------------------------------------------------------- */

static void command_status(larch_bytes rest)
{
    (void)rest;
    larch_role_say_status(app.accepted, "accepted");
    say_key();
    larch_state_say();
}

static void command_rotate(larch_bytes rest)
{
    const larch_kem *kem;
    (void)rest;
    for (size_t i = 0; (kem = larch_kem_at(i)) != NULL; i++)
        if (larch_gateway_rotate(&app.gateway, larch_board_now_ms(), kem) != LARCH_OK)
            larch_say("error: %s was not rotated; 'status' shows the flash", kem->name);
    say_key();
}

static void command_format(larch_bytes rest)
{
    if (!larch_bytes_equal(rest, LARCH_TEXT("all keys")))
        larch_say("error: this forgets the keys that senders pinned; if that is meant: format all keys");
    else
        larch_state_format();
}

static const larch_command commands[] = {
    {"status", "", "address, counters, keys, flash", command_status},
    {"steps", "", "what the cryptography costs", larch_steps_command},
    {"rotate", "", "make and serve a new key; the old one endorses it", command_rotate},
    {"format", "all keys", "erase the flash, and begin anew", command_format},
};

static void poll(void)
{
    larch_front_poll();
    larch_console_poll(&app.console);
}

/* ---- start --------------------------------------------------------------- */

static void start(const larch_storage *storage)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    larch_gateway_config config = {.storage = storage,
                                   .random = &app.random,
                                   .trace = &larch_steps_trace,
                                   .event = take_event,
                                   .exchanges = app.exchanges,
                                   .exchange_count = EXCHANGES,
                                   .slots = app.slots,
                                   .slot_count = 1,
                                   .reach = app.reach,
                                   .reach_count = REACH,
                                   .replay_slots = REPLAY_SLOTS,
                                   .limits = limits,
                                   .grace_ms = GRACE_MS};
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++) {
        config.replay[i][0] = app.replay[i][0];
        config.replay[i][1] = app.replay[i][1];
    }
    larch_error e = larch_gateway_init(&app.gateway, larch_board_now_ms(), &config, file, &fault);
    if (e == LARCH_OK)
        return;
    if (e == LARCH_PLATFORM)
        larch_say("fault: random source or flash failed");
    else
        larch_say("fault: %s %s; it was left as it is. 'format all keys' begins anew, and every sender has to pin anew",
                  file, larch_store_fault_text(fault));
    larch_role_wait_for_help(poll);
}

/* ---- loop ---------------------------------------------------------------- */

static void drain(void)
{
    larch_peer peer;
    larch_bytes datagram;
    larch_error e;
    while ((e = larch_gateway_send(&app.gateway, larch_board_now_ms(), &peer, &datagram)) == LARCH_OK) {
        (void)larch_network_send(&peer, datagram); /* lost, as on a network */
        if (!app.served)
            larch_say("served: the first answer, %u ms after the start", now_ms_32());
        app.served = true;
        app.storage_tries = 0;
    }
    if (e == LARCH_PLATFORM && ++app.storage_tries == STORAGE_TRIES)
        larch_role_restart("the flash fails; nothing is accepted that cannot be kept");
}

static void serve(void)
{
    const uint64_t poll_ms = larch_board_now_ms() + LARCH_ROLE_POLL_MS;
    const uint64_t deadline_ms = larch_gateway_deadline_ms(&app.gateway);
    larch_peer peer;
    bool multicast;
    size_t len;
    if (larch_network_receive(deadline_ms < poll_ms ? deadline_ms : poll_ms, &peer, &multicast, app.datagram,
                              sizeof app.datagram, &len) == LARCH_OK) {
        const uint32_t began = larch_board_instructions(), before = app.accepted;
        while (larch_gateway_receive(&app.gateway, larch_board_now_ms(), &peer, multicast,
                                     (larch_bytes){app.datagram, len}) == LARCH_AGAIN)
            drain();
        drain();
        if (app.accepted != before)
            larch_steps_message(larch_board_instructions() - began);
    }
    drain();
    poll();
}

void larch_role_main(void)
{
    larch_console_init(&app.console, commands, sizeof commands / sizeof commands[0]);
    app.random = (larch_random){larch_board_random, NULL};
    larch_front_init();
    larch_front_step("starting");
    larch_role_begin();
    larch_role_begin_crypto();
    const larch_storage *storage = larch_state_open();
    if (storage == NULL)
        larch_role_wait_for_help(poll);
    larch_credentials_offer(&app.console, storage);
    start(storage);
    say_key();
    if (larch_network_start(storage) != LARCH_OK || larch_network_open(LARCH_COAP_PORT) != LARCH_OK)
        larch_role_restart("the network interface does not start");
    for (;;) {
        larch_front_step("joining the network");
        larch_front_light(LARCH_LED_NETWORK);
        larch_role_join(poll);
        const larch_peer address = larch_network_address();
        larch_front_waiting(&address, larch_kem_at(0)->name);
        larch_front_light(LARCH_LED_READY);
        larch_say("ready: %u ms after the start", now_ms_32());
        while (larch_network_state_of() == LARCH_NETWORK_READY)
            serve();
        larch_say("network: lost");
    }
}
