/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From UDP datagrams to CoAP exchanges: which answer belongs to which request,
 * which message is a retransmission, and the bodies of the direct exchange. Facts
 * only; sniff/alert.h judges them. Memory is fixed: in a full table the oldest
 * entry makes room. Everything in a datagram is untrusted.
 */
#ifndef LARCH_SNIFF_FLOW_H
#define LARCH_SNIFF_FLOW_H

#include "larch/coap_message.h"
#include "larch/crypto.h"
#include "larch/direct.h"
#include "sniff/link.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_PATH_MAX   96 /* "/pqkem-pk?kem=768", percent-encoded; cut with "..." */
#define LARCH_SNIFF_DIGEST_LEN 16 /* of a SHA-256 */
#define LARCH_SNIFF_BODY_MAX   4096

#define LARCH_SNIFF_PORTS     16   /* given by the user */
#define LARCH_SNIFF_LEARNT    256  /* servers found on other ports */
#define LARCH_SNIFF_WAYS      8    /* entries that share a hash */
#define LARCH_SNIFF_MESSAGES  8192 /* message IDs remembered */
#define LARCH_SNIFF_EXCHANGES 4096 /* requests remembered */
#define LARCH_SNIFF_BODIES    32   /* block-wise bodies at one time */

/* A message ID is not used again for so long [RFC7252 4.8.2 EXCHANGE_LIFETIME]; the same bytes
 * within it are one message. */
#define LARCH_SNIFF_LIFETIME_S 247

/* What a path is to larch. */
typedef enum larch_sniff_resource {
    LARCH_SNIFF_RESOURCE_OTHER,
    LARCH_SNIFF_RESOURCE_KEY,  /* /pqkem-pk */
    LARCH_SNIFF_RESOURCE_DATA, /* /pqkem-data */
    LARCH_SNIFF_RESOURCE_NEXT, /* /pqkem-next */
    LARCH_SNIFF_RESOURCE_EDHOC /* /.well-known/edhoc */
} larch_sniff_resource;

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
    larch_sniff_resource resource;
    bool group;    /* sent to a broadcast or multicast address */
    bool has_echo; /* the request returned an Echo */
    bool sealed;   /* identity is that of the sealed message in the request */
    uint8_t identity[LARCH_SNIFF_DIGEST_LEN];
    uint8_t answer[LARCH_SNIFF_DIGEST_LEN];
    char path[LARCH_SNIFF_PATH_MAX];
} larch_sniff_exchange;

typedef enum larch_sniff_kind {
    LARCH_SNIFF_NOT_COAP, /* on no CoAP port */
    LARCH_SNIFF_BROKEN,   /* on a CoAP port, but breaks RFC 7252: see why */
    LARCH_SNIFF_CUT,      /* too little was captured to say */
    LARCH_SNIFF_EMPTY,    /* ACK, RST or ping */
    LARCH_SNIFF_REQUEST,
    LARCH_SNIFF_RESPONSE
} larch_sniff_kind;

typedef enum larch_sniff_direct {
    LARCH_SNIFF_DIRECT_NONE,
    LARCH_SNIFF_DIRECT_SEALED,     /* kem, sealed, identity */
    LARCH_SNIFF_DIRECT_KEY,        /* kem, hash */
    LARCH_SNIFF_DIRECT_ANSWER,     /* answer */
    LARCH_SNIFF_DIRECT_NEXT_ASK,   /* kem, hint in hash[0..4) */
    LARCH_SNIFF_DIRECT_NEXT_ANSWER /* hash */
} larch_sniff_direct;

/* One datagram, understood. Views hold until the next larch_sniff_flow_take. */
typedef struct larch_sniff_packet {
    uint64_t number; /* of the frame in the capture, from 1 */
    uint64_t time_ns;
    larch_sniff_datagram datagram;
    larch_sniff_kind kind;
    larch_coap_message coap; /* zeroed for NOT_COAP; the header alone for BROKEN and CUT, if it could be read */
    bool has_header;
    const char *why;                      /* BROKEN, or what is wrong with a well-formed message; else NULL */
    uint64_t duplicate_of;                /* the same message, seen before; 0: new */
    uint64_t refers_to;                   /* EMPTY: the message that is acknowledged or reset; 0: not seen */
    const larch_sniff_exchange *exchange; /* of the request, or of what is answered; NULL: not seen */
    bool other_answer;                    /* more answers that differ than requests were sent */
    larch_sniff_resource resource;
    char path[LARCH_SNIFF_PATH_MAX]; /* of the request; safe to print */
    bool has_block1, has_block2;
    larch_coap_block block1, block2;
    bool has_echo;
    larch_bytes body; /* whole: payload, or put together from blocks; empty if it is not whole */
    larch_sniff_direct direct;
    const larch_kem *kem;
    larch_direct_sealed sealed;
    larch_direct_answer answer;
    uint8_t hash[LARCH_SHA256_LEN];
    uint8_t identity[LARCH_SNIFF_DIGEST_LEN]; /* of a sealed message: nonce and KEM ciphertext */
    uint8_t digest[LARCH_SNIFF_DIGEST_LEN];   /* of a sealed message: all of it */
} larch_sniff_packet;

typedef struct larch_sniff_seen_message {
    larch_peer source; /* private, all of it */
    larch_peer destination;
    uint64_t number; /* 0: an empty entry */
    uint64_t time_ns;
    uint64_t exchange;
    uint16_t message_id;
    bool reply;
    uint8_t digest[LARCH_SNIFF_DIGEST_LEN];
} larch_sniff_seen_message;

typedef struct larch_sniff_body {
    larch_peer client; /* private, all of it */
    larch_peer server;
    uint64_t time_ns;
    uint32_t len;
    bool used;
    bool response;
    char path[LARCH_SNIFF_PATH_MAX];
    uint8_t bytes[LARCH_SNIFF_BODY_MAX];
} larch_sniff_body;

/* About 2.2 MiB: put it on the heap. */
typedef struct larch_sniff_flow {
    uint16_t ports[LARCH_SNIFF_PORTS]; /* private, all of it */
    size_t port_count;
    larch_peer learnt[LARCH_SNIFF_LEARNT];
    size_t learnt_count;
    larch_sniff_seen_message messages[LARCH_SNIFF_MESSAGES];
    larch_sniff_exchange exchanges[LARCH_SNIFF_EXCHANGES];
    larch_sniff_body bodies[LARCH_SNIFF_BODIES];
} larch_sniff_flow;

/* Starts with no memory and port 5683. LARCH_PLATFORM: no SHA-256. */
LARCH_MUST_USE larch_error larch_sniff_flow_init(larch_sniff_flow *flow);
/* One more port on which CoAP is expected; LARCH_SPACE past LARCH_SNIFF_PORTS. */
LARCH_MUST_USE larch_error larch_sniff_flow_add_port(larch_sniff_flow *flow, uint16_t port);

/* Understands a datagram and remembers it. number and time_ns: of its frame. */
void larch_sniff_flow_take(larch_sniff_flow *flow, uint64_t number, uint64_t time_ns,
                           const larch_sniff_datagram *datagram, larch_sniff_packet *out);

/* Why larch_coap_parse refuses these bytes, as a constant text; NULL if it does not. */
const char *larch_sniff_reason_coap(larch_bytes datagram);
/* What RFC 7252 forbids in a message that larch_coap_parse accepts; NULL: nothing. */
const char *larch_sniff_reason_message(const larch_coap_message *message);

#ifdef __cplusplus
}
#endif

#endif
