/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands ask of the gateway about its devices: the verbs of the control socket for contexts, and for requests
 * to devices.
 *
 *     add-context NAME HEX             a context file (common/context_file.h) in the plainest form
 *     ask NAME METHOD PATH HEX         "+2.05 HEX": the device's answer
 *     observe NAME PATH                "+2.05 HEX" for each notification
 */
#ifndef LARCH_APP_GATEWAY_DOWNLINK_H
#define LARCH_APP_GATEWAY_DOWNLINK_H

#include "gateway/control.h"
#include "gateway/sessions.h"

#define GATEWAY_PATH_MAX 255 /* bytes of a path with its query */

/* A request to a device, for a client that waits. */
typedef struct gateway_downlink_job {
    gateway_control_client *client; /* private, all of it; NULL: free */
    uint32_t handle;
    bool observes;
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    char path[GATEWAY_PATH_MAX + 1];
    const char *query; /* in path; NULL: none */
    uint8_t payload[LARCH_COAP_BODY_MAX];
} gateway_downlink_job;

typedef struct gateway_downlink {
    gateway_sessions *sessions;                  /* started, or waiting for the clock */
    gateway_downlink_job jobs[GATEWAY_COMMANDS]; /* private, like the rest */
} gateway_downlink;

#define GATEWAY_DOWNLINK_VERBS 3
/* Fills in its verbs. downlink is kept. */
void gateway_downlink_verbs(gateway_downlink *downlink, gateway_control_verb verbs[GATEWAY_DOWNLINK_VERBS]);
/* Hands what devices answered to the clients that wait for it. Runs after datagrams were received and sent. */
void gateway_downlink_pump(gateway_downlink *downlink);

#endif
