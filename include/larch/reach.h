/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may cost us something: nothing expensive, and no large answer, for an
 * address that has not shown that it can be reached. Token buckets bound what
 * unproven addresses get, per prefix and in all; beyond them the answer is 4.01
 * with an Echo [RFC9175 2.4], made without state, and who returns it is proven.
 */
#ifndef LARCH_REACH_H
#define LARCH_REACH_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_ECHO_LEN 12 /* seconds (4), MAC over seconds and address (8) */

/* Limits; rates in grants a second, bursts in grants. */
typedef struct larch_reach_limits {
    uint32_t prefix_rate; /* unproven addresses of one /24 or /64 */
    uint32_t prefix_burst;
    uint32_t total_rate; /* all unproven addresses together */
    uint32_t total_burst;
    uint32_t proven_rate; /* one proven address; 0: no limit */
    uint32_t proven_burst;
    uint32_t proven_ms; /* how long an address stays proven after its last proof */
    uint32_t echo_ms;   /* how long an Echo value is accepted */
} larch_reach_limits;

/* 20 grants a second and 40 at once for a prefix, 400 and 800 in all; 2000 a second and
 * 4000 at once for a proven address; proven for an hour; an Echo for 5 minutes. */
larch_reach_limits larch_reach_default_limits(void);

/* One prefix's bucket or one proven address. The caller provides an array. */
typedef struct larch_reach_entry {
    uint64_t key;      /* private, all of it; 0: free */
    uint64_t at_ms;    /* when tokens was true */
    uint64_t until_ms; /* proven until; 0 for a bucket */
    uint64_t millitokens;
    bool echoed; /* proven by an Echo, not only noted as good */
} larch_reach_entry;

typedef struct larch_reach {
    larch_reach_entry *entries; /* private, all of it */
    size_t entry_count;
    larch_reach_limits limits;
    larch_reach_entry total;
    uint8_t key[16];
} larch_reach;

typedef enum larch_reach_verdict {
    LARCH_REACH_GRANTED,
    LARCH_REACH_CHALLENGE, /* answer 4.01 with larch_reach_echo */
    LARCH_REACH_LIMITED    /* proven, but above its rate: drop */
} larch_reach_verdict;

/* entries: count (a power of two, at least 16) of the caller's, kept; half of them hold
 * buckets, half proven addresses, so that a flood of the former cannot push out the latter. LARCH_PLATFORM if
 * random fails; LARCH_STATE for a bad count. */
LARCH_MUST_USE larch_error larch_reach_init(larch_reach *reach, larch_reach_entry *entries, size_t count,
                                            const larch_reach_limits *limits, const larch_random *random);

/* Takes one grant for peer, if there is one. echo: the untrusted value of the
 * request's Echo option, empty if it had none; a genuine one proves the peer. */
larch_reach_verdict larch_reach_take(larch_reach *reach, uint64_t now_ms, const larch_peer *peer, larch_bytes echo);

/* Whether so many takes in a row would all be granted to peer now, without an Echo; nothing is changed. Takes of
 * other peers in between, as many, count among them: buckets are shared. */
bool larch_reach_would_grant(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, uint32_t takes);

/* Tells that peer did something only worth noting while nobody floods: it sent a
 * message that was authenticated. In quiet times that keeps it served in the next flood. */
void larch_reach_note_good(larch_reach *reach, uint64_t now_ms, const larch_peer *peer);

/* The Echo for this peer now. */
void larch_reach_echo(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, uint8_t out[LARCH_ECHO_LEN]);

#ifdef __cplusplus
}
#endif

#endif
