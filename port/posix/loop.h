/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event loop: descriptors, timers, signals and child processes, one system call a wait.
 *
 * The caller owns the loop and every object that it adds. An object begins as zeros with its public
 * fields set, and must stay in its place until it is removed, or until its callback has ended it.
 *
 * A round is: `before`, the wait, the callbacks of descriptors (signals and children are descriptors too) in the order
 * of their places, then the callbacks of the timers that are due, the earliest first. Inside a callback and inside
 * `before` the program may add, change and remove any object, its own too, and may stop the loop; it must not run the
 * loop again. An object that a callback removes is not called any more. One that a callback adds is called from the
 * next round on. A callback that waits holds up all others.
 */
#ifndef LARCH_POSIX_LOOP_H
#define LARCH_POSIX_LOOP_H

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Watches of one loop; each set of signals and each child takes one. */
#define LARCH_LOOP_WATCHES 320

/* What to watch a descriptor for, and what it reports. */
#define LARCH_LOOP_READ   1u /* reading does not wait: bytes, the end or an error is there */
#define LARCH_LOOP_WRITE  2u /* writing does not wait */
#define LARCH_LOOP_HANGUP 4u /* reported only: the other end is gone, or the descriptor has an error */

/* What a run returns when nobody stopped it. */
#define LARCH_LOOP_DUE    (-1) /* it is time */
#define LARCH_LOOP_FAILED (-2) /* the system cannot wait: errno */

typedef struct larch_loop_watch {
    int fd; /* any descriptor, a regular file too; not closed by the loop */
    /* Runs in each round that finds the descriptor ready. events: what it is ready for. A hang-up comes with all that
     * was watched for, as reading or writing names it. A hang-up with nothing left to read is reported once: the watch
     * then sleeps until it is changed. An error of a socket is one event: reading takes it away. */
    void (*ready)(struct larch_loop_watch *watch, unsigned events);
    void *context; /* the caller's */
    size_t place;  /* private: in the loop's table, from 1; 0: not watched */
} larch_loop_watch;

typedef struct larch_loop_timer {
    /* Runs once, at deadline_ms or later, never earlier; the timer is not armed any more then, and may be armed anew.
     * Armed in here for a time that has passed, it runs in the next round. */
    void (*due)(struct larch_loop_timer *timer);
    void *context;                 /* the caller's */
    uint64_t deadline_ms;          /* private, and all below */
    uint64_t round;                /* that it was armed in */
    struct larch_loop_timer *next; /* with this deadline or a later one */
    bool armed;
} larch_loop_timer;

typedef struct larch_loop_signals {
    /* Runs once for each signal that came; several of one number may come as one. */
    void (*caught)(struct larch_loop_signals *signals, int number);
    void *context;          /* the caller's */
    larch_loop_watch watch; /* private */
} larch_loop_signals;

typedef struct larch_loop_child {
    pid_t pid; /* a child that nobody has waited for */
    /* Runs once, when the process has ended and the loop has waited for it; the child is removed then. status is as
     * from waitpid. usage is valid inside this call only. */
    void (*ended)(struct larch_loop_child *child, int status, const struct rusage *usage);
    void *context;           /* the caller's */
    struct larch_loop *loop; /* private, and all below */
    larch_loop_watch watch;
} larch_loop_child;

typedef struct larch_loop {
    uint64_t (*before)(void *context); /* private, all of it */
    void *context;
    larch_loop_timer *timers; /* the earliest first */
    uint64_t round;
    bool stopped;
    int code;
    size_t used; /* places up to the last one in use */
    larch_loop_watch *watches[LARCH_LOOP_WATCHES];
    struct pollfd fds[LARCH_LOOP_WATCHES];
} larch_loop;

/* before: runs before each wait, and once more before a run ends because it is time; or NULL. Returns the
 * larch_posix_now_ms() at which the wait ends at the latest, UINT64_MAX for none; a time that has passed lets the loop
 * look at its descriptors without waiting. A stop in it ends the run before the wait. */
void larch_loop_init(larch_loop *loop, uint64_t (*before)(void *context), void *context);

/* Watches a descriptor for LARCH_LOOP_READ, LARCH_LOOP_WRITE, both or, with 0, for nothing yet. LARCH_BUSY: every place
 * is taken; LARCH_STATE: it is watched already. On an error nothing has changed. */
LARCH_MUST_USE larch_error larch_loop_add_watch(larch_loop *loop, larch_loop_watch *watch, unsigned events);
/* Changes what it is watched for, and wakes it if it slept after a hang-up. 0: it reports nothing, not even a
 * hang-up. Changes nothing for a watch that is not in the loop. */
void larch_loop_change_watch(larch_loop *loop, const larch_loop_watch *watch, unsigned events);
/* Before the descriptor is closed. Does nothing to a watch that is not in the loop. */
void larch_loop_remove_watch(larch_loop *loop, larch_loop_watch *watch);

/* Arms a timer, or arms it anew, for a larch_posix_now_ms(). */
void larch_loop_arm_timer(larch_loop *loop, larch_loop_timer *timer, uint64_t deadline_ms);
/* Does nothing to a timer that is not armed. */
void larch_loop_disarm_timer(larch_loop *loop, larch_loop_timer *timer);

/* Blocks these signals in the calling thread, and hands them to signals->caught instead. What came while they were
 * blocked before is handed over too. LARCH_BUSY and LARCH_STATE: as for a watch; LARCH_PLATFORM: errno. On an error
 * the signals may be blocked. */
LARCH_MUST_USE larch_error larch_loop_add_signals(larch_loop *loop, larch_loop_signals *signals, const sigset_t *set);
/* The signals stay blocked. Does nothing if they are not in the loop. */
void larch_loop_remove_signals(larch_loop *loop, larch_loop_signals *signals);

/* Waits for the end of a child. LARCH_BUSY and LARCH_STATE: as for a watch; LARCH_PLATFORM: errno. */
LARCH_MUST_USE larch_error larch_loop_add_child(larch_loop *loop, larch_loop_child *child);
/* The child is the caller's to wait for again. Does nothing if it is not in the loop. */
void larch_loop_remove_child(larch_loop *loop, larch_loop_child *child);

/* Rounds until larch_loop_stop. Returns its code, or LARCH_LOOP_FAILED. */
int larch_loop_run(larch_loop *loop);
/* Rounds until larch_loop_stop or, after at least one round, until larch_posix_now_ms() reaches until_ms. Returns the
 * code of the stop, LARCH_LOOP_DUE or LARCH_LOOP_FAILED. A loop may run any number of times. */
int larch_loop_run_until(larch_loop *loop, uint64_t until_ms);

/* Ends the run: no callback runs after the one that is running. What the descriptors have not handed over yet is there
 * at the next run. code: 0 or more. Between two runs it does nothing. */
void larch_loop_stop(larch_loop *loop, int code);

#ifdef __cplusplus
}
#endif

#endif
