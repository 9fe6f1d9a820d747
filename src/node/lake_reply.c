/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to messages of a handshake [RFC9528 A.2.3]. */
#include "node/lake_service_int.h"

#if LARCH_SERVER_SESSIONS

void larch_lake_put_answer(larch_answer *answer, larch_bytes message)
{
    answer->code = LARCH_COAP_CHANGED;
    answer->has_format = true;
    answer->format = LARCH_COAP_FORMAT_EDHOC;
    answer->body = message;
}

void larch_lake_reply(const larch_request *rq, larch_bytes message)
{
    larch_answer answer = {.is_in_blocks = true};
    larch_lake_put_answer(&answer, message);
    larch_request_answer(rq, &answer);
}

/* What the Responder lacks is no fault of the request. */
static uint8_t code_of(larch_error e)
{
    return e == LARCH_PLATFORM || e == LARCH_SPACE ? LARCH_COAP_INTERNAL_SERVER_ERROR : LARCH_COAP_BAD_REQUEST;
}

void larch_lake_put_error_answer(larch_answer *answer, larch_error e, larch_bytes message)
{
    answer->code = code_of(e);
    answer->is_uncached = true;
    answer->has_format = message.len > 0;
    answer->format = LARCH_COAP_FORMAT_EDHOC;
    answer->body = message;
}

void larch_lake_reply_error(const larch_request *rq, larch_error e, larch_bytes message)
{
    larch_answer answer = {0};
    if (e == LARCH_AUTH)
        larch_server_report_peer(rq->server, LARCH_EVENT_AUTH, rq->peer, NULL, "handshake");
    else if (e == LARCH_MALFORMED)
        larch_server_report_peer(rq->server, LARCH_EVENT_MALFORMED, rq->peer, NULL, "handshake");
    larch_lake_put_error_answer(&answer, e, message);
    larch_request_answer(rq, &answer);
}

void larch_lake_reply_later(const larch_request *rq, uint32_t wait_s)
{
    larch_request_answer(rq,
                         &(larch_answer){.code = LARCH_COAP_SERVICE_UNAVAILABLE, .is_safe = true, .max_age_s = wait_s});
}

void larch_lake_put_refusal(const larch_lake_service *lake, larch_writer *w)
{
    larch_lake_session refused;
    larch_lake_init(&refused, LARCH_LAKE_RESPONDER);
    larch_lake_refuse(&refused);
    if (larch_lake_compose_error(&refused, lake->config.party, w) != LARCH_OK)
        w->len = 0;
}

void larch_lake_reply_refusal(const larch_lake_service *lake, const larch_request *rq, larch_error e)
{
    uint8_t bytes[LAKE_ERROR_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_lake_put_refusal(lake, &w);
    larch_lake_reply_error(rq, e, (larch_bytes){bytes, w.len});
}

#endif
