/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rate limiting by reachability. What a peer spends is charged to its address, to its prefix (/24 of IPv4, /64 of IPv6)
 * and to a total, also when the peer has proven that it can be reached. Peers on the link of the receiving interface
 * have totals of their own and no prefix bucket, because their whole link is one prefix. docs/reach.md gives the
 * reasons.
 *
 * A peer is proven if it returned an Echo [RFC9175], noted if it sent an authenticated message in quiet times, and else
 * a stranger. Beyond a budget a stranger or a noted peer gets a challenge (4.01 with an Echo, made without state), and
 * a proven peer gets 5.03 with Max-Age.
 */
#ifndef LARCH_REACH_H
#define LARCH_REACH_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_ECHO_LEN 12 /* seconds (4), MAC over seconds and address (8) */

/* What a peer may spend. */
typedef enum larch_reach_cost {
    LARCH_REACH_GRANT,  /* work: a key answer, a message to be opened, a block, an endorsement */
    LARCH_REACH_MARK,   /* a place in a key's replay set */
    LARCH_REACH_ROOT,   /* a decapsulation under a root key */
    LARCH_REACH_EXCESS, /* a byte by which an answer exceeds three times its request; proven peers are not charged */
} larch_reach_cost;

/*
 * Limits: rates a second and bursts; marks an hour. There are two of each total: for peers on the link and for all
 * others. A bucket is full again within some 71 minutes (2^32 us), so a burst counts only as far as its rate refills it
 * in that time.
 *
 * A rate of 0 turns a budget off. For strangers, in grants and bytes, a burst of 0 allows nothing, whatever the rate.
 */
typedef struct larch_reach_limits {
    uint32_t prefix_rate; /* grants for strangers of one prefix; its noted peers may owe twice the burst */
    uint32_t prefix_burst;
    uint32_t total_rate; /* grants for all strangers; noted peers may owe twice the burst */
    uint32_t total_burst;
    uint32_t proven_rate; /* grants for one proven address; a prefix has twice that, all together four times */
    uint32_t proven_burst;
    uint32_t proven_ms; /* how long an address stays proven after its last proof */
    uint32_t echo_ms;   /* how long an Echo value is accepted */
    uint32_t noted_ms;  /* how long an address stays noted after it was last served */
    uint32_t marks; /* an hour, all but strangers; a prefix has half. Strangers on top: a 16th, of a prefix a 64th */
    uint32_t mark_burst;
    uint32_t root_rate; /* root decapsulations in all, and as many at once; a prefix: one, and 4 at once. 0: no limit */
    uint32_t excess_prefix_rate; /* bytes beyond three times the request, to strangers; noted: twice the burst */
    uint32_t excess_prefix_burst;
    uint32_t excess_total_rate;
    uint32_t excess_total_burst;
} larch_reach_limits;

/* Grants: 20 a second and 40 at once for strangers of a prefix, 400 and 800 in all; 2000 and 4000 for a proven address.
 * Proven for an hour, noted for a day, an Echo for 5 minutes. Marks: 107,520 an hour and at once, what the replay set
 * of 2^17 slots takes. Root keys: 10 a second. Bytes: 1 KB a second and 4 KB at once for a prefix, 8 and 16 in all. */
larch_reach_limits larch_reach_default_limits(void);

#define LARCH_REACH_DEBTS 7

/* A proven address, a noted one, or a prefix. The caller provides an array. */
typedef struct larch_reach_entry {
    uint64_t key;                        /* private, all of it; 0: free */
    uint64_t at_ms;                      /* the time at which the debts were computed */
    uint32_t until_s : 31;               /* proven or noted until; 0 for a prefix */
    uint32_t is_on_link : 1;             /* of a noted address */
    uint32_t debt_us[LARCH_REACH_DEBTS]; /* of each bucket: the time until it is full again */
} larch_reach_entry;

/* One bucket's measures. */
typedef struct larch_reach_gauge {
    uint32_t cost_us; /* of one; 0: the budget is off */
    uint32_t room_us; /* the most that may be owed */
} larch_reach_gauge;

#define LARCH_REACH_GAUGES 18

typedef struct larch_reach {
    larch_reach_entry
        *entries; /* private, all of it: half proven addresses, a quarter prefixes, a quarter noted ones */
    size_t entry_count;
    uint32_t proven_ms, noted_ms, echo_ms;
    larch_reach_gauge gauges[LARCH_REACH_GAUGES];
    larch_reach_entry totals[2]; /* elsewhere, on the link */
    uint64_t table_key[2];
    uint8_t echo_key[16];
} larch_reach;

typedef enum larch_reach_standing { LARCH_REACH_STRANGER, LARCH_REACH_NOTED, LARCH_REACH_PROVEN } larch_reach_standing;

/* Who sent a request, worked out once. Private. */
typedef struct larch_reach_source {
    uint64_t address; /* keyed hashes; 0: not worked out */
    uint64_t prefix;
    uint8_t standing;
    bool has_echo; /* this very request carries a genuine Echo, which binds the port */
    bool is_on_link;
} larch_reach_source;

typedef enum larch_reach_verdict {
    LARCH_REACH_GRANTED,
    LARCH_REACH_CHALLENGE, /* answer 4.01 with larch_reach_echo */
    LARCH_REACH_LATER      /* answer 5.03 with Max-Age */
} larch_reach_verdict;

/* entries: count (a power of two, at least 16) of the caller's, kept. LARCH_PLATFORM if random fails; LARCH_STATE for a
 * bad count. */
LARCH_MUST_USE larch_error larch_reach_init(larch_reach *reach, larch_reach_entry *entries, size_t count,
                                            const larch_reach_limits *limits, const larch_random *random);
/* Other limits from now on. What peers have used of the old ones stays used. */
void larch_reach_set_limits(larch_reach *reach, const larch_reach_limits *limits);

/* Works out who sent a request. echo: the untrusted value of its Echo option, empty if it had none; a genuine one
 * proves the peer. */
larch_reach_source larch_reach_identify(larch_reach *reach, uint64_t now_ms, const larch_peer *peer, larch_bytes echo);

/* Whether source may spend amount now; changes nothing. *wait_s, with LARCH_REACH_LATER: seconds until it may ask
 * again. */
larch_reach_verdict larch_reach_ask(const larch_reach *reach, uint64_t now_ms, const larch_reach_source *source,
                                    larch_reach_cost cost, uint32_t amount, uint32_t *wait_s);
/* Charges amount to source, its prefix and the total. */
void larch_reach_spend(larch_reach *reach, uint64_t now_ms, const larch_reach_source *source, larch_reach_cost cost,
                       uint32_t amount);
/* Asks for one, and spends it if it is granted. */
larch_reach_verdict larch_reach_take(larch_reach *reach, uint64_t now_ms, const larch_reach_source *source,
                                     larch_reach_cost cost, uint32_t *wait_s);

#if LARCH_SERVER_GROUP > 1
/* Whether peer, without an Echo, would get this many grants in a row and as many marks now; changes nothing. takes
 * includes what other peers take before it, because buckets are shared. */
bool larch_reach_would_grant(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, uint32_t takes);
#endif

/* To be called when a message of source was authenticated. In quiet times its address is noted, if its prefix and the
 * table have a free place: at most four of a prefix elsewhere, and a note that still lasts keeps its place. */
void larch_reach_note_good(larch_reach *reach, uint64_t now_ms, const larch_reach_source *source);

/* The seconds since a genuine Echo was made, of a request whose source has_echo. */
uint32_t larch_reach_echo_age_s(uint64_t now_ms, larch_bytes echo);

/* The Echo for this peer now. */
void larch_reach_echo(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, uint8_t out[LARCH_ECHO_LEN]);

#ifdef __cplusplus
}
#endif

#endif
