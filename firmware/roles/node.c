/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <string.h>

#include "board/board.h"
#include "credentials.h"
#include "freertos_lwip/network.h"
#include "front.h"
#include "larch/crypto.h"
#include "restart.h"
#include "role.h"
#include "say.h"
#include "sleep.h"
#include "state.h"
#include "unlock.h"

/* How long the console and the LED wait at most. */
#define POLL_MS 20

static struct {
    const larch_node_role *role;
    larch_console console;
    uint32_t messages;
    bool started; /* the network too */
    uint8_t datagram[LARCH_COAP_DATAGRAM_MAX];
} node;

const larch_random larch_node_random = {larch_board_random, NULL};

static void poll(void)
{
    larch_board_watchdog_feed();
    larch_front_poll();
    larch_console_poll(&node.console);
}

/* ---- start --------------------------------------------------------------- */

void larch_node_greet(void) { larch_say("larch %s on %s", larch_role_name, larch_board_name); }

static void start_crypto(void)
{
    if (larch_crypto_init() == LARCH_OK && larch_pq_self_test() == LARCH_OK)
        return;
    larch_say("fault: the cryptography fails its known answers; this board or image must not be used");
    for (;; larch_sleep_ms(1000))
        larch_board_watchdog_feed(); /* a restart would not mend it */
}

/* There is a fault that the console can mend. */
static _Noreturn void wait_for_help(void)
{
    larch_front_error("see the console", "help lists commands");
    for (;;) {
        poll();
        larch_sleep_ms(POLL_MS);
    }
}

static const larch_storage *start_files(void)
{
    const larch_storage *storage = larch_state_open();
    if (storage == NULL)
        wait_for_help();
    larch_credentials_offer(&node.console, storage);
    if (!node.role->load(storage))
        wait_for_help();
    if (node.console.gate == NULL) /* else who unlocks the console may ask for them */
        node.role->say_keys();
    return storage;
}

static void lock_console(void)
{
#ifdef LARCH_CONSOLE_LOCKED /* the code's digest, as the build made it */
    static const uint8_t digest[LARCH_CONSOLE_LOCK_DIGEST_LEN] = {LARCH_CONSOLE_LOCKED};
    larch_console_add_gate(&node.console, larch_unlock_start(digest));
#endif
}

static void start(const larch_node_role *role)
{
    larch_board_watchdog_feed();
    node.role = role;
    larch_console_init(&node.console, role->commands, role->command_count);
    lock_console();
    larch_front_init();
    larch_front_step(larch_role_name, "starting");
    larch_node_greet();
    start_crypto();
    if (larch_network_start(start_files()) != LARCH_OK || larch_network_open(role->port) != LARCH_OK)
        larch_restart("the network interface does not start");
    node.started = true;
}

void larch_node_say_ready(void) { larch_say("ready: %U ms after the start", larch_board_now_ms()); }

/* ---- network ------------------------------------------------------------- */

/* Waits for an address, and says what it waits for. */
static void join(void)
{
    larch_network_state said = LARCH_NETWORK_READY, state;
    larch_front_step(larch_role_name, "joining the network");
    larch_front_light(LARCH_LED_NETWORK);
    while ((state = larch_network_state_of()) != LARCH_NETWORK_READY) {
        if (state != said)
            larch_say("network: %s", larch_network_state_text(state));
        said = state;
        (void)larch_network_wait_change(state, POLL_MS);
        poll();
    }
    const larch_peer address = larch_network_address();
    larch_say("network: ready, %a", &address);
    larch_front_waiting(&address, larch_kem_at(0)->name);
    larch_front_light(LARCH_LED_READY);
    if (node.role->port != 0)
        larch_node_say_ready();
}

void larch_node_send(void)
{
    larch_peer peer;
    larch_bytes datagram;
    while (node.role->send(&peer, &datagram) == LARCH_OK)
        (void)larch_network_send(&peer, datagram); /* lost, as on a network */
}

static void turn(void)
{
    larch_peer peer;
    bool multicast;
    size_t len;
    const uint64_t due_ms = node.role->work();
    larch_node_send();
    const uint64_t poll_ms = larch_board_now_ms() + POLL_MS;
    if (larch_network_receive(due_ms < poll_ms ? due_ms : poll_ms, &peer, &multicast, node.datagram,
                              sizeof node.datagram, &len) == LARCH_OK)
        node.role->receive(&peer, multicast, (larch_bytes){node.datagram, len});
    poll();
}

void larch_node_run(const larch_node_role *role)
{
    start(role);
    for (;;) {
        join();
        while (larch_network_state_of() == LARCH_NETWORK_READY)
            turn();
        larch_say("network: lost");
    }
}

/* ---- messages and commands ----------------------------------------------- */

uint32_t larch_node_show_message(larch_bytes text, const larch_peer *peer, const larch_kem *kem,
                                 larch_led_pattern pattern)
{
    larch_front_message(++node.messages, text, peer, kem->name);
    larch_front_light(pattern);
    return node.messages;
}

static void say_network(void)
{
    const larch_network_counters c = larch_network_counters_of();
    const larch_peer address = larch_network_address();
    larch_say("status: network %s, %a; up %U ms", larch_network_state_text(larch_network_state_of()), &address,
              larch_board_now_ms());
    larch_say("status: %u datagrams in, %u out, %u dropped; %u messages %s", c.received, c.sent, c.dropped,
              node.messages, node.role->messages);
}

void larch_node_status(larch_bytes rest)
{
    (void)rest;
    if (node.started)
        say_network();
    else
        larch_say("status: the start ended at a fault");
    node.role->say_keys();
    larch_state_say();
}

void larch_node_format(larch_bytes rest)
{
    const char *consent = node.role->consent;
    if (!larch_bytes_equal(rest, (larch_bytes){(const uint8_t *)consent, strlen(consent)}))
        larch_say("error: this forgets %s; if that is meant: format %s", node.role->lost, consent);
    else
        larch_state_format();
}
