/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway tells people: accepted messages on stdout, refusals on stderr,
 * the display. Lines are gathered and leave with larch's answers, before them. Nothing waits for
 * a reader: who reads too slowly for long misses lines, and is told how many.
 */
#ifndef LARCH_APP_GATEWAY_REPORT_H
#define LARCH_APP_GATEWAY_REPORT_H

#include "address.h"
#include "app.h"
#include "display.h"
#include "larch/gateway.h"
#include "out.h"
#include "storage.h"

/* Refusals of one kind beyond the first few of a second are counted. */
typedef struct gateway_tally {
    uint64_t count;   /* not yet told */
    unsigned told;    /* lines of this second */
    uint64_t next_ms; /* when the next second begins */
    larch_gateway_event last;
} gateway_tally;

typedef struct gateway_report {
    const larch_gateway *gateway;       /* for the fingerprint of a new key */
    const larch_posix_storage *storage; /* for the reason of its failure */
    uint64_t now_ms;                    /* both clocks, once a batch */
    int64_t unix_ms;
    bool json;
    bool display;
    bool display_stale; /* to be drawn at the next flush */
    bool display_last;  /* nothing was printed since it was drawn: draw in place */
    bool terminal;      /* where the display is drawn */
    larch_display screen;
    char sender[LARCH_POSIX_PEER_TEXT];
    uint8_t text[LARCH_DIRECT_TEXT_MAX];
    gateway_tally tallies[LARCH_GATEWAY_REASON_COUNT];
    uint64_t dropped_next_ms; /* when dropped lines may be told of again */
    larch_out out;
    larch_out err;
} gateway_report;

void gateway_report_init(gateway_report *report, bool json, bool display);

/* A larch_gateway_config event; context: the report. */
void gateway_report_event(void *context, const larch_gateway_event *event);

/* "ML-KEM-512 generation 1 larch1:...", on stderr. */
void gateway_report_key(gateway_report *report, const larch_kem *kem);

/* "larch gateway: ..." on stderr, as larch_app_fail but never waiting for a reader. */
void gateway_report_say(gateway_report *report, const char *format, ...) LARCH_APP_FORMAT;

/* Prints what the readers take; the rest waits in out and err, or is counted as dropped. false: nobody can read
 * stdout any more, report->out.error says why. */
bool gateway_report_flush(gateway_report *report);

/* The last flush: gives slow readers a moment. false: lines of accepted messages are lost, and it has said so. */
bool gateway_report_finish(gateway_report *report);

/* When to flush at the latest, for what was counted; UINT64_MAX: nothing waits. */
uint64_t gateway_report_deadline_ms(const gateway_report *report);

#endif
