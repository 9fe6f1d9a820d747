/* SPDX-License-Identifier: Apache-2.0 */
/* Why a file of the registry failed: a fault to act on, and a sentence for its user. */
#ifndef LARCH_REGISTRY_REASON_H
#define LARCH_REGISTRY_REASON_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_REGISTRY_PATH_MAX 1024

/* X(NAME, error at opening, what to do; it follows the file, the fault and "it was left as it is") */
#define LARCH_REGISTRY_FAULTS(X)                                                                                    \
    X(NONE, LARCH_OK, "")                                                                                           \
    X(DAMAGED, LARCH_MALFORMED, "Move it and its -wal file away: what waits in it is lost then")                    \
    X(LAGS, LARCH_STATE, "'larch keys recover' replaces every direct key")                                          \
    X(FOREIGN, LARCH_STATE, "Move it away, or choose another folder")                                               \
    X(NEWER, LARCH_STATE, "Use the version of larch that wrote it, or a later one")                                 \
    X(READ_ONLY, LARCH_PLATFORM, "Make the file and its folder writable for the user who runs this")                \
    X(IN_USE, LARCH_BUSY, "End the other program that uses it, or choose another folder")                           \
    X(REFUSED, LARCH_AUTH, "Give it to the user who runs this, with mode 0600")                                     \
    X(FULL, LARCH_SPACE, "Make room on the disk")                                                                   \
    X(SEALED, LARCH_AUTH,                                                                                           \
      "Put the store.key back that belongs to it; without that its contexts are lost, and it has to be moved away") \
    X(INVALID, LARCH_MALFORMED, "Nothing was stored")                                                               \
    X(TAKEN, LARCH_STATE, "Give the device a context with another kid and a new master secret")                     \
    X(NAMED, LARCH_STATE, "Choose another name")                                                                    \
    X(CROWDED, LARCH_SPACE, "Remove contexts that are not used any more")                                           \
    X(SPENT, LARCH_SPENT, "The folder can protect no more messages; begin with an empty one")                       \
    X(WAITS, LARCH_AGAIN, "Try again in a minute")                                                                  \
    X(FAILED, LARCH_PLATFORM, "Check the disk and the kernel's log, then start again")

#define LARCH_REGISTRY_FAULT_ENUM(name, error, advice) LARCH_REGISTRY_##name,
typedef enum larch_registry_fault { LARCH_REGISTRY_FAULTS(LARCH_REGISTRY_FAULT_ENUM) } larch_registry_fault;
#undef LARCH_REGISTRY_FAULT_ENUM

typedef struct larch_registry_reason {
    larch_registry_fault fault;
    char text[LARCH_REGISTRY_PATH_MAX + 400]; /* the file, its fault and what to do, without an end of line */
} larch_registry_reason;

/* Fills *why with "path text. What to do" and returns the fault's error. text: a predicate, such as "is empty". */
larch_error larch_registry_fail(larch_registry_reason *why, const char *path, larch_registry_fault fault,
                                const char *text);

/* Whether a file with start counter found (0: it carries none yet) is as the last start left it. start: the counter of
 * this start, 0: the file is in no state folder. complete: the newest start that every file of the folder carries.
 * LARCH_STATE, LAGS: the file, or the rest of the folder, was put back from a backup. */
larch_error larch_registry_check_start(larch_registry_reason *why, const char *path, uint64_t found, uint32_t start,
                                       uint32_t complete);

#ifdef __cplusplus
}
#endif

#endif
