/* SPDX-License-Identifier: Apache-2.0 */
/* What the dissector of LAKE (EDHOC) finds in a packet. */
#ifndef LARCH_SNIFF_LAKE_H
#define LARCH_SNIFF_LAKE_H

#include "larch/lake_observer.h"
#include "sniff/dissect/suite.h"

typedef enum larch_sniff_lake_message {
    LARCH_SNIFF_LAKE_NONE,
    LARCH_SNIFF_LAKE_MESSAGE_1, /* message_1, suites, eads */
    LARCH_SNIFF_LAKE_MESSAGE_2, /* ciphertext_len, g_y_len */
    LARCH_SNIFF_LAKE_MESSAGE_3, /* ciphertext_len, c_r unless it goes with an OSCORE request */
    LARCH_SNIFF_LAKE_MESSAGE_4, /* ciphertext_len */
    LARCH_SNIFF_LAKE_ERROR      /* error, and suites of code 2 */
} larch_sniff_lake_message;

typedef enum larch_sniff_lake_outcome {
    LARCH_SNIFF_LAKE_CLOSED,  /* nobody tried: there is no key log, or nothing to open */
    LARCH_SNIFF_LAKE_OPENED,  /* inside, inside_eads */
    LARCH_SNIFF_LAKE_UNKNOWN, /* the key log has no secrets of this handshake, or its messages before were not seen */
    LARCH_SNIFF_LAKE_REFUSED  /* it is not what these secrets made */
} larch_sniff_lake_outcome;

/* Labels of EAD items, those that are critical below zero. */
#define LARCH_SNIFF_EADS_MAX 8

typedef struct larch_sniff_eads {
    size_t count;
    int64_t labels[LARCH_SNIFF_EADS_MAX];
    bool has_time; /* larch's own item of EAD_4 */
    uint64_t unix_s;
} larch_sniff_eads;

typedef struct larch_sniff_lake {
    larch_sniff_lake_message message; /* names the members that hold something */
    larch_bytes bytes;                /* of the message itself; view into packet->body, as all views but inside */
    larch_lake_message_1 message_1;
    larch_sniff_suites suites; /* SUITES_I or SUITES_R */
    larch_sniff_eads eads;
    larch_bytes c_r;
    size_t g_y_len; /* 0: not known */
    size_t ciphertext_len;
    larch_lake_error error;

    uint64_t handshake; /* the packet that began it; 0: not seen */
    bool has_terms;     /* method and suite, of message_1 */
    uint8_t method;
    int64_t suite;
    larch_sniff_strength strength; /* of the suite */
    bool completes;                /* the session's keys are in use from here on */

    larch_sniff_lake_outcome outcome;
    larch_lake_inside inside; /* views into the keys' memory */
    larch_sniff_eads inside_eads;
} larch_sniff_lake;

#endif
