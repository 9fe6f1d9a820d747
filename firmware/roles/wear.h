/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many messages a gateway board may accept, so that its flash lasts. Each accepted message leaves a mark in flash
 * for good, and each key that is full of marks is replaced: so marks erase sectors, and nothing else does that a stranger
 * can cause.
 *
 *     bytes of flash * ERASES = hours * BYTES_A_MARK * marks an hour
 *
 * The budgets of larch/reach.h grant, in an hour, m marks and a 16th of m, rounded up, to strangers, and both twice: to peers
 * on the link and to all others. So marks an hour = m * 17/8 + 2 at most.
 */
#ifndef LARCH_WEAR_H
#define LARCH_WEAR_H

#include "board/nor.h"

#define LARCH_WEAR_ERASES 100000u      /* that a sector stands, by its maker's word */
#define LARCH_WEAR_HOURS  (10u * 8766) /* that the flash has to last: ten years */

/* Of a key's set, two of which are in memory: it takes 480 marks, and the key is rotated at 420. */
#define LARCH_WEAR_REPLAY_SLOTS 512u

/* What a mark takes of a sector's life, bytes: its cell, its share of a journal and of what changes with a key, and what
 * moves to make room. tests/unit/test_board_wear.c measures it. */
#define LARCH_WEAR_BYTES_A_MARK 42u

/* m: the marks to grant an hour, so that this flash lasts ten years: 417 for 32 KiB. At least 1, as 0 would be without
 * limit. */
uint32_t larch_wear_marks(const larch_nor *nor);

#endif
