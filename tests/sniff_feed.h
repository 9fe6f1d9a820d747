/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the sniffer's detectors: datagrams go in one after the other, and what they raised is counted. */
#ifndef LARCH_TESTS_SNIFF_FEED_H
#define LARCH_TESTS_SNIFF_FEED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sniff/dissect/flow.h"
#include "sniff/judge/alerts.h"

#define SECOND UINT64_C(1000000000)

static larch_sniff_flow *flow;
static larch_sniff_alerts *alerts;
static uint64_t number, now_ns;
static larch_sniff_packet packet;
static uint8_t hop_limit;
static larch_sniff_alert last; /* that was raised */
static unsigned raised[LARCH_SNIFF_ALERT_COUNT], told[LARCH_SNIFF_ALERT_COUNT];

static const larch_peer gateway = {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}, .port = 5683};
static const larch_peer sender = {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7}, .port = 40000};
static const larch_peer attacker = {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 66},
                                    .port = 50000};

static inline int create(void **state)
{
    (void)state;
    flow = malloc(sizeof *flow);
    alerts = malloc(sizeof *alerts);
    return flow == NULL || alerts == NULL;
}

static inline int destroy(void **state)
{
    (void)state;
    free(flow);
    free(alerts);
    return 0;
}

static inline void restart(void)
{
    assert_int_equal(larch_sniff_flow_init(flow), LARCH_OK);
    larch_sniff_alerts_init(alerts);
    memset(raised, 0, sizeof raised);
    memset(told, 0, sizeof told);
    number = 0;
    now_ns = 1000 * SECOND;
    hop_limit = 64;
}

static inline int begin(void **state)
{
    (void)state;
    restart();
    return 0;
}

static inline void feed(const larch_peer *from, const larch_peer *to, larch_bytes payload)
{
    const larch_sniff_alert *list;
    larch_sniff_datagram d = {.source = *from,
                              .destination = *to,
                              .has_addresses = true,
                              .payload = payload,
                              .payload_len = payload.len,
                              .hop_limit = hop_limit};
    larch_sniff_flow_take(flow, ++number, now_ns, &d, &packet);
    size_t count = larch_sniff_alerts_take(alerts, &packet, &list);
    for (size_t i = 0; i < count; i++) {
        last = list[i];
        raised[list[i].kind]++;
        told[list[i].kind] += list[i].told;
    }
}

/* So many alerts of one kind, and none of another. */
static inline void expect(larch_sniff_alert_kind kind, unsigned times)
{
    for (int k = 0; k < LARCH_SNIFF_ALERT_COUNT; k++)
        if (raised[k] != (k == (int)kind ? times : 0))
            fail_msg("%s raised %u times", larch_sniff_alert_name((larch_sniff_alert_kind)k), raised[k]);
}

#endif
