/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `larch send` share: the command (send.c), its texts (texts.c), whom it trusts (trust.c), and
 * messages that a session protects (protected.c). */
#ifndef LARCH_APP_SEND_INT_H
#define LARCH_APP_SEND_INT_H

#include <limits.h>

#include "address.h"
#include "common/app.h"
#include "common/wire.h"
#include "larch/sender.h"
#include "loop.h"
#include "send/known.h"
#include "send/show.h"

#define NAME        "send"
#define STDIN_BYTES 65536

typedef struct sending {
    /* as asked */
    int argc;
    char **argv;
    const char *text;
    larch_fingerprint pin; /* kind 0: none was given */
    bool first_use;
    bool json;
    bool lines; /* each line of standard input is a message */
    unsigned long line;
    bool is_end; /* there are no more lines */
    double interval, timeout;
    unsigned long count;
    char known_path[PATH_MAX];      /* as given; "": the default */
    char context_path[PATH_MAX];    /* of --oscore; "": no fixed context */
    char enrolment_path[PATH_MAX];  /* of --enrolment; "": no handshake */
    char enrolment_state[PATH_MAX]; /* folder of its session; "": beside the enrolment */
    bool has_no_clock;
    bool direct;          /* sealed, whatever else could be done */
    unsigned long format; /* Content-Format, of --format */
    larch_known_place place;

    larch_posix_uri uri;
    char authority[LARCH_KNOWN_NAME_MAX + 1];
    larch_sender_config config;
    larch_random random;
    larch_known seen;   /* what the file holds under this name; pin.kind 0: nothing */
    larch_known record; /* what trust begins with: that, or what it holds of the pinned identity under other names */
    const char *trust;
    uint8_t bytes[STDIN_BYTES + 1];
    larch_bytes message;
    larch_app_wire wire;
    int shown_hint; /* the one that was shown last */
    bool shown_held;
    larch_loop loop;
    larch_show show;
    larch_sender sender;
} sending;

/* Makes the basis of trust out of what --pin names and what is on record. Other than LARCH_EXIT_DONE: it has said why
 * nothing can be sent. */
larch_exit send_load_basis(sending *s, larch_trust_basis *basis);
/* In DECIDE: trusts an identity that is on record for this host, or what the user allowed; s->trust says which. Whether
 * the sender is READY. */
bool send_decide(sending *s);
/* Once READY: whether --pin allows the key. */
bool send_allows_key(const sending *s);
/* Writes down whom the sender trusts, if the file does not hold it yet. */
larch_exit send_record(sending *s);

/* Whether texts go under OSCORE, and are not sealed. */
static inline bool send_is_protected(const sending *s)
{
    return s->context_path[0] != '\0' || s->enrolment_path[0] != '\0';
}

/* The one text that the command line names, unless there are lines. */
larch_exit send_take_text(sending *s);
/* With --lines, the first of them; s->is_end: there is none. */
larch_exit send_take_first_line(sending *s);
/* The texts one after another, each by post, with pauses between them. */
larch_exit send_all(sending *s, larch_exit (*post)(sending *s));
/* A hint about the way is shown when it changes: people then need not wait for the end. */
void send_show_hint(sending *s);
/* The whole of `larch send --oscore` and `larch send --enrolment`. */
larch_exit send_protected(sending *s);

/* Says why trust is refused, and what to do. Returns LARCH_EXIT_REFUSED. */
larch_exit send_refuse(const sending *s);

#endif
