/* SPDX-License-Identifier: Apache-2.0 */
/* One request has two answers that differ. */
#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "text/peer.h"

void larch_sniff_detect_forged_answer(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    char server[LARCH_TEXT_PEER_MAX];
    if (!p->other_answer)
        return;
    larch_sniff_alert *alert = larch_sniff_raise(
        a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_FORGED_ANSWER,
        larch_sniff_hash_peer(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &p->exchange->client),
                              &p->exchange->server),
        "request #%llu was answered in #%llu; %s answers again, otherwise", (unsigned long long)p->exchange->number,
        (unsigned long long)p->exchange->answer_number, larch_text_of_peer(&p->datagram.source, server));
    alert->request = p->exchange->number;
    alert->before = p->exchange->answer_number;
}
