/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "crypto/libcrypto_int.h"

larch_error larch_libcrypto_outcome(bool ok, larch_error error)
{
    if (ok)
        return LARCH_OK;
    ERR_clear_error();
    return error;
}
