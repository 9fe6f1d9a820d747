/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sender role: fetches a gateway's key, checks it against a pin, follows an
 * endorsed rotation, seals and posts messages. Sans-I/O as the gateway.
 */
#ifndef LARCH_SENDER_H
#define LARCH_SENDER_H

#include "larch/coap_block.h"
#include "larch/direct.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a sender is doing; also where it failed. X(NAME, text) */
#define LARCH_SENDER_STATES(X)                            \
    X(IDLE, "nothing to do")                              \
    X(FETCH_KEY, "fetching the gateway's key")            \
    X(ENDORSE, "asking the pinned key about the new one") \
    X(DECIDE, "waiting for the caller to trust the key")  \
    X(READY, "holding a trusted key")                     \
    X(POST, "sending a sealed message")                   \
    X(FAILED, "stopped")

#define LARCH_SENDER_STATE_ENUM(name, text) LARCH_SENDER_##name,
typedef enum larch_sender_state { LARCH_SENDER_STATES(LARCH_SENDER_STATE_ENUM) } larch_sender_state;
#undef LARCH_SENDER_STATE_ENUM

/* Why it stopped. X(NAME, text) */
#define LARCH_SENDER_FAILURES(X)                                                                    \
    X(NONE, "no failure")                                                                           \
    X(NO_ANSWER, "the gateway does not answer")                                                     \
    X(UNREACHABLE, "the gateway's host refuses the port")                                           \
    X(RESET, "the gateway reset the request")                                                       \
    X(REFUSED, "the gateway refused the request")                                                   \
    X(BAD_KEY, "what the gateway calls its key is not one")                                         \
    X(WRONG_KEY, "the gateway's key is not the pinned one, and the pinned one does not endorse it") \
    X(REPLAY, "the gateway says that it has seen this message before")                              \
    X(AUTH, "the gateway could not open the message")                                               \
    X(BAD_ANSWER, "the answer makes no sense")                                                      \
    X(TOO_LONG, "the text is too long")                                                             \
    X(PLATFORM, "random or the crypto provider failed")

#define LARCH_SENDER_FAILURE_ENUM(name, text) LARCH_SENDER_FAIL_##name,
typedef enum larch_sender_failure { LARCH_SENDER_FAILURES(LARCH_SENDER_FAILURE_ENUM) } larch_sender_failure;
#undef LARCH_SENDER_FAILURE_ENUM

const char *larch_sender_state_text(larch_sender_state state);
const char *larch_sender_failure_text(larch_sender_failure failure);

typedef struct larch_sender_config {
    const larch_random *random; /* kept */
    const larch_trace *trace;   /* kept; may be NULL */
    const larch_kem *kem;
    larch_peer peer;
    bool non_confirmable;  /* post messages as NON: no retransmission */
    bool prototype;        /* ask with POST from the start, as to a prototype board */
    larch_bytes pinned_ek; /* the whole pinned key, if on record: allows an endorsed rotation; copied */
    bool pinned;           /* whether a pin is given */
    uint8_t pin[LARCH_FINGERPRINT_LEN];
} larch_sender_config;

typedef struct larch_sender {
    larch_sender_config config; /* private, all of it */
    larch_coap_endpoint endpoint;
    larch_coap_exchange exchanges[4];
    larch_coap_client client;   /* GET, and all later requests */
    larch_coap_client fallback; /* POST for the key, to a prototype */
    larch_sender_state state;
    larch_sender_failure failure;
    uint64_t fallback_at_ms; /* UINT64_MAX: not, or no more */
    bool is_prototype;       /* it answered the fallback */
    bool rotated;
    bool refetched;
    uint8_t answer_code;
    uint8_t answer_len;
    uint8_t echo_len;
    uint8_t reply_len;
    uint8_t answer[40];
    uint8_t echo[40];
    uint8_t reply[32]; /* an acknowledgement or reset to send */
    larch_peer reply_peer;
    uint8_t hash[32];        /* SHA-256 of ek */
    uint8_t pinned_hash[32]; /* of pinned_ek */
    uint8_t next_ss[LARCH_KEM_SS_LEN];
    uint8_t ek[LARCH_KEM_EK_MAX];
    uint8_t pinned_ek[LARCH_KEM_EK_MAX];
    uint8_t text[LARCH_DIRECT_TEXT_MAX];
    size_t text_len;
    uint8_t message[LARCH_COAP_BODY_MAX];
    uint8_t body[LARCH_KEM_EK_MAX];          /* the client's answer */
    uint8_t fallback_body[LARCH_KEM_EK_MAX]; /* the fallback's */
} larch_sender;

LARCH_MUST_USE larch_error larch_sender_init(larch_sender *s, uint64_t now_ms, const larch_sender_config *config);

/* Begins to fetch the key: FETCH_KEY, then READY, or DECIDE without a pin, or FAILED. */
LARCH_MUST_USE larch_error larch_sender_fetch(larch_sender *s, uint64_t now_ms);
/* In DECIDE: the caller trusts the key (on its user's word). */
LARCH_MUST_USE larch_error larch_sender_trust(larch_sender *s);
/* In READY: seals text and posts it: POST, then READY again, or FAILED. If the gateway cannot open it the key is
 * fetched anew once, for it may have been rotated. LARCH_SPACE: too long; LARCH_PLATFORM; LARCH_STATE: not READY. */
LARCH_MUST_USE larch_error larch_sender_post(larch_sender *s, uint64_t now_ms, larch_bytes text);

void larch_sender_receive(larch_sender *s, uint64_t now_ms, const larch_peer *peer, larch_bytes datagram);
/* The next datagram to send; the view holds until the next call. LARCH_AGAIN: none. */
LARCH_MUST_USE larch_error larch_sender_send(larch_sender *s, uint64_t now_ms, larch_peer *peer, larch_bytes *datagram);
uint64_t larch_sender_deadline_ms(const larch_sender *s);
/* The driver learnt that nobody listens there (ICMP port unreachable). */
void larch_sender_unreachable(larch_sender *s);

/* ---- what came of it --------------------------------------------------- */

larch_sender_state larch_sender_state_of(const larch_sender *s);
larch_sender_failure larch_sender_failure_of(const larch_sender *s);
/* The gateway's last answer: its code (0: none) and up to 40 bytes of its payload, untrusted. */
uint8_t larch_sender_answer(const larch_sender *s, larch_bytes *text);
/* The gateway's key, from DECIDE and READY on, or when FAILED with WRONG_KEY; empty before. */
larch_bytes larch_sender_key(const larch_sender *s, const uint8_t **hash);
/* Whether the pinned key endorsed another, which is now the one to pin. */
bool larch_sender_rotated(const larch_sender *s);

void larch_sender_wipe(larch_sender *s);

#ifdef __cplusplus
}
#endif

#endif
