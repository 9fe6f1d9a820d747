/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must survive: records with a checksum, the gateway's direct keys, and the
 * set of messages that were accepted. Works over a larch_storage and is safe
 * against a power cut at any moment.
 */
#ifndef LARCH_STORE_H
#define LARCH_STORE_H

#include "larch/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is wrong with a file. It is never written over. X(NAME, text) */
#define LARCH_STORE_FAULTS(X)                             \
    X(NONE, "sound")                                      \
    X(MISSING, "is not there")                            \
    X(FOREIGN, "was not written by larch (wrong magic)")  \
    X(VERSION, "was written by another version of larch") \
    X(KIND, "holds something else than its name says")    \
    X(TRUNCATED, "is cut short")                          \
    X(DAMAGED, "is damaged (checksum does not match)")    \
    X(MEDIUM, "cannot be read or written")

#define LARCH_STORE_FAULT_ENUM(name, text) LARCH_STORE_##name,
typedef enum larch_store_fault { LARCH_STORE_FAULTS(LARCH_STORE_FAULT_ENUM) LARCH_STORE_FAULT_COUNT } larch_store_fault;
#undef LARCH_STORE_FAULT_ENUM

const char *larch_store_fault_text(larch_store_fault fault);

/* ---- records ----------------------------------------------------------- */

#define LARCH_RECORD_OVERHEAD 16  /* 12 in front, 4 behind */
#define LARCH_RECORD_MAX      240 /* payload bytes: a record fits a 256-byte flash page */

typedef enum larch_record_kind {
    LARCH_RECORD_KEYS = 1,   /* direct keys of one parameter set */
    LARCH_RECORD_REPLAY = 2, /* head of a replay journal */
    LARCH_RECORD_PIN = 3,    /* reserved for boards: a sender's pinned gateway */
    LARCH_RECORD_WIFI = 4    /* and the network to join */
} larch_record_kind;

/* Writes one record as a whole file, durably, followed by tail erased bytes. LARCH_SPACE:
 * the payload is larger than LARCH_RECORD_MAX. LARCH_PLATFORM: as larch_storage.replace. */
LARCH_MUST_USE larch_error larch_record_write(const larch_storage *storage, const char *name, larch_record_kind kind,
                                              larch_bytes payload, uint32_t tail);
/* Reads the record at the start of a file, which is untrusted. LARCH_OK with *len bytes in out,
 * or an error with *fault saying what is wrong with the file: LARCH_STATE (MISSING), LARCH_MALFORMED
 * (FOREIGN ... DAMAGED), LARCH_SPACE (sound but larger than cap, KIND), LARCH_PLATFORM (MEDIUM).
 * out is unchanged and *len 0 on error. */
LARCH_MUST_USE larch_error larch_record_read(const larch_storage *storage, const char *name, larch_record_kind kind,
                                             uint8_t *out, size_t cap, size_t *len, larch_store_fault *fault);

/* ---- direct keys ------------------------------------------------------- */

#define LARCH_STORE_SEED_LEN    64
#define LARCH_STORE_TAG_KEY_LEN 16

/* One key pair as kept: its seed, the key of its replay tags. Secret. */
typedef struct larch_stored_key {
    uint32_t generation; /* counts up with every rotation, 1 is the first; 0: there is none */
    uint8_t seed[LARCH_STORE_SEED_LEN];
    uint8_t tag_key[LARCH_STORE_TAG_KEY_LEN];
} larch_stored_key;

/* The keys of one parameter set: the present one and, until it is forgotten, the
 * one before. Stored as "direct-<set>.key". */
typedef struct larch_key_ring {
    uint16_t set; /* 512, 768, 1024 */
    larch_stored_key present;
    larch_stored_key previous;
} larch_key_ring;

/* "direct-512.key" */
void larch_key_ring_name(uint16_t set, char name[LARCH_STORAGE_NAME_MAX + 1]);
/* Errors as larch_record_read; the ring is zeroed on error. Only what larch_key_ring_save can
 * have written is sound. */
LARCH_MUST_USE larch_error larch_key_ring_load(const larch_storage *storage, uint16_t set, larch_key_ring *ring,
                                               larch_store_fault *fault);
/* Durable on LARCH_OK. LARCH_STATE: present has no generation, or previous not a lower one;
 * nothing was done. LARCH_PLATFORM: the old ring stands, or the new one, whole: load to know.
 * A key of generation 0 is stored as zeros, whatever its bytes. */
LARCH_MUST_USE larch_error larch_key_ring_save(const larch_storage *storage, const larch_key_ring *ring);

/* ---- replay set -------------------------------------------------------- */

/* Marks gathered before they are handed to the storage, at most. */
#ifndef LARCH_REPLAY_BATCH
#define LARCH_REPLAY_BATCH 64
#endif

/* Every accepted message's 8-byte tag, as long as its key lives: a hash table in
 * the caller's memory and a journal "replay-<set>-<generation>.log" of fixed size. */
typedef struct larch_replay_set {
    const larch_storage *storage; /* private, all of it */
    uint64_t *slots;
    uint32_t slot_count;
    uint32_t capacity;
    uint32_t used;    /* places of the journal taken; behind written they wait in batch */
    uint32_t written; /* handed to the storage */
    uint32_t durable; /* synced */
    uint32_t generation;
    uint16_t set;
    uint8_t batch[LARCH_REPLAY_BATCH * LARCH_STORAGE_ATOM];
    char name[LARCH_STORAGE_NAME_MAX + 1];
} larch_replay_set;

/* How many marks a set with so many slots takes: 15/16, so that probing stays short. */
uint32_t larch_replay_set_capacity(uint32_t slot_count);

/* "replay-512-1.log" */
void larch_replay_set_name(uint16_t set, uint32_t generation, char name[LARCH_STORAGE_NAME_MAX + 1]);
/* Makes a new, empty journal, durably, and the set for it. slots: slot_count (a power of
 * two, 16 to 2^28) words of the caller's, kept with the set. A journal of that name that is
 * empty is made anew; one with marks, or not sound, is left alone: LARCH_STATE. So does
 * another slot_count. LARCH_PLATFORM: as larch_storage.replace. The set is zeroed on error. */
LARCH_MUST_USE larch_error larch_replay_set_create(larch_replay_set *rs, const larch_storage *storage, uint16_t set,
                                                   uint32_t generation, uint64_t *slots, uint32_t slot_count);
/* Loads a journal, which is untrusted. It keeps the capacity it was made with: LARCH_SPACE if
 * slot_count is too small for that (the fault is NONE; *slots_needed, else 0, says how many).
 * What a power cut left undone is mended, so this may write. Other errors as larch_record_read,
 * and LARCH_STATE for a slot_count that create does not take. The set is zeroed on error. */
LARCH_MUST_USE larch_error larch_replay_set_open(larch_replay_set *rs, const larch_storage *storage, uint16_t set,
                                                 uint32_t generation, uint64_t *slots, uint32_t slot_count,
                                                 uint32_t *slots_needed, larch_store_fault *fault);

bool larch_replay_set_contains(const larch_replay_set *rs, uint64_t tag);
/* Adds a tag of a message that was authenticated; it is durable after the next commit.
 * LARCH_REPLAY: it is there already. LARCH_SPENT: the set is full. LARCH_PLATFORM: the
 * storage failed and the tag was not added: the message must not be accepted. */
LARCH_MUST_USE larch_error larch_replay_set_add(larch_replay_set *rs, uint64_t tag);
/* Makes every added mark durable; cheap if they are. LARCH_PLATFORM: they may not be: what
 * was added since the last commit must not be answered; committing again is allowed. */
LARCH_MUST_USE larch_error larch_replay_set_commit(larch_replay_set *rs);
static inline bool larch_replay_set_is_durable(const larch_replay_set *rs) { return rs->durable == rs->used; }
/* How many more marks it takes. */
static inline uint32_t larch_replay_set_room(const larch_replay_set *rs) { return rs->capacity - rs->used; }
/* 7/8 full: time to rotate the key. */
bool larch_replay_set_is_nearly_full(const larch_replay_set *rs);
bool larch_replay_set_is_full(const larch_replay_set *rs);
/* Removes its journal and forgets the set, after its key was removed durably. LARCH_PLATFORM:
 * the journal may still be there; the set is forgotten all the same. */
LARCH_MUST_USE larch_error larch_replay_set_remove(larch_replay_set *rs);
/* The same without a set: at a start, for what a power cut during a rotation left over. None
 * there is LARCH_OK. The caller makes sure that no stored key has this generation. */
LARCH_MUST_USE larch_error larch_replay_set_discard(const larch_storage *storage, uint16_t set, uint32_t generation);

#ifdef __cplusplus
}
#endif

#endif
