/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From UDP datagrams to CoAP exchanges: which answer belongs to which request,
 * which message is a retransmission, and the bodies that dissectors read. Facts only;
 * sniff/judge judges them. Memory is fixed: in a full table the oldest
 * entry makes room. Everything in a datagram is untrusted.
 */
#ifndef LARCH_SNIFF_FLOW_H
#define LARCH_SNIFF_FLOW_H

#include "sniff/dissect/handshake.h"
#include "sniff/dissect/keys.h"
#include "sniff/dissect/packet.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_BODY_MAX  8192 /* as PROTOCOL.md 10 has it for handshakes */
#define LARCH_SNIFF_PORTS     16   /* given by the user */
#define LARCH_SNIFF_LEARNT    256  /* servers found on other ports */
#define LARCH_SNIFF_MESSAGES  8192 /* message IDs remembered */
#define LARCH_SNIFF_EXCHANGES 4096 /* requests remembered */
#define LARCH_SNIFF_BODIES    32   /* block-wise bodies at one time */

/* A message ID is not used again for so long [RFC7252 4.8.2 EXCHANGE_LIFETIME]; the same bytes
 * within it are one message. */
#define LARCH_SNIFF_LIFETIME_S 247

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

/* About 3 MiB: put it on the heap. */
typedef struct larch_sniff_flow {
    uint16_t ports[LARCH_SNIFF_PORTS]; /* private, all of it */
    size_t port_count;
    larch_peer learnt[LARCH_SNIFF_LEARNT];
    size_t learnt_count;
    larch_sniff_seen_message messages[LARCH_SNIFF_MESSAGES];
    larch_sniff_exchange exchanges[LARCH_SNIFF_EXCHANGES];
    larch_sniff_body bodies[LARCH_SNIFF_BODIES];
    larch_sniff_keys *keys;
    larch_sniff_handshakes handshakes; /* public: its totals */
} larch_sniff_flow;

/* Starts with no memory and port 5683. LARCH_PLATFORM: no SHA-256. */
LARCH_MUST_USE larch_error larch_sniff_flow_init(larch_sniff_flow *flow);
/* One more port on which CoAP is expected; LARCH_SPACE past LARCH_SNIFF_PORTS. */
LARCH_MUST_USE larch_error larch_sniff_flow_add_port(larch_sniff_flow *flow, uint16_t port);

/* Opens with these keys from now on what they fit; they stay the caller's. */
void larch_sniff_flow_use_keys(larch_sniff_flow *flow, larch_sniff_keys *keys);

/* Understands a datagram and remembers it. number and time_ns: of its frame. Views in *out hold until the next call. */
void larch_sniff_flow_take(larch_sniff_flow *flow, uint64_t number, uint64_t time_ns,
                           const larch_sniff_datagram *datagram, larch_sniff_packet *out);

#ifdef __cplusplus
}
#endif

#endif
