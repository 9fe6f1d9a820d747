/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's handshakes (LAKE, methods 0 and 4): the service, with the devices of the table of sessions behind it. */
#ifndef LARCH_APP_GATEWAY_LAKE_H
#define LARCH_APP_GATEWAY_LAKE_H

#include "common/enrol.h"
#include "common/signer.h"
#include "gateway/sessions.h"
#include "larch/lake_service.h"
#include "registry/enrolled.h"

#define GATEWAY_LAKE_PLACES 256 /* handshakes that are half open */
#define GATEWAY_LAKE_SUITES 6

/* What the gateway proves itself by in method 0, for one algorithm. Secret. */
typedef struct gateway_lake_own {
    larch_app_signer signer; /* without sig: there is none */
    uint8_t kid[LARCH_LAKE_KID_LEN];
    uint8_t id_cred[2 + 2 + LARCH_LAKE_KID_LEN];
    uint8_t cred_r[LARCH_ENROLMENT_CCS_MAX];
    larch_lake_credential credential; /* views of those above */
} gateway_lake_own;

#define GATEWAY_LAKE_SHAKEN 256 /* handshakes that become durable together */

/* One that is reported when it is durable. */
typedef struct gateway_lake_shaken {
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    gateway_report_shaken report;
} gateway_lake_shaken;

typedef struct gateway_lake {
    gateway_sessions *sessions; /* private, all of it */
    larch_random random;
    uint8_t identity[LARCH_FINGERPRINT_LEN];
    gateway_lake_own own[2];
    const larch_lake_suite *suites[GATEWAY_LAKE_SUITES];
    uint8_t authority_pub[LARCH_SIG_PK_MAX + 64];
    larch_cose_key authority; /* of --ca; without pub: there is none */
    larch_lake_party party;
    larch_lake_service_config config;
    larch_lake_service service;
    /* the handshake under way, from find to store */
    larch_enrolled_key found;
    bool is_new, is_renewed; /* by its credential: the device is not on record, or with another one */
    int8_t reference_suite;
    uint64_t until_s; /* end of its credential; 0: it has none */
    uint64_t quiet_until_ms;
    unsigned long unsaid;
    uint8_t credential[LARCH_ENROLMENT_CREDENTIAL_MAX];
    uint8_t scratch[LARCH_LAKE_SCRATCH];
    larch_lake_place_87 *places; /* GATEWAY_LAKE_PLACES, as the halves */
    larch_lake_half *halves;
    size_t shaken_count;
    gateway_lake_shaken shaken[GATEWAY_LAKE_SHAKEN];
} gateway_lake;

/* Makes the service, for the gateway's config. sessions: open, and kept. Close it in any event. */
larch_exit gateway_lake_open(gateway_lake *lake, gateway_sessions *sessions, const gateway_options *options,
                             const larch_random *random);
/* After the gateway has ended: gives its memory back. */
void gateway_lake_close(gateway_lake *lake);
/* The gateway's identity is known, and stored: before anything is received. */
larch_exit gateway_lake_set_identity(gateway_lake *lake, const uint8_t identity[LARCH_FINGERPRINT_LEN],
                                     const larch_storage *storage);

/* ---- lake_find.c ---- */

/* What the gateway proves itself by with this suite; NULL: nothing. */
const gateway_lake_own *gateway_lake_own_of(const gateway_lake *lake, const larch_lake_suite *suite);
/* larch_lake_find of the party. */
larch_error gateway_lake_find(void *context, const larch_lake_reference *reference, unsigned attempt,
                              larch_lake_credential *out);
/* Looks at a CWT, which is untrusted: found is the device then. LARCH_AUTH: it was said why not. */
larch_error gateway_lake_take_cwt(gateway_lake *lake, larch_bytes cwt);
/* Of a credential that is on record, or was verified. */
larch_error gateway_lake_claims(larch_bytes cred, larch_lake_claims *claims);
/* One line for the log, at most each second. */
void gateway_lake_complain(gateway_lake *lake, const char *format, ...) LARCH_APP_FORMAT;

/* ---- devices ---- */

/* What new devices get. */
typedef struct gateway_lake_enrolling {
    larch_bytes authority; /* of the gateway; empty: none */
    unsigned method, reference;
    const larch_lake_suite *suite;
} gateway_lake_enrolling;

/* Adds devices with new keys: as larch_app_enrol. false: why says why not. */
bool gateway_lake_enrol(gateway_lake *lake, const gateway_lake_enrolling *enrolling,
                        const larch_app_newcomer *newcomers, size_t count, larch_app_take_enrolled *take, void *context,
                        const char **why);
/* Puts on record what the authority has signed for a device. false: why says why not. */
bool gateway_lake_accept(gateway_lake *lake, larch_bytes cwt, char name[LARCH_SESSIONS_NAME_MAX + 1], const char **why);

#endif
