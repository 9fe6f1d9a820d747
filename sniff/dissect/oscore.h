/* SPDX-License-Identifier: Apache-2.0 */
/* What the dissector of OSCORE finds in a packet, and what a request leaves behind for its responses. */
#ifndef LARCH_SNIFF_OSCORE_H
#define LARCH_SNIFF_OSCORE_H

#include "larch/coap_block.h"
#include "larch/oscore.h"
#include "sniff/dissect/suite.h"

typedef enum larch_sniff_oscore_message {
    LARCH_SNIFF_OSCORE_NONE,
    LARCH_SNIFF_OSCORE_REQUEST,  /* option, number; ciphertext if it is whole */
    LARCH_SNIFF_OSCORE_RESPONSE, /* the same; has_number tells whether it has a number of its own */
    LARCH_SNIFF_OSCORE_GROUP,    /* ciphertext if it is whole */
    LARCH_SNIFF_OSCORE_BROKEN    /* an option that breaks its format: packet->why */
} larch_sniff_oscore_message;

typedef enum larch_sniff_oscore_outcome {
    LARCH_SNIFF_OSCORE_CLOSED,  /* nobody tried: there is no key log, or the message is not whole */
    LARCH_SNIFF_OSCORE_OPENED,  /* inner; packet->inner_path of a request */
    LARCH_SNIFF_OSCORE_UNKNOWN, /* the key log has no context for it, or its request was not opened */
    LARCH_SNIFF_OSCORE_REFUSED, /* it verifies under none of the contexts that fit its kid */
    LARCH_SNIFF_OSCORE_TOO_LONG /* for the sniffer's memory */
} larch_sniff_oscore_outcome;

/* Which context of the key log opened a request, for the responses to it. */
typedef struct larch_sniff_oscore_asked {
    uint16_t context; /* index and 1; 0: none */
    uint8_t end;      /* which of its two ends sent the request */
    larch_oscore_binding binding;
} larch_sniff_oscore_asked;

typedef struct larch_sniff_oscore {
    larch_sniff_oscore_message message; /* names the members that hold something */
    larch_oscore_option option;         /* views into the datagram */
    bool has_number;
    uint64_t number;               /* the Partial IV as a number */
    larch_bytes ciphertext;        /* with its tag; view into packet->body */
    larch_sniff_strength strength; /* of the handshake that made the keys; UNKNOWN too if it was not seen */
    larch_sniff_oscore_outcome outcome;
    larch_sniff_oscore_asked asked;
    larch_coap_message inner; /* views into the keys' memory */
    bool has_echo, has_block1, has_block2;
    larch_coap_block block1, block2;
} larch_sniff_oscore;

#endif
