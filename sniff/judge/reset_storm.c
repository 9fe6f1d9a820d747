/* SPDX-License-Identifier: Apache-2.0 */
/* One host sends many Resets: it is sent what it never asked for, under its forged address. */
#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "text/peer.h"

void larch_sniff_detect_reset_storm(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    char text[LARCH_TEXT_PEER_MAX];
    larch_peer host = p->datagram.source;
    if (p->kind != LARCH_SNIFF_EMPTY || p->coap.type != LARCH_COAP_RST)
        return;
    host.port = 0;
    uint32_t count =
        larch_sniff_rate_count(&a->rates, LARCH_SNIFF_RATE_RESETS, &host, p->time_ns, 10 * LARCH_SNIFF_SECOND_NS);
    if (count > LARCH_SNIFF_RESETS)
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_RESET_STORM,
                          larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &host), "%s sent %u Resets in 10 s",
                          larch_text_of_host(&host, text), (unsigned)count);
}
