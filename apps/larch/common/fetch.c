/* SPDX-License-Identifier: Apache-2.0 */
#include "common/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/wire.h"
#include "loop.h"
#include "system.h"

/* Both are too large for a stack. */
static larch_sender sender;

typedef struct fetching {
    larch_loop loop;
    larch_loop_watch arrivals;
    larch_app_wire wire;
} fetching;

/* Before each wait. Returns when the sender has something to do. */
static uint64_t settle(void *context)
{
    fetching *f = context;
    larch_peer to;
    larch_bytes datagram;
    while (larch_sender_send(&sender, larch_posix_now_ms(), &to, &datagram) == LARCH_OK)
        larch_app_wire_send(&f->wire, datagram);
    if (!larch_sender_is_busy(&sender))
        larch_loop_stop(&f->loop, 0);
    return larch_sender_deadline_ms(&sender);
}

static void take_arrivals(larch_loop_watch *watch, unsigned events)
{
    fetching *f = watch->context;
    (void)events;
    larch_app_wire_receive(&f->wire, &larch_app_batch);
    for (size_t i = 0; i < larch_app_batch.count; i++)
        larch_sender_receive(&sender, larch_posix_now_ms(), &larch_app_batch.datagrams[i].peer,
                             (larch_bytes){larch_app_batch.datagrams[i].bytes, larch_app_batch.datagrams[i].len});
}

/* False: the system cannot wait. */
static bool drive(fetching *f, uint64_t end_ms)
{
    larch_loop_init(&f->loop, settle, f);
    f->arrivals = (larch_loop_watch){.fd = f->wire.udp.fd, .ready = take_arrivals, .context = f};
    return larch_loop_add_watch(&f->loop, &f->arrivals, LARCH_LOOP_READ) == LARCH_OK &&
           larch_loop_run_until(&f->loop, end_ms) != LARCH_LOOP_FAILED;
}

/* What came of it, once the sender rests or the time is over. */
static void take_outcome(const larch_app_wire *wire, uint64_t timeout_ms, larch_app_key *out)
{
    const uint8_t *hash;
    switch (larch_sender_state_of(&sender)) {
    case LARCH_SENDER_DECIDE: {
        const larch_bytes ek = larch_sender_key(&sender, &hash);
        memcpy(out->ek, ek.data, ek.len);
        memcpy(out->hash, hash, sizeof out->hash);
        const uint8_t *identity = larch_trust_identity(larch_sender_trust_of(&sender));
        out->identified = identity != NULL;
        if (identity != NULL)
            memcpy(out->identity, identity, sizeof out->identity);
        break;
    }
    case LARCH_SENDER_FAILED:
        out->failure = larch_sender_failure_of(&sender);
        larch_app_wire_explain(wire, &sender, 0, out->why);
        break;
    default:
        out->failure = LARCH_SENDER_FAIL_NO_ANSWER;
        larch_app_wire_explain(wire, &sender, (double)timeout_ms / 1000, out->why);
        break;
    }
}

bool larch_app_fetch(const larch_peer *peer, const larch_kem *kem, bool identify, uint64_t timeout_ms,
                     larch_app_key *out)
{
    const larch_random random = larch_posix_random();
    const larch_trust_basis basis = {.identify = identify};
    const larch_sender_config config = {.random = &random, .kem = kem, .peer = *peer, .trust = &basis};
    const uint64_t now_ms = larch_posix_now_ms();
    larch_posix_reason why;
    fetching f;
    larch_error e;
    memset(out, 0, sizeof *out);
    out->kem = kem;
    if (larch_app_wire_open(&f.wire, peer, &why) != 0) {
        out->failure = LARCH_SENDER_FAIL_PLATFORM;
        (void)snprintf(out->why, sizeof out->why, "%s", why.text);
        return false;
    }
    if ((e = larch_sender_init(&sender, now_ms, &config)) == LARCH_OK &&
        (e = larch_sender_fetch(&sender, now_ms)) == LARCH_OK) {
        if (drive(&f, now_ms + timeout_ms)) {
            take_outcome(&f.wire, timeout_ms, out);
        } else {
            out->failure = LARCH_SENDER_FAIL_PLATFORM;
            (void)snprintf(out->why, sizeof out->why, "the system cannot wait: %s", strerror(errno));
        }
    } else {
        out->failure = LARCH_SENDER_FAIL_PLATFORM;
        (void)snprintf(out->why, sizeof out->why, "%s", larch_error_text(e));
    }
    larch_sender_wipe(&sender);
    larch_app_wire_close(&f.wire);
    return out->failure == LARCH_SENDER_FAIL_NONE;
}
