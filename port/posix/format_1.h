/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves a state folder of format 1 to the present one: the folder of larch versions that kept no state.head.
 *
 *   1. every file is kept as it is, as a copy NAME.v1
 *   2. every file is replaced by its new form
 *   3. state.head is written
 *
 * Each step is durable before the next begins, so a start after a power cut goes on where the last one ended, and the
 * head says that all is done. Hosts only: a board refuses a folder of format 1.
 */
#ifndef LARCH_POSIX_FORMAT_1_H
#define LARCH_POSIX_FORMAT_1_H

#include "larch/store.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_FORMAT_1_SUFFIX ".v1"

typedef char larch_format_1_name[LARCH_STORAGE_NAME_MAX + 1];

/* names: those of all files in the folder. Call it where state.head is not there. *moved: the files that have a new form
 * now; 0, and nothing was done, if there are none of larch's. Files of the present format are taken for those of a move
 * that was cut short only if they are, byte for byte, what moving their copies makes.
 * Errors as larch_record_read, with *faulty naming the file, found before anything was written: a file that is not sound;
 * files of the present format that no move has made (state.head is MISSING). LARCH_PLATFORM: the storage failed, or
 * memory is out: call again when that is mended. Until step 2 the folder is as it was; room for each new file beside the
 * old one is proven before. */
LARCH_MUST_USE larch_error larch_format_1_move(const larch_storage *storage, larch_format_1_name *names, size_t count,
                                               size_t *moved, char faulty[LARCH_STORAGE_NAME_MAX + 1],
                                               larch_store_fault *fault);

/* Removes the copies: they hold keys. LARCH_PLATFORM: some may still be there. */
LARCH_MUST_USE larch_error larch_format_1_forget(const larch_storage *storage, larch_format_1_name *names,
                                                 size_t count);

#ifdef __cplusplus
}
#endif

#endif
