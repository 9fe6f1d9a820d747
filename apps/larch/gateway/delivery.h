/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an accepted message to the place where somebody reads it: the outbox in the state folder, then standard output.
 * docs/outbox.md draws the order.
 */
#ifndef LARCH_APP_GATEWAY_DELIVERY_H
#define LARCH_APP_GATEWAY_DELIVERY_H

#include "gateway/options.h"
#include "gateway/report.h"
#include "loop.h"
#include "registry/outbox.h"
#include "sinks/stdout.h"
#include "state.h"

/* What is reported when it begins, and not again while it lasts. */
typedef struct gateway_trouble {
    bool is_there; /* and was reported */
    uint64_t quiet_until_ms;
} gateway_trouble;

typedef struct gateway_delivery {
    larch_outbox *outbox; /* private, all of it */
    gateway_report *report;
    struct gateway_sessions *sessions; /* the devices' names */
    larch_sink sink;
    larch_stdout lines;
    larch_outbox_position shown; /* on a display that stands where the lines would */
    bool json;
    bool has_batch; /* stored, and not yet marked */
    bool is_pumped; /* since the last wait */
    gateway_trouble full;
    gateway_trouble unreadable;
    uint64_t again_at_ms; /* rows are left that the reader takes */
    uint64_t tidy_at_ms;
    larch_loop_watch reader;
} gateway_delivery;

/* Opens the outbox in the state folder, and standard output. state: the start that has begun. */
larch_exit gateway_delivery_open(gateway_delivery *d, const gateway_options *options, gateway_report *report,
                                 const larch_posix_state *state);

/* At a start, before anything is served: adds the marks of what the last run stored and may not have marked. */
larch_exit gateway_delivery_remember(gateway_delivery *d, larch_direct_service *direct);

/* Stores and settles what the gateway accepted. False: the outbox failed, and nothing may be accepted any more. */
bool gateway_delivery_store(gateway_delivery *d, larch_gateway *gateway);
/* The marks of what was stored are durable: it is shown, and handed to standard output as far as its reader takes it. */
void gateway_delivery_marked(gateway_delivery *d);

/* Adds what the delivery waits for to the loop, which pump then keeps up to date. LARCH_BUSY: the loop is full. */
LARCH_MUST_USE larch_error gateway_delivery_watch(gateway_delivery *d, larch_loop *loop);
/* Hands rows to standard output as far as its reader takes them; before each wait. */
void gateway_delivery_pump(gateway_delivery *d, larch_loop *loop);
/* When to pump again at the latest. */
uint64_t gateway_delivery_deadline_ms(const gateway_delivery *d);

/* Why the outbox failed. */
const char *gateway_delivery_error(const gateway_delivery *d);

/* Gives a slow reader a moment, and closes. What was not read waits for the next start, and the report says so. */
larch_exit gateway_delivery_close(gateway_delivery *d);

#endif
