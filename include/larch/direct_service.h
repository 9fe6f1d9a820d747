/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one-shot exchange as a service: serves this gateway's public keys, opens sealed messages, refuses replays,
 * rotates its keys, endorses the present key by the one before and by its root keys (larch/direct.h), and serves its
 * identity document (larch/identity.h).
 */
#ifndef LARCH_DIRECT_SERVICE_H
#define LARCH_DIRECT_SERVICE_H

#include "larch/direct.h"
#include "larch/identity.h"
#include "larch/service.h"
#include "larch/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct larch_direct_config {
    const larch_storage *storage;           /* kept */
    const larch_random *random;             /* kept */
    const larch_trace *trace;               /* kept; may be NULL */
    uint64_t *replay[LARCH_DIRECT_SETS][2]; /* marks: in the order of larch_direct_kem_at, for two keys each */
    uint32_t replay_slots;                  /* words in each: a power of two */
    uint64_t grace_ms; /* how long an old key is kept after a rotation: it opens messages while it has room for their
                          marks, and endorses the present key. What is left is stored: a lower value here counts for a
                          key that is old already, a higher one does not. UINT64_MAX: without end */
    uint64_t unix_ms;  /* the wall-clock time at larch_direct_service_load, Unix time; 0: there is no clock, or one that
                          went back. Then the grace passes in runs only */
    bool is_closed;    /* requests for a key and sealed messages are answered 4.03: the gateway wants handshakes */
} larch_direct_config;

/* One key of one set, ready for use. Private. */
typedef struct larch_direct_key {
    uint32_t generation; /* 0: there is none */
    uint8_t hash[32];    /* SHA-256 of ek */
    uint8_t tag_key[LARCH_STORE_TAG_KEY_LEN];
    larch_replay_set marks;
    uint8_t dk[LARCH_KEM_DK_MAX];
} larch_direct_key;

/* The keys of one set. Private. */
typedef struct larch_direct_keys {
    const larch_kem *kem;
    uint8_t index;   /* of the set, in the order of larch_direct_kem_at */
    uint8_t present; /* index into key[] and the halves of the replay memory */
    uint64_t forget_at_ms;
    uint64_t record_at_ms; /* when what is left of the grace is stored, without a wall clock */
    larch_direct_key key[2];
    uint8_t ek[LARCH_KEM_EK_MAX];
    bool has_root; /* else the identity was made by a larch without this set */
    uint8_t root_hash[32];
    uint8_t root_dk[LARCH_KEM_DK_MAX];
} larch_direct_keys;

#define LARCH_DIRECT_DOCUMENT_MAX (LARCH_IDENTITY_HEAD_LEN + LARCH_IDENTITY_HELD * LARCH_IDENTITY_ENTRY_LEN)
#define LARCH_DIRECT_ANSWER_MAX   (6 + LARCH_DIRECT_TAG_LEN) /* "REPLAY" and a receipt */

typedef struct larch_direct_service {
    larch_service service; /* private, all of it */
    larch_direct_config config;
    uint64_t maintain_at_ms; /* when keys are tried again after a storage failed */
    uint64_t loaded_at_ms;
    larch_direct_keys keys[LARCH_DIRECT_SETS];
    uint8_t identity[LARCH_FINGERPRINT_LEN];
    uint8_t document_hash[32];
    uint16_t document_len;
    uint8_t document[LARCH_DIRECT_DOCUMENT_MAX];
    uint8_t answer[LARCH_DIRECT_ANSWER_MAX]; /* that conclude gave last */
} larch_direct_service;

/* Makes direct->service, for larch_server_init; it serves nothing before load. */
void larch_direct_service_init(larch_direct_service *direct, const larch_direct_config *config);
/* Loads the keys, marks and identity from storage, or makes and stores them where there are none at all; an identity
 * also beside keys of a larch that knew none. Damaged state is never written over: LARCH_MALFORMED, LARCH_SPACE or
 * LARCH_STATE, with *faulty naming the file and *fault the reason. LARCH_PLATFORM: random or storage failed. No key is
 * left in memory on error. */
LARCH_MUST_USE larch_error larch_direct_service_load(larch_direct_service *direct, uint64_t now_ms,
                                                     char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault);

/* At a start, before anything is served: a message with this identity was stored. Its mark is added if it is
 * missing; larch_direct_service_commit makes it durable. An identity of a key that is gone, or of another kind, needs
 * no mark: LARCH_OK. LARCH_MALFORMED: no identity of a direct message. LARCH_PLATFORM, LARCH_SPENT: as
 * larch_replay_set_add. */
LARCH_MUST_USE larch_error larch_direct_service_remember(larch_direct_service *direct,
                                                         const larch_accepted_id *identity);
/* Makes every mark durable. Errors as larch_replay_set_commit. */
LARCH_MUST_USE larch_error larch_direct_service_commit(larch_direct_service *direct);

/* Makes a new key for one set and serves it; the present one becomes the old one, the old one is forgotten; both are
 * reported through srv, which may be NULL. LARCH_PLATFORM: random or storage failed; the present key goes on, the old
 * one may be gone. LARCH_STATE: there is no such set. */
LARCH_MUST_USE larch_error larch_direct_service_rotate(larch_direct_service *direct, larch_server *srv, uint64_t now_ms,
                                                       const larch_kem *kem);

/* The served key of a set; generation and hash (its SHA-256) may be NULL. Empty if there is no such set. */
larch_bytes larch_direct_service_key(const larch_direct_service *direct, const larch_kem *kem, uint32_t *generation,
                                     const uint8_t **hash);

/* The identity; document, which may be NULL: the document that it stands for, as it is served. */
const uint8_t *larch_direct_service_identity(const larch_direct_service *direct, larch_bytes *document);

#ifdef __cplusplus
}
#endif

#endif
