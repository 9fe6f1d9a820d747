/* SPDX-License-Identifier: Apache-2.0 */
/* Cipher suites of handshakes by names that people write; the numbers are private until they are assigned. */
#ifndef LARCH_APP_SUITE_NAME_H
#define LARCH_APP_SUITE_NAME_H

#include "larch/lake.h"

/* X(name, number) */
#define LARCH_APP_SUITES(X)  \
    X("ml-kem-512", -24)     \
    X("ml-kem-512-gcm", -23) \
    X("ml-kem-1024", -22)    \
    X("x-wing", -21)         \
    X("p-256", 2)            \
    X("p-256-mac16", 3)

#define LARCH_APP_SUITE_COUNT 6
#define LARCH_APP_SUITE_WANTS "ml-kem-512, ml-kem-512-gcm, ml-kem-1024, x-wing, p-256 or p-256-mac16"

/* By its name or its number; NULL: there is none, or this build has it not. */
const larch_lake_suite *larch_app_suite_find(const char *text);
/* "ml-kem-512"; "?" of a number that has no name. */
const char *larch_app_suite_name(int number);
/* Whether it withstands a quantum computer. */
static inline bool larch_app_suite_is_pq(const larch_lake_suite *suite) { return !suite->supports_dh; }

#endif
