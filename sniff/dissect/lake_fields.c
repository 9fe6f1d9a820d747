/* SPDX-License-Identifier: Apache-2.0 */
/* How messages of LAKE stand in the output. */
#include "larch/cbor.h"
#include "sniff/dissect/dissect_int.h"
#include "sniff/dissect/dissector.h"
#include "text/text.h"

#define OF(message) LARCH_SNIFF_OF(LARCH_SNIFF_LAKE_##message)
#define SEALED      (OF(MESSAGE_2) | OF(MESSAGE_3) | OF(MESSAGE_4))
#define ANY         (OF(MESSAGE_1) | SEALED | OF(ERROR))

static unsigned message_of(const larch_sniff_packet *p) { return p->lake.message; }

static bool get_message(const larch_sniff_packet *p, larch_sniff_value *v)
{
    static const char *const names[] = {[LARCH_SNIFF_LAKE_MESSAGE_1] = "message_1",
                                        [LARCH_SNIFF_LAKE_MESSAGE_2] = "message_2",
                                        [LARCH_SNIFF_LAKE_MESSAGE_3] = "message_3",
                                        [LARCH_SNIFF_LAKE_MESSAGE_4] = "message_4",
                                        [LARCH_SNIFF_LAKE_ERROR] = "error"};
    return larch_sniff_give_text(v, names[p->lake.message]);
}

static bool get_error_code(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_integer(v, p->lake.error.code);
}

static bool get_length(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_number(v, p->lake.bytes.len);
}

static bool get_error_text(const larch_sniff_packet *p, larch_sniff_value *v)
{
    larch_reader r = larch_reader_of(p->lake.error.info);
    larch_bytes text;
    return larch_cbor_take_text(&r, &text) == LARCH_OK && larch_sniff_give_bytes(v, LARCH_SNIFF_VALUE_FOREIGN, text);
}

static bool give_list(larch_sniff_value *v, const int64_t *numbers, size_t count)
{
    v->type = LARCH_SNIFF_VALUE_LIST;
    v->of.list.numbers = numbers;
    v->of.list.count = count;
    return count > 0;
}

static bool get_suites(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return give_list(v, p->lake.suites.numbers, p->lake.suites.count);
}

/* For people, a list that is but the selected suite says nothing more. */
static bool get_offer(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->lake.suites.count > 1 && get_suites(p, v);
}

static bool get_method(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->lake.has_terms && larch_sniff_give_number(v, p->lake.method);
}

static bool get_method_name(const larch_sniff_packet *p, larch_sniff_value *v)
{
    const char *name = larch_sniff_method_name(p->lake.method);
    return p->lake.has_terms && larch_sniff_give_text(v, name != NULL ? name : "unknown");
}

static bool get_suite(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->lake.has_terms && larch_sniff_give_integer(v, p->lake.suite);
}

static bool get_suite_name(const larch_sniff_packet *p, larch_sniff_value *v)
{
    const char *name = larch_sniff_suite_name(p->lake.suite);
    return p->lake.has_terms && larch_sniff_give_text(v, name != NULL ? name : "unknown");
}

/* Of identifiers and references, which may be of any length. */
static bool give_hex(larch_sniff_value *v, larch_bytes bytes)
{
    return bytes.data != NULL && larch_sniff_give_bytes(v, LARCH_SNIFF_VALUE_HEX, larch_text_first(bytes, 64));
}

static bool get_c_i(const larch_sniff_packet *p, larch_sniff_value *v) { return give_hex(v, p->lake.message_1.c_i); }
static bool get_c_r(const larch_sniff_packet *p, larch_sniff_value *v) { return give_hex(v, p->lake.c_r); }

static bool get_g_x_length(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_number(v, p->lake.message_1.g_x.len);
}

static bool get_g_y_length(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->lake.g_y_len > 0 && p->lake.g_y_len < p->lake.ciphertext_len &&
           larch_sniff_give_number(v, p->lake.g_y_len);
}

static bool get_ciphertext_length(const larch_sniff_packet *p, larch_sniff_value *v)
{
    const size_t g_y_len = p->lake.g_y_len < p->lake.ciphertext_len ? p->lake.g_y_len : 0;
    return larch_sniff_give_number(v, p->lake.ciphertext_len - g_y_len);
}

static bool get_eads(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return give_list(v, p->lake.eads.labels, p->lake.eads.count);
}

static bool get_handshake(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->lake.handshake != 0 && larch_sniff_give_number(v, p->lake.handshake);
}

static bool get_post_quantum(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_text(v, larch_sniff_strength_text(p->lake.strength));
}

static bool get_verdict(const larch_sniff_packet *p, larch_sniff_value *v)
{
    static const char *const texts[LARCH_SNIFF_STRENGTHS] = {[LARCH_SNIFF_STRENGTH_UNKNOWN] =
                                                                 "whether post-quantum is unknown",
                                                             [LARCH_SNIFF_STRENGTH_CLASSICAL] = "not post-quantum",
                                                             [LARCH_SNIFF_STRENGTH_POST_QUANTUM] = "post-quantum"};
    return larch_sniff_give_text(v, texts[p->lake.strength]);
}

static bool is_open(const larch_sniff_packet *p) { return p->lake.outcome == LARCH_SNIFF_LAKE_OPENED; }

static bool get_outcome(const larch_sniff_packet *p, larch_sniff_value *v)
{
    static const char *const names[] = {[LARCH_SNIFF_LAKE_OPENED] = "opened",
                                        [LARCH_SNIFF_LAKE_UNKNOWN] = "no secrets",
                                        [LARCH_SNIFF_LAKE_REFUSED] = "not authentic"};
    return p->lake.outcome != LARCH_SNIFF_LAKE_CLOSED && larch_sniff_give_text(v, names[p->lake.outcome]);
}

static bool get_closed(const larch_sniff_packet *p, larch_sniff_value *v) { return !is_open(p) && get_outcome(p, v); }

static bool get_inner_c_r(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return is_open(p) && give_hex(v, p->lake.inside.c_r);
}

static bool get_inner_kid(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return is_open(p) && give_hex(v, p->lake.inside.kid);
}

static bool get_inner_id_cred(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return is_open(p) && give_hex(v, p->lake.inside.id_cred);
}

static bool get_inner_proof_length(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return is_open(p) && p->lake.inside.signature_or_mac.len > 0 &&
           larch_sniff_give_number(v, p->lake.inside.signature_or_mac.len);
}

static bool get_inner_eads(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return is_open(p) && give_list(v, p->lake.inside_eads.labels, p->lake.inside_eads.count);
}

static bool get_inner_time(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return is_open(p) && p->lake.inside_eads.has_time && larch_sniff_give_number(v, p->lake.inside_eads.unix_s);
}

static const larch_sniff_field fields[] = {
    {"lake.message", ANY, LARCH_SNIFF_SHOWN(ANY, "  LAKE ", ""), get_message},
    {"lake.error_code", OF(ERROR), LARCH_SNIFF_SHOWN(OF(ERROR), " ", ""), get_error_code},
    {"lake.length", ANY, LARCH_SNIFF_SHOWN(ANY, ", ", " bytes"), get_length},
    {"lake.error_text", OF(ERROR), LARCH_SNIFF_SHOWN(OF(ERROR), ", \"", "\""), get_error_text},
    {"lake.suites_r", OF(ERROR), LARCH_SNIFF_SHOWN(OF(ERROR), ", SUITES_R ", ""), get_suites},
    {"lake.method", ANY, LARCH_SNIFF_HIDDEN, get_method},
    {"lake.method_name", OF(MESSAGE_1), LARCH_SNIFF_SHOWN(OF(MESSAGE_1), ", method ", ""), get_method_name},
    {"lake.suites_i", OF(MESSAGE_1), LARCH_SNIFF_HIDDEN, get_suites},
    {NULL, 0, LARCH_SNIFF_SHOWN(OF(MESSAGE_1), ", SUITES_I ", ""), get_offer},
    {"lake.suite", ANY, LARCH_SNIFF_SHOWN(OF(MESSAGE_1), ", suite ", ""), get_suite},
    {"lake.suite_name", OF(MESSAGE_1), LARCH_SNIFF_SHOWN(OF(MESSAGE_1), " (", ")"), get_suite_name},
    {"lake.g_x_length", OF(MESSAGE_1), LARCH_SNIFF_SHOWN(OF(MESSAGE_1), ", G_X ", " bytes"), get_g_x_length},
    {"lake.c_i", OF(MESSAGE_1), LARCH_SNIFF_SHOWN(OF(MESSAGE_1), ", C_I ", ""), get_c_i},
    {"lake.eads", OF(MESSAGE_1), LARCH_SNIFF_SHOWN(OF(MESSAGE_1), ", EAD ", ""), get_eads},
    {"lake.c_r", OF(MESSAGE_3) | OF(ERROR), LARCH_SNIFF_SHOWN(OF(MESSAGE_3), ", C_R ", ""), get_c_r},
    {"lake.g_y_length", OF(MESSAGE_2), LARCH_SNIFF_SHOWN(OF(MESSAGE_2), ", G_Y ", " bytes"), get_g_y_length},
    {"lake.ciphertext_length", SEALED, LARCH_SNIFF_HIDDEN, get_ciphertext_length},
    {"lake.handshake", ANY, LARCH_SNIFF_HIDDEN, get_handshake},
    {"lake.post_quantum", ANY, LARCH_SNIFF_HIDDEN, get_post_quantum},
    {NULL, 0, LARCH_SNIFF_SHOWN(OF(MESSAGE_1) | SEALED, ", ", ""), get_verdict},
    {"lake.outcome", SEALED, LARCH_SNIFF_HIDDEN, get_outcome},
    {NULL, 0, LARCH_SNIFF_SHOWN(SEALED, ", ", ""), get_closed},
    {"lake.inner.c_r", SEALED, LARCH_SNIFF_SHOWN(SEALED, "; C_R ", ""), get_inner_c_r},
    {"lake.inner.kid", SEALED, LARCH_SNIFF_SHOWN(SEALED, "; kid ", ""), get_inner_kid},
    {"lake.inner.id_cred", SEALED, LARCH_SNIFF_SHOWN(SEALED, "; ID_CRED ", ""), get_inner_id_cred},
    {"lake.inner.proof_length", SEALED, LARCH_SNIFF_SHOWN(SEALED, "; signature or MAC ", " bytes"),
     get_inner_proof_length},
    {"lake.inner.eads", SEALED, LARCH_SNIFF_SHOWN(SEALED, "; EAD ", ""), get_inner_eads},
    {"lake.inner.time", SEALED, LARCH_SNIFF_SHOWN(SEALED, "; time ", ""), get_inner_time},
};

const larch_sniff_dissector larch_sniff_dissector_lake = {
    NULL, larch_sniff_lake_match, larch_sniff_lake_read, message_of, fields, sizeof fields / sizeof fields[0]};
