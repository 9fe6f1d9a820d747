/* SPDX-License-Identifier: Apache-2.0 */
/* OSCORE [RFC8613]: what its option says, what a message claims by it, and what stands inside if the keys are known. */
#include <string.h>

#include "larch/cbor.h"
#include "sniff/dissect/dissect_int.h"
#include "sniff/dissect/dissector.h"
#include "sniff/dissect/handshake.h"
#include "sniff/dissect/keys.h"
#include "text/text.h"

#define FLAG_GROUP     0x20 /* of the option's first byte; Group OSCORE */
#define CIPHERTEXT_MIN 9    /* a code, and the shortest tag of an algorithm for OSCORE */

/* ---- the option -------------------------------------------------------- */

static void read_option(larch_sniff_packet *p, larch_bytes value)
{
    larch_sniff_oscore *oscore = &p->oscore;
    const larch_error e = larch_oscore_option_parse(value, &oscore->option);
    const larch_oscore_option *option = &oscore->option;
    const char *why = NULL;
    oscore->message = p->kind == LARCH_SNIFF_REQUEST ? LARCH_SNIFF_OSCORE_REQUEST : LARCH_SNIFF_OSCORE_RESPONSE;
    if (e == LARCH_STATE && (value.data[0] & FLAG_GROUP) != 0) {
        oscore->message = LARCH_SNIFF_OSCORE_GROUP;
        return;
    }
    if (e != LARCH_OK)
        why = e == LARCH_STATE ? "OSCORE option has flags that have no meaning" : "OSCORE option breaks its format";
    else if (option->kid.len > LARCH_OSCORE_ID_MAX)
        why = "OSCORE option has a kid that is too long for any nonce";
    else if (p->kind == LARCH_SNIFF_REQUEST && (option->kid.data == NULL || option->partial_iv.data == NULL))
        why = "OSCORE request without kid or Partial IV";
    else if (p->coap.payload.len == 0) /* [RFC8613 2] */
        why = "OSCORE message without ciphertext";
    if (why != NULL) {
        oscore->message = LARCH_SNIFF_OSCORE_BROKEN;
        p->why = why;
        return;
    }
    oscore->has_number = option->partial_iv.len > 0;
    oscore->number = larch_number_at(option->partial_iv.data, option->partial_iv.len);
}

static bool mark(larch_sniff_packet *p)
{
    larch_bytes value;
    if (!larch_coap_option_find(&p->coap, LARCH_COAP_OPT_OSCORE, &value))
        return false;
    read_option(p, value);
    return true;
}

/* On a port that nobody named, a request that could hardly be anything else. */
static bool match(const larch_coap_message *request, uint8_t *resource)
{
    larch_bytes value;
    larch_oscore_option option;
    *resource = 0;
    return larch_coap_option_find(request, LARCH_COAP_OPT_OSCORE, &value) &&
           larch_oscore_option_parse(value, &option) == LARCH_OK && option.kid.data != NULL &&
           option.kid.len <= LARCH_OSCORE_ID_MAX && option.partial_iv.data != NULL &&
           request->payload.len >= CIPHERTEXT_MIN &&
           (request->code == LARCH_COAP_POST || request->code == LARCH_COAP_FETCH); /* [RFC8613 4.2] */
}

/* ---- what the message claims ------------------------------------------- */

static void digest_of(const larch_sniff_packet *p, uint8_t out[LARCH_SNIFF_DIGEST_LEN])
{
    larch_bytes value = {NULL, 0};
    (void)larch_coap_option_find(&p->coap, LARCH_COAP_OPT_OSCORE, &value);
    larch_sniff_digest((const larch_bytes[]){value, p->oscore.ciphertext}, 2, out);
}

/* A kid names a context at one server alone. */
static void claim_of_request(larch_sniff_packet *p)
{
    const larch_oscore_option *option = &p->oscore.option;
    const larch_peer *server = &p->datagram.destination;
    const uint8_t lens[] = {(uint8_t)option->kid.len, (uint8_t)option->kid_context.len,
                            option->kid_context.data != NULL, (uint8_t)(server->port >> 8), (uint8_t)server->port};
    larch_sniff_claims *claims = &p->claims;
    claims->once = claims->random = claims->count.name = "OSCORE request";
    claims->count.number = p->oscore.number;
    claims->count.rises = true;
    larch_sniff_digest(
        (const larch_bytes[]){LARCH_BYTES(lens), LARCH_BYTES(server->address), option->kid, option->kid_context}, 4,
        claims->count.counter);
    digest_of(p, claims->identity);
    memcpy(claims->digest, claims->identity, sizeof claims->digest);
    memcpy(claims->count.digest, claims->identity, sizeof claims->count.digest);
}

/* A response has a number of its own, which its sender counts beside those of requests to it, or the number of its
 * request, which serves for one response [RFC8613 8.3]. */
static void claim_of_response(larch_sniff_packet *p)
{
    larch_sniff_claims *claims = &p->claims;
    claims->random = "OSCORE response";
    claims->confirms = true;
    if (p->exchange == NULL || p->exchange->count.name == NULL)
        return;
    const uint8_t whose[] = {p->oscore.has_number};
    claims->count.name = claims->random;
    claims->count.rises = p->oscore.has_number;
    claims->count.number = p->oscore.has_number ? p->oscore.number : p->exchange->count.number;
    larch_sniff_digest((const larch_bytes[]){LARCH_BYTES(whose), LARCH_BYTES(p->exchange->count.counter)}, 2,
                       claims->count.counter);
    digest_of(p, claims->count.digest);
}

/* ---- what stands inside ------------------------------------------------ */

static void read_inner(larch_sniff_packet *p)
{
    larch_sniff_oscore *oscore = &p->oscore;
    larch_bytes value;
    if (LARCH_COAP_CLASS(oscore->inner.code) == 0)
        larch_sniff_path_read(&oscore->inner, p->inner_path);
    oscore->has_echo = larch_coap_option_find(&oscore->inner, LARCH_COAP_OPT_ECHO, &value);
    if (larch_coap_block_find(&oscore->inner, LARCH_COAP_OPT_BLOCK1, &oscore->has_block1, &oscore->block1) != LARCH_OK)
        oscore->has_block1 = false;
    if (larch_coap_block_find(&oscore->inner, LARCH_COAP_OPT_BLOCK2, &oscore->has_block2, &oscore->block2) != LARCH_OK)
        oscore->has_block2 = false;
}

static void open_message(larch_sniff_packet *p)
{
    larch_sniff_oscore *oscore = &p->oscore;
    larch_coap_message outer = p->coap;
    if (p->keys == NULL)
        return;
    outer.payload = oscore->ciphertext;
    if (oscore->message == LARCH_SNIFF_OSCORE_REQUEST)
        oscore->outcome =
            larch_sniff_keys_open_request(p->keys, &oscore->option, &outer, &oscore->asked, &oscore->inner);
    else if (p->exchange != NULL)
        oscore->outcome = larch_sniff_keys_open_response(p->keys, &p->exchange->asked, &outer, &oscore->inner);
    else
        oscore->outcome = LARCH_SNIFF_OSCORE_UNKNOWN;
    if (oscore->outcome == LARCH_SNIFF_OSCORE_OPENED)
        read_inner(p);
}

/* The last message of a handshake may stand before the ciphertext. [RFC9668 3.2.1] */
static larch_bytes ciphertext_of(larch_sniff_packet *p)
{
    larch_reader r = larch_reader_of(p->body);
    larch_bytes value;
    if (p->oscore.message == LARCH_SNIFF_OSCORE_REQUEST &&
        larch_coap_option_find(&p->coap, LARCH_COAP_OPT_EDHOC, &value)) {
        p->claims.renews = true;
        if (larch_cbor_take_bytes(&r, &value) != LARCH_OK)
            return (larch_bytes){NULL, 0};
        (void)larch_sniff_lake_take_combined(p, (larch_bytes){p->body.data, p->body.len - r.left.len},
                                             p->oscore.option.kid);
    }
    return r.left;
}

/* What keys protect the message. A handshake makes no context with an ID Context. */
static void find_strength(larch_sniff_packet *p)
{
    larch_sniff_oscore *oscore = &p->oscore;
    const bool made = oscore->option.kid_context.data == NULL;
    if (oscore->message == LARCH_SNIFF_OSCORE_RESPONSE) {
        larch_sniff_lake_take_confirmation(p);
        if (p->exchange == NULL)
            return;
        oscore->strength = p->exchange->strength;
        if (p->exchange->kid.len <= LARCH_LAKE_ID_MAX && oscore->strength == LARCH_SNIFF_STRENGTH_UNKNOWN)
            larch_sniff_session_note_unknown(p->handshakes, &p->exchange->server,
                                             (larch_bytes){p->exchange->kid.bytes, p->exchange->kid.len}, p->number);
    } else if (p->lake.message == LARCH_SNIFF_LAKE_MESSAGE_3) {
        oscore->strength = p->lake.strength;
    } else if (made) {
        oscore->strength = larch_sniff_session_find(p->handshakes, &p->datagram.destination, oscore->option.kid);
    }
}

static bool read_message(larch_sniff_packet *p)
{
    larch_sniff_oscore *oscore = &p->oscore;
    if (oscore->message == LARCH_SNIFF_OSCORE_NONE || oscore->message == LARCH_SNIFF_OSCORE_BROKEN)
        return false;
    oscore->ciphertext = ciphertext_of(p);
    if (oscore->message == LARCH_SNIFF_OSCORE_GROUP)
        return true;
    if (oscore->ciphertext.len < CIPHERTEXT_MIN) {
        p->why = "OSCORE ciphertext is shorter than a code and its tag";
        oscore->ciphertext = (larch_bytes){NULL, 0};
        return false;
    }
    if (oscore->message == LARCH_SNIFF_OSCORE_REQUEST)
        claim_of_request(p);
    else
        claim_of_response(p);
    p->claims.random_bytes = oscore->ciphertext;
    find_strength(p);
    open_message(p);
    return true;
}

/* ---- fields ------------------------------------------------------------ */

#define OF(message) LARCH_SNIFF_OF(LARCH_SNIFF_OSCORE_##message)
#define KNOWN       (OF(REQUEST) | OF(RESPONSE))
#define ANY         (KNOWN | OF(GROUP))

static unsigned message_of(const larch_sniff_packet *p) { return p->oscore.message; }

static bool is_open(const larch_sniff_packet *p) { return p->oscore.outcome == LARCH_SNIFF_OSCORE_OPENED; }

static bool give_hex(larch_sniff_value *v, larch_bytes bytes)
{
    return bytes.data != NULL && larch_sniff_give_bytes(v, LARCH_SNIFF_VALUE_HEX, bytes);
}

static bool get_name(const larch_sniff_packet *p, larch_sniff_value *v)
{
    const bool group = p->oscore.message == LARCH_SNIFF_OSCORE_GROUP;
    return larch_sniff_give_text(v, group ? "Group OSCORE, not supported" : "OSCORE");
}

static bool get_kid(const larch_sniff_packet *p, larch_sniff_value *v) { return give_hex(v, p->oscore.option.kid); }

/* The longest there may be has 255 bytes. */
static bool get_kid_context(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return give_hex(v, larch_text_first(p->oscore.option.kid_context, 64));
}

static bool get_piv(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return give_hex(v, p->oscore.option.partial_iv);
}

static bool get_number(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->oscore.has_number && larch_sniff_give_number(v, p->oscore.number);
}

static bool get_length(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->oscore.ciphertext.len > 0 && larch_sniff_give_number(v, p->oscore.ciphertext.len);
}

static bool get_post_quantum(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->oscore.ciphertext.len > 0 && larch_sniff_give_text(v, larch_sniff_strength_text(p->oscore.strength));
}

/* For people, only if it is known. */
static bool get_verdict(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->oscore.strength != LARCH_SNIFF_STRENGTH_UNKNOWN &&
           larch_sniff_give_text(v, p->oscore.strength == LARCH_SNIFF_STRENGTH_POST_QUANTUM ? "post-quantum"
                                                                                            : "not post-quantum");
}

static bool get_outcome(const larch_sniff_packet *p, larch_sniff_value *v)
{
    static const char *const names[] = {[LARCH_SNIFF_OSCORE_OPENED] = "opened",
                                        [LARCH_SNIFF_OSCORE_UNKNOWN] = "no context",
                                        [LARCH_SNIFF_OSCORE_REFUSED] = "not authentic",
                                        [LARCH_SNIFF_OSCORE_TOO_LONG] = "too long"};
    return p->oscore.outcome != LARCH_SNIFF_OSCORE_CLOSED && larch_sniff_give_text(v, names[p->oscore.outcome]);
}

static bool get_closed(const larch_sniff_packet *p, larch_sniff_value *v) { return !is_open(p) && get_outcome(p, v); }

static bool get_code(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return is_open(p) && larch_sniff_give_text(v, larch_text_of_code(p->oscore.inner.code, v->buffer));
}

static bool get_code_text(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return is_open(p) && larch_sniff_give_text(v, larch_coap_code_text(p->oscore.inner.code));
}

/* For people: methods by name, responses by number. */
static bool get_code_name(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return LARCH_COAP_CLASS(p->oscore.inner.code) == 0 ? get_code_text(p, v) : get_code(p, v);
}

static bool get_path(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->inner_path[0] != 0 && larch_sniff_give_text(v, p->inner_path);
}

static bool get_format(const larch_sniff_packet *p, larch_sniff_value *v)
{
    larch_bytes option;
    uint32_t format;
    return is_open(p) && larch_coap_option_find(&p->oscore.inner, LARCH_COAP_OPT_CONTENT_FORMAT, &option) &&
           larch_coap_option_uint(option, &format) == LARCH_OK && larch_sniff_give_number(v, format);
}

static bool get_block1(const larch_sniff_packet *p, larch_sniff_value *v)
{
    v->type = LARCH_SNIFF_VALUE_BLOCK;
    v->of.block = p->oscore.block1;
    return p->oscore.has_block1;
}

static bool get_block2(const larch_sniff_packet *p, larch_sniff_value *v)
{
    v->type = LARCH_SNIFF_VALUE_BLOCK;
    v->of.block = p->oscore.block2;
    return p->oscore.has_block2;
}

static bool get_echo(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->oscore.has_echo && larch_sniff_give_text(v, "Echo");
}

static bool get_payload_length(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->oscore.inner.payload.len > 0 && larch_sniff_give_number(v, p->oscore.inner.payload.len);
}

static bool get_payload(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->oscore.inner.payload.len > 0 &&
           larch_sniff_give_bytes(v, LARCH_SNIFF_VALUE_FOREIGN, p->oscore.inner.payload);
}

static const larch_sniff_field fields[] = {
    {NULL, 0, LARCH_SNIFF_SHOWN(ANY, "  ", ""), get_name},
    {"oscore.unsupported", OF(GROUP), LARCH_SNIFF_HIDDEN, get_name},
    {"oscore.kid", KNOWN, LARCH_SNIFF_SHOWN(KNOWN, " kid ", ""), get_kid},
    {"oscore.kid_context", KNOWN, LARCH_SNIFF_SHOWN(KNOWN, ", kid context ", ""), get_kid_context},
    {"oscore.piv", KNOWN, LARCH_SNIFF_SHOWN(KNOWN, ", Partial IV ", ""), get_piv},
    {"oscore.number", KNOWN, LARCH_SNIFF_SHOWN(KNOWN, " (", ")"), get_number},
    {"oscore.ciphertext_length", ANY, LARCH_SNIFF_SHOWN(ANY, ", ", " bytes"), get_length},
    {"oscore.post_quantum", KNOWN, LARCH_SNIFF_HIDDEN, get_post_quantum},
    {NULL, 0, LARCH_SNIFF_SHOWN(KNOWN, ", ", ""), get_verdict},
    {"oscore.outcome", KNOWN, LARCH_SNIFF_HIDDEN, get_outcome},
    {NULL, 0, LARCH_SNIFF_SHOWN(KNOWN, ", ", ""), get_closed},
    {"oscore.inner.code", KNOWN, LARCH_SNIFF_HIDDEN, get_code},
    {"oscore.inner.code_text", KNOWN, LARCH_SNIFF_HIDDEN, get_code_text},
    {NULL, 0, LARCH_SNIFF_SHOWN(KNOWN, ": ", ""), get_code_name},
    {"oscore.inner.path", KNOWN, LARCH_SNIFF_SHOWN(KNOWN, " ", ""), get_path},
    {"oscore.inner.block1", KNOWN, LARCH_SNIFF_SHOWN(KNOWN, " Block1 ", ""), get_block1},
    {"oscore.inner.block2", KNOWN, LARCH_SNIFF_SHOWN(KNOWN, " Block2 ", ""), get_block2},
    {NULL, 0, LARCH_SNIFF_SHOWN(KNOWN, " ", ""), get_echo},
    {"oscore.inner.format", KNOWN, LARCH_SNIFF_SHOWN(KNOWN, " format ", ""), get_format},
    {"oscore.inner.payload_length", KNOWN, LARCH_SNIFF_HIDDEN, get_payload_length},
    {"oscore.inner.payload", KNOWN, LARCH_SNIFF_SHOWN(KNOWN, " \"", "\""), get_payload},
};

const larch_sniff_dissector larch_sniff_dissector_oscore = {mark,       match,  read_message,
                                                            message_of, fields, sizeof fields / sizeof fields[0]};
