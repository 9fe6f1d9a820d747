/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that wait for their devices (registry/commands.h), and the verbs of the control socket for them:
 *
 *     queue NAME METHOD PATH HEX SECONDS
 *                            "+queued N" once it is durable, "+sleeps" if the device cannot be reached now, and what
 *                            became of it: "+done 2.04 HEX", "+failed 4.04 HEX", "+expired", "+unknown". A client that
 *                            leaves earlier leaves the command in the queue
 *     commands NAME FROM     "+N STATE METHOD PATH CREATED EXPIRES ENDED SENDS CODE HEX" for each, "+next N"
 *
 * A device that was heard within a minute gets its command at once. One that was not is asked for something harmless
 * first, and gets the command when it answers: so a device that sleeps costs no command its only try. What cannot be
 * delivered waits for the device's next request. A device gets its commands in their order, one at a time.
 */
#ifndef LARCH_APP_GATEWAY_QUEUE_H
#define LARCH_APP_GATEWAY_QUEUE_H

#include "gateway/control.h"
#include "gateway/sessions.h"
#include "registry/commands.h"

#define GATEWAY_QUEUE_CLIENTS (GATEWAY_CONTROL_CLIENTS / 2) /* that wait for a command to end */

/* A command that has not ended. */
typedef struct gateway_queue_entry {
    uint64_t device, number;
    uint32_t expires_s;
    bool is_held; /* until its device is heard */
    bool is_sent; /* once, at the least */
} gateway_queue_entry;

/* A request to a device that is under way. */
typedef struct gateway_queue_job {
    uint32_t handle; /* 0: free */
    bool knocks;     /* it asks whether the device is awake */
    larch_command_record command;
} gateway_queue_job;

typedef struct gateway_queue_client {
    gateway_control_client *client; /* NULL: free */
    uint64_t device, number;
    bool is_told, knows_it_sleeps;
} gateway_queue_client;

typedef struct gateway_queue {
    gateway_sessions *sessions; /* private, all of it */
    size_t count;
    bool is_resumed;    /* the commands on record are here */
    uint64_t expire_ms; /* when the next look for expired ones is due */
    gateway_queue_job jobs[GATEWAY_QUEUE_JOBS];
    gateway_queue_client clients[GATEWAY_QUEUE_CLIENTS];
    gateway_queue_entry
        *entries; /* LARCH_COMMANDS_MAX by malloc, by device and then by number; NULL: not yet. No secrets, so that
                                     the memory that is locked stays small */
} gateway_queue;

/* The functions that take a void pointer are those of a gateway_sessions' listener. */

#define GATEWAY_QUEUE_VERBS 2
/* Fills in its verbs. queue is kept; its sessions are set. */
void gateway_queue_verbs(gateway_queue *queue, gateway_control_verb verbs[GATEWAY_QUEUE_VERBS]);
/* The device was heard: what waits for it may go. It may run inside calls of the node. */
void gateway_queue_heard(void *queue, uint64_t device);
/* Begins what can be begun, and takes what devices answered. Runs after datagrams were received and sent. */
void gateway_queue_pump(gateway_queue *queue);
uint64_t gateway_queue_deadline_ms(const gateway_queue *queue);
/* The device is no more. Its commands have left the file with it. */
void gateway_queue_forget(void *queue, uint64_t device);
/* Commands of a device that have not ended. */
size_t gateway_queue_waiting(const gateway_queue *queue, uint64_t device);
void gateway_queue_close(gateway_queue *queue);

#endif
