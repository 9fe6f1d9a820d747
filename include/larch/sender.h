/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sender role: finds out which key of a gateway to trust (larch/trust.h), seals and posts messages, and checks the
 * gateway's receipts. Like the gateway it does no I/O.
 */
#ifndef LARCH_SENDER_H
#define LARCH_SENDER_H

#include "larch/coap_client.h"
#include "larch/direct.h"
#include "larch/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a sender is doing; also where it failed. X(NAME, text) */
#define LARCH_SENDER_STATES(X)                                    \
    X(IDLE, "nothing to do")                                      \
    X(FETCH_KEY, "fetching the gateway's key")                    \
    X(FETCH_DOCUMENT, "fetching the gateway's identity document") \
    X(VOUCH, "asking the pinned key about the identity")          \
    X(FETCH_ROOT, "fetching the root key of the identity")        \
    X(ENDORSE, "asking what is pinned about the key")             \
    X(DECIDE, "waiting for the caller to trust the gateway")      \
    X(READY, "holding a trusted key")                             \
    X(POST, "sending a sealed message")                           \
    X(FAILED, "stopped")

#define LARCH_SENDER_STATE_ENUM(name, text) LARCH_SENDER_##name,
typedef enum larch_sender_state { LARCH_SENDER_STATES(LARCH_SENDER_STATE_ENUM) } larch_sender_state;
#undef LARCH_SENDER_STATE_ENUM

/* Why it stopped, and what to do next. X(NAME, text, advice) */
#define LARCH_SENDER_FAILURES(X)                                                                                \
    X(NONE, "no failure", "nothing is to be done")                                                              \
    X(NO_ANSWER, "the gateway does not answer", "check that it runs at that address, and the way there")        \
    X(RESET, "the gateway reset the request", "check that a larch gateway listens on that port")                \
    X(REFUSED, "the gateway refused the request",                                                               \
      "its answer gives the reason, and after 5.03 it may be asked again later")                                \
    X(BAD_KEY, "what the gateway calls its key is not one", "check that a larch gateway listens on that port")  \
    X(WRONG_KEY, "the gateway's key is not the pinned one, and nothing that is pinned endorses it",             \
      "compare its fingerprint with the one that the gateway itself prints")                                    \
    X(WRONG_IDENTITY, "the gateway has another identity than the pinned one",                                   \
      "compare its fingerprint with the one that the gateway itself prints")                                    \
    X(NO_IDENTITY, "the gateway shows no identity, though one is pinned",                                       \
      "check that the address is that of the gateway, and that an older larch has not taken its place")         \
    X(BAD_IDENTITY, "the gateway's identity document or root key is not sound",                                 \
      "check that the address is that of the gateway, and what alters messages on the way")                     \
    X(NO_ROOT, "the gateway's identity has no root key of this parameter set", "use another parameter set")     \
    X(REPLAY, "the gateway says that it has seen this message before", "do not repeat it: it was accepted")     \
    X(RECEIPT, "the answer does not prove that the gateway has opened the message",                             \
      "do not count it as delivered, and check that the address is that of the gateway and who answers in its " \
      "place")                                                                                                  \
    X(AUTH, "the gateway could not open the message",                                                           \
      "try again, and if that fails too, look for what alters messages on the way")                             \
    X(BAD_ANSWER, "the answer makes no sense", "check that a larch gateway listens on that port")               \
    X(OPTION, "the answer has a critical option that this larch does not understand", "use a newer larch here") \
    X(PLATFORM, "random or the crypto provider failed", "restart this system: nothing can be sealed until it works")

#define LARCH_SENDER_FAILURE_ENUM(name, text, advice) LARCH_SENDER_FAIL_##name,
typedef enum larch_sender_failure { LARCH_SENDER_FAILURES(LARCH_SENDER_FAILURE_ENUM) } larch_sender_failure;
#undef LARCH_SENDER_FAILURE_ENUM

const char *larch_sender_state_text(larch_sender_state state);
const char *larch_sender_failure_text(larch_sender_failure failure);
/* What the user can do about it: a clause that follows the text. */
const char *larch_sender_failure_advice(larch_sender_failure failure);

typedef struct larch_sender_config {
    const larch_random *random; /* kept */
    const larch_trace *trace;   /* kept; may be NULL */
    const larch_kem *kem;
    larch_peer peer;
    bool non_confirmable; /* post messages as NON: no retransmission */
    bool prototype;       /* ask with POST from the start, as to a prototype board; not with an identity */
    bool cose;            /* seal messages in the form of COSE (larch/direct.h); not to a prototype */
    bool no_receipt;      /* ask for no receipt; one is always asked for with an identity */
    uint32_t patience_ms; /* 5.03 and 4.29 make the sender wait for Max-Age and ask again, for so long after the
                                       call that began the work; 0: it fails at once */
    const larch_trust_basis *trust; /* what is pinned and on record, copied; NULL: nothing */
} larch_sender_config;

typedef struct larch_sender {
    larch_sender_state state; /* private, all of it; the largest stands last, since near fields take less code */
    larch_sender_failure failure;
    uint64_t fallback_at_ms;   /* UINT64_MAX: not, or no more; this and the next three */
    uint64_t retry_at_ms;      /* the gateway asked to wait until then */
    uint64_t renew_until_ms;   /* while the endorsement is renewed, which must not hinder sending */
    uint64_t patient_until_ms; /* in FETCH_KEY to POST: see patience_ms */
    uint64_t renew_at_ms;      /* not before */
    bool is_held;              /* until retry_at_ms no request can begin */
    bool is_prototype;         /* it answered the fallback */
    bool posts;                /* there is a text to post, as soon as a key is trusted */
    bool refetched;            /* its key, since the gateway could not open the message */
    bool proven;               /* the last answer to a message bore a receipt */
    uint8_t sealed_changes;    /* larch_trust_changes when the message was sealed */
    uint8_t answer_code;
    uint16_t bad_option; /* of an answer that was rejected; 0: none */
    uint8_t answer_len;
    uint8_t echo_len;
    uint8_t reply_len;
    uint8_t answer[40];
    uint8_t echo[40];
    uint8_t reply[32]; /* an acknowledgement or reset to send */
    larch_peer reply_peer;
    size_t text_len;
    size_t message_len;
    larch_direct_receipt receipt; /* of the message under way */
    larch_sender_config config;
    larch_coap_exchange exchanges[4];
    uint8_t answers[4 * LARCH_COAP_EMPTY_LEN]; /* acknowledgements, for duplicates */
    larch_coap_client client;                  /* GET, and all later requests */
    larch_coap_client fallback;                /* POST for the key, to a prototype */
    larch_trust trust;
    larch_coap_endpoint endpoint;
    uint8_t text[LARCH_DIRECT_TEXT_MAX];
    uint8_t message[LARCH_COAP_BODY_MAX]; /* what is posted; while the key is fetched, the fallback's answer */
    uint8_t body[LARCH_KEM_EK_MAX];       /* the client's answer */
} larch_sender;

/* Errors as larch_trust_init; LARCH_STATE also if an identity or COSE is wanted of a prototype, or if cose is set and the
 * build has LARCH_DIRECT_COSE=0. LARCH_PLATFORM: random or the
 * provider failed. s must not be used after an error. */
LARCH_MUST_USE larch_error larch_sender_init(larch_sender *s, uint64_t now_ms, const larch_sender_config *config);

/* In IDLE and READY: begins to find out which key to trust. The state passes through fetching states to READY, to
 * DECIDE if nothing is pinned, or to FAILED. It is READY at once if an identity with a fresh endorsement is on record.
 * LARCH_STATE: in all other states. LARCH_PLATFORM: FAILED. Here and below, a request that cannot be sent now, because
 * all message IDs are in use, is sent when one is free: within LARCH_COAP_EXCHANGE_LIFETIME_MS. */
LARCH_MUST_USE larch_error larch_sender_fetch(larch_sender *s, uint64_t now_ms);
/* In DECIDE: the caller trusts the identity or the key that the gateway showed; READY on LARCH_OK. LARCH_STATE: in all
 * other states. */
LARCH_MUST_USE larch_error larch_sender_trust(larch_sender *s, uint64_t now_ms);
/* In READY: seals text and posts it; the state is POST, then READY again or FAILED. An endorsement that is 12 hours old
 * is renewed first, but only one that is 24 hours old must be renewed before the message is sent. If the gateway cannot
 * open the message, the sender asks once for the key anew, because it may have been rotated, and seals the text anew.
 * In all other cases it sends the same bytes again. LARCH_STATE: not READY. LARCH_SPACE: the text is too long.
 * The state is as before after these two. LARCH_PLATFORM: FAILED. */
LARCH_MUST_USE larch_error larch_sender_post(larch_sender *s, uint64_t now_ms, larch_bytes text);
/* The longest text that a sender with this configuration posts, unless the gateway proves to be a prototype. */
size_t larch_sender_text_max(const larch_sender_config *config);

/* Takes one untrusted datagram. What ICMP says of the way to the gateway is not handed in: it ends no request, since
 * anybody may forge it [RFC7252 4.2]. */
void larch_sender_receive(larch_sender *s, uint64_t now_ms, const larch_peer *peer, larch_bytes datagram);
/* The next datagram to send; the view holds until the next call. LARCH_AGAIN: none. */
LARCH_MUST_USE larch_error larch_sender_send(larch_sender *s, uint64_t now_ms, larch_peer *peer, larch_bytes *datagram);
uint64_t larch_sender_deadline_ms(const larch_sender *s);

/* ---- what came of it --------------------------------------------------- */

larch_sender_state larch_sender_state_of(const larch_sender *s);
/* Whether it is in a state that ends in READY, DECIDE or FAILED without a further call of the caller. */
bool larch_sender_is_busy(const larch_sender *s);
/* Until when it waits before it can ask at all, because all message IDs are in use; 0: it does not. That time is none in
 * which the gateway is silent. */
uint64_t larch_sender_held_until_ms(const larch_sender *s);
larch_sender_failure larch_sender_failure_of(const larch_sender *s);
/* Whether it FAILED for security (trust was refused, or a receipt is missing or wrong) and not for a network fault. */
bool larch_sender_refused(const larch_sender *s);
/* The gateway's answer to the last request: returns its code, and puts up to 40 bytes of its untrusted payload, without
 * the receipt, into *text. Returns 0 and no bytes while that request has no answer, and if the answer is a key, a
 * document or an endorsement. */
uint8_t larch_sender_answer(const larch_sender *s, larch_bytes *text);
/* In FAILED with OPTION: the number of that option; otherwise 0. */
uint16_t larch_sender_bad_option(const larch_sender *s);
/* In READY after a post: whether a receipt proves that the holder of the trusted key opened the message. It is always
 * true if an identity is pinned. If not, an OK without a receipt leads to READY too. */
bool larch_sender_proven(const larch_sender *s);
/* In READY and POST the trusted key; in DECIDE, and when FAILED with WRONG_KEY, the key that the gateway showed;
 * otherwise empty. hash: its SHA-256; may be NULL. */
larch_bytes larch_sender_key(const larch_sender *s, const uint8_t **hash);
/* Whether another key took the place of a trusted one, by endorsement. */
bool larch_sender_rotated(const larch_sender *s);
/* The trust behind it, from which a caller reads the identity and what to keep on record (larch/trust.h). */
const larch_trust *larch_sender_trust_of(const larch_sender *s);

void larch_sender_wipe(larch_sender *s);

#ifdef __cplusplus
}
#endif

#endif
