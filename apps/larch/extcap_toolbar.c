/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "extcap_toolbar.h"

enum { CHANNEL, RUN, SNAP, LOG };               /* controls */
enum { INITIALIZED, SET, ADD, STATUS_BAR = 6 }; /* commands */
enum { HEAD = 4 };                              /* bytes before the control */

void larch_toolbar_print(FILE *file)
{
    fprintf(
        file,
        "control {number=%d}{type=selector}{display=Channel}{tooltip=The channel that the board listens on}\n"
        "control {number=%d}{type=button}{display=Stop}{tooltip=Have the board listen, or not}\n"
        "control {number=%d}{type=string}{display=Snap length}{tooltip=Bytes of a frame that the board keeps at most}"
        "{validation=^[1-9][0-9]*$}{placeholder=%d}\n"
        "control {number=%d}{type=button}{role=logger}{display=Log}{tooltip=What the board says}\n",
        CHANNEL, RUN, SNAP, LARCH_RECORD_SNAP_MAX, LOG);
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

static void obey(larch_toolbar *t, larch_tap *tap, uint8_t control, larch_bytes payload)
{
    char text[16];
    unsigned long number;
    if (payload.len >= sizeof text)
        return;
    memcpy(text, payload.data, payload.len);
    text[payload.len] = '\0';
    if (control == RUN)
        (void)larch_tap_tell(tap, t->running ? "stop" : "start");
    else if (control == CHANNEL && larch_app_number(text, LARCH_TAP_CHANNEL_MIN, LARCH_TAP_CHANNEL_MAX, &number))
        (void)larch_tap_tell_number(tap, "channel", number);
    else if (control == SNAP && larch_app_number(text, 1, LARCH_RECORD_SNAP_MAX, &number))
        (void)larch_tap_tell_number(tap, "snap", number);
    else
        return;
    (void)larch_tap_tell(tap, "status"); /* the toolbar shows what is, not what was asked for */
}

/* Takes the message that begins the buffer; false: it is not whole yet. */
static bool take_message(larch_toolbar *t, larch_tap *tap)
{
    size_t len = 1;
    if (t->len < HEAD)
        return false;
    if (t->bytes[0] == 'T') {
        len = HEAD + ((size_t)t->bytes[1] << 16 | (size_t)t->bytes[2] << 8 | t->bytes[3]);
        if (len <= sizeof t->bytes && len > t->len)
            return false;
        if (len <= sizeof t->bytes && len >= HEAD + 2 && t->bytes[HEAD + 1] == SET)
            obey(t, tap, t->bytes[HEAD], (larch_bytes){t->bytes + HEAD + 2, len - HEAD - 2});
    }
    const size_t here = len < t->len ? len : t->len;
    t->skip = len - here;
    t->len -= here;
    memmove(t->bytes, t->bytes + here, t->len);
    return true;
}

void larch_toolbar_poll(larch_toolbar *t, larch_tap *tap)
{
    ssize_t n;
    while (t->in >= 0 && (n = read(t->in, t->bytes + t->len, sizeof t->bytes - t->len)) > 0) {
        t->len += (size_t)n;
        const size_t skipped = t->skip < t->len ? t->skip : t->len;
        t->skip -= skipped;
        t->len -= skipped;
        memmove(t->bytes, t->bytes + skipped, t->len);
        while (take_message(t, tap))
            ;
    }
}

/* ---- to Wireshark ------------------------------------------------------ */

/* A message goes whole or not at all, as a pipe takes it; a toolbar that nobody reads holds up no capture. */
static void show(const larch_toolbar *t, uint8_t control, uint8_t command, larch_bytes payload, const char *end)
{
    uint8_t bytes[HEAD + 2 + LARCH_RECORD_TEXT_MAX + 1];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    const size_t len = 2 + payload.len + strlen(end);
    if (t->out < 0)
        return;
    larch_writer_put_u8(&w, 'T');
    larch_writer_put_u8(&w, (uint8_t)(len >> 16));
    larch_writer_put_u16(&w, (uint16_t)len);
    larch_writer_put_u8(&w, control);
    larch_writer_put_u8(&w, command);
    larch_writer_put(&w, payload);
    larch_writer_put(&w, (larch_bytes){(const uint8_t *)end, strlen(end)});
    larch_bytes message;
    if (larch_writer_finish(&w, &message) == LARCH_OK && write(t->out, message.data, message.len) < 0)
        return;
}

static void show_text(const larch_toolbar *t, uint8_t control, uint8_t command, const char *text)
{
    show(t, control, command, (larch_bytes){(const uint8_t *)text, strlen(text)}, "");
}

void larch_toolbar_status(larch_toolbar *t, const larch_record_status *status)
{
    char text[64];
    if (!t->shown || t->channel != status->channel) {
        (void)snprintf(text, sizeof text, "%u", (unsigned)status->channel);
        show_text(t, CHANNEL, SET, text);
    }
    if (!t->shown || t->snap != status->snap) {
        (void)snprintf(text, sizeof text, "%u", (unsigned)status->snap);
        show_text(t, SNAP, SET, text);
    }
    if (!t->shown || t->running != status->running)
        show_text(t, RUN, SET, status->running ? "Stop" : "Start");
    if (t->shown && t->dropped != status->dropped) {
        (void)snprintf(text, sizeof text, "The board dropped %lu frames: its line is full",
                       (unsigned long)(status->dropped - t->dropped));
        show_text(t, LOG, STATUS_BAR, text);
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
    if (talk.len > LARCH_RECORD_TEXT_MAX)
        talk.len = LARCH_RECORD_TEXT_MAX;
    show(t, LOG, ADD, talk, "\n");
    if (talk.len > sizeof error - 1 && memcmp(talk.data, error, sizeof error - 1) == 0)
        show(t, LOG, STATUS_BAR, talk, "");
}

void larch_toolbar_close(larch_toolbar *t)
{
    if (t->in >= 0)
        (void)close(t->in);
    if (t->out >= 0)
        (void)close(t->out);
    t->in = t->out = -1;
}
