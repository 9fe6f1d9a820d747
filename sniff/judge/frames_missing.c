/* SPDX-License-Identifier: Apache-2.0 */
/* The capture has holes: what does not appear in it may have happened all the same. */
#include "sniff/judge/judge_int.h"

size_t larch_sniff_alerts_take_loss(larch_sniff_alerts *alerts, uint64_t number, uint64_t time_ns,
                                    larch_sniff_loss loss, uint64_t count, const larch_sniff_alert **out)
{
    static const char *const texts[] = {
        [LARCH_SNIFF_LOSS_DROPPED] = "frames dropped by the board, whose line was full",
        [LARCH_SNIFF_LOSS_LINE] = "frames lost between board and here",
        [LARCH_SNIFF_LOSS_DAMAGED] = "damaged records",
        [LARCH_SNIFF_LOSS_RESTART] = "restarts of the board",
    };
    alerts->now_count = 0;
    larch_sniff_raise(alerts, (larch_sniff_judged){number, time_ns, NULL}, LARCH_SNIFF_ALERT_FRAMES_MISSING,
                      (uint64_t)loss, "%s: %llu", texts[loss], (unsigned long long)count);
    *out = alerts->now;
    return alerts->now_count;
}
