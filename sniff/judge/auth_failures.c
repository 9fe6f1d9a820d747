/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway refuses many authentications: somebody probes, or senders hold an old key. */
#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "text/peer.h"

void larch_sniff_detect_auth_failures(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    char gateway[LARCH_TEXT_PEER_MAX];
    if (p->claims.refused == NULL)
        return;
    uint32_t count = larch_sniff_rate_count(&a->rates, LARCH_SNIFF_RATE_AUTH_FAILURES, &p->datagram.source, p->time_ns,
                                            10 * LARCH_SNIFF_SECOND_NS);
    if (count > LARCH_SNIFF_AUTH_FAILURES)
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_AUTH_FAILURES,
                          larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &p->datagram.source),
                          "%s answered %s %u times in 10 s: probing, or senders with an old key",
                          larch_text_of_peer(&p->datagram.source, gateway), p->claims.refused, (unsigned)count);
}
