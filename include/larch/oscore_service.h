/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OSCORE [RFC8613] as a layer and a service of a larch_server. The layer opens protected requests, before their resource
 * sees them, and protects their answers. The service has the resources /r/NAME behind it: a reading that is posted is an
 * accepted message (larch/server.h); a GET gives the last one, and may observe it [RFC7641].
 *
 *     POST|PUT /r/NAME[?n=N]   a reading, in plain text, JSON, CBOR, or SenML in JSON or CBOR
 *     GET      /r/NAME         the last reading
 *
 * A reading is stored once: the device's number n, or the request's own number and its content, name it for good, and
 * the driver, which stores both, recalls it.
 */
#ifndef LARCH_OSCORE_SERVICE_H
#define LARCH_OSCORE_SERVICE_H

#include "larch/contexts.h"
#include "larch/service.h"

#ifdef __cplusplus
extern "C" {
#endif

#if LARCH_SERVER_SESSIONS

#define LARCH_OSCORE_FAILURE_SHARES 256 /* prefixes whose proven addresses have a share of failures at one time */
#define LARCH_OSCORE_WATCHED        256

/* ---- what the driver keeps ------------------------------------------------- */

typedef enum larch_recall {
    LARCH_RECALL_UNKNOWN,  /* it was never stored */
    LARCH_RECALL_KNOWN,    /* it was stored */
    LARCH_RECALL_CONFLICT, /* 'N': another content has this number, or it is older than the window */
    LARCH_RECALL_FAILED,   /* the storage could not be read: the request gets 5.03, and nothing is accepted */
} larch_recall;

/* What the service asks of the driver's storage; each runs inside larch_server_receive or larch_server_send. */
typedef struct larch_readings {
    void *context;
    /* Whether a message of this identity was stored. hash: of its content. *highest: with CONFLICT the highest number
     * of the device. */
    larch_recall (*recall)(void *context, const larch_accepted_id *identity,
                           const uint8_t hash[LARCH_ACCEPTED_HASH_LEN], uint64_t *highest);
    /* The last reading of this name, at most cap bytes. LARCH_AGAIN: there was none. LARCH_SPACE: it is longer. LARCH_PLATFORM. */
    larch_error (*last)(void *context, larch_bytes name, uint8_t *out, size_t cap, size_t *len, uint16_t *format);
} larch_readings;

/* What the driver keeps of devices; each runs inside larch_server_receive. */
typedef struct larch_oscore_devices {
    void *context;
    /* A new authentic request came through this session: its device is awake, at session->last. */
    void (*heard)(void *context, const larch_session *session);
    /* Whether the device may report to /r/NAME (reports), or read and observe it. NULL: every device may. */
    bool (*allows)(void *context, uint64_t device, larch_bytes name, bool reports);
} larch_oscore_devices;

/* ---- handshakes ------------------------------------------------------------ */

/* What the layer needs of a service that makes sessions by handshakes (larch/lake_service.h). */
typedef struct larch_oscore_handshakes {
    void *context;
    /* Runs for a request with an EDHOC option [RFC9668], before its session is looked up. true: if a handshake waited for
     * this message_3, its session can be found from now on; the message is ignored if none did. false: the request was
     * answered. */
    bool (*take_early)(void *context, const larch_request *rq, larch_bytes kid, larch_bytes message_3);
    /* Runs for the first later request under a session that is_unconfirmed. */
    void (*confirm)(void *context, uint64_t now_ms, larch_session *session);
} larch_oscore_handshakes;

/* ---- memory of the caller -------------------------------------------------- */

/* The answer to a request, for copies of it that come from another address. Private. */
typedef struct larch_oscore_kept {
    uint64_t session; /* 0: free */
    uint64_t number;
    uint64_t at; /* position in the ring */
    uint32_t content;
    uint32_t len;
} larch_oscore_kept;

/* An observation with what is on its way to it. Private. */
typedef struct larch_oscore_watch {
    larch_observation observation;
    uint32_t handle; /* of the notification on its way; 0: none */
    bool is_due;
    uint8_t lost;     /* notifications in a row that nobody acknowledged */
    uint64_t wait_ms; /* nothing is sent before */
    uint64_t ask_ms;  /* from then on a notification is confirmable */
} larch_oscore_watch;

typedef struct larch_oscore_config {
    const larch_contexts *contexts;            /* kept */
    const larch_readings *readings;            /* kept; NULL: no /r, no stored message */
    const larch_oscore_devices *devices;       /* kept; NULL: nobody asks, and every device may use all of /r */
    larch_epochs *epochs;                      /* kept, started */
    const larch_trace *trace;                  /* kept; may be NULL */
    const larch_oscore_handshakes *handshakes; /* kept; NULL: a request with an EDHOC option is answered 4.02 */
    bool own_numbers;        /* every answer takes a number of our own, instead of the request's nonce */
    larch_oscore_kept *kept; /* a power of two */
    size_t kept_count;
    uint8_t *kept_bytes; /* the ring in which the kept answers stand */
    size_t kept_bytes_len;
    larch_oscore_watch *watches; /* observations; may be NULL */
    size_t watch_count;
    struct larch_oscore_command *commands; /* requests to devices (larch/oscore_downlink.h); may be NULL */
    size_t command_count;                  /* less than LARCH_COAP_TRANSMISSIONS */
    uint8_t *command_scratch;              /* LARCH_OSCORE_CLIENT_SCRATCH bytes */
} larch_oscore_config;

/* What decryptions of one prefix failed, for one session. Private. */
typedef struct larch_oscore_share {
    uint32_t key; /* 0: free */
    uint32_t at_s;
    uint8_t failed;
} larch_oscore_share;

typedef struct larch_oscore_service {
    larch_service service; /* private, all of it */
    larch_protection protection;
    larch_oscore_config config;
    larch_ring kept;
    uint64_t key[2];
    larch_oscore_share shares[LARCH_OSCORE_FAILURE_SHARES];
    uint8_t watched[LARCH_OSCORE_WATCHED]; /* observations of names with this hash, as far as 8 bits count */
    size_t watch_next;                     /* the next to be served: in turn */
    size_t watch_used;
    bool is_any_due;
    uint64_t due_ms;
    uint32_t next_command;
    uint8_t opened[LARCH_COAP_DATAGRAM_MAX];  /* a request, decrypted */
    uint8_t draft[LARCH_COAP_DATAGRAM_MAX];   /* an answer in plain */
    uint8_t scratch[LARCH_COAP_DATAGRAM_MAX]; /* of a transform */
    uint8_t last[LARCH_COAP_BODY_MAX];        /* a reading */
    uint8_t text[20];                         /* the digits of a number */
} larch_oscore_service;

/* Makes oscore->service and oscore->protection, for larch_server_init. LARCH_STATE: an array is missing or its count is
 * another than it may be. LARCH_PLATFORM: random failed. */
LARCH_MUST_USE larch_error larch_oscore_service_init(larch_oscore_service *oscore, const larch_oscore_config *config,
                                                     const larch_random *random);

/* Takes up an observation that was stored before this start. LARCH_SPACE: there is no place for it. */
LARCH_MUST_USE larch_error larch_oscore_service_resume(larch_oscore_service *oscore,
                                                       const larch_observation *observation);
/* A session is gone, or is about to go: forgets its observations, and ends the requests to its device. */
void larch_oscore_service_forget(larch_oscore_service *oscore, larch_server *srv, uint64_t session);

#endif

#ifdef __cplusplus
}
#endif

#endif
