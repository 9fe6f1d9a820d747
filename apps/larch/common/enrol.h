/* SPDX-License-Identifier: Apache-2.0 */
/* Adding devices to a table of sessions, as the gateway does it while it runs and `larch device` while it does not. */
#ifndef LARCH_APP_ENROL_H
#define LARCH_APP_ENROL_H

#include "common/signer.h"
#include "larch/lake.h"
#include "registry/enrolled.h"
#include "registry/policy.h"

typedef struct larch_app_enrolling {
    larch_sessions *sessions;
    const larch_random *random;
    const uint8_t *identity; /* LARCH_FINGERPRINT_LEN bytes, of the gateway */
    larch_bytes gateway_key; /* its public key of the suite's algorithm; empty: in method 4 */
    larch_bytes authority;   /* empty: none */
    unsigned method;
    const larch_lake_suite *suite;
    unsigned reference; /* method 0: LARCH_LAKE_BY_KID or LARCH_LAKE_BY_CCS */
} larch_app_enrolling;

typedef struct larch_app_newcomer {
    larch_bytes name;
    const larch_policy_entry *policy;
    size_t policy_count; /* 0: it may use all */
    /* Method 4: a key that comes from elsewhere, LARCH_LAKE_KID_LEN and LARCH_ENROLMENT_PSK_LEN bytes; NULL: it is made. It is not
     * added if a key on record has that kid. */
    const uint8_t *kid, *psk;
} larch_app_newcomer;

/* Devices at once, so that their enrolments fit a reply of the control socket. */
#define LARCH_APP_ENROL_MAX 32
size_t larch_app_enrol_max(unsigned method);

/* What became of one device. enrolment: secret, and empty if the device was not added; why says why not then. */
typedef void larch_app_take_enrolled(void *context, larch_bytes name, larch_bytes enrolment, const char *why);

/* Makes keys for these devices, at most larch_app_enrol_max, adds them as one change that waits once for the medium, and
 * hands each to take, the enrolments before the change is durable. One whose name cannot be had is skipped. Of devices that sign,
 * only the public key stays. false: nothing was added, *why says why, and what take got counts for nothing. */
bool larch_app_enrol(const larch_app_enrolling *enrolling, const larch_app_newcomer *newcomers, size_t count,
                     larch_app_take_enrolled *take, void *context, const char **why);

#endif
