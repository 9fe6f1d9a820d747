/* SPDX-License-Identifier: Apache-2.0 */
/* Adding a device to a table of sessions, as the gateway does it while it runs and `larch device` while it does not. */
#ifndef LARCH_APP_ENROL_H
#define LARCH_APP_ENROL_H

#include "common/signer.h"
#include "larch/lake.h"
#include "registry/enrolled.h"

typedef struct larch_app_enrolling {
    larch_sessions *sessions;
    const larch_random *random;
    const uint8_t *identity; /* LARCH_FINGERPRINT_LEN bytes, of the gateway */
    larch_bytes gateway_key; /* its public key of the suite's algorithm; empty: in method 4 */
    const char *name;
    larch_bytes authority; /* empty: none */
    unsigned method;
    const larch_lake_suite *suite;
    unsigned reference; /* method 0: LARCH_LAKE_BY_KID or LARCH_LAKE_BY_CCS */
} larch_app_enrolling;

/* Makes the device's key, adds it, and writes its enrolment, which is secret. Of a device that signs, only the public key
 * stays. false: *why says why not. */
bool larch_app_enrol(const larch_app_enrolling *enrolling, larch_writer *enrolment, const char **why);

#endif
