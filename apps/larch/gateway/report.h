/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway reports on stderr, and the display. With --json refusals, rotations and totals are objects there. Lines
 * are gathered and leave in one write. Nothing waits for a reader: one that reads too slowly for long misses lines, and a
 * line says how many.
 */
#ifndef LARCH_APP_GATEWAY_REPORT_H
#define LARCH_APP_GATEWAY_REPORT_H

#include "address.h"
#include "common/app.h"
#include "common/out.h"
#include "gateway/display.h"
#include "larch/gateway.h"
#include "storage.h"
#include "text/peer.h"

/* Refusals of one kind beyond the first few of a second are counted. */
typedef struct gateway_tally {
    uint64_t count;   /* not yet told */
    unsigned told;    /* lines of this second */
    uint64_t next_ms; /* when the next second begins */
    larch_event last;
} gateway_tally;

/* The last of the messages whose marks are not durable yet, for the display. */
typedef struct gateway_report_message {
    uint64_t count; /* of them; 0: there is none */
    larch_peer peer;
    const char *kem;
    size_t text_len;
} gateway_report_message;

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
    char sender[LARCH_TEXT_PEER_MAX];
    char kem[16];
    uint8_t text[LARCH_DIRECT_TEXT_MAX];
    gateway_report_message prepared;
    uint8_t prepared_text[LARCH_DIRECT_TEXT_MAX];
    gateway_tally tallies[LARCH_EVENT_COUNT];
    uint64_t dropped_next_ms; /* when dropped lines may be reported again */
    larch_out out;            /* for the display alone */
    larch_out err;
} gateway_report;

void gateway_report_init(gateway_report *report, bool json, bool display);

/* The display is to show this message, the last of count new ones. */
void gateway_report_show(gateway_report *report, uint64_t count, const larch_peer *peer, larch_bytes kem,
                         larch_bytes text);
/* The same in two steps, if there is a display: before the message's mark is durable, and after. */
void gateway_report_prepare(gateway_report *report, const larch_accepted *message);
void gateway_report_show_prepared(gateway_report *report);

/* A larch_server_config event; context: the report. */
void gateway_report_event(void *context, const larch_event *event);

/* A handshake that succeeded. */
typedef struct gateway_report_shaken {
    const char *device;
    larch_peer peer;
    unsigned method;
    int suite;
    bool is_resumption;
} gateway_report_shaken;
void gateway_report_handshake(gateway_report *report, const gateway_report_shaken *shaken);

/* "identity larch2:...", on stderr. */
void gateway_report_identity(gateway_report *report);

/* "ML-KEM-512 generation 1 larch1:...", on stderr. */
void gateway_report_key(gateway_report *report, const larch_kem *kem);

/* With --json: how often each kind of event came, on stderr. */
void gateway_report_totals(gateway_report *report);

/* "larch gateway: ..." on stderr, as larch_app_fail but never waiting for a reader. */
void gateway_report_say(gateway_report *report, const char *format, ...) LARCH_APP_FORMAT;

/* Prints what the readers take; the rest waits, or is counted as dropped. */
void gateway_report_flush(gateway_report *report);

/* The last flush: gives slow readers a moment. */
void gateway_report_finish(gateway_report *report);

/* When to flush at the latest, for what was counted; UINT64_MAX: nothing waits. */
uint64_t gateway_report_deadline_ms(const gateway_report *report);

#endif
