/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device: it reports readings to a gateway, observes one of the gateway's resources, and answers commands on resources of
 * its own, all in one OSCORE session and over one endpoint. Sans-I/O: the driver hands in datagrams and the time, and
 * pulls out datagrams and the next deadline.
 *
 *   report   POST /r/NAME?n=N, again with the same N until a protected answer is final: the gateway stores N once
 *   observe  GET with Observe; registered anew when nothing was heard for long, and after failures
 *   command  a protected request to one of config.resources; after a start the first one is challenged
 */
#ifndef LARCH_DEVICE_H
#define LARCH_DEVICE_H

#include "larch/oscore_client.h"
#include "larch/oscore_service.h"

#ifdef __cplusplus
extern "C" {
#endif

#if LARCH_SERVER_SESSIONS

#define LARCH_DEVICE_PATH_MAX 48 /* bytes of an observed path */
#define LARCH_DEVICE_KEPT     8  /* answers that are kept for copies of a command from another address */

/* ---- what the device reports to its driver ------------------------------- */

typedef enum larch_device_event_kind {
    LARCH_DEVICE_REPORTED,   /* the report n is done: error, or the gateway's code and body */
    LARCH_DEVICE_RETRIES,    /* the report n was not answered finally; it goes again after wait_ms */
    LARCH_DEVICE_NOTIFIED,   /* code and body: the observed resource */
    LARCH_DEVICE_UNOBSERVED, /* the observation failed or was refused; it is tried again after wait_ms */
} larch_device_event_kind;

typedef struct larch_device_event {
    larch_device_event_kind kind;
    larch_error error;
    uint8_t code;     /* of the verified answer, if error is LARCH_OK */
    uint8_t hint;     /* code of an unprotected error, if error is not: for people alone, anybody may have sent it */
    uint64_t n;       /* REPORTED, RETRIES */
    uint64_t wait_ms; /* RETRIES, UNOBSERVED */
    larch_bytes body; /* untrusted; the view holds until the callback returns */
} larch_device_event;

/* ---- configuration --------------------------------------------------------- */

typedef struct larch_device_config {
    larch_server_config server;                /* its protection is the device's own */
    const larch_oscore_parameters *parameters; /* of the context with the gateway; read by larch_device_init alone */
    larch_peer gateway;
    const larch_resource *resources; /* kept; each should be is_protected, and their functions get `context` */
    size_t resource_count;

    /* Own numbers (larch_epochs): the first epoch that no run before has used, 0 if there was none; and what makes durable
     * that none is used from this one on. LARCH_PLATFORM: that failed. */
    uint64_t stored;
    larch_error (*raise)(void *context, uint64_t epoch);

    /* Runs inside larch_device_receive and larch_device_send. It may call larch_device_report and larch_device_observe. */
    void (*event)(void *context, const larch_device_event *event);
    void *context;
} larch_device_config;

/* A reading. The pointers are kept until it is REPORTED. */
typedef struct larch_device_reading {
    const char *path;        /* "r/kitchen" */
    bool has_n;              /* n goes along */
    uint64_t n;              /* the program's own count of readings, durable before it is used */
    uint16_t content_format; /* or LARCH_COAP_FORMAT_NONE */
    larch_bytes payload;
} larch_device_reading;

typedef struct larch_device {
    larch_device_config config; /* private, all of it */
    larch_session session;
    larch_contexts contexts;
    larch_epochs epochs;
    larch_oscore_service oscore;
    larch_oscore_kept kept[LARCH_DEVICE_KEPT];
    uint8_t kept_bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_service services[2];
    larch_oscore_client_config wiring;
    /* the report under way */
    larch_oscore_client reporter;
    larch_device_reading reading;
    bool has_reading;
    uint8_t reading_tries;
    uint64_t reading_due_ms;
    char query[2 + 20 + 1];
    uint8_t reply[128];
    /* the observation */
    larch_oscore_client observer;
    bool observes;
    char observed[LARCH_DEVICE_PATH_MAX + 1];
    uint8_t observe_tries;
    uint64_t observe_due_ms;
    uint8_t notice[LARCH_COAP_BODY_MAX];
    uint8_t scratch[LARCH_OSCORE_CLIENT_SCRATCH];
    larch_server server;
} larch_device;

/* ---- calls ----------------------------------------------------------------- */

/* Makes a new grant of own numbers durable, and the window of received numbers unknown. LARCH_PLATFORM: random, the
 * storage, or the provider failed. LARCH_SPENT: no own number is left. LARCH_STATE: as larch_oscore_context_init, or as
 * larch_server_init. LARCH_SPACE: as larch_server_init. Wiped on error. */
LARCH_MUST_USE larch_error larch_device_init(larch_device *device, uint64_t now_ms, const larch_device_config *config);

/* Begins to report a reading; larch_device_send sends it. LARCH_BUSY: the one before is not done. */
LARCH_MUST_USE larch_error larch_device_report(larch_device *device, uint64_t now_ms,
                                               const larch_device_reading *reading);
/* Begins to observe a path, copied; larch_device_send registers. LARCH_SPACE: it is too long. LARCH_STATE: it is empty, or
 * another is observed. LARCH_BUSY: the end of the one before is under way. */
LARCH_MUST_USE larch_error larch_device_observe(larch_device *device, uint64_t now_ms, const char *path);
/* Ends the observation at the gateway; nothing more is heard of it. */
void larch_device_unobserve(larch_device *device, uint64_t now_ms);
/* Whether a request is under way, or a reading waits: not so for an observation that waits for notifications. */
bool larch_device_is_busy(const larch_device *device);

/* The code of the last unprotected error that came for the report under way; 0: none came. For people alone: anybody may
 * have sent it, and the report goes on. */
static inline uint8_t larch_device_hint(const larch_device *device)
{
    return device->has_reading ? larch_oscore_client_hint(&device->reporter) : 0;
}

/* As larch_server_receive, larch_server_send and larch_server_deadline_ms. */
LARCH_MUST_USE static inline larch_error larch_device_receive(larch_device *device, uint64_t now_ms,
                                                              const larch_peer *peer, bool multicast,
                                                              larch_bytes datagram)
{
    return larch_server_receive(&device->server, now_ms, peer, multicast, datagram);
}
LARCH_MUST_USE static inline larch_error larch_device_send(larch_device *device, uint64_t now_ms, larch_peer *peer,
                                                           larch_bytes *datagram)
{
    return larch_server_send(&device->server, now_ms, peer, datagram);
}
static inline uint64_t larch_device_deadline_ms(const larch_device *device)
{
    return larch_server_deadline_ms(&device->server);
}

/* For a clean stop: the own number after the last one used. Nothing may be sent after this call. */
static inline uint64_t larch_device_next_number(const larch_device *device)
{
    return device->session.oscore.own_number;
}
/* What counts towards the limits of the session (larch/contexts.h). The driver may set own_used and failed, after init,
 * to what it stored. */
static inline larch_session *larch_device_session(larch_device *device) { return &device->session; }

/* Wipes the device and the memory that its server was lent. */
void larch_device_wipe(larch_device *device);

#endif

#ifdef __cplusplus
}
#endif

#endif
