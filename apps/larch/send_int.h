/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of `larch send` share: the exchange (send.c) and whose key is trusted (send_trust.c). */
#ifndef LARCH_APP_SEND_INT_H
#define LARCH_APP_SEND_INT_H

#include <limits.h>

#include "address.h"
#include "known.h"
#include "larch/sender.h"
#include "send_show.h"

#define NAME        "send"
#define STDIN_BYTES 65536

typedef struct sending {
    /* as asked */
    int argc;
    char **argv;
    const char *text;
    const char *pin_text;
    bool first_use;
    bool json;
    double interval, timeout;
    unsigned long count;
    char known_path[PATH_MAX];

    larch_posix_uri uri;
    char authority[LARCH_KNOWN_AUTHORITY_MAX + 1];
    larch_sender_config config;
    larch_random random;
    larch_known record; /* what the file holds; record.kem NULL: nothing */
    const char *trust;
    uint8_t bytes[STDIN_BYTES + 1];
    larch_bytes message;
    int socket;
    larch_show show;
    larch_sender sender;
} sending;

/* Makes the pin out of what --pin names and what is on record. LARCH_OK, also without a
 * record; other errors as larch_known_find. */
LARCH_MUST_USE larch_error send_load_pin(sending *s, char *why);

/* Writes down the trusted key, if the file does not hold it yet. -1 to go on, else the exit code. */
int send_record_key(sending *s);

/* Say why nothing is sent, and what to do; the exit code. */
int send_refuse_unknown(const sending *s, const char *fingerprint);
int send_refuse_wrong(const sending *s, const char *fingerprint);

#endif
