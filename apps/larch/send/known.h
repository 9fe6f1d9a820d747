/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The known-gateways file: which identity a sender trusts for which names, with what it needs of each parameter set; or,
 * of a gateway without an identity, which key. A text file whose first lines say how it is made up; a user may read it
 * and delete lines. What does not parse is refused and never written over: trust is not guessed. The file of an older
 * larch has another name and format; it is read as long as there is no new one, and never changed.
 */
#ifndef LARCH_APP_KNOWN_H
#define LARCH_APP_KNOWN_H

#include <limits.h>

#include "larch/direct.h"

#define LARCH_KNOWN_NAME_MAX 261 /* a host name of 253, ':' and port, in brackets for IPv6 */
#define LARCH_KNOWN_WHY_MAX  512

/* Where it is kept. */
typedef struct larch_known_place {
    char path[PATH_MAX];
    char old[PATH_MAX]; /* of an older larch; "": none */
} larch_known_place;

/* What is on record about a gateway, for one name and one parameter set. */
typedef struct larch_known {
    char name[LARCH_KNOWN_NAME_MAX + 1]; /* "gw.example:5683", "[::1]:5683" */
    const larch_kem *kem;
    larch_fingerprint pin;                /* kind 0: nothing is; KEY: of ek; IDENTITY */
    const larch_kem *other;               /* kind 0: a key is on record under the name, but of this set; NULL: none */
    uint8_t began[LARCH_FINGERPRINT_LEN]; /* KEY: the pin that trust began with */
    bool has_keys;                        /* IDENTITY: what follows is on record; KEY: ek always is */
    uint64_t endorsed_s;                  /* IDENTITY: when its root endorsed ek; seconds since 1970 */
    uint8_t root_ek[LARCH_KEM_EK_MAX];
    uint8_t ek[LARCH_KEM_EK_MAX];
} larch_known;

/* Where the file is: given, or if that is NULL the default, in the user's state folder, which is made. A file of the
 * older format that was given stays as it is; the new one is kept beside it, with ".v2" at the end of its name.
 * LARCH_PLATFORM: there is no home, or the folder cannot be made, or a name is too long; why (LARCH_KNOWN_WHY_MAX
 * bytes) says what. */
LARCH_MUST_USE larch_error larch_known_find_place(const char *given, larch_known_place *place, char *why);

/* The record of a name, and of what else names the same port of this machine ("localhost", "127.0.0.1", "[::1]").
 * LARCH_STATE: there is none. LARCH_MALFORMED: the file is damaged, too long, of a newer larch, or open to others;
 * LARCH_PLATFORM: it cannot be read; why says where. out->pin.kind is 0 on error. */
LARCH_MUST_USE larch_error larch_known_find(const larch_known_place *place, const char *name, const larch_kem *kem,
                                            larch_known *out, char *why);
/* The record of an identity, under whatever names. *near: the name may be added without asking: it is of this machine,
 * or the record has the same host with another port. Errors as larch_known_find. */
LARCH_MUST_USE larch_error larch_known_find_identity(const larch_known_place *place,
                                                     const uint8_t identity[LARCH_FINGERPRINT_LEN], const char *name,
                                                     const larch_kem *kem, larch_known *out, bool *near, char *why);

/* Writes a record, durably, in place of the one that the caller saw under its name; seen->pin.kind 0: there was none. An
 * identity takes its name from the keys that are on record under it, and keeps a newer endorsement that another process
 * wrote. LARCH_STATE: the name stands for another identity or key by now; nothing is written. Other errors as
 * larch_known_find. */
LARCH_MUST_USE larch_error larch_known_put(const larch_known_place *place, const larch_known *record,
                                           const larch_known *seen, char *why);

#endif
