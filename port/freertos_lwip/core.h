/* SPDX-License-Identifier: Apache-2.0 */
/* The core of lwIP, which one task at a time may use. */
#ifndef LARCH_LWIP_CORE_H
#define LARCH_LWIP_CORE_H

/* Runs call(argument) where lwIP may be used, and returns when it is done: with the core locked, or, where lwIP is built
 * without that lock, in the TCP/IP task. Not from there. */
void larch_core_call(void (*call)(void *argument), void *argument);

#endif
