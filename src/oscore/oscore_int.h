/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARCH_OSCORE_INT_H
#define LARCH_OSCORE_INT_H

#include "larch/oscore.h"

/* States of a context's window. */
enum {
    OSCORE_SYNCHRONISED,
    OSCORE_UNSYNCHRONISED, /* nothing was challenged yet */
    OSCORE_CHALLENGED      /* challenged and challenge_number are set */
};

/* A Partial IV: the number without leading zero bytes, but for 0 itself. Returns its length. [RFC8613 5] */
size_t larch_oscore_partial_iv(uint64_t number, uint8_t out[LARCH_OSCORE_PARTIAL_IV_MAX]);

/* The nonce of a Partial IV made by the endpoint of this ID. [RFC8613 5.2] */
void larch_oscore_nonce(const larch_oscore_context *context, larch_bytes id, larch_bytes partial_iv,
                        uint8_t nonce[LARCH_COSE_AEAD_NONCE_MAX]);

/* The additional data of a request and of its responses. [RFC8613 5.4] */
#define OSCORE_AAD_MAX 48
larch_bytes larch_oscore_aad(const larch_oscore_context *context, const larch_oscore_binding *binding,
                             uint8_t out[OSCORE_AAD_MAX]);

/* Whether an option travels outside only. [RFC8613 figure 5] [RFC8768 6] [RFC9668 3.1] */
bool larch_oscore_is_outer(uint16_t option);

static inline larch_bytes larch_oscore_kid_of(const larch_oscore_binding *binding)
{
    return (larch_bytes){binding->kid, binding->kid_len};
}

static inline larch_bytes larch_oscore_partial_iv_of(const larch_oscore_binding *binding)
{
    return (larch_bytes){binding->partial_iv, binding->partial_iv_len};
}

/* Fills a binding with an ID and a Partial IV, whose lengths were checked. */
void larch_oscore_bind(larch_oscore_binding *binding, larch_bytes kid, larch_bytes partial_iv);

#endif
