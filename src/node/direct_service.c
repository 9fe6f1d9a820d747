/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed messages, and what the server asks of the direct service. */
#include <string.h>

#include "node/direct_int.h"

#define NO_ROOM_S     30 /* Max-Age of the 5.03 for a message that found no room */
#define IDENTITY_LEN  15 /* 'D' set (2) generation (4) mark (8) */
#define IDENTITY_KIND 'D'

_Static_assert(LARCH_RECEIPT_LEN == LARCH_DIRECT_TAG_LEN, "a receipt is a tag");

/* The body of an answer: its text, and a receipt if the message has one. */
static larch_bytes body_of(larch_direct_answer answer, const larch_acceptance *message,
                           uint8_t out[LARCH_DIRECT_ANSWER_MAX])
{
    larch_writer w = larch_writer_to(out, LARCH_DIRECT_ANSWER_MAX);
    larch_writer_put_text(&w, larch_direct_answer_text(answer));
    if (message->has_receipt)
        larch_writer_put(&w, LARCH_BYTES(message->receipt));
    return (larch_bytes){out, w.len};
}

/* ---- /pqkem-data ------------------------------------------------------- */

/* What is known of this message and key ahead, or NULL. Between the two, whoever was told of an event may have
 * rotated. */
static const larch_ahead *ahead_of(const larch_request *rq, const larch_direct_key *key,
                                   const larch_direct_sealed *sealed)
{
    const larch_ahead *ahead = rq->ahead;
    bool fits = LARCH_SERVER_GROUP > 1 && ahead != NULL && ahead->generation == key->generation &&
                ahead->about == sealed->kem_ct.data;
    return fits ? ahead : NULL;
}

static bool wants_receipt(const larch_request *rq)
{
    return larch_coap_query_has(rq->message, LARCH_DIRECT_QUERY_RECEIPT);
}

static void put_identity(larch_acceptance *a)
{
    larch_writer w = larch_writer_to(a->identity.bytes, IDENTITY_LEN);
    larch_writer_put_u8(&w, IDENTITY_KIND);
    larch_writer_put_u16(&w, a->kem->set);
    larch_writer_put_u32(&w, a->generation);
    larch_writer_put_u64(&w, a->mark);
    a->identity.len = IDENTITY_LEN;
}

static uint64_t mark_of(const larch_direct_key *key, const larch_direct_sealed *sealed)
{
    larch_bytes pieces[DIRECT_MARK_PIECES];
    larch_direct_mark_pieces(key, sealed, pieces);
    return larch_tag64(pieces[0].data, pieces + 1, DIRECT_MARK_PIECES - 1);
}

/* Opens it, in text_len bytes of text. If the request asks for a receipt the answer will have one; known: the answer
 * will be REPLAY, else OK. */
static larch_error open_text(const larch_direct_service *direct, const larch_request *rq, const larch_direct_key *key,
                             const larch_direct_sealed *sealed, const larch_ahead *ahead, bool known,
                             larch_acceptance *accepted)
{
    const larch_trace *trace = direct->config.trace;
    uint8_t *text = larch_request_text(rq);
    larch_direct_receipt receipt, *wanted = wants_receipt(rq) ? &receipt : NULL;
    larch_error e;
    if (ahead != NULL && ahead->has_secret)
        e = larch_direct_open_with(sealed, trace, ahead->secret, text, LARCH_DIRECT_TEXT_MAX, &accepted->text_len,
                                   wanted);
    else
        e = larch_direct_open(sealed, trace, key->dk, text, LARCH_DIRECT_TEXT_MAX, &accepted->text_len, wanted);
    if (e != LARCH_OK || wanted == NULL)
        return e;
    e = larch_direct_receipt_make(&receipt, larch_direct_answer_code(known ? LARCH_DIRECT_REPLAY : LARCH_DIRECT_OK),
                                  accepted->receipt);
    accepted->has_receipt = e == LARCH_OK;
    larch_wipe(&receipt, sizeof receipt);
    return e;
}

/* A message whose mark is there is a replay, whatever else it is; if it is authentic it gets a receipt. Its text is not
 * wanted again. */
static larch_error open_replay(const larch_direct_service *direct, const larch_request *rq, const larch_direct_key *key,
                               const larch_direct_sealed *sealed, const larch_ahead *ahead, larch_acceptance *accepted)
{
    if (!wants_receipt(rq))
        return LARCH_REPLAY; /* before the costly part: floods of replays stay cheap */
    const larch_error e = open_text(direct, rq, key, sealed, ahead, true, accepted);
    larch_wipe(larch_request_text(rq), accepted->text_len);
    accepted->text_len = 0;
    return e == LARCH_PLATFORM ? e : LARCH_REPLAY;
}

/* Tries the key. LARCH_OK: the text is open, and its mark reserved. LARCH_AUTH: another key may fit. LARCH_REPLAY: the
 * mark is there. LARCH_BUSY: the peer may not leave a mark now, and is answered. An old key without room for marks is
 * as good as none: the sender is to ask for the present one. */
static larch_error open_with(const larch_direct_service *direct, const larch_request *rq, larch_direct_key *key,
                             bool is_present, const larch_direct_sealed *sealed, larch_acceptance *accepted)
{
    const larch_ahead *ahead = ahead_of(rq, key, sealed);
    larch_error e;
    if (!larch_direct_may_fit(key, sealed))
        return LARCH_AUTH;
    accepted->generation = key->generation;
    accepted->mark = ahead != NULL ? ahead->mark : mark_of(key, sealed);
    if (larch_replay_set_contains(&key->marks, accepted->mark))
        return open_replay(direct, rq, key, sealed, ahead, accepted);
    if (larch_replay_set_is_full(&key->marks))
        return is_present ? LARCH_SPENT : LARCH_AUTH;
    if (!larch_request_admit_mark(rq))
        return LARCH_BUSY;
    if ((e = open_text(direct, rq, key, sealed, ahead, false, accepted)) == LARCH_OK)
        e = larch_replay_set_reserve(&key->marks, accepted->mark);
    if (e != LARCH_OK && e != LARCH_AUTH)
        larch_wipe(larch_request_text(rq), accepted->text_len); /* without a mark it was never accepted */
    return e;
}

static larch_error open_sealed(larch_direct_service *direct, const larch_request *rq, const larch_direct_sealed *sealed,
                               larch_acceptance *accepted)
{
    larch_direct_keys *keys = larch_direct_keys_find(direct, sealed->kem);
    larch_direct_key *key;
    larch_error e = LARCH_AUTH;
    *accepted = (larch_acceptance){.kem = sealed->kem};
    for (unsigned age = 0; e == LARCH_AUTH && (key = larch_direct_key_by_age(keys, age)) != NULL; age++)
        e = open_with(direct, rq, key, age == 0, sealed, accepted);
    return e;
}

/* message->kem: that the message is sealed with; NULL: it is malformed, and the answer says how. */
static void refuse(const larch_request *rq, larch_direct_answer answer, larch_event_kind kind,
                   const larch_acceptance *message)
{
    uint8_t body[LARCH_DIRECT_ANSWER_MAX];
    larch_direct_answer_once(rq, larch_direct_answer_code(answer), body_of(answer, message, body));
    larch_server_report_peer(rq->server, kind, rq->peer, message->kem,
                             message->kem == NULL ? larch_direct_answer_text(answer) : NULL);
}

static void post_sealed(void *context, const larch_request *rq)
{
    larch_direct_service *direct = context;
    larch_direct_sealed sealed;
    larch_acceptance accepted;
    larch_direct_form form;
    larch_bytes body;
    if (larch_direct_is_closed(direct, rq))
        return;
    if (!larch_direct_find_form(rq->message, &form)) {
        larch_request_refuse(rq, LARCH_COAP_UNSUPPORTED_CONTENT_FORMAT, (larch_bytes){0});
        return;
    }
    if (!larch_direct_take_body(rq, &body))
        return;
    const larch_direct_answer parsed = larch_direct_parse_form(form, body, &sealed);
    if (parsed != LARCH_DIRECT_OK) {
        refuse(rq, parsed, LARCH_EVENT_MALFORMED, &(larch_acceptance){0});
        return;
    }
    switch (open_sealed(direct, rq, &sealed, &accepted)) {
    case LARCH_OK:
        put_identity(&accepted);
        larch_request_accept(rq, &accepted);
        return;
    case LARCH_AUTH:
        refuse(rq, LARCH_DIRECT_AUTH_FAIL, LARCH_EVENT_AUTH, &accepted);
        return;
    case LARCH_BUSY:
        return;
    case LARCH_REPLAY:
        /* A mark that is only reserved does not say that the message is stored. */
        if (larch_request_pending(rq, &accepted) != NULL)
            larch_request_follow(rq, &accepted);
        else
            refuse(rq, LARCH_DIRECT_REPLAY, LARCH_EVENT_REPLAY, &accepted);
        return;
    default: /* the set is full and no new key could be stored, or the provider failed */
        larch_server_report_peer(rq->server, LARCH_EVENT_STORAGE, rq->peer, NULL, NULL);
        larch_request_refuse(rq, LARCH_COAP_SERVICE_UNAVAILABLE, (larch_bytes){0});
        return;
    }
}

/* ---- what becomes of accepted messages --------------------------------- */

static larch_error keep(void *context, const larch_acceptance *message)
{
    larch_direct_key *key = larch_direct_key_find(context, message->kem, message->generation);
    return key != NULL ? larch_replay_set_keep(&key->marks, message->mark)
                       : LARCH_OK; /* a key that is gone opens nothing */
}

static void drop(void *context, const larch_acceptance *message)
{
    larch_direct_key *key = larch_direct_key_find(context, message->kem, message->generation);
    if (key != NULL)
        larch_replay_set_release(&key->marks, message->mark);
}

static void conclude(void *context, larch_server *srv, uint64_t now_ms, const larch_held *held, larch_answer *answer)
{
    larch_direct_service *direct = context;
    (void)now_ms;
    larch_direct_answer said = LARCH_DIRECT_OK;
    if (!held->stored || held->follows)
        larch_server_report_peer(srv, held->stored ? LARCH_EVENT_REPLAY : LARCH_EVENT_FULL, held->peer,
                                 held->message->kem, NULL);
    if (!held->stored) {
        answer->code = LARCH_COAP_SERVICE_UNAVAILABLE;
        answer->max_age_s = NO_ROOM_S;
        return;
    }
    if (held->follows)
        said = LARCH_DIRECT_REPLAY;
    answer->code = larch_direct_answer_code(said);
    answer->body = body_of(said, held->message, direct->answer);
}

static larch_error commit(void *context) { return larch_direct_service_commit(context); }
static bool is_durable(const void *context) { return larch_direct_keys_are_durable(context); }
static void maintain(void *context, larch_server *srv, uint64_t now_ms)
{
    larch_direct_keys_maintain(context, srv, now_ms);
}
static uint64_t deadline_ms(const void *context) { return larch_direct_keys_deadline_ms(context); }
static void wipe(void *context) { larch_wipe(context, sizeof(larch_direct_service)); }

/* ---- the service ------------------------------------------------------- */

static const uint16_t octets[] = {LARCH_COAP_FORMAT_OCTETS, LARCH_COAP_FORMAT_NONE};
/* What answers a sealed message is ASCII, and bytes. */
static const uint16_t texts[] = {LARCH_COAP_FORMAT_TEXT, LARCH_COAP_FORMAT_OCTETS, LARCH_COAP_FORMAT_NONE};

static const larch_resource resources[] = {
    /* Prototypes look for a gateway by a confirmable POST to a broadcast address. */
    {.path = LARCH_DIRECT_PATH_KEY,
     .rt = "larch.key",
     .get = larch_direct_get_key,
     .post = larch_direct_post_key,
     .formats = octets,
     .posts_by_group = true},
    {.path = LARCH_DIRECT_PATH_DATA, .rt = "larch.sealed", .post = post_sealed, .formats = texts},
    {.path = LARCH_DIRECT_PATH_NEXT, .rt = "larch.next", .post = larch_direct_post_next, .formats = octets},
    {.path = LARCH_DIRECT_PATH_ROOT,
     .rt = "larch.root",
     .get = larch_direct_get_root,
     .post = larch_direct_post_root,
     .formats = octets},
};

/* All but its context. */
static const larch_service service = {.name = "direct",
                                      .resources = resources,
                                      .resource_count = sizeof resources / sizeof resources[0],
                                      .text_max = LARCH_DIRECT_TEXT_MAX,
                                      .answer_max = LARCH_DIRECT_ANSWER_MAX,
                                      .look_ahead = larch_direct_look_ahead,
                                      .keep = keep,
                                      .drop = drop,
                                      .commit = commit,
                                      .is_durable = is_durable,
                                      .conclude = conclude,
                                      .maintain = maintain,
                                      .deadline_ms = deadline_ms,
                                      .wipe = wipe};

void larch_direct_service_init(larch_direct_service *direct, const larch_direct_config *config)
{
    memset(direct, 0, sizeof *direct);
    direct->config = *config;
    memcpy(&direct->service, &service, sizeof service); /* assigned, it would become a store for each field */
    direct->service.context = direct;
}

larch_error larch_direct_service_load(larch_direct_service *direct, uint64_t now_ms,
                                      char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    larch_error e = LARCH_OK;
    *fault = LARCH_STORE_NONE;
    faulty[0] = '\0';
    for (size_t i = 0; e == LARCH_OK && i < LARCH_DIRECT_SETS; i++)
        e = larch_direct_keys_load(direct, now_ms, i, faulty, fault);
    if (e == LARCH_OK)
        e = larch_direct_identity_load(direct, faulty, fault);
    if (e != LARCH_OK)
        larch_wipe(direct->keys, sizeof direct->keys);
    return e;
}

larch_error larch_direct_service_remember(larch_direct_service *direct, const larch_accepted_id *identity)
{
    const uint8_t *set = identity->bytes + 1, *generation = set + 2, *mark = generation + 4;
    if (identity->len == 0 || identity->len > sizeof identity->bytes)
        return LARCH_MALFORMED;
    if (identity->bytes[0] != IDENTITY_KIND)
        return LARCH_OK;
    if (identity->len != IDENTITY_LEN)
        return LARCH_MALFORMED;
    larch_direct_key *key = larch_direct_key_find(direct, larch_direct_kem_find((unsigned)larch_number_at(set, 2)),
                                                  (uint32_t)larch_number_at(generation, 4));
    const larch_error e = key != NULL ? larch_replay_set_add(&key->marks, larch_number_at(mark, 8)) : LARCH_OK;
    /* SPENT: a power cut left holes where the last marks were to stand. A full key opens nothing more. */
    return e == LARCH_REPLAY || e == LARCH_SPENT ? LARCH_OK : e;
}
