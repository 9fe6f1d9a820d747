/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `larch send` shows of an exchange: every datagram and every step of
 * cryptography with its time, as the prototype's serial console did; or one JSON
 * object for each message.
 */
#ifndef LARCH_APP_SEND_SHOW_H
#define LARCH_APP_SEND_SHOW_H

#include "larch/kem.h"

#define LARCH_SHOW_STEPS 16

typedef struct larch_show {
    bool json;
    uint64_t begun_ns;
    const char *gateway;  /* "host:port" */
    const larch_kem *kem; /* NULL: messages are protected by OSCORE */
    larch_trace trace;    /* for the sender's configuration */

    /* of the present message; private */
    uint64_t step_ns;
    uint64_t message_ns;
    size_t text_len;
    size_t step_count;
    struct {
        larch_step step;
        size_t bytes;
        uint64_t ns;
    } steps[LARCH_SHOW_STEPS];
    unsigned long bytes_out, bytes_in;
    unsigned datagrams_out, datagrams_in, again, round_trips;
    uint16_t last_message_id;
} larch_show;

/* gateway is kept. */
void larch_show_init(larch_show *show, bool json, const char *gateway, const larch_kem *kem);
/* The figures begin anew: those of the next message. */
void larch_show_next(larch_show *show, size_t text_len);
void larch_show_datagram(larch_show *show, bool out, larch_bytes datagram);
/* One line of what happened; left out of JSON. */
void larch_show_line(const larch_show *show, const char *what, const char *result);
/* The end of a message. */
typedef struct larch_show_end {
    const char *failure; /* NULL: there was none */
    const char *outcome; /* what to call a success: "accepted" */
    const char *trust;   /* how the gateway came to be trusted; NULL: it is not */
    bool is_proven;      /* the gateway proved that it has the message */
    uint8_t code;        /* of its answer; 0: there was none */
    larch_bytes answer;
    const uint8_t *identity, *key; /* hashes; NULL: not known */
    uint64_t n;                    /* the reading's number; 0: it has none */
} larch_show_end;

void larch_show_result(const larch_show *show, const larch_show_end *end);

#endif
