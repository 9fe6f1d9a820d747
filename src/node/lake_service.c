/* SPDX-License-Identifier: Apache-2.0 */
/* The Responder: what arrives at /.well-known/edhoc, and what the server asks of the service. */
#include "larch/lake_service.h"

#if LARCH_SERVER_SESSIONS

#include <string.h>

#include "base/siphash.h"
#include "node/lake_prefix.h"
#include "node/lake_service_int.h"

/* ---- message_1 ------------------------------------------------------------------ */

static larch_error put_ead_time(const larch_lake_service *lake, larch_writer *w)
{
    uint8_t seconds[8];
    larch_writer s = larch_writer_to(seconds, sizeof seconds);
    const uint64_t unix_s = lake->config.unix_s != NULL ? lake->config.unix_s(lake->config.context) : 0;
    if (unix_s == 0)
        return LARCH_OK;
    larch_writer_put_u64(&s, unix_s);
    larch_lake_put_ead(
        w, &(larch_lake_ead){.label = LARCH_LAKE_EAD_TIME, .has_value = true, .value = LARCH_BYTES(seconds)});
    return w->len <= w->cap ? LARCH_OK : LARCH_SPACE;
}

/* A suite leaves less room for C_R in its nonce. */
static size_t id_len_of(const larch_lake_service *lake, const larch_lake_suite *suite)
{
    const size_t room = larch_cose_aead_find(suite->application_aead)->nonce_len - 6u;
    return lake->config.kid_len < room ? lake->config.kid_len : room;
}

/* message_2 into the place i, whose session processed message_1. */
static larch_error compose_message_2(larch_lake_service *lake, const larch_request *rq, size_t i,
                                     const larch_lake_message_1 *m)
{
    const larch_lake_service_config *config = &lake->config;
    larch_lake_session *session = larch_lake_session_at(lake, i);
    larch_lake_half *half = &config->halves[i];
    const larch_lake_suite *suite = larch_lake_suite_find(m->selected);
    larch_writer w = larch_lake_answer_writer(lake, i);
    larch_error e = larch_lake_pool_draw_id(lake, rq->now_ms, id_len_of(lake, suite), m->c_i, &half->c_r);
    if (e != LARCH_OK) {
        larch_lake_refuse(session);
        return e;
    }
    const larch_lake_answer answer = {
        .c_r = {half->c_r.bytes, half->c_r.len},
        .own = m->method == LARCH_LAKE_METHOD_PSK ? NULL : config->own(config->context, m->method, suite)};
    if ((e = larch_lake_compose_message_2(session, config->party, m, &answer, &w)) == LARCH_OK)
        larch_lake_set_answer(lake, i, w.len);
    return e;
}

static void refuse(larch_lake_service *lake, const larch_request *rq, larch_lake_session *session, larch_error e)
{
    uint8_t bytes[LAKE_ERROR_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    if (larch_lake_compose_error(session, lake->config.party, &w) != LARCH_OK)
        w.len = 0;
    larch_lake_reply_error(rq, e, (larch_bytes){bytes, w.len});
}

static void take_message_1(larch_lake_service *lake, const larch_request *rq, larch_bytes message)
{
    const larch_reach_source *source = &rq->slot->source;
    const uint64_t tag = larch_lake_message_tag(lake, message);
    const uint64_t owner = source->is_on_link ? source->address : source->prefix;
    larch_lake_session session;
    larch_lake_message_1 m;
    uint32_t wait_s;
    size_t i = larch_lake_pool_find_copy(lake, rq->now_ms, tag, source->address);
    if (i < lake->config.place_count) {
        larch_lake_reply(rq, larch_lake_answer_at(lake, i));
        return;
    }
    larch_lake_init(&session, LARCH_LAKE_RESPONDER);
    larch_error e = larch_lake_process_message_1(&session, lake->config.party, message, &m);
    if (e != LARCH_OK) {
        refuse(lake, rq, &session, e);
    } else if ((i = larch_lake_pool_claim(lake, rq->now_ms, owner, &wait_s)) == lake->config.place_count) {
        larch_server_report_peer(rq->server, LARCH_EVENT_RATE, rq->peer, NULL, NULL);
        larch_lake_reply_later(rq, wait_s);
    } else {
        *larch_lake_session_at(lake, i) = session;
        if ((e = compose_message_2(lake, rq, i, &m)) != LARCH_OK) {
            refuse(lake, rq, larch_lake_session_at(lake, i), e);
            larch_lake_pool_release(lake, i);
        } else {
            larch_lake_half *half = &lake->config.halves[i];
            half->address = source->address;
            half->owner = owner;
            half->message = tag;
            half->stamp = lake->config.stamp != NULL ? lake->config.stamp(lake->config.context) : 0;
            half->stage = LAKE_HALF_WAITS;
            larch_lake_pool_touch(lake, rq->now_ms, i);
            larch_lake_reply(rq, larch_lake_answer_at(lake, i));
        }
    }
    larch_lake_wipe(&session);
}

/* ---- message_3 -------------------------------------------------------------------- */

/* Into its place, which keeps it. Secrets are not needed any more. */
static larch_error compose_message_4(larch_lake_service *lake, size_t i)
{
    larch_lake_session *session = larch_lake_session_at(lake, i);
    uint8_t time[16];
    larch_writer ead_4 = larch_writer_to(time, sizeof time), w = larch_lake_answer_writer(lake, i);
    larch_error e = put_ead_time(lake, &ead_4);
    if (e == LARCH_OK)
        e = larch_lake_compose_message_4(session, lake->config.party, (larch_bytes){time, ead_4.len}, &w);
    if (e != LARCH_OK)
        return e;
    larch_lake_wipe(session);
    larch_lake_set_answer(lake, i, w.len);
    lake->config.halves[i].stage = LAKE_HALF_ANSWERED;
    return LARCH_OK;
}

/* The answer waits for the commit. */
static void hold(const larch_lake_service *lake, const larch_request *rq, size_t i)
{
    larch_request_hold(rq, &(larch_acceptance){.mark = lake->config.halves[i].message, .generation = (uint32_t)i});
}

static void take_message_3(larch_lake_service *lake, const larch_request *rq, larch_bytes c_r, larch_bytes message)
{
    const size_t i = larch_lake_pool_find(lake, rq->now_ms, c_r, rq->slot->source.address);
    const larch_lake_half *half = &lake->config.halves[i];
    uint8_t bytes[LAKE_ERROR_MAX];
    larch_writer error = larch_writer_to(bytes, sizeof bytes);
    if (i == lake->config.place_count ||
        (half->stage != LAKE_HALF_WAITS && half->message != larch_lake_message_tag(lake, message))) {
        larch_lake_reply_refusal(lake, rq, LARCH_AUTH);
        return;
    }
    if (half->stage == LAKE_HALF_ANSWERED) {
        larch_lake_reply(rq, larch_lake_answer_at(lake, i));
        return;
    }
    const larch_error e = half->stage >= LAKE_HALF_STORED ? LARCH_OK : larch_lake_settle(lake, rq, i, message, &error);
    if (e == LARCH_OK)
        hold(lake, rq, i);
    else if (e != LARCH_BUSY)
        larch_lake_reply_error(rq, e, (larch_bytes){bytes, error.len});
}

/* After the commit: message_4, or why there is none. */
static void conclude(void *context, larch_server *srv, uint64_t now_ms, const larch_held *held, larch_answer *answer)
{
    larch_lake_service *lake = context;
    const size_t i = held->message->generation;
    larch_lake_half *half = &lake->config.halves[i];
    larch_writer error = larch_writer_to(lake->error, sizeof lake->error);
    larch_error e = half->message == held->message->mark ? LARCH_OK : LARCH_PLATFORM; /* it is over */
    (void)srv;
    (void)now_ms;
    if (e == LARCH_OK && half->stage == LAKE_HALF_STORED)
        e = compose_message_4(lake, i);
    if (e == LARCH_OK && half->stage == LAKE_HALF_ANSWERED) {
        larch_lake_put_answer(answer, larch_lake_answer_at(lake, i));
        return;
    }
    if (half->message == held->message->mark)
        larch_lake_abandon(lake, i, &error);
    else
        larch_lake_put_refusal(lake, &error);
    larch_lake_put_error_answer(answer, LARCH_PLATFORM, (larch_bytes){lake->error, error.len});
}

/* ---- requests --------------------------------------------------------------------- */

static bool has_fresh_echo(const larch_request *rq, const larch_reach_source *source)
{
    larch_bytes echo;
    return source->has_echo && larch_coap_option_find(rq->message, LARCH_COAP_OPT_ECHO, &echo) &&
           larch_reach_echo_age_s(rq->now_ms, echo) <= LARCH_LAKE_ECHO_S;
}

static bool is_message_1(larch_bytes body) { return body.len > 0 && body.data[0] == LAKE_PREFIX_TRUE; }

/* The first request of a body, or the only one. */
static bool is_first_block(const larch_coap_message *request)
{
    larch_coap_block block;
    bool given;
    return larch_coap_block_find(request, LARCH_COAP_OPT_BLOCK1, &given, &block) != LARCH_OK || !given ||
           block.num == 0;
}

/* Content-Format 65; a client may leave it out. */
static bool has_format(const larch_request *rq)
{
    larch_bytes value;
    uint32_t format;
    return !larch_coap_option_find(rq->message, LARCH_COAP_OPT_CONTENT_FORMAT, &value) ||
           (larch_coap_option_uint(value, &format) == LARCH_OK && format == LARCH_COAP_FORMAT_CID_EDHOC);
}

/* The peer is to show that it is reached, before anything is kept or computed. */
static bool may_begin(const larch_request *rq)
{
    const larch_reach_source *source = larch_server_source(rq->server, rq->now_ms, rq->slot, rq->message);
    const bool begins = is_first_block(rq->message) && is_message_1(rq->message->payload);
    if (begins ? has_fresh_echo(rq, source) : source->standing == LARCH_REACH_PROVEN)
        return larch_request_admit(rq);
    larch_server_challenge(rq->server, rq->now_ms, rq->slot, rq->message);
    return false;
}

static void take_body(larch_lake_service *lake, const larch_request *rq, larch_bytes body)
{
    larch_reader r = larch_reader_of(body);
    larch_bytes c_r;
    if (is_message_1(body)) {
        if (has_fresh_echo(rq, &rq->slot->source)) {
            take_message_1(lake, rq, (larch_bytes){body.data + 1, body.len - 1});
            return;
        }
        /* In blocks: with an Echo the last one alone comes again. */
        larch_coap_reassembly_put_back(&rq->server->reassembly, rq->now_ms, rq->peer, rq->message);
        larch_server_challenge(rq->server, rq->now_ms, rq->slot, rq->message);
    } else if (larch_lake_take_prefix(&r, &c_r) != LARCH_OK || r.left.len == 0) {
        larch_lake_reply_refusal(lake, rq, LARCH_MALFORMED);
    } else {
        take_message_3(lake, rq, c_r, r.left);
    }
}

static void post(void *context, const larch_request *rq)
{
    larch_lake_service *lake = context;
    larch_bytes body;
    if (rq->multicast)
        return;
    if (larch_server_is_protected(rq->slot))
        larch_request_refuse(rq, LARCH_COAP_FORBIDDEN, LARCH_TEXT("not inside OSCORE"));
    else if (!has_format(rq))
        larch_request_refuse(rq, LARCH_COAP_UNSUPPORTED_CONTENT_FORMAT, (larch_bytes){0});
    else if (may_begin(rq) && larch_request_body(rq, &body))
        take_body(lake, rq, body);
}

/* ---- what the server asks ----------------------------------------------------------- */

/* What cannot be made durable is lost, and refused: there is nothing to try again. */
static larch_error commit(void *context)
{
    larch_lake_commit(context);
    return LARCH_OK;
}

static bool is_durable(const void *context) { return !((const larch_lake_service *)context)->waits; }

static void maintain(void *context, larch_server *srv, uint64_t now_ms)
{
    (void)srv;
    larch_lake_pool_expire(context, now_ms);
}

static uint64_t deadline_ms(const void *context) { return larch_lake_pool_due_ms(context); }

static void wipe(void *context)
{
    larch_lake_service *lake = context;
    for (size_t i = 0; i < lake->config.place_count; i++)
        larch_lake_pool_release(lake, i);
    larch_wipe(lake, sizeof *lake);
}

static void confirm(void *context, uint64_t now_ms, larch_session *session)
{
    larch_lake_service *lake = context;
    if (lake->config.confirm(lake->config.context, now_ms, session) != LARCH_OK)
        return;
    session->is_unconfirmed = false;
    lake->waits = lake->config.commit != NULL;
}

/* ---- init ----------------------------------------------------------------------------- */

static void put_number(larch_writer *w, const char *attribute, int number)
{
    larch_writer_put_text(w, attribute);
    if (number < 0)
        larch_writer_put_u8(w, '-');
    larch_writer_put_decimal(w, (uint32_t)(number < 0 ? -number : number));
}

/* Attributes of the link [RFC9668 6]. */
static larch_error put_links(larch_lake_service *lake)
{
    const larch_lake_party *party = lake->config.party;
    larch_writer w = larch_writer_to((uint8_t *)lake->links, sizeof lake->links - 1);
    larch_writer_put_text(&w, ";ed-r");
    for (unsigned method = 0; method < 8; method++)
        if ((party->methods >> method & 1) != 0)
            put_number(&w, ";ed-method=", (int)method);
    for (size_t i = 0; i < party->suite_count; i++)
        put_number(&w, ";ed-csuite=", party->suites[i]->number);
    larch_writer_put_text(&w, lake->config.credentials);
    larch_writer_put_text(&w, ";ed-comb-req");
    return w.len <= w.cap ? LARCH_OK : LARCH_SPACE;
}

static const uint16_t formats[] = {LARCH_COAP_FORMAT_EDHOC, LARCH_COAP_FORMAT_NONE};

static bool is_complete(const larch_lake_service_config *c)
{
    return c->party != NULL && c->contexts != NULL && c->epochs != NULL && c->places != NULL && c->halves != NULL &&
           c->place_count > 0 && c->answer_size > 0 && c->answer_size <= UINT16_MAX &&
           c->place_size >= offsetof(larch_lake_place_psk, answer) + c->answer_size && c->kid_len > 0 &&
           c->kid_len <= LARCH_LAKE_ID_MAX && c->rkid_len > 0 && c->rkid_len <= LARCH_LAKE_KID_LEN &&
           c->credentials != NULL && c->own != NULL && c->store != NULL && c->confirm != NULL;
}

larch_error larch_lake_service_init(larch_lake_service *lake, const larch_lake_service_config *config)
{
    larch_error e;
    memset(lake, 0, sizeof *lake);
    if (!is_complete(config))
        return LARCH_STATE;
    lake->config = *config;
    if ((e = put_links(lake)) != LARCH_OK || (e = larch_siphash_key(&config->party->random, lake->key)) != LARCH_OK) {
        larch_wipe(lake, sizeof *lake);
        return e;
    }
    /* Only the halves: what a place holds is wiped when a handshake takes it, and its memory is not needed before. */
    larch_zero_lazily(config->halves, config->place_count * sizeof *config->halves);
    lake->resource = (larch_resource){
        .path = LARCH_LAKE_PATH, .rt = "core.edhoc", .attributes = lake->links, .post = post, .formats = formats};
    lake->service = (larch_service){
        .name = "lake",
        .context = lake,
        .resources = &lake->resource,
        .resource_count = 1,
        .upload_max = LARCH_COAP_UPLOAD_MAX,
        .body_max = config->answer_size > larch_coap_block_size(LARCH_COAP_BLOCK_SZX) ? config->answer_size : 0,
        .answer_max = LAKE_ERROR_MAX,
        .commit = commit,
        .is_durable = is_durable,
        .conclude = conclude,
        .maintain = maintain,
        .deadline_ms = deadline_ms,
        .wipe = wipe};
    lake->handshakes =
        (larch_oscore_handshakes){.context = lake, .take_early = larch_lake_take_early, .confirm = confirm};
    return LARCH_OK;
}

#endif
