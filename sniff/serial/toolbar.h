/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between Wireshark and an external capture's toolbar, each way over a pipe of its own:
 *
 *     'T' | length of the rest (3) | control (1) | command (1) | payload
 */
#ifndef LARCH_SNIFF_TOOLBAR_H
#define LARCH_SNIFF_TOOLBAR_H

#include "larch/base.h"

#define LARCH_SNIFF_TOOLBAR_HEAD_LEN 6
#define LARCH_SNIFF_TOOLBAR_READ_MAX 256 /* of a message that is read; nothing longer is an order of ours */

typedef enum larch_sniff_toolbar_command {
    LARCH_SNIFF_TOOLBAR_INITIALIZED = 0,
    LARCH_SNIFF_TOOLBAR_SET = 1,
    LARCH_SNIFF_TOOLBAR_ADD = 2,
    LARCH_SNIFF_TOOLBAR_STATUS_BAR = 6
} larch_sniff_toolbar_command;

typedef struct larch_sniff_toolbar_message {
    uint8_t control;
    uint8_t command;
    larch_bytes payload;
} larch_sniff_toolbar_message;

/* All zeros at the begin. */
typedef struct larch_sniff_toolbar_reader {
    uint8_t bytes[LARCH_SNIFF_TOOLBAR_READ_MAX]; /* private, all of it */
    size_t len;
    size_t skip; /* bytes to come of a message that is too long */
} larch_sniff_toolbar_reader;

/* Takes untrusted bytes from *input, which moves on behind them, up to the end of the next message; its payload is valid
 * until the next call. Bytes between messages, messages without a command and too long ones are passed over.
 * LARCH_AGAIN: all bytes are taken; more are needed. */
LARCH_MUST_USE larch_error larch_sniff_toolbar_next(larch_sniff_toolbar_reader *r, larch_bytes *input,
                                                    larch_sniff_toolbar_message *message);

/* The bytes of a message, whose payload is shorter than 2^24 - 2. */
void larch_sniff_toolbar_put(larch_writer *w, const larch_sniff_toolbar_message *message);

#endif
