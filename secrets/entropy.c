/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "larch/crypto.h"

#define WAIT_MS  60000
#define PAUSE_MS 600000

/* What goes through the socket, whole. */
typedef struct message {
    larch_entropy_event event;
    char why[LARCH_ENTROPY_WHY_MAX];
    uint8_t block[LARCH_HEALTH_BLOCK];
} message;

/* The thread's own: it may be in a driver that does not return when the source is stopped. */
typedef struct reader {
    char device[1024];
    uint64_t wait_ms, pause_ms;
    int out;
} reader;

/* ---- the thread: no function of the library's cryptography may run here -------------- */

static uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void pause_ms(uint64_t ms)
{
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* Bytes that were read by the deadline; -1: errno. */
static ssize_t read_block(int fd, uint8_t block[LARCH_HEALTH_BLOCK], uint64_t until_ms)
{
    size_t len = 0;
    while (len < LARCH_HEALTH_BLOCK) {
        const uint64_t now = now_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (now >= until_ms)
            break;
        const int ready = poll(&p, 1, (int)(until_ms - now));
        const ssize_t n = ready > 0 ? read(fd, block + len, LARCH_HEALTH_BLOCK - len) : 0;
        if ((ready < 0 && errno != EINTR) || (n < 0 && errno != EAGAIN && errno != EINTR))
            return -1;
        if (ready > 0 && n == 0) /* its end */
            break;
        len += n > 0 ? (size_t)n : 0;
        if (n < 0)
            pause_ms(10); /* readable, and yet nothing to read */
    }
    return (ssize_t)len;
}

static void fault(message *m, const char *text)
{
    m->event = LARCH_ENTROPY_FAULT;
    snprintf(m->why, sizeof m->why, "%s", text);
}

static void judge(message *m, ssize_t got, uint64_t wait_ms)
{
    larch_health h = {0};
    if (got < 0) {
        fault(m, strerror(errno));
    } else if (got < LARCH_HEALTH_BLOCK) {
        char text[LARCH_ENTROPY_WHY_MAX];
        snprintf(text, sizeof text, "gave %zd of %d bytes in %.1f seconds", got, LARCH_HEALTH_BLOCK,
                 (double)wait_ms / 1000);
        fault(m, text);
    } else {
        switch (larch_health_take(&h, LARCH_BYTES(m->block))) {
        case LARCH_HEALTH_STUCK:
            fault(m, "gave one byte again and again (the repetition count test of SP 800-90B)");
            break;
        case LARCH_HEALTH_BIASED:
            fault(m, "gave one byte too often (the adaptive proportion test of SP 800-90B)");
            break;
        default:
            m->event = LARCH_ENTROPY_SEED;
        }
    }
}

static void hand_over(const reader *r, message *m)
{
    if (m->event != LARCH_ENTROPY_SEED)
        larch_wipe(m->block, sizeof m->block);
    (void)send(r->out, m, sizeof *m, MSG_NOSIGNAL | MSG_DONTWAIT); /* nobody may be there to take it */
    larch_wipe(m, sizeof *m);
}

static void read_once(const reader *r)
{
    message m = {LARCH_ENTROPY_NOTHING, "", {0}};
    const int fd = open(r->device, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    const ssize_t got = fd >= 0 ? read_block(fd, m.block, now_ms() + r->wait_ms) : -1;
    judge(&m, got, r->wait_ms);
    if (fd >= 0)
        (void)close(fd);
    hand_over(r, &m);
}

static void end(void *context)
{
    reader *r = context;
    (void)close(r->out);
    free(r);
}

static void *run(void *context)
{
    reader *r = context;
    pthread_cleanup_push(end, r);
    for (;;) {
        int before;
        /* Only where nothing is open or secret may it be ended: while it waits. */
        (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
        read_once(r);
        (void)pthread_setcancelstate(before, NULL);
        pause_ms(r->pause_ms);
    }
    pthread_cleanup_pop(1);
    return NULL;
}

/* ---- the others ------------------------------------------------------------------------- */

static reader *make_reader(const larch_entropy_config *config, int out)
{
    reader *r = calloc(1, sizeof *r);
    const size_t len = strlen(config->device);
    if (r == NULL || len >= sizeof r->device) {
        free(r);
        return NULL;
    }
    memcpy(r->device, config->device, len + 1);
    r->wait_ms = config->wait_ms > 0 ? config->wait_ms : WAIT_MS;
    r->pause_ms = config->pause_ms > 0 ? config->pause_ms : PAUSE_MS;
    r->out = out;
    return r;
}

larch_error larch_entropy_start(larch_entropy *e, const larch_entropy_config *config)
{
    int ends[2];
    e->fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return LARCH_PLATFORM;
    reader *r = make_reader(config, ends[1]);
    if (r == NULL || pthread_create(&e->thread, NULL, run, r) != 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        free(r);
        return LARCH_PLATFORM;
    }
    e->fd = ends[0];
    return LARCH_OK;
}

static larch_error make_seed(const message *m, const larch_random *random, uint8_t seed[LARCH_ENTROPY_SEED_LEN])
{
    uint8_t salt[LARCH_ENTROPY_SALT_LEN];
    larch_error e = larch_random_fill(random, salt, sizeof salt);
    if (e == LARCH_OK)
        e = larch_hkdf_sha256_extract(LARCH_BYTES(salt), LARCH_BYTES(m->block), seed);
    larch_wipe(salt, sizeof salt);
    return e;
}

larch_entropy_event larch_entropy_take(larch_entropy *e, const larch_random *random,
                                       uint8_t seed[LARCH_ENTROPY_SEED_LEN], char why[LARCH_ENTROPY_WHY_MAX])
{
    message m;
    memset(seed, 0, LARCH_ENTROPY_SEED_LEN);
    why[0] = '\0';
    if (e->fd < 0 || read(e->fd, &m, sizeof m) != (ssize_t)sizeof m)
        return LARCH_ENTROPY_NOTHING;
    if (m.event == LARCH_ENTROPY_SEED && make_seed(&m, random, seed) != LARCH_OK)
        fault(&m, "gave bytes of which no seed could be made");
    memcpy(why, m.why, sizeof m.why);
    const larch_entropy_event event = m.event;
    larch_wipe(&m, sizeof m);
    return event;
}

void larch_entropy_stop(larch_entropy *e)
{
    if (e->fd < 0)
        return;
    (void)pthread_cancel(e->thread);
    (void)pthread_detach(e->thread);
    (void)close(e->fd);
    e->fd = -1;
}
