/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands to devices, in the table of sessions: requests that wait until their device can be reached.
 *
 *     queue -> queued -> sent -> done, failed         the device answered
 *                ^         |
 *                +---------+                          no answer, and the method may be carried out twice: PUT
 *                          +-> unknown                no answer, and it may not: POST
 *              queued -----> expired                  it was never sent; else unknown
 *
 * A command is sent durably before its first datagram leaves. So a gateway that starts anew knows which may have been
 * carried out. Those that have ended stay for a while, with the device's answer.
 */
#ifndef LARCH_REGISTRY_COMMANDS_H
#define LARCH_REGISTRY_COMMANDS_H

#include "larch/config.h"
#include "registry/sessions.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_COMMANDS_DEVICE_MAX 16    /* that wait, of one device, */
#define LARCH_COMMANDS_MAX        4096  /* and in all */
#define LARCH_COMMANDS_KEPT       16    /* that have ended, of one device, */
#define LARCH_COMMANDS_KEPT_MAX   16384 /* and in all */
#define LARCH_COMMAND_PATH_MAX    255

/* X(enumerator, value in the file, name) */
#define LARCH_COMMAND_STATES(X) \
    X(QUEUED, 0, "queued")      \
    X(SENT, 1, "sent")          \
    X(DONE, 2, "done")          \
    X(FAILED, 3, "failed")      \
    X(EXPIRED, 4, "expired")    \
    X(UNKNOWN, 5, "unknown")

#define LARCH_COMMAND_ENUM(name, value, text) LARCH_COMMAND_##name = (value),
typedef enum larch_command_state { LARCH_COMMAND_STATES(LARCH_COMMAND_ENUM) } larch_command_state;
#undef LARCH_COMMAND_ENUM

typedef struct larch_command_record {
    uint64_t number; /* of the command: counts up, and is never given again */
    uint64_t device;
    uint8_t state;
    uint8_t method;                         /* LARCH_COAP_POST, LARCH_COAP_PUT */
    uint8_t code;                           /* of the device's answer; 0: there was none */
    uint32_t sends;                         /* how often it was sent */
    uint32_t created_s, expires_s, ended_s; /* seconds since 1970 */
    char path[LARCH_COMMAND_PATH_MAX + 1];  /* with its query */
    size_t payload_len, result_len;
    uint8_t payload[LARCH_COAP_BODY_MAX];
    uint8_t result[LARCH_COAP_BODY_MAX]; /* body of the answer; untrusted */
} larch_command_record;

/* Whether it has ended. */
static inline bool larch_command_is_over(unsigned state) { return state >= LARCH_COMMAND_DONE; }
/* "queued"; "?" for what is no state. */
const char *larch_command_state_text(unsigned state);

/* These calls run outside of the node's calls, wait for the medium, and leave all as it was on an error. */

/* Adds a command: device, method, created_s, expires_s, path and payload. *number: its number. LARCH_STATE: there is no
 * such device. LARCH_BUSY: LARCH_COMMANDS_DEVICE_MAX or LARCH_COMMANDS_MAX wait. LARCH_SPACE, LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sessions_queue(larch_sessions *s, const larch_command_record *command,
                                                uint64_t *number);
/* The command is about to be sent. */
LARCH_MUST_USE larch_error larch_sessions_command_sent(larch_sessions *s, const larch_command_record *command);
/* It goes back into the queue, or ends: state, ended_s, code and result. */
LARCH_MUST_USE larch_error larch_sessions_command_changed(larch_sessions *s, const larch_command_record *command);
/* For a start, before anything is sent: what was sent becomes unknown or waits again, as above. */
LARCH_MUST_USE larch_error larch_sessions_resume_commands(larch_sessions *s, uint64_t unix_s);
/* The commands of a device, or with 0 all that have not ended, the oldest first: start with *at = 0. LARCH_AGAIN: no
 * more. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sessions_next_command(larch_sessions *s, uint64_t device, uint64_t *at,
                                                       larch_command_record *command);

#ifdef __cplusplus
}
#endif

#endif
