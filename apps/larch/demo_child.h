/* SPDX-License-Identifier: Apache-2.0 */
/* A command of this program, run beside the demo, with all that it prints. */
#ifndef LARCH_APP_DEMO_CHILD_H
#define LARCH_APP_DEMO_CHILD_H

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

#define DEMO_TEXT_MAX 16384

/* What one pipe brought, ended by 0; what is past the end is lost. */
typedef struct demo_text {
    int fd; /* -1: the other end is closed */
    size_t len;
    char text[DEMO_TEXT_MAX];
} demo_text;

typedef struct demo_child {
    pid_t pid; /* 0: none, or it has ended */
    demo_text out;
    demo_text err;
} demo_child;

#define DEMO_CHILD_FDS 2

/* Starts "larch arguments...", ended by NULL; arguments[0] is the command. It ends with the demo, whatever ends
 * that. Returns 0, or -1 with errno. */
int demo_child_start(demo_child *child, const char *const *arguments);
/* Writes what to poll into fds; a closed pipe is -1, which poll ignores. */
void demo_child_fds(const demo_child *child, struct pollfd fds[DEMO_CHILD_FDS]);
/* Takes what was printed; never waits. */
void demo_child_read(demo_child *child);
/* Both pipes are closed: it has ended, or is about to. */
bool demo_child_is_done(const demo_child *child);
/* Waits for its end. Returns its exit code, -1 if a signal ended it. */
int demo_child_wait(demo_child *child);
/* Ends it with SIGTERM, if it still runs. Returns as demo_child_wait. */
int demo_child_stop(demo_child *child);

#endif
