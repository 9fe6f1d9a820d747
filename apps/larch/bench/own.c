/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "text/peer.h"

#define NAME         "bench"
#define REPLAY_SLOTS "1048576" /* so that no rotation falls into the measurement */

bool larch_bench_pick_port(larch_peer *peer)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof in;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&in, len) == 0 &&
                    getsockname(fd, (struct sockaddr *)&in, &len) == 0 &&
                    larch_posix_peer_from_sockaddr((struct sockaddr *)&in, peer);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool write_settings(const char *path)
{
    static const char settings[] = "[gateway]\nreplay_slots = " REPLAY_SLOTS "\n[limits]\nproven_rate = 0\nmarks = 0\n";
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return false;
    const bool ok = fputs(settings, f) >= 0;
    return fclose(f) == 0 && ok;
}

larch_exit larch_bench_own_prepare(larch_bench_own *own, larch_peer *peer)
{
    char settings[LARCH_BENCH_FOLDER_MAX + 16];
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(own->folder, sizeof own->folder, "%s/larch-bench-XXXXXX", temporary != NULL ? temporary : "/tmp");
    if (!larch_bench_pick_port(peer) || mkdtemp(own->folder) == NULL) {
        own->folder[0] = '\0';
        return larch_app_fail(NAME, "no place for a gateway: %s", strerror(errno));
    }
    own->peer = *peer;
    (void)snprintf(settings, sizeof settings, "%s/bench.ini", own->folder);
    if (!write_settings(settings))
        return larch_app_fail(NAME, "%s: %s", settings, strerror(errno));
    return LARCH_EXIT_DONE;
}

static void become_gateway(const larch_bench_own *own, const char *durability, bool is_silent)
{
    char listen[LARCH_TEXT_PEER_MAX], settings[LARCH_BENCH_FOLDER_MAX + 16];
    const char *arguments[12] = {"larch", "gateway", "--listen", listen, "--state", own->folder, "--config", settings};
    larch_text_of_peer(&own->peer, listen);
    (void)snprintf(settings, sizeof settings, "%s/bench.ini", own->folder);
    if (durability != NULL) {
        arguments[8] = "--durability";
        arguments[9] = durability;
    }
    const int nothing = open("/dev/null", O_WRONLY);
    (void)dup2(nothing, STDOUT_FILENO);
    if (is_silent)
        (void)dup2(nothing, STDERR_FILENO);
    (void)execv("/proc/self/exe", (char *const *)(uintptr_t)arguments);
    _exit(127);
}

larch_exit larch_bench_own_start(larch_bench_own *own, const char *durability, bool is_silent)
{
    own->pid = fork();
    if (own->pid < 0)
        return larch_app_fail(NAME, "fork: %s", strerror(errno));
    if (own->pid == 0)
        become_gateway(own, durability, is_silent);
    return LARCH_EXIT_DONE;
}

/* The gateway's folder holds files alone. */
static bool remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    if (folder == NULL)
        return false;
    while ((entry = readdir(folder)) != NULL)
        (void)unlinkat(dirfd(folder), entry->d_name, 0); /* fails for "." and ".." */
    (void)closedir(folder);
    return rmdir(path) == 0;
}

void larch_bench_own_stop(larch_bench_own *own)
{
    if (own->pid > 0 && kill(own->pid, SIGTERM) == 0)
        (void)wait4(own->pid, NULL, 0, &own->usage);
    if (own->folder[0] != '\0' && !remove_folder(own->folder))
        (void)larch_app_fail(NAME, "%s is left behind", own->folder);
}

/* ---- cores and processes ----------------------------------------------------- */

void larch_bench_choose_cores(int *server, int *load)
{
    cpu_set_t set;
    *server = *load = -1;
    if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) < 2)
        return;
    for (int i = 0; i < CPU_SETSIZE && *load < 0; i++)
        if (CPU_ISSET((size_t)i, &set))
            *(*server < 0 ? server : load) = i;
}

void larch_bench_pin(int core)
{
    cpu_set_t set;
    if (core < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    (void)sched_setaffinity(0, sizeof set, &set); /* then it runs where it may */
}

uint64_t larch_bench_process_ns(pid_t pid)
{
    struct timespec t;
    clockid_t clock;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
