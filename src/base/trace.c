/* SPDX-License-Identifier: Apache-2.0 */
#include "larch/base.h"

static void report(const larch_trace *trace, larch_step step, bool begin, size_t bytes)
{
    if (trace != NULL && trace->step != NULL)
        trace->step(trace->context, step, begin, bytes);
}

void larch_trace_begin(const larch_trace *trace, larch_step step) { report(trace, step, true, 0); }

void larch_trace_end(const larch_trace *trace, larch_step step, size_t bytes) { report(trace, step, false, bytes); }
