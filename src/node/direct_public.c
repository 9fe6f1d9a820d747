/* SPDX-License-Identifier: Apache-2.0 */
/* What the service hands to anybody: its direct keys, its root keys and its identity document. */
#include "node/direct_int.h"

#define ETAG_LEN           8
#define DOCUMENT_MAX_AGE_S 86400 /* founding entries and root keys never change */

/* The keys that the query asks for: "kem=768", without one 512 or what is smallest in this build. */
static const larch_direct_keys *asked_keys(larch_direct_service *direct, const larch_request *rq)
{
    larch_bytes value;
    if (!larch_coap_query_find(rq->message, "kem", &value))
        return &direct->keys[0];
    const larch_kem *kem = larch_direct_kem_named(value);
    return kem != NULL ? larch_direct_keys_find(direct, kem) : NULL;
}

static void refuse_kem(const larch_request *rq)
{
    larch_request_refuse(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("kem: 512, 768, 1024 or xwing"));
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

/* Fills an answer of these octets, or of none if the client has them; false: the request is dealt with. */
static bool fill(const larch_request *rq, uint8_t code, larch_bytes octets, const uint8_t hash[32],
                 larch_answer *answer)
{
    if (!larch_request_admit(rq))
        return false;
    *answer = (larch_answer){.code = code, .is_safe = true, .etag = {hash, ETAG_LEN}};
    if (rq->message->code == LARCH_COAP_GET && names_etag(rq->message, answer->etag)) {
        answer->code = LARCH_COAP_VALID;
        return true;
    }
    answer->is_in_blocks = true;
    answer->has_format = true;
    answer->format = LARCH_COAP_FORMAT_OCTETS;
    answer->body = octets;
    return true;
}

/* ---- /pqkem-pk ------------------------------------------------------------ */

#if LARCH_SERVER_SESSIONS
bool larch_direct_is_closed(const larch_direct_service *direct, const larch_request *rq)
{
    if (direct->config.is_closed)
        larch_request_refuse(rq, LARCH_COAP_FORBIDDEN, LARCH_TEXT("this gateway requires handshakes (EDHOC)"));
    return direct->config.is_closed;
}
#endif

static void answer_key(larch_direct_service *direct, const larch_request *rq, uint8_t code)
{
    larch_answer answer;
    if (larch_direct_is_closed(direct, rq))
        return;
    const larch_direct_keys *keys = asked_keys(direct, rq);
    if (keys == NULL) {
        refuse_kem(rq);
        return;
    }
    if (!fill(rq, code, (larch_bytes){keys->ek, keys->kem->ek_len}, keys->key[keys->present].hash, &answer))
        return;
    /* A prototype's sender knows the answer to its tokenless POST by this option, which has no other place in a
     * response. */
    if (rq->message->code == LARCH_COAP_POST && rq->message->token.len == 0)
        answer.path = LARCH_DIRECT_PATH_KEY;
    larch_request_answer(rq, &answer);
}

void larch_direct_get_key(void *context, const larch_request *rq) { answer_key(context, rq, LARCH_COAP_CONTENT); }

void larch_direct_post_key(void *context, const larch_request *rq)
{
    if (rq->message->payload.len > 0)
        larch_request_refuse(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("no payload expected"));
    else
        answer_key(context, rq, LARCH_COAP_CHANGED);
}

/* ---- /pqkem-root ---------------------------------------------------------- */

static void answer_lasting(const larch_request *rq, larch_bytes octets, const uint8_t hash[32])
{
    larch_answer answer;
    if (!fill(rq, LARCH_COAP_CONTENT, octets, hash, &answer))
        return;
    answer.max_age_s = DOCUMENT_MAX_AGE_S;
    larch_request_answer(rq, &answer);
}

/* The document; with a query "kem", the root key of that set. */
void larch_direct_get_root(void *context, const larch_request *rq)
{
    larch_direct_service *direct = context;
    larch_bytes value;
    if (!larch_coap_query_find(rq->message, "kem", &value)) {
        answer_lasting(rq, (larch_bytes){direct->document, direct->document_len}, direct->document_hash);
        return;
    }
    const larch_direct_keys *keys = asked_keys(direct, rq);
    uint8_t ek[LARCH_KEM_EK_MAX];
    if (keys == NULL) {
        refuse_kem(rq);
    } else if (!keys->has_root) { /* the identity was made by a larch without this set */
        larch_request_refuse(rq, LARCH_COAP_NOT_FOUND, LARCH_TEXT("UNKNOWN_KEY"));
    } else {
        larch_kem_ek_of(keys->kem, keys->root_dk, ek);
        answer_lasting(rq, (larch_bytes){ek, keys->kem->ek_len}, keys->root_hash);
    }
}
