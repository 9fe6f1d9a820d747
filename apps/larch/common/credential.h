/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of a fleet, as files that are not secret:
 *
 *     card       CCS of the gateway                { 2: "larch2:...", 8: { 1: key } }
 *     request    CWT that a device signs itself    payload { 2: name, 8: { 1: key with kid } }
 *     CWT        the same, signed by the authority, with 1: iss, 4: exp, 5: nbf
 */
#ifndef LARCH_APP_CREDENTIAL_H
#define LARCH_APP_CREDENTIAL_H

#include "common/authority.h"
#include "larch/enrolment.h"

#define LARCH_APP_CWT_SUFFIX     ".cwt"     /* of a credential, beside its enrolment */
#define LARCH_APP_REQUEST_SUFFIX ".request" /* of what the authority is to sign */

/* The claims of a credential whose key is an ML-DSA key with a kid of 8 bytes, and whose sub is a device's name. Signed by
 * authority; NULL: by the key that it holds itself. Views of cwt. LARCH_AUTH, LARCH_MALFORMED, LARCH_STATE. */
LARCH_MUST_USE larch_error larch_app_credential_verify(larch_bytes cwt, const larch_cose_key *authority,
                                                       larch_lake_claims *claims);
/* Reads a card. It has said why it fails. */
larch_exit larch_app_card_read(const char *command, const char *path, uint8_t *bytes, size_t cap,
                               uint8_t identity[LARCH_FINGERPRINT_LEN], larch_cose_key *key);

#endif
