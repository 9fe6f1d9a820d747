/* SPDX-License-Identifier: Apache-2.0 */
/* A command of this program, run beside the demo, with all that it prints. */
#ifndef LARCH_APP_DEMO_CHILD_H
#define LARCH_APP_DEMO_CHILD_H

#include "loop.h"

#define DEMO_TEXT_MAX 32768

/* What one pipe brought, ended by 0; what is past the end is lost. */
typedef struct demo_text {
    larch_loop *loop;
    larch_loop_watch pipe; /* fd -1: the other end is closed */
    size_t len;
    char text[DEMO_TEXT_MAX];
} demo_text;

typedef struct demo_child {
    larch_loop_child process; /* pid 0: none, or it has ended */
    int code;                 /* its exit code; -1 if a signal ended it */
    demo_text out;
    demo_text err;
} demo_child;

/* Makes it a child that does not run: demo_child_stop does nothing to it. */
void demo_child_init(demo_child *child);
/* Starts "larch arguments...", ended by NULL; arguments[0] is the command. The loop gathers what it prints. It ends
 * with the demo, whatever ends that. Returns 0, or -1 with errno. */
int demo_child_start(demo_child *child, larch_loop *loop, const char *const *arguments);
/* It has ended, and all that it printed is there: code says how. */
bool demo_child_is_done(const demo_child *child);
/* Sends it SIGKILL, if it still runs; then it is done soon. */
void demo_child_kill(const demo_child *child);
/* Ends it with SIGTERM, if it still runs. */
void demo_child_stop(demo_child *child);

#endif
