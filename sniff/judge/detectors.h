/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the detectors remember, and where they draw the line. Each detector is a file of its own beside this one and a row
 * in the table of judge_int.h; it reads a packet's claims and CoAP, and knows no protocol.
 */
#ifndef LARCH_SNIFF_DETECTORS_H
#define LARCH_SNIFF_DETECTORS_H

#include "sniff/dissect/packet.h"
#include "sniff/dissect/table.h"
#include "sniff/judge/rate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Thresholds: more than so many in a sliding window. */
#define LARCH_SNIFF_FLOOD_GATEWAY 200 /* requests to one gateway in a second */
#define LARCH_SNIFF_FLOOD_PREFIX  100 /* requests from one /24 or /64 in a second */
#define LARCH_SNIFF_AUTH_FAILURES 10  /* refused authentications of one gateway in ten seconds */
#define LARCH_SNIFF_RESETS        20  /* Resets from one host in ten seconds */
#define LARCH_SNIFF_SHAKES_TO     100 /* handshakes with one responder in ten seconds that were not completed */
#define LARCH_SNIFF_SHAKES_FROM   20  /* the same from one /24 or /64 */

/* A sender's number is this far below the highest that its receiver took: no window reaches back so far. [RFC8613 7.4] */
#define LARCH_SNIFF_NUMBER_WINDOW 64

#define LARCH_SNIFF_ONCE_MESSAGES 32768 /* remembered, to find replays */
#define LARCH_SNIFF_COUNTERS      4096
#define LARCH_SNIFF_RENEWALS      1024
#define LARCH_SNIFF_NUMBERS       16384 /* remembered, of all counters */
#define LARCH_SNIFF_GATEWAY_KEYS  1024
#define LARCH_SNIFF_RESPONDERS    256
#define LARCH_SNIFF_INITIATORS    4096

/* Of replay.c: one datagram, seen on its way at several places, as where a router with NAT rewrites its addresses. A
 * router lowers the hop limit, so what has the lower one has come further. */
#define LARCH_SNIFF_SIGHTINGS  3                     /* of one datagram: behind two routers */
#define LARCH_SNIFF_FORWARD_NS LARCH_SNIFF_SECOND_NS /* it takes no longer from one place to another */

typedef struct larch_sniff_sighting { /* private, all of it */
    uint64_t number;                  /* of the packet; 0: an empty entry */
    uint64_t time_ns;
    uint64_t answered_ns; /* 0: no answer was seen yet */
    uint8_t hop_limit;
} larch_sniff_sighting;

/* Of replay.c: the messages that claimed to be accepted once only. */
typedef struct larch_sniff_replays {
    struct larch_sniff_once_seen { /* private, all of it */
        uint8_t identity[LARCH_SNIFF_DIGEST_LEN];
        uint8_t digest[LARCH_SNIFF_DIGEST_LEN];
        larch_peer client;
        uint64_t number; /* 0: an empty entry */
        uint64_t time_ns;
        bool challenged; /* the gateway asked for an Echo: the same message may come once more */
        uint8_t datagram[LARCH_SNIFF_DIGEST_LEN]; /* the last one that was in order, and */
        larch_sniff_sighting sightings[LARCH_SNIFF_SIGHTINGS];
        uint8_t answer[LARCH_SNIFF_DIGEST_LEN]; /* the first one to any of those */
    } seen[LARCH_SNIFF_ONCE_MESSAGES];
} larch_sniff_replays;

/* Of numbers.c: who counts, and what stood under each number of late. */
typedef struct larch_sniff_numbers {
    struct larch_sniff_counter { /* private, all of it */
        uint8_t name[LARCH_SNIFF_DIGEST_LEN];
        uint64_t number;  /* of the newest packet; 0: an empty entry */
        uint64_t highest; /* that the receiver took for authentic, and one; 0: none */
        uint64_t highest_at;
        uint64_t renewal; /* the packet that renewed its keys; 0: none that is remembered */
    } counters[LARCH_SNIFF_COUNTERS];
    struct larch_sniff_number_seen { /* private, all of it */
        uint8_t counter[LARCH_SNIFF_DIGEST_LEN];
        uint64_t renewal;
        uint64_t count;
        uint8_t digest[LARCH_SNIFF_DIGEST_LEN];
        larch_peer source;
        uint64_t number; /* of the packet; 0: an empty entry */
    } seen[LARCH_SNIFF_NUMBERS];
    struct larch_sniff_renewal {
        uint8_t hosts[2][16]; /* private, all of it; in the order of their addresses */
        uint64_t number;      /* of the newest packet; 0: an empty entry */
    } renewals[LARCH_SNIFF_RENEWALS];
} larch_sniff_numbers;

/* Of key_changed.c: the public keys that gateways showed. */
typedef struct larch_sniff_gateway_keys {
    struct larch_sniff_gateway_key { /* private, all of it */
        larch_peer gateway;
        uint64_t number; /* 0: an empty entry */
        uint16_t set;
        bool changed; /* and not endorsed yet */
        uint8_t hash[LARCH_SHA256_LEN];
        uint8_t endorsed[LARCH_SHA256_LEN]; /* last named by an old key; zero: none */
    } keys[LARCH_SNIFF_GATEWAY_KEYS];
} larch_sniff_gateway_keys;

/* Of downgrade.c: what responders named and took, and who made post-quantum keys with them. */
typedef struct larch_sniff_agreements {
    struct larch_sniff_responder { /* private, all of it */
        larch_peer peer;
        uint64_t number;       /* of the newest packet; 0: an empty entry */
        uint64_t announced_at; /* the packet with its newest SUITES_R; 0: none */
        larch_sniff_suites announced;
        uint64_t took_at; /* the packet with its newest message_2; 0: none */
        larch_sniff_suites took;
    } responders[LARCH_SNIFF_RESPONDERS];
    struct larch_sniff_initiator {
        larch_peer host; /* private, all of it; its port is 0 */
        larch_peer responder;
        uint64_t number; /* the packet that completed its newest post-quantum handshake; 0: an empty entry */
    } initiators[LARCH_SNIFF_INITIATORS];
} larch_sniff_agreements;

#ifdef __cplusplus
}
#endif

#endif
