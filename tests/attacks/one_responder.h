/* SPDX-License-Identifier: Apache-2.0 */
/* The Responder of LAKE at a gateway under attack, whose devices stay silent. */
#ifndef LARCH_TESTS_ATTACKS_ONE_RESPONDER_H
#define LARCH_TESTS_ATTACKS_ONE_RESPONDER_H

#include "larch/lake_service.h"
#include "one_session.h"

enum { ONE_RESPONDER_PLACES = 64 };

typedef struct one_responder {
    larch_lake_service lake;
    larch_lake_service_config config;
    larch_lake_party party;
    const larch_lake_suite *suites[1];
    larch_lake_place_psk places[ONE_RESPONDER_PLACES];
    larch_lake_half halves[ONE_RESPONDER_PLACES];
    uint8_t scratch[LARCH_LAKE_SCRATCH_PSK];
    larch_server_body bodies[4]; /* for the server: answers of more than a block */
    uint8_t body_bytes[8192];
} one_responder;

/* Before the session's service begins, which has the handshakes from it. */
void one_responder_begin(one_responder *r, const one_session *o, const larch_random *random);

#endif
