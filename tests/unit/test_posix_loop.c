/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop over pipes, sockets, signals and children of this process. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): setitimer */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop.h"
#include "system.h"

#define LONG_MS 5000 /* a run that should end sooner */

static larch_loop loop;
static unsigned rounds;

/* What callbacks saw, in order. */
static char seen[64];

static void note(char what)
{
    const size_t len = strlen(seen);
    assert_true(len + 1 < sizeof seen);
    seen[len] = what;
}

static uint64_t count_rounds(void *context)
{
    (void)context;
    rounds++;
    return UINT64_MAX;
}

static int set_up(void **state)
{
    (void)state;
    rounds = 0;
    memset(seen, 0, sizeof seen);
    larch_loop_init(&loop, count_rounds, NULL);
    return 0;
}

static int run_for(unsigned ms) { return larch_loop_run_until(&loop, larch_posix_now_ms() + ms); }

/* ---- descriptors ------------------------------------------------------- */

typedef struct end_watch {
    larch_loop_watch watch;
    char name;
    unsigned calls;
    unsigned events; /* of the last call */
    bool keeps;      /* does not read */
    larch_loop_watch *removes;
    larch_loop_watch *adds;
} end_watch;

static void take(larch_loop_watch *watch, unsigned events)
{
    end_watch *e = watch->context;
    char byte;
    e->calls++;
    e->events = events;
    note(e->name);
    if (!e->keeps && (events & LARCH_LOOP_READ) != 0 && read(watch->fd, &byte, 1) == 0)
        larch_loop_remove_watch(&loop, watch);
    if (e->removes != NULL)
        larch_loop_remove_watch(&loop, e->removes);
    if (e->adds != NULL)
        assert_int_equal(larch_loop_add_watch(&loop, e->adds, LARCH_LOOP_READ), LARCH_OK);
    e->adds = NULL;
}

static void prepare(end_watch *e, char name, int fd)
{
    *e = (end_watch){.watch = {.fd = fd, .ready = take, .context = e}, .name = name};
}

static void make_pipe(int fds[2])
{
    assert_int_equal(pipe(fds), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(fcntl(fds[i], F_SETFL, O_NONBLOCK), 0);
}

static void close_pipe(const int fds[2])
{
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void reports_what_is_watched_for(void **state)
{
    (void)state;
    int fds[2];
    end_watch reader, writer;
    make_pipe(fds);
    prepare(&reader, 'r', fds[0]);
    prepare(&writer, 'w', fds[1]);
    assert_int_equal(larch_loop_add_watch(&loop, &reader.watch, LARCH_LOOP_READ), LARCH_OK);
    assert_int_equal(larch_loop_add_watch(&loop, &reader.watch, LARCH_LOOP_READ), LARCH_STATE);
    assert_int_equal(larch_loop_add_watch(&loop, &writer.watch, 0), LARCH_OK);
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_int_equal(rounds, 2); /* a time that has passed is one wait, with `before` on both sides */
    assert_string_equal(seen, "");

    larch_loop_change_watch(&loop, &writer.watch, LARCH_LOOP_WRITE);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_string_equal(seen, "rw");
    assert_int_equal(reader.events, LARCH_LOOP_READ);
    assert_int_equal(writer.events, LARCH_LOOP_WRITE);

    larch_loop_change_watch(&loop, &writer.watch, 0);
    larch_loop_remove_watch(&loop, &reader.watch);
    larch_loop_remove_watch(&loop, &reader.watch);                  /* harmless */
    larch_loop_change_watch(&loop, &reader.watch, LARCH_LOOP_READ); /* not in the loop any more */
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_string_equal(seen, "rw");
    close_pipe(fds);
}

/* poll takes what epoll refuses. */
static void takes_regular_files(void **state)
{
    (void)state;
    end_watch reader;
    FILE *file = tmpfile();
    assert_non_null(file);
    prepare(&reader, 'f', fileno(file));
    assert_int_equal(larch_loop_add_watch(&loop, &reader.watch, LARCH_LOOP_READ), LARCH_OK);
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_string_equal(seen, "f");
    assert_int_equal(reader.watch.place, 0); /* it was at its end */
    (void)fclose(file);
}

/* Both are ready in one round; the first removes the second, and is not called for it. */
static void does_not_call_what_a_callback_removed(void **state)
{
    (void)state;
    int fds[3][2];
    end_watch watches[3];
    for (int i = 0; i < 3; i++) {
        make_pipe(fds[i]);
        assert_int_equal(write(fds[i][1], "x", 1), 1);
        prepare(&watches[i], (char)('a' + i), fds[i][0]);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(larch_loop_add_watch(&loop, &watches[i].watch, LARCH_LOOP_READ), LARCH_OK);
    watches[0].removes = &watches[1].watch;
    watches[0].adds = &watches[2].watch; /* takes the place of the second, but none of what was found for it */
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_string_equal(seen, "a");
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_string_equal(seen, "ac");
    for (int i = 0; i < 3; i++)
        close_pipe(fds[i]);
}

static void removes_itself_in_its_callback(void **state)
{
    (void)state;
    int fds[2];
    end_watch self, next;
    make_pipe(fds);
    prepare(&self, 's', fds[0]);
    prepare(&next, 'n', fds[0]);
    self.keeps = true;
    self.removes = &self.watch;
    self.adds = &next.watch;
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(larch_loop_add_watch(&loop, &self.watch, LARCH_LOOP_READ), LARCH_OK);
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_string_equal(seen, "sn");
    close_pipe(fds);
}

static void refuses_more_than_it_has_places_for(void **state)
{
    (void)state;
    static end_watch watches[LARCH_LOOP_WATCHES + 1];
    larch_loop_child child = {.pid = getpid()};
    larch_loop_signals signals = {0};
    sigset_t none;
    int fds[2];
    make_pipe(fds);
    sigemptyset(&none);
    for (size_t i = 0; i <= LARCH_LOOP_WATCHES; i++) {
        prepare(&watches[i], '.', fds[0]);
        assert_int_equal(larch_loop_add_watch(&loop, &watches[i].watch, LARCH_LOOP_READ),
                         i < LARCH_LOOP_WATCHES ? LARCH_OK : LARCH_BUSY);
    }
    assert_int_equal(larch_loop_add_child(&loop, &child), LARCH_BUSY);
    assert_int_equal(larch_loop_add_signals(&loop, &signals, &none), LARCH_BUSY);
    larch_loop_remove_watch(&loop, &watches[7].watch);
    assert_int_equal(larch_loop_add_watch(&loop, &watches[LARCH_LOOP_WATCHES].watch, LARCH_LOOP_READ), LARCH_OK);
    assert_int_equal(watches[LARCH_LOOP_WATCHES].watch.place, 8);
    for (size_t i = 0; i <= LARCH_LOOP_WATCHES; i++)
        larch_loop_remove_watch(&loop, &watches[i].watch);
    assert_int_equal(loop.used, 0);
    close_pipe(fds);
}

/* ---- hang-ups ---------------------------------------------------------- */

/* A run in which nothing should keep the loop awake: few rounds, and it lasts as long as it was told to. */
static void assert_sleeps(void)
{
    const unsigned before = rounds;
    const uint64_t begin_ms = larch_posix_now_ms();
    assert_int_equal(run_for(30), LARCH_LOOP_DUE);
    assert_true(larch_posix_now_ms() >= begin_ms + 30);
    assert_true(rounds - before <= 4);
}

static void reads_a_pipe_to_its_end(void **state)
{
    (void)state;
    int fds[2];
    end_watch reader;
    make_pipe(fds);
    prepare(&reader, 'r', fds[0]);
    assert_int_equal(write(fds[1], "xyz", 3), 3);
    (void)close(fds[1]);
    assert_int_equal(larch_loop_add_watch(&loop, &reader.watch, LARCH_LOOP_READ), LARCH_OK);
    assert_int_equal(run_for(10), LARCH_LOOP_DUE);
    assert_string_equal(seen, "rrrr"); /* three bytes, and the end */
    assert_int_equal(reader.events, LARCH_LOOP_READ | LARCH_LOOP_HANGUP);
    assert_int_equal(reader.watch.place, 0);
    (void)close(fds[0]);
}

static void reports_a_hangup_once(void **state)
{
    (void)state;
    int fds[2];
    end_watch reader, writer;
    make_pipe(fds);
    prepare(&reader, 'r', fds[0]);
    reader.keeps = true;
    (void)close(fds[1]);
    assert_int_equal(larch_loop_add_watch(&loop, &reader.watch, LARCH_LOOP_READ), LARCH_OK);
    assert_sleeps();
    assert_string_equal(seen, "r");
    larch_loop_change_watch(&loop, &reader.watch, LARCH_LOOP_READ); /* awake again */
    assert_sleeps();
    assert_string_equal(seen, "rr");
    larch_loop_remove_watch(&loop, &reader.watch);
    (void)close(fds[0]);

    /* A pipe that is full and has lost its reader. */
    char page[4096] = {0};
    make_pipe(fds);
    while (write(fds[1], page, sizeof page) > 0)
        ;
    (void)close(fds[0]);
    prepare(&writer, 'w', fds[1]);
    assert_int_equal(larch_loop_add_watch(&loop, &writer.watch, LARCH_LOOP_WRITE), LARCH_OK);
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_int_equal(writer.events, LARCH_LOOP_WRITE | LARCH_LOOP_HANGUP);
    assert_string_equal(seen, "rrw");
    larch_loop_change_watch(&loop, &writer.watch, 0); /* not even the hang-up */
    assert_sleeps();
    assert_string_equal(seen, "rrw");
    larch_loop_remove_watch(&loop, &writer.watch);
    (void)close(fds[1]);
}

static void reports_a_closed_descriptor_once(void **state)
{
    (void)state;
    int fds[2];
    end_watch reader;
    make_pipe(fds);
    prepare(&reader, 'c', fds[0]);
    reader.keeps = true;
    close_pipe(fds);
    assert_int_equal(larch_loop_add_watch(&loop, &reader.watch, LARCH_LOOP_READ), LARCH_OK);
    assert_sleeps();
    assert_string_equal(seen, "c");
    assert_true((reader.events & LARCH_LOOP_HANGUP) != 0);
    larch_loop_remove_watch(&loop, &reader.watch);
}

static unsigned refusals;

static void take_datagram(larch_loop_watch *watch, unsigned events)
{
    char bytes[16];
    assert_true((events & LARCH_LOOP_READ) != 0);
    const ssize_t len = recv(watch->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (len < 0)
        refusals += errno == ECONNREFUSED;
    else
        larch_loop_stop(&loop, (int)len);
}

/* An ICMP error is one event of a socket: what arrives later is still reported. */
static void goes_on_after_an_error_of_a_socket(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, own;
    socklen_t len = sizeof address;
    int server = socket(AF_INET, SOCK_DGRAM, 0);
    const int client = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(client, (struct sockaddr *)&own, &len), 0);
    (void)close(server);
    larch_loop_watch watch = {.fd = client, .ready = take_datagram};
    assert_int_equal(larch_loop_add_watch(&loop, &watch, LARCH_LOOP_READ), LARCH_OK);
    for (refusals = 0; refusals < 3;) {
        const unsigned before = refusals;
        (void)send(client, "?", 1, 0);
        assert_sleeps();
        assert_int_equal(refusals, before + 1);
    }
    server = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&address, len), 0);
    assert_int_equal(sendto(server, "here", 4, 0, (struct sockaddr *)&own, len), 4);
    assert_int_equal(run_for(LONG_MS), 4);
    (void)close(server);
    (void)close(client);
}

/* ---- timers ------------------------------------------------------------ */

typedef struct named_timer {
    larch_loop_timer timer;
    char name;
    uint64_t deadline_ms;
    larch_loop_timer *disarms;
    unsigned again; /* arms itself so often for a time that has passed */
    bool stops;
} named_timer;

static void ring(larch_loop_timer *timer)
{
    named_timer *t = timer->context;
    assert_true(larch_posix_now_ms() >= t->deadline_ms);
    note(t->name);
    if (t->disarms != NULL)
        larch_loop_disarm_timer(&loop, t->disarms);
    if (t->again > 0) {
        t->again--;
        larch_loop_arm_timer(&loop, timer, t->deadline_ms);
    }
    if (t->stops)
        larch_loop_stop(&loop, 7);
}

static void arm(named_timer *t, char name, uint64_t deadline_ms)
{
    *t = (named_timer){.timer = {.due = ring, .context = t}, .name = name, .deadline_ms = deadline_ms};
    larch_loop_arm_timer(&loop, &t->timer, deadline_ms);
}

static void calls_timers_in_order_and_never_early(void **state)
{
    (void)state;
    static const unsigned after_ms[] = {20, 5, 40, 5, 0, 30, 1};
    named_timer timers[7];
    const uint64_t begin_ms = larch_posix_now_ms();
    for (size_t i = 0; i < 7; i++)
        arm(&timers[i], (char)('0' + i), begin_ms + after_ms[i]);
    timers[2].stops = true;
    assert_int_equal(run_for(LONG_MS), 7);
    assert_string_equal(seen, "4613052"); /* equal deadlines: as they were armed */
    assert_true(larch_posix_now_ms() >= begin_ms + 40);
    assert_true(rounds <= 14); /* asleep in between */
}

static void arms_anew_and_disarms(void **state)
{
    (void)state;
    named_timer early, late, other;
    const uint64_t begin_ms = larch_posix_now_ms();
    arm(&early, 'e', begin_ms);
    arm(&other, 'o', begin_ms + 1);
    arm(&late, 'l', begin_ms + 2);
    early.disarms = &other.timer;
    late.deadline_ms = begin_ms + 10;
    larch_loop_arm_timer(&loop, &late.timer, begin_ms + 10); /* instead of the time before */
    assert_int_equal(run_for(20), LARCH_LOOP_DUE);
    assert_string_equal(seen, "el");
    larch_loop_disarm_timer(&loop, &late.timer); /* harmless */
    assert_null(loop.timers);
}

/* A timer that is always late lets descriptors and other timers have their turn. */
static void lets_a_late_timer_starve_nobody(void **state)
{
    (void)state;
    int fds[2];
    end_watch reader;
    named_timer late, other;
    make_pipe(fds);
    prepare(&reader, 'r', fds[0]);
    assert_int_equal(write(fds[1], "xx", 2), 2);
    assert_int_equal(larch_loop_add_watch(&loop, &reader.watch, LARCH_LOOP_READ), LARCH_OK);
    arm(&late, 'l', 0);
    arm(&other, 'o', 1);
    late.again = 2;
    assert_int_equal(run_for(10), LARCH_LOOP_DUE);
    assert_string_equal(seen, "rlorll");
    close_pipe(fds);
}

/* ---- signals, children ------------------------------------------------- */

static void catch_signal(larch_loop_signals *signals, int number)
{
    note(number == SIGUSR1 ? '1' : '2');
    if (number == SIGUSR2)
        larch_loop_remove_signals(&loop, signals);
}

static void hands_over_signals(void **state)
{
    (void)state;
    larch_loop_signals signals = {.caught = catch_signal};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    assert_int_equal(raise(SIGUSR1), 0); /* before the loop has them */
    assert_int_equal(larch_loop_add_signals(&loop, &signals, &set), LARCH_OK);
    assert_int_equal(larch_loop_add_signals(&loop, &signals, &set), LARCH_STATE);
    assert_int_equal(run_for(5), LARCH_LOOP_DUE);
    assert_string_equal(seen, "1");
    assert_int_equal(raise(SIGUSR2), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(run_for(5), LARCH_LOOP_DUE); /* the lower number first, whichever came first */
    assert_string_equal(seen, "112");
    assert_int_equal(loop.used, 0);
    larch_loop_remove_signals(&loop, &signals); /* harmless */
}

static volatile sig_atomic_t handled;

static void handle(int number)
{
    (void)number;
    handled = 1;
}

/* A handler that somebody else has installed ends the wait early, not the run. */
static void goes_on_after_an_interruption(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = handle};
    const uint64_t begin_ms = larch_posix_now_ms();
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    const struct itimerval soon = {.it_value = {.tv_usec = 5000}};
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    assert_int_equal(run_for(30), LARCH_LOOP_DUE);
    assert_int_equal(handled, 1);
    assert_true(larch_posix_now_ms() >= begin_ms + 30);
}

static int ended_status;

static void take_child(larch_loop_child *child, int status, const struct rusage *usage)
{
    assert_int_equal(child->watch.place, 0);
    assert_true(usage->ru_maxrss > 0);
    ended_status = status;
    larch_loop_stop(&loop, 0);
}

static pid_t fork_child(int fd, int code)
{
    char byte;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(read(fd, &byte, 1) == 1 ? code : 99); /* once it is told to */
    return pid;
}

static void reports_the_end_of_a_child(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    larch_loop_child child = {.pid = fork_child(fds[0], 42), .ended = take_child};
    assert_int_equal(larch_loop_add_child(&loop, &child), LARCH_OK);
    assert_int_equal(larch_loop_add_child(&loop, &child), LARCH_STATE);
    assert_int_equal(run_for(10), LARCH_LOOP_DUE);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(run_for(LONG_MS), 0);
    assert_true(WIFEXITED(ended_status) && WEXITSTATUS(ended_status) == 42);
    assert_int_equal(waitpid(child.pid, NULL, 0), -1); /* the loop has waited for it */
    assert_int_equal(larch_loop_add_child(&loop, &child), LARCH_PLATFORM);

    /* By a signal; and one that ended before it was added. */
    child.pid = fork_child(fds[0], 0);
    assert_int_equal(kill(child.pid, SIGKILL), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(larch_loop_add_child(&loop, &child), LARCH_OK);
    assert_int_equal(run_for(LONG_MS), 0);
    assert_true(WIFSIGNALED(ended_status) && WTERMSIG(ended_status) == SIGKILL);

    /* Removed, it is ours again. */
    child.pid = fork_child(fds[0], 3);
    assert_int_equal(larch_loop_add_child(&loop, &child), LARCH_OK);
    larch_loop_remove_child(&loop, &child);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    close_pipe(fds);
}

/* ---- stopping ---------------------------------------------------------- */

static void stop_run(larch_loop_watch *watch, unsigned events)
{
    (void)events;
    note('s');
    larch_loop_stop(&loop, *(const int *)watch->context);
}

/* No callback runs after the one that stops; what it left is there at the next run. */
static void stops_inside_a_callback(void **state)
{
    (void)state;
    int fds[2], code = 3;
    end_watch reader;
    named_timer timer;
    make_pipe(fds);
    assert_int_equal(write(fds[1], "x", 1), 1);
    larch_loop_watch stopper = {.fd = fds[1], .ready = stop_run, .context = &code};
    prepare(&reader, 'r', fds[0]);
    assert_int_equal(larch_loop_add_watch(&loop, &stopper, LARCH_LOOP_WRITE), LARCH_OK);
    assert_int_equal(larch_loop_add_watch(&loop, &reader.watch, LARCH_LOOP_READ), LARCH_OK);
    arm(&timer, 't', 0);
    assert_int_equal(larch_loop_run(&loop), 3);
    assert_string_equal(seen, "s");
    larch_loop_remove_watch(&loop, &stopper);
    assert_int_equal(run_for(0), LARCH_LOOP_DUE);
    assert_string_equal(seen, "srt");
    close_pipe(fds);
}

typedef struct deadlines {
    uint64_t next_ms;
    unsigned calls;
} deadlines;

static uint64_t ask(void *context)
{
    deadlines *d = context;
    if (++d->calls == 3)
        larch_loop_stop(&loop, 5);
    return d->next_ms += 10;
}

/* What `before` returns ends the wait, and it may stop the run. */
static void asks_before_each_wait(void **state)
{
    (void)state;
    const uint64_t begin_ms = larch_posix_now_ms();
    deadlines d = {.next_ms = begin_ms};
    larch_loop_init(&loop, ask, &d);
    assert_int_equal(run_for(LONG_MS), 5);
    assert_int_equal(d.calls, 3);
    assert_in_range(larch_posix_now_ms() - begin_ms, 20, LONG_MS - 1);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reports_what_is_watched_for),
        TEST(takes_regular_files),
        TEST(does_not_call_what_a_callback_removed),
        TEST(removes_itself_in_its_callback),
        TEST(refuses_more_than_it_has_places_for),
        TEST(reads_a_pipe_to_its_end),
        TEST(reports_a_hangup_once),
        TEST(reports_a_closed_descriptor_once),
        TEST(goes_on_after_an_error_of_a_socket),
        TEST(calls_timers_in_order_and_never_early),
        TEST(arms_anew_and_disarms),
        TEST(lets_a_late_timer_starve_nobody),
        TEST(hands_over_signals),
        TEST(goes_on_after_an_interruption),
        TEST(reports_the_end_of_a_child),
        TEST(stops_inside_a_callback),
        TEST(asks_before_each_wait),
    };
    return cmocka_run_group_tests_name("posix_loop", tests, NULL, NULL);
}
