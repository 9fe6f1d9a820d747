/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sessions of a gateway: contexts, devices and observations in one SQLite file, with the secrets sealed (seal.h), and
 * all contexts in memory. Devices have names, and one device may hold several contexts.
 *
 *     open -> start -> ... the node works on larch_sessions_contexts ... -> close        of a gateway
 *     open -> add, remove, forget_device -> close                                        of a command, while no gateway runs
 *
 * What waits for the medium: one write at a start and one for each LARCH_EPOCH_AHEAD epochs, one for each context, device
 * or observation that comes or goes. A received message costs none.
 *
 * One larch_sessions is for one thread and holds its file alone: no other process, and no second one of this process,
 * may open that file.
 */
#ifndef LARCH_REGISTRY_SESSIONS_H
#define LARCH_REGISTRY_SESSIONS_H

#include "larch/contexts.h"
#include "larch/port.h"
#include "registry/reason.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SESSIONS_MAX          100000 /* contexts, if nothing else is configured */
#define LARCH_SESSIONS_OBSERVATIONS 4096
#define LARCH_SESSIONS_NAME_MAX     16    /* bytes of a device's name */
#define LARCH_SESSIONS_WAIT_MS      60000 /* for a clock that is behind */
#define LARCH_SESSIONS_EXPIRE_MAX   64    /* contexts that one call removes */
#define LARCH_SESSIONS_HEARD_S      600   /* that the file may lag in when a device was heard */

typedef struct larch_sessions_config {
    const char *path;             /* shorter than LARCH_REGISTRY_PATH_MAX; the file is made if it is not there */
    const larch_storage *storage; /* of the same folder, after its start was counted; open alone uses it */
    const larch_random *random;   /* outlives the sessions */
    size_t place_max;             /* 0: LARCH_SESSIONS_MAX */
    uint32_t start, complete;     /* as in larch_outbox_config */
    bool has_groups;              /* handshakes become durable together (enrolled.h) */
#if LARCH_KEYLOG
    /* Gets the parameters, which are secret, of each context that is loaded or added; may be NULL. */
    void (*key_log)(void *context, const larch_oscore_parameters *parameters);
    void *key_log_context;
#endif
} larch_sessions_config;

typedef struct larch_sessions larch_sessions;

/* Opens the file, or makes it with mode 0600, and store.key in the folder; reads all contexts into memory. Their windows
 * are unsynchronised, and what they used of their limits is rounded up. LARCH_OK: *sessions is open; close it. Else
 * *sessions is NULL, *why has the fault and a sentence, and nothing was overwritten. The error follows from the fault
 * (reason.h): as larch_outbox_open; LARCH_AUTH also if store.key is not the one that sealed the file, or is not there;
 * LARCH_MALFORMED also if a context or store.key is damaged; LARCH_SPACE also if there are more contexts than place_max.
 * LARCH_PLATFORM also if the storage failed, whose own error then says more. */
LARCH_MUST_USE larch_error larch_sessions_open(larch_sessions **sessions, const larch_sessions_config *config,
                                               larch_registry_reason *why);

/* Stores how far the numbers and limits of all contexts were used, exactly, and closes; secrets are wiped. The node uses
 * no number after that. NULL is allowed. LARCH_PLATFORM: the file could not be written, *why says why; it is closed all
 * the same, and at the next start numbers and limits are rounded up. */
LARCH_MUST_USE larch_error larch_sessions_close(larch_sessions *s, larch_registry_reason *why);

/* The last failure of a call below. */
const larch_registry_reason *larch_sessions_error(const larch_sessions *s);

/* Deletes all contexts and observations of a file that no gateway uses, and gives the file another start counter, in one
 * durable step, for the recovery of its folder. Devices keep their names, and contexts that were there are still refused
 * by larch_sessions_add. *removed: contexts deleted. No file there is LARCH_OK. Errors as larch_outbox_open; *removed is
 * 0 then. */
LARCH_MUST_USE larch_error larch_sessions_recover(const char *path, uint32_t start, size_t *removed,
                                                  larch_registry_reason *why);

/* ---- a gateway's run ------------------------------------------------------ */

/* Begins the own numbers of all contexts (larch_epochs_start). epochs outlives the sessions. now_ms: of the monotonic
 * clock. unix_s: of the wall clock; 0: it is not set, or cannot be right. On LARCH_OK the contexts can be found; before,
 * none can.
 * LARCH_AGAIN: the wall clock is behind the newest time on record, so the file may be an old copy. The start counter is
 * durable, and the gateway may serve all else; it calls again with the time, each second. Once the clock has passed that
 * time the call returns LARCH_OK. If it has not after LARCH_SESSIONS_WAIT_MS, all contexts are deleted first, and
 * *removed says how many; else *removed is 0. Other errors: LARCH_PLATFORM, LARCH_SPACE (the disk is full), LARCH_SPENT. */
LARCH_MUST_USE larch_error larch_sessions_start(larch_sessions *s, larch_epochs *epochs, uint64_t now_ms,
                                                uint64_t unix_s, size_t *removed);

/* What the node takes; good until close. A call that fails with LARCH_PLATFORM for another reason than a full disk makes
 * all that follow fail: no sync can be trusted then. */
const larch_contexts *larch_sessions_contexts(larch_sessions *s);

/* Once a second, outside of the node's calls: writes down grants of the limits that contexts used up, in one transaction
 * if there are any, and truncates the log after a removal, so that nothing removed stays in it. LARCH_SPACE: the disk is
 * full; LARCH_PLATFORM. A later call tries again. */
LARCH_MUST_USE larch_error larch_sessions_flush(larch_sessions *s);
/* Once a second, outside of the node's calls: removes contexts that have expired, with their observations, up to
 * LARCH_SESSIONS_EXPIRE_MAX in one transaction. *removed: how many; if it is that many, call again soon. unix_s: 0 if the
 * wall clock cannot be right. Errors as flush; nothing is removed then, and none that has expired is found. */
LARCH_MUST_USE larch_error larch_sessions_expire(larch_sessions *s, uint64_t unix_s, size_t *removed);

/* The observations on record whose session is there: start with *at = 0. LARCH_AGAIN: no more. LARCH_MALFORMED: the file
 * is damaged there. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sessions_next_observation(larch_sessions *s, uint64_t *at, larch_observation *o);

/* ---- contexts and devices ------------------------------------------------- */

/* Calls of this part run outside of the node's calls, and wait for the medium. On an error nothing has changed, with one
 * exception that no file system can rule out: if a sync failed, the change may be there at the next open. */

/* Adds a context of a device, which is added if no device has that name. name: 1 to LARCH_SESSIONS_NAME_MAX bytes without
 * ':' and control characters; whether they are text is the caller's affair. parameters: for larch_oscore_context_init,
 * with a master secret of 16 to 64 bytes and a master salt of at most 64. expires_s: seconds since 1970; 0: it does not
 * expire. *session: its place in memory, good until it is removed. After larch_sessions_start it begins at an epoch of
 * its own (larch_epochs_begin_new), which is a second durable write.
 * LARCH_MALFORMED: the name or a parameter is outside of these bounds. LARCH_STATE: another context has the kid and the
 * same ID context, or a context that is or was on record has one of the keys; a removed context stays on record until it
 * would have expired, a fixed one for good. LARCH_SPACE: place_max contexts are there, or the disk is full. LARCH_AGAIN:
 * the clock is behind (larch_sessions_start). LARCH_SPENT: no epoch is left. LARCH_PLATFORM. The sentence of
 * larch_sessions_error names the device. */
LARCH_MUST_USE larch_error larch_sessions_add(larch_sessions *s, const char *name,
                                              const larch_oscore_parameters *parameters, uint32_t expires_s,
                                              larch_session **session);
/* Removes a context and its observations, and wipes it. LARCH_STATE: there is none of this number. LARCH_SPACE,
 * LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sessions_remove(larch_sessions *s, uint64_t number);
/* Removes a device with its contexts and their observations. *removed: contexts. Errors as remove. */
LARCH_MUST_USE larch_error larch_sessions_forget_device(larch_sessions *s, uint64_t device, size_t *removed);

/* The number of the device that has this name; 0: none has. */
uint64_t larch_sessions_device(larch_sessions *s, const char *name);
/* The name of a device; false, with name empty: there is none of this number, or the file cannot be read. */
bool larch_sessions_name(larch_sessions *s, uint64_t device, char name[LARCH_SESSIONS_NAME_MAX + 1]);
/* The device of a session was heard at unix_s (0: the clock is not set): in memory at once, and in the file within
 * LARCH_SESSIONS_HEARD_S, or with close. It may run inside calls of the node. */
void larch_sessions_hear(larch_sessions *s, const larch_session *session, uint64_t unix_s);
/* When it was last heard through this session in this run; 0: it was not. */
uint32_t larch_sessions_heard(const larch_sessions *s, const larch_session *session);
/* Contexts in memory, those that expired among them; and each of them: start with *at = 0; NULL: no more. */
size_t larch_sessions_count(const larch_sessions *s);
larch_session *larch_sessions_next(const larch_sessions *s, size_t *at);

#ifdef __cplusplus
}
#endif

#endif
