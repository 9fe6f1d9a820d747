/* SPDX-License-Identifier: Apache-2.0 */
/* The texts that are sent, one after another, in either way. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "send/send_int.h"
#include "system.h"

/* Longest text of one message. */
static size_t text_max(const sending *s)
{
    return send_is_protected(s) ? STDIN_BYTES : larch_sender_text_max(&s->config);
}

static const char *way_of(const sending *s) { return send_is_protected(s) ? "OSCORE" : s->config.kem->name; }

/* The next line of standard input, without its end. *is_end: there is none, and nothing was taken. */
static larch_exit take_line(sending *s, bool *is_end)
{
    const size_t max = text_max(s);
    size_t len = 0;
    int c;
    for (; (c = getc(stdin)) != EOF && c != '\n'; len++)
        if (len < sizeof s->bytes)
            s->bytes[len] = (uint8_t)c;
    if (ferror(stdin))
        return larch_app_fail(NAME, "standard input: %s", strerror(errno));
    *is_end = c == EOF && len == 0;
    s->line += !*is_end;
    if (len > max)
        return larch_app_fail(NAME, "line %lu has %zu bytes; one message of %s takes %zu", s->line, len, way_of(s),
                              max);
    s->message = (larch_bytes){s->bytes, len};
    return LARCH_EXIT_DONE;
}

larch_exit send_take_text(sending *s)
{
    size_t len = strlen(s->text);
    const size_t max = text_max(s);
    if (s->lines)
        return LARCH_EXIT_DONE; /* one after another */
    if (strcmp(s->text, "-") == 0) {
        len = fread(s->bytes, 1, sizeof s->bytes, stdin);
        if (ferror(stdin))
            return larch_app_fail(NAME, "standard input: %s", strerror(errno));
        if (len > 0 && s->bytes[len - 1] == '\n')
            len--;
        s->message = (larch_bytes){s->bytes, len};
    } else {
        s->message = (larch_bytes){(const uint8_t *)s->text, len};
    }
    if (len > max)
        return larch_app_usage(NAME, "the text has %s%zu bytes; one message of %s takes %zu",
                               len > STDIN_BYTES ? "more than " : "", len, way_of(s), max);
    return LARCH_EXIT_DONE;
}

void send_show_hint(sending *s)
{
    if (s->wire.hint != 0 && s->wire.hint != s->shown_hint)
        larch_show_line(&s->show, "no way yet, trying on", larch_app_hint_of(s->wire.hint).text);
    s->shown_hint = s->wire.hint;
}

/* Between two messages; what arrives meanwhile waits in the socket. */
static void pause_interval(sending *s)
{
    larch_loop_init(&s->loop, NULL, NULL);
    (void)larch_loop_run_until(&s->loop, larch_posix_now_ms() + (uint64_t)(s->interval * 1000));
}

larch_exit send_take_first_line(sending *s) { return s->lines ? take_line(s, &s->is_end) : LARCH_EXIT_DONE; }

larch_exit send_all(sending *s, larch_exit (*post)(sending *s))
{
    larch_exit code;
    for (unsigned long sent = 1; (code = post(s)) == LARCH_EXIT_DONE && (s->lines || sent < s->count); sent++) {
        if (s->lines && ((code = take_line(s, &s->is_end)) != LARCH_EXIT_DONE || s->is_end))
            break;
        pause_interval(s);
        larch_show_next(&s->show, s->message.len);
    }
    return code;
}
