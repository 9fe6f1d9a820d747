/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start stamps: every file of a state folder carries the start counter, so that one that was put back from a backup is
 * found at the next start.
 *
 *   1. check: nothing was put back since the last complete start (larch_state_head.complete)
 *   2. larch_state_start raises the counter in state.head
 *   3. complete: every file takes the new counter, and then state.head records that all have it
 *
 * Each step is durable before the next begins. A cut before the end of step 3 leaves files with the counters of two
 * starts, and a head that still asks for no more than the lower one.
 *
 * A file of records is stamped by writing it anew. A journal is too large for that, so its stamps stand in atoms that were erased,
 * between its head and its marks (16 bytes each, the newest last):
 *
 *     0               4          12                                        16
 *    +---------------+----------+-----------------------------------------+
 *    | start counter | 0        | CRC-32 over set, generation, and these  |
 *    +---------------+----------+-----------------------------------------+
 *
 * When they are used up, after 30 starts, the journal is written anew without them. Hosts only: a flash chip that a board
 * runs from is not put back in part.
 */
#ifndef LARCH_POSIX_STAMP_H
#define LARCH_POSIX_STAMP_H

#include "larch/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef char larch_stamp_name[LARCH_STORAGE_NAME_MAX + 1];

/* names: those of all files in the folder, for each call anew. The files "*.key" (one record or several) and "*.log"
 * (journals) are stamped. One that is not sound is left out: who needs it finds out. Errors of all three as larch_record_read, with *faulty naming the file; LARCH_PLATFORM also
 * if memory is out. */

/* found: the head, before the start is counted. Nothing is written. LARCH_MALFORMED: a file that LAGS or is AHEAD, or a
 * stamp that is DAMAGED. LARCH_STATE: the key ring beside a journal is MISSING. (A first start that was cut may leave an
 * empty first journal without one.) */
LARCH_MUST_USE larch_error larch_stamp_check(const larch_storage *storage, larch_stamp_name *names, size_t count,
                                             const larch_state_head *found, larch_stamp_name faulty,
                                             larch_store_fault *fault);

/* After the start was counted (storage->start) and all files that it makes are there. */
LARCH_MUST_USE larch_error larch_stamp_complete(const larch_storage *storage, larch_stamp_name *names, size_t count,
                                                larch_stamp_name faulty, larch_store_fault *fault);

/* Removes every direct key, then every journal and old copy, whatever is wrong with the folder: the next start makes new
 * ones. First the head is made anew, with a counter above those of all files, this machine (NULL: none) and this time
 * (0: none); as larch_stamp_complete has to follow, it says until then that the recovery has not ended, and every file
 * lags. storage->start: set. LARCH_STATE, MISSING: the folder holds nothing of larch's. */
LARCH_MUST_USE larch_error larch_stamp_recover(larch_storage *storage, larch_stamp_name *names, size_t count,
                                               uint64_t now_ms, const uint8_t machine[LARCH_STATE_MACHINE_LEN],
                                               larch_stamp_name faulty, larch_store_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
