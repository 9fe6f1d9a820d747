/* SPDX-License-Identifier: Apache-2.0 */
/* Many handshakes that nobody completes, to one responder or from one network: each can cost the responder a place and a
 * KEM operation. Those that are completed are taken off again. */
#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "text/peer.h"

#define WINDOW_NS (10 * LARCH_SNIFF_SECOND_NS)

void larch_sniff_detect_handshake_flood(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    const larch_sniff_agreement *g = &p->claims.agreement;
    char text[LARCH_TEXT_PEER_MAX];
    const larch_peer prefix = larch_peer_prefix(&g->initiator);
    if (g->step == LARCH_SNIFF_STEP_COMPLETES) {
        larch_sniff_rate_take_off(&a->rates, LARCH_SNIFF_RATE_SHAKES_TO, &g->responder, p->time_ns, WINDOW_NS);
        larch_sniff_rate_take_off(&a->rates, LARCH_SNIFF_RATE_SHAKES_FROM, &prefix, p->time_ns, WINDOW_NS);
    }
    if (g->step != LARCH_SNIFF_STEP_BEGINS)
        return;
    const uint32_t to =
        larch_sniff_rate_count(&a->rates, LARCH_SNIFF_RATE_SHAKES_TO, &g->responder, p->time_ns, WINDOW_NS);
    const uint32_t from =
        larch_sniff_rate_count(&a->rates, LARCH_SNIFF_RATE_SHAKES_FROM, &prefix, p->time_ns, WINDOW_NS);
    if (to > LARCH_SNIFF_SHAKES_TO)
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_HANDSHAKE_FLOOD,
                          larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &g->responder),
                          "more than %u handshakes in 10 s with %s were begun and not completed",
                          (unsigned)LARCH_SNIFF_SHAKES_TO, larch_text_of_peer(&g->responder, text));
    if (from > LARCH_SNIFF_SHAKES_FROM)
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_HANDSHAKE_FLOOD,
                          larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &prefix),
                          "more than %u handshakes in 10 s from %s/%s were begun and not completed",
                          (unsigned)LARCH_SNIFF_SHAKES_FROM, larch_text_of_host(&prefix, text),
                          larch_peer_is_ipv4(&prefix) ? "24" : "64");
}
