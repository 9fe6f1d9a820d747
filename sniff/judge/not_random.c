/* SPDX-License-Identifier: Apache-2.0 */
/* What should look random does not. */
#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "sniff/judge/randomness.h"
#include "text/peer.h"

void larch_sniff_detect_not_random(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    larch_sniff_odds odds;
    const char *what;
    if (p->claims.random != NULL) {
        what = p->claims.random;
        odds = larch_sniff_odds_of_bytes(p->claims.random_bytes);
    } else if (p->claims.random_key != NULL) {
        what = p->claims.random_key;
        odds = larch_sniff_odds_of_key(p->claims.random_key_bytes);
    } else {
        return;
    }
    if (odds.log10 >= LARCH_SNIFF_RANDOM_LOG10)
        return;
    char source[LARCH_TEXT_PEER_MAX];
    larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_NOT_RANDOM,
                      larch_sniff_hash(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &p->datagram.source), what, 1),
                      "%s of %s: %s %u stands %llu times in %llu; chance below 1e%.0f", what,
                      larch_text_of_peer(&p->datagram.source, source), odds.what, odds.symbol,
                      (unsigned long long)odds.count, (unsigned long long)odds.of, odds.log10);
}
