/* SPDX-License-Identifier: Apache-2.0 */
/* Joins the network and answers each datagram with itself, until one says what else to do. */
#include <string.h>

#include "board/board.h"
#include "freertos_lwip/network.h"

#include "check.h"

enum { PORT = 5683, JOIN_MS = 30000 };

static bool is(const uint8_t *bytes, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(bytes, word, len) == 0;
}

static void say_state(larch_network_state state)
{
    larch_check_say("network: ");
    larch_check_say(larch_network_state_text(state));
    larch_check_say("\n");
}

bool larch_check_join(void)
{
    if (larch_network_start() != LARCH_OK) {
        larch_check("the interface starts", false);
        return false;
    }
    larch_check("the interface starts", true);
    larch_network_state state = larch_network_state_of();
    for (const uint64_t until = larch_board_now_ms() + JOIN_MS;
         state != LARCH_NETWORK_READY && larch_board_now_ms() < until;) {
        say_state(state);
        state = larch_network_wait_change(state, JOIN_MS);
    }
    say_state(state);
    larch_check("an address comes by DHCP", state == LARCH_NETWORK_READY);
    larch_check("the port opens", larch_network_open(PORT) == LARCH_OK);
    const larch_peer own = larch_network_address();
    larch_check("the address is an IPv4 one with our port", larch_peer_is_ipv4(&own) && own.port == PORT);

    larch_peer peer;
    bool multicast;
    uint8_t byte;
    size_t len;
    const uint64_t now_ms = larch_board_now_ms();
    larch_check("a wait for a datagram ends in time",
                larch_network_receive(now_ms + 20, &peer, &multicast, &byte, 1, &len) == LARCH_AGAIN &&
                    larch_board_now_ms() >= now_ms + 20);
    return state == LARCH_NETWORK_READY;
}

/* "end": returns; "fault": a load from nowhere; "state": tells it; anything else goes back, doubled where it was sent to all. */
void larch_check_echo(void)
{
    static uint8_t bytes[1200];
    for (;;) {
        larch_peer peer;
        bool multicast;
        size_t len;
        const larch_error r =
            larch_network_receive(larch_board_now_ms() + 500, &peer, &multicast, bytes, sizeof bytes / 2, &len);
        static larch_network_state last = LARCH_NETWORK_READY;
        const larch_network_state state = larch_network_state_of();
        if (state != last)
            say_state(last = state);
        if (r != LARCH_OK)
            continue;
        if (is(bytes, len, "end"))
            return;
        if (is(bytes, len, "fault"))
            (void)*(volatile uint32_t *)0x40000000;
        if (multicast) {
            memcpy(bytes + len, bytes, len);
            len *= 2;
        }
        (void)larch_network_send(&peer, (larch_bytes){bytes, len});
    }
}
