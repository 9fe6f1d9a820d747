/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another store key for a file of sessions, while no gateway uses it. Every column of the name "sealed", of whichever
 * table, is sealed anew: in a table that has one, the row's key is its column "number".
 *
 * The key of the marks (sessions_change.c), which is derived from the first store key, outlives that key: marks of
 * contexts that are gone could not be made anew. It then stands sealed in the table "kept".
 */
#ifndef LARCH_REGISTRY_RESEAL_H
#define LARCH_REGISTRY_RESEAL_H

#include "registry/reason.h"
#include "registry/seal.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_RESEAL_CHECK_LEN 16

/* One durable transaction; then the log is truncated, so that nothing sealed under the old key stays in the file. The file
 * is made if it is not there. LARCH_AUTH: a column does not open under the old key. Errors as larch_sessions_open; the
 * file is as it was, except that after LARCH_PLATFORM the change may be there at the next open. */
LARCH_MUST_USE larch_error larch_sessions_reseal(const char *path, const larch_seal_key *old_key,
                                                 const larch_seal_key *new_key, const larch_random *random,
                                                 larch_registry_reason *why);
/* The check value of the store key that seals the file. LARCH_AGAIN: there is no file, or nothing was sealed in it. */
LARCH_MUST_USE larch_error larch_sessions_sealed_by(const char *path, uint8_t check[LARCH_RESEAL_CHECK_LEN],
                                                    larch_registry_reason *why);
/* Moves the log of a database into it, so that the file alone has everything. No file there is LARCH_OK. */
LARCH_MUST_USE larch_error larch_sessions_settle(const char *path, larch_registry_reason *why);

/* The devices of a file that no gateway uses: start with *at = 0. */
typedef struct larch_device_list larch_device_list;
LARCH_MUST_USE larch_error larch_device_list_open(larch_device_list **list, const char *path,
                                                  larch_registry_reason *why);
void larch_device_list_close(larch_device_list *list);
/* LARCH_AGAIN: no more. name: LARCH_SESSIONS_NAME_MAX + 1 bytes. */
LARCH_MUST_USE larch_error larch_device_list_next(larch_device_list *list, uint64_t *number, char *name,
                                                  larch_registry_reason *why);
/* Whether it has a device of this number. */
LARCH_MUST_USE larch_error larch_device_list_has(larch_device_list *list, uint64_t number, bool *has,
                                                 larch_registry_reason *why);
/* Removes a device with its keys and sessions, durably. */
LARCH_MUST_USE larch_error larch_device_list_remove(larch_device_list *list, uint64_t number,
                                                    larch_registry_reason *why);

/* Adds the revocations of another file to this one. *count: how many are new. */
LARCH_MUST_USE larch_error larch_device_list_take_revoked(larch_device_list *list, larch_device_list *from,
                                                          size_t *count, larch_registry_reason *why);

#ifdef __cplusplus
}
#endif

#endif
