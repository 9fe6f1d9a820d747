/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The known-gateways file: which key a sender trusts for which gateway, and
 * which pin that trust began with. A text file, one line a gateway and
 * parameter set; a user may read it and delete lines. What does not parse is
 * refused and never written over: trust is not guessed.
 */
#ifndef LARCH_APP_KNOWN_H
#define LARCH_APP_KNOWN_H

#include "larch/direct.h"

#define LARCH_KNOWN_AUTHORITY_MAX 261 /* a host name of 253, ':' and port, in brackets for IPv6 */
#define LARCH_KNOWN_WHY_MAX       512

typedef struct larch_known {
    char authority[LARCH_KNOWN_AUTHORITY_MAX + 1]; /* "gw.example:5683", "[::1]:5683" */
    const larch_kem *kem;
    uint8_t began[LARCH_FINGERPRINT_LEN];   /* the pin that trust began with */
    uint8_t present[LARCH_FINGERPRINT_LEN]; /* of ek */
    uint8_t ek[LARCH_KEM_EK_MAX];
} larch_known;

/* The default file, in the user's state folder; the folder is made. LARCH_PLATFORM: there is
 * no home, or the folder cannot be made; why (LARCH_KNOWN_WHY_MAX bytes) says what. */
LARCH_MUST_USE larch_error larch_known_default_path(char *path, size_t cap, char *why);

/* The record of one gateway and set. LARCH_STATE: there is none. LARCH_MALFORMED: the
 * file is damaged or open to others, LARCH_PLATFORM: it cannot be read; why says where. */
LARCH_MUST_USE larch_error larch_known_find(const char *path, const char *authority, const larch_kem *kem,
                                            larch_known *out, char *why);

/* Writes a record, durably, in place of the one that the caller saw; seen NULL: there was
 * none. LARCH_STATE: another process changed it meanwhile, nothing is written. Other errors as
 * larch_known_find. */
LARCH_MUST_USE larch_error larch_known_put(const char *path, const larch_known *record, const larch_known *seen,
                                           char *why);

#endif
