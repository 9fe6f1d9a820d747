/* SPDX-License-Identifier: Apache-2.0 */
/* The direct exchange (PROTOCOL.md, section 1): its messages, what they claim, and their fields. */
#include <string.h>

#include "sniff/dissect/dissect_int.h"
#include "sniff/dissect/dissector.h"

enum { KEY, DATA, NEXT, ROOT, RESOURCES };

static bool match(const larch_coap_message *request, uint8_t *resource)
{
    static const char *const paths[RESOURCES] = {[KEY] = LARCH_DIRECT_PATH_KEY,
                                                 [DATA] = LARCH_DIRECT_PATH_DATA,
                                                 [NEXT] = LARCH_DIRECT_PATH_NEXT,
                                                 [ROOT] = LARCH_DIRECT_PATH_ROOT};
    return larch_sniff_match_paths(request, paths, RESOURCES, resource);
}

/* ---- messages ---------------------------------------------------------- */

static bool read_sealed(larch_sniff_packet *packet)
{
    static const char *const why[LARCH_DIRECT_ANSWER_COUNT] = {
        [LARCH_DIRECT_BAD_LEN] = "sealed message: its lengths do not add up",
        [LARCH_DIRECT_BAD_TYPE] = "sealed message: its type is not 3",
        [LARCH_DIRECT_BAD_CT] = "sealed message: its KEM ciphertext fits no parameter set",
        [LARCH_DIRECT_BAD_TEXTLEN] = "sealed message: its text length is out of range",
        [LARCH_DIRECT_BAD_COSE] = "sealed message: it is no COSE_Encrypt of the direct exchange",
        [LARCH_DIRECT_BAD_ALG] = "sealed message: COSE with an unknown algorithm or critical header parameter"};
    larch_sniff_direct *direct = &packet->direct;
    larch_sniff_claims *claims = &packet->claims;
    larch_direct_answer refused =
        LARCH_DIRECT_COSE && larch_sniff_has_format(&packet->coap, LARCH_COAP_FORMAT_COSE_ENCRYPT)
            ? larch_direct_parse_cose(packet->body, &direct->sealed)
            : larch_direct_parse(packet->body, &direct->sealed);
    if (refused != LARCH_DIRECT_OK) {
        packet->why = why[refused] != NULL ? why[refused] : "sealed message breaks its format";
        return false;
    }
    const larch_direct_sealed *sealed = &direct->sealed;
    direct->message = LARCH_SNIFF_DIRECT_SEALED;
    direct->kem = sealed->kem;
    claims->sessionless = true;
    claims->once = claims->random = "sealed message";
    larch_sniff_digest((const larch_bytes[]){sealed->nonce, sealed->kem_ct}, 2, claims->identity);
    larch_sniff_digest(&packet->body, 1, claims->digest);
    claims->random_bytes = sealed->kem_ct;
    if (sealed->form == LARCH_DIRECT_FORM_FIELDS) /* text and tag follow */
        claims->random_bytes.len += sealed->sealed.len;
    return true;
}

/* An answer with a receipt behind it: OK or REPLAY. */
static larch_direct_answer find_receipted(larch_bytes body, larch_bytes *receipt)
{
    if (body.len < LARCH_DIRECT_TAG_LEN)
        return LARCH_DIRECT_ANSWER_COUNT;
    const size_t text_len = body.len - LARCH_DIRECT_TAG_LEN;
    const larch_direct_answer answer = larch_direct_answer_find((larch_bytes){body.data, text_len});
    if (answer != LARCH_DIRECT_OK && answer != LARCH_DIRECT_REPLAY)
        return LARCH_DIRECT_ANSWER_COUNT;
    *receipt = (larch_bytes){body.data + text_len, LARCH_DIRECT_TAG_LEN};
    return answer;
}

static bool read_answer(larch_sniff_packet *packet)
{
    larch_direct_answer answer = larch_direct_answer_find(packet->body);
    if (answer == LARCH_DIRECT_ANSWER_COUNT)
        answer = find_receipted(packet->body, &packet->direct.receipt);
    if (answer == LARCH_DIRECT_ANSWER_COUNT)
        return false;
    packet->direct.message = LARCH_SNIFF_DIRECT_ANSWER;
    packet->direct.answer = answer;
    if (answer == LARCH_DIRECT_AUTH_FAIL && packet->coap.code == LARCH_COAP_BAD_REQUEST)
        packet->claims.refused = larch_direct_answer_text(answer);
    return true;
}

/* [FIPS203 7.2] modulus check: polynomials of 256 numbers of 12 bits below q, then the seed, and X-Wing's share */
static bool numbers_are_below_q(larch_bytes ek)
{
    for (const uint8_t *p = ek.data; p < ek.data + (ek.len - 32) / 384 * 384; p += 3)
        if ((unsigned)(p[0] | (p[1] & 15) << 8) >= 3329 || (unsigned)(p[1] >> 4 | p[2] << 4) >= 3329)
            return false;
    return true;
}

/* A direct key; or a root key, which says nothing about the direct keys that the sender showed before. */
static bool read_key(larch_sniff_packet *packet, bool root)
{
    larch_sniff_direct *direct = &packet->direct;
    const larch_kem *kem = NULL;
    for (size_t i = 0; larch_direct_kem_at(i) != NULL; i++)
        if (larch_direct_kem_at(i)->ek_len == packet->body.len)
            kem = larch_direct_kem_at(i);
    if (kem == NULL || larch_direct_key_hash(packet->body, direct->hash) != LARCH_OK) {
        packet->why = "public key has the length of no parameter set";
        return false;
    }
    direct->message = root ? LARCH_SNIFF_DIRECT_ROOT_KEY : LARCH_SNIFF_DIRECT_KEY;
    direct->kem = kem;
    if (!root) {
        packet->claims.shows_key = kem;
        memcpy(packet->claims.key_hash, direct->hash, sizeof packet->claims.key_hash);
    }
    packet->claims.random_key = "public key";
    packet->claims.random_key_bytes = packet->body;
    if (!numbers_are_below_q(packet->body))
        packet->why = "public key holds a number that is not below q (FIPS 203, 7.2)";
    return true;
}

static bool read_ask(larch_sniff_packet *packet, larch_sniff_direct_message message)
{
    larch_bytes hint, kem_ct;
    if (larch_direct_next_parse(packet->body, &packet->direct.kem, &hint, &kem_ct) != LARCH_OK) {
        packet->why = message == LARCH_SNIFF_DIRECT_NEXT_ASK
                          ? "question for the next key has the length of no parameter set"
                          : "question for the identity has the length of no parameter set";
        return false;
    }
    packet->direct.message = message;
    memcpy(packet->direct.hash, hint.data, hint.len);
    return true;
}

static bool read_next_answer(larch_sniff_packet *packet)
{
    if (packet->coap.code != LARCH_COAP_CHANGED)
        return false;
    if (packet->body.len != LARCH_DIRECT_NEXT_LEN) {
        packet->why = "endorsement of the next key has a wrong length";
        return false;
    }
    packet->direct.message = LARCH_SNIFF_DIRECT_NEXT_ANSWER;
    memcpy(packet->direct.hash, packet->body.data, sizeof packet->direct.hash);
    packet->claims.names_key = true;
    memcpy(packet->claims.key_hash, packet->body.data, sizeof packet->claims.key_hash);
    return true;
}

static bool read_root_answer(larch_sniff_packet *packet)
{
    if (packet->body.len != LARCH_DIRECT_NEXT_LEN) {
        packet->why = "answer about the identity has a wrong length";
        return false;
    }
    packet->direct.message = LARCH_SNIFF_DIRECT_ROOT_ANSWER;
    memcpy(packet->direct.hash, packet->body.data, sizeof packet->direct.hash);
    return true;
}

/* What begins like no document is taken for a root key. */
static bool read_document(larch_sniff_packet *packet)
{
#define WHY(name, text) [LARCH_IDENTITY_FAULT_##name] = "identity document " text,
    static const char *const why[] = {LARCH_IDENTITY_FAULTS(WHY)};
#undef WHY
    larch_identity_document document;
    larch_identity_fault fault;
    if (larch_identity_parse(packet->body, &document, &fault) != LARCH_OK) {
        if (fault == LARCH_IDENTITY_FAULT_FOREIGN)
            return read_key(packet, true);
        packet->why = why[fault];
        return false;
    }
    packet->direct.message = LARCH_SNIFF_DIRECT_DOCUMENT;
    return larch_identity_of(&document, packet->direct.hash) == LARCH_OK;
}

static bool read_message(larch_sniff_packet *packet)
{
    const bool response = packet->kind == LARCH_SNIFF_RESPONSE, post = packet->coap.code == LARCH_COAP_POST;
    const bool success = response && LARCH_COAP_CLASS(packet->coap.code) == 2;
    switch (packet->resource) {
    case DATA:
        if (post)
            return read_sealed(packet);
        return response && packet->body.len > 0 && read_answer(packet);
    case KEY:
        return success && packet->body.len > 0 && read_key(packet, false);
    case NEXT:
        if (packet->kind == LARCH_SNIFF_REQUEST)
            return post && read_ask(packet, LARCH_SNIFF_DIRECT_NEXT_ASK);
        return success && read_next_answer(packet);
    case ROOT:
        if (packet->kind == LARCH_SNIFF_REQUEST)
            return post && read_ask(packet, LARCH_SNIFF_DIRECT_ROOT_ASK);
        if (packet->coap.code == LARCH_COAP_CHANGED)
            return read_root_answer(packet);
        return packet->coap.code == LARCH_COAP_CONTENT && packet->body.len > 0 && read_document(packet);
    default:
        return false;
    }
}

/* ---- fields ------------------------------------------------------------ */

#define OF(message) LARCH_SNIFF_OF(LARCH_SNIFF_DIRECT_##message)
#define ANY                                                                                                            \
    (OF(SEALED) | OF(KEY) | OF(ANSWER) | OF(NEXT_ASK) | OF(NEXT_ANSWER) | OF(DOCUMENT) | OF(ROOT_KEY) | OF(ROOT_ASK) | \
     OF(ROOT_ANSWER))

static unsigned message_of(const larch_sniff_packet *p) { return p->direct.message; }

static bool get_message(const larch_sniff_packet *p, larch_sniff_value *v)
{
    static const char *const names[] = {
        [LARCH_SNIFF_DIRECT_SEALED] = "sealed",           [LARCH_SNIFF_DIRECT_KEY] = "key",
        [LARCH_SNIFF_DIRECT_ANSWER] = "answer",           [LARCH_SNIFF_DIRECT_NEXT_ASK] = "next-ask",
        [LARCH_SNIFF_DIRECT_NEXT_ANSWER] = "next-answer", [LARCH_SNIFF_DIRECT_DOCUMENT] = "identity",
        [LARCH_SNIFF_DIRECT_ROOT_KEY] = "root-key",       [LARCH_SNIFF_DIRECT_ROOT_ASK] = "root-ask",
        [LARCH_SNIFF_DIRECT_ROOT_ANSWER] = "root-answer"};
    if (p->direct.message == LARCH_SNIFF_DIRECT_SEALED && p->direct.sealed.form == LARCH_DIRECT_FORM_COSE)
        return larch_sniff_give_text(v, "sealed (COSE)");
    return larch_sniff_give_text(v, names[p->direct.message]);
}

static bool get_kem(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_text(v, p->direct.kem->name);
}

static bool get_text_length(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_number(v, p->direct.sealed.sealed.len - LARCH_DIRECT_TAG_LEN);
}

static bool get_fingerprint(const larch_sniff_packet *p, larch_sniff_value *v)
{
    _Static_assert(sizeof v->buffer > LARCH_FINGERPRINT_TEXT_LEN, "a fingerprint fits");
    const bool of_identity = p->direct.message == LARCH_SNIFF_DIRECT_DOCUMENT;
    larch_fingerprint_format(of_identity ? LARCH_FINGERPRINT_IDENTITY : LARCH_FINGERPRINT_KEY, p->direct.hash,
                             v->buffer);
    return larch_sniff_give_text(v, v->buffer);
}

static bool get_hint(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_bytes(v, LARCH_SNIFF_VALUE_HEX, (larch_bytes){p->direct.hash, LARCH_DIRECT_HINT_LEN});
}

static bool get_answer(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_text(v, larch_direct_answer_text(p->direct.answer));
}

static bool get_receipt(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return p->direct.receipt.len > 0 && larch_sniff_give_bytes(v, LARCH_SNIFF_VALUE_HEX, p->direct.receipt);
}

static bool get_document_hash(const larch_sniff_packet *p, larch_sniff_value *v)
{
    return larch_sniff_give_bytes(v, LARCH_SNIFF_VALUE_HEX, LARCH_BYTES(p->direct.hash));
}

#define SHOWN_KEYS (OF(SEALED) | OF(KEY) | OF(ROOT_KEY))

static const larch_sniff_field fields[] = {
    {"direct", ANY, LARCH_SNIFF_SHOWN(SHOWN_KEYS | OF(DOCUMENT), "  ", ""), get_message},
    {"kem", SHOWN_KEYS | OF(NEXT_ASK) | OF(ROOT_ASK), LARCH_SNIFF_SHOWN(SHOWN_KEYS, ", ", ""), get_kem},
    {"text_length", OF(SEALED), LARCH_SNIFF_SHOWN(OF(SEALED), ", text ", ""), get_text_length},
    {"fingerprint", OF(KEY) | OF(DOCUMENT), LARCH_SNIFF_SHOWN(OF(KEY) | OF(DOCUMENT), ", ", ""), get_fingerprint},
    {NULL, 0, LARCH_SNIFF_SHOWN(OF(ROOT_KEY), ", hint ", ""), get_hint}, /* a fingerprint of it would be pinned */
    {"fingerprint", OF(NEXT_ANSWER), LARCH_SNIFF_SHOWN(OF(NEXT_ANSWER), "  names ", ""), get_fingerprint},
    {NULL, 0, LARCH_SNIFF_SHOWN(OF(NEXT_ASK), "  who follows ", "?"), get_hint},
    {NULL, 0, LARCH_SNIFF_SHOWN(OF(ROOT_ASK), "  whose key is ", "?"), get_hint},
    {"document", OF(ROOT_ANSWER), LARCH_SNIFF_SHOWN(OF(ROOT_ANSWER), "  names document ", ""), get_document_hash},
    {"answer", OF(ANSWER), LARCH_SNIFF_SHOWN(OF(ANSWER), "  ", ""), get_answer},
    {"receipt", OF(ANSWER), LARCH_SNIFF_SHOWN(OF(ANSWER), ", receipt ", ""), get_receipt},
};

const larch_sniff_dissector larch_sniff_dissector_direct = {NULL,       match,  read_message,
                                                            message_of, fields, sizeof fields / sizeof fields[0]};
