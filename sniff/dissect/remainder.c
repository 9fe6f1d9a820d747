/* SPDX-License-Identifier: Apache-2.0 */
/* The end of each line: a payload that no other dissector understood, and what the message belongs to. */
#include <stdio.h>

#include "sniff/dissect/dissector.h"

#define OF(kind) LARCH_SNIFF_OF(LARCH_SNIFF_##kind)
#define WHOLE    (OF(EMPTY) | OF(REQUEST) | OF(RESPONSE))

static unsigned message_of(const larch_sniff_packet *p) { return p->kind; }

/* [RFC7252 5.5.2] the payload of an error is text for people. */
static bool get_diagnostic(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return !p->understood && p->kind == LARCH_SNIFF_RESPONSE && LARCH_COAP_CLASS(p->coap.code) >= 4 &&
           p->coap.payload.len > 0 && larch_sniff_give_bytes(v, LARCH_SNIFF_VALUE_FOREIGN, p->coap.payload);
}

static bool get_bytes(const larch_sniff_packet *p, larch_sniff_value *v)
{
    const size_t cut = p->datagram.payload_len - p->datagram.payload.len;
    return !p->understood && p->coap.payload.len > 0 && !get_diagnostic(p, v) &&
           larch_sniff_give_number(v, p->coap.payload.len + cut);
}

static bool get_belonging(const larch_sniff_packet *p, larch_sniff_value *v)
{
    char *out = v->buffer;
    if (p->duplicate_of != 0)
        (void)snprintf(out, sizeof v->buffer, "(duplicate of #%llu)", (unsigned long long)p->duplicate_of);
    else if (p->kind == LARCH_SNIFF_RESPONSE && p->exchange != NULL)
        (void)snprintf(out, sizeof v->buffer, "(to #%llu, %.3f ms)", (unsigned long long)p->exchange->number,
                       ((double)p->time_ns - (double)p->exchange->time_ns) / 1e6);
    else if (p->kind == LARCH_SNIFF_RESPONSE)
        return larch_sniff_give_text(v, "(request not seen)");
    else if (p->refers_to != 0)
        (void)snprintf(out, sizeof v->buffer, "(%s #%llu)", p->coap.type == LARCH_COAP_ACK ? "acknowledges" : "resets",
                       (unsigned long long)p->refers_to);
    else
        return false;
    return larch_sniff_give_text(v, out);
}

static const larch_sniff_field fields[] = {
    {"diagnostic", WHOLE, LARCH_SNIFF_SHOWN(WHOLE, "  \"", "\""), get_diagnostic},
    {NULL, 0, LARCH_SNIFF_SHOWN(WHOLE, "  ", " bytes"), get_bytes},
    {NULL, 0, {WHOLE, "  ", "", 0, LARCH_SNIFF_DIM}, get_belonging},
};

const larch_sniff_dissector larch_sniff_dissector_remainder = {NULL,       NULL,   NULL,
                                                               message_of, fields, sizeof fields / sizeof fields[0]};
