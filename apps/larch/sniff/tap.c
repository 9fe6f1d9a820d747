/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "sniff/tap.h"
#include "system.h"

struct larch_tap {
    larch_sniff_port port;
    larch_sniff_serial serial;
    larch_tap_listener listener;
    bool heard; /* something came */
    bool asked; /* a board that was found stopped was told to start */
    uint8_t bytes[16384];
};

larch_tap *larch_tap_open(const char *path, unsigned long baud, const larch_tap_listener *listener,
                          larch_sniff_trouble *trouble)
{
    larch_tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL) {
        (void)snprintf(trouble->text, sizeof trouble->text, "no memory");
        trouble->hint = "";
        return NULL;
    }
    if (larch_sniff_port_open(&tap->port, path, baud, trouble) != LARCH_OK) {
        free(tap);
        return NULL;
    }
    larch_sniff_serial_init(&tap->serial);
    tap->listener = *listener;
    return tap;
}

static void take_losses(larch_engine *engine, const larch_sniff_serial_item *item, uint64_t time_ns)
{
    if (item->restarted)
        larch_engine_take_loss(engine, time_ns, LARCH_SNIFF_LOSS_RESTART, 1);
    if (item->dropped > 0)
        larch_engine_take_loss(engine, time_ns, LARCH_SNIFF_LOSS_DROPPED, item->dropped);
    if (item->lost > 0)
        larch_engine_take_loss(engine, time_ns, LARCH_SNIFF_LOSS_LINE, item->lost);
}

/* Who opens a board that somebody stopped wants to hear it. */
static void take_status(larch_tap *tap, const larch_serial_record_status *status)
{
    if (!tap->asked && !status->running)
        (void)larch_tap_tell(tap, "start");
    tap->asked = true;
    if (tap->listener.status != NULL)
        tap->listener.status(tap->listener.context, status);
}

/* False: the engine could not write. */
static bool take_item(larch_tap *tap, larch_engine *engine, larch_sniff_serial_event event,
                      const larch_sniff_serial_item *item, uint64_t time_ns)
{
    switch (event) {
    case LARCH_SNIFF_SERIAL_FRAME:
        take_losses(engine, item, item->frame.time_ns);
        return larch_engine_take(engine, &item->frame, item->missing);
    case LARCH_SNIFF_SERIAL_STATUS:
        take_losses(engine, item, time_ns);
        take_status(tap, &item->status);
        return true;
    case LARCH_SNIFF_SERIAL_TALK:
        if (tap->listener.talk != NULL)
            tap->listener.talk(tap->listener.context, item->talk);
        return true;
    case LARCH_SNIFF_SERIAL_DAMAGED:
        larch_engine_take_loss(engine, time_ns, LARCH_SNIFF_LOSS_DAMAGED, 1);
        return true;
    default:
        return true;
    }
}

int larch_tap_fd(const larch_tap *tap) { return tap->port.fd; }

larch_error larch_tap_step(larch_tap *tap, larch_engine *engine, larch_sniff_trouble *trouble)
{
    larch_sniff_serial_event event;
    larch_sniff_serial_item item;
    size_t len;
    larch_error r = larch_sniff_port_read(&tap->port, tap->bytes, sizeof tap->bytes, &len, trouble);
    if (r != LARCH_OK)
        return r;
    larch_bytes input = {tap->bytes, len};
    tap->heard = true;
    const uint64_t time_ns = larch_posix_unix_ns();
    while (!larch_engine_enough(engine) &&
           (event = larch_sniff_serial_next(&tap->serial, &input, time_ns, &item)) != LARCH_SNIFF_SERIAL_NOTHING)
        if (!take_item(tap, engine, event, &item, time_ns))
            return LARCH_STATE;
    return LARCH_OK;
}

bool larch_tap_tell(larch_tap *tap, const char *line) { return larch_sniff_port_tell(&tap->port, line) == LARCH_OK; }

bool larch_tap_tell_number(larch_tap *tap, const char *what, unsigned long number)
{
    char line[48];
    (void)snprintf(line, sizeof line, "%s %lu", what, number);
    return larch_tap_tell(tap, line);
}

bool larch_tap_set(larch_tap *tap, unsigned long channel, unsigned long snap)
{
    /* Wireshark gives every option, with its default too; a FIFO takes no lines, and needs none for that. */
    if (!tap->port.two_ways && snap == LARCH_SERIAL_RECORD_SNAP_MAX)
        snap = 0;
    return (channel == 0 || larch_tap_tell_number(tap, "channel", channel)) &&
           (snap == 0 || larch_tap_tell_number(tap, "snap", snap));
}

uint64_t larch_tap_missing(const larch_tap *tap) { return tap->serial.totals.dropped + tap->serial.totals.lost; }

void larch_tap_print_summary(const larch_tap *tap, FILE *file)
{
    const struct larch_sniff_serial_totals *t = &tap->serial.totals;
    fprintf(file,
            "  from the board %" PRIu64 " frames, dropped by it %" PRIu64 ", lost on the line %" PRIu64
            ", damaged records %" PRIu64 ", restarts %" PRIu64 "\n",
            t->frames, t->dropped, t->lost, t->damaged, t->restarts);
    if (tap->heard && !tap->serial.begun)
        fprintf(file, "  nothing on the line could be read: is the baud rate right?\n");
}

void larch_tap_close(larch_tap *tap)
{
    if (tap == NULL)
        return;
    larch_sniff_port_close(&tap->port);
    free(tap);
}
