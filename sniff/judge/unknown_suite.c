/* SPDX-License-Identifier: Apache-2.0 */
/* A handshake that asks for a cipher suite or a method that nobody assigned: a mistake, a newer peer, or somebody who
 * probes. */
#include <inttypes.h>

#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "text/peer.h"

void larch_sniff_detect_unknown_suite(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    const larch_sniff_agreement *g = &p->claims.agreement;
    char from[LARCH_TEXT_PEER_MAX];
    if (g->unknown == NULL)
        return;
    larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_UNKNOWN_SUITE,
                      larch_sniff_hash(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &g->responder), &g->unknown_number,
                                       sizeof g->unknown_number),
                      "%s begins a handshake with %s %" PRId64 ", which neither the registry nor larch knows",
                      larch_text_of_peer(&g->initiator, from), g->unknown, g->unknown_number);
}
