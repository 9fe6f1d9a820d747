/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LAKE handshakes of others, for whoever listens and has their secrets from a key log (PROTOCOL.md, "The key log"). It
 * holds no session, verifies nobody's credential, and changes nothing.
 *
 *     H(message_1), message_2 -> TH_2 -> the secrets after message_2 -> what stands in message_2 and message_3
 *                                TH_3 -> the secrets after message_3 -> what stands in message_4, and in EAD_3 of method 4
 */
#ifndef LARCH_LAKE_OBSERVER_H
#define LARCH_LAKE_OBSERVER_H

#include "larch/lake.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_LAKE_LOGGED_CREDS_MAX 256 /* bytes of CRED_I and CRED_R together, in method 4 */

/* What a line of a key log holds. Secret. */
typedef struct larch_lake_secrets {
    bool after_3;                          /* after message_3; else after message_2 */
    uint8_t hash_len;                      /* of the suite; of each of the four that follow */
    uint8_t th[LARCH_LAKE_HASH_MAX];       /* TH_2; after message_3 TH_3. It names the handshake. */
    uint8_t prk[LARCH_LAKE_HASH_MAX];      /* PRK_2e; after message_3 PRK_4e3m */
    uint8_t next_th[LARCH_LAKE_HASH_MAX];  /* TH_3; after message_3 TH_4 */
    uint8_t prk_3e2m[LARCH_LAKE_HASH_MAX]; /* zero after message_3 */
    uint16_t creds_len; /* after message_3 of method 4: CRED_I and CRED_R behind each other; else 0 */
    uint8_t creds[LARCH_LAKE_LOGGED_CREDS_MAX];
} larch_lake_secrets;

#if LARCH_KEYLOG
/* Writes a line for a key log, with its line feed: the secrets as text. Wipe what it was written to. */
void larch_lake_keylog_put(larch_writer *w, const larch_lake_secrets *secrets);
#endif

/* What stands inside a message, as views into the memory that it was opened in. All of it is untrusted. */
typedef struct larch_lake_inside {
    larch_bytes c_r;     /* message_2; data is NULL: the message has none */
    larch_bytes kid;     /* messages 2 and 3: a credential named by its kid; data is NULL: it is not */
    larch_bytes id_cred; /* and by anything else: ID_CRED_x, an encoded map; or empty */
    larch_bytes signature_or_mac;
    bool has_ead;    /* false: EAD_3 of method 4 stayed closed, since the secrets after message_3 are not known */
    larch_bytes ead; /* encoded items */
} larch_lake_inside;

/* H(message_1). */
LARCH_MUST_USE larch_error larch_lake_observe_message_1(const larch_lake_suite *suite, larch_bytes message_1,
                                                        uint8_t hash[LARCH_LAKE_HASH_MAX]);
/* TH_2, by which the secrets after message_2 are found. LARCH_MALFORMED: message_2 breaks its format. */
LARCH_MUST_USE larch_error larch_lake_observe_th_2(const larch_lake_suite *suite, const uint8_t *h_message_1,
                                                   larch_bytes message_2, uint8_t th_2[LARCH_LAKE_HASH_MAX]);

/* Each opens a message, which is untrusted, in memory of at least twice its length. LARCH_MALFORMED: it breaks its format, as it
 * also does under secrets that are not its own. LARCH_AUTH: it is not authentic; message_2, and message_3 of method 4 but
 * for EAD_3, prove nothing by themselves. LARCH_STATE: the secrets are of another hash. LARCH_SPACE, LARCH_PLATFORM. out is
 * zeroed on an error. */
LARCH_MUST_USE larch_error larch_lake_observe_message_2(const larch_lake_suite *suite, unsigned method,
                                                        const larch_lake_secrets *after_2, larch_bytes message,
                                                        uint8_t *memory, size_t size, larch_lake_inside *out);
/* after_3: for EAD_3 of method 4; NULL: not known. */
LARCH_MUST_USE larch_error larch_lake_observe_message_3(const larch_lake_suite *suite, unsigned method,
                                                        const larch_lake_secrets *after_2,
                                                        const larch_lake_secrets *after_3, larch_bytes message,
                                                        uint8_t *memory, size_t size, larch_lake_inside *out);
LARCH_MUST_USE larch_error larch_lake_observe_message_4(const larch_lake_suite *suite,
                                                        const larch_lake_secrets *after_3, larch_bytes message,
                                                        uint8_t *memory, size_t size, larch_lake_inside *out);

#ifdef __cplusplus
}
#endif

#endif
