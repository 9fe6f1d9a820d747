/* SPDX-License-Identifier: Apache-2.0 */
#include "common/interrupt.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A handler has no context. */
static struct {
    volatile sig_atomic_t came;
    int event; /* readable from the first signal on */
    void (*also)(void);
} interrupt;

static void handle(int number)
{
    const int before = errno;
    (void)number;
    interrupt.came = 1;
    if (interrupt.also != NULL)
        interrupt.also();
    (void)eventfd_write(interrupt.event, 1); /* fails when it is full, and readable therefore */
    errno = before;
}

int larch_interrupt_catch(void (*also)(void))
{
    struct sigaction action = {.sa_handler = handle}; /* without SA_RESTART: a write ends */
    interrupt.also = also;
    interrupt.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigemptyset(&action.sa_mask);
    return interrupt.event >= 0 && sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0 ? 0
                                                                                                                   : -1;
}

bool larch_interrupt_came(void) { return interrupt.came != 0; }

static void stop_loop(larch_loop_watch *watch, unsigned events)
{
    (void)events;
    larch_loop_stop(watch->context, 0);
}

larch_error larch_interrupt_watch(larch_loop *loop, larch_loop_watch *watch)
{
    *watch = (larch_loop_watch){.fd = interrupt.event, .ready = stop_loop, .context = loop};
    return larch_loop_add_watch(loop, watch, LARCH_LOOP_READ);
}
