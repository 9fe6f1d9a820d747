/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/handshake_devices.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "larch/cbor.h"
#include "larch/coap_message.h"
#include "larch/lake_made.h"
#include "measure.h"
#include "system.h"

#define LOST_NS     1000000000u
#define WAIT_MS     100
#define ECHO_MAX    40
#define ID_LEN      7
#define MESSAGE_MAX 832 /* message_1 of suite -24, with what stands before it */
#define REQUEST_MAX 1024
#define BEHIND_LOOP 0x7f000100u /* 127.0.1.0: the devices' addresses begin behind it */
#define TAKEN       32

_Static_assert(LARCH_BENCH_SHAKERS < 256, "addresses");

/* message_1 behind its prefix, and the session that waits for message_2. */
typedef struct opening {
    larch_lake_session session;
    uint16_t len;
    uint8_t bytes[MESSAGE_MAX];
} opening;

typedef enum awaits { ECHO, MESSAGE_2, MESSAGE_4 } awaits;

typedef struct device {
    int fd; /* -1: none */
    awaits awaits;
    uint8_t token;
    uint16_t message_id;
    uint64_t begun_ns, sent_ns;
    size_t opening;
    larch_lake_session session;
    larch_enrolment enrolment;
    uint8_t credential_bytes[LARCH_ENROLMENT_CREDENTIAL_MAX];
    larch_lake_credential credential;
} device;

typedef struct shaking {
    larch_bench_shaking *s;
    larch_lake_party party;
    const larch_lake_suite *suites[1];
    uint8_t scratch[LARCH_LAKE_SCRATCH_PSK];
    opening *openings;
    size_t made, next;
    int epoll;
    device devices[LARCH_BENCH_SHAKERS];
} shaking;

/* ---- before the clock starts ------------------------------------------------------- */

static larch_error find_nothing(void *context, const larch_lake_reference *reference, unsigned attempt,
                                larch_lake_credential *out)
{
    (void)context, (void)reference, (void)attempt, (void)out;
    return LARCH_AUTH; /* in method 4 an Initiator knows whom it speaks to */
}

static bool make_opening(shaking *k, opening *o)
{
    uint8_t c_i[ID_LEN];
    larch_writer w = larch_writer_to(o->bytes, sizeof o->bytes);
    larch_writer_put_u8(&w, 0xf5); /* true [RFC9528 A.2] */
    larch_lake_init(&o->session, LARCH_LAKE_INITIATOR);
    if (larch_random_fill(&k->party.random, c_i, sizeof c_i) != LARCH_OK ||
        larch_lake_compose_message_1(&o->session, &k->party, LARCH_LAKE_METHOD_PSK, 0, LARCH_BYTES(c_i),
                                     (larch_bytes){0}, &w) != LARCH_OK)
        return false;
    o->len = (uint16_t)w.len;
    return true;
}

static bool make_openings(shaking *k)
{
    void *memory =
        mmap(NULL, k->s->prepared * sizeof *k->openings, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    k->openings = memory;
    for (; k->made < k->s->prepared; k->made++)
        if (!make_opening(k, &k->openings[k->made]))
            return false;
    return true;
}

static bool open_device(shaking *k, unsigned n)
{
    device *d = &k->devices[n];
    const larch_bench_shaker *shaker = &k->s->shakers[n];
    const struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(BEHIND_LOOP + 1 + n)}};
    struct sockaddr_storage address;
    const socklen_t len = larch_posix_peer_to_sockaddr(&k->s->gateway, AF_INET, &address);
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = n}};
    if (larch_enrolment_parse((larch_bytes){shaker->enrolled, shaker->enrolled_len}, &d->enrolment, NULL) != LARCH_OK ||
        larch_enrolment_credential(&d->enrolment, NULL, d->credential_bytes, &d->credential) != LARCH_OK)
        return false;
    d->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return d->fd >= 0 && bind(d->fd, (const struct sockaddr *)&own, sizeof own) == 0 &&
           connect(d->fd, (const struct sockaddr *)&address, len) == 0 &&
           epoll_ctl(k->epoll, EPOLL_CTL_ADD, d->fd, &event) == 0;
}

/* ---- requests ------------------------------------------------------------------------ */

static void post(shaking *k, device *d, larch_bytes body, larch_bytes echo)
{
    uint8_t bytes[REQUEST_MAX];
    larch_coap_builder b;
    larch_bytes datagram;
    d->token++;
    larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_CON, LARCH_COAP_POST, d->message_id++,
                     (larch_bytes){&d->token, 1});
    larch_coap_build_path(&b, LARCH_LAKE_PATH);
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, LARCH_COAP_FORMAT_CID_EDHOC);
    if (echo.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, echo);
    larch_coap_build_payload(&b, body);
    if (larch_coap_build_end(&b, &datagram) == LARCH_OK && send(d->fd, datagram.data, datagram.len, 0) > 0)
        k->s->datagrams++; /* else it is lost, and swept */
    d->sent_ns = larch_measure_now_ns();
}

static void post_message_1(shaking *k, device *d, larch_bytes echo)
{
    const opening *o = &k->openings[d->opening];
    d->awaits = echo.len > 0 ? MESSAGE_2 : ECHO;
    post(k, d, (larch_bytes){o->bytes, o->len}, echo);
}

/* The next handshake, if there is one. */
static void begin(shaking *k, device *d)
{
    d->begun_ns = 0;
    if (k->next == k->made)
        return;
    d->opening = k->next++;
    d->session = k->openings[d->opening].session;
    d->begun_ns = larch_measure_now_ns();
    post_message_1(k, d, (larch_bytes){0});
}

static bool post_message_3(shaking *k, device *d, larch_bytes message_2)
{
    uint8_t body[256];
    larch_writer w = larch_writer_to(body, sizeof body);
    larch_lake_received received;
    if (larch_lake_process_message_2(&d->session, &k->party, message_2, &received) != LARCH_OK)
        return false;
    const larch_lake_id *c_r = &d->session.keys.c_r; /* of seven bytes, so no integer */
    larch_cbor_put_bytes(&w, (larch_bytes){c_r->bytes, c_r->len});
    if (larch_lake_compose_message_3(&d->session, &k->party, &d->credential, (larch_bytes){0}, &w) != LARCH_OK)
        return false;
    d->awaits = MESSAGE_4;
    post(k, d, (larch_bytes){body, w.len}, (larch_bytes){0});
    return true;
}

/* ---- answers --------------------------------------------------------------------------- */

static void refuse(shaking *k, device *d, uint8_t code)
{
    k->s->refused++;
    k->s->refused_code = code;
    begin(k, d);
}

static bool complete(shaking *k, device *d, larch_bytes message_4)
{
    larch_lake_received received;
    if (larch_lake_process_message_4(&d->session, &k->party, message_4, &received) != LARCH_OK)
        return false;
    k->s->latency_ns[k->s->completed++] = larch_measure_now_ns() - d->begun_ns;
    begin(k, d);
    return true;
}

static void take(shaking *k, device *d, larch_bytes datagram)
{
    larch_coap_message m;
    larch_bytes echo;
    if (larch_coap_parse(datagram, &m) != LARCH_OK || m.token.len != 1 || m.token.data[0] != d->token ||
        d->begun_ns == 0)
        return;
    k->s->datagrams++;
    if (m.code == LARCH_COAP_UNAUTHORIZED && d->awaits == ECHO &&
        larch_coap_option_find(&m, LARCH_COAP_OPT_ECHO, &echo) && echo.len <= ECHO_MAX) {
        k->s->challenged++;
        post_message_1(k, d, echo);
    } else if (m.code != LARCH_COAP_CHANGED || d->awaits == ECHO) {
        refuse(k, d, m.code);
    } else if (d->awaits == MESSAGE_2 ? !post_message_3(k, d, m.payload) : !complete(k, d, m.payload)) {
        refuse(k, d, 0);
    }
}

static void receive(shaking *k, device *d)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    const ssize_t n = recv(d->fd, bytes, sizeof bytes, 0);
    if (n > 0)
        take(k, d, (larch_bytes){bytes, (size_t)n});
}

/* Gives up what is not answered within a second. */
static void sweep(shaking *k)
{
    const uint64_t now_ns = larch_measure_now_ns();
    for (unsigned n = 0; n < k->s->count; n++)
        if (k->devices[n].begun_ns > 0 && now_ns - k->devices[n].sent_ns > LOST_NS) {
            k->s->lost++;
            begin(k, &k->devices[n]);
        }
}

static bool is_over(const shaking *k)
{
    for (unsigned n = 0; n < k->s->count; n++)
        if (k->devices[n].begun_ns > 0)
            return false;
    return true;
}

static bool run(shaking *k)
{
    struct epoll_event events[TAKEN];
    const uint64_t begin_ns = larch_measure_now_ns(), end_ns = begin_ns + (uint64_t)(k->s->seconds * 1e9);
    uint64_t swept_ns = begin_ns, now_ns = begin_ns;
    for (unsigned n = 0; n < k->s->count; n++)
        begin(k, &k->devices[n]);
    while (now_ns < end_ns && !is_over(k)) {
        const int ready = epoll_wait(k->epoll, events, TAKEN, WAIT_MS);
        if (ready < 0 && errno != EINTR)
            return false;
        for (int i = 0; i < ready; i++)
            receive(k, &k->devices[events[i].data.u32]);
        now_ns = larch_measure_now_ns();
        if (now_ns - swept_ns > (uint64_t)WAIT_MS * 1000000u) {
            sweep(k);
            swept_ns = now_ns;
        }
    }
    k->s->elapsed_ns = larch_measure_now_ns() - begin_ns;
    return true;
}

/* ---- the whole of it ----------------------------------------------------------------------- */

static bool prepare(shaking *k)
{
    k->suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    k->party = (larch_lake_party){.suites = k->suites,
                                  .suite_count = 1,
                                  .methods = 1u << LARCH_LAKE_METHOD_PSK,
                                  .find = find_nothing,
                                  .random = larch_posix_random(),
                                  .scratch = k->scratch,
                                  .scratch_size = sizeof k->scratch};
    k->epoll = epoll_create1(EPOLL_CLOEXEC);
    bool ok = k->suites[0] != NULL && k->epoll >= 0 && make_openings(k);
    for (unsigned n = 0; ok && n < k->s->count; n++)
        ok = open_device(k, n);
    return ok;
}

bool larch_bench_shake(larch_bench_shaking *s)
{
    shaking *k = calloc(1, sizeof *k);
    if (k == NULL)
        return false;
    k->s = s;
    for (unsigned n = 0; n < LARCH_BENCH_SHAKERS; n++)
        k->devices[n].fd = -1;
    const bool ok = prepare(k) && run(k);
    for (unsigned n = 0; n < LARCH_BENCH_SHAKERS; n++)
        if (k->devices[n].fd >= 0)
            (void)close(k->devices[n].fd);
    if (k->epoll >= 0)
        (void)close(k->epoll);
    if (k->openings != NULL)
        (void)munmap(k->openings, s->prepared * sizeof *k->openings);
    larch_wipe(k, sizeof *k);
    free(k);
    return ok;
}
