/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway's key by one call, for commands that measure or list gateways. Nothing is trusted by it. */
#ifndef LARCH_APP_FETCH_H
#define LARCH_APP_FETCH_H

#include "larch/sender.h"

/* Waits up to timeout_ms. ek: kem->ek_len bytes out; hash: its SHA-256. Returns
 * LARCH_SENDER_FAIL_NONE, or why there is no key. */
larch_sender_failure larch_app_fetch(const larch_peer *peer, const larch_kem *kem, uint64_t timeout_ms, uint8_t *ek,
                                     uint8_t hash[32]);

#endif
