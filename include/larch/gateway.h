/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway role: serves its public keys, opens sealed messages, refuses
 * replays, rotates its keys. Sans-I/O: the driver hands in datagrams and the
 * time, and pulls out datagrams and the next deadline. An answer, and the message it
 * answers, come out only after the message's replay mark is durable; marks of all
 * datagrams handed in since the last send share one sync.
 */
#ifndef LARCH_GATEWAY_H
#define LARCH_GATEWAY_H

#include "larch/coap_block.h"
#include "larch/coap_endpoint.h"
#include "larch/direct.h"
#include "larch/reach.h"
#include "larch/store.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_GATEWAY_SETS (LARCH_MLKEM_512 + LARCH_MLKEM_768 + LARCH_MLKEM_1024)

/* ---- what the gateway tells -------------------------------------------- */

/* X(NAME, text) */
#define LARCH_GATEWAY_REASONS(X)                                           \
    X(ACCEPTED, "accepted")                                                \
    X(REPLAY, "replay: these bytes were accepted before")                  \
    X(AUTH, "auth: not sealed to a key of this gateway, or altered")       \
    X(MALFORMED, "malformed: not a sealed message")                        \
    X(RATE, "rate: too many requests from addresses not proven reachable") \
    X(DROPPED, "dropped: not a CoAP request to act on")                    \
    X(STORAGE, "storage: the state directory failed")                      \
    X(ROTATED, "rotated: a new key is served")                             \
    X(FORGOTTEN, "forgotten: an old key was wiped")

#define LARCH_GATEWAY_REASON_ENUM(name, text) LARCH_GATEWAY_##name,
typedef enum larch_gateway_reason {
    LARCH_GATEWAY_REASONS(LARCH_GATEWAY_REASON_ENUM) LARCH_GATEWAY_REASON_COUNT
} larch_gateway_reason;
#undef LARCH_GATEWAY_REASON_ENUM

/* "replay: ..."; the part before the colon is the short name. */
const char *larch_gateway_reason_text(larch_gateway_reason reason);

typedef struct larch_gateway_event {
    larch_gateway_reason reason;
    larch_peer peer;            /* all but ROTATED, FORGOTTEN */
    const larch_kem *kem;       /* ACCEPTED, REPLAY, AUTH, ROTATED, FORGOTTEN */
    larch_bytes text;           /* ACCEPTED: as the sender wrote it, untrusted bytes */
    larch_direct_answer answer; /* MALFORMED: which check failed */
    larch_coap_drop drop;       /* DROPPED */
    uint32_t generation;        /* ROTATED, FORGOTTEN */
} larch_gateway_event;

/* ---- memory of the caller ---------------------------------------------- */

/* One answer on its way out; the text of an accepted message stands behind it, at LARCH_COAP_ANSWER_MAX. */
typedef struct larch_gateway_slot {
    larch_peer peer;      /* private, all of it */
    const larch_kem *kem; /* of an accepted message, else NULL */
    uint16_t answer_len;
    uint16_t text_len;
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
} larch_gateway_slot;

typedef struct larch_gateway_config {
    const larch_storage *storage; /* kept */
    const larch_random *random;   /* kept */
    const larch_trace *trace;     /* kept; may be NULL */
    void (*event)(void *context, const larch_gateway_event *event);
    void *context;

    larch_coap_exchange *exchanges; /* duplicate detection */
    size_t exchange_count;
    larch_gateway_slot *slots; /* answers that share a sync: at least 1 */
    size_t slot_count;
    larch_reach_entry *reach; /* proven addresses and buckets; a power of two */
    size_t reach_count;
    uint64_t *replay[LARCH_GATEWAY_SETS][2]; /* marks: in the order of larch_kem_at, for two keys each */
    uint32_t replay_slots;                   /* words in each: a power of two */

    larch_reach_limits limits;
    uint64_t grace_ms; /* how long an old key is kept after a rotation or a start: it opens messages while it has room
                          for their marks, and endorses the present key */
} larch_gateway_config;

/* ---- the gateway ------------------------------------------------------- */

/* One key of one set, ready for use. Private. */
typedef struct larch_gateway_key {
    uint32_t generation; /* 0: there is none */
    uint8_t dk[LARCH_KEM_DK_MAX];
    uint8_t hash[32]; /* SHA-256 of ek */
    uint8_t tag_key[LARCH_STORE_TAG_KEY_LEN];
    larch_replay_set marks;
} larch_gateway_key;

/* Both keys of one set. Private. */
typedef struct larch_gateway_keys {
    const larch_kem *kem;
    uint8_t present; /* index into key[] and the halves of the replay memory */
    uint64_t forget_at_ms;
    larch_gateway_key key[2];
    uint8_t ek[LARCH_KEM_EK_MAX];
} larch_gateway_keys;

typedef struct larch_gateway {
    larch_gateway_config config; /* private, all of it */
    larch_coap_endpoint endpoint;
    larch_coap_reassembly reassembly;
    larch_reach reach;
    larch_gateway_keys keys[LARCH_GATEWAY_SETS];
    size_t slot_first; /* a ring: so many answers from here on */
    size_t slot_used;
    size_t slot_told;                        /* of them, whose marks are durable and whose text was told */
    uint64_t retry_at_ms;                    /* when a storage that failed is tried again, for marks */
    uint64_t maintain_at_ms;                 /* and for keys */
    const struct larch_gateway_ahead *ahead; /* within larch_gateway_receive_many: of the datagram under way */
    uint64_t count[LARCH_GATEWAY_REASON_COUNT];
} larch_gateway;

/* Loads the keys and marks from storage, or makes and stores them where there
 * are none at all. Damaged state is never written over: LARCH_MALFORMED,
 * LARCH_SPACE or LARCH_STATE, with *faulty naming the file and *fault the reason. LARCH_PLATFORM: random or
 * storage failed. Wiped on error. */
LARCH_MUST_USE larch_error larch_gateway_init(larch_gateway *gw, uint64_t now_ms, const larch_gateway_config *config,
                                              char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault);

/* Takes one untrusted datagram. LARCH_AGAIN: all slots hold answers, nothing
 * was done: call larch_gateway_send until it has none, then hand it in again. */
LARCH_MUST_USE larch_error larch_gateway_receive(larch_gateway *gw, uint64_t now_ms, const larch_peer *peer,
                                                 bool multicast, larch_bytes datagram);

/* One untrusted datagram of several. */
typedef struct larch_gateway_datagram {
    larch_peer peer;
    bool multicast;
    larch_bytes bytes;
} larch_gateway_datagram;

/* Takes datagrams in their order, with the same effects as larch_gateway_receive for each; sealed messages
 * are decapsulated side by side, which vector processors do in less time (larch_kem_decaps_batch, and its
 * stack). LARCH_OK: all are taken. LARCH_AGAIN: only the first *taken are, the slots are full: call
 * larch_gateway_send until it has none, then hand in the rest. */
LARCH_MUST_USE larch_error larch_gateway_receive_many(larch_gateway *gw, uint64_t now_ms,
                                                      const larch_gateway_datagram *datagrams, size_t count,
                                                      size_t *taken);

/* The next datagram to send; the view holds until the next call. First makes the marks durable and tells of
 * the messages they belong to. LARCH_AGAIN: none. LARCH_PLATFORM: the storage failed; no answer leaves
 * and none is lost until a later call finds it working again: call at the deadline. */
LARCH_MUST_USE larch_error larch_gateway_send(larch_gateway *gw, uint64_t now_ms, larch_peer *peer,
                                              larch_bytes *datagram);

/* When to call larch_gateway_send again at the latest; UINT64_MAX: only after a datagram. */
uint64_t larch_gateway_deadline_ms(const larch_gateway *gw);

/* Makes a new key for one set and serves it; the present one becomes the old one, the old one
 * is forgotten. LARCH_PLATFORM: random or storage failed; the present key goes on, the old one may be gone. */
LARCH_MUST_USE larch_error larch_gateway_rotate(larch_gateway *gw, uint64_t now_ms, const larch_kem *kem);

/* The served key of a set and its SHA-256; NULL hash is allowed. */
larch_bytes larch_gateway_key_of(const larch_gateway *gw, const larch_kem *kem, uint32_t *generation,
                                 const uint8_t **hash);

void larch_gateway_wipe(larch_gateway *gw);

#ifdef __cplusplus
}
#endif

#endif
