/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many messages one session may protect and how many forgeries it may see. [draft-ietf-core-oscore-key-limits]
 *
 *     failures in one life <= buckets * (refills in a life + burst) = 8,192 + 256 < 2^14
 *
 * A datagram takes one from its sender's bucket before decryption, and an authentic one gives it back. So an attacker
 * spends the bucket it sends from, and never that of a device that proved its address.
 */
#include "larch/contexts.h"

#define MESSAGES_MAX (UINT32_C(1) << 20)
#define SHORT_TAG    8 /* of CCM_8 */

/* Each bucket gets one back in this time, rounded up. */
#define REFILL_MS                                                                                     \
    ((LARCH_SESSION_LIFE_S * UINT64_C(1000) * LARCH_SESSION_BUCKETS + LARCH_SESSION_FAILED_MAX - 1) / \
     LARCH_SESSION_FAILED_MAX)

_Static_assert(LARCH_SESSION_BURST <= UINT8_MAX, "a bucket");
_Static_assert(LARCH_SESSION_OTHER_PROVEN + 1 == LARCH_SESSION_BUCKETS, "a bucket for each sender");
_Static_assert(LARCH_SESSION_BUCKETS *(LARCH_SESSION_LIFE_S *UINT64_C(1000) / REFILL_MS + 1 + LARCH_SESSION_BURST) <
                   (1u << 14),
               "forgeries of one life do not reach the limit");

static uint32_t failed_max(const larch_session *session)
{
    return session->oscore.aead->tag_len <= SHORT_TAG ? UINT32_C(1) << 14 : UINT32_C(1) << 20;
}

uint32_t larch_session_left(const larch_session *session)
{
    const uint64_t received = session->oscore.peer_has_epochs ? 0 : larch_oscore_received(&session->oscore);
    const uint64_t messages = received + session->own_used;
    if (messages >= MESSAGES_MAX || session->failed >= failed_max(session))
        return 0;
    return MESSAGES_MAX - (uint32_t)messages;
}

bool larch_session_is_spent(const larch_session *session) { return larch_session_left(session) == 0; }

void larch_session_count_protected(larch_session *session)
{
    if (session->own_used < UINT32_MAX)
        session->own_used++;
}

void larch_session_count_received(larch_session *session)
{
    if (session->oscore.peer_has_epochs)
        larch_session_count_protected(session);
}

void larch_session_count_failed(larch_session *session)
{
    if (session->failed < UINT32_MAX)
        session->failed++;
}

/* ---- buckets ------------------------------------------------------------- */

#define REFILLS_MAX 0x7fffffffu /* of a clock that runs for 20,000 years */

static void refill(larch_session *session, uint64_t now_ms)
{
    const uint64_t refills = now_ms / REFILL_MS;
    const uint32_t at = refills < REFILLS_MAX ? (uint32_t)refills : REFILLS_MAX;
    const uint32_t passed = at > session->bucket_at ? at - session->bucket_at : 0;
    for (size_t i = 0; i < LARCH_SESSION_BUCKETS; i++)
        session->taken[i] = session->taken[i] > passed ? (uint8_t)(session->taken[i] - passed) : 0;
    if (passed > 0)
        session->bucket_at = at & REFILLS_MAX;
}

unsigned larch_session_tries_left(larch_session *session, uint64_t now_ms, larch_session_sender sender)
{
    refill(session, now_ms);
    return session->taken[sender] < LARCH_SESSION_BURST ? LARCH_SESSION_BURST - session->taken[sender] : 0;
}

bool larch_session_try(larch_session *session, uint64_t now_ms, larch_session_sender sender)
{
    if (larch_session_tries_left(session, now_ms, sender) == 0)
        return false;
    session->taken[sender]++;
    return true;
}

void larch_session_refund(larch_session *session, larch_session_sender sender)
{
    if (session->taken[sender] > 0)
        session->taken[sender]--;
}
