/* SPDX-License-Identifier: Apache-2.0 */
/* What happens with frames wherever they come from: judged, printed, written as pcapng, summed up. */
#ifndef LARCH_SNIFF_ENGINE_H
#define LARCH_SNIFF_ENGINE_H

#include <stdio.h>

#include "common/app.h"
#include "loop.h"
#include "sniff/dissect/flow.h"
#include "sniff/judge/alerts.h"
#include "sniff/write/json.h"
#include "sniff/write/pcapng.h"
#include "sniff/write/text.h"

typedef struct larch_engine larch_engine;
struct larch_engine {
    /* Public: set between _init and _open. */
    const char *command; /* who complains: "sniff", unless set */
    const char *write;   /* pcapng goes there; "-": to standard output; NULL: nowhere */
    bool json;           /* instead of text */
    bool alerts_only;    /* not every packet */
    bool silent;         /* neither packets nor alerts as lines; a pipe that its reader closed is no fault */
    bool live;           /* each line and frame leaves at once, and the pcapng ends with statistics */
    unsigned long count; /* CoAP messages that are enough; 0: no limit */
    int input;           /* the descriptor that is read, which nothing may be written to; -1: none */

    larch_sniff_links *links; /* private, all of it, but for flow's ports */
    larch_sniff_flow *flow;
    larch_sniff_alerts *alerts;
    larch_sniff_pcapng pcapng;
    FILE *pcapng_file;
    FILE *lines;       /* packets and alerts; NULL: standard output carries pcapng */
    FILE *alert_lines; /* alerts, which are shown in any case */
    larch_sniff_style style;
    larch_sniff_style alert_style;
    struct larch_engine_counters {
        uint64_t frames;
        uint64_t found[LARCH_SNIFF_FOUND_COUNT];
        uint64_t kinds[LARCH_SNIFF_RESPONSE + 1];
        uint64_t duplicates;
        uint64_t unread; /* of link types that cannot be read */
    } counters;
    uint32_t unread_linktype;    /* of the first of those */
    struct larch_engine_reader { /* of a pipe that is written to */
        larch_loop_watch watch;
        larch_loop *loop;
        larch_engine *engine;
    } readers[2];
    bool unread; /* one of them is gone */
    uint64_t last_ns;
    char comment[1024]; /* on the next frame */
};

/* False: no memory, or no SHA-256; it says so. Free it in any case. */
bool larch_engine_init(larch_engine *e);
/* Opens what is written. */
larch_exit larch_engine_open(larch_engine *e, uint32_t snaplen);

/* Takes the next frame; missing: those lost since the one before. False: it could not be written, and that was said. */
bool larch_engine_take(larch_engine *e, const larch_sniff_frame *frame, uint64_t missing);
/* The capture lost something before the next frame. */
void larch_engine_take_loss(larch_engine *e, uint64_t time_ns, larch_sniff_loss loss, uint64_t count);
/* So many messages came as were asked for. */
bool larch_engine_enough(const larch_engine *e);
/* What was printed and written leaves. False: who read the pcapng is gone. */
bool larch_engine_flush(larch_engine *e);

/* Whoever reads a pipe may go while nothing is written, which no write would tell: of output and capture alike (in
 * readers.c). Stops the loop with LARCH_EXIT_DONE when that happens. Errors as larch_loop_add_watch. */
LARCH_MUST_USE larch_error larch_engine_watch_readers(larch_engine *e, larch_loop *loop);
/* Whether all of them are there, for whoever waits without a loop. */
bool larch_engine_has_readers(larch_engine *e);

void larch_engine_print_summary(const larch_engine *e, uint64_t dropped);
/* Ends what is written. Returns result, or LARCH_EXIT_FAILED if that was LARCH_EXIT_DONE and something could not be
 * written, which is said. */
larch_exit larch_engine_close(larch_engine *e, uint64_t dropped, larch_exit result);
void larch_engine_free(larch_engine *e);

#endif
