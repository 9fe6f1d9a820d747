/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway's devices, for its operator: requests to a device, and the list of them. The gateway that runs over the state
 * folder does it, through its control socket: it has the sessions, and knows where each device is.
 *
 *     send NAME PATH [VALUE|-]    get NAME PATH    observe NAME PATH    list    add NAME    revoke NAME    rotate NAME
 *     card    accept FILE
 *
 * and, on a device: request NAME
 */
#ifndef LARCH_APP_DEVICE_ASK_H
#define LARCH_APP_DEVICE_ASK_H

#include "common/command.h"
#include "common/store_choice.h"
#include "device/connection.h"
#include "larch/lake.h"

typedef struct device_asking {
    char state[LARCH_POSIX_PATH_MAX]; /* "": the default */
    unsigned method;                  /* of send and add: an index of device_methods */
    char suite[32];                   /* of add, card and request; "": not given */
    unsigned reference;               /* of add and request: an index of device_references */
    char card[LARCH_POSIX_PATH_MAX];  /* of request: the gateway's credential; "": not given */
    double timeout;                   /* seconds */
    unsigned long count;              /* of notifications; 0: without end */
    bool json;
    char out[LARCH_POSIX_PATH_MAX]; /* of add: where its enrolment goes; "": not given */
    char authority[256];            /* of add: HOST[:PORT] of the gateway; "": none */
    larch_store_choice store;       /* of add and revoke: for a folder without a gateway */
} device_asking;

/* What rotate posts, and where: a device of larch then renews its session. */
#define DEVICE_SESSION "session"
#define DEVICE_RENEW   "renew"

/* Ended by NULL. */
enum { DEVICE_METHOD_POST, DEVICE_METHOD_PUT, DEVICE_METHOD_PSK, DEVICE_METHOD_SIGNATURES };
extern const char *const device_methods[];
enum { DEVICE_BY_KID, DEVICE_BY_CCS, DEVICE_BY_CWT, DEVICE_BY_HASH }; /* as larch_lake_reference_kind */
extern const char *const device_references[];

/* Whether this is one of the actions above. */
bool device_is_asking(const char *action);
/* Does what the operands say, the first of which is the action. Whatever the device or the gateway sent is printed so
 * that a terminal can show it; what is no terminal gets the body of an answer as it is. LARCH_EXIT_FAILED: the device
 * answered with an error, or did not answer, or no gateway runs; it has said which. */
larch_exit device_ask(const device_asking *asking, const larch_operands *operands);
/* The parts of it that change which devices there are (add.c). */
larch_exit device_add(device_connection *gateway, const device_asking *asking, const char *name);
larch_exit device_revoke(device_connection *gateway, const char *name);
/* Those that credentials of an authority need (request.c). */
larch_exit device_card(device_connection *gateway, const device_asking *asking);
larch_exit device_accept(device_connection *gateway, const char *path);
larch_exit device_request(const device_asking *asking, const char *name);
/* LARCH_LAKE_METHOD_PSK or LARCH_LAKE_METHOD_SIGNATURES: that of add. */
unsigned device_method(const device_asking *asking);
/* That of --suite, or the default; NULL: there is none. */
const larch_lake_suite *device_suite(const device_asking *asking);

#endif
