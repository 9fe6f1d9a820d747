/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges packets: attacks, and faults that help attackers. An alert is told once for each cause and counted from then on;
 * more than LARCH_SNIFF_ALERTS_PER_S new causes of one kind within a second are counted without being told, so that nobody
 * can flood the analyst's screen. Memory is fixed, the oldest entries make room.
 */
#ifndef LARCH_SNIFF_ALERTS_H
#define LARCH_SNIFF_ALERTS_H

#include "sniff/judge/alert.h"
#include "sniff/judge/detectors.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_ALERTS_PER_S 10 /* new causes told, of each kind */
#define LARCH_SNIFF_CAUSES       1024
#define LARCH_SNIFF_ALERTS_MAX   4 /* for one packet */

/* About 9 MiB: put it on the heap. */
typedef struct larch_sniff_alerts {
    larch_sniff_replays replays; /* private, down to tallies */
    larch_sniff_numbers numbers;
    larch_sniff_gateway_keys gateway_keys;
    larch_sniff_agreements agreements;
    larch_sniff_rates rates;
    struct larch_sniff_cause {
        uint64_t hash;
        uint64_t count; /* 0: an empty entry */
        uint64_t last;
        larch_sniff_alert_kind kind;
    } causes[LARCH_SNIFF_CAUSES];
    struct larch_sniff_tally {
        uint64_t alerts; /* public: all */
        uint64_t causes; /* public: different ones */
        uint64_t untold; /* public: causes that were not told */
        uint64_t second; /* private */
        uint32_t told;   /* private: in that second */
    } tallies[LARCH_SNIFF_ALERT_COUNT];
    larch_sniff_alert now[LARCH_SNIFF_ALERTS_MAX + 1]; /* the last takes what is one too many */
    size_t now_count;
} larch_sniff_alerts;

void larch_sniff_alerts_init(larch_sniff_alerts *alerts);

/* Judges a packet. Returns how many alerts it raised, at most LARCH_SNIFF_ALERTS_MAX;
 * *out is at them until the next call. */
size_t larch_sniff_alerts_take(larch_sniff_alerts *alerts, const larch_sniff_packet *packet,
                               const larch_sniff_alert **out);

/* Judges a frame that is malformed below CoAP; returns as larch_sniff_alerts_take. */
size_t larch_sniff_alerts_take_frame(larch_sniff_alerts *alerts, uint64_t number, uint64_t time_ns,
                                     const larch_sniff_datagram *datagram, const larch_sniff_alert **out);

/* What a capture lost before the frame of that number. */
typedef enum larch_sniff_loss {
    LARCH_SNIFF_LOSS_DROPPED, /* by the board, whose line was full */
    LARCH_SNIFF_LOSS_LINE,    /* between board and here */
    LARCH_SNIFF_LOSS_DAMAGED, /* a record that does not check out, whatever it was */
    LARCH_SNIFF_LOSS_RESTART  /* the board started anew */
} larch_sniff_loss;

/* Notes a loss of count frames (of DAMAGED and RESTART: count times); returns as larch_sniff_alerts_take. */
size_t larch_sniff_alerts_take_loss(larch_sniff_alerts *alerts, uint64_t number, uint64_t time_ns,
                                    larch_sniff_loss loss, uint64_t count, const larch_sniff_alert **out);

#ifdef __cplusplus
}
#endif

#endif
