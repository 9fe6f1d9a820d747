/* SPDX-License-Identifier: Apache-2.0 */
/* The OSCORE service of a gateway under attack, with one session, whose device stays silent. */
#ifndef LARCH_TESTS_ATTACKS_ONE_SESSION_H
#define LARCH_TESTS_ATTACKS_ONE_SESSION_H

#include "larch/oscore_service.h"

enum { ONE_SESSION_KEPT = 8 };

typedef struct one_session {
    larch_oscore_service oscore;
    larch_oscore_config config;
    larch_contexts contexts;
    larch_readings readings;
    larch_epochs epochs;
    larch_session session; /* its kid is "d" */
    larch_oscore_kept kept[ONE_SESSION_KEPT];
    uint8_t kept_bytes[1024];
} one_session;

void one_session_begin(one_session *o, uint64_t now_ms, const larch_random *random,
                       const larch_oscore_handshakes *handshakes);

#endif
