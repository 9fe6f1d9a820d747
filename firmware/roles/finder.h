/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the gateway of this network as prototypes do: the question for the key, POST /pqkem-pk, goes to the broadcast
 * address, and who answers with a key is a gateway. Nothing is trusted by that: the key is fetched and checked
 * afterwards. Sans-I/O.
 */
#ifndef LARCH_FINDER_H
#define LARCH_FINDER_H

#include "larch/direct.h"

#define LARCH_FINDER_ASK_MAX 32 /* bytes of a question */

typedef struct larch_finder {
    const larch_kem *kem; /* private, all of it */
    uint8_t wanted[LARCH_FINGERPRINT_LEN];
    bool pinned;
    uint16_t message_id;
    uint64_t ask_at_ms;
    uint64_t
        settle_at_ms; /* when another gateway than the wanted one is taken, for want of a better; UINT64_MAX: none answered */
    uint32_t interval_ms;
    larch_peer other;
} larch_finder;

/* wanted: the pinned fingerprint; NULL: any gateway will do. LARCH_PLATFORM: random failed. */
LARCH_MUST_USE larch_error larch_finder_start(larch_finder *f, uint64_t now_ms, const larch_kem *kem,
                                              const uint8_t *wanted, const larch_random *random);
/* The question, when it is time to broadcast it; again at growing intervals. LARCH_AGAIN: not now. */
LARCH_MUST_USE larch_error larch_finder_ask(larch_finder *f, uint64_t now_ms, uint8_t out[LARCH_FINDER_ASK_MAX],
                                            size_t *len);
/* Takes an untrusted datagram. */
void larch_finder_take(larch_finder *f, uint64_t now_ms, const larch_peer *peer, larch_bytes datagram);
/* LARCH_OK: this one. The one with the wanted key is taken at once; another, which may have rotated, only after all had
 * their time to answer. */
LARCH_MUST_USE larch_error larch_finder_found(const larch_finder *f, uint64_t now_ms, larch_peer *gateway);

#endif
