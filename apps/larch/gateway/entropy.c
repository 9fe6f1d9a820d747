/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/entropy.h"

#include "system.h"

/* Each change of its state is a line. */
static void report(gateway_entropy *g, larch_entropy_event event, const char *why)
{
    if (event == LARCH_ENTROPY_SEED && !g->is_helping)
        gateway_report_say(g->report, "entropy: %s passes the health tests; its bytes are added to the kernel's",
                           g->device);
    if (event == LARCH_ENTROPY_FAULT && !g->has_failed)
        gateway_report_say(g->report, "entropy: %s %s; the kernel's random bytes alone are used", g->device, why);
    g->is_helping = event == LARCH_ENTROPY_SEED;
    g->has_failed = event == LARCH_ENTROPY_FAULT;
}

static void take(larch_loop_watch *watch, unsigned events)
{
    gateway_entropy *g = watch->context;
    const larch_random random = larch_posix_random();
    uint8_t seed[LARCH_ENTROPY_SEED_LEN];
    char why[LARCH_ENTROPY_WHY_MAX];
    larch_entropy_event event;
    (void)events;
    while ((event = larch_entropy_take(&g->source, &random, seed, why)) != LARCH_ENTROPY_NOTHING) {
        if (event == LARCH_ENTROPY_SEED)
            larch_posix_random_add(seed);
        report(g, event, why);
    }
    larch_wipe(seed, sizeof seed);
}

void gateway_entropy_start(gateway_entropy *g, const char *device, gateway_report *report_to, larch_loop *loop)
{
    g->report = report_to;
    g->device = device;
    g->source.fd = -1;
    if (device[0] == '\0')
        return;
    const larch_entropy_config config = {.device = device};
    if (larch_entropy_start(&g->source, &config) == LARCH_OK) {
        g->watch = (larch_loop_watch){.fd = g->source.fd, .ready = take, .context = g};
        if (larch_loop_add_watch(loop, &g->watch, LARCH_LOOP_READ) == LARCH_OK)
            return;
        larch_entropy_stop(&g->source);
    }
    report(g, LARCH_ENTROPY_FAULT, "cannot be read beside the gateway");
}

void gateway_entropy_stop(gateway_entropy *g)
{
    if (g->device != NULL)
        larch_entropy_stop(&g->source);
}
