/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CoAP server and the services behind it (larch/service.h). Sans-I/O: the driver hands in
 * datagrams and the time, and pulls out accepted messages, datagrams and the next deadline.
 *
 * A message is accepted in this order, so that what was answered OK is stored exactly once:
 *
 *   receive    a service opened and authenticated it; its answer is not built yet
 *   accepted   the driver pulls it, and stores it durably, together with the others of its batch
 *   settle     the driver says of each: stored, or no room
 *   send       the services make their marks durable; then the answers leave, and only then may
 *              the driver show the messages to anyone
 *
 * The driver stores no batch before the marks of the one before are durable: larch_server_accepted
 * sees to that. docs/outbox.md draws what a cut at each step leaves behind.
 */
#ifndef LARCH_SERVER_H
#define LARCH_SERVER_H

#include "larch/coap_block.h"
#include "larch/coap_endpoint.h"
#include "larch/contexts.h"
#include "larch/kem.h"
#include "larch/reach.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SERVER_SERVICES 4 /* at most */

/* ---- what the server and its services report ---------------------------- */

/* X(NAME, text) */
#define LARCH_EVENTS(X)                                                          \
    X(ACCEPTED, "accepted")                                                      \
    X(REPLAY, "replay: these bytes were accepted before")                        \
    X(AUTH, "auth: not sealed to a key of this gateway, or altered")             \
    X(MALFORMED, "malformed: not a sealed message")                              \
    X(RATE, "rate: too many requests from this address, its network, or in all") \
    X(FULL, "full: no room to store messages")                                   \
    X(DROPPED, "dropped: not a CoAP request to act on")                          \
    X(SPENT, "spent: the keys of a session have reached their limit")            \
    X(DENIED, "denied: the device may not use this resource")                    \
    X(STORAGE, "storage: the state directory failed")                            \
    X(ROTATED, "rotated: a new key is served")                                   \
    X(FORGOTTEN, "forgotten: an old key was wiped")

#define LARCH_EVENT_ENUM(name, text) LARCH_EVENT_##name,
typedef enum larch_event_kind { LARCH_EVENTS(LARCH_EVENT_ENUM) LARCH_EVENT_COUNT } larch_event_kind;
#undef LARCH_EVENT_ENUM

/* "replay: ..."; the part before the colon is the short name. "?" for an unknown kind. */
const char *larch_event_text(larch_event_kind kind);

typedef struct larch_event {
    larch_event_kind kind;
    larch_peer peer;      /* all but ROTATED, FORGOTTEN, STORAGE */
    const larch_kem *kem; /* REPLAY, AUTH, FULL, ROTATED, FORGOTTEN; NULL: none is concerned, as in a session */
    const char *detail; /* MALFORMED, DROPPED: which check failed; AUTH: "handshake", or NULL; else NULL. Never freed */
    uint32_t generation; /* ROTATED, FORGOTTEN */
} larch_event;

/* ---- accepted messages -------------------------------------------------- */

/* What tells one accepted message from all others, for as long as a consumer may see it again: a letter for its
 * kind, then numbers of the kind's own, big-endian. Direct: 'D' set (2) generation (4) mark (8). OSCORE: 'O' context (8)
 * number (5) hash (16), or, if the device numbers its readings, 'N' device (8) n (8). */
#define LARCH_ACCEPTED_ID_MAX   32
#define LARCH_ACCEPTED_HASH_LEN 16
typedef struct larch_accepted_id {
    uint8_t len;
    uint8_t bytes[LARCH_ACCEPTED_ID_MAX];
} larch_accepted_id;

typedef struct larch_accepted {
    larch_accepted_id identity;
    larch_peer peer;
    const char *via;      /* the service: "direct", "oscore"; never freed */
    const larch_kem *kem; /* that the message was sealed with; NULL: with none */
    larch_bytes text;     /* as the sender wrote it: untrusted. The view holds until larch_server_send */
#if LARCH_SERVER_SESSIONS
    uint64_t device;                       /* the number of the device that sent it; 0: unknown */
    larch_bytes name;                      /* NAME of /r/NAME, printable; empty: none. The view holds as text does */
    uint16_t format;                       /* Content-Format, or LARCH_COAP_FORMAT_NONE */
    uint8_t hash[LARCH_ACCEPTED_HASH_LEN]; /* of the content: kept with an identity 'N' */
    larch_accepted_id also;                /* a second identity of the same message, to be kept too; len 0: none */
    bool is_known; /* it was stored before, under also: keep its identities, and deliver nothing */
#endif
    size_t slot; /* private */
} larch_accepted;

#define LARCH_RECEIPT_LEN 16

/* What is known of a message when it is accepted. */
typedef struct larch_acceptance {
    larch_accepted_id identity;
    const larch_kem *kem;
    uint64_t mark; /* for keep, drop and conclude: with generation, the service's own */
    uint32_t generation;
    size_t text_len; /* bytes of larch_request_text */
#if LARCH_SERVER_SESSIONS
    uint64_t device;
    uint16_t format;
    uint8_t name_len; /* the name stands behind the text, in text_len */
    bool is_known;
    uint8_t hash[LARCH_ACCEPTED_HASH_LEN];
    larch_accepted_id also;
#endif
    bool has_receipt;
    uint8_t receipt[LARCH_RECEIPT_LEN]; /* for conclude: secret until it leaves with the answer */
} larch_acceptance;

/* ---- memory of the caller ----------------------------------------------- */

typedef struct larch_service larch_service;
typedef struct larch_protection larch_protection;

/* How the answer to a protected request is protected. */
typedef struct larch_server_protection {
    bool is_protected; /* private, all of it */
    bool has_own;      /* the answer takes this number of ours, not the request's nonce */
    bool is_counted;   /* among the messages that the session protects */
    bool has_echoed;   /* the request returned the inner Echo of a challenge to the number below */
    larch_oscore_binding binding;
    uint64_t session;
    uint64_t number; /* of the request */
    uint64_t echoed;
    uint64_t own;
    uint32_t content; /* a keyed hash of the request's datagram, for copies from another address */
} larch_server_protection;

/* One request on its way through the server. Private. */
typedef struct larch_server_slot {
    uint8_t state;
    bool stored;    /* settled: the driver has it */
    bool kept;      /* its mark is with the journal */
    bool blockwise; /* the request came in blocks: the answer echoes block1 */
    larch_coap_block block1;
    larch_coap_pending pending;
#if LARCH_SERVER_SESSIONS
    larch_server_protection protection;
#endif
    larch_reach_source source; /* worked out when it is first needed */
    uint32_t request_len;      /* of the request's datagram */
    const larch_service *service;
    larch_acceptance message; /* its text stands first in the pool */
    size_t followed;          /* the slot whose message this one repeats */
    uint32_t at;              /* in the pool: the text, if any, and then the datagram; once built, the datagram */
    uint32_t len;             /* of the datagram; 0: none */
} larch_server_slot;

/* A large answer between two requests for blocks of it. Private. */
typedef struct larch_server_body {
    larch_peer peer;
    uint64_t key; /* 0: free */
    uint64_t until_ms;
    uint64_t at; /* position in the ring of bodies */
    uint32_t len;
    uint16_t format;
    uint8_t code;
} larch_server_body;

typedef struct larch_server_config {
    const larch_random *random; /* kept */
    const larch_trace *trace;   /* kept; may be NULL */
    /* Called inside receive and send, for each event but ACCEPTED, which is only counted. It may call
     * larch_gateway_rotate, and nothing else of the server that reported the event. */
    void (*event)(void *context, const larch_event *event);
    void *context;

    const larch_protection *protection; /* kept; NULL: requests with an OSCORE option are answered 4.02 */
    larch_coap_memory coap;
    larch_server_slot *slots; /* requests that share a sync: at least 1 */
    size_t slot_count;
    uint8_t *pool; /* messages and answers between receive and send: at least larch_server_pool_min bytes. About 1,300
                      for each slot makes the slots the bound. */
    size_t pool_len;
    larch_server_body *bodies; /* may be NULL if no service has a body_max */
    size_t body_count;
    uint8_t *body_bytes; /* the ring that they stand in */
    size_t body_bytes_len;
    larch_reach_entry *reach; /* proven addresses and buckets; a power of two */
    size_t reach_count;
    larch_reach_limits limits;
} larch_server_config;

/* ---- the server ---------------------------------------------------------- */

typedef struct larch_server {
    larch_server_config config; /* private, all of it; the largest stands last, since near fields take less code */
    const larch_service *services[LARCH_SERVER_SERVICES];
    size_t service_count;
    larch_ring bodies;
    size_t slot_first; /* the next to send; those before are free */
    size_t slot_offer; /* the next that may hold a message to be pulled */
    size_t slot_used;
    size_t pool_used;
    size_t pool_min;
    size_t accepted;      /* slots whose message waits to be pulled */
    size_t pulled;        /* slots whose message waits to be settled */
    size_t settled;       /* slots whose answer waits for the services' commit */
    bool is_batch_open;   /* the driver pulls messages of one batch, until there are no more */
    uint64_t retry_at_ms; /* when a storage that failed is tried again */
    uint64_t count[LARCH_EVENT_COUNT];
    larch_reach reach;
    larch_coap_endpoint endpoint;
    larch_coap_reassembly reassembly;
} larch_server;

/* The pool that one request may need with these services. */
size_t larch_server_pool_min(const larch_service *const *services, size_t count);

/* services: count of them (1 to LARCH_SERVER_SERVICES), kept by the caller as long as the server; a path belongs to
 * the first that has it. LARCH_STATE: a count or an array is missing or too small. LARCH_SPACE: the pool, or the
 * ring of bodies, is smaller than a service needs. LARCH_PLATFORM: random failed. Wiped on error. */
LARCH_MUST_USE larch_error larch_server_init(larch_server *srv, const larch_server_config *config,
                                             const larch_service *const *services, size_t count);

/* Takes one untrusted datagram. LARCH_AGAIN: no slot or no room in the pool is left, nothing
 * was done: pull and settle what was accepted, call larch_server_send until it has none, then hand it in again. */
LARCH_MUST_USE larch_error larch_server_receive(larch_server *srv, uint64_t now_ms, const larch_peer *peer,
                                                bool multicast, larch_bytes datagram);

/* One untrusted datagram of several. */
typedef struct larch_server_datagram {
    larch_peer peer;
    bool multicast;
    larch_bytes bytes;
} larch_server_datagram;

/* Takes datagrams in their order, with the same effects as larch_server_receive for each; services may work out
 * expensive steps of several side by side (and use the stack of larch_kem_decaps_batch for it). LARCH_OK: all are
 * taken. LARCH_AGAIN: only the first *taken are; go on as after larch_server_receive, then hand in the rest. */
LARCH_MUST_USE larch_error larch_server_receive_many(larch_server *srv, uint64_t now_ms,
                                                     const larch_server_datagram *datagrams, size_t count,
                                                     size_t *taken);

/* The next accepted message of this batch. LARCH_AGAIN: there is none, the batch is complete: store all of it
 * durably, in one transaction, and settle each. Later messages are another batch: the first of it makes the marks of
 * this one durable first. LARCH_PLATFORM: they cannot be made durable now, and nothing may be stored until they are;
 * try again at the deadline. LARCH_STATE: a message of the batch before is not settled. */
LARCH_MUST_USE larch_error larch_server_accepted(larch_server *srv, uint64_t now_ms, larch_accepted *message);

typedef enum larch_settlement {
    LARCH_SETTLED_STORED,  /* durable as the driver promises: it will be answered OK */
    LARCH_SETTLED_NO_ROOM, /* not stored: it is answered 5.03 with Max-Age and leaves no mark */
} larch_settlement;

/* Says what became of a message that larch_server_accepted gave. LARCH_STATE: it is settled already. */
LARCH_MUST_USE larch_error larch_server_settle(larch_server *srv, const larch_accepted *message,
                                               larch_settlement settlement);

/* The next datagram to send; the view holds until the next call. First makes the marks of all settled messages
 * durable. LARCH_AGAIN: none. LARCH_STATE: an accepted message is not settled. LARCH_PLATFORM: the storage failed;
 * no answer leaves and none is lost until a later call finds it working again: call at the deadline. */
LARCH_MUST_USE larch_error larch_server_send(larch_server *srv, uint64_t now_ms, larch_peer *peer,
                                             larch_bytes *datagram);

/* When to call accepted and send again at the latest; UINT64_MAX: only after a datagram. */
uint64_t larch_server_deadline_ms(const larch_server *srv);

/* Wipes slots, pool and bodies, and the services. */
void larch_server_wipe(larch_server *srv);

#ifdef __cplusplus
}
#endif

#endif
