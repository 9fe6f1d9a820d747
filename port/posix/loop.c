/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll, not epoll: it takes regular files, needs no call for a change, and costs nothing that can be measured for the
 * few descriptors that a program here has.
 */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system.h"

#define SLEEPS (-1) /* a descriptor that poll passes over */

void larch_loop_init(larch_loop *loop, uint64_t (*before)(void *context), void *context)
{
    memset(loop, 0, sizeof *loop);
    loop->before = before;
    loop->context = context;
}

/* ---- descriptors ------------------------------------------------------- */

static short polled(unsigned events)
{
    return (short)(((events & LARCH_LOOP_READ) != 0 ? POLLIN : 0) | ((events & LARCH_LOOP_WRITE) != 0 ? POLLOUT : 0));
}

larch_error larch_loop_add_watch(larch_loop *loop, larch_loop_watch *watch, unsigned events)
{
    size_t at = 0;
    if (watch->place != 0)
        return LARCH_STATE;
    while (at < loop->used && loop->watches[at] != NULL)
        at++;
    if (at == LARCH_LOOP_WATCHES)
        return LARCH_BUSY;
    if (at == loop->used)
        loop->used++;
    loop->watches[at] = watch;
    watch->place = at + 1;
    larch_loop_change_watch(loop, watch, events);
    return LARCH_OK;
}

void larch_loop_change_watch(larch_loop *loop, const larch_loop_watch *watch, unsigned events)
{
    if (watch->place == 0)
        return;
    /* With revents 0: what the last wait found belongs to what was watched then. */
    loop->fds[watch->place - 1] = (struct pollfd){events != 0 ? watch->fd : SLEEPS, polled(events), 0};
}

void larch_loop_remove_watch(larch_loop *loop, larch_loop_watch *watch)
{
    if (watch->place == 0)
        return;
    larch_loop_change_watch(loop, watch, 0);
    loop->watches[watch->place - 1] = NULL;
    watch->place = 0;
    while (loop->used > 0 && loop->watches[loop->used - 1] == NULL)
        loop->used--;
}

static bool is_socket(int fd)
{
    int type;
    socklen_t len = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

/* A hang-up stays, and so does the error of a pipe without readers: poll would find either at once, for ever. */
static bool is_final(const struct pollfd *found)
{
    return (found->revents & (POLLIN | POLLOUT)) == 0 &&
           ((found->revents & (POLLHUP | POLLNVAL)) != 0 || !is_socket(found->fd));
}

static void call_watch(larch_loop_watch *watch, struct pollfd *found)
{
    const bool hangup = (found->revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
    const short ready = (short)(hangup ? found->events : found->revents);
    const unsigned events = ((ready & POLLIN) != 0 ? LARCH_LOOP_READ : 0) |
                            ((ready & POLLOUT) != 0 ? LARCH_LOOP_WRITE : 0) | (hangup ? LARCH_LOOP_HANGUP : 0);
    if (hangup && is_final(found))
        found->fd = SLEEPS; /* before the call, which may change it back */
    watch->ready(watch, events);
}

static void call_watches(larch_loop *loop)
{
    for (size_t i = 0; i < loop->used && !loop->stopped; i++)
        if (loop->fds[i].revents != 0)
            call_watch(loop->watches[i], &loop->fds[i]);
}

/* ---- timers ------------------------------------------------------------ */

void larch_loop_arm_timer(larch_loop *loop, larch_loop_timer *timer, uint64_t deadline_ms)
{
    larch_loop_timer **at = &loop->timers;
    larch_loop_disarm_timer(loop, timer);
    while (*at != NULL && (*at)->deadline_ms <= deadline_ms)
        at = &(*at)->next;
    timer->deadline_ms = deadline_ms;
    timer->round = loop->round;
    timer->next = *at;
    timer->armed = true;
    *at = timer;
}

void larch_loop_disarm_timer(larch_loop *loop, larch_loop_timer *timer)
{
    larch_loop_timer **at = &loop->timers;
    if (!timer->armed)
        return;
    while (*at != timer)
        at = &(*at)->next;
    *at = timer->next;
    timer->armed = false;
}

/* The earliest that is due and was armed before this round's timers began. */
static larch_loop_timer *find_due(const larch_loop *loop, uint64_t now_ms)
{
    larch_loop_timer *timer = loop->timers;
    while (timer != NULL && timer->deadline_ms <= now_ms && timer->round == loop->round)
        timer = timer->next;
    return timer != NULL && timer->deadline_ms <= now_ms ? timer : NULL;
}

static void call_timers(larch_loop *loop)
{
    larch_loop_timer *timer;
    if (loop->timers == NULL)
        return;
    const uint64_t now_ms = larch_posix_now_ms();
    loop->round++;
    while (!loop->stopped && (timer = find_due(loop, now_ms)) != NULL) {
        larch_loop_disarm_timer(loop, timer);
        timer->due(timer);
    }
}

/* ---- signals ----------------------------------------------------------- */

static void take_signals(larch_loop_watch *watch, unsigned events)
{
    larch_loop_signals *signals = watch->context;
    struct signalfd_siginfo info;
    (void)events;
    /* One a round, so that a callback may remove them; poll finds the next at once. */
    if (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info)
        signals->caught(signals, (int)info.ssi_signo);
}

larch_error larch_loop_add_signals(larch_loop *loop, larch_loop_signals *signals, const sigset_t *set)
{
    if (signals->watch.place != 0)
        return LARCH_STATE;
    if (sigprocmask(SIG_BLOCK, set, NULL) != 0)
        return LARCH_PLATFORM;
    const int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return LARCH_PLATFORM;
    signals->watch = (larch_loop_watch){.fd = fd, .ready = take_signals, .context = signals};
    const larch_error e = larch_loop_add_watch(loop, &signals->watch, LARCH_LOOP_READ);
    if (e != LARCH_OK)
        (void)close(fd);
    return e;
}

/* The descriptor of such a watch is the loop's own. */
static void remove_and_close(larch_loop *loop, larch_loop_watch *watch)
{
    if (watch->place == 0)
        return;
    larch_loop_remove_watch(loop, watch);
    (void)close(watch->fd);
}

void larch_loop_remove_signals(larch_loop *loop, larch_loop_signals *signals)
{
    remove_and_close(loop, &signals->watch);
}

/* ---- children ---------------------------------------------------------- */

static void take_end(larch_loop_watch *watch, unsigned events)
{
    larch_loop_child *child = watch->context;
    struct rusage usage;
    int status;
    (void)events;
    if (wait4(child->pid, &status, WNOHANG, &usage) != child->pid)
        return;
    larch_loop_remove_child(child->loop, child);
    child->ended(child, status, &usage);
}

larch_error larch_loop_add_child(larch_loop *loop, larch_loop_child *child)
{
    if (child->watch.place != 0)
        return LARCH_STATE;
    const int fd = pidfd_open(child->pid, 0); /* close-on-exec, and readable when the process has ended */
    if (fd < 0)
        return LARCH_PLATFORM;
    child->loop = loop;
    child->watch = (larch_loop_watch){.fd = fd, .ready = take_end, .context = child};
    const larch_error e = larch_loop_add_watch(loop, &child->watch, LARCH_LOOP_READ);
    if (e != LARCH_OK)
        (void)close(fd);
    return e;
}

void larch_loop_remove_child(larch_loop *loop, larch_loop_child *child) { remove_and_close(loop, &child->watch); }

/* ---- running ----------------------------------------------------------- */

/* poll waits no less, and now_ms was rounded down: no timer is early. */
static int timeout_of(uint64_t wake_ms)
{
    if (wake_ms == UINT64_MAX)
        return -1;
    const uint64_t now_ms = larch_posix_now_ms();
    if (wake_ms <= now_ms)
        return 0;
    return wake_ms - now_ms < INT_MAX ? (int)(wake_ms - now_ms) : INT_MAX;
}

static uint64_t ask_program(larch_loop *loop)
{
    const uint64_t asked_ms = loop->before != NULL ? loop->before(loop->context) : UINT64_MAX;
    return loop->timers != NULL && loop->timers->deadline_ms < asked_ms ? loop->timers->deadline_ms : asked_ms;
}

/* False: errno. */
static bool wait_and_call(larch_loop *loop, uint64_t wake_ms)
{
    const int found = poll(loop->fds, loop->used, timeout_of(wake_ms));
    if (found < 0 && errno != EINTR)
        return false;
    if (found > 0)
        call_watches(loop);
    call_timers(loop);
    return true;
}

int larch_loop_run_until(larch_loop *loop, uint64_t until_ms)
{
    loop->stopped = false;
    for (bool waited = false;; waited = true) {
        const uint64_t wake_ms = ask_program(loop);
        if (loop->stopped)
            return loop->code;
        if (waited && until_ms != UINT64_MAX && larch_posix_now_ms() >= until_ms)
            return LARCH_LOOP_DUE;
        if (!wait_and_call(loop, wake_ms < until_ms ? wake_ms : until_ms))
            return LARCH_LOOP_FAILED;
        if (loop->stopped)
            return loop->code;
    }
}

int larch_loop_run(larch_loop *loop) { return larch_loop_run_until(loop, UINT64_MAX); }

void larch_loop_stop(larch_loop *loop, int code)
{
    loop->stopped = true;
    loop->code = code;
}
