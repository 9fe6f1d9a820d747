/* SPDX-License-Identifier: Apache-2.0 */
/* A sniffer board on a serial line: its frames go to the engine, its words to a listener. */
#ifndef LARCH_TAP_H
#define LARCH_TAP_H

#include "sniff/engine.h"
#include "sniff/serial/port.h"
#include "sniff/serial/serial.h"

#define LARCH_TAP_CHANNEL_MIN 1
#define LARCH_TAP_CHANNEL_MAX 14

typedef struct larch_tap_listener {
    void (*talk)(void *context, larch_bytes talk); /* printable ASCII */
    void (*status)(void *context, const larch_serial_record_status *status);
    void *context; /* any of them may be NULL */
} larch_tap_listener;

typedef struct larch_tap larch_tap;

/* listener is copied. NULL: *trouble says why. */
larch_tap *larch_tap_open(const char *path, unsigned long baud, const larch_tap_listener *listener,
                          larch_sniff_trouble *trouble);

/* To wait for: when it can be read, larch_tap_step takes what came. */
int larch_tap_fd(const larch_tap *tap);

/* Takes what has come, and does not wait. LARCH_OK, LARCH_AGAIN: go on; LARCH_SPENT: at its end; LARCH_PLATFORM: the
 * line is gone, *trouble; LARCH_STATE: the engine could not write. */
LARCH_MUST_USE larch_error larch_tap_step(larch_tap *tap, larch_engine *engine, larch_sniff_trouble *trouble);

/* Sends a control line; its answer comes as talk. False: the line goes one way, or stands still. */
bool larch_tap_tell(larch_tap *tap, const char *line);
/* "what number". */
bool larch_tap_tell_number(larch_tap *tap, const char *what, unsigned long number);
/* Sets channel and snap length; 0: as they are. False: the line goes one way, and somebody wants something else than what
 * every board does by itself. */
bool larch_tap_set(larch_tap *tap, unsigned long channel, unsigned long snap);

/* Frames that the board heard and that did not come. */
uint64_t larch_tap_missing(const larch_tap *tap);
void larch_tap_print_summary(const larch_tap *tap, FILE *file);
void larch_tap_close(larch_tap *tap);

#endif
