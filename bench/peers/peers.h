/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other people's libraries, for comparison: a helper program, so that larch
 * itself links none of them. It speaks lines on stdin and stdout:
 *
 *     <- scheme KIND KEY_LEN OUT_LEN LIBRARY ALGORITHM HOW     fields between tabs, numbered from 0 as they come
 *     <- ready
 *     -> time NUMBER OP MICROSECONDS        <- time PICOSECONDS CYCLES RUNS      or: failed
 *     -> stack NUMBER OP                    <- stack BYTES                       or: failed
 *
 * It ends with its input. KIND and OP are the numbers in measure.h; times are those of one run.
 */
#ifndef LARCH_PEERS_H
#define LARCH_PEERS_H

#include "measure.h"

/* The same message for all who sign. */
#define PEER_MESSAGE_LEN 32

/* Offers a scheme, if each of its operations works. Its strings and state must outlive the program. */
void peer_offer(const larch_scheme *scheme);

/* Each offers what its library has. */
void peer_levels(void);
void peer_mbedtls(void);
void peer_openssl(void);
void peer_gcrypt(void);
void peer_botan(void);

#endif
