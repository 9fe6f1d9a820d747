/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/gateway_int.h"

/* The critical options that some resource of ours acts on. */
static const uint16_t understood[] = {
    LARCH_COAP_OPT_URI_HOST, LARCH_COAP_OPT_URI_PORT, LARCH_COAP_OPT_URI_PATH, LARCH_COAP_OPT_URI_QUERY,
    LARCH_COAP_OPT_ACCEPT,   LARCH_COAP_OPT_BLOCK2,   LARCH_COAP_OPT_BLOCK1,
};

static const char *const reason_texts[] = {
#define REASON(name, text) [LARCH_GATEWAY_##name] = (text),
    LARCH_GATEWAY_REASONS(REASON)
#undef REASON
};

const char *larch_gateway_reason_text(larch_gateway_reason reason)
{
    return reason < LARCH_GATEWAY_REASON_COUNT ? reason_texts[reason] : "?";
}

void larch_gateway_tell(larch_gateway *gw, larch_gateway_event event)
{
    gw->count[event.reason]++;
    if (gw->config.event != NULL)
        gw->config.event(gw->config.context, &event);
}

/* ---- life -------------------------------------------------------------- */

larch_error larch_gateway_init(larch_gateway *gw, uint64_t now_ms, const larch_gateway_config *config,
                               char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    larch_error e;
    memset(gw, 0, sizeof *gw);
    gw->config = *config;
    *fault = LARCH_STORE_NONE;
    faulty[0] = '\0';
    if (config->slot_count == 0)
        return LARCH_STATE;
    if ((e = larch_coap_endpoint_init(&gw->endpoint, config->exchanges, config->exchange_count, config->random,
                                      understood, sizeof understood / sizeof understood[0])) == LARCH_OK &&
        (e = larch_coap_reassembly_init(&gw->reassembly, config->random)) == LARCH_OK)
        e = larch_reach_init(&gw->reach, config->reach, config->reach_count, &config->limits, config->random);
    for (size_t i = 0; e == LARCH_OK && i < LARCH_GATEWAY_SETS; i++)
        e = larch_gateway_keys_load(gw, now_ms, i, faulty, fault);
    if (e != LARCH_OK)
        larch_gateway_wipe(gw);
    return e;
}

void larch_gateway_wipe(larch_gateway *gw)
{
    for (size_t i = 0; gw->config.slots != NULL && i < gw->config.slot_count; i++)
        larch_wipe(&gw->config.slots[i], sizeof gw->config.slots[i]); /* texts */
    larch_wipe(gw, sizeof *gw);
}

/* ---- answers ----------------------------------------------------------- */

larch_error larch_gateway_answer(const gateway_request *rq, uint8_t code, larch_coap_builder *b)
{
    return larch_coap_endpoint_answer(&rq->gw->endpoint, rq->now_ms, rq->event, code, rq->slot->bytes,
                                      sizeof rq->slot->bytes, b);
}

void larch_gateway_answer_end(const gateway_request *rq, const larch_coap_builder *b, bool remember)
{
    larch_bytes datagram;
    if (larch_coap_endpoint_answer_end(&rq->gw->endpoint, rq->now_ms, rq->event, b, remember, &datagram) == LARCH_OK)
        rq->slot->answer_len = (uint16_t)datagram.len;
}

void larch_gateway_answer_text(const gateway_request *rq, uint8_t code, larch_bytes text, bool remember)
{
    larch_coap_builder b;
    /* A group request that fails is not answered [RFC7252 8.2]. */
    if (rq->event->multicast && LARCH_COAP_CLASS(code) != 2)
        return;
    if (larch_gateway_answer(rq, code, &b) != LARCH_OK)
        return;
    if (text.len > 0)
        larch_coap_build_payload(&b, text);
    larch_gateway_answer_end(rq, &b, remember);
}

bool larch_gateway_admit(const gateway_request *rq)
{
    larch_gateway *gw = rq->gw;
    larch_bytes echo = {0};
    (void)larch_coap_option_find(&rq->event->message, LARCH_COAP_OPT_ECHO, &echo);
    larch_reach_verdict verdict = larch_reach_take(&gw->reach, rq->now_ms, &rq->event->peer, echo);
    if (verdict == LARCH_REACH_GRANTED)
        return true;
    larch_gateway_tell(gw, (larch_gateway_event){.reason = LARCH_GATEWAY_RATE, .peer = rq->event->peer});
    if (verdict == LARCH_REACH_CHALLENGE && !rq->event->multicast) {
        uint8_t value[LARCH_ECHO_LEN];
        larch_coap_builder b;
        larch_reach_echo(&gw->reach, rq->now_ms, &rq->event->peer, value);
        if (larch_gateway_answer(rq, LARCH_COAP_UNAUTHORIZED, &b) == LARCH_OK) {
            larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, LARCH_BYTES(value));
            larch_gateway_answer_end(rq, &b, false);
        }
    }
    return false;
}

/* ---- in and out -------------------------------------------------------- */

larch_error larch_gateway_receive(larch_gateway *gw, uint64_t now_ms, const larch_peer *peer, bool multicast,
                                  larch_bytes datagram)
{
    if (gw->slot_used == gw->config.slot_count)
        return LARCH_AGAIN;
    larch_gateway_slot *slot = &gw->config.slots[(gw->slot_first + gw->slot_used) % gw->config.slot_count];
    larch_writer reply = larch_writer_to(slot->bytes, sizeof slot->bytes);
    larch_coap_event event;

    slot->peer = *peer;
    slot->kem = NULL;
    slot->answer_len = 0;
    slot->text_len = 0;
    larch_coap_endpoint_receive(&gw->endpoint, now_ms, peer, multicast, datagram, &reply, &event);
    if (event.kind == LARCH_COAP_REQUEST) {
        const gateway_request rq = {gw, now_ms, &event, slot};
        larch_gateway_dispatch(&rq);
    } else {
        slot->answer_len = (uint16_t)reply.len;
        if (event.drop != LARCH_COAP_DROP_NONE && event.drop != LARCH_COAP_DROP_DUPLICATE &&
            event.drop != LARCH_COAP_DROP_PING)
            larch_gateway_tell(
                gw, (larch_gateway_event){.reason = LARCH_GATEWAY_DROPPED, .peer = *peer, .drop = event.drop});
    }
    if (slot->answer_len > 0 || slot->kem != NULL)
        gw->slot_used++;
    return LARCH_OK;
}

/* Makes the marks durable, then tells of the messages they belong to: only now
 * are they accepted. */
static larch_error settle(larch_gateway *gw, uint64_t now_ms)
{
    larch_error e = larch_gateway_keys_commit(gw);
    if (e != LARCH_OK) {
        gw->retry_at_ms = now_ms + GATEWAY_RETRY_MS;
        larch_gateway_tell(gw, (larch_gateway_event){.reason = LARCH_GATEWAY_STORAGE});
        return e;
    }
    gw->retry_at_ms = 0;
    for (; gw->slot_told < gw->slot_used; gw->slot_told++) {
        larch_gateway_slot *slot = &gw->config.slots[(gw->slot_first + gw->slot_told) % gw->config.slot_count];
        if (slot->kem == NULL)
            continue;
        larch_gateway_tell(gw, (larch_gateway_event){.reason = LARCH_GATEWAY_ACCEPTED,
                                                     .peer = slot->peer,
                                                     .kem = slot->kem,
                                                     .text = {slot->bytes + LARCH_COAP_ANSWER_MAX, slot->text_len}});
        larch_wipe(slot->bytes + LARCH_COAP_ANSWER_MAX, slot->text_len);
    }
    return LARCH_OK;
}

larch_error larch_gateway_send(larch_gateway *gw, uint64_t now_ms, larch_peer *peer, larch_bytes *datagram)
{
    larch_error e;
    if (gw->retry_at_ms > now_ms)
        return LARCH_PLATFORM;
    if (gw->slot_told < gw->slot_used || !larch_gateway_keys_are_durable(gw))
        if ((e = settle(gw, now_ms)) != LARCH_OK)
            return e;
    while (gw->slot_used > 0) {
        const larch_gateway_slot *slot = &gw->config.slots[gw->slot_first];
        gw->slot_first = (gw->slot_first + 1) % gw->config.slot_count;
        gw->slot_used--;
        gw->slot_told--;
        if (slot->answer_len > 0) { /* else the answer to an accepted message could not be built */
            *peer = slot->peer;
            *datagram = (larch_bytes){slot->bytes, slot->answer_len};
            return LARCH_OK;
        }
    }
    larch_gateway_keys_maintain(gw, now_ms);
    larch_coap_event event;
    do
        e = larch_coap_endpoint_poll(&gw->endpoint, now_ms, peer, datagram, &event);
    while (e == LARCH_OK && datagram->len == 0);
    return e;
}

uint64_t larch_gateway_deadline_ms(const larch_gateway *gw)
{
    if (gw->retry_at_ms > 0) /* before that, nothing leaves */
        return gw->retry_at_ms;
    if (gw->slot_used > 0)
        return 0;
    uint64_t deadline_ms = larch_coap_endpoint_deadline_ms(&gw->endpoint);
    uint64_t keys_at_ms = larch_gateway_keys_deadline_ms(gw);
    return keys_at_ms < deadline_ms ? keys_at_ms : deadline_ms;
}
