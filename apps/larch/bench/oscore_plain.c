/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/oscore_plain.h"

#include <stdlib.h>
#include <string.h>

#include "larch/oscore_service.h"
#include "system.h"

/* As the gateway has them. */
#define SLOTS     256
#define ROUNDS    (SLOTS / LARCH_UDP_BATCH)
#define POOL      (SLOTS * 1280)
#define EXCHANGES 16384
#define ANSWERS   (EXCHANGES * 40)
#define KEPT      16384
#define REACH     8192
#define INDEX     (2 * LARCH_BENCH_DEVICES)

typedef struct plain {
    larch_server server;
    larch_oscore_service oscore;
    larch_contexts contexts;
    larch_epochs epochs;
    larch_readings readings;
    larch_session_table table;
    larch_session places[LARCH_BENCH_DEVICES];
    uint32_t by_kid[INDEX], by_number[INDEX];
    larch_random random;
    larch_udp *udp;
    larch_udp_batch in, out;
    larch_server_datagram arrived[LARCH_UDP_BATCH];
    larch_coap_exchange exchanges[EXCHANGES];
    uint8_t answers[ANSWERS];
    larch_server_slot slots[SLOTS];
    uint8_t pool[POOL];
    larch_reach_entry reach[REACH];
    larch_oscore_kept kept[KEPT];
    uint8_t kept_bytes[KEPT * 48];
} plain;

/* ---- what the service asks -------------------------------------------------------- */

static larch_session *find(void *context, larch_bytes kid, larch_bytes kid_context)
{
    return larch_session_table_find(&((plain *)context)->table, kid, kid_context, 0);
}

static larch_session *find_number(void *context, uint64_t number)
{
    return larch_session_table_find_number(&((plain *)context)->table, number);
}

static larch_error raise_epoch(void *context, uint64_t epoch)
{
    (void)context, (void)epoch;
    return LARCH_OK;
}

static larch_error change_observation(void *context, const larch_observation *observation)
{
    (void)context, (void)observation;
    return LARCH_SPACE;
}

static larch_recall recall(void *context, const larch_accepted_id *identity,
                           const uint8_t hash[LARCH_ACCEPTED_HASH_LEN], uint64_t *highest)
{
    (void)context, (void)identity, (void)hash, (void)highest;
    return LARCH_RECALL_UNKNOWN;
}

static larch_error last(void *context, larch_bytes name, uint8_t *out, size_t cap, size_t *len, uint16_t *format)
{
    (void)context, (void)name, (void)out, (void)cap, (void)len, (void)format;
    return LARCH_AGAIN;
}

static void ignore(void *context, const larch_event *event) { (void)context, (void)event; }

/* ---- start ---------------------------------------------------------------------------- */

static bool add_sessions(plain *p, const larch_bench_devices *devices)
{
    larch_bench_ids ids;
    larch_session *place;
    for (unsigned i = 0; i < devices->count; i++) {
        larch_session session = {.number = i + 1, .device = i + 1};
        const larch_oscore_parameters parameters = larch_bench_parameters(devices, i, true, &ids);
        if (larch_oscore_context_init(&session.oscore, &parameters) != LARCH_OK ||
            larch_oscore_forget_window(&session.oscore, &p->random) != LARCH_OK)
            return false;
        larch_epochs_begin(&p->epochs, &session);
        if (larch_session_table_add(&p->table, &session, &place) != LARCH_OK)
            return false;
    }
    return true;
}

static bool start(plain *p, const larch_bench_devices *devices)
{
    const larch_service *services[] = {&p->oscore.service};
    larch_reach_limits limits = larch_reach_default_limits();
    limits.proven_rate = 0;
    limits.marks = 0;
    p->random = larch_posix_random();
    p->contexts = (larch_contexts){p, find, find_number, raise_epoch, change_observation, change_observation};
    p->readings = (larch_readings){p, recall, last};
    const larch_oscore_config oscore = {.contexts = &p->contexts,
                                        .readings = &p->readings,
                                        .epochs = &p->epochs,
                                        .kept = p->kept,
                                        .kept_count = KEPT,
                                        .kept_bytes = p->kept_bytes,
                                        .kept_bytes_len = sizeof p->kept_bytes};
    const larch_server_config server = {.random = &p->random,
                                        .event = ignore,
                                        .protection = &p->oscore.protection,
                                        .coap = {p->exchanges, EXCHANGES, p->answers, sizeof p->answers},
                                        .slots = p->slots,
                                        .slot_count = SLOTS,
                                        .pool = p->pool,
                                        .pool_len = sizeof p->pool,
                                        .reach = p->reach,
                                        .reach_count = REACH,
                                        .limits = limits};
    return larch_session_table_init(&p->table, p->places, LARCH_BENCH_DEVICES, p->by_kid, p->by_number, INDEX,
                                    &p->random) == LARCH_OK &&
           larch_epochs_start(&p->epochs, &p->contexts, larch_posix_now_ms(), 0, 0) == LARCH_OK &&
           add_sessions(p, devices) && larch_oscore_service_init(&p->oscore, &oscore, &p->random) == LARCH_OK &&
           larch_server_init(&p->server, &server, services, 1) == LARCH_OK;
}

/* ---- run -------------------------------------------------------------------------------- */

static void send_batch(plain *p)
{
    if (p->out.count > 0)
        (void)larch_udp_send(p->udp, &p->out);
    p->out.count = 0;
}

static bool drain(plain *p, uint64_t now_ms)
{
    larch_accepted message;
    larch_peer peer;
    larch_bytes datagram;
    larch_error e;
    while ((e = larch_server_accepted(&p->server, now_ms, &message)) == LARCH_OK)
        if (larch_server_settle(&p->server, &message, LARCH_SETTLED_STORED) != LARCH_OK)
            return false;
    while (e == LARCH_AGAIN && larch_server_send(&p->server, now_ms, &peer, &datagram) == LARCH_OK) {
        if (p->out.count == LARCH_UDP_BATCH)
            send_batch(p);
        larch_udp_datagram *d = &p->out.datagrams[p->out.count++];
        d->peer = peer;
        memcpy(d->bytes, datagram.data, datagram.len);
        d->len = datagram.len;
    }
    send_batch(p);
    return e == LARCH_AGAIN;
}

static bool receive_batch(plain *p, uint64_t now_ms)
{
    size_t taken;
    for (size_t i = 0; i < p->in.count; i++) {
        const larch_udp_datagram *d = &p->in.datagrams[i];
        p->arrived[i] = (larch_server_datagram){d->peer, d->multicast, {d->bytes, d->len}};
    }
    for (size_t done = 0; done < p->in.count; done += taken)
        if (larch_server_receive_many(&p->server, now_ms, p->arrived + done, p->in.count - done, &taken) ==
                LARCH_AGAIN &&
            !drain(p, now_ms))
            return false;
    return true;
}

/* What has arrived, as the gateway takes it. */
static bool receive(plain *p, uint64_t now_ms)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        const int got = larch_udp_receive(p->udp, &p->in);
        if (got > 0 && !receive_batch(p, now_ms))
            return false;
        if (got < LARCH_UDP_BATCH)
            break;
    }
    return drain(p, now_ms);
}

void larch_bench_run_plain(larch_udp *udp, const larch_bench_devices *devices)
{
    plain *p = calloc(1, sizeof *p);
    bool ok = p != NULL && start(p, devices);
    if (ok)
        p->udp = udp;
    while (ok && larch_udp_wait(udp, larch_server_deadline_ms(&p->server)) >= 0)
        ok = receive(p, larch_posix_now_ms());
    free(p);
}
