/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever breaks IP, UDP, CoAP or a protocol in it. */
#include <string.h>

#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "text/peer.h"

void larch_sniff_detect_malformed(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    char source[LARCH_TEXT_PEER_MAX];
    if (p->why != NULL)
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_MALFORMED,
                          larch_sniff_hash_peer(larch_sniff_hash(LARCH_SNIFF_HASH_START, p->why, strlen(p->why)),
                                                &p->datagram.destination),
                          "%s, from %s", p->why, larch_text_of_peer(&p->datagram.source, source));
}

size_t larch_sniff_alerts_take_frame(larch_sniff_alerts *alerts, uint64_t number, uint64_t time_ns,
                                     const larch_sniff_datagram *datagram, const larch_sniff_alert **out)
{
    char source[LARCH_TEXT_PEER_MAX];
    larch_peer host = datagram->source;
    host.port = 0;
    alerts->now_count = 0;
    larch_sniff_raise(
        alerts, (larch_sniff_judged){number, time_ns, datagram}, LARCH_SNIFF_ALERT_MALFORMED,
        larch_sniff_hash_peer(larch_sniff_hash(LARCH_SNIFF_HASH_START, datagram->why, strlen(datagram->why)),
                              &datagram->destination),
        "%s%s%s", datagram->why, datagram->has_addresses ? ", from " : "",
        datagram->has_addresses ? larch_text_of_host(&host, source) : "");
    *out = alerts->now;
    return alerts->now_count;
}
