/* SPDX-License-Identifier: Apache-2.0 */
/* /r/NAME: readings that devices post, and the last of each. */
#include <string.h>

#include "base/siphash.h"
#include "larch/crypto.h"
#include "node/oscore_service_int.h"

#if LARCH_SERVER_SESSIONS

#define LATER_S           30 /* Max-Age of the 5.03 for a reading that was not stored */
#define NUMBER_MAX_DIGITS 20
#define IDENTITY_LEN_N    (1 + 8 + 8)                           /* 'N' device n */
#define IDENTITY_LEN_O    (1 + 8 + 5 + LARCH_ACCEPTED_HASH_LEN) /* 'O' session number hash */
_Static_assert(IDENTITY_LEN_O <= LARCH_ACCEPTED_ID_MAX, "an identity fits");

/* ---- what a request says ----------------------------------------------------- */

/* A name is text that a terminal, a path and a database take as it is. */
static bool is_name(larch_bytes name)
{
    if (name.len == 0 || name.len > LARCH_READING_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] <= ' ' || name.data[i] >= 0x7f || name.data[i] == '/')
            return false;
    return true;
}

/* The name; empty: there is none that can be used, and the request was answered. */
static larch_bytes take_name(const larch_request *rq)
{
    const larch_bytes name = larch_request_name(rq);
    if (is_name(name))
        return name;
    larch_request_refuse(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("name: 1 to 32 printable ASCII characters"));
    return (larch_bytes){NULL, 0};
}

/* Whether the device may do that; if not, the request was answered. */
static bool is_allowed(const larch_oscore_service *oscore, const larch_request *rq, larch_bytes name, bool reports)
{
    const larch_oscore_devices *devices = oscore->config.devices;
    if (devices == NULL || devices->allows == NULL ||
        devices->allows(devices->context, rq->session->device, name, reports))
        return true;
    larch_server_report_peer(rq->server, LARCH_EVENT_DENIED, rq->peer, NULL, NULL);
    larch_request_refuse(rq, LARCH_COAP_FORBIDDEN, (larch_bytes){0});
    return false;
}

static bool is_reading_format(uint32_t format)
{
    return format == LARCH_COAP_FORMAT_TEXT || format == LARCH_COAP_FORMAT_JSON || format == LARCH_COAP_FORMAT_CBOR ||
           format == LARCH_COAP_FORMAT_SENML_JSON || format == LARCH_COAP_FORMAT_SENML_CBOR;
}

/* Content-Format; without one, plain text. false: it is another, and the request was answered. */
static bool take_format(const larch_request *rq, uint16_t *format)
{
    larch_bytes value;
    uint32_t found = LARCH_COAP_FORMAT_TEXT;
    if (larch_coap_option_find(rq->message, LARCH_COAP_OPT_CONTENT_FORMAT, &value) &&
        larch_coap_option_uint(value, &found) != LARCH_OK)
        found = LARCH_COAP_FORMAT_NONE;
    *format = (uint16_t)found;
    if (is_reading_format(found))
        return true;
    larch_request_refuse(rq, LARCH_COAP_UNSUPPORTED_CONTENT_FORMAT, LARCH_TEXT("0, 50, 60, 110 or 112"));
    return false;
}

/* The query n=N: *has_n without it is false. Returns false if it is no number, and the request was answered. */
static bool take_n(const larch_request *rq, bool *has_n, uint64_t *n)
{
    larch_bytes value;
    *n = 0;
    *has_n = larch_coap_query_find(rq->message, "n", &value);
    if (!*has_n)
        return true;
    bool is_number = value.len <= NUMBER_MAX_DIGITS;
    for (size_t i = 0; i < value.len && is_number; i++) {
        const unsigned digit = value.data[i] - (unsigned)'0';
        is_number = digit <= 9 && *n <= (UINT64_MAX - digit) / 10;
        *n = 10 * *n + digit;
    }
    if (!is_number)
        larch_request_refuse(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("n: a decimal number below 2^64"));
    return is_number;
}

/* ---- identity ---------------------------------------------------------------- */

static larch_error finish_hash(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_ACCEPTED_HASH_LEN])
{
    uint8_t hash[LARCH_SHA256_LEN];
    const larch_error e = larch_sha256(pieces, count, hash);
    memcpy(out, hash, LARCH_ACCEPTED_HASH_LEN);
    return e;
}

/* Of a numbered reading: what it says, however it was sent. */
static larch_error hash_reading(larch_bytes name, uint16_t format, larch_bytes body,
                                uint8_t out[LARCH_ACCEPTED_HASH_LEN])
{
    const uint8_t head[] = {(uint8_t)(format >> 8), (uint8_t)format, (uint8_t)name.len};
    const larch_bytes pieces[] = {LARCH_BYTES(head), name, body};
    return finish_hash(pieces, 3, out);
}

/* Of any other: the code, the options as they would stand without Echo, and the body. */
static larch_error hash_request(larch_oscore_service *oscore, const larch_request *rq, larch_bytes body,
                                uint8_t out[LARCH_ACCEPTED_HASH_LEN])
{
    const larch_coap_message *m = rq->message;
    larch_coap_options options = larch_coap_options_of(m);
    larch_coap_option option;
    larch_coap_builder b;
    larch_bytes whole;
    larch_coap_build(&b, oscore->scratch, sizeof oscore->scratch, LARCH_COAP_CON, m->code, 0, (larch_bytes){NULL, 0});
    while (larch_coap_options_next(&options, &option))
        if (option.number != LARCH_COAP_OPT_ECHO)
            larch_coap_build_option(&b, option.number, option.value);
    larch_error e = larch_coap_build_end(&b, &whole);
    if (e == LARCH_OK) {
        const larch_bytes pieces[] = {
            {&m->code, 1}, {whole.data + LARCH_COAP_EMPTY_LEN, whole.len - LARCH_COAP_EMPTY_LEN}, body};
        e = finish_hash(pieces, 3, out);
    }
    larch_wipe(oscore->scratch, sizeof oscore->scratch);
    return e;
}

static larch_accepted_id identity_n(uint64_t device, uint64_t n)
{
    larch_accepted_id id = {.len = IDENTITY_LEN_N};
    larch_writer w = larch_writer_to(id.bytes, sizeof id.bytes);
    larch_writer_put_u8(&w, 'N');
    larch_writer_put_u64(&w, device);
    larch_writer_put_u64(&w, n);
    return id;
}

static larch_accepted_id identity_o(uint64_t session, uint64_t number, const uint8_t hash[LARCH_ACCEPTED_HASH_LEN])
{
    larch_accepted_id id = {.len = IDENTITY_LEN_O};
    larch_writer w = larch_writer_to(id.bytes, sizeof id.bytes);
    larch_writer_put_u8(&w, 'O');
    larch_writer_put_u64(&w, session);
    larch_writer_put_u8(&w, (uint8_t)(number >> 32));
    larch_writer_put_u32(&w, (uint32_t)number);
    larch_writer_put(&w, (larch_bytes){hash, LARCH_ACCEPTED_HASH_LEN});
    return id;
}

/* What tells waiting messages apart, before any of them is stored. It lives as long as they wait, and nobody outside
 * learns it. */
static uint64_t mark_of(const larch_oscore_service *oscore, const larch_accepted_id *identity)
{
    larch_siphash h;
    larch_siphash_init(&h, oscore->key);
    larch_siphash_part(&h, (larch_bytes){identity->bytes, identity->len});
    return larch_siphash_end(&h);
}

/* ---- POST, PUT ----------------------------------------------------------------- */

static void answer_stored(larch_answer *answer) { answer->code = LARCH_COAP_CHANGED; }

/* The reading is not stored; the device may try again later. */
static void answer_later(larch_answer *answer)
{
    answer->code = LARCH_COAP_SERVICE_UNAVAILABLE;
    answer->max_age_s = LATER_S;
}

/* Another reading has this number: the device is to go on from the highest. */
static void refuse_number(larch_oscore_service *oscore, const larch_request *rq, uint64_t highest)
{
    size_t at = sizeof oscore->text;
    do
        oscore->text[--at] = (uint8_t)('0' + highest % 10);
    while ((highest /= 10) != 0);
    larch_request_refuse(rq, LARCH_COAP_CONFLICT, (larch_bytes){oscore->text + at, sizeof oscore->text - at});
}

/* Puts the body and the name behind it where the driver will find them. */
static void put_text(const larch_request *rq, larch_acceptance *accepted, larch_bytes body, larch_bytes name)
{
    larch_writer w = larch_writer_to(larch_request_text(rq), rq->service->text_max);
    larch_writer_put(&w, body);
    larch_writer_put(&w, name);
    accepted->text_len = w.len;
    accepted->name_len = (uint8_t)name.len;
}

/* A reading with a number of the device's. */
static void accept_numbered(larch_oscore_service *oscore, const larch_request *rq, larch_acceptance *accepted,
                            larch_bytes name, larch_bytes body, uint64_t n)
{
    const larch_readings *readings = oscore->config.readings;
    uint64_t highest = n;
    accepted->identity = identity_n(accepted->device, n);
    accepted->mark = mark_of(oscore, &accepted->identity);
    const larch_acceptance *waits = larch_request_pending(rq, accepted);
    if (waits != NULL) {
        if (larch_ct_equal(waits->hash, accepted->hash, sizeof accepted->hash))
            larch_request_follow(rq, accepted);
        else
            refuse_number(oscore, rq, n);
        return;
    }
    larch_answer answer = {0};
    switch (readings->recall(readings->context, &accepted->identity, accepted->hash, &highest)) {
    case LARCH_RECALL_KNOWN:
        answer_stored(&answer);
        larch_request_answer(rq, &answer);
        return;
    case LARCH_RECALL_CONFLICT:
        refuse_number(oscore, rq, highest);
        return;
    case LARCH_RECALL_FAILED:
        answer_later(&answer);
        larch_request_answer(rq, &answer);
        return;
    default:
        put_text(rq, accepted, body, name);
        larch_request_accept(rq, accepted);
    }
}

/* A reading whose only number is that of its request. If the request returns the Echo of a challenge, the reading may
 * have been stored under the number of the challenged request, before the window was lost. */
static void accept_plain(larch_oscore_service *oscore, const larch_request *rq, larch_acceptance *accepted,
                         larch_bytes name, larch_bytes body)
{
    const larch_readings *readings = oscore->config.readings;
    const larch_server_protection *protection = &rq->slot->protection;
    uint64_t highest;
    accepted->identity = identity_o(protection->session, protection->number, accepted->hash);
    accepted->mark = mark_of(oscore, &accepted->identity);
    if (protection->has_echoed) {
        accepted->also = identity_o(protection->session, protection->echoed, accepted->hash);
        const larch_recall recall = readings->recall(readings->context, &accepted->also, accepted->hash, &highest);
        if (recall == LARCH_RECALL_FAILED) {
            larch_answer answer = {0};
            answer_later(&answer);
            larch_request_answer(rq, &answer);
            return;
        }
        accepted->is_known = recall == LARCH_RECALL_KNOWN;
    }
    put_text(rq, accepted, body, name);
    larch_request_accept(rq, accepted);
}

void larch_oscore_post_reading(void *context, const larch_request *rq)
{
    larch_oscore_service *oscore = context;
    larch_acceptance accepted = {.device = rq->session->device};
    larch_bytes body;
    bool has_n;
    uint64_t n;
    const larch_bytes name = take_name(rq);
    if (name.len == 0 || !is_allowed(oscore, rq, name, true) || !take_format(rq, &accepted.format) ||
        !take_n(rq, &has_n, &n) || !larch_request_body(rq, &body))
        return;
    const larch_error e = has_n ? hash_reading(name, accepted.format, body, accepted.hash)
                                : hash_request(oscore, rq, body, accepted.hash);
    if (e != LARCH_OK)
        larch_request_refuse(rq, LARCH_COAP_INTERNAL_SERVER_ERROR, (larch_bytes){0});
    else if (has_n)
        accept_numbered(oscore, rq, &accepted, name, body, n);
    else
        accept_plain(oscore, rq, &accepted, name, body);
}

void larch_oscore_conclude(void *context, larch_server *srv, uint64_t now_ms, const larch_held *held,
                           larch_answer *answer)
{
    larch_oscore_service *oscore = context;
    (void)now_ms;
    if (!held->stored) {
        larch_server_report_peer(srv, LARCH_EVENT_FULL, held->peer, NULL, NULL);
        answer_later(answer);
        return;
    }
    answer_stored(answer);
    if (!held->follows && !held->message->is_known)
        larch_oscore_notify(oscore, held->name);
}

/* ---- GET ------------------------------------------------------------------------ */

void larch_oscore_get_reading(void *context, const larch_request *rq)
{
    larch_oscore_service *oscore = context;
    const larch_readings *readings = oscore->config.readings;
    larch_answer answer = {.code = LARCH_COAP_CONTENT, .is_safe = true, .is_in_blocks = true, .has_format = true};
    larch_bytes accept;
    uint32_t wanted;
    const larch_bytes name = take_name(rq);
    if (name.len == 0 || !is_allowed(oscore, rq, name, false))
        return;
    answer.body.data = oscore->last;
    const larch_error e =
        readings->last(readings->context, name, oscore->last, sizeof oscore->last, &answer.body.len, &answer.format);
    if (e == LARCH_AGAIN) {
        larch_request_refuse(rq, LARCH_COAP_NOT_FOUND, (larch_bytes){0});
        return;
    }
    if (e != LARCH_OK) {
        larch_request_refuse(rq, LARCH_COAP_INTERNAL_SERVER_ERROR, (larch_bytes){0});
        return;
    }
    if (larch_coap_option_find(rq->message, LARCH_COAP_OPT_ACCEPT, &accept) &&
        (larch_coap_option_uint(accept, &wanted) != LARCH_OK || wanted != answer.format)) {
        larch_request_refuse(rq, LARCH_COAP_NOT_ACCEPTABLE, (larch_bytes){0});
        return;
    }
    if (larch_oscore_observe(oscore, rq, name)) {
        answer.has_observe = true;
        answer.observe = (uint32_t)(rq->slot->protection.own & 0xffffff);
    }
    larch_request_answer(rq, &answer);
}

#endif
