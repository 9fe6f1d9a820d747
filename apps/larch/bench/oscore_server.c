/* SPDX-License-Identifier: Apache-2.0 */
/* The servers that are compared, each a process of its own. */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/oscore.h"
#include "bench/oscore_plain.h"
#include "common/context_file.h"
#include "larch/coap_message.h"
#include "system.h"
#include "text/peer.h"
#include "udp.h"

#define NAME       "bench"
#define LIBCOAP    "coap-server-openssl"
#define START_MS   5000
#define ECHO_BATCH 64 /* as larch_udp takes */
#define PATH_LEN   (LARCH_BENCH_FOLDER_MAX + 32)

/* ---- processes ------------------------------------------------------------------ */

/* In the child: it keeps to its core, and ends with this program. */
static void begin_child(int core)
{
    larch_bench_pin(core);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool run(char *const *arguments)
{
    int status = 1;
    const pid_t pid = fork();
    if (pid == 0) {
        if (freopen("/dev/null", "w", stderr) != NULL)
            (void)execv("/proc/self/exe", arguments);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* ---- an echo ---------------------------------------------------------------------- */

/* Sends back what comes, as a 2.04, with a system call for many, and nothing else. */
static void run_echo(int fd)
{
    static struct mmsghdr messages[ECHO_BATCH];
    static struct sockaddr_in peers[ECHO_BATCH];
    static struct iovec pieces[ECHO_BATCH];
    uint8_t bytes[ECHO_BATCH][LARCH_COAP_DATAGRAM_MAX];
    for (;;) {
        for (unsigned i = 0; i < ECHO_BATCH; i++) {
            pieces[i] = (struct iovec){bytes[i], sizeof bytes[i]};
            messages[i].msg_hdr = (struct msghdr){
                .msg_name = &peers[i], .msg_namelen = sizeof peers[i], .msg_iov = &pieces[i], .msg_iovlen = 1};
        }
        const int n = recvmmsg(fd, messages, ECHO_BATCH, MSG_WAITFORONE, NULL);
        if (n < 0)
            return;
        for (int i = 0; i < n; i++) {
            if ((bytes[i][0] >> 4 & 3) == LARCH_COAP_CON)
                bytes[i][0] = (uint8_t)(bytes[i][0] | LARCH_COAP_ACK << 4);
            bytes[i][1] = LARCH_COAP_CHANGED;
            pieces[i].iov_len = messages[i].msg_len;
        }
        (void)sendmmsg(fd, messages, (unsigned)n, 0);
    }
}

static larch_exit start_echo(larch_bench_server *server, int core)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof in;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&in, len) != 0 || getsockname(fd, (struct sockaddr *)&in, &len) != 0 ||
        !larch_posix_peer_from_sockaddr((struct sockaddr *)&in, &server->own.peer) || (server->own.pid = fork()) < 0)
        return larch_app_fail(NAME, "an echo cannot start: %s", strerror(errno));
    if (server->own.pid == 0) {
        begin_child(core);
        run_echo(fd);
        _exit(1);
    }
    (void)close(fd);
    return LARCH_EXIT_DONE;
}

/* ---- larch without an outbox ------------------------------------------------------- */

/* The socket is open before the process begins, so that no datagram comes too early. */
static larch_exit start_plain(larch_bench_server *server, int core)
{
    const larch_peer loopback = {.address = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    larch_posix_reason why;
    larch_udp udp;
    if (larch_udp_open(&udp, &loopback, &why) != 0)
        return larch_app_fail(NAME, "%s", why.text);
    server->own.peer = udp.local;
    server->own.pid = fork();
    if (server->own.pid == 0) {
        begin_child(core);
        larch_bench_run_plain(&udp, &server->devices);
        _exit(1);
    }
    larch_udp_close(&udp);
    return server->own.pid > 0 ? LARCH_EXIT_DONE : larch_app_fail(NAME, "fork: %s", strerror(errno));
}

/* ---- the gateway -------------------------------------------------------------------- */

/* Hexadecimal digits of a few bytes. */
static const char *hex(larch_bytes bytes, char text[2 * 16 + 1])
{
    text[0] = '\0';
    for (size_t i = 0; i < bytes.len && i < 16; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes.data[i]);
    return text;
}

/* coap-oscore-conf(5): of one device, or of all if they have one secret. */
static bool write_contexts(const larch_bench_server *server, unsigned device, const char *path)
{
    larch_bench_ids ids;
    char text[2 * 16 + 1];
    const mode_t mask = umask(077);
    FILE *f = fopen(path, "we");
    const unsigned end = server->devices.has_one_secret ? server->devices.count : device + 1;
    (void)umask(mask);
    if (f == NULL)
        return false;
    larch_oscore_parameters p = larch_bench_parameters(&server->devices, device, true, &ids);
    bool ok = fprintf(f, "master_secret,hex,\"%s\"\n", hex(p.master_secret, text)) > 0;
    ok = fprintf(f, "sender_id,hex,\"%s\"\n", hex(p.sender_id, text)) > 0 && ok;
    for (unsigned i = device; i < end; i++) {
        p = larch_bench_parameters(&server->devices, i, true, &ids);
        ok = fprintf(f, "recipient_id,hex,\"%s\"\n", hex(p.recipient_id, text)) > 0 && ok;
    }
    return fclose(f) == 0 && ok;
}

static bool add_contexts(const larch_bench_server *server)
{
    char path[PATH_LEN], name[24];
    (void)snprintf(path, sizeof path, "%s/device.context", server->own.folder);
    for (unsigned i = 0; i < server->devices.count; i++) {
        (void)snprintf(name, sizeof name, "device-%u", i);
        const char *arguments[] = {"larch", "keys", "add-context", name, path, "--state", server->own.folder, NULL};
        if (!write_contexts(server, i, path) || !run((char *const *)(uintptr_t)arguments))
            return false;
    }
    return true;
}

static larch_exit start_outbox(larch_bench_server *server, int core)
{
    larch_peer peer;
    cpu_set_t before;
    larch_exit code = larch_bench_own_prepare(&server->own, &peer);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (!add_contexts(server))
        return larch_app_fail(NAME, "contexts cannot be added to %s", server->own.folder);
    const bool is_known = sched_getaffinity(0, sizeof before, &before) == 0;
    larch_bench_pin(core); /* the child inherits it */
    code = larch_bench_own_start(&server->own, "process", true);
    if (is_known)
        (void)sched_setaffinity(0, sizeof before, &before);
    return code;
}

/* ---- libcoap ------------------------------------------------------------------------- */

static void become_libcoap(const larch_bench_server *server, const char *program, int core)
{
    char port[8], contexts[2 * PATH_LEN];
    (void)snprintf(port, sizeof port, "%u", server->own.peer.port);
    (void)snprintf(contexts, sizeof contexts, "%s/libcoap.conf,%s/libcoap.numbers", server->own.folder,
                   server->own.folder);
    begin_child(core);
    const char *arguments[] = {program, "-A", "127.0.0.1", "-p", port, "-d", "4", "-v", "0", "-E", contexts, NULL};
    if (freopen("/dev/null", "w", stdout) != NULL && freopen("/dev/null", "w", stderr) != NULL)
        (void)execvp(program, (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static larch_exit start_libcoap(larch_bench_server *server, const char *program, int core)
{
    char path[PATH_LEN];
    larch_peer peer;
    const larch_exit code = larch_bench_own_prepare(&server->own, &peer);
    if (code != LARCH_EXIT_DONE)
        return code;
    (void)snprintf(path, sizeof path, "%s/libcoap.conf", server->own.folder);
    if (!write_contexts(server, 0, path))
        return larch_app_fail(NAME, "%s: %s", path, strerror(errno));
    server->own.pid = fork();
    if (server->own.pid == 0)
        become_libcoap(server, program, core);
    return server->own.pid > 0 ? LARCH_EXIT_DONE : larch_app_fail(NAME, "fork: %s", strerror(errno));
}

/* ---- all of them ------------------------------------------------------------------------ */

const char *larch_bench_server_name(larch_bench_server_kind kind)
{
    static const char *const names[LARCH_BENCH_SERVERS] = {"bare UDP echo", "larch, without outbox",
                                                           "larch, with outbox", "libcoap"};
    return names[kind];
}

static bool has_ended(const larch_bench_server *server)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)server->own.pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

larch_exit larch_bench_server_start(larch_bench_server *server, larch_bench_server_kind kind,
                                    const larch_bench_options *options, int core)
{
    const char *libcoap = options->libcoap != NULL ? options->libcoap : LIBCOAP;
    larch_exit code;
    if (!larch_bench_devices_init(&server->devices, options->senders, kind == LARCH_BENCH_LIBCOAP))
        return larch_app_fail(NAME, "contexts cannot be derived");
    if (kind == LARCH_BENCH_LIBCOAP)
        code = start_libcoap(server, libcoap, core);
    else if (kind == LARCH_BENCH_OUTBOX)
        code = start_outbox(server, core);
    else
        code = kind == LARCH_BENCH_ECHO ? start_echo(server, core) : start_plain(server, core);
    if (code != LARCH_EXIT_DONE || kind == LARCH_BENCH_ECHO ||
        larch_bench_greet(&server->devices, &server->own.peer, larch_posix_now_ms() + START_MS))
        return code;
    if (kind != LARCH_BENCH_LIBCOAP)
        return larch_app_fail(NAME, "the server %s does not answer%s", larch_bench_server_name(kind),
                              has_ended(server) ? ": it has ended" : "");
    server->missing = has_ended(server) ? "not installed, or without OSCORE" : "it does not answer";
    return LARCH_EXIT_DONE;
}
