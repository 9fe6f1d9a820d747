/* SPDX-License-Identifier: Apache-2.0 */
/* One datagram, understood: CoAP, what it belongs to, and what the protocol in its payload says. */
#ifndef LARCH_SNIFF_PACKET_H
#define LARCH_SNIFF_PACKET_H

#include "larch/coap_block.h"
#include "larch/coap_message.h"
#include "larch/crypto.h"
#include "sniff/dissect/direct.h"
#include "sniff/dissect/lake.h"
#include "sniff/dissect/oscore.h"
#include "sniff/link/link.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_PATH_MAX   96 /* "/pqkem-pk?kem=768", percent-encoded; cut with "..." */
#define LARCH_SNIFF_DIGEST_LEN 16 /* of a SHA-256 */

struct larch_sniff_dissector;
struct larch_sniff_keys;
struct larch_sniff_handshakes;

/* What a message says about a count that its sender keeps, such as the numbers that nonces are made of. */
typedef struct larch_sniff_count {
    const char *name; /* "OSCORE request": its sender uses each number once; NULL: the message counts nothing */
    uint8_t counter[LARCH_SNIFF_DIGEST_LEN]; /* which count */
    uint64_t number;
    bool rises;                             /* the sender counts up */
    uint8_t digest[LARCH_SNIFF_DIGEST_LEN]; /* of what stands under this number */
} larch_sniff_count;

/* One request and what is known of its answers. */
typedef struct larch_sniff_exchange {
    larch_peer client;
    larch_peer server; /* of a group request: the first that answered */
    uint64_t number;   /* of the request's packet; 0: an empty entry */
    uint64_t time_ns;
    uint64_t answer_number; /* of the first answer; 0: none yet */
    uint32_t copies;        /* of the request, retransmissions among them */
    uint32_t answers;       /* that differ from one another */
    uint16_t message_id;
    uint8_t method;
    uint8_t token_len;
    uint8_t token[LARCH_COAP_TOKEN_MAX];
    const struct larch_sniff_dissector *protocol; /* of the resource that is asked for; NULL: none that we know */
    uint8_t resource;                             /* which of the protocol's */
    bool group;                                   /* sent to a broadcast or multicast address */
    const char *once; /* of the request's claims, and identity too; NULL: it may be accepted more than once */
    uint8_t identity[LARCH_SNIFF_DIGEST_LEN];
    uint8_t answer[LARCH_SNIFF_DIGEST_LEN];
    larch_sniff_count count;        /* of the request's claims */
    larch_sniff_oscore_asked asked; /* how it was opened */
    larch_lake_id kid;              /* of its OSCORE option; longer than any: there is none */
    uint64_t handshake;             /* which its message_3 belongs to, as in larch_sniff_lake; 0: it carries none */
    larch_sniff_strength strength;  /* of the keys that protect it */
    char path[LARCH_SNIFF_PATH_MAX];
} larch_sniff_exchange;

/* What a message does in a handshake that makes keys. */
typedef enum larch_sniff_step {
    LARCH_SNIFF_STEP_NONE,
    LARCH_SNIFF_STEP_BEGINS,   /* the initiator offers suites and selects one */
    LARCH_SNIFF_STEP_GOES_ON,  /* it does so once more, since it was asked for proof of its address */
    LARCH_SNIFF_STEP_REFUSES,  /* the responder refuses the selected one and names its own: answered */
    LARCH_SNIFF_STEP_AGREES,   /* the responder works with the selected one */
    LARCH_SNIFF_STEP_COMPLETES /* it has shown that it has the keys */
} larch_sniff_step;

typedef struct larch_sniff_agreement {
    larch_sniff_step step; /* all that follows holds unless it is NONE; suites, unless offered is empty */
    larch_peer initiator, responder;
    larch_sniff_suites offered; /* the best first, the selected one last */
    int64_t selected;
    larch_sniff_strength strength; /* of the selected one */
    larch_sniff_suites answered;
    const char *unknown; /* "suite", "method": what is selected there has no meaning to anybody; NULL: it has one */
    int64_t unknown_number;
} larch_sniff_agreement;

typedef enum larch_sniff_kind {
    LARCH_SNIFF_NOT_COAP, /* on no CoAP port */
    LARCH_SNIFF_BROKEN,   /* on a CoAP port, but breaks RFC 7252: see why */
    LARCH_SNIFF_CUT,      /* too little was captured to say */
    LARCH_SNIFF_EMPTY,    /* ACK, RST or ping */
    LARCH_SNIFF_REQUEST,
    LARCH_SNIFF_RESPONSE
} larch_sniff_kind;

/* What a message claims that an observer without keys can hold it to. Dissectors fill it and detectors judge it, so that
 * neither side knows the other. Names are constant texts; NULL: the message makes no such claim. */
typedef struct larch_sniff_claims {
    const char *once;                         /* "sealed message": its receiver must accept it once only */
    uint8_t identity[LARCH_SNIFF_DIGEST_LEN]; /* of it: the part that no other message shares */
    uint8_t digest[LARCH_SNIFF_DIGEST_LEN];   /* of it: all bytes */

    const char *random; /* "sealed message": these bytes look random to everybody without keys */
    larch_bytes random_bytes;
    const char *random_key; /* "public key": the numbers in this ML-KEM encapsulation key look random */
    larch_bytes random_key_bytes;

    larch_sniff_count count;
    bool confirms; /* only who took the request for authentic answers so */
    bool renews;   /* the sender agrees on new keys with the receiver: their counts begin anew */

    larch_sniff_agreement agreement;
    bool sessionless; /* sealed to a public key, without a session */

    const char *refused; /* "AUTH_FAIL": the sender's word for an authentication that failed */

    const larch_kem *shows_key; /* the sender shows its public key of this parameter set; its hash in key_hash */
    bool names_key;             /* the sender's old key endorses the one whose hash is in key_hash */
    uint8_t key_hash[LARCH_SHA256_LEN];
} larch_sniff_claims;

/* Views hold until the next larch_sniff_flow_take. */
typedef struct larch_sniff_packet {
    uint64_t number; /* of the frame in the capture, from 1 */
    uint64_t time_ns;
    larch_sniff_datagram datagram;
    larch_sniff_kind kind;
    larch_coap_message coap; /* zeroed for NOT_COAP; header and token alone for BROKEN and CUT, if they could be read */
    bool has_header;
    bool has_token;                         /* all of it was captured */
    const char *why;                        /* BROKEN, or what is wrong with a well-formed message; else NULL */
    uint8_t digest[LARCH_SNIFF_DIGEST_LEN]; /* of the datagram's bytes, but for BROKEN, CUT and NOT_COAP */
    uint64_t duplicate_of;                  /* the same message, seen before; 0: new */
    uint64_t refers_to;                     /* EMPTY: the message that is acknowledged or reset; 0: not seen */
    const larch_sniff_exchange *exchange;   /* of the request, or of what is answered; NULL: not seen */
    bool other_answer;                      /* more answers that differ than requests were sent */
    char path[LARCH_SNIFF_PATH_MAX];        /* of the request; safe to print */
    bool has_block1, has_block2;
    larch_coap_block block1, block2;
    bool has_echo;
    const struct larch_sniff_dissector *protocol; /* of the resource, and which of the protocol's, as in exchange */
    uint8_t resource;
    larch_bytes body; /* whole: payload, or put together from blocks; empty if it is not whole */
    bool understood;  /* the protocol's dissector knows the body as one of its messages */
    larch_sniff_direct direct;
    larch_sniff_lake lake;
    larch_sniff_oscore oscore;
    char inner_path[LARCH_SNIFF_PATH_MAX]; /* of a request that oscore protects and that was opened; safe to print */
    struct larch_sniff_keys *keys;         /* of the key log, to open what is protected; NULL: there is none */
    struct larch_sniff_handshakes *handshakes; /* of the flow, for the dissectors */
    larch_sniff_claims claims;
} larch_sniff_packet;

#ifdef __cplusplus
}
#endif

#endif
