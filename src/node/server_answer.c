/* SPDX-License-Identifier: Apache-2.0 */
/* What resources do with a request: take its body, answer or accept it. */
#include <string.h>

#include "node/server_int.h"

#define BUSY_S 2 /* Max-Age of the 5.03 for a body that found no place */

/* ---- answers --------------------------------------------------------------- */

/* Options in ascending order, then the slice of the body. */
static void build_rest(larch_coap_builder *b, const larch_server_slot *slot, const larch_answer *answer,
                       const larch_coap_slice *slice)
{
    if (answer->etag.len > 0)
        larch_coap_build_option(b, LARCH_COAP_OPT_ETAG, answer->etag);
    if (answer->has_observe)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_OBSERVE, answer->observe);
    if (answer->path != NULL)
        larch_coap_build_path(b, answer->path);
    if (answer->has_format)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_CONTENT_FORMAT, answer->format);
    if (answer->max_age_s > 0 || answer->is_uncached)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_MAX_AGE, answer->max_age_s);
    larch_coap_blocks_build(b, slice, answer->body.len, slot->blockwise ? &slot->block1 : NULL);
    if (answer->size1 > 0)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_SIZE1, answer->size1);
    if (answer->echo.len > 0)
        larch_coap_build_option(b, LARCH_COAP_OPT_ECHO, answer->echo);
    if (slice->bytes.len > 0)
        larch_coap_build_payload(b, slice->bytes);
}

/* Returns false if the answer is more than the peer may have. */
static bool build(larch_server *srv, uint64_t now_ms, larch_server_slot *slot, const larch_coap_message *request,
                  const larch_answer *answer)
{
    const uint32_t at = slot->at + (uint32_t)slot->message.text_len;
    const size_t cap = request != NULL ? LARCH_COAP_DATAGRAM_MAX : SERVER_ANSWER_HEAD + slot->service->answer_max;
    static const larch_answer no_such_block = {
        .code = LARCH_COAP_BAD_REQUEST, .is_safe = true, .body = {(const uint8_t *)"no such block", 13}};
    const bool is_protected = larch_server_is_protected(slot);
    uint8_t *out = srv->config.pool + at;
    larch_coap_slice slice = {.bytes = answer->body};
    larch_coap_builder b;
    larch_bytes datagram;
    if (answer->is_in_blocks && larch_coap_block2_slice(request, answer->body, &slice) != LARCH_OK) {
        answer = &no_such_block;
        slice = (larch_coap_slice){.bytes = answer->body};
    }
    if (larch_coap_answer_begin(&slot->pending, answer->code, is_protected ? larch_server_draft(srv) : out,
                                is_protected ? LARCH_COAP_DATAGRAM_MAX : cap, &b) != LARCH_OK)
        return true;
    build_rest(&b, slot, answer, &slice);
    if (larch_coap_build_end(&b, &datagram) != LARCH_OK)
        return true;
    if (answer->echo.len == 0 && !larch_server_affords(srv, now_ms, slot, request, datagram.len))
        return false;
    const larch_peer owner = larch_server_owner(slot);
    if (slice.blockwise && slice.block.more && !answer->is_safe && slice.block.num == 0 &&
        !larch_server_body_keep(srv, now_ms, &owner, request, answer))
        return true;
    if (is_protected && larch_server_protect(srv, now_ms, slot, datagram, out, cap, &datagram) != LARCH_OK)
        return true;
    /* A protected request is never carried out again: its number was received. */
    if (larch_coap_endpoint_answer_with(&srv->endpoint, now_ms, &slot->pending, datagram,
                                        is_protected || !answer->is_safe, &datagram) == LARCH_OK) {
        slot->at = at;
        slot->len = (uint32_t)datagram.len;
    }
    return true;
}

void larch_server_challenge(larch_server *srv, uint64_t now_ms, larch_server_slot *slot,
                            const larch_coap_message *request)
{
    uint8_t value[LARCH_ECHO_LEN];
    if (slot->pending.multicast)
        return;
    larch_reach_echo(&srv->reach, now_ms, &slot->pending.peer, value);
    (void)build(srv, now_ms, slot, request,
                &(larch_answer){.code = LARCH_COAP_UNAUTHORIZED, .is_safe = true, .echo = LARCH_BYTES(value)});
}

void larch_server_build(larch_server *srv, uint64_t now_ms, larch_server_slot *slot, const larch_coap_message *request,
                        const larch_answer *answer)
{
    /* A group request that fails is not answered [RFC7252 8.2]. */
    if (slot->pending.multicast && LARCH_COAP_CLASS(answer->code) != 2)
        return;
    if (!build(srv, now_ms, slot, request, answer)) {
        larch_server_report_peer(srv, LARCH_EVENT_RATE, &slot->pending.peer, NULL, NULL);
        larch_server_challenge(srv, now_ms, slot, request);
    }
}

void larch_request_answer(const larch_request *rq, const larch_answer *answer)
{
    larch_server_build(rq->server, rq->now_ms, rq->slot, rq->message, answer);
}

void larch_request_refuse(const larch_request *rq, uint8_t code, larch_bytes text)
{
    larch_request_answer(rq, &(larch_answer){.code = code, .is_safe = true, .body = text});
}

/* ---- body ----------------------------------------------------------------------- */

/* Whether a service may take more than others do; else the reassembly's own bound is that of all. */
#define TAKES_MORE (LARCH_COAP_UPLOAD_MAX > LARCH_COAP_BODY_MAX)

/* The largest body that the resource takes. */
static size_t upload_max(const larch_request *rq)
{
    return TAKES_MORE && rq->service->upload_max > 0 ? rq->service->upload_max : LARCH_COAP_BODY_MAX;
}

/* The next block of a body, which may be longer than this resource takes. */
static larch_error take_block(const larch_request *rq, const larch_peer *owner, bool is_proven, larch_bytes *body)
{
    larch_server_slot *slot = rq->slot;
    larch_coap_block *block = &slot->block1;
    if (TAKES_MORE && larch_coap_option_exceeds(rq->message, LARCH_COAP_OPT_SIZE1, upload_max(rq)))
        return LARCH_SPACE;
    const larch_error e = larch_coap_reassembly_take(&rq->server->reassembly, rq->now_ms, owner, is_proven, rq->message,
                                                     &slot->blockwise, block, body);
    const size_t end = block->num * larch_coap_block_size(block->szx) + rq->message->payload.len;
    return TAKES_MORE && (e == LARCH_OK || e == LARCH_AGAIN) && end > upload_max(rq) ? LARCH_SPACE : e;
}

bool larch_request_body(const larch_request *rq, larch_bytes *body)
{
    larch_server_slot *slot = rq->slot;
    larch_answer answer = {0};
    larch_error e = LARCH_STATE; /* the answer whose later block is asked for is gone */
    const larch_peer owner = larch_server_owner(slot);
    const bool is_proven =
        larch_server_is_protected(slot) ||
        larch_server_source(rq->server, rq->now_ms, slot, rq->message)->standing == LARCH_REACH_PROVEN;
    if (!larch_coap_asks_later_block(rq->message))
        e = take_block(rq, &owner, is_proven, body);
    if (e == LARCH_BUSY && !is_proven) { /* a place is found for who is proven */
        slot->blockwise = false;
        larch_server_challenge(rq->server, rq->now_ms, slot, rq->message);
        return false;
    }
    switch (e) {
    case LARCH_OK:
        return true;
    case LARCH_AGAIN:
        answer.code = LARCH_COAP_CONTINUE;
        break;
    case LARCH_STATE:
        answer.code = LARCH_COAP_REQUEST_ENTITY_INCOMPLETE;
        break;
    case LARCH_SPACE:
        answer.code = LARCH_COAP_REQUEST_ENTITY_TOO_LARGE;
        answer.size1 = (uint32_t)upload_max(rq);
        break;
    case LARCH_BUSY:
        answer.code = LARCH_COAP_SERVICE_UNAVAILABLE;
        answer.is_safe = true; /* when it comes again there may be a place */
        answer.max_age_s = BUSY_S;
        break;
    default:
        answer.code = LARCH_COAP_BAD_REQUEST;
        break;
    }
    slot->blockwise = e == LARCH_AGAIN;
    /* A block taken twice is out of order, so a duplicate needs the same answer. */
    larch_request_answer(rq, &answer);
    return false;
}

/* ---- accepted messages ------------------------------------------------------- */

uint8_t *larch_request_text(const larch_request *rq) { return rq->server->config.pool + rq->server->pool_used; }

static void hold(const larch_request *rq, const larch_acceptance *acceptance, uint8_t state)
{
    larch_server_slot *slot = rq->slot;
    slot->state = state;
    slot->service = rq->service;
    slot->message = *acceptance;
    larch_coap_endpoint_hold(&rq->server->endpoint, rq->now_ms, &slot->pending);
}

void larch_request_accept(const larch_request *rq, const larch_acceptance *acceptance)
{
    if (!larch_server_is_protected(rq->slot)) {
        larch_reach *reach = &rq->server->reach;
        const larch_reach_source *source = larch_server_source(rq->server, rq->now_ms, rq->slot, rq->message);
        larch_reach_spend(reach, rq->now_ms, source, LARCH_REACH_MARK, 1);
        larch_reach_note_good(reach, rq->now_ms, source);
    }
    hold(rq, acceptance, SERVER_SLOT_ACCEPTED);
}

/* As if the driver had settled it. */
void larch_request_hold(const larch_request *rq, const larch_acceptance *acceptance)
{
    hold(rq, acceptance, SERVER_SLOT_SETTLED);
    rq->server->settled++;
}

/* The newest one: one before it that found no room is as good as concluded. */
static const larch_server_slot *find_pending(const larch_request *rq, const larch_acceptance *acceptance)
{
    const larch_server *srv = rq->server;
    for (size_t i = srv->slot_used; i-- > srv->slot_first;) {
        const larch_server_slot *slot = &srv->config.slots[i];
        if ((slot->state == SERVER_SLOT_ACCEPTED || slot->state == SERVER_SLOT_PULLED ||
             slot->state == SERVER_SLOT_SETTLED) &&
            slot->service == rq->service && slot->message.kem == acceptance->kem &&
            slot->message.mark == acceptance->mark && slot->message.generation == acceptance->generation)
            return slot;
    }
    return NULL;
}

const larch_acceptance *larch_request_pending(const larch_request *rq, const larch_acceptance *acceptance)
{
    const larch_server_slot *slot = find_pending(rq, acceptance);
    return slot != NULL ? &slot->message : NULL;
}

void larch_request_follow(const larch_request *rq, const larch_acceptance *acceptance)
{
    const larch_server_slot *followed = find_pending(rq, acceptance);
    rq->slot->followed = (size_t)(followed - rq->server->config.slots);
    hold(rq, acceptance, SERVER_SLOT_FOLLOWS);
}
