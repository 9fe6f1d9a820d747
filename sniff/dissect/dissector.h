/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One protocol inside CoAP, or CoAP itself. To add a protocol: one file with its larch_sniff_dissector, and its row in
 * LARCH_SNIFF_DISSECTORS. What a detector should judge goes into packet->claims, and what is malformed into packet->why.
 */
#ifndef LARCH_SNIFF_DISSECTOR_H
#define LARCH_SNIFF_DISSECTOR_H

#include "sniff/dissect/field.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct larch_sniff_dissector {
    /* Whether a message is of this protocol by an option of its own, whatever its resource; reads what the option says
     * into the packet. It sees every message that is well-formed, retransmissions among them. NULL: there is no such
     * option. */
    bool (*mark)(larch_sniff_packet *packet);
    /* Whether a request is for a resource of this protocol; *resource is then the protocol's own number of it. A port
     * that takes such a request is from then on known to speak CoAP. NULL: the protocol has no resources. */
    bool (*match)(const larch_coap_message *request, uint8_t *resource);
    /* Reads packet->body, which is whole and untrusted, of a message with such an option, of a request to such a resource,
     * or of a response from it. False: the body is none of the protocol's messages. NULL: the protocol is known by its
     * resources alone. */
    bool (*read)(larch_sniff_packet *packet);
    /* Which of its messages a packet is, as a number below 32. 0: none, and its fields do not stand in the output. NULL
     * if there are no fields. */
    unsigned (*message)(const larch_sniff_packet *packet);
    const larch_sniff_field *fields;
    size_t field_count;
} larch_sniff_dissector;

/* X(name), in the order of the output; the first that matches reads the body. */
#define LARCH_SNIFF_DISSECTORS(X) \
    X(coap)                       \
    X(lake)                       \
    X(oscore)                     \
    X(direct)                     \
    X(remainder)

#define LARCH_SNIFF_DISSECTOR_DECLARE(name) extern const larch_sniff_dissector larch_sniff_dissector_##name;
LARCH_SNIFF_DISSECTORS(LARCH_SNIFF_DISSECTOR_DECLARE)
#undef LARCH_SNIFF_DISSECTOR_DECLARE

/* A walk over the fields of all dissectors, from zeros on. */
typedef struct larch_sniff_field_walk {
    size_t dissector; /* private, all of it */
    size_t field;
} larch_sniff_field_walk;

/* The next field of a dissector that knows the packet as its *message; NULL at the end. Whether that message has the
 * field, its masks say. */
const larch_sniff_field *larch_sniff_field_next(larch_sniff_field_walk *walk, const larch_sniff_packet *packet,
                                                unsigned *message);

/* The dissector whose mark holds for a message; NULL: none. */
const larch_sniff_dissector *larch_sniff_dissector_mark(larch_sniff_packet *packet);
/* The dissector whose match holds for a request, and its *resource; NULL: none. */
const larch_sniff_dissector *larch_sniff_dissector_find(const larch_coap_message *request, uint8_t *resource);

/* For a match: whether the request's path is one of paths, and *resource is its index. */
bool larch_sniff_match_paths(const larch_coap_message *request, const char *const *paths, size_t count,
                             uint8_t *resource);

#ifdef __cplusplus
}
#endif

#endif
