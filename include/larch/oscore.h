/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OSCORE [RFC8613] as a transform of messages: bytes in, bytes out. A context holds derived keys and the numbers
 * received. The caller stores its own numbers, and finds the context that a message belongs to.
 *
 *     request:   take_number, protect_request ------> parse option, find context by kid, unprotect_request
 *     response:  unprotect_response <---------------- protect_response
 *
 * A binding is what a request leaves behind, so that its responses can be protected and verified.
 */
#ifndef LARCH_OSCORE_H
#define LARCH_OSCORE_H

#include "larch/coap_message.h"
#include "larch/cose.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_OSCORE_ID_MAX         7  /* bytes of a Sender or Recipient ID; the nonce allows fewer with GCM */
#define LARCH_OSCORE_ID_CONTEXT_MAX 16 /* a limit of ours; the RFC has none */
#define LARCH_OSCORE_PARTIAL_IV_MAX 5
#define LARCH_OSCORE_NUMBER_MAX     ((UINT64_C(1) << 40) - 1) /* [RFC8613 7.2.1] */
#define LARCH_OSCORE_WINDOW         64
#define LARCH_OSCORE_ECHO_LEN       13 /* the number of the challenged request (5), random (8) */

/* ---- context ----------------------------------------------------------- */

/* What a context is derived from. */
typedef struct larch_oscore_parameters {
    const larch_cose_aead *aead;
    int64_t hash; /* of HKDF: LARCH_COSE_SHA_256 or LARCH_COSE_SHA_384 */
    larch_bytes master_secret;
    larch_bytes master_salt; /* may be empty */
    larch_bytes sender_id, recipient_id;
    larch_bytes id_context; /* data is NULL: there is none, which is not the same as an empty one */
} larch_oscore_parameters;

/* One end of a security context. Secret. */
typedef struct larch_oscore_context {
    const larch_cose_aead *aead; /* private, all of it */
    uint64_t own_number;         /* the next to use */
    uint64_t own_end;            /* numbers below it may be used */
    uint64_t highest;            /* received and authentic */
    uint64_t window;             /* bit i: highest - i was received */
    uint64_t challenged;         /* the highest number that was answered with a challenge */
    uint64_t challenge_number;   /* our own number of that challenge */
    uint64_t synchronised_at;    /* the number that set the window: below it everything counts as received */
    uint64_t echoed;             /* bit i: the Echo of the challenge to challenged - i was counted */
    uint8_t state;
    uint8_t sender_id_len, recipient_id_len, id_context_len;
    bool
        peer_has_epochs; /* the peer's numbers jump (larch_epochs), so that they do not count its messages: whoever keeps
                             the context counts those that were received */
    uint8_t echo[8];     /* the random part of the inner Echo */
    uint8_t sender_id[LARCH_OSCORE_ID_MAX], recipient_id[LARCH_OSCORE_ID_MAX];
    uint8_t id_context[LARCH_OSCORE_ID_CONTEXT_MAX];
    uint8_t common_iv[LARCH_COSE_AEAD_NONCE_MAX];
    uint8_t sender_key[LARCH_COSE_AEAD_KEY_MAX], recipient_key[LARCH_COSE_AEAD_KEY_MAX];
} larch_oscore_context;

/* Derives the keys [RFC8613 3.2]. The window begins empty and synchronised; no own number may be used before
 * larch_oscore_grant. LARCH_STATE: an ID is longer than the nonce allows, both IDs are the same, the ID context is too
 * long, or the hash is another. LARCH_PLATFORM: the provider failed. *context is wiped on error. */
LARCH_MUST_USE larch_error larch_oscore_context_init(larch_oscore_context *context,
                                                     const larch_oscore_parameters *parameters);
void larch_oscore_context_wipe(larch_oscore_context *context);

#if LARCH_KEYLOG
/* Writes a line for a key log: the secret as text, in the form of Wireshark's file oscore_contexts, whose first ID is that
 * of who sends the requests, here the sender. With an algorithm other than AES-CCM-16-64-128 only larch sniff --keylog
 * reads it. LARCH_STATE: the form has no words for another hash than SHA-256, nor for an ID context that is empty;
 * nothing is written. Wipe what it was written to. */
LARCH_MUST_USE larch_error larch_oscore_keylog_put(larch_writer *w, const larch_oscore_parameters *parameters);
#endif

/* ---- own numbers ------------------------------------------------------- */

/* Allows the use of the numbers from first up to, but not including, end, and of no earlier one. Before the call the
 * caller makes durable that none of them will be granted again. An end past the largest number is cut. */
void larch_oscore_grant(larch_oscore_context *context, uint64_t first, uint64_t end);
/* Uses up a number. LARCH_SPENT: none is granted; *number is unchanged. */
LARCH_MUST_USE larch_error larch_oscore_take_number(larch_oscore_context *context, uint64_t *number);

/* ---- received numbers -------------------------------------------------- */

/* Makes the window unknown: after a start, and when a context is loaded again. From then on requests are challenged
 * until one returns the challenge's inner Echo. LARCH_PLATFORM: random failed; nothing changed, and nothing may be
 * unprotected under the context. */
LARCH_MUST_USE larch_error larch_oscore_forget_window(larch_oscore_context *context, const larch_random *random);

/* Checks before decryption whether a number may still be new; changes nothing. LARCH_REPLAY: it was received before, or
 * is older than the window. */
LARCH_MUST_USE larch_error larch_oscore_check_number(const larch_oscore_context *context, uint64_t number);

typedef enum larch_oscore_verdict {
    LARCH_OSCORE_FRESH,           /* carry the request out; its number counts as received from now on */
    LARCH_OSCORE_REPLAYED,        /* do not: it was received before */
    LARCH_OSCORE_CHALLENGE,       /* do not: answer 4.01 with larch_oscore_put_echo under *own */
    LARCH_OSCORE_CHALLENGE_AGAIN, /* do not: answer the very same bytes, under the same own number */
    LARCH_OSCORE_SILENCE          /* do not, and send nothing */
} larch_oscore_verdict;

/* Judges the number of a request that was authenticated. echo: its inner Echo, empty if it has none. own: in CHALLENGE
 * the number to protect the answer with, taken by this call, in CHALLENGE_AGAIN that of the first time. LARCH_SPENT: a
 * challenge is needed, and no own number is granted; nothing changed. */
LARCH_MUST_USE larch_error larch_oscore_accept_number(larch_oscore_context *context, uint64_t number, larch_bytes echo,
                                                      larch_oscore_verdict *verdict, uint64_t *own);
/* The inner Echo for the request that was challenged last. */
void larch_oscore_put_echo(const larch_oscore_context *context, uint8_t echo[LARCH_OSCORE_ECHO_LEN]);
/* One more than the highest number that was authenticated since the window was last unknown, whether it was carried out
 * or challenged; 0: there was none. */
uint64_t larch_oscore_received(const larch_oscore_context *context);
/* Counts the inner Echo of a request that was judged FRESH. true: it names a challenge of this window, for the first
 * time, and *number is that of the challenged request, which this one takes the place of. false: it does not, or the
 * window is 64 numbers past the request that set it; *number is unchanged. */
bool larch_oscore_count_echo(larch_oscore_context *context, larch_bytes echo, uint64_t *number);

/* ---- the OSCORE option ------------------------------------------------- */

/* A parameter that is absent has data NULL. The views point into the option. */
typedef struct larch_oscore_option {
    larch_bytes partial_iv;
    larch_bytes kid_context;
    larch_bytes kid;
} larch_oscore_option;

/* Reads an untrusted option value [RFC8613 6.1]. LARCH_MALFORMED: it breaks the format; LARCH_STATE: it belongs to
 * Group OSCORE or to a later extension, which larch does not have. *out is zeroed on error. */
LARCH_MUST_USE larch_error larch_oscore_option_parse(larch_bytes value, larch_oscore_option *out);
void larch_oscore_option_put(larch_writer *w, const larch_oscore_option *option);
#define LARCH_OSCORE_OPTION_MAX \
    (1 + LARCH_OSCORE_PARTIAL_IV_MAX + 1 + LARCH_OSCORE_ID_CONTEXT_MAX + LARCH_OSCORE_ID_MAX)

/* ---- messages ---------------------------------------------------------- */

/* What binds a response to its request: the ID of the sender of the request, and the request's number. */
typedef struct larch_oscore_binding {
    uint8_t kid_len;
    uint8_t partial_iv_len;
    uint8_t kid[LARCH_OSCORE_ID_MAX];
    uint8_t partial_iv[LARCH_OSCORE_PARTIAL_IV_MAX];
} larch_oscore_binding;

/* Memory for a plaintext while a message is transformed; it is wiped if the transform fails. */
typedef struct larch_oscore_scratch {
    uint8_t *bytes;
    size_t cap;
} larch_oscore_scratch;

/* Protects a request under an own number that was taken for it. message: parsed from bytes that share no memory with
 * out or scratch. *datagram: the protected message, in out. LARCH_SPACE: out or scratch is too small. LARCH_STATE: the
 * message holds an OSCORE or a Proxy-Uri option. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_oscore_protect_request(const larch_oscore_context *context, uint64_t number,
                                                        const larch_coap_message *message, larch_oscore_scratch scratch,
                                                        uint8_t *out, size_t cap, larch_oscore_binding *binding,
                                                        larch_bytes *datagram);
/* Protects a response. number: an own number that was taken for it; NULL: the request's nonce, which may be used once
 * only. Errors as protect_request. */
LARCH_MUST_USE larch_error larch_oscore_protect_response(const larch_oscore_context *context,
                                                         const larch_oscore_binding *binding, const uint64_t *number,
                                                         const larch_coap_message *message,
                                                         larch_oscore_scratch scratch, uint8_t *out, size_t cap,
                                                         larch_bytes *datagram);

/* Verifies and decrypts an untrusted request, whose option was parsed and whose kid is the context's Recipient ID.
 * *inner: the message that was protected, with the outer type, message ID and token; its views point into scratch and
 * into the outer message. *number: of the request; the caller has it judged by larch_oscore_accept_number.
 * LARCH_MALFORMED: no Partial IV, or the plaintext is no message. LARCH_REPLAY: as larch_oscore_check_number.
 * LARCH_AUTH: it is not authentic. LARCH_SPACE, LARCH_PLATFORM. Outputs are zeroed on error. */
LARCH_MUST_USE larch_error larch_oscore_unprotect_request(const larch_oscore_context *context,
                                                          const larch_oscore_option *option,
                                                          const larch_coap_message *outer, larch_oscore_scratch scratch,
                                                          larch_oscore_binding *binding, uint64_t *number,
                                                          larch_coap_message *inner);
/* Verifies and decrypts an untrusted response to a request of ours. *number: the responder's own, *has_number: whether
 * the response carries one. The caller accepts a response without one only once, and notifications in the order of
 * their numbers [RFC8613 7.4.1]. LARCH_STATE: as larch_oscore_option_parse, or there is no OSCORE option. Other errors
 * as larch_oscore_unprotect_request, without LARCH_REPLAY. */
LARCH_MUST_USE larch_error larch_oscore_unprotect_response(const larch_oscore_context *context,
                                                           const larch_oscore_binding *binding,
                                                           const larch_coap_message *outer,
                                                           larch_oscore_scratch scratch, bool *has_number,
                                                           uint64_t *number, larch_coap_message *inner);

/* ---- for tests alone ---------------------------------------------------- */

#ifdef LARCH_NONCE_LOG
/* Builds with LARCH_NONCE_LOG call this before each encryption of a message, and whoever links the library supplies it:
 * so a test sees whether a nonce ever protects two messages under one key. The arguments are secrets. */
void larch_oscore_nonce_log(larch_bytes key, larch_bytes nonce, larch_bytes aad, larch_bytes plaintext);
#endif

#ifdef __cplusplus
}
#endif

#endif
