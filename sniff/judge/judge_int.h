/* SPDX-License-Identifier: Apache-2.0 */
/* Between alerts.c, which keeps count, and the detectors. */
#ifndef LARCH_SNIFF_JUDGE_INT_H
#define LARCH_SNIFF_JUDGE_INT_H

#include "sniff/judge/alerts.h"

/* The frame that is judged. datagram: in it; NULL: none, or none with addresses. */
typedef struct larch_sniff_judged {
    uint64_t number;
    uint64_t time_ns;
    const larch_sniff_datagram *datagram;
} larch_sniff_judged;

static inline larch_sniff_judged larch_sniff_judged_packet(const larch_sniff_packet *p)
{
    return (larch_sniff_judged){p->number, p->time_ns, &p->datagram};
}

/* Raises an alert; cause tells apart what is told once each. Returns the alert, never NULL, for the facts beyond those of
 * the judged frame. */
#if defined(__GNUC__)
__attribute__((format(printf, 5, 6)))
#endif
larch_sniff_alert *
larch_sniff_raise(larch_sniff_alerts *a, larch_sniff_judged judged, larch_sniff_alert_kind kind, uint64_t cause,
                  const char *format, ...);

/* X(name, whether it looks at retransmissions). One detector a file, in the order of a packet's alerts. A retransmission,
 * which is the same message ID and bytes between the same two endpoints, is harmless and counts in rates alone. */
#define LARCH_SNIFF_DETECTORS(X) \
    X(replay, false)             \
    X(numbers, false)            \
    X(key_changed, false)        \
    X(forged_answer, false)      \
    X(not_random, false)         \
    X(auth_failures, false)      \
    X(flood, true)               \
    X(reset_storm, true)         \
    X(downgrade, false)          \
    X(unknown_suite, false)      \
    X(handshake_flood, false)    \
    X(malformed, false)

/* Judges a packet, and raises what it finds. */
typedef void larch_sniff_detector(larch_sniff_alerts *a, const larch_sniff_packet *p);

#define LARCH_SNIFF_DETECTOR_DECLARE(name, duplicates) larch_sniff_detector larch_sniff_detect_##name;
LARCH_SNIFF_DETECTORS(LARCH_SNIFF_DETECTOR_DECLARE)
#undef LARCH_SNIFF_DETECTOR_DECLARE

#endif
