/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stranger may cost a session: decryptions that fail. Each session has four buckets (larch/contexts.h). A
 * datagram whose bucket is empty gets an outer Echo; if it comes back, the sender's address is no forgery, and the
 * datagram is tried from a bucket for such addresses, of which one prefix has a share. So who forges the address of a
 * device empties the device's first bucket, and never its second. Hosts that return their own Echo empty half of the
 * bucket for such addresses: the other half is for prefixes that nothing failed from, as that of a device whose address
 * has changed.
 */
#include "base/siphash.h"
#include "node/oscore_service_int.h"

#if LARCH_SERVER_SESSIONS

#define SHARE    8            /* failures of one prefix at once, for one session */
#define SHARE_S  (6u * 3600u) /* after which one of them is forgotten */
#define PLACES   4u           /* that a prefix may have in the table */
#define RESERVED (LARCH_SESSION_BURST / 2)

static uint32_t key_of(const larch_oscore_service *oscore, const larch_request *rq, const larch_session *session)
{
    const larch_peer prefix = larch_peer_prefix(rq->peer);
    larch_siphash h;
    larch_siphash_init(&h, oscore->key);
    larch_siphash_word(&h, session->number);
    larch_siphash_part(&h, LARCH_BYTES(prefix.address));
    return (uint32_t)larch_siphash_end(&h) | 1;
}

/* The place of a key among a few: its own, or the one of fewest failures, which is forgotten then. */
static larch_oscore_share *share_of(larch_oscore_service *oscore, uint64_t now_ms, uint32_t key)
{
    const uint32_t now_s = (uint32_t)(now_ms / 1000);
    larch_oscore_share *first = &oscore->shares[(key >> 1) % LARCH_OSCORE_FAILURE_SHARES / PLACES * PLACES];
    larch_oscore_share *share = first;
    for (larch_oscore_share *other = first; other < first + PLACES && share->key != key; other++)
        if (other->key == key || other->failed < share->failed)
            share = other;
    if (share->key != key)
        *share = (larch_oscore_share){.key = key, .at_s = now_s};
    const uint32_t forgotten = (now_s - share->at_s) / SHARE_S;
    share->failed = forgotten < share->failed ? (uint8_t)(share->failed - forgotten) : 0;
    share->at_s += forgotten * SHARE_S;
    return share;
}

/* Whether its prefix may have another decryption that fails. */
static bool has_share(larch_oscore_service *oscore, const larch_request *rq, larch_session *session)
{
    const uint8_t failed = share_of(oscore, rq->now_ms, key_of(oscore, rq, session))->failed;
    const unsigned left = larch_session_tries_left(session, rq->now_ms, LARCH_SESSION_OTHER_PROVEN);
    return failed == 0 || (failed < SHARE && left > RESERVED);
}

bool larch_oscore_try(larch_oscore_service *oscore, const larch_request *rq, larch_session *session,
                      larch_session_sender *sender)
{
    const bool is_last = larch_peer_equal(rq->peer, &session->last);
    *sender = is_last ? LARCH_SESSION_LAST : LARCH_SESSION_OTHER;
    if (larch_session_try(session, rq->now_ms, *sender))
        return true;
    const larch_reach_source *source = larch_server_source(rq->server, rq->now_ms, rq->slot, rq->message);
    if (!source->has_echo) {
        larch_server_challenge(rq->server, rq->now_ms, rq->slot, rq->message);
        return false;
    }
    *sender = is_last ? LARCH_SESSION_LAST_PROVEN : LARCH_SESSION_OTHER_PROVEN;
    if (!is_last && !has_share(oscore, rq, session))
        return false;
    return larch_session_try(session, rq->now_ms, *sender);
}

void larch_oscore_tried(larch_oscore_service *oscore, const larch_request *rq, larch_session *session,
                        larch_session_sender sender, bool is_authentic)
{
    if (is_authentic) {
        larch_session_refund(session, sender);
        return;
    }
    larch_session_count_failed(session);
    if (sender == LARCH_SESSION_OTHER_PROVEN)
        share_of(oscore, rq->now_ms, key_of(oscore, rq, session))->failed++;
}

#endif
