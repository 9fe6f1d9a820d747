/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "larch/coap_message.h"
#include "loop.h"
#include "system.h"

#define LOST_NS       1000000000u
#define SWEEP_MS      100
#define HEAD_MAX      160 /* header and options of a request */
#define ECHO_MAX      40
#define ACK_LEN       4
#define OUT_MAX       (2 * LARCH_LOAD_WINDOW) /* an acknowledgement and another try for each answer */
#define READY_HEAD    5                       /* header and a token of one byte */
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
    struct loading *loading;
    larch_loop_watch answers; /* fd -1: not open */
    uint16_t message_id;
    uint32_t ids_used;
    unsigned in_flight;
    size_t next_body, last_body; /* of its stretch */
    flight flights[LARCH_LOAD_WINDOW];
} source;

/* What goes out in one system call. */
typedef struct outgoing {
    unsigned count;
    struct mmsghdr messages[OUT_MAX];
    struct iovec pieces[OUT_MAX][2];
    uint8_t heads[OUT_MAX][HEAD_MAX];
} outgoing;

typedef struct incoming {
    struct mmsghdr messages[LARCH_LOAD_WINDOW];
    struct iovec pieces[LARCH_LOAD_WINDOW];
    uint8_t bytes[LARCH_LOAD_WINDOW][ANSWER_MAX];
} incoming;

typedef struct loading {
    larch_load *load;
    size_t next_body; /* of all sources, unless each has a stretch */
    source sources[LARCH_LOAD_SENDERS];
    larch_loop loop;
    larch_loop_timer sweep;
    larch_posix_reason *why; /* the caller's */
    outgoing out;
    incoming in;
} loading;

#define FAILED 1 /* code of a stop: the reason is written */

_Static_assert(LARCH_LOAD_SENDERS <= LARCH_LOOP_WATCHES, "each has a socket");

static int fail(const loading *l, const char *what)
{
    (void)snprintf(l->why->text, sizeof l->why->text, "%s: %s", what, strerror(errno));
    return -1;
}

static void close_source(loading *l, source *s)
{
    larch_loop_remove_watch(&l->loop, &s->answers);
    if (s->answers.fd >= 0)
        (void)close(s->answers.fd);
}

static void receive(larch_loop_watch *watch, unsigned events);

/* A fresh source port, and with it fresh message IDs. */
static int open_source(loading *l, source *s)
{
    const int family = larch_peer_is_ipv4(&l->load->peer) ? AF_INET : AF_INET6, size = SOCKET_BUFFER;
    struct sockaddr_storage address;
    const socklen_t len = larch_posix_peer_to_sockaddr(&l->load->peer, family, &address);
    const int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    close_source(l, s);
    *s = (source){.loading = l,
                  .answers = {.fd = fd, .ready = receive, .context = s},
                  .next_body = s->next_body,
                  .last_body = s->last_body};
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, len) != 0)
        return fail(l, "socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return larch_loop_add_watch(&l->loop, &s->answers, LARCH_LOOP_READ) == LARCH_OK ? 0 : fail(l, "socket");
}

/* ---- out ----------------------------------------------------------------- */

/* Puts the head of a request in front of a body that is ready. */
static void put_ready(loading *l, source *s, unsigned index)
{
    outgoing *o = &l->out;
    flight *f = &s->flights[index];
    uint8_t *head = o->heads[o->count];
    struct iovec *pieces = o->pieces[o->count];
    const larch_load *load = l->load;
    const unsigned type = load->is_non ? LARCH_COAP_NON : LARCH_COAP_CON;
    head[0] = (uint8_t)(1u << 6 | type << 4 | 1u);
    head[1] = LARCH_COAP_POST;
    head[2] = (uint8_t)(s->message_id >> 8);
    head[3] = (uint8_t)s->message_id++;
    head[4] = (uint8_t)index;
    s->ids_used++;
    pieces[0] = (struct iovec){head, READY_HEAD};
    pieces[1] = (struct iovec){(void *)(uintptr_t)(load->bodies + f->body * load->body_len), load->body_len};
    o->messages[o->count++].msg_hdr = (struct msghdr){.msg_iov = pieces, .msg_iovlen = 2};
    f->sent_ns = larch_measure_now_ns();
}

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
    larch_coap_build(&b, head, HEAD_MAX - 1, l->load->is_non ? LARCH_COAP_NON : LARCH_COAP_CON,
                     l->load->bodies != NULL ? LARCH_COAP_POST : LARCH_COAP_GET, s->message_id++, LARCH_BYTES(token));
    larch_coap_build_path(&b, l->load->path);
    if (l->load->query != NULL)
        larch_coap_build_option(&b, LARCH_COAP_OPT_URI_QUERY, larch_bytes_of_text(l->load->query));
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

/* Acknowledges a response that came in a confirmable message of its own. [RFC7252 5.2.2] */
static void put_acknowledgement(loading *l, uint16_t message_id)
{
    outgoing *o = &l->out;
    uint8_t *head = o->heads[o->count];
    head[0] = 1u << 6 | LARCH_COAP_ACK << 4;
    head[1] = LARCH_COAP_EMPTY;
    head[2] = (uint8_t)(message_id >> 8);
    head[3] = (uint8_t)message_id;
    o->pieces[o->count][0] = (struct iovec){head, ACK_LEN};
    o->messages[o->count].msg_hdr = (struct msghdr){.msg_iov = o->pieces[o->count], .msg_iovlen = 1};
    o->count++;
}

static int flush(loading *l, source *s)
{
    unsigned done = 0;
    while (done < l->out.count) {
        const int n = sendmmsg(s->answers.fd, l->out.messages + done, l->out.count - done, 0);
        if (n > 0)
            done += (unsigned)n;
        else if (errno == ECONNREFUSED)
            return fail(l, "the server");
        else if (errno != EINTR)
            break; /* the rest is lost, and counted so */
    }
    l->out.count = 0;
    return 0;
}

static bool has_next(const loading *l, const source *s)
{
    if (l->load->is_ready)
        return s->next_body < s->last_body;
    return l->load->bodies == NULL || l->next_body < l->load->body_count;
}

static void put_next(loading *l, source *s, unsigned index)
{
    s->flights[index] = (flight){true, 0, l->load->is_ready ? s->next_body++ : l->next_body++};
    s->in_flight++;
    l->load->posted++;
    if (l->load->is_ready)
        put_ready(l, s, index);
    else
        put(l, s, index, (larch_bytes){0});
}

/* Fills the window of one source. */
static int fill(loading *l, source *s)
{
    if (s->ids_used + l->load->window > MESSAGE_IDS) {
        if (s->in_flight > 0)
            return 0;
        if (open_source(l, s) != 0)
            return -1;
    }
    for (unsigned i = 0; i < l->load->window && s->in_flight < l->load->window && has_next(l, s); i++)
        if (!s->flights[i].used)
            put_next(l, s, i);
    return flush(l, s);
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
    if (larch_coap_parse(datagram, &m) != LARCH_OK || LARCH_COAP_CLASS(m.code) < 2)
        return;
    if (m.type == LARCH_COAP_CON)
        put_acknowledgement(l, m.message_id);
    if (m.token.len != 1 || m.token.data[0] >= load->window || !s->flights[m.token.data[0]].used)
        return;
    flight *f = &s->flights[m.token.data[0]];
    if (m.code == LARCH_COAP_UNAUTHORIZED && !load->is_ready &&
        larch_coap_option_find(&m, LARCH_COAP_OPT_ECHO, &echo) && echo.len <= ECHO_MAX) {
        load->challenged++;
        put(l, s, m.token.data[0], echo);
        return;
    }
    land(s, f);
    load->bytes_in += m.payload.len;
    const bool is_looked_at = load->verify != NULL && load->answered % LARCH_LOAD_VERIFIED == 0;
    const bool is_false =
        LARCH_COAP_CLASS(m.code) == 2 && is_looked_at && !load->verify(load->context, f->body, datagram);
    load->unverified += is_false;
    if (LARCH_COAP_CLASS(m.code) != 2 || is_false) {
        load->refused++;
        load->refused_code = m.code;
        return;
    }
    load->answered++;
    if (load->latency_count < LARCH_LOAD_SAMPLES)
        load->latency_ns[load->latency_count++] = now_ns - f->sent_ns;
}

static void receive(larch_loop_watch *watch, unsigned events)
{
    source *s = watch->context;
    loading *l = s->loading;
    (void)events;
    const int n = recvmmsg(watch->fd, l->in.messages, l->load->window, 0, NULL);
    const int result = n < 0 && errno == ECONNREFUSED ? fail(l, "the server") : 0;
    const uint64_t now_ns = larch_measure_now_ns();
    for (int i = 0; i < n; i++)
        take(l, s, (larch_bytes){l->in.bytes[i], l->in.messages[i].msg_len}, now_ns);
    if (result != 0 || flush(l, s) != 0)
        larch_loop_stop(&l->loop, FAILED);
}

/* Gives up what is not answered within a second. */
static void sweep(larch_loop_timer *timer)
{
    loading *l = timer->context;
    const uint64_t now_ns = larch_measure_now_ns();
    for (unsigned i = 0; i < l->load->senders; i++)
        for (unsigned j = 0; j < l->load->window; j++) {
            flight *f = &l->sources[i].flights[j];
            if (f->used && now_ns - f->sent_ns > LOST_NS) {
                land(&l->sources[i], f);
                l->load->lost++;
            }
        }
    larch_loop_arm_timer(&l->loop, timer, larch_posix_now_ms() + SWEEP_MS);
}

/* ---- the whole of it ----------------------------------------------------- */

static bool is_over(const loading *l)
{
    for (unsigned i = 0; i < l->load->senders; i++)
        if (l->sources[i].in_flight > 0 || has_next(l, &l->sources[i]))
            return false;
    return true;
}

/* Before each wait. */
static uint64_t fill_all(void *context)
{
    loading *l = context;
    int result = 0;
    if (is_over(l))
        larch_loop_stop(&l->loop, 0);
    else
        for (unsigned i = 0; i < l->load->senders && result == 0; i++)
            result = fill(l, &l->sources[i]);
    if (result != 0)
        larch_loop_stop(&l->loop, FAILED);
    return UINT64_MAX;
}

static int run(loading *l)
{
    const uint64_t begin_ns = larch_measure_now_ns();
    l->sweep = (larch_loop_timer){.due = sweep, .context = l};
    larch_loop_arm_timer(&l->loop, &l->sweep, larch_posix_now_ms() + SWEEP_MS);
    const int code = larch_loop_run_until(&l->loop, larch_posix_now_ms() + (uint64_t)(l->load->seconds * 1000));
    l->load->elapsed_ns = larch_measure_now_ns() - begin_ns;
    if (code == LARCH_LOOP_FAILED)
        return fail(l, "poll");
    return code == FAILED ? -1 : 0;
}

int larch_load_run(larch_load *load, larch_posix_reason *why)
{
    loading *l = calloc(1, sizeof *l);
    int result = 0;
    if (l == NULL) {
        (void)snprintf(why->text, sizeof why->text, "memory: %s", strerror(errno));
        return -1;
    }
    l->load = load;
    l->why = why;
    larch_loop_init(&l->loop, fill_all, l);
    for (unsigned i = 0; i < LARCH_LOAD_SENDERS; i++)
        l->sources[i].answers.fd = -1;
    for (unsigned i = 0; i < LARCH_LOAD_WINDOW; i++) {
        l->in.pieces[i] = (struct iovec){l->in.bytes[i], ANSWER_MAX};
        l->in.messages[i].msg_hdr = (struct msghdr){.msg_iov = &l->in.pieces[i], .msg_iovlen = 1};
    }
    for (unsigned i = 0; i < load->senders; i++) {
        l->sources[i].next_body = load->body_count / load->senders * i;
        l->sources[i].last_body = load->body_count / load->senders * (i + 1);
    }
    for (unsigned i = 0; i < load->senders && result == 0; i++)
        result = open_source(l, &l->sources[i]);
    if (result == 0)
        result = run(l);
    for (unsigned i = 0; i < load->senders; i++)
        close_source(l, &l->sources[i]);
    free(l);
    return result;
}
