/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's sessions: contexts in the state folder, and the OSCORE service over them. */
#ifndef LARCH_APP_GATEWAY_SESSIONS_H
#define LARCH_APP_GATEWAY_SESSIONS_H

#include "gateway/options.h"
#include "gateway/report.h"
#include "larch/gateway.h"
#include "larch/oscore_downlink.h"
#include "registry/outbox.h"
#include "registry/sessions.h"
#include "state.h"

/* Requests to devices at one time. */
#define GATEWAY_COMMANDS (LARCH_COAP_TRANSMISSIONS / 2 < 8 ? LARCH_COAP_TRANSMISSIONS / 2 : 8)

/* Those of the queue (queue.h), beside them. */
#define GATEWAY_QUEUE_JOBS (LARCH_COAP_TRANSMISSIONS / 2 - 1 < 8 ? LARCH_COAP_TRANSMISSIONS / 2 - 1 : 8)

typedef struct gateway_sessions {
    gateway_report *report; /* private, all of it */
    larch_outbox *outbox;
    larch_sessions *registry;
    larch_epochs epochs;
    larch_readings readings;
    larch_oscore_config config;
    larch_oscore_service service;
    larch_oscore_devices devices;
    struct { /* what hears of devices; set before anything is received */
        void *context;
        void (*heard)(void *context, uint64_t device); /* it is awake; runs inside calls of the node */
        void (*gone)(void *context, uint64_t device);  /* it was deleted */
    } listener;
    larch_oscore_command commands[GATEWAY_COMMANDS + GATEWAY_QUEUE_JOBS];
    uint8_t command_scratch[LARCH_OSCORE_CLIENT_SCRATCH];
    bool is_started; /* the clock is right: contexts can be found */
    uint64_t next_ms;
    uint64_t quiet_until_ms; /* of reports that what was stored cannot be read */
    uint64_t device;         /* whose name is below */
    char name[LARCH_SESSIONS_NAME_MAX + 1];
} gateway_sessions;

/* Opens the contexts of the state folder and makes the service, for the gateway's config. outbox: open, and kept.
 * handshakes: kept; filled in before anything is received. */
larch_exit gateway_sessions_open(gateway_sessions *sessions, const gateway_options *options, gateway_report *report,
                                 const larch_posix_state *state, const larch_storage *storage,
                                 const larch_random *random, larch_outbox *outbox,
                                 const larch_oscore_handshakes *handshakes);
/* Takes up the sessions and the observations that were stored. The gateway runs already. */
larch_exit gateway_sessions_start(gateway_sessions *sessions);
/* Does what is due each second. */
void gateway_sessions_maintain(gateway_sessions *sessions, larch_gateway *gateway);
uint64_t gateway_sessions_deadline_ms(const gateway_sessions *sessions);
/* The name of a device; "" if it has none. Good until the next call. */
const char *gateway_sessions_name(gateway_sessions *sessions, uint64_t device);
/* The wall clock, seconds since 1970; 0: it cannot be right. */
uint64_t gateway_sessions_unix_s(const gateway_sessions *sessions);
/* The newest of the device's sessions through which it was heard of; else any of them; NULL: it has none. */
larch_session *gateway_sessions_find(const gateway_sessions *sessions, uint64_t device);
/* What control verbs ask: removes a device, with its keys and sessions. false: why says why not. */
bool gateway_sessions_revoke(gateway_sessions *sessions, larch_gateway *gateway, const char *name, const char **why);
/* Adds a context. false: why says why not. */
bool gateway_sessions_add(gateway_sessions *sessions, const char *name, const larch_oscore_parameters *parameters,
                          const char **why);
larch_exit gateway_sessions_close(gateway_sessions *sessions);

#endif
