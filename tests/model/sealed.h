/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of the world, protected for real, in the program that logs nonces. Elsewhere a run has millions of them,
 * and none is protected.
 */
#ifndef TESTS_MODEL_SEALED_H
#define TESTS_MODEL_SEALED_H

#include "larch/contexts.h"

bool sealed_make_keys(void);
/* Keys that no schedule before had. */
void sealed_new_schedule(void);
/* The gateway's end of each session, without own numbers. */
const larch_oscore_context *sealed_gateway_end(unsigned which);

void sealed_request(uint64_t number, unsigned content, larch_bytes echo);
/* Under the request's nonce. */
void sealed_response(const larch_oscore_context *context, uint64_t request_number, unsigned content);
void sealed_challenge(const larch_oscore_context *context, uint64_t own, uint64_t request_number,
                      const uint8_t echo[LARCH_OSCORE_ECHO_LEN]);
void sealed_notification(const larch_oscore_context *context, unsigned which, uint64_t own, unsigned content);

#endif
