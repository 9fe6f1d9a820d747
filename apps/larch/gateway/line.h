/* SPDX-License-Identifier: Apache-2.0 */
/* One line about what happened, as text or, with --json, as an object with the members "time" and "event". */
#ifndef LARCH_APP_GATEWAY_LINE_H
#define LARCH_APP_GATEWAY_LINE_H

#include "gateway/report.h"

typedef struct gateway_line {
    larch_writer *writer;
    bool json;
    int64_t unix_ms;
} gateway_line;

/* A refusal; count: of how many it is the last. */
void gateway_line_put_refusal(const gateway_line *line, const larch_event *event, uint64_t count);
/* A rotation, or the end of an old key. The gateway has the new key. */
void gateway_line_put_change(const gateway_line *line, const larch_gateway *gateway, const larch_event *event);
void gateway_line_put_handshake(const gateway_line *line, const gateway_report_shaken *shaken);
void gateway_line_put_storage(const gateway_line *line, const char *reason);
/* Lines for which a slow reader of stderr left no room. */
void gateway_line_put_dropped(const gateway_line *line, uint64_t count);
/* How often each kind of event came, since the start; always an object. */
void gateway_line_put_totals(const gateway_line *line, const larch_gateway *gateway);

/* "ML-KEM-512 generation 1 larch1:...", and the line's end. */
void gateway_line_put_key(larch_writer *w, const larch_gateway *gateway, const larch_kem *kem);

#endif
