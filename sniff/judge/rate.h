/* SPDX-License-Identifier: Apache-2.0 */
/* Counts events of a subject in a sliding window, for the detectors whose threshold is a rate. */
#ifndef LARCH_SNIFF_RATE_H
#define LARCH_SNIFF_RATE_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_RATES        2048
#define LARCH_SNIFF_RATE_BUCKETS 10 /* of a window */

typedef enum larch_sniff_rate_purpose {
    LARCH_SNIFF_RATE_EMPTY, /* an entry that is not in use */
    LARCH_SNIFF_RATE_GATEWAY,
    LARCH_SNIFF_RATE_PREFIX,
    LARCH_SNIFF_RATE_AUTH_FAILURES,
    LARCH_SNIFF_RATE_RESETS,
    LARCH_SNIFF_RATE_SHAKES_TO,
    LARCH_SNIFF_RATE_SHAKES_FROM
} larch_sniff_rate_purpose;

/* One table for all purposes; all zeros at the begin. */
typedef struct larch_sniff_rates {
    struct larch_sniff_rate {
        larch_peer subject; /* private, all of it */
        uint64_t slot;      /* of the newest bucket */
        uint32_t buckets[LARCH_SNIFF_RATE_BUCKETS];
        uint8_t purpose;
    } entries[LARCH_SNIFF_RATES];
} larch_sniff_rates;

/* Counts one more event; returns how many there were in the window that ends now. */
uint32_t larch_sniff_rate_count(larch_sniff_rates *rates, larch_sniff_rate_purpose purpose, const larch_peer *subject,
                                uint64_t now_ns, uint64_t window_ns);
/* Takes one of the events in that window off again, the newest; none if there is none. */
void larch_sniff_rate_take_off(larch_sniff_rates *rates, larch_sniff_rate_purpose purpose, const larch_peer *subject,
                               uint64_t now_ns, uint64_t window_ns);

#ifdef __cplusplus
}
#endif

#endif
