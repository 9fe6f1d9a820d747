/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that are added: by the gateway that runs over the state folder, or in its folder while none does. */
#ifndef LARCH_APP_DEVICE_ENROL_H
#define LARCH_APP_DEVICE_ENROL_H

#include "common/enrol.h"
#include "device/connection.h"
#include "larch/enrolment.h"

/* What devices get that are added together. */
typedef struct device_enrolling {
    larch_bytes authority; /* empty: none */
    unsigned method;       /* LARCH_LAKE_METHOD_PSK or LARCH_LAKE_METHOD_SIGNATURES */
    const larch_lake_suite *suite;
    unsigned reference; /* LARCH_LAKE_BY_KID or LARCH_LAKE_BY_CCS */
} device_enrolling;

/* What became of one. Secret. */
typedef struct device_enrolled {
    size_t len; /* of its enrolment; 0: it was not added, and why says why not */
    uint8_t bytes[LARCH_ENROLMENT_MAX];
    char why[LARCH_CONTROL_WHY_MAX];
} device_enrolled;

/* Bytes that a newcomer takes in a request, and in all of them. */
size_t device_newcomer_len(const larch_app_newcomer *newcomer);
#define DEVICE_NEWCOMERS_MAX (LARCH_CONTROL_LINE_MAX - 512)

/* Adds devices, at most larch_app_enrol_max and DEVICE_NEWCOMERS_MAX bytes, as one change, and waits until it is durable. results: as many. Else than
 * LARCH_EXIT_DONE none was added, and it has said why; or the gateway did not reply, and it has said so. A device with a key from elsewhere
 * comes alone. */
larch_exit device_enrol(device_connection *gateway, const device_enrolling *enrolling,
                        const larch_app_newcomer *newcomers, size_t count, device_enrolled *results);

/* Files of enrolments: one that is there is never written over, for it may be the only enrolment of another device. */
larch_exit device_create_file(const char *path, int *fd);
/* Writes it; false: errno. sync: and waits until the file and its name are durable. */
bool device_write_file(const char *path, int fd, larch_bytes bytes, bool sync);

#endif
