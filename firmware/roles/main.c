/* SPDX-License-Identifier: Apache-2.0 */
/* The start of every image, in the prototype's order: initialise; the role joins the network, gets an address, goes on. */
#include "FreeRTOS.h"
#include "task.h"

#include "board/board.h"
#include "freertos_lwip/network.h"
#include "freertos_lwip/stacks.h"
#include "front.h"
#include "larch/crypto.h"
#include "larch/kem.h"
#include "role.h"
#include "say.h"

#ifndef LARCH_ROLE_STACK
#define LARCH_ROLE_STACK 7168
#endif

static StackType_t stack[LARCH_ROLE_STACK / sizeof(StackType_t)];
static StaticTask_t task;

static void run(void *context)
{
    (void)context;
    larch_role_main();
}

int main(void)
{
    larch_board_init();
    larch_port_stack_add(larch_role_name, stack, sizeof stack / sizeof *stack);
    (void)xTaskCreateStatic(run, larch_role_name, sizeof stack / sizeof *stack, NULL, 2, stack, &task);
    vTaskStartScheduler();
    return 1; /* never reached: nothing is allocated that could fail */
}

void larch_role_sleep_ms(uint32_t ms) { vTaskDelay(pdMS_TO_TICKS(ms) + 1); }

void larch_role_restart(const char *why)
{
    larch_say("restart: %s", why);
    larch_role_sleep_ms(50); /* the line drains */
    larch_board_restart();
}

void larch_role_begin(void) { larch_say("larch %s on %s", larch_role_name, larch_board_name); }

void larch_role_begin_crypto(void)
{
    if (larch_crypto_init() == LARCH_OK && larch_pq_self_test() == LARCH_OK)
        return;
    larch_say("fault: the cryptography fails its known answers; this board or image must not be used");
    for (;;)
        larch_role_sleep_ms(1000);
}

void larch_role_join(void (*poll)(void))
{
    larch_network_state said = LARCH_NETWORK_READY, state;
    while ((state = larch_network_state_of()) != LARCH_NETWORK_READY) {
        if (state != said)
            larch_say("network: %s", larch_network_state_text(state));
        said = state;
        (void)larch_network_wait_change(state, LARCH_ROLE_POLL_MS);
        poll();
    }
    const larch_peer address = larch_network_address();
    larch_say("network: ready, %a", &address);
}

void larch_role_say_status(uint32_t messages, const char *were)
{
    const larch_network_counters c = larch_network_counters_of();
    const larch_peer address = larch_network_address();
    larch_say("status: network %s, %a; up %u ms", larch_network_state_text(larch_network_state_of()), &address,
              (uint32_t)larch_board_now_ms());
    larch_say("status: %u datagrams in, %u out, %u dropped; %u messages %s", c.received, c.sent, c.dropped, messages,
              were);
}

void larch_role_wait_for_help(void (*poll)(void))
{
    larch_front_error("see the console", "help lists commands");
    for (;;) {
        poll();
        larch_role_sleep_ms(LARCH_ROLE_POLL_MS);
    }
}
