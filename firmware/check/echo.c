/* SPDX-License-Identifier: Apache-2.0 */
/* Joins the network and answers each datagram with itself; a few of them mean more. */
#include <string.h>

#include "FreeRTOS.h"
#include "board/board.h"
#include "freertos_lwip/network.h"

#include "check.h"

enum { PORT = 5683, JOIN_MS = 30000, LOOK_MS = 100, ECHO_MAX = 600 };

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
    if (larch_network_start(NULL) != LARCH_OK) {
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
    larch_network_wake();
    larch_check("a wait ends when somebody wakes it",
                larch_network_receive(UINT64_MAX, &peer, &multicast, &byte, 1, &len) == LARCH_AGAIN);
    return state == LARCH_NETWORK_READY;
}

/* ---- what a datagram asks for -------------------------------------------- */

/* Things that stop the board. */
static void stop_by(const uint8_t *bytes, size_t len)
{
    if (is(bytes, len, "fault"))
        *(volatile uint32_t *)0x80046000 =
            1; /* behind virt's RAM, which the emulator rounds up to 8 KiB; nothing on mps2-an385 */
    if (is(bytes, len, "deep"))
        larch_check_overflow();
    if (is(bytes, len, "deep interrupt"))
        larch_check_overflow_interrupts();
    if (is(bytes, len, "stall"))
        for (larch_board_watchdog_feed();;)
            ;
    if (is(bytes, len, "assert"))
        configASSERT(len == 0);
    if (is(bytes, len, "wild stack"))
#ifdef __riscv
        __asm volatile("li sp, 0x0fff8000\n\tecall");
#else
        __asm volatile("mov sp, %0\n\tsvc 0" ::"r"(0x90000000));
#endif
}

/* "dropped 12" */
static size_t tell_counters(uint8_t *out)
{
    char digits[LARCH_CHECK_DIGITS];
    static const char word[] = "dropped ";
    const char *number = larch_check_digits(larch_network_counters_of().dropped, digits);
    memcpy(out, word, sizeof word - 1);
    memcpy(out + sizeof word - 1, number, strlen(number));
    return sizeof word - 1 + strlen(number);
}

/* Sends each datagram back, doubled if it was sent to all; the network's state is printed when it changes. */
_Noreturn void larch_check_echo(void)
{
    static uint8_t bytes[2 * ECHO_MAX];
    larch_network_state said = LARCH_NETWORK_READY;
    for (;;) {
        larch_peer peer;
        bool multicast;
        size_t len;
        const larch_error r =
            larch_network_receive(larch_board_now_ms() + LOOK_MS, &peer, &multicast, bytes, ECHO_MAX, &len);
        const larch_network_state state = larch_network_state_of();
        if (state != said)
            say_state(said = state);
        if (r != LARCH_OK)
            continue;
        stop_by(bytes, len);
        if (is(bytes, len, "counters"))
            len = tell_counters(bytes);
        if (multicast) {
            memcpy(bytes + len, bytes, len);
            len *= 2;
        }
        (void)larch_network_send(&peer, (larch_bytes){bytes, len});
    }
}
