/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start over the state folder: an older folder is moved to the present format, files that were put back from a backup
 * are found, and the start is counted. And the recovery of a folder that is refused.
 */
#ifndef LARCH_POSIX_STATE_H
#define LARCH_POSIX_STATE_H

#include "larch/store.h"
#include "storage.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_POSIX_MACHINE_ID "/etc/machine-id"

/* What a start found. */
typedef struct larch_posix_state {
    size_t moved;         /* files that were of format 1; as they were, they stand beside the new ones as NAME.v1 */
    uint32_t start;       /* the start counter, and how far the last start got (larch_state_head.complete): for what */
    uint32_t complete;    /* is in no larch_storage, such as the outbox */
    bool is_clock_behind; /* the clock is behind the newest time on record */
    uint64_t unix_ms;     /* the wall-clock time, Unix time; 0: none, or the clock is behind */
} larch_posix_state;

/* A start, in two steps (stamp.h). This one comes before anything is read from or made in the folder, over a storage that
 * larch_posix_storage_open opened, with the cryptography started; between the two the program loads or makes all files.
 * Whatever the durability, all that both write survives a power cut. interface: of that storage; takes the start counter.
 * Errors as larch_format_1_move, larch_stamp_check and larch_state_start, and LARCH_MALFORMED: state.head is a COPY, of
 * another machine (none on record, or none here, is not compared) or by its time of birth (birth.h). */
LARCH_MUST_USE larch_error larch_posix_state_start(larch_posix_storage *files, larch_storage *interface,
                                                   larch_posix_state *state, char faulty[LARCH_STORAGE_NAME_MAX + 1],
                                                   larch_store_fault *fault);
/* The second step: before the first message is accepted. A start that does not come here (of a program that accepts no
 * messages) may end after the first. Errors as larch_stamp_complete, also for LARCH_POSIX_BIRTH_NAME. */
LARCH_MUST_USE larch_error larch_posix_state_complete(larch_posix_storage *files, larch_storage *interface,
                                                      char faulty[LARCH_STORAGE_NAME_MAX + 1],
                                                      larch_store_fault *fault);

/* In the place of the first step, for a folder that larch_posix_state_start refuses: removes every direct key and all
 * journals, records this machine and the present time, and sets the start counter (larch_stamp_recover). Then the
 * outbox takes the counter (larch_outbox_stamp, registry/outbox.h), and larch_posix_state_complete ends it. Cut in
 * between, the folder is refused until it is recovered anew. Nothing is changed if the folder had an identity that is
 * MISSING (LARCH_MALFORMED) or not sound: no gateway would start. */
LARCH_MUST_USE larch_error larch_posix_state_recover(larch_posix_storage *files, larch_storage *interface,
                                                     char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault);

/* What an operator can do about a fault of this file of the folder: a sentence without its full stop. */
const char *larch_posix_state_advice(larch_store_fault fault, const char *faulty);

/* Removes the copies that a move left: they hold keys. LARCH_PLATFORM: some may still be there. */
LARCH_MUST_USE larch_error larch_posix_state_forget_copies(larch_posix_storage *files, const larch_storage *interface);

/* A hash that names this machine and does not give its machine-id away. path: LARCH_POSIX_MACHINE_ID. false, with out
 * zeroed: there is none (no file, or not yet a machine-id in it). */
bool larch_posix_machine_hash(const char *path, uint8_t out[LARCH_STATE_MACHINE_LEN]);

#ifdef __cplusplus
}
#endif

#endif
