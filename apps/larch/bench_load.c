/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "larch/coap_message.h"

#define LOST_NS       1000000000u
#define HEAD_MAX      160 /* header and options of a request */
#define ECHO_MAX      40
#define ANSWER_MAX    1536
#define MESSAGE_IDS   65000 /* of one source port: none comes twice [RFC7252 4.4] */
#define SOCKET_BUFFER (1 << 20)

/* One request under way; its index in the window is its token. */
typedef struct flight {
    bool used;
    uint64_t sent_ns;
    size_t body;
} flight;

typedef struct source {
    int fd;
    uint16_t message_id;
    uint32_t ids_used;
    unsigned in_flight;
    flight flights[LARCH_LOAD_WINDOW];
} source;

/* What goes out in one system call. */
typedef struct outgoing {
    unsigned count;
    struct mmsghdr messages[LARCH_LOAD_WINDOW];
    struct iovec pieces[LARCH_LOAD_WINDOW][2];
    uint8_t heads[LARCH_LOAD_WINDOW][HEAD_MAX];
} outgoing;

typedef struct incoming {
    struct mmsghdr messages[LARCH_LOAD_WINDOW];
    struct iovec pieces[LARCH_LOAD_WINDOW];
    uint8_t bytes[LARCH_LOAD_WINDOW][ANSWER_MAX];
} incoming;

typedef struct loading {
    larch_load *load;
    size_t next_body;
    source sources[LARCH_LOAD_SENDERS];
    struct pollfd ready[LARCH_LOAD_SENDERS];
    outgoing out;
    incoming in;
} loading;

static int fail(larch_posix_reason *why, const char *what)
{
    (void)snprintf(why->text, sizeof why->text, "%s: %s", what, strerror(errno));
    return -1;
}

/* A fresh source port, and with it fresh message IDs. */
static int open_source(loading *l, source *s, larch_posix_reason *why)
{
    const int family = larch_peer_is_ipv4(&l->load->peer) ? AF_INET : AF_INET6, size = SOCKET_BUFFER;
    struct sockaddr_storage address;
    const socklen_t len = larch_posix_peer_to_sockaddr(&l->load->peer, family, &address);
    if (s->fd >= 0)
        (void)close(s->fd);
    memset(s, 0, sizeof *s);
    s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)&address, len) != 0)
        return fail(why, "socket");
    (void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return 0;
}

/* ---- out ----------------------------------------------------------------- */

/* Puts one request into the batch; echo: empty, or what the server asks to see again. */
static void put(loading *l, source *s, unsigned index, larch_bytes echo)
{
    outgoing *o = &l->out;
    flight *f = &s->flights[index];
    const uint8_t token[1] = {(uint8_t)index};
    uint8_t *head = o->heads[o->count];
    struct iovec *pieces = o->pieces[o->count];
    larch_coap_builder b;
    larch_bytes built;
    larch_coap_build(&b, head, HEAD_MAX - 1, LARCH_COAP_CON, l->load->bodies != NULL ? LARCH_COAP_POST : LARCH_COAP_GET,
                     s->message_id++, LARCH_BYTES(token));
    larch_coap_build_path(&b, l->load->path);
    if (echo.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, echo);
    if (larch_coap_build_end(&b, &built) != LARCH_OK)
        return; /* a path too long was refused before */
    s->ids_used++;
    pieces[0] = (struct iovec){head, built.len};
    if (l->load->bodies != NULL) {
        head[built.len] = 0xff; /* payload marker [RFC7252 3] */
        pieces[0].iov_len++;
        pieces[1] =
            (struct iovec){(void *)(uintptr_t)(l->load->bodies + f->body * l->load->body_len), l->load->body_len};
    }
    o->messages[o->count].msg_hdr = (struct msghdr){.msg_iov = pieces, .msg_iovlen = l->load->bodies != NULL ? 2 : 1};
    o->count++;
    f->sent_ns = larch_measure_now_ns();
}

static int flush(loading *l, source *s, larch_posix_reason *why)
{
    unsigned done = 0;
    while (done < l->out.count) {
        const int n = sendmmsg(s->fd, l->out.messages + done, l->out.count - done, 0);
        if (n > 0)
            done += (unsigned)n;
        else if (errno == ECONNREFUSED)
            return fail(why, "the server");
        else if (errno != EINTR)
            break; /* the rest is lost, and counted so */
    }
    l->out.count = 0;
    return 0;
}

static bool has_next(const loading *l) { return l->load->bodies == NULL || l->next_body < l->load->body_count; }

/* Fills the window of one source. */
static int fill(loading *l, source *s, larch_posix_reason *why)
{
    if (s->ids_used + l->load->window > MESSAGE_IDS) {
        if (s->in_flight > 0)
            return 0;
        if (open_source(l, s, why) != 0)
            return -1;
    }
    for (unsigned i = 0; i < l->load->window && s->in_flight < l->load->window && has_next(l); i++) {
        if (s->flights[i].used)
            continue;
        s->flights[i] = (flight){true, 0, l->next_body++};
        s->in_flight++;
        l->load->posted++;
        put(l, s, i, (larch_bytes){0});
    }
    return flush(l, s, why);
}

/* ---- in ------------------------------------------------------------------ */

static void land(source *s, flight *f)
{
    f->used = false;
    s->in_flight--;
}

static void take(loading *l, source *s, larch_bytes datagram, uint64_t now_ns)
{
    larch_load *load = l->load;
    larch_coap_message m;
    larch_bytes echo;
    if (larch_coap_parse(datagram, &m) != LARCH_OK || LARCH_COAP_CLASS(m.code) < 2 || m.token.len != 1 ||
        m.token.data[0] >= load->window || !s->flights[m.token.data[0]].used)
        return;
    flight *f = &s->flights[m.token.data[0]];
    if (m.code == LARCH_COAP_UNAUTHORIZED && larch_coap_option_find(&m, LARCH_COAP_OPT_ECHO, &echo) &&
        echo.len <= ECHO_MAX) {
        load->challenged++;
        put(l, s, m.token.data[0], echo);
        return;
    }
    land(s, f);
    load->bytes_in += m.payload.len;
    if (LARCH_COAP_CLASS(m.code) != 2) {
        load->refused++;
        load->refused_code = m.code;
        return;
    }
    load->answered++;
    if (load->latency_count < LARCH_LOAD_SAMPLES)
        load->latency_ns[load->latency_count++] = now_ns - f->sent_ns;
}

static int receive(loading *l, source *s, larch_posix_reason *why)
{
    const int n = recvmmsg(s->fd, l->in.messages, l->load->window, 0, NULL);
    if (n < 0)
        return errno == ECONNREFUSED ? fail(why, "the server") : 0;
    const uint64_t now_ns = larch_measure_now_ns();
    for (int i = 0; i < n; i++)
        take(l, s, (larch_bytes){l->in.bytes[i], l->in.messages[i].msg_len}, now_ns);
    return flush(l, s, why);
}

/* Gives up what is not answered within a second. */
static void sweep(loading *l, uint64_t now_ns)
{
    for (unsigned i = 0; i < l->load->senders; i++)
        for (unsigned j = 0; j < l->load->window; j++) {
            flight *f = &l->sources[i].flights[j];
            if (f->used && now_ns - f->sent_ns > LOST_NS) {
                land(&l->sources[i], f);
                l->load->lost++;
            }
        }
}

/* ---- the whole of it ----------------------------------------------------- */

static bool is_any_in_flight(const loading *l)
{
    for (unsigned i = 0; i < l->load->senders; i++)
        if (l->sources[i].in_flight > 0)
            return true;
    return false;
}

static int run(loading *l, larch_posix_reason *why)
{
    const uint64_t begin_ns = larch_measure_now_ns(), end_ns = begin_ns + (uint64_t)(l->load->seconds * 1e9);
    uint64_t now_ns = begin_ns, swept_ns = begin_ns;
    while (now_ns < end_ns && (has_next(l) || is_any_in_flight(l))) {
        for (unsigned i = 0; i < l->load->senders; i++) {
            if (fill(l, &l->sources[i], why) != 0)
                return -1;
            l->ready[i] = (struct pollfd){.fd = l->sources[i].fd, .events = POLLIN};
        }
        if (poll(l->ready, l->load->senders, 100) > 0)
            for (unsigned i = 0; i < l->load->senders; i++)
                if (l->ready[i].revents != 0 && receive(l, &l->sources[i], why) != 0)
                    return -1;
        now_ns = larch_measure_now_ns();
        if (now_ns - swept_ns > LOST_NS / 10) {
            sweep(l, now_ns);
            swept_ns = now_ns;
        }
    }
    l->load->elapsed_ns = now_ns - begin_ns;
    return 0;
}

int larch_load_run(larch_load *load, larch_posix_reason *why)
{
    loading *l = calloc(1, sizeof *l);
    int result = l == NULL ? fail(why, "memory") : 0;
    if (l == NULL)
        return result;
    l->load = load;
    for (unsigned i = 0; i < LARCH_LOAD_SENDERS; i++)
        l->sources[i].fd = -1;
    for (unsigned i = 0; i < LARCH_LOAD_WINDOW; i++) {
        l->in.pieces[i] = (struct iovec){l->in.bytes[i], ANSWER_MAX};
        l->in.messages[i].msg_hdr = (struct msghdr){.msg_iov = &l->in.pieces[i], .msg_iovlen = 1};
    }
    for (unsigned i = 0; i < load->senders && result == 0; i++)
        result = open_source(l, &l->sources[i], why);
    if (result == 0)
        result = run(l, why);
    for (unsigned i = 0; i < load->senders; i++)
        if (l->sources[i].fd >= 0)
            (void)close(l->sources[i].fd);
    free(l);
    return result;
}
