/* SPDX-License-Identifier: Apache-2.0 */
/* The resources of the direct exchange: key, sealed message, endorsement. */
#include <string.h>

#include "larch/crypto.h"
#include "node/gateway_int.h"

#define ETAG_LEN 8

/* ---- /pqkem-pk --------------------------------------------------------- */

/* The keys that the query asks for: "kem=768", without one 512 or what is smallest in this build. */
static larch_gateway_keys *asked_keys(const gateway_request *rq)
{
    larch_bytes value;
    unsigned set = 0;
    if (!larch_coap_query_find(&rq->event->message, "kem", &value))
        return &rq->gw->keys[0];
    if (value.len == 0 || value.len > 4)
        return NULL;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return NULL;
        set = 10 * set + (unsigned)(value.data[i] - '0');
    }
    const larch_kem *kem = larch_kem_find(set);
    return kem != NULL ? larch_gateway_keys_of(rq->gw, kem) : NULL;
}

static bool names_etag(const larch_coap_message *request, larch_bytes etag)
{
    larch_coap_options options = larch_coap_options_of(request);
    larch_coap_option option;
    while (larch_coap_options_next(&options, &option))
        if (option.number == LARCH_COAP_OPT_ETAG && larch_bytes_equal(option.value, etag))
            return true;
    return false;
}

static void answer_key(const gateway_request *rq, uint8_t code)
{
    const larch_coap_message *request = &rq->event->message;
    larch_coap_slice slice;
    larch_coap_builder b;
    larch_bytes value;
    uint32_t accept;

    larch_gateway_keys *keys = asked_keys(rq);
    if (keys == NULL) {
        larch_gateway_answer_text(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("kem: 512, 768 or 1024"), false);
        return;
    }
    if (larch_coap_option_find(request, LARCH_COAP_OPT_ACCEPT, &value) &&
        (larch_coap_option_uint(value, &accept) != LARCH_OK || accept != LARCH_COAP_FORMAT_OCTETS)) {
        larch_gateway_answer_text(rq, LARCH_COAP_NOT_ACCEPTABLE, (larch_bytes){0}, false);
        return;
    }
    if (!larch_gateway_admit(rq))
        return;

    const larch_bytes ek = {keys->ek, keys->kem->ek_len};
    const larch_bytes etag = {keys->key[keys->present].hash, ETAG_LEN};
    if (larch_coap_block2_slice(request, ek, &slice) != LARCH_OK) {
        larch_gateway_answer_text(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("no such block"), false);
        return;
    }
    bool known = request->code == LARCH_COAP_GET && names_etag(request, etag);
    if (larch_gateway_answer(rq, known ? LARCH_COAP_VALID : code, &b) != LARCH_OK)
        return;
    larch_coap_build_option(&b, LARCH_COAP_OPT_ETAG, etag);
    if (!known) {
        /* A prototype's sender knows the answer to its tokenless POST by this option,
         * which has no other place in a response. */
        if (request->code == LARCH_COAP_POST && request->token.len == 0)
            larch_coap_build_path(&b, LARCH_DIRECT_PATH_KEY);
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, LARCH_COAP_FORMAT_OCTETS);
        larch_coap_block2_build(&b, &slice, ek.len);
        larch_coap_build_payload(&b, slice.bytes);
    }
    larch_gateway_answer_end(rq, &b, false);
}

void larch_gateway_get_key(const gateway_request *rq) { answer_key(rq, LARCH_COAP_CONTENT); }

void larch_gateway_post_key(const gateway_request *rq)
{
    if (rq->event->message.payload.len > 0)
        larch_gateway_answer_text(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("no payload expected"), false);
    else
        answer_key(rq, LARCH_COAP_CHANGED);
}

/* ---- bodies ------------------------------------------------------------ */

/* The whole body of a request, however many blocks it came in; false: it is
 * answered, or more is to come. *block1 is for the final answer. */
static bool take_body(const gateway_request *rq, larch_bytes *body, bool *blockwise, larch_coap_block *block1)
{
    larch_coap_builder b;
    uint8_t code;
    switch (larch_coap_reassembly_take(&rq->gw->reassembly, rq->now_ms, &rq->event->peer, &rq->event->message,
                                       blockwise, block1, body)) {
    case LARCH_OK:
        return true;
    case LARCH_AGAIN:
        code = LARCH_COAP_CONTINUE;
        break;
    case LARCH_STATE:
        code = LARCH_COAP_REQUEST_ENTITY_INCOMPLETE;
        break;
    case LARCH_SPACE:
        code = LARCH_COAP_REQUEST_ENTITY_TOO_LARGE;
        break;
    case LARCH_PLATFORM:
        code = LARCH_COAP_SERVICE_UNAVAILABLE;
        break;
    default:
        code = LARCH_COAP_BAD_REQUEST;
        break;
    }
    if (larch_gateway_answer(rq, code, &b) != LARCH_OK)
        return false;
    if (code == LARCH_COAP_CONTINUE)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(*block1));
    if (code == LARCH_COAP_REQUEST_ENTITY_TOO_LARGE)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_SIZE1, LARCH_COAP_BODY_MAX);
    /* A block taken twice is out of order, so a duplicate needs the same answer. */
    larch_gateway_answer_end(rq, &b, true);
    return false;
}

static void answer_body(const gateway_request *rq, uint8_t code, larch_bytes text, bool blockwise,
                        larch_coap_block block1)
{
    larch_coap_builder b;
    if (larch_gateway_answer(rq, code, &b) != LARCH_OK)
        return;
    if (blockwise)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(block1));
    larch_coap_build_payload(&b, text);
    larch_gateway_answer_end(rq, &b, true);
}

/* ---- /pqkem-data ------------------------------------------------------- */

/* What is known of this message and key ahead, or NULL. */
static const larch_gateway_ahead *ahead_of(const larch_gateway *gw, const larch_gateway_key *key,
                                           const larch_direct_sealed *sealed)
{
    const larch_gateway_ahead *ahead = gw->ahead;
    bool fits = ahead != NULL && ahead->generation == key->generation && ahead->kem_ct.data == sealed->kem_ct.data;
    return fits ? ahead : NULL;
}

/* Tries the key. LARCH_OK: text is open and marked. LARCH_AUTH: another key may fit. An old key without room for
 * marks is as good as none: the sender is to ask for the present one. */
static larch_error open_with(const gateway_request *rq, larch_gateway_key *key, bool is_present,
                             const larch_direct_sealed *sealed, uint8_t *text, size_t *text_len)
{
    const larch_gateway_ahead *ahead = ahead_of(rq->gw, key, sealed);
    const larch_trace *trace = rq->gw->config.trace;
    uint64_t tag = ahead != NULL ? ahead->tag : larch_gateway_tag(key, sealed);
    larch_error e;
    if (larch_replay_set_contains(&key->marks, tag))
        return LARCH_REPLAY; /* before the costly part: floods of replays stay cheap */
    if (larch_replay_set_is_full(&key->marks))
        return is_present ? LARCH_SPENT : LARCH_AUTH;
    if (ahead != NULL && ahead->has_ss)
        e = larch_direct_open_with(sealed, trace, ahead->ss, text, LARCH_DIRECT_TEXT_MAX, text_len);
    else
        e = larch_direct_open(sealed, trace, key->dk, text, LARCH_DIRECT_TEXT_MAX, text_len);
    if (e != LARCH_OK)
        return e;
    if ((e = larch_replay_set_add(&key->marks, tag)) != LARCH_OK)
        larch_wipe(text, *text_len); /* without a mark it was never accepted */
    return e;
}

void larch_gateway_post_sealed(const gateway_request *rq)
{
    larch_gateway *gw = rq->gw;
    larch_gateway_event told = {.peer = rq->event->peer};
    larch_direct_sealed sealed;
    larch_coap_block block1 = {0};
    bool blockwise = false;
    larch_bytes body;
    uint8_t *text = rq->slot->bytes + LARCH_COAP_ANSWER_MAX;
    size_t text_len = 0;

    if (rq->event->multicast || !larch_gateway_admit(rq) || !take_body(rq, &body, &blockwise, &block1))
        return;
    larch_direct_answer answer = larch_direct_parse(body, &sealed);
    larch_error e = LARCH_AUTH;
    if (answer != LARCH_DIRECT_OK) {
        told.reason = LARCH_GATEWAY_MALFORMED;
        told.answer = answer;
    } else {
        larch_gateway_keys *keys = larch_gateway_keys_of(gw, sealed.kem);
        larch_gateway_key *key;
        told.kem = sealed.kem;
        for (unsigned age = 0; e == LARCH_AUTH && (key = larch_gateway_key_at(keys, age)) != NULL; age++)
            e = open_with(rq, key, age == 0, &sealed, text, &text_len);
        switch (e) {
        case LARCH_OK:
            break;
        case LARCH_AUTH:
            told.reason = LARCH_GATEWAY_AUTH;
            answer = LARCH_DIRECT_AUTH_FAIL;
            break;
        case LARCH_REPLAY:
            told.reason = LARCH_GATEWAY_REPLAY;
            answer = LARCH_DIRECT_REPLAY;
            break;
        default: /* the set is full and no new key could be stored, or the provider failed */
            larch_gateway_tell(gw, (larch_gateway_event){.reason = LARCH_GATEWAY_STORAGE, .peer = rq->event->peer});
            larch_gateway_answer_text(rq, LARCH_COAP_SERVICE_UNAVAILABLE, (larch_bytes){0}, false);
            return;
        }
    }
    const char *words = larch_direct_answer_text(answer);
    answer_body(rq, larch_direct_answer_code(answer), (larch_bytes){(const uint8_t *)words, strlen(words)}, blockwise,
                block1);
    if (answer != LARCH_DIRECT_OK) {
        larch_gateway_tell(gw, told);
        return;
    }
    larch_reach_note_good(&gw->reach, rq->now_ms, &rq->event->peer);
    rq->slot->kem = sealed.kem;
    rq->slot->text_len = (uint16_t)text_len;
}

_Static_assert(LARCH_COAP_ANSWER_MAX + LARCH_DIRECT_TEXT_MAX <= LARCH_COAP_DATAGRAM_MAX,
               "answer and text share a slot");

/* ---- /pqkem-next ------------------------------------------------------- */

/* Header, token, Block1 (1 + 1 + 3), marker: a longer answer would not be kept, hence not be given. */
_Static_assert(4 + LARCH_COAP_TOKEN_MAX + 5 + 1 + LARCH_DIRECT_NEXT_LEN <= LARCH_COAP_ANSWER_MAX,
               "an endorsement is kept for duplicates");

void larch_gateway_post_next(const gateway_request *rq)
{
    larch_gateway *gw = rq->gw;
    uint8_t out[LARCH_DIRECT_NEXT_LEN];
    larch_coap_block block1 = {0};
    bool blockwise = false;
    const larch_kem *kem;
    larch_bytes body, hint, kem_ct;

    if (rq->event->multicast || !larch_gateway_admit(rq) || !take_body(rq, &body, &blockwise, &block1))
        return;
    if (larch_direct_next_parse(body, &kem, &hint, &kem_ct) != LARCH_OK) {
        answer_body(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("BAD_LEN"), blockwise, block1);
        return;
    }
    larch_gateway_keys *keys = larch_gateway_keys_of(gw, kem);
    const larch_gateway_key *key = NULL, *present = larch_gateway_key_at(keys, 0);
    for (unsigned age = 0; (key = larch_gateway_key_at(keys, age)) != NULL; age++)
        if (memcmp(key->hash, hint.data, LARCH_DIRECT_HINT_LEN) == 0)
            break;
    if (key == NULL) {
        answer_body(rq, LARCH_COAP_NOT_FOUND, LARCH_TEXT("UNKNOWN_KEY"), blockwise, block1);
        return;
    }
    if (larch_direct_next_answer(kem, key->dk, kem_ct, key->hash, present->hash, out) != LARCH_OK) {
        answer_body(rq, LARCH_COAP_INTERNAL_SERVER_ERROR, (larch_bytes){0}, blockwise, block1);
        return;
    }
    answer_body(rq, LARCH_COAP_CHANGED, LARCH_BYTES(out), blockwise, block1);
}
