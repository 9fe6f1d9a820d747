/* SPDX-License-Identifier: Apache-2.0 */
/* Between alert.c, which keeps count, and detect.c, which judges. */
#ifndef LARCH_SNIFF_ALERT_INT_H
#define LARCH_SNIFF_ALERT_INT_H

#include "sniff/alert.h"
#include "sniff/flow_int.h"

/* Raises an alert; cause tells apart what is told once each. */
#if defined(__GNUC__)
__attribute__((format(printf, 6, 7)))
#endif
void larch_sniff_raise(larch_sniff_alerts *a, uint64_t number, uint64_t time_ns, larch_sniff_alert_kind kind,
                       uint64_t cause, const char *format, ...);

enum { RATE_GATEWAY = 1, RATE_PREFIX, RATE_AUTH_FAILURES, RATE_RESETS };

/* Counts one more; how many there were in the window that ends now. */
uint32_t larch_sniff_rate(larch_sniff_alerts *a, uint8_t purpose, const larch_peer *subject, uint64_t now_ns,
                          uint64_t window_ns);

/* Runs every detector. */
void larch_sniff_detect(larch_sniff_alerts *a, const larch_sniff_packet *p);

#endif
