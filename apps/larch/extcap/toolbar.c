/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/app.h"
#include "extcap/toolbar.h"

enum { CHANNEL, RUN, SNAP, LOG }; /* controls */

void larch_toolbar_print(FILE *file)
{
    fprintf(
        file,
        "control {number=%d}{type=selector}{display=Channel}{tooltip=The channel that the board listens on}\n"
        "control {number=%d}{type=button}{display=Stop}{tooltip=Have the board listen, or not}\n"
        "control {number=%d}{type=string}{display=Snap length}{tooltip=Bytes of a frame that the board keeps at most}"
        "{validation=^[1-9][0-9]*$}{placeholder=%d}\n"
        "control {number=%d}{type=button}{role=logger}{display=Log}{tooltip=What the board says}\n",
        CHANNEL, RUN, SNAP, LARCH_SERIAL_RECORD_SNAP_MAX, LOG);
    for (int i = LARCH_TAP_CHANNEL_MIN; i <= LARCH_TAP_CHANNEL_MAX; i++)
        fprintf(file, "value {control=%d}{value=%d}{display=%d}\n", CHANNEL, i, i);
}

/* Both ends of each pipe are opened, so that neither opening nor reading ever waits for Wireshark. */
bool larch_toolbar_open(larch_toolbar *t, const char *in, const char *out)
{
    memset(t, 0, sizeof *t);
    t->in = t->out = -1;
    if (in == NULL || out == NULL)
        return true;
    t->in = open(in, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    t->out = open(out, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return t->in >= 0 && t->out >= 0;
}

/* ---- to the board ------------------------------------------------------ */

static void obey(const larch_toolbar *t, larch_tap *tap, const larch_sniff_toolbar_message *order)
{
    char text[16];
    unsigned long number;
    if (order->command != LARCH_SNIFF_TOOLBAR_SET || order->payload.len >= sizeof text)
        return;
    memcpy(text, order->payload.data, order->payload.len);
    text[order->payload.len] = '\0';
    if (order->control == RUN)
        (void)larch_tap_tell(tap, t->running ? "stop" : "start");
    else if (order->control == CHANNEL && larch_app_number(text, LARCH_TAP_CHANNEL_MIN, LARCH_TAP_CHANNEL_MAX, &number))
        (void)larch_tap_tell_number(tap, "channel", number);
    else if (order->control == SNAP && larch_app_number(text, 1, LARCH_SERIAL_RECORD_SNAP_MAX, &number))
        (void)larch_tap_tell_number(tap, "snap", number);
    else
        return;
    (void)larch_tap_tell(tap, "status"); /* the toolbar shows what is, not what was asked for */
}

void larch_toolbar_obey(larch_toolbar *t, larch_tap *tap)
{
    uint8_t bytes[256];
    larch_sniff_toolbar_message order;
    ssize_t n;
    while (t->in >= 0 && (n = read(t->in, bytes, sizeof bytes)) > 0) {
        larch_bytes input = {bytes, (size_t)n};
        while (larch_sniff_toolbar_next(&t->reader, &input, &order) == LARCH_OK)
            obey(t, tap, &order);
    }
}

/* ---- to Wireshark ------------------------------------------------------ */

/* A message goes whole or not at all, as a pipe takes it; a toolbar that nobody reads holds up no capture. */
static void show(const larch_toolbar *t, uint8_t control, uint8_t command, larch_bytes payload)
{
    uint8_t bytes[LARCH_SNIFF_TOOLBAR_HEAD_LEN + LARCH_SERIAL_RECORD_TEXT_MAX + 1];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    const larch_sniff_toolbar_message message = {control, command, payload};
    larch_bytes whole;
    if (t->out < 0)
        return;
    larch_sniff_toolbar_put(&w, &message);
    if (larch_writer_finish(&w, &whole) == LARCH_OK && write(t->out, whole.data, whole.len) < 0)
        return;
}

static void show_text(const larch_toolbar *t, uint8_t control, uint8_t command, const char *text)
{
    show(t, control, command, (larch_bytes){(const uint8_t *)text, strlen(text)});
}

void larch_toolbar_status(larch_toolbar *t, const larch_serial_record_status *status)
{
    char text[64];
    if (!t->shown || t->channel != status->channel) {
        (void)snprintf(text, sizeof text, "%u", (unsigned)status->channel);
        show_text(t, CHANNEL, LARCH_SNIFF_TOOLBAR_SET, text);
    }
    if (!t->shown || t->snap != status->snap) {
        (void)snprintf(text, sizeof text, "%u", (unsigned)status->snap);
        show_text(t, SNAP, LARCH_SNIFF_TOOLBAR_SET, text);
    }
    if (!t->shown || t->running != status->running)
        show_text(t, RUN, LARCH_SNIFF_TOOLBAR_SET, status->running ? "Stop" : "Start");
    if (t->shown && t->dropped != status->dropped) {
        (void)snprintf(text, sizeof text, "The board dropped %lu frames: its line is full",
                       (unsigned long)(status->dropped - t->dropped));
        show_text(t, LOG, LARCH_SNIFF_TOOLBAR_STATUS_BAR, text);
    }
    t->channel = status->channel;
    t->snap = status->snap;
    t->running = status->running;
    t->dropped = status->dropped;
    t->shown = true;
}

void larch_toolbar_talk(larch_toolbar *t, larch_bytes talk)
{
    static const char error[] = "error:";
    uint8_t line[LARCH_SERIAL_RECORD_TEXT_MAX + 1];
    if (talk.len > LARCH_SERIAL_RECORD_TEXT_MAX)
        talk.len = LARCH_SERIAL_RECORD_TEXT_MAX;
    memcpy(line, talk.data, talk.len);
    line[talk.len] = '\n';
    show(t, LOG, LARCH_SNIFF_TOOLBAR_ADD, (larch_bytes){line, talk.len + 1});
    if (talk.len > sizeof error - 1 && memcmp(talk.data, error, sizeof error - 1) == 0)
        show(t, LOG, LARCH_SNIFF_TOOLBAR_STATUS_BAR, talk);
}

void larch_toolbar_close(larch_toolbar *t)
{
    if (t->in >= 0)
        (void)close(t->in);
    if (t->out >= 0)
        (void)close(t->out);
    t->in = t->out = -1;
}
