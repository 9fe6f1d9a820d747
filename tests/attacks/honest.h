/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten honest senders on the simulated network, one message a second each. A message is through when its sender has its
 * receipt within its retransmissions. Known senders keep running, and were served before the attack. New ones are run
 * anew for each message, as larch send is, from an address that the gateway first sees under attack. A prototype knows
 * no Echo, and was served before the attack.
 */
#ifndef LARCH_TESTS_ATTACKS_HONEST_H
#define LARCH_TESTS_ATTACKS_HONEST_H

#include "larch/sender.h"
#include "world.h"

enum { HONEST_COUNT = 10, HONEST_MESSAGES = 512 };

typedef enum honest_kind { HONEST_KNOWN, HONEST_NEW, HONEST_PROTOTYPE, HONEST_KINDS } honest_kind;

/* What a prototype does: at most one question at a time, sent again as [RFC7252 4.2] says. */
typedef struct prototype {
    bool waits, asks_key, has_key;
    uint16_t message_id;
    unsigned sent;
    uint64_t due_ms, timeout_ms;
    size_t len;
    uint8_t datagram[LARCH_COAP_DATAGRAM_MAX];
    uint8_t ek[LARCH_KEM_EK_MAX];
} prototype;

typedef struct honest_group honest_group;

typedef struct honest {
    honest_group *group;
    honest_kind kind;
    unsigned number;
    larch_peer address;
    larch_sender sender;
    prototype proto;
    bool running; /* the sender is initialised */
    bool busy;    /* with message begun - 1 */
    bool posted;  /* it awaits its receipt */
    unsigned offered, begun, through;
    unsigned offered_before, through_before; /* when counting began */
    unsigned refusals;                       /* of the gateway's identity, key or receipt */
    uint64_t next_ms;                        /* when the next message is offered */
    bool stored[HONEST_MESSAGES];            /* by the number of the message, a ring */
} honest;

struct honest_group {
    world *w;
    const larch_kem *kem;
    larch_sim_random random_state;
    larch_random random;
    larch_trust_basis trust;     /* the gateway's identity, pinned */
    uint64_t every_ms, until_ms; /* messages are offered until then */
    honest senders[HONEST_COUNT];
    unsigned twice, lost; /* stored twice; called through and not stored */
    unsigned strange;     /* messages of strangers stored, since counting began */
    uint64_t counted_ms;
};

/* Ten senders in w, all of one set. counts: how many of each kind; prototypes need 512. They offer nothing yet. */
honest_group *honest_begin(world *w, const larch_kem *kem, const unsigned counts[HONEST_KINDS]);
void honest_end(honest_group *g);

/* Those of these kinds (a set of bits) offer a message every so often for so long, spread over the time between. */
void honest_offer(honest_group *g, unsigned kinds, uint64_t every_ms, uint64_t for_ms);
#define HONEST_BIT(kind) (1u << (kind))
#define HONEST_OLD       (HONEST_BIT(HONEST_KNOWN) | HONEST_BIT(HONEST_PROTOTYPE))
#define HONEST_ALL       (HONEST_OLD | HONEST_BIT(HONEST_NEW))

/* Runs until all that was offered has ended. */
void honest_settle(honest_group *g);
/* Counts from now on. */
void honest_recount(honest_group *g);

/* Of a kind: how many messages were offered, and how many were through. */
void honest_count(const honest_group *g, honest_kind kind, unsigned *offered, unsigned *through);
unsigned honest_refusals(const honest_group *g);

#endif
