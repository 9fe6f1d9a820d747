/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo/child.h"

#define ARGUMENTS_MAX 16

/* In the child: only calls that are safe after a fork. */
static void become(const char *const *arguments, int out, int err, pid_t parent)
{
    /* execv takes no const, but changes nothing. */
    char *argv[ARGUMENTS_MAX + 2];
    size_t count = 0;
    argv[count++] = (char[]){"larch"};
    for (; *arguments != NULL && count <= ARGUMENTS_MAX; arguments++)
        memcpy(&argv[count++], arguments, sizeof *arguments);
    argv[count] = NULL;

    /* The parent's handlers would swallow a signal that comes before execv. */
    sigset_t none;
    sigemptyset(&none);
    if (signal(SIGPIPE, SIG_DFL) == SIG_ERR || signal(SIGINT, SIG_DFL) == SIG_ERR ||
        signal(SIGTERM, SIG_DFL) == SIG_ERR || sigprocmask(SIG_SETMASK, &none, NULL) != 0)
        _exit(1);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it ended before that call */
        _exit(1);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(1);
    execv("/proc/self/exe", argv);
    _exit(1);
}

/* ---- what it prints ------------------------------------------------------ */

static void close_text(demo_text *text)
{
    if (text->pipe.fd < 0)
        return;
    larch_loop_remove_watch(text->loop, &text->pipe);
    close(text->pipe.fd);
    text->pipe.fd = -1;
}

static void read_text(larch_loop_watch *pipe, unsigned events)
{
    demo_text *text = pipe->context;
    char scrap[512];
    (void)events;
    while (pipe->fd >= 0) {
        size_t room = sizeof text->text - 1 - text->len;
        ssize_t n = read(pipe->fd, room > 0 ? text->text + text->len : scrap, room > 0 ? room : sizeof scrap);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            close_text(text);
        else if (room > 0)
            text->len += (size_t)n;
    }
}

static bool watch_text(demo_text *text, larch_loop *loop, int fd)
{
    text->loop = loop;
    text->pipe = (larch_loop_watch){.fd = fd, .ready = read_text, .context = text};
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && larch_loop_add_watch(loop, &text->pipe, LARCH_LOOP_READ) == LARCH_OK;
}

/* ---- the process --------------------------------------------------------- */

static void take_end(larch_loop_child *process, int status, const struct rusage *usage)
{
    demo_child *child = process->context;
    (void)usage;
    process->pid = 0;
    child->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int open_pipes(int out[2], int err[2])
{
    if (pipe2(out, O_CLOEXEC) != 0)
        return -1;
    if (pipe2(err, O_CLOEXEC) == 0)
        return 0;
    close(out[0]);
    close(out[1]);
    return -1;
}

/* No handler of ours may run in the child before it has become another program. */
static pid_t fork_into(const char *const *arguments, int out, int err)
{
    pid_t parent = getpid();
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        become(arguments, out, err, parent);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

void demo_child_init(demo_child *child)
{
    memset(child, 0, sizeof *child);
    child->out.pipe.fd = child->err.pipe.fd = -1;
}

int demo_child_start(demo_child *child, larch_loop *loop, const char *const *arguments)
{
    int out[2];
    int err[2];
    demo_child_init(child);
    if (open_pipes(out, err) != 0)
        return -1;
    pid_t pid = fork_into(arguments, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    if (pid < 0) {
        close(out[0]);
        close(err[0]);
        return -1;
    }
    child->process = (larch_loop_child){.pid = pid, .ended = take_end, .context = child};
    const bool watched = watch_text(&child->out, loop, out[0]);
    if (watch_text(&child->err, loop, err[0]) && watched && larch_loop_add_child(loop, &child->process) == LARCH_OK)
        return 0;
    demo_child_stop(child);
    return -1;
}

bool demo_child_is_done(const demo_child *child)
{
    return child->process.pid == 0 && child->out.pipe.fd < 0 && child->err.pipe.fd < 0;
}

void demo_child_kill(const demo_child *child)
{
    if (child->process.pid > 0)
        (void)kill(child->process.pid, SIGKILL);
}

void demo_child_stop(demo_child *child)
{
    if (child->process.pid > 0) {
        larch_loop_remove_child(child->out.loop, &child->process);
        (void)kill(child->process.pid, SIGTERM);
        while (waitpid(child->process.pid, NULL, 0) < 0 && errno == EINTR)
            ;
        child->process.pid = 0;
    }
    close_text(&child->out);
    close_text(&child->err);
}
