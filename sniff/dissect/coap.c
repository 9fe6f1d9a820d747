/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a CoAP message [RFC7252 3]. What the payload holds is for other rows of the table. */
#include <string.h>

#include "sniff/dissect/dissector.h"
#include "text/text.h"

#define OF(kind) LARCH_SNIFF_OF(LARCH_SNIFF_##kind)
#define WHOLE    (OF(EMPTY) | OF(REQUEST) | OF(RESPONSE))
#define ANY      (WHOLE | OF(BROKEN) | OF(CUT))

/* Whoever asks for a server's resources expects CoAP [RFC6690 4]. */
static bool match(const larch_coap_message *request, uint8_t *resource)
{
    static const char *const paths[] = {".well-known/core"};
    return larch_sniff_match_paths(request, paths, 1, resource);
}

static unsigned message_of(const larch_sniff_packet *p) { return p->kind; }

/* ---- the header, which may be all that could be read -------------------- */

static bool get_type(const larch_sniff_packet *p, larch_sniff_value *v)
{
    static const char *const names[] = {"CON", "NON", "ACK", "RST"};
    return p->has_header && larch_sniff_give_text(v, names[p->coap.type]);
}

static bool get_code(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->has_header && larch_sniff_give_text(v, larch_text_of_code(p->coap.code, v->buffer));
}

static bool get_code_text(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->has_header && larch_sniff_give_text(v, larch_coap_code_text(p->coap.code));
}

/* For people: empty messages by their type, methods by name, responses by number. */
static bool get_code_name(const larch_sniff_packet *p, larch_sniff_value *v)
{
    const char *name = larch_coap_code_text(p->coap.code);
    if (p->coap.code == LARCH_COAP_EMPTY)
        return larch_sniff_give_text(v, p->coap.type == LARCH_COAP_CON ? "ping" : "-");
    if (LARCH_COAP_CLASS(p->coap.code) == 0 && strcmp(name, "?") != 0)
        return larch_sniff_give_text(v, name);
    return get_code(p, v);
}

static bool get_mid(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->has_header && larch_sniff_give_number(v, p->coap.message_id);
}

static bool get_token(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->has_token && larch_sniff_give_bytes(v, LARCH_SNIFF_VALUE_HEX, p->coap.token);
}

/* ---- options and payload ------------------------------------------------ */

static bool get_path_column(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_text(v, p->path);
}

static bool get_path(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->path[0] != 0 && get_path_column(p, v);
}

static bool get_block1(const larch_sniff_packet *p, larch_sniff_value *v)
{
    v->type = LARCH_SNIFF_VALUE_BLOCK;
    v->of.block = p->block1;
    return p->has_block1;
}

static bool get_block2(const larch_sniff_packet *p, larch_sniff_value *v)
{
    v->type = LARCH_SNIFF_VALUE_BLOCK;
    v->of.block = p->block2;
    return p->has_block2;
}

static bool get_echo(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->has_echo && larch_sniff_give_text(v, "Echo");
}

static bool get_format(const larch_sniff_packet *p, larch_sniff_value *v)
{
    larch_bytes option;
    uint32_t format;
    return larch_coap_option_find(&p->coap, LARCH_COAP_OPT_CONTENT_FORMAT, &option) &&
           larch_coap_option_uint(option, &format) == LARCH_OK && larch_sniff_give_number(v, format);
}

static bool get_payload_length(const larch_sniff_packet *p, larch_sniff_value *v)
{
    const size_t cut = p->datagram.payload_len - p->datagram.payload.len;
    return p->coap.payload.len > 0 && larch_sniff_give_number(v, p->coap.payload.len + cut);
}

static bool get_datagram_length(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_number(v, p->datagram.payload_len);
}

/* ---- what it belongs to ------------------------------------------------- */

static bool get_duplicate_of(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->duplicate_of != 0 && larch_sniff_give_number(v, p->duplicate_of);
}

static bool get_refers_to(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->refers_to != 0 && larch_sniff_give_number(v, p->refers_to);
}

static bool get_answers(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->exchange != NULL && larch_sniff_give_number(v, p->exchange->number);
}

static bool get_rtt(const larch_sniff_packet *p, larch_sniff_value *v)
{
    if (p->exchange == NULL)
        return false;
    v->type = LARCH_SNIFF_VALUE_MS;
    v->of.ms = ((double)p->time_ns - (double)p->exchange->time_ns) / 1e6;
    return true;
}

static bool get_why(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->why != NULL && larch_sniff_give_text(v, p->why);
}

static const larch_sniff_field fields[] = {
    {"type", ANY, LARCH_SNIFF_ALIGNED(WHOLE, 0, " "), get_type},
    {"code", ANY, LARCH_SNIFF_HIDDEN, get_code},
    {"code_text", ANY, LARCH_SNIFF_HIDDEN, get_code_text},
    {NULL, 0, LARCH_SNIFF_ALIGNED(WHOLE, -6, " "), get_code_name},
    {"mid", ANY, LARCH_SNIFF_ALIGNED(WHOLE, 5, "  "), get_mid},
    {"token", ANY, LARCH_SNIFF_ALIGNED(WHOLE, -8, "  "), get_token},
    {"path", ANY, LARCH_SNIFF_HIDDEN, get_path},
    {NULL, 0, {WHOLE, "", "", -11, LARCH_SNIFF_BOLD}, get_path_column},
    {"block1", ANY, LARCH_SNIFF_SHOWN(WHOLE, "  Block1 ", ""), get_block1},
    {"block2", ANY, LARCH_SNIFF_SHOWN(WHOLE, "  Block2 ", ""), get_block2},
    {NULL, 0, LARCH_SNIFF_SHOWN(WHOLE, "  ", ""), get_echo},
    {"format", ANY, LARCH_SNIFF_HIDDEN, get_format},
    {"payload_length", ANY, LARCH_SNIFF_HIDDEN, get_payload_length},
    {"duplicate_of", ANY, LARCH_SNIFF_HIDDEN, get_duplicate_of},
    {"refers_to", ANY, LARCH_SNIFF_HIDDEN, get_refers_to},
    {"answers", OF(RESPONSE), LARCH_SNIFF_HIDDEN, get_answers},
    {"rtt_ms", OF(RESPONSE), LARCH_SNIFF_HIDDEN, get_rtt},
    {"why", ANY, LARCH_SNIFF_HIDDEN, get_why},
    {NULL, 0, LARCH_SNIFF_SHOWN(OF(BROKEN), "not CoAP, ", " bytes"), get_datagram_length},
    {NULL, 0, LARCH_SNIFF_SHOWN(OF(CUT), "CoAP?, ", " bytes"), get_datagram_length},
};

const larch_sniff_dissector larch_sniff_dissector_coap = {NULL,       match,  NULL,
                                                          message_of, fields, sizeof fields / sizeof fields[0]};
