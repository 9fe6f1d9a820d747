/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices may use, in the table of sessions: the resources /r/NAME that a device may report to, and those that it may
 * read and observe. A device without an entry may use all.
 */
#ifndef LARCH_REGISTRY_POLICY_H
#define LARCH_REGISTRY_POLICY_H

#include "registry/sessions.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_POLICY_REPORT 1u
#define LARCH_POLICY_READ   2u
#define LARCH_POLICY_BOTH   (LARCH_POLICY_REPORT | LARCH_POLICY_READ)
#define LARCH_POLICY_ALL    "*" /* the name that stands for every resource */
#define LARCH_POLICY_MAX    16  /* entries of a device */

typedef struct larch_policy_entry {
    char name[LARCH_READING_NAME_MAX + 1]; /* the NAME of /r/NAME */
    uint8_t rights;                        /* LARCH_POLICY_REPORT, LARCH_POLICY_READ or both */
} larch_policy_entry;

/* Stores entries, at most LARCH_POLICY_MAX, in place of those that the device had. Errors as larch_sessions_enrol. It runs
 * outside of the node's calls. */
LARCH_MUST_USE larch_error larch_sessions_set_policy(larch_sessions *s, uint64_t device,
                                                     const larch_policy_entry *entries, size_t count);
/* Whether the device has that right on /r/name, which is untrusted. It may run inside calls of the node. If the file cannot be
 * read, no device has. */
bool larch_sessions_allows(larch_sessions *s, uint64_t device, larch_bytes name, unsigned right);
/* The entries of a device by their names: *entry is zeroed at first, and the one before later. LARCH_AGAIN: no more.
 * LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sessions_next_policy(larch_sessions *s, uint64_t device, larch_policy_entry *entry);

/* Several additions of devices and policies as one transaction, which takes one wait for the medium: each call between the two
 * takes effect with the end, and one that fails changes nothing. keep false: nothing of it is kept. Errors of end as
 * larch_sessions_enrol; nothing was kept then. No other call that writes may come in between. */
LARCH_MUST_USE larch_error larch_sessions_begin_changes(larch_sessions *s);
LARCH_MUST_USE larch_error larch_sessions_end_changes(larch_sessions *s, bool keep);

#ifdef __cplusplus
}
#endif

#endif
