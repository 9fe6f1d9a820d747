/* SPDX-License-Identifier: Apache-2.0 */
#include "common/credential.h"

#include <string.h>

#include "common/device_name.h"

static bool is_device(const larch_lake_claims *claims)
{
    char name[LARCH_ENROLMENT_NAME_MAX + 1] = "";
    if (claims->sub.len >= sizeof name || claims->key.kty != LARCH_COSE_AKP ||
        claims->key.kid.len != LARCH_LAKE_KID_LEN)
        return false;
    memcpy(name, claims->sub.data, claims->sub.len);
    return larch_app_is_device_name(name);
}

larch_error larch_app_credential_verify(larch_bytes cwt, const larch_cose_key *authority, larch_lake_claims *claims)
{
    larch_cose_message m;
    larch_lake_claims own;
    larch_error e = LARCH_OK;
    memset(claims, 0, sizeof *claims);
    if (authority == NULL) {
        if ((e = larch_cose_parse_sign1(cwt, &m)) != LARCH_OK ||
            (e = larch_lake_parse_ccs(m.content, &own)) != LARCH_OK)
            return e;
        authority = &own.key;
    }
    if (authority->kty != LARCH_COSE_AKP)
        return LARCH_STATE;
    e = larch_lake_verify_cwt(cwt, authority, claims);
    if (e != LARCH_OK || is_device(claims))
        return e;
    memset(claims, 0, sizeof *claims);
    return LARCH_MALFORMED;
}

larch_exit larch_app_card_read(const char *command, const char *path, uint8_t *bytes, size_t cap,
                               uint8_t identity[LARCH_FINGERPRINT_LEN], larch_cose_key *key)
{
    larch_lake_claims claims;
    larch_fingerprint fingerprint;
    size_t len;
    const larch_exit code = larch_app_file_read(command, path, bytes, cap, &len);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (larch_lake_parse_ccs((larch_bytes){bytes, len}, &claims) != LARCH_OK || claims.key.kty != LARCH_COSE_AKP ||
        larch_fingerprint_parse(claims.sub, &fingerprint) != LARCH_OK || fingerprint.kind != LARCH_FINGERPRINT_IDENTITY)
        return larch_app_refuse(command, "%s is no card of a gateway; 'larch device card' on the gateway writes one",
                                path);
    memcpy(identity, fingerprint.bytes, sizeof fingerprint.bytes);
    *key = claims.key;
    return LARCH_EXIT_DONE;
}
