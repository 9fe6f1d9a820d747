/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the roles with a network share: the order of the start, the way into the network, and the loop that hands
 * datagrams and time to the role, sends what the role has to send, and looks after console, display and LED. All of it
 * runs in the role's task, so nothing here needs a lock.
 *
 * A turn of the loop:
 *
 *     work -> send, until there is none -> wait for a datagram -> receive -> LED, console
 */
#ifndef LARCH_NODE_H
#define LARCH_NODE_H

#include "console.h"
#include "drivers/led.h"
#include "larch/kem.h"
#include "larch/port.h"

/* What a role is, beside its own state. None of its functions may wait for the network. */
typedef struct larch_node_role {
    const larch_command *commands; /* larch_node_status, larch_node_format and larch_steps_command may be among them */
    size_t command_count;
    uint16_t port;        /* where it serves, and then it is ready once it has an address; 0: it only asks, from any */
    const char *messages; /* what becomes of them, for the status: "accepted" */
    const char *lost;     /* what "format" destroys: "the pin" */
    const char *consent;  /* what has to be typed behind "format": "all" */

    /* Once, when cryptography and files work, before the network is there. False: it has said what is wrong; the node
     * then looks after the console alone, for good. */
    bool (*load)(const larch_storage *storage);
    /* The keys or pins, one line each, after load and for the status: also after load returned false, or was never called. */
    void (*say_keys)(void);
    /* What is due now; returns when it wants to be called again at the latest, UINT64_MAX: whenever. */
    uint64_t (*work)(void);
    /* The next datagram to send; the view holds until the role is called again. LARCH_AGAIN: none. */
    larch_error (*send)(larch_peer *peer, larch_bytes *datagram);
    /* Takes an untrusted datagram; multicast: it was sent to a group or broadcast address. May call larch_node_send. */
    void (*receive)(const larch_peer *peer, bool multicast, larch_bytes datagram);
} larch_node_role;

/* The board's random source. */
extern const larch_random larch_node_random;

/* Says which role this is, and on which board. */
void larch_node_greet(void);

/* The body of the role's task. Does not go on where the cryptography fails its known answers: such a board must not
 * hold keys. */
_Noreturn void larch_node_run(const larch_node_role *role);

/* Sends all that the role has to send. */
void larch_node_send(void);

/* Says how long the start took. */
void larch_node_say_ready(void);

/* Counts a message that was accepted or delivered, shows it, and flashes the LED; returns its number. The text is
 * untrusted. */
uint32_t larch_node_show_message(larch_bytes text, const larch_peer *peer, const larch_kem *kem,
                                 larch_led_pattern pattern);

/* Commands: network, counters, keys and flash; erasing the flash, once what was typed is the role's consent. */
void larch_node_status(larch_bytes rest);
void larch_node_format(larch_bytes rest);

#endif
