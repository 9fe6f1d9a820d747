/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's hardware source of entropy, which only adds to the kernel's random bytes. */
#ifndef LARCH_APP_GATEWAY_ENTROPY_H
#define LARCH_APP_GATEWAY_ENTROPY_H

#include "gateway/report.h"
#include "loop.h"
#include "secrets/entropy.h"

typedef struct gateway_entropy {
    larch_entropy source; /* private, all of it */
    gateway_report *report;
    const char *device;
    larch_loop_watch watch;
    bool is_helping, has_failed; /* as it was reported last */
} gateway_entropy;

/* Starts to read the device (""; nothing happens). A failure is reported, and changes nothing. */
void gateway_entropy_start(gateway_entropy *g, const char *device, gateway_report *report_to, larch_loop *loop);
void gateway_entropy_stop(gateway_entropy *g);

#endif
