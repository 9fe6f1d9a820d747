/* SPDX-License-Identifier: Apache-2.0 */
/* A role is what a board is for: gateway, sender or sniffer. main.c starts it; each image has one. */
#ifndef LARCH_ROLE_H
#define LARCH_ROLE_H

#include "larch/base.h"

/* "gateway" */
extern const char *const larch_role_name;

/* The body of the role's task; never returns. The random source works, the scheduler runs. */
_Noreturn void larch_role_main(void);

/* How long a role waits at most before it looks at its console and its LED again. */
#define LARCH_ROLE_POLL_MS 20

/* Sleeps, at least so long. */
void larch_role_sleep_ms(uint32_t ms);

/* Says why, gives the line time to tell it, and starts the board anew: for what cannot be mended in place. */
_Noreturn void larch_role_restart(const char *why);

/* What every role starts with: its name on the console. */
void larch_role_begin(void);

/* Starts the crypto provider and asks the post-quantum code for its known answers. Does not return if one of them fails:
 * such a board must not hold keys. */
void larch_role_begin_crypto(void);

/* Waits for an address, says what it waits for, and then the address. poll is called meanwhile, every
 * LARCH_ROLE_POLL_MS. */
void larch_role_join(void (*poll)(void));

/* What a status begins with: network, time, datagrams; and how many messages were "accepted" or "delivered". */
void larch_role_say_status(uint32_t messages, const char *were);

/* There is a fault that the console can mend: shows it, and calls poll for ever. */
_Noreturn void larch_role_wait_for_help(void (*poll)(void));

#endif
