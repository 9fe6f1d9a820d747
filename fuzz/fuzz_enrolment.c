/* SPDX-License-Identifier: Apache-2.0 */
/* Untrusted bytes as an enrolment: what is refused leaves nothing behind and names its fault; what is taken is written again
 * as it was, and gives credentials that differ. */
#include <string.h>

#include "all_are.h"
#include "fuzz.h"
#include "larch/enrolment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[LARCH_ENROLMENT_MAX];
    uint8_t buffer[LARCH_ENROLMENT_CREDENTIAL_MAX];
    larch_enrolment e;
    larch_enrolment_fault fault;
    larch_lake_credential credential;
    const larch_error error = larch_enrolment_parse((larch_bytes){data, size}, &e, &fault);
    require((error == LARCH_OK) == (fault == LARCH_ENROLMENT_FAULT_NONE));
    if (error != LARCH_OK) {
        require(error == LARCH_MALFORMED && all_are((const uint8_t *)&e, sizeof e, 0));
        return 0;
    }
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_enrolment_put(&w, &e);
    require(w.len == size && memcmp(again, data, size) == 0);
    const larch_lake_suite *suite = larch_lake_suite_find(e.suite);
    require(suite != NULL && suite->hash == e.hash && larch_enrolment_is_pair(e.method, suite));
    if (e.method != LARCH_LAKE_METHOD_PSK) {
        require(e.key.len > 0 && larch_enrolment_credential(&e, NULL, buffer, &credential) == LARCH_STATE);
        return 0;
    }
    require(larch_enrolment_credential(&e, NULL, buffer, &credential) == LARCH_OK);
    require(!larch_bytes_equal(credential.cred_i, credential.cred_r) && credential.key.k.len == sizeof e.psk);
    return 0;
}
