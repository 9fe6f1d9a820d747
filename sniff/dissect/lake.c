/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LAKE (EDHOC, RFC 9528): its messages, what they claim, and what stands inside if the handshake's secrets are known.
 *
 *     POST .well-known/edhoc   true | message_1     2.04 message_2     4.00, 5.00 error
 *                              C_R | message_3      2.04 message_4
 *                              C_R | error
 *     message_3 | OSCORE       option EDHOC [RFC9668 3.2.1]: oscore.c hands message_3 over
 *
 * The reverse flow, in which the client is the Responder, is not read [RFC9528 A.2.2].
 */
#include <string.h>

#include "larch/cbor.h"
#include "larch/lake_made.h"
#include "sniff/dissect/dissect_int.h"
#include "sniff/dissect/dissector.h"
#include "sniff/dissect/handshake.h"
#include "sniff/dissect/keys.h"

bool larch_sniff_lake_match(const larch_coap_message *request, uint8_t *resource)
{
    static const char *const paths[] = {LARCH_LAKE_PATH};
    return larch_sniff_match_paths(request, paths, 1, resource);
}

/* ---- parts ------------------------------------------------------------- */

static void read_eads(larch_bytes ead, larch_sniff_eads *out)
{
    larch_reader r = larch_reader_of(ead);
    larch_lake_ead item;
    while (out->count < LARCH_SNIFF_EADS_MAX && larch_lake_take_ead(&r, &item) == LARCH_OK) {
        out->labels[out->count++] = item.is_critical ? -(int64_t)item.label : item.label;
        if (item.label == LARCH_LAKE_EAD_TIME && item.has_value && item.value.len == 8) {
            out->has_time = true;
            out->unix_s = larch_number_at(item.value.data, item.value.len);
        }
    }
}

/* One byte string and nothing behind it: messages 2, 3 and 4. */
static bool read_sealed(larch_sniff_packet *p, larch_bytes bytes, larch_sniff_lake_message message)
{
    larch_reader r = larch_reader_of(bytes);
    larch_bytes value;
    if (larch_cbor_take_bytes(&r, &value) != LARCH_OK || r.left.len > 0 || value.len == 0)
        return false;
    p->lake.message = message;
    p->lake.bytes = bytes;
    p->lake.ciphertext_len = value.len;
    return true;
}

/* bstr / -24..23 [RFC9528 3.3.2] */
static bool take_identifier(larch_reader *r, larch_bytes *out)
{
    if (larch_cbor_peek(r) == LARCH_CBOR_BYTES)
        return larch_cbor_take_bytes(r, out) == LARCH_OK;
    return r->left.len > 0 && (r->left.data[0] & 0xdf) <= 0x17 && larch_reader_take(r, 1, out) == LARCH_OK;
}

/* ---- the key log ------------------------------------------------------- */

static void open_message(larch_sniff_packet *p, larch_sniff_handshake *h)
{
    larch_sniff_lake *lake = &p->lake;
    const larch_lake_suite *suite = h->has_message_1 ? larch_lake_suite_find(h->suite) : NULL;
    uint8_t th_2[LARCH_LAKE_HASH_MAX];
    if (p->keys == NULL)
        return;
    lake->outcome = LARCH_SNIFF_LAKE_UNKNOWN;
    if (suite == NULL)
        return;
    if (lake->message == LARCH_SNIFF_LAKE_MESSAGE_2) {
        if (larch_lake_observe_th_2(suite, h->h_message_1, lake->bytes, th_2) != LARCH_OK)
            return;
        h->after_2 = larch_sniff_keys_find_secrets(p->keys, false, (larch_bytes){th_2, suite->hash_len});
        h->after_3 = larch_sniff_keys_find_next(p->keys, h->after_2);
    }
    lake->outcome = larch_sniff_keys_open_lake(p->keys, suite, h->method, lake->message, h->after_2, h->after_3,
                                               lake->bytes, &lake->inside);
    read_eads(lake->inside.ead, &lake->inside_eads);
}

/* ---- messages ---------------------------------------------------------- */

/* What every message of a handshake says of it. */
static void note(larch_sniff_packet *p, larch_sniff_handshake *h)
{
    larch_sniff_lake *lake = &p->lake;
    larch_sniff_agreement *agreement = &p->claims.agreement;
    h->newest = p->number;
    h->message = lake->message;
    lake->handshake = h->first;
    lake->has_terms = h->has_message_1;
    lake->method = h->method;
    lake->suite = h->suite;
    lake->strength = h->has_message_1 ? larch_sniff_suite_strength(h->suite) : LARCH_SNIFF_STRENGTH_UNKNOWN;
    agreement->initiator = h->client;
    agreement->responder = h->server;
    agreement->offered = h->offered;
    agreement->selected = h->suite;
    agreement->strength = lake->strength;
}

#define P256_LEN 32 /* x alone is sent [RFC9528 3.7] */

/* NULL: a suite's key exchange is P-256. */
static const larch_kem *kem_of(const larch_lake_suite *suite)
{
    return suite->key_exchange == LARCH_XWING_SET ? larch_kem_xwing() : larch_kem_find(suite->key_exchange);
}

/* [RFC9528 10.2, 10.3] what neither the registries nor larch have */
static const char *find_unknown(const larch_lake_message_1 *m)
{
    if (larch_sniff_method_name(m->method) == NULL)
        return "method";
    return larch_sniff_suite_name(m->selected) == NULL ? "suite" : NULL;
}

static void claim_of_message_1(larch_sniff_packet *p)
{
    const larch_lake_message_1 *m = &p->lake.message_1;
    const larch_lake_suite *suite = larch_lake_suite_find(m->selected);
    p->claims.agreement.unknown = find_unknown(m);
    p->claims.agreement.unknown_number = larch_sniff_method_name(m->method) == NULL ? (int64_t)m->method : m->selected;
    const larch_kem *kem = suite != NULL ? kem_of(suite) : NULL;
    if (suite != NULL && m->g_x.len != (kem != NULL ? kem->ek_len : P256_LEN)) {
        p->why = "message_1 of LAKE has a G_X that does not fit its suite";
    } else if (kem != NULL) {
        p->claims.random_key = "G_X of message_1";
        p->claims.random_key_bytes = m->g_x;
        if (larch_kem_check_ek(kem, m->g_x) != LARCH_OK)
            p->why = "G_X of message_1 holds a number that is not below q (FIPS 203, 7.2)";
    }
}

static bool read_message_1(larch_sniff_packet *p, larch_bytes bytes)
{
    larch_sniff_lake *lake = &p->lake;
    const larch_error e = larch_lake_parse_message_1(bytes, &lake->message_1);
    if (e != LARCH_OK) {
        p->why = e == LARCH_STATE ? "message_1 of LAKE has a method or an EAD label that is out of range"
                                  : "message_1 of LAKE breaks its format";
        return false;
    }
    lake->message = LARCH_SNIFF_LAKE_MESSAGE_1;
    lake->bytes = bytes;
    larch_sniff_suites_read(&lake->suites, lake->message_1.suites);
    read_eads(lake->message_1.ead, &lake->eads);
    note(p, larch_sniff_handshake_begin(p));
    claim_of_message_1(p);
    return true;
}

static bool read_error(larch_sniff_packet *p, larch_bytes bytes, larch_sniff_handshake *h)
{
    larch_sniff_lake *lake = &p->lake;
    if (larch_lake_parse_error(bytes, &lake->error) != LARCH_OK)
        return false;
    lake->message = LARCH_SNIFF_LAKE_ERROR;
    lake->bytes = bytes;
    if (lake->error.code == LARCH_LAKE_ERROR_SUITE)
        larch_sniff_suites_read(&lake->suites, lake->error.info);
    if (h == NULL)
        return true;
    note(p, h);
    if (lake->error.code == LARCH_LAKE_ERROR_SUITE && p->kind == LARCH_SNIFF_RESPONSE && h->has_message_1) {
        p->claims.agreement.step = LARCH_SNIFF_STEP_REFUSES;
        p->claims.agreement.answered = lake->suites;
    }
    return true;
}

/* A handshake whose message_1 was not seen has an entry all the same, for what follows. */
static larch_sniff_handshake *find_or_begin(larch_sniff_packet *p)
{
    larch_sniff_handshake *h = larch_sniff_handshake_find(p->handshakes, &p->datagram.source, &p->datagram.destination);
    return h != NULL ? h : larch_sniff_handshake_place(p);
}

static void take_message_3(larch_sniff_packet *p, larch_bytes c_r)
{
    larch_sniff_handshake *h = find_or_begin(p);
    larch_sniff_id_set(&h->c_r, c_r);
    note(p, h);
    open_message(p, h);
}

bool larch_sniff_lake_take_combined(larch_sniff_packet *p, larch_bytes message_3, larch_bytes kid)
{
    if (!read_sealed(p, message_3, LARCH_SNIFF_LAKE_MESSAGE_3))
        return false;
    take_message_3(p, kid);
    return true;
}

void larch_sniff_lake_take_confirmation(larch_sniff_packet *p)
{
    larch_sniff_handshake *h = p->exchange == NULL
                                   ? NULL
                                   : larch_sniff_handshake_of(p->handshakes, &p->exchange->client, &p->exchange->server,
                                                              p->exchange->handshake);
    if (h != NULL && h->message == LARCH_SNIFF_LAKE_MESSAGE_3)
        larch_sniff_handshake_complete(p, h);
}

static bool read_request(larch_sniff_packet *p)
{
    larch_reader r = larch_reader_of(p->body);
    larch_bytes c_r;
    if (larch_cbor_take_simple(&r, LARCH_CBOR_TRUE) == LARCH_OK)
        return read_message_1(p, r.left);
    if (!take_identifier(&r, &c_r)) {
        p->why = "LAKE request begins neither with true nor with an identifier";
        return false;
    }
    p->lake.c_r = c_r;
    if (read_sealed(p, r.left, LARCH_SNIFF_LAKE_MESSAGE_3)) {
        take_message_3(p, c_r);
        p->claims.random = "message_3";
        p->claims.random_bytes = p->lake.bytes;
        return true;
    }
    if (read_error(p, r.left, larch_sniff_handshake_find(p->handshakes, &p->datagram.source, &p->datagram.destination)))
        return true;
    p->why = "LAKE request holds no message that may follow an identifier";
    return false;
}

/* message_2, or message_4: what the handshake waits for says which. */
static bool read_answer(larch_sniff_packet *p, larch_sniff_handshake *h)
{
    const bool is_4 = h->message == LARCH_SNIFF_LAKE_MESSAGE_3 || h->message == LARCH_SNIFF_LAKE_MESSAGE_4;
    const larch_lake_suite *suite = h->has_message_1 ? larch_lake_suite_find(h->suite) : NULL;
    if (!read_sealed(p, p->body, is_4 ? LARCH_SNIFF_LAKE_MESSAGE_4 : LARCH_SNIFF_LAKE_MESSAGE_2)) {
        p->why = is_4 ? "message_4 of LAKE breaks its format" : "message_2 of LAKE breaks its format";
        return false;
    }
    note(p, h);
    if (!is_4) {
        const larch_kem *kem = suite != NULL ? kem_of(suite) : NULL;
        p->lake.g_y_len = kem != NULL ? kem->ct_len : suite != NULL ? P256_LEN : 0;
        p->claims.agreement.step = LARCH_SNIFF_STEP_AGREES;
        if (p->lake.g_y_len >= p->lake.ciphertext_len)
            p->why = "message_2 of LAKE is shorter than the G_Y of its suite";
    }
    p->claims.random = is_4 ? "message_4" : "message_2";
    p->claims.random_bytes = p->lake.bytes;
    open_message(p, h);
    if (is_4)
        larch_sniff_handshake_complete(p, h);
    return true;
}

static bool read_response(larch_sniff_packet *p)
{
    larch_sniff_handshake *h = larch_sniff_handshake_find(p->handshakes, &p->datagram.destination, &p->datagram.source);
    if (p->exchange != NULL && p->exchange->method != LARCH_COAP_POST)
        return false;
    if (p->coap.code == LARCH_COAP_CHANGED)
        return h != NULL && read_answer(p, h);
    return larch_sniff_has_format(&p->coap, LARCH_COAP_FORMAT_EDHOC) && read_error(p, p->body, h);
}

bool larch_sniff_lake_read(larch_sniff_packet *p)
{
    const bool request = p->kind == LARCH_SNIFF_REQUEST;
    if (request && p->coap.code != LARCH_COAP_POST)
        return false;
    p->claims.renews = request;
    return p->body.len > 0 && (request ? read_request(p) : read_response(p));
}
