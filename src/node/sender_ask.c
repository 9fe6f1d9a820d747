/* SPDX-License-Identifier: Apache-2.0 */
/* What the sender asks of a gateway, and when. */
#include "node/sender_int.h"

#define FALLBACK_MS    1000                       /* a prototype gateway stays silent to GET */
#define RENEW_WAIT_MS  5000                       /* for an endorsement that sending does not depend on yet */
#define RENEW_AGAIN_MS ((uint64_t)15 * 60 * 1000) /* after that */

bool larch_sender_is_for_prototype(const larch_sender *s) { return s->config.prototype || s->is_prototype; }

bool larch_sender_wants_receipt(const larch_sender *s)
{
    return larch_trust_has_identity(&s->trust) || !(larch_sender_is_for_prototype(s) || s->config.no_receipt);
}

/* flags: of larch_coap_endpoint_request; the second way is that of the fallback. The payload is len bytes of
 * s->message. */
static larch_error ask(larch_sender *s, uint64_t now_ms, unsigned flags, uint8_t method, const char *path,
                       const char *query, size_t len)
{
    const larch_coap_target gateway = {
        .peer = s->config.peer,
        .type = s->config.non_confirmable && s->state == LARCH_SENDER_POST ? LARCH_COAP_NON : LARCH_COAP_CON,
        .flags = s->is_prototype ? flags | LARCH_COAP_EMPTY_TOKEN : flags,
    };
    const larch_coap_ask what = {
        .method = method,
        .path = path,
        .query = query,
        .payload = {s->message, len},
        .content_format =
            s->config.cose && s->state == LARCH_SENDER_POST ? LARCH_COAP_FORMAT_COSE_ENCRYPT : LARCH_COAP_FORMAT_NONE,
        .echo = {s->echo, s->echo_len},
    };
    s->answer_code = 0;
    s->answer_len = 0;
    s->bad_option = 0;
    s->is_held = false;
    if ((flags & LARCH_COAP_SECOND_WAY) != 0)
        return larch_coap_client_ask(&s->fallback, &s->endpoint, now_ms, &gateway, &what, s->message,
                                     sizeof s->message);
    return larch_coap_client_ask(&s->client, &s->endpoint, now_ms, &gateway, &what, s->body, sizeof s->body);
}

/* The query that names a set. */
static const char *query_of(const larch_kem *kem)
{
    static const struct {
        uint16_t set;
        const char *query;
    } queries[] = {{512, "kem=512"}, {768, "kem=768"}, {1024, "kem=1024"}, {LARCH_XWING_SET, "kem=xwing"}};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        if (queries[i].set == kem->set)
            return queries[i].query;
    return NULL;
}

/* ---- trust ------------------------------------------------------------- */

larch_error larch_sender_ask_prototype(larch_sender *s, uint64_t now_ms)
{
    s->fallback_at_ms = SENDER_NEVER;
    return ask(s, now_ms, LARCH_COAP_EMPTY_TOKEN | LARCH_COAP_SECOND_WAY, LARCH_COAP_POST, LARCH_DIRECT_PATH_KEY, NULL,
               0);
}

/* Asks for the key in the ways that may be answered: a gateway with an identity is none of the prototype's, and none of
 * those takes COSE. */
static larch_error ask_key(larch_sender *s, uint64_t now_ms)
{
    const bool least = s->config.kem->set == 512; /* the set that is asked for without a query, and a prototype's */
    s->state = LARCH_SENDER_FETCH_KEY;
    if (larch_sender_is_for_prototype(s))
        return larch_sender_ask_prototype(s, now_ms);
    if (least && !larch_trust_has_identity(&s->trust) && !s->config.cose)
        s->fallback_at_ms = now_ms + FALLBACK_MS;
    return ask(s, now_ms, 0, LARCH_COAP_GET, LARCH_DIRECT_PATH_KEY, least ? NULL : query_of(s->config.kem), 0);
}

static larch_error ask_question(larch_sender *s, uint64_t now_ms, larch_sender_state state, const char *path)
{
    size_t len;
    const larch_error e =
        larch_trust_compose_question(&s->trust, s->config.random, now_ms, s->message, sizeof s->message, &len);
    if (e != LARCH_OK)
        return e;
    s->state = state;
    return ask(s, now_ms, 0, LARCH_COAP_POST, path, NULL, len);
}

static larch_error ask_identity(larch_sender *s, uint64_t now_ms, larch_sender_state state, const char *query)
{
    s->state = state;
    return ask(s, now_ms, 0, LARCH_COAP_GET, LARCH_DIRECT_PATH_ROOT, query, 0);
}

static larch_sender_failure failure_of_fault(larch_trust_fault fault)
{
    switch (fault) {
    case LARCH_TRUST_FAULT_IDENTITY:
        return LARCH_SENDER_FAIL_WRONG_IDENTITY;
    case LARCH_TRUST_FAULT_NO_IDENTITY:
        return LARCH_SENDER_FAIL_NO_IDENTITY;
    case LARCH_TRUST_FAULT_NO_ROOT:
        return LARCH_SENDER_FAIL_NO_ROOT;
    case LARCH_TRUST_FAULT_DOCUMENT:
    case LARCH_TRUST_FAULT_ROOT:
        return LARCH_SENDER_FAIL_BAD_IDENTITY;
    default:
        return LARCH_SENDER_FAIL_WRONG_KEY;
    }
}

/* ---- messages ---------------------------------------------------------- */

static larch_error ask_post(larch_sender *s, uint64_t now_ms)
{
    s->state = LARCH_SENDER_POST;
    return ask(s, now_ms, 0, LARCH_COAP_POST, LARCH_DIRECT_PATH_DATA,
               larch_sender_wants_receipt(s) ? LARCH_DIRECT_QUERY_RECEIPT : NULL, s->message_len);
}

/* Seals what is in s->text, in the form that the caller wants. */
static larch_error seal(larch_sender *s, larch_bytes ek)
{
    const larch_sender_config *c = &s->config;
    const larch_bytes text = {s->text, s->text_len};
    if (LARCH_DIRECT_COSE && c->cose)
        return larch_direct_seal_cose(c->kem, c->random, c->trace, ek, text, s->message, sizeof s->message,
                                      &s->message_len, &s->receipt);
    return larch_direct_seal(c->kem, c->random, c->trace, ek, text, s->message, sizeof s->message, &s->message_len,
                             &s->receipt);
}

/* A key is trusted: seals what is in s->text to it and posts that, if there is a text. */
static larch_error settle(larch_sender *s, uint64_t now_ms)
{
    s->renew_until_ms = SENDER_NEVER;
    if (!s->posts) {
        s->state = LARCH_SENDER_READY;
        return LARCH_OK;
    }
    if (s->refetched && larch_trust_changes(&s->trust) == s->sealed_changes) {
        larch_sender_fail(s, LARCH_SENDER_FAIL_AUTH); /* it was not rotated, so the message is at fault */
        return LARCH_OK;
    }
    const larch_bytes ek = larch_trust_trusted_key(&s->trust, now_ms);
    const larch_error e = seal(s, ek);
    if (e != LARCH_OK)
        return e;
    s->sealed_changes = larch_trust_changes(&s->trust);
    return ask_post(s, now_ms);
}

/* ---- what is next ------------------------------------------------------ */

/* What trust needs, of a gateway that may be a prototype, which has no identity and endorses nothing. */
static larch_trust_need need_of(larch_sender *s, uint64_t now_ms)
{
    larch_trust_need need;
    while ((need = larch_trust_need_of(&s->trust, now_ms)),
           larch_sender_is_for_prototype(s) && (need == LARCH_TRUST_DOCUMENT || need == LARCH_TRUST_NEXT))
        larch_trust_process_absence(&s->trust, now_ms);
    return need;
}

larch_error larch_sender_go_on(larch_sender *s, uint64_t now_ms)
{
    const larch_trust_need need = need_of(s, now_ms);
    if (need != LARCH_TRUST_NOTHING && s->renew_until_ms == SENDER_NEVER && larch_trust_is_usable(&s->trust, now_ms)) {
        if (now_ms < s->renew_at_ms)
            return settle(s, now_ms);
        s->renew_until_ms = now_ms + RENEW_WAIT_MS;
    }
    switch (need) {
    case LARCH_TRUST_NOTHING:
        return settle(s, now_ms);
    case LARCH_TRUST_KEY:
        return ask_key(s, now_ms);
    case LARCH_TRUST_DOCUMENT:
        return ask_identity(s, now_ms, LARCH_SENDER_FETCH_DOCUMENT, NULL);
    case LARCH_TRUST_ROOT:
        return ask_identity(s, now_ms, LARCH_SENDER_FETCH_ROOT, query_of(s->config.kem));
    case LARCH_TRUST_VOUCHER:
        return ask_question(s, now_ms, LARCH_SENDER_VOUCH, LARCH_DIRECT_PATH_ROOT);
    case LARCH_TRUST_NEXT:
        return ask_question(s, now_ms, LARCH_SENDER_ENDORSE, LARCH_DIRECT_PATH_NEXT);
    case LARCH_TRUST_DECISION:
        s->state = LARCH_SENDER_DECIDE;
        return LARCH_OK;
    default:
        larch_sender_fail(s, failure_of_fault(larch_trust_fault_of(&s->trust)));
        return LARCH_OK;
    }
}

larch_error larch_sender_put_off_renewal(larch_sender *s, uint64_t now_ms, uint64_t wait_ms)
{
    larch_coap_client_cancel(&s->client);
    larch_trust_drop_question(&s->trust);
    s->retry_at_ms = SENDER_NEVER; /* it was held up, perhaps */
    s->renew_at_ms = now_ms + (wait_ms > RENEW_AGAIN_MS ? wait_ms : RENEW_AGAIN_MS);
    return settle(s, now_ms);
}

larch_error larch_sender_ask_again(larch_sender *s, uint64_t now_ms)
{
    s->retry_at_ms = SENDER_NEVER;
    if (s->state == LARCH_SENDER_POST)
        return ask_post(s, now_ms);
    larch_trust_drop_question(&s->trust);
    return larch_sender_go_on(s, now_ms);
}
