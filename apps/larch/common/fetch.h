/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway's key by one call, for commands that measure or list gateways. Nothing is trusted by it. */
#ifndef LARCH_APP_FETCH_H
#define LARCH_APP_FETCH_H

#include "common/failure.h"

typedef struct larch_app_key {
    const larch_kem *kem;
    uint8_t ek[LARCH_KEM_EK_MAX];            /* ek_len bytes of it */
    uint8_t hash[32];                        /* SHA-256 of the key */
    bool identified;                         /* identity is set */
    uint8_t identity[LARCH_FINGERPRINT_LEN]; /* whose root endorses the key */
    larch_sender_failure failure;            /* NONE, or why there is no key; PLATFORM: nothing of the gateway's */
    char why[LARCH_APP_FAILURE_MAX];
} larch_app_key;

/* Asks the gateway for its key of this set, and with identify for its identity, which an older one has not, and waits up
 * to timeout_ms. Returns whether *out holds it; else why there
 * says what failed and what to do next, and no more of *out is set than failure and kem. */
bool larch_app_fetch(const larch_peer *peer, const larch_kem *kem, bool identify, uint64_t timeout_ms,
                     larch_app_key *out);

#endif
