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

/* One message of a peer that must not take effect twice, and what it was
 * answered with: a request, or a response to us that came by itself. The caller
 * provides an array of them: a board a handful, a gateway thousands. A new one
 * takes the place of the oldest among a few candidates, which a keyed hash of
 * peer and message ID picks, so that nobody can aim at the memory of another. */
typedef struct larch_coap_exchange {
    larch_peer peer;   /* private, all of it */
    uint64_t until_ms; /* 0: free */
    uint16_t message_id;
    uint8_t answer_len;
    uint8_t answer[LARCH_COAP_ANSWER_MAX];
} larch_coap_exchange;

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
    X(FULL, "no memory left for it now")

#define LARCH_COAP_DROP_ENUM(name, text) LARCH_COAP_DROP_##name,
typedef enum larch_coap_drop { LARCH_COAP_DROPS(LARCH_COAP_DROP_ENUM) LARCH_COAP_DROP_COUNT } larch_coap_drop;
#undef LARCH_COAP_DROP_ENUM

const char *larch_coap_drop_text(larch_coap_drop drop);

typedef struct larch_coap_endpoint {
    larch_coap_transmission transmissions[LARCH_COAP_TRANSMISSIONS]; /* private, all of it */
    larch_coap_exchange *exchanges;
    size_t exchange_count;
    larch_random random;
    const uint16_t *understood;
    size_t understood_count;
    uint64_t hash_key[2];
    uint64_t message_ids_free_ms[4]; /* when each quarter of the message IDs may be used again */
    uint32_t next_handle;
    uint16_t next_message_id;
    uint32_t drops[LARCH_COAP_DROP_COUNT];
} larch_coap_endpoint;

/* exchanges: the caller's memory for duplicate detection, count > 0, kept as
 * long as the endpoint. random: for message IDs, tokens and back-off.
 * understood: the critical options that the layers above act on, kept by the
 * caller. Returns LARCH_PLATFORM if random fails, LARCH_STATE if count is 0. */
LARCH_MUST_USE larch_error larch_coap_endpoint_init(larch_coap_endpoint *ep, larch_coap_exchange *exchanges,
                                                    size_t count, const larch_random *random,
                                                    const uint16_t *understood, size_t understood_count);
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
    bool multicast;             /* the request came to a group: errors stay unanswered */
    larch_coap_message message; /* REQUEST, RESPONSE: views into the datagram */
} larch_coap_event;

/* ---- datagrams in ------------------------------------------------------ */

/* Takes one untrusted datagram. peer: who sent it; multicast: it was sent to a group or
 * broadcast address; then nothing is rejected aloud [RFC7252 8.1], and a confirmable request,
 * against the standard but seen from prototypes, is taken all the same. reply: receives at
 * most one datagram for the same peer, to be sent whatever the event is (an acknowledgement, a
 * reset, the stored answer to a duplicate, a 4.02); its len is 0 if there is none; it must
 * hold LARCH_COAP_DATAGRAM_MAX bytes. Never fails: what is wrong with the datagram is
 * event->drop. */
void larch_coap_endpoint_receive(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer, bool multicast,
                                 larch_bytes datagram, larch_writer *reply, larch_coap_event *event);
/* Whether that would give a REQUEST event now, with this message; nothing is changed. false leaves *message zeroed. */
bool larch_coap_endpoint_peek(const larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                              larch_bytes datagram, larch_coap_message *message);

/* ---- answering --------------------------------------------------------- */

/* Begins the answer to a REQUEST event in out (cap bytes): piggybacked on the
 * acknowledgement of a confirmable request, non-confirmable else, same token. The caller
 * adds options and payload to b, then ends it. LARCH_STATE: event is no REQUEST. The
 * event's views must still hold. */
LARCH_MUST_USE larch_error larch_coap_endpoint_answer(larch_coap_endpoint *ep, uint64_t now_ms,
                                                      const larch_coap_event *request, uint8_t code, uint8_t *out,
                                                      size_t cap, larch_coap_builder *b);
/* Ends it. remember: keep the bytes for duplicates; required unless the request may be carried
 * out twice without harm (GET and the like, [RFC7252 4.5]). LARCH_SPACE: the answer is longer
 * than cap, or than LARCH_COAP_ANSWER_MAX and to be remembered: nothing is remembered then.
 * LARCH_STATE: b was used wrongly. To a multicast request an error is never answered, and the
 * answer to a non-confirmable one is kept and sent after a random part of the leisure [RFC7252
 * 8.2]: *datagram is then empty; LARCH_AGAIN if there is no room to keep it, LARCH_PLATFORM if
 * random fails (remembered all the same). The answer to a confirmable multicast request is
 * returned at once: its sender repeats until it hears one. */
LARCH_MUST_USE larch_error larch_coap_endpoint_answer_end(larch_coap_endpoint *ep, uint64_t now_ms,
                                                          const larch_coap_event *request, const larch_coap_builder *b,
                                                          bool remember, larch_bytes *datagram);

/* The whole of a request without its datagram, for an answer that takes time. */
typedef struct larch_coap_pending {
    larch_peer peer;
    bool confirmable;
    uint8_t token_len;
    uint8_t token[LARCH_COAP_TOKEN_MAX];
} larch_coap_pending;

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

/* Begins a request; type is CON or NON. LARCH_AGAIN: all transmissions are taken, NSTART is
 * reached for this peer, or message IDs would repeat within EXCHANGE_LIFETIME. LARCH_PLATFORM:
 * random failed. LARCH_STATE: another type, or code is no request. The caller adds options and
 * payload to b and ends it; it is sent by the next polls. The handle lives until RESPONSE
 * (without ANY_PEER), RESET, TIMEOUT or cancel. */
LARCH_MUST_USE larch_error larch_coap_endpoint_request(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                                       larch_coap_type type, uint8_t code, unsigned flags,
                                                       larch_coap_builder *b, uint32_t *handle);
/* Ends it; on error (LARCH_SPACE, LARCH_STATE) the transmission is freed. */
LARCH_MUST_USE larch_error larch_coap_endpoint_request_end(larch_coap_endpoint *ep, const larch_coap_builder *b,
                                                           uint32_t handle);
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
