/* SPDX-License-Identifier: Apache-2.0 */
/* More requests a second than one gateway should see, or than one network should send. */
#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "text/peer.h"

void larch_sniff_detect_flood(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    char text[LARCH_TEXT_PEER_MAX];
    if (p->kind != LARCH_SNIFF_REQUEST)
        return;
    larch_peer prefix = larch_peer_prefix(&p->datagram.source);
    uint32_t to = larch_sniff_rate_count(&a->rates, LARCH_SNIFF_RATE_GATEWAY, &p->datagram.destination, p->time_ns,
                                         LARCH_SNIFF_SECOND_NS);
    uint32_t from =
        larch_sniff_rate_count(&a->rates, LARCH_SNIFF_RATE_PREFIX, &prefix, p->time_ns, LARCH_SNIFF_SECOND_NS);
    if (to > LARCH_SNIFF_FLOOD_GATEWAY)
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_FLOOD,
                          larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &p->datagram.destination),
                          "more than %u requests a second to %s", (unsigned)LARCH_SNIFF_FLOOD_GATEWAY,
                          larch_text_of_peer(&p->datagram.destination, text));
    if (from > LARCH_SNIFF_FLOOD_PREFIX)
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_FLOOD,
                          larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &prefix),
                          "more than %u requests a second from %s/%s", (unsigned)LARCH_SNIFF_FLOOD_PREFIX,
                          larch_text_of_host(&prefix, text), larch_peer_is_ipv4(&prefix) ? "24" : "64");
}
