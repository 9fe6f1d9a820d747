/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway with two sessions, its storage and clocks, a device, and a network that delivers what it likes. The code
 * under test is that of the library. Beside it stands the specification, which is sets: which requests were made,
 * challenged and carried out, and which own numbers were used. Each step asserts that the code does what the sets say.
 *
 *     kept    a session that was made just now, and is stored; the device holds its other end
 *     added   a session that is added while the gateway runs; it only sends
 */
#ifndef TESTS_MODEL_WORLD_H
#define TESTS_MODEL_WORLD_H

#include "larch/contexts.h"

enum { KEPT, ADDED, SESSIONS };

#define WORLD_MESSAGES 256 /* at most, of one schedule */

typedef enum world_event {
    EVENT_MAKE,        /* the device makes a request with its next number and the newest Echo that it has */
    EVENT_DELIVER,     /* a request arrives, for the first time or again; argument: how many were made after it */
    EVENT_FETCH,       /* the newest challenge reaches the device */
    EVENT_TAKE,        /* own numbers are used; argument: session and count */
    EVENT_ADD,         /* the other session is added */
    EVENT_DROP,        /* the kept session's keys leave memory and are loaded again; its own number stays */
    EVENT_RELOAD,      /* it leaves memory with all it has */
    EVENT_TIME,        /* seconds pass */
    EVENT_CUT,         /* the power fails at the next durable write; argument: before or after it */
    EVENT_CRASH,       /* the gateway starts anew */
    EVENT_STOP,        /* it stops cleanly and starts anew */
    EVENT_COPY,        /* its storage is copied */
    EVENT_RESTORE,     /* it starts with the copy, when the clock is past what was used */
    EVENT_DEVICE_STOP, /* the device starts anew: its numbers go on at the next grant, and it has no Echo */
    EVENT_KINDS
} world_event;

typedef struct world_step {
    uint8_t kind; /* world_event */
    uint16_t argument;
} world_step;

typedef enum world_clock { CLOCK_RIGHT, CLOCK_BEHIND, CLOCK_ABSENT } world_clock;

typedef struct world_storage {
    uint64_t end;
    bool has_added;
} world_storage;

typedef struct world {
    /* the gateway */
    larch_epochs epochs;
    larch_session session[SESSIONS];
    bool is_loaded[SESSIONS];
    world_storage disk, copy;
    bool has_copy;
    enum { CUT_NONE, CUT_BEFORE, CUT_AFTER } cut;
    bool is_down; /* the power failed */
    world_clock clock;
    uint64_t wall_s; /* since 2026-01-01 */
    uint32_t random; /* how often it was drawn from: no output comes twice */

    /* the device */
    unsigned made;
    uint64_t next_number;
    unsigned stride; /* between its numbers */
    uint16_t window; /* the gateway's window that its Echo is of; 0: it has none */
    uint64_t p0;
    uint8_t echo[LARCH_OSCORE_ECHO_LEN];

    /* the network */
    bool has_challenge;
    uint8_t challenge[LARCH_OSCORE_ECHO_LEN];
    uint64_t challenge_p0;
    uint16_t challenge_window;

    /* the sets: received numbers */
    uint64_t executed[WORLD_MESSAGES / 64]; /* a bit for each request */
    uint16_t lost;                          /* how often the window was lost, in all */
    unsigned made_when_lost;
    bool is_synchronised;
    uint64_t open_from;  /* lower numbers count as received */
    uint64_t highest;    /* carried out since */
    bool was_challenged; /* since */
    uint64_t challenged, challenge_own;

    /* the sets: own numbers. They only grow, which is asserted, so what lies behind the newest is used. */
    unsigned uses;
    uint64_t used_end[SESSIONS]; /* all that were used lie below */
    uint64_t first_epoch[SESSIONS];
    uint64_t start_epoch, passed_s; /* of this start */
} world;

/* How often things happened, so that no check is empty. */
typedef struct world_counts {
    unsigned long executions, echoes, challenges, again, silences, replays, takes, waits, cuts, restores, reloads,
        lives;
} world_counts;

extern world_counts counts;

/* Derives the keys, once. */
void world_keys(void);
void world_init(world *w, world_clock clock, unsigned stride);
/* Whether an event can happen now; if so it does, and all that must hold was asserted. */
bool world_step_once(world *w, world_step step);
/* The device follows the rules on a network that works: its request must be carried out after one Echo at most. */
void world_check_liveness(world *w);
/* What a failure prints: the steps so far. */
void world_trail_set(const world_step *steps, unsigned count);

#endif
