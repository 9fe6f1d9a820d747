/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another store key for a folder, in steps that a power cut may part anywhere:
 *
 *   1. each key file is sealed anew, into NAME.next beside it
 *   2. the new head is written into store.key.next
 *   3. sessions.db is sealed anew, in one transaction that stores the new check value     <- from here on it is done
 *   4. each NAME.next takes the place of NAME, store.key last
 *
 * Whoever opens the folder next compares check values, for which no key is needed: if the file of sessions is sealed by
 * store.key.next, step 4 is done again from its beginning; else every NAME.next is removed, and nothing has changed.
 */
#ifndef LARCH_SECRETS_REKEY_H
#define LARCH_SECRETS_REKEY_H

#include "registry/reason.h"
#include "secrets/head.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_REKEY_SUFFIX ".next"

typedef char larch_rekey_name[LARCH_STORAGE_NAME_MAX + 1];

/* Steps 1 and 2. medium: with its start counter. names: of all files of the folder. LARCH_AUTH: a key file does not open
 * under the old key; LARCH_PLATFORM, LARCH_SPACE. *faulty names the file. Then the caller calls larch_rekey_finish, whose
 * check is not the new one, to undo what was done. */
LARCH_MUST_USE larch_error larch_rekey_stage(const larch_storage *medium, larch_rekey_name *names, size_t count,
                                             const larch_seal_key *old_key, const larch_seal_key *new_key,
                                             const larch_store_head *new_head, const larch_random *random,
                                             larch_rekey_name faulty);

/* All four steps. names: of all files of the folder, before. sessions: the path of the file of sessions. LARCH_OK: the new
 * key is in force, and no secret on the medium opens under the old one. On an error the folder is as it was, or it is for
 * larch_rekey_finish to say; *faulty names a file of step 1 or is "", and then why tells the reason of step 3, or is NONE
 * if the folder could not be written. */
LARCH_MUST_USE larch_error larch_rekey_run(const larch_storage *medium, larch_rekey_name *names, size_t count,
                                           const char *sessions, const larch_seal_key *old_key,
                                           const larch_seal_key *new_key, const larch_store_head *new_head,
                                           const larch_random *random, larch_rekey_name faulty,
                                           larch_registry_reason *why);

/* Whether a rekeying was begun: names has a file of the suffix. */
bool larch_rekey_is_under_way(larch_rekey_name *names, size_t count);
/* Step 4, or the way back. names: of all files of the folder, with those of step 1. check: that the file of sessions has;
 * NULL: it has none. *is_done: whether the new key is in force. LARCH_PLATFORM: the folder could not be written; call it
 * again. */
LARCH_MUST_USE larch_error larch_rekey_finish(const larch_storage *medium, larch_rekey_name *names, size_t count,
                                              const uint8_t *check, bool *is_done);

#ifdef __cplusplus
}
#endif

#endif
