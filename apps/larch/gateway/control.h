/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's end of the control socket (common/control.h): a few clients at once, each with a deadline for its
 * request. A request that takes its time holds its client's place until it is done or the client goes. */
#ifndef LARCH_APP_GATEWAY_CONTROL_H
#define LARCH_APP_GATEWAY_CONTROL_H

#include "address.h"
#include "common/control.h"
#include "loop.h"

#define GATEWAY_CONTROL_CLIENTS 16 /* others wait until one of them has gone */

typedef struct gateway_control_client gateway_control_client;

/* What a client can ask for: with run the gateway answers at once, with begin later. */
typedef struct gateway_control_verb {
    const char *name;
    size_t arguments; /* words that follow it */
    void *context;    /* for its functions */
    /* Runs inside the loop, does the whole of it and, on true, durably; may put data lines. False: why says what is not
     * done. It must not close the control. */
    bool (*run)(void *context, const larch_control_request *request, larch_writer *data,
                char why[LARCH_CONTROL_WHY_MAX]);
    /* Runs inside the loop and begins it, without a put or finish yet. True: gateway_control_put and gateway_control_finish answer later, and `left`
     * runs if the client goes before it was finished. False: why says why not. */
    bool (*begin)(void *context, gateway_control_client *client, const larch_control_request *request,
                  char why[LARCH_CONTROL_WHY_MAX]);
    void (*left)(void *context, gateway_control_client *client); /* it must not put or finish */
} gateway_control_verb;

struct gateway_control_client {
    struct gateway_control *control;  /* private, all of it */
    const gateway_control_verb *verb; /* begun; NULL: its request is not complete */
    larch_loop_watch watch;           /* fd -1: the place is free */
    larch_loop_timer deadline;
    bool is_allowed;
    size_t len;
    uint8_t line[LARCH_CONTROL_LINE_MAX]; /* wiped when it leaves: it may hold secrets */
};

typedef struct gateway_control {
    larch_loop *loop; /* private, all of it */
    int folder;
    const gateway_control_verb *verbs;
    size_t verb_count;
    larch_loop_watch listener; /* fd -1: there is none */
    larch_loop_timer again;    /* for a listener that rests */
    gateway_control_client clients[GATEWAY_CONTROL_CLIENTS];
} gateway_control;

/* Listens in the state folder, an open descriptor that is kept; its lock is held. verbs: kept.
 * Returns 0; or -1 with the reason, and then closing is allowed but not needed. */
int gateway_control_open(gateway_control *control, int folder, const gateway_control_verb *verbs, size_t verb_count,
                         larch_posix_reason *why);
/* Adds it to the loop. Errors as larch_loop_add_watch. */
LARCH_MUST_USE larch_error gateway_control_watch(gateway_control *control, larch_loop *loop);
/* Sends a data line to a client whose request was begun. A client that reads nothing, so that its socket is full, is left;
 * `left` has run then. False: it is gone. */
bool gateway_control_put(gateway_control_client *client, const char *text);
/* Sends the last line, "ok" if why is NULL, and closes the connection; `left` does not run. */
void gateway_control_finish(gateway_control_client *client, const char *why);
/* Removes it from the loop and the socket from the folder. */
void gateway_control_close(gateway_control *control);

#endif
