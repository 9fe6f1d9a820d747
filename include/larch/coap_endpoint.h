/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CoAP endpoint, server and client at once, without I/O [RFC7252 4, 5]: its
 * driver hands in datagrams and the time, and pulls out datagrams, events and
 * the next deadline. It keeps the bytes it sent, so retransmissions and answers
 * to duplicates are the same bytes again. Fixed memory, no heap.
 *
 * now_ms is any clock that never goes back; it starts anywhere.
 */
#ifndef LARCH_COAP_ENDPOINT_H
#define LARCH_COAP_ENDPOINT_H

#include "larch/coap_message.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_COAP_EMPTY_LEN 4 /* an Empty message is its header */

/* EXCHANGE_LIFETIME and NON_LIFETIME from the parameters. [RFC7252 4.8.2] */
#define LARCH_COAP_MAX_TRANSMIT_SPAN_MS                                                                               \
    ((uint64_t)LARCH_COAP_ACK_TIMEOUT_MS * ((1u << LARCH_COAP_MAX_RETRANSMIT) - 1) * LARCH_COAP_ACK_RANDOM_PERMILLE / \
     1000)
#define LARCH_COAP_EXCHANGE_LIFETIME_MS \
    (LARCH_COAP_MAX_TRANSMIT_SPAN_MS + 2 * (uint64_t)LARCH_COAP_MAX_LATENCY_MS + LARCH_COAP_ACK_TIMEOUT_MS)
#define LARCH_COAP_NON_LIFETIME_MS (LARCH_COAP_MAX_TRANSMIT_SPAN_MS + (uint64_t)LARCH_COAP_MAX_LATENCY_MS)
/* From the first transmission of a confirmable message until its sender gives
 * up; also how long a response is awaited after an acknowledgement, or after a
 * non-confirmable request. */
#define LARCH_COAP_MAX_TRANSMIT_WAIT_MS                                                                               \
    ((uint64_t)LARCH_COAP_ACK_TIMEOUT_MS * ((2u << LARCH_COAP_MAX_RETRANSMIT) - 1) * LARCH_COAP_ACK_RANDOM_PERMILLE / \
     1000)

/* Keyed hashes of one message: of its peer, message ID and last bytes, and of its content (all but the type). */
typedef struct larch_coap_hash {
    uint32_t place, content;
} larch_coap_hash;

/* One message of a peer that must not take effect twice: a request, or a response to us that came by itself. A copy
 * has its peer, its message ID and its content; another message with that ID is a new one. A new one takes the
 * place of the oldest among a few candidates, which a keyed hash picks, so that nobody can aim at the memory of
 * another. */
typedef struct larch_coap_exchange {
    larch_peer peer;    /* private, all of it */
    uint64_t until_ms;  /* 0: free */
    uint64_t answer_at; /* position in the ring of answers */
    uint32_t content;
    uint16_t message_id;
    uint16_t answer_len; /* 0: none, or none yet */
} larch_coap_exchange;

/* The caller's memory against duplicates, kept as long as the endpoint: for a board a handful, for a gateway
 * thousands. */
typedef struct larch_coap_memory {
    larch_coap_exchange *exchanges;
    size_t exchange_count; /* at least 1 */
    uint8_t *answers;      /* a ring: the newest answers to duplicates, of any size, as the bytes that were sent */
    size_t answers_len;    /* at least LARCH_COAP_EMPTY_LEN */
} larch_coap_memory;

/* One message of ours that waits: for its time, an acknowledgement or a
 * response. Private. */
typedef struct larch_coap_transmission {
    uint32_t handle; /* 0: free */
    larch_peer peer;
    uint64_t due_ms;
    uint32_t timeout_ms; /* until the next retransmission; doubles; 0: non-confirmable */
    uint16_t message_id;
    uint16_t datagram_len;
    uint8_t state; /* what it waits for */
    uint8_t sent;  /* times */
    uint8_t flags;
    uint8_t token_len;
    uint8_t token[LARCH_COAP_TOKEN_MAX];
    uint8_t datagram[LARCH_COAP_DATAGRAM_MAX];
} larch_coap_transmission;

/* Why a datagram led to nothing; counted. X(NAME, text) */
#define LARCH_COAP_DROPS(X)                                   \
    X(NONE, "not dropped")                                    \
    X(MALFORMED, "breaks the message format")                 \
    X(VERSION, "not CoAP version 1")                          \
    X(DUPLICATE, "a copy of a request already answered")      \
    X(UNMATCHED, "answers no request of ours")                \
    X(PING, "a ping, answered")                               \
    X(BAD_OPTION, "a critical option that is not understood") \
    X(TOO_LONG, "longer than a datagram may be")

#define LARCH_COAP_DROP_ENUM(name, text) LARCH_COAP_DROP_##name,
typedef enum larch_coap_drop { LARCH_COAP_DROPS(LARCH_COAP_DROP_ENUM) LARCH_COAP_DROP_COUNT } larch_coap_drop;
#undef LARCH_COAP_DROP_ENUM

const char *larch_coap_drop_text(larch_coap_drop drop);

#define LARCH_COAP_HASH_WORDS 16

typedef struct larch_coap_endpoint {
    larch_coap_transmission transmissions[LARCH_COAP_TRANSMISSIONS]; /* private, all of it */
    larch_coap_memory memory;
    larch_ring answers;
    larch_random random;
    const uint16_t *understood;
    size_t understood_count;
    uint64_t hash_key[2];
    uint32_t content_key[LARCH_COAP_HASH_WORDS];
    uint64_t message_ids_free_ms[4]; /* when each quarter of the message IDs may be used again */
    uint32_t next_handle;
    uint16_t next_message_id;
    uint32_t drops[LARCH_COAP_DROP_COUNT];
} larch_coap_endpoint;

/* random: for message IDs, tokens and back-off. understood: the critical options that
 * the layers above act on, kept by the caller. Returns LARCH_PLATFORM if random fails,
 * LARCH_STATE if memory is too small. */
LARCH_MUST_USE larch_error larch_coap_endpoint_init(larch_coap_endpoint *ep, const larch_coap_memory *memory,
                                                    const larch_random *random, const uint16_t *understood,
                                                    size_t understood_count);
/* How many datagrams have been dropped for this reason. */
uint32_t larch_coap_endpoint_drops(const larch_coap_endpoint *ep, larch_coap_drop drop);

/* ---- events ------------------------------------------------------------ */

typedef enum larch_coap_event_kind {
    LARCH_COAP_NOTHING,  /* dealt with, or dropped: see drop */
    LARCH_COAP_REQUEST,  /* a new request: answer it, now or later */
    LARCH_COAP_RESPONSE, /* answers our request named by handle */
    LARCH_COAP_RESET,    /* the peer refused our message named by handle */
    LARCH_COAP_TIMEOUT   /* nobody acknowledged, or nobody answered, our message named by handle */
} larch_coap_event_kind;

typedef struct larch_coap_event {
    larch_coap_event_kind kind;
    larch_coap_drop drop;
    uint32_t handle; /* of our message that this is about; 0: none */
    larch_peer peer;
    uint16_t bad_option;        /* drop BAD_OPTION of an answer to handle: the critical option */
    bool multicast;             /* the request came to a group: errors stay unanswered */
    larch_coap_hash hash;       /* private */
    larch_coap_message message; /* REQUEST, RESPONSE: views into the datagram */
} larch_coap_event;

/* ---- datagrams in ------------------------------------------------------ */

/* Takes one untrusted datagram. An answer to a request of ours that has a critical option which is not understood is
 * rejected: NOTHING, with drop BAD_OPTION and the request's handle, which lives on [RFC7252 5.4.1]. peer: who sent it; multicast: it was sent to a group or
 * broadcast address; then nothing is rejected aloud [RFC7252 8.1], and a confirmable request,
 * against the standard but seen from prototypes, is taken all the same. reply: receives at
 * most one datagram for the same peer, to be sent whatever the event is (an acknowledgement, a
 * reset, the stored answer to a duplicate, a 4.02, 4.13 or 5.05); its len is 0 if there is none; it must
 * hold LARCH_COAP_DATAGRAM_MAX bytes. A reply made here is at most three times as long as the
 * datagram, except for the stored answer: event->drop is then LARCH_COAP_DROP_DUPLICATE, and the
 * caller charges reply->len as it charged the answer itself, or leaves it unsent: another copy finds
 * the answer again. A datagram of more than LARCH_COAP_DATAGRAM_MAX bytes may be cut behind them: a request is
 * answered 4.13 if its options are whole, and nothing else comes of it; a response ends its request with
 * event->drop LARCH_COAP_DROP_TOO_LONG, and its payload must not be used. Never fails: what is wrong with the datagram is
 * event->drop. */
void larch_coap_endpoint_receive(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer, bool multicast,
                                 larch_bytes datagram, larch_writer *reply, larch_coap_event *event);
#if LARCH_SERVER_GROUP > 1
/* Whether that would give a REQUEST event now, with this message; nothing is changed. false leaves *message zeroed. */
bool larch_coap_endpoint_peek(const larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                              larch_bytes datagram, larch_coap_message *message);
#endif

/* ---- answering --------------------------------------------------------- */

/* What an answer needs of its request, without the datagram: it may be answered later. */
typedef struct larch_coap_pending {
    larch_peer peer; /* private, all of it */
    bool is_request;
    bool confirmable;
    bool multicast;
    uint8_t token_len;
    uint16_t message_id;
    larch_coap_hash hash;
    uint8_t token[LARCH_COAP_TOKEN_MAX];
} larch_coap_pending;

larch_coap_pending larch_coap_pending_of(const larch_coap_event *request);

/* Begins the answer to a request in out (cap bytes): piggybacked on the acknowledgement of a
 * confirmable request, non-confirmable else, same token. The caller adds options and payload
 * to b, then ends it. LARCH_STATE: pending came of no REQUEST event. */
LARCH_MUST_USE larch_error larch_coap_answer_begin(const larch_coap_pending *pending, uint8_t code, uint8_t *out,
                                                   size_t cap, larch_coap_builder *b);
/* Ends it. remember: keep the bytes for duplicates; required unless the request may be carried
 * out twice without harm (GET and the like, [RFC7252 4.5]). LARCH_SPACE: the answer is longer
 * than cap, or than all the memory for answers and to be remembered: nothing is remembered then.
 * LARCH_STATE: b was used wrongly. To a multicast request an error is never answered, and the
 * answer to a non-confirmable one is kept and sent after a random part of the leisure [RFC7252
 * 8.2]: *datagram is then empty. The more answers wait, the shorter the leisure; if only one
 * transmission is free, the answer is returned at once, so that a flood of group requests holds up
 * neither answers to others nor requests of ours. LARCH_PLATFORM if random fails (remembered all
 * the same). The answer to a confirmable multicast request is returned at once: its sender repeats
 * until it hears one. The caller bounds what all these answers add up to. */
LARCH_MUST_USE larch_error larch_coap_endpoint_answer_end(larch_coap_endpoint *ep, uint64_t now_ms,
                                                          const larch_coap_pending *pending,
                                                          const larch_coap_builder *b, bool remember,
                                                          larch_bytes *datagram);
/* Likewise, for an answer that stands already. The view must hold as long as *datagram is used. */
LARCH_MUST_USE larch_error larch_coap_endpoint_answer_with(larch_coap_endpoint *ep, uint64_t now_ms,
                                                           const larch_coap_pending *pending, larch_bytes answer,
                                                           bool remember, larch_bytes *datagram);
/* The request is being carried out and its answer follows: until then duplicates are dropped in silence. */
void larch_coap_endpoint_hold(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_pending *pending);
/* The request was not carried out after all: a copy of it is a new request. */
void larch_coap_endpoint_release(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_pending *pending);

/* Puts off the answer to a REQUEST event: an empty acknowledgement goes into
 * reply now (if it was confirmable), and again to each duplicate. [RFC7252 5.2.2]
 * Not for multicast requests: their errors could not be kept silent. */
void larch_coap_endpoint_answer_later(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_event *request,
                                      larch_writer *reply, larch_coap_pending *pending);
/* Begins the separate response, with the type of the request. LARCH_AGAIN: no transmission is
 * free, or message IDs are spent. LARCH_PLATFORM: random failed. End with
 * larch_coap_endpoint_request_end; the outcome of a confirmable one comes as NOTHING with its
 * handle (acknowledged), RESET or TIMEOUT. */
LARCH_MUST_USE larch_error larch_coap_endpoint_respond(larch_coap_endpoint *ep, uint64_t now_ms,
                                                       const larch_coap_pending *pending, uint8_t code,
                                                       larch_coap_builder *b, uint32_t *handle);

/* ---- asking ------------------------------------------------------------ */

#define LARCH_COAP_ANY_PEER    1u /* to a group or broadcast: any peer may answer, more than once */
#define LARCH_COAP_EMPTY_TOKEN 2u /* no token, for peers that cannot return one */
#define LARCH_COAP_SECOND_WAY  4u /* the same question in another form: beyond NSTART */
/* The handle outlives its response: further ones with its token, which are notifications, are RESPONSE events too, until
 * cancel. Without a time-out once the first response came. [RFC7641 3.2] */
#define LARCH_COAP_OBSERVE     8u
/* The caller verifies responses: one with the token may come from any address, and none ends the request or its
 * retransmission until the caller accepts it by larch_coap_endpoint_accept, or cancels. An empty acknowledgement or a
 * Reset must come from the peer that was asked all the same. */
#define LARCH_COAP_VERIFIED    16u

/* Begins a request; type is CON or NON. LARCH_AGAIN: all transmissions are taken, NSTART is
 * reached for this peer, or message IDs would repeat within EXCHANGE_LIFETIME. LARCH_PLATFORM:
 * random failed. LARCH_STATE: another type, code is no request, or the token is longer than one may be. token: NULL: a
 * fresh one; else that of an earlier request to this peer whose handle lives no more, for a block of the same body: some
 * servers find the blocks of a body by it. The caller adds options and
 * payload to b and ends it; it is sent by the next polls. The handle lives until RESPONSE
 * (without ANY_PEER, OBSERVE and VERIFIED), RESET, TIMEOUT or cancel. */
LARCH_MUST_USE larch_error larch_coap_endpoint_request(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                                       larch_coap_type type, uint8_t code, unsigned flags,
                                                       const larch_bytes *token, larch_coap_builder *b,
                                                       uint32_t *handle);
/* From when on a message ID is free for another request: a time that has passed, unless they are used up. */
uint64_t larch_coap_endpoint_free_ms(const larch_coap_endpoint *ep);
/* Ends it; on error (LARCH_SPACE, LARCH_STATE) the transmission is freed. */
LARCH_MUST_USE larch_error larch_coap_endpoint_request_end(larch_coap_endpoint *ep, const larch_coap_builder *b,
                                                           uint32_t handle);
/* The datagram of a request that was ended; empty if the handle lives no more. The view holds until the next call on ep
 * that is not const. */
larch_bytes larch_coap_endpoint_datagram(const larch_coap_endpoint *ep, uint32_t handle);
/* The caller verified a response to a request with VERIFIED: it is not sent again. With OBSERVE it waits for
 * notifications from now on; else its handle lives no more. */
void larch_coap_endpoint_accept(larch_coap_endpoint *ep, uint32_t handle);
/* The peer of a request with VERIFIED has another address now. A request that nobody acknowledged goes there at once: the
 * same bytes, and retransmitted anew. One that was acknowledged, or observes, is not sent again. */
void larch_coap_endpoint_move(larch_coap_endpoint *ep, uint64_t now_ms, uint32_t handle, const larch_peer *peer);
/* Forgets a request, answered or not; late answers are then unmatched. */
void larch_coap_endpoint_cancel(larch_coap_endpoint *ep, uint32_t handle);

/* ---- datagrams out ----------------------------------------------------- */

/* What is due: a datagram to send (datagram->len > 0; the view holds until the
 * next call on ep), or an event (TIMEOUT). LARCH_AGAIN: nothing is due. Call until then. */
LARCH_MUST_USE larch_error larch_coap_endpoint_poll(larch_coap_endpoint *ep, uint64_t now_ms, larch_peer *peer,
                                                    larch_bytes *datagram, larch_coap_event *event);
/* When to poll again at the latest; UINT64_MAX if nothing waits. */
uint64_t larch_coap_endpoint_deadline_ms(const larch_coap_endpoint *ep);

#ifdef __cplusplus
}
#endif

#endif
