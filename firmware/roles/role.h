/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A role is what a board is for: gateway, sender or sniffer. Each image has one.
 *
 * The files of this folder stand in layers, and a file includes none of its own layer or above (tools/check_layers.py
 * holds that):
 *
 *     main                                  the scheduler, and the role's task
 *     gateway, sender, sniffer              one role each
 *     node                                  what the roles with a network share
 *     credentials, trust                    what a person and the network make known
 *     unlock                                what stands before the console's commands
 *     console, state                        what may restart the board
 *     restart, front, stacks, steps         what says lines
 *     say, sniffer_line                     lines, and what else is on the serial line
 *     pin_old                               what becomes a pin
 *     sleep, typed, finder, pin, frame_ring, wear, console_lock
 *     role                                  this file: declared here, defined by the one role of an image
 */
#ifndef LARCH_ROLE_H
#define LARCH_ROLE_H

/* "gateway" */
extern const char *const larch_role_name;

/* The body of the role's task; never returns. The random source works, the scheduler runs. */
_Noreturn void larch_role_main(void);

#endif
