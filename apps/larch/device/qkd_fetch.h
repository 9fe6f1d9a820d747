/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a key delivery service, over TLS with certificates on both sides. A build without libcurl makes none, and says so. */
#ifndef LARCH_APP_DEVICE_QKD_FETCH_H
#define LARCH_APP_DEVICE_QKD_FETCH_H

#include "device/ask.h"

#define DEVICE_QKD_ANSWER_MAX 16384

/* Secret. */
typedef struct device_qkd_reply {
    long status; /* of HTTP */
    size_t len;
    uint8_t body[DEVICE_QKD_ANSWER_MAX];
} device_qkd_reply;

/* NULL, or why this build asks no services and what to do. */
const char *device_qkd_missing(void);
/* Asks for URL/api/v1/keys/SAE/WHAT and waits so many seconds. LARCH_EXIT_DONE: there is an answer, whatever its status. Else it has
 * said what failed: LARCH_EXIT_REFUSED if the service did not prove that it is one that --cacert vouches for. */
larch_exit device_qkd_fetch(const device_qkd_service *service, double timeout, const char *what,
                            device_qkd_reply *reply);

#endif
