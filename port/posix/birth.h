/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When state.head was made, by the file system's own account, kept beside it in "state.birth". A copy of the folder has
 * the same bytes, but its files were made later: so a folder that was put back from a backup is found though its files
 * agree with each other. Each start makes state.head anew, so that also finds a backup that was written over the files.
 *
 * Not found are copies below the file system (of a disk or a virtual machine, a snapshot that was rolled back), a backup
 * that was written over the files of the very start that it stems from, and copies on file systems that keep no times of
 * birth. Owner, mode and name may change.
 */
#ifndef LARCH_POSIX_BIRTH_H
#define LARCH_POSIX_BIRTH_H

#include "larch/store.h"
#include "storage.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_POSIX_BIRTH_NAME "state.birth"

/* At a start, before it is counted; head: as found. COPY: state.head was made at another time than the start that wrote it
 * has noted. NONE also if that start was cut before it noted anything, or there is no time to compare. MEDIUM, or a fault
 * of LARCH_POSIX_BIRTH_NAME. */
larch_store_fault larch_posix_birth_check(const larch_posix_storage *files, const larch_storage *interface,
                                          const larch_state_head *head);
/* Whenever a start has written state.head; before it writes state.head again it removes the note. MEDIUM: it failed. */
larch_store_fault larch_posix_birth_note(const larch_posix_storage *files, const larch_storage *interface);

#ifdef __cplusplus
}
#endif

#endif
