/* SPDX-License-Identifier: Apache-2.0 */
/* The way to an interface with an address: a cable and DHCP (ethernet_join.c), or what a board's SDK has for its radio. */
#ifndef LARCH_JOIN_H
#define LARCH_JOIN_H

#include "larch/port.h"

struct netif;

typedef enum larch_join_state {
    LARCH_JOIN_UNSET,    /* it was never told which network */
    LARCH_JOIN_NO_LINK,  /* cable out, or access point not heard */
    LARCH_JOIN_ASKING,   /* for an address */
    LARCH_JOIN_ADDRESSED /* larch_join_netif has one */
} larch_join_state;

/* Once, from a task: starts lwIP and the interface. storage, where settings are kept, is NULL if there is none. changed is
 * called, within lwIP, when larch_join_look would tell something new. LARCH_PLATFORM: no working interface. */
LARCH_MUST_USE larch_error larch_join_start(const larch_storage *storage, void (*changed)(void));

/* Within lwIP, every LARCH_JOIN_LOOK_MS: does what has to be done, and tells how far it came. */
#define LARCH_JOIN_LOOK_MS 250
larch_join_state larch_join_look(void);
/* The same without doing anything. */
larch_join_state larch_join_state_of(void);
/* The interface; NULL: none yet, or it lost its address since the last look. */
struct netif *larch_join_netif(void);
/* Whether the interface has read a frame's bytes when it returns from sending it. */
extern const bool larch_join_sends_at_once;

/* What a person has to tell it, as a command of the console. */
typedef struct larch_join_command {
    const char *name;
    const char *arguments;
    const char *help;
    /* Takes what was typed behind the name, and keeps it. Returns a line to be shown, "ok: ..." or "error: ...". */
    const char *(*run)(const larch_storage *storage, larch_bytes rest);
} larch_join_command;

/* NULL: there is nothing to tell. */
const larch_join_command *larch_join_command_of(void);

#endif
