/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo_child.h"

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

int demo_child_start(demo_child *child, const char *const *arguments)
{
    int out[2];
    int err[2];
    pid_t parent = getpid();
    memset(child, 0, sizeof *child);
    child->out.fd = child->err.fd = -1;
    if (pipe2(out, O_CLOEXEC) != 0)
        return -1;
    if (pipe2(err, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return -1;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        become(arguments, out[1], err[1], parent);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    close(out[1]);
    close(err[1]);
    if (pid < 0) {
        close(out[0]);
        close(err[0]);
        return -1;
    }
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(err[0], F_SETFL, O_NONBLOCK);
    child->pid = pid;
    child->out.fd = out[0];
    child->err.fd = err[0];
    return 0;
}

void demo_child_fds(const demo_child *child, struct pollfd fds[DEMO_CHILD_FDS])
{
    fds[0] = (struct pollfd){.fd = child->out.fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = child->err.fd, .events = POLLIN};
}

static void close_text(demo_text *text)
{
    if (text->fd >= 0)
        close(text->fd);
    text->fd = -1;
}

static void read_text(demo_text *text)
{
    char scrap[512] = "";
    while (text->fd >= 0) {
        size_t room = sizeof text->text - 1 - text->len;
        ssize_t n = read(text->fd, room > 0 ? text->text + text->len : scrap, room > 0 ? room : sizeof scrap);
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

void demo_child_read(demo_child *child)
{
    read_text(&child->out);
    read_text(&child->err);
}

bool demo_child_is_done(const demo_child *child) { return child->out.fd < 0 && child->err.fd < 0; }

int demo_child_wait(demo_child *child)
{
    int status = -1;
    if (child->pid <= 0)
        return -1;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
    demo_child_read(child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int demo_child_stop(demo_child *child)
{
    if (child->pid <= 0)
        return -1;
    (void)kill(child->pid, SIGTERM);
    int code = demo_child_wait(child);
    close_text(&child->out);
    close_text(&child->err);
    return code;
}
