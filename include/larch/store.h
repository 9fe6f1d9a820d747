/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must survive: records with a checksum, the head of the state folder, the
 * gateway's direct keys, and the set of messages that were accepted. Works over a
 * larch_storage and is safe against a power cut at any moment.
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
    X(AHEAD, "was written after state.head was")          \
    X(LAGS, "is older than the last start")               \
    X(COPY, "is a copy")                                  \
    X(MEDIUM, "cannot be read or written")

#define LARCH_STORE_FAULT_ENUM(name, text) LARCH_STORE_##name,
typedef enum larch_store_fault { LARCH_STORE_FAULTS(LARCH_STORE_FAULT_ENUM) LARCH_STORE_FAULT_COUNT } larch_store_fault;
#undef LARCH_STORE_FAULT_ENUM

const char *larch_store_fault_text(larch_store_fault fault);

/* ---- records ----------------------------------------------------------- */

#define LARCH_RECORD_OVERHEAD 20  /* 16 in front, 4 behind */
#define LARCH_RECORD_MAX      236 /* payload bytes: a record fits a 256-byte flash page */

typedef enum larch_record_kind {
    LARCH_RECORD_KEYS = 1,     /* direct keys of one parameter set */
    LARCH_RECORD_REPLAY = 2,   /* head of a replay journal */
    LARCH_RECORD_PIN = 3,      /* reserved for boards: a sender's pinned key, of an older larch */
    LARCH_RECORD_WIFI = 4,     /* and the network to join */
    LARCH_RECORD_HEAD = 5,     /* head of the state folder */
    LARCH_RECORD_IDENTITY = 6, /* one entry of the gateway's identity document, with its seed */
    LARCH_RECORD_BIRTH = 7,    /* on hosts: when that head was made */
    LARCH_RECORD_TRUST = 8,    /* reserved for boards: a sender's pinned gateway */
    LARCH_RECORD_SEAL = 9      /* on hosts: the key that seals the secrets of databases */
} larch_record_kind;

/* Puts a record's bytes into w: payload.len + LARCH_RECORD_OVERHEAD of them. */
void larch_record_compose(larch_writer *w, larch_record_kind kind, uint32_t start, larch_bytes payload);
/* Writes one record as a whole file, durably, followed by tail erased bytes. The record carries
 * storage->start. LARCH_SPACE: the payload is larger than LARCH_RECORD_MAX. LARCH_PLATFORM: as larch_storage.replace. */
LARCH_MUST_USE larch_error larch_record_write(const larch_storage *storage, const char *name, larch_record_kind kind,
                                              larch_bytes payload, uint32_t tail);
/* Reads the record at the start of a file, which is untrusted. LARCH_OK with *len bytes in out,
 * or an error with *fault saying what is wrong with the file: LARCH_STATE (MISSING), LARCH_MALFORMED
 * (FOREIGN ... AHEAD), LARCH_SPACE (sound but larger than cap, KIND), LARCH_PLATFORM (MEDIUM).
 * out is unchanged and *len 0 on error. */
LARCH_MUST_USE larch_error larch_record_read(const larch_storage *storage, const char *name, larch_record_kind kind,
                                             uint8_t *out, size_t cap, size_t *len, larch_store_fault *fault);

/* ---- head of the state folder ------------------------------------------ */

#define LARCH_STATE_HEAD_NAME   "state.head"
#define LARCH_STATE_FORMAT      2
#define LARCH_STATE_MACHINE_LEN 32

/* What holds for the whole folder: "state.head". */
typedef struct larch_state_head {
    uint32_t start;                           /* counts the starts from 1 on; 0: there is no head */
    uint8_t machine[LARCH_STATE_MACHINE_LEN]; /* a hash that names the machine; zeros: none is recorded */
    uint64_t newest_ms;                       /* the newest wall-clock time seen, Unix time; 0: none */
    /* The newest start after which every file carried its counter or a higher one: a file with a lower one was put back
     * since. 0: none is recorded, as on boards, where nothing is compared. */
    uint32_t complete;
} larch_state_head;

/* complete: a recovery has begun and not ended; only another recovery goes on from here. */
#define LARCH_STATE_RECOVERING UINT32_MAX

/* Reads the head, which is untrusted. Errors as larch_record_read, whatever storage->start is; the head is zeroed on
 * error. A head of another format, or with bytes in use that this version does not know, is VERSION. */
LARCH_MUST_USE larch_error larch_state_head_load(const larch_storage *storage, larch_state_head *head,
                                                 larch_store_fault *fault);
/* Durable on LARCH_OK. LARCH_STATE: start is 0; nothing was done. LARCH_PLATFORM: the old head stands, or the new
 * one, whole. */
LARCH_MUST_USE larch_error larch_state_head_save(const larch_storage *storage, const larch_state_head *head);

/* Begins a start, before anything else is read or made: raises the start counter durably and puts it into storage->start.
 * In an empty folder it makes the head. now_ms: Unix time, 0 where there is no clock; a head never goes back. machine:
 * replaces the one on record; NULL: that one stays. *found: the head as it was, so that the caller can compare; its start
 * is 0 in an empty folder. Errors as larch_record_read, with *faulty naming the file, and nothing was written: a head that
 * is not sound; none although there are keys (LARCH_STATE, MISSING); keys of another format (LARCH_MALFORMED, VERSION).
 * LARCH_PLATFORM: as larch_state_head_save. storage->start is unchanged on error. */
LARCH_MUST_USE larch_error larch_state_start(larch_storage *storage, uint64_t now_ms,
                                             const uint8_t machine[LARCH_STATE_MACHINE_LEN], larch_state_head *found,
                                             char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault);

/* ---- direct keys ------------------------------------------------------- */

#define LARCH_STORE_SEED_LEN    64
#define LARCH_STORE_TAG_KEY_LEN 16

/* One key pair as kept: its seed, the key of its replay tags. Secret. */
typedef struct larch_stored_key {
    uint32_t generation; /* counts up with every rotation, 1 is the first; 0: there is none */
    uint8_t seed[LARCH_STORE_SEED_LEN];
    uint8_t tag_key[LARCH_STORE_TAG_KEY_LEN];
} larch_stored_key;

#define LARCH_GRACE_UNKNOWN UINT64_MAX

/* The keys of one parameter set: the present one and, until it is forgotten, the
 * one before. Stored as "direct-<set>.key". */
typedef struct larch_key_ring {
    uint16_t set; /* 512, 768, 1024, or X-Wing's number */
    larch_stored_key present;
    larch_stored_key previous;
    /* What was left of the previous key's grace when that was recorded, and the wall-clock time then (Unix time; 0: not
     * known). LARCH_GRACE_UNKNOWN: it is without end, or not recorded, as in rings of older versions. Both are 0 without
     * a previous key. */
    uint64_t grace_left_ms;
    uint64_t grace_unix_ms;
} larch_key_ring;

/* "direct-512.key" */
void larch_key_ring_name(uint16_t set, char name[LARCH_STORAGE_NAME_MAX + 1]);
/* Errors as larch_record_read; the ring is zeroed on error. Only what larch_key_ring_save can
 * have written is sound. */
LARCH_MUST_USE larch_error larch_key_ring_load(const larch_storage *storage, uint16_t set, larch_key_ring *ring,
                                               larch_store_fault *fault);
/* Durable on LARCH_OK. LARCH_STATE: present has no generation, or previous not a lower one;
 * nothing was done. LARCH_PLATFORM: the old ring stands, or the new one, whole: load to know.
 * A key of generation 0 is stored as zeros, whatever its bytes; without a previous key, so is its grace. */
LARCH_MUST_USE larch_error larch_key_ring_save(const larch_storage *storage, const larch_key_ring *ring);

/* ---- the keys of the identity -------------------------------------------- */

#define LARCH_STORED_IDENTITY_NAME "identity.key"

/* One entry of the identity document (larch/identity.h), with the private key. Secret. */
typedef struct larch_stored_identity_key {
    uint8_t kind;
    uint16_t algorithm;
    uint8_t hash[32];                   /* SHA-256 of the public key */
    uint8_t seed[LARCH_STORE_SEED_LEN]; /* of the pair, then zeros; all zeros if the private key is not here */
} larch_stored_identity_key;

/* The whole document with its keys, in its order: made once, and never changed but by later entries. */
typedef struct larch_stored_identity {
    uint8_t founding; /* entries; they come first */
    uint8_t count;    /* of all entries */
    larch_stored_identity_key keys[LARCH_IDENTITY_HELD];
} larch_stored_identity;

/* Errors as larch_record_read; VERSION: also a document of more entries than LARCH_IDENTITY_HELD. What kinds and
 * algorithms mean is not checked. The identity is zeroed on error. */
LARCH_MUST_USE larch_error larch_stored_identity_load(const larch_storage *storage, larch_stored_identity *identity,
                                                      larch_store_fault *fault);
/* Durable on LARCH_OK. LARCH_STATE: the numbers of entries cannot be; nothing was done. LARCH_PLATFORM: the old file
 * stands, or the new one, whole. */
LARCH_MUST_USE larch_error larch_stored_identity_save(const larch_storage *storage,
                                                      const larch_stored_identity *identity);

/* ---- replay set -------------------------------------------------------- */

/* Marks gathered before they are handed to the storage, at most. */
#ifndef LARCH_REPLAY_BATCH
#define LARCH_REPLAY_BATCH 64
#endif

/* What the marks of a journal are made of: a number in its head, so that an old journal keeps to what it began with. */
#define LARCH_MARK_INPUT_WHOLE 1 /* the KEM ciphertext and the nonce */
#define LARCH_MARK_INPUT_FRONT \
    2 /* the first LARCH_MARK_FRONT_LEN bytes of the KEM ciphertext, of X-Wing's the last too, and the nonce */
#define LARCH_MARK_FRONT_LEN 32

/* Every accepted message's 8-byte tag, as long as its key lives: a hash table in
 * the caller's memory and a journal "replay-<set>-<generation>.log" of fixed size. */
typedef struct larch_replay_set {
    const larch_storage *storage; /* private, all of it */
    uint64_t *slots;
    uint32_t slot_count;
    uint32_t capacity;
    uint32_t reserved; /* tags in the table that have no place in the journal yet */
    uint32_t used;     /* places of the journal taken; behind written they wait in batch */
    uint32_t written;  /* handed to the storage */
    uint32_t durable;  /* synced */
    uint32_t generation;
    uint16_t set;
    uint8_t mark_input;
    uint8_t batch[LARCH_REPLAY_BATCH * LARCH_STORAGE_ATOM];
    char name[LARCH_STORAGE_NAME_MAX + 1];
} larch_replay_set;

/* LARCH_MARK_INPUT_...: of an open set. */
static inline uint8_t larch_replay_set_mark_input(const larch_replay_set *rs) { return rs->mark_input; }

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
/* The first half of add: from now on the set contains the tag and has room for its mark, but the journal knows
 * nothing of it. keep, the second half, hands it to the journal; release undoes reserve. Each reserved tag is kept or
 * released once: the set does not remember which tags are only reserved. Errors of reserve as add; of keep LARCH_STATE:
 * the set does not contain the tag, or none is reserved; LARCH_PLATFORM: it stays reserved, try again. */
LARCH_MUST_USE larch_error larch_replay_set_reserve(larch_replay_set *rs, uint64_t tag);
LARCH_MUST_USE larch_error larch_replay_set_keep(larch_replay_set *rs, uint64_t tag);
void larch_replay_set_release(larch_replay_set *rs, uint64_t tag);
/* Makes every added mark durable; cheap if they are. LARCH_PLATFORM: they may not be: what
 * was added since the last commit must not be answered; committing again is allowed. */
LARCH_MUST_USE larch_error larch_replay_set_commit(larch_replay_set *rs);
static inline bool larch_replay_set_is_durable(const larch_replay_set *rs) { return rs->durable == rs->used; }
/* How many more marks it takes. */
static inline uint32_t larch_replay_set_room(const larch_replay_set *rs)
{
    return rs->capacity - rs->used - rs->reserved;
}
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
