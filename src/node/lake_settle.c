/* SPDX-License-Identifier: Apache-2.0 */
/* message_3 is verified, then the session is stored, then the Initiator may hear of it: in no other order. */
#include "base/siphash.h"
#include "node/lake_service_int.h"

#if LARCH_SERVER_SESSIONS

#include <string.h>

#define STORE_AGAIN_S 5 /* Max-Age of the 5.03 for a session that could not be stored */

uint64_t larch_lake_message_tag(const larch_lake_service *lake, larch_bytes message)
{
    larch_siphash h;
    larch_siphash_init(&h, lake->key);
    larch_siphash_part(&h, message);
    return larch_siphash_end(&h) | 1;
}

/* ---- verifying ------------------------------------------------------------------ */

/* A session's number: random, that of no other, and below 2^63, which is what databases have. */
static larch_error draw_number(const larch_lake_service *lake, uint64_t *number)
{
    const larch_contexts *contexts = lake->config.contexts;
    const larch_error e = larch_random_fill(&lake->config.party->random, (uint8_t *)number, sizeof *number);
    if (e != LARCH_OK)
        return e;
    *number >>= 1;
    return *number != 0 && contexts->find_number(contexts->context, *number) == NULL ? LARCH_OK : LARCH_PLATFORM;
}

static larch_error verify(larch_lake_service *lake, const larch_request *rq, size_t i, larch_bytes message_3)
{
    larch_lake_half *half = &lake->config.halves[i];
    larch_lake_session *session = larch_lake_session_at(lake, i);
    larch_lake_received received;
    uint64_t number;
    larch_error e = draw_number(lake, &number);
    if (e == LARCH_OK)
        e = larch_lake_process_message_3(session, lake->config.party, message_3, &received);
    else
        larch_lake_refuse(session);
    if (e != LARCH_OK)
        return e;
    half->number = number;
    half->message = larch_lake_message_tag(lake, message_3);
    half->stage = LAKE_HALF_VERIFIED;
    larch_lake_pool_touch(lake, rq->now_ms, i);
    return LARCH_OK;
}

/* ---- storing ---------------------------------------------------------------------- */

static larch_error make(const larch_lake_service *lake, const larch_lake_keys *keys, const larch_request *rq,
                        uint64_t number, larch_lake_made *made, larch_session *session)
{
    const larch_lake_oscore *o = &made->oscore;
    larch_error e;
    memset(made, 0, sizeof *made);
    memset(session, 0, sizeof *session);
    made->suite = keys->suite;
    made->method = keys->method;
    if ((e = larch_lake_derive(keys, lake->config.rkid_len, &made->oscore, &made->next)) != LARCH_OK)
        return e;
    const larch_oscore_parameters p = {.aead = o->aead,
                                       .hash = o->hash,
                                       .master_secret = {o->master_secret, o->master_secret_len},
                                       .master_salt = LARCH_BYTES(o->master_salt),
                                       .sender_id = {o->sender_id.bytes, o->sender_id.len},
                                       .recipient_id = {o->recipient_id.bytes, o->recipient_id.len}};
    if ((e = larch_oscore_context_init(&session->oscore, &p)) != LARCH_OK)
        return e;
    session->number = number;
    session->last = *rq->peer;
    session->is_unconfirmed = true;
    larch_epochs_begin(lake->config.epochs, session);
    return LARCH_OK;
}

static larch_error store(const larch_lake_service *lake, const larch_request *rq, size_t i)
{
    const larch_lake_service_config *config = &lake->config;
    larch_lake_made made;
    larch_session session;
    larch_error e =
        make(lake, larch_lake_keys_of(larch_lake_session_at(lake, i)), rq, config->halves[i].number, &made, &session);
    if (e == LARCH_OK) {
        made.stamp = config->halves[i].stamp;
        e = config->store(config->context, rq->now_ms, &made, &session);
        if (e == LARCH_PLATFORM || e == LARCH_SPACE)
            e = LARCH_BUSY;
    }
    larch_wipe(&made, sizeof made);
    larch_wipe(&session, sizeof session);
    return e;
}

void larch_lake_commit(larch_lake_service *lake)
{
    const larch_lake_service_config *config = &lake->config;
    if (!lake->waits)
        return;
    lake->waits = false;
    const uint8_t stage = config->commit(config->context) == LARCH_OK ? LAKE_HALF_STORED : LAKE_HALF_LOST;
    for (size_t i = 0; stage == LAKE_HALF_LOST && i < config->place_count; i++)
        if (config->halves[i].stage == LAKE_HALF_STORED)
            config->halves[i].stage = stage;
}

void larch_lake_abandon(larch_lake_service *lake, size_t i, larch_writer *error)
{
    larch_lake_session *session = larch_lake_session_at(lake, i);
    if (session->state != LARCH_LAKE_ABORTED)
        larch_lake_refuse(session);
    if (larch_lake_compose_error(session, lake->config.party, error) != LARCH_OK)
        error->len = 0;
    larch_lake_pool_release(lake, i);
}

larch_error larch_lake_settle(larch_lake_service *lake, const larch_request *rq, size_t i, larch_bytes message_3,
                              larch_writer *error)
{
    larch_error e = LARCH_OK;
    if (lake->config.halves[i].stage == LAKE_HALF_WAITS)
        e = verify(lake, rq, i, message_3);
    if (e == LARCH_OK && (e = store(lake, rq, i)) == LARCH_OK) {
        lake->config.halves[i].stage = LAKE_HALF_STORED;
        lake->waits = lake->config.commit != NULL;
        return LARCH_OK;
    }
    if (e == LARCH_BUSY) {
        larch_server_report_peer(rq->server, LARCH_EVENT_STORAGE, rq->peer, NULL, NULL);
        larch_lake_reply_later(rq, STORE_AGAIN_S);
        return e;
    }
    larch_lake_abandon(lake, i, error);
    return e;
}

/* ---- before a protected request [RFC9668 3.3] --------------------------------------- */

bool larch_lake_take_early(void *context, const larch_request *rq, larch_bytes kid, larch_bytes message_3)
{
    larch_lake_service *lake = context;
    uint8_t bytes[LAKE_ERROR_MAX];
    larch_writer error = larch_writer_to(bytes, sizeof bytes);
    const larch_reach_source *source = larch_server_source(rq->server, rq->now_ms, rq->slot, rq->message);
    const size_t i = larch_lake_pool_find(lake, rq->now_ms, kid, source->address);
    larch_lake_half *half = &lake->config.halves[i];
    if (i == lake->config.place_count || half->stage == LAKE_HALF_ANSWERED)
        return true; /* the session is there, or nothing is */
    if (source->standing != LARCH_REACH_PROVEN) {
        larch_server_challenge(rq->server, rq->now_ms, rq->slot, rq->message);
        return false;
    }
    if (half->stage != LAKE_HALF_WAITS && half->message != larch_lake_message_tag(lake, message_3)) {
        larch_lake_reply_refusal(lake, rq, LARCH_AUTH);
        return false;
    }
    if (!larch_request_admit(rq))
        return false;
    larch_error e = half->stage >= LAKE_HALF_STORED ? LARCH_OK : larch_lake_settle(lake, rq, i, message_3, &error);
    if (e == LARCH_OK) {
        larch_lake_commit(lake); /* what the request does counts once, whatever happens */
        if (half->stage == LAKE_HALF_STORED) {
            larch_lake_pool_release(lake, i); /* the answer to the request takes the place of message_4 */
            return true;
        }
        larch_lake_abandon(lake, i, &error);
        e = LARCH_PLATFORM;
    }
    if (e != LARCH_BUSY)
        larch_lake_reply_error(rq, e, (larch_bytes){bytes, error.len});
    return false;
}

#endif
