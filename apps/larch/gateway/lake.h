/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's handshakes (LAKE, method 4): the service, with the devices of the table of sessions behind it. */
#ifndef LARCH_APP_GATEWAY_LAKE_H
#define LARCH_APP_GATEWAY_LAKE_H

#include "gateway/sessions.h"
#include "larch/lake_service.h"
#include "registry/enrolled.h"

#define GATEWAY_LAKE_PLACES     256  /* handshakes that are half open */
#define GATEWAY_LAKE_ANSWER_MAX 1008 /* message_2 with ML-KEM-512 takes 777 bytes, and one block takes 1024 */
LARCH_LAKE_PLACE(gateway_lake_place, GATEWAY_LAKE_ANSWER_MAX);

#define GATEWAY_LAKE_SHAKEN 256 /* handshakes that become durable together */

/* One that is reported when it is durable. */
typedef struct gateway_lake_shaken {
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    gateway_report_shaken report;
} gateway_lake_shaken;

typedef struct gateway_lake {
    gateway_sessions *sessions; /* private, all of it */
    uint8_t identity[LARCH_FINGERPRINT_LEN];
    larch_lake_party party;
    larch_lake_service_config config;
    larch_lake_service service;
    larch_enrolled_key found; /* the key of the handshake under way */
    uint8_t credential[LARCH_ENROLMENT_CREDENTIAL_MAX];
    uint8_t scratch[LARCH_LAKE_SCRATCH_PSK];
    gateway_lake_place *places; /* GATEWAY_LAKE_PLACES, as the halves */
    larch_lake_half *halves;
    size_t shaken_count;
    gateway_lake_shaken shaken[GATEWAY_LAKE_SHAKEN];
} gateway_lake;

/* Makes the service, for the gateway's config. sessions: open, and kept. Close it in any event. */
larch_exit gateway_lake_open(gateway_lake *lake, gateway_sessions *sessions, const larch_random *random);
/* After the gateway has ended: gives its memory back. */
void gateway_lake_close(gateway_lake *lake);
/* The gateway's identity is known: before anything is received. */
void gateway_lake_set_identity(gateway_lake *lake, const uint8_t identity[LARCH_FINGERPRINT_LEN]);

/* Adds a device with a new key, and writes its enrolment, which is secret. authority: of the gateway; empty: none.
 * false: why says why not. */
bool gateway_lake_enrol(gateway_lake *lake, const char *name, larch_bytes authority, larch_writer *enrolment,
                        const char **why);

#endif
