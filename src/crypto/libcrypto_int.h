/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the libcrypto provider share. */
#ifndef LARCH_LIBCRYPTO_INT_H
#define LARCH_LIBCRYPTO_INT_H

#include "crypto/crypto_int.h"

/* Each makes the contexts of its file that are missing. false: libcrypto has no memory, or not the algorithm. */
bool larch_libcrypto_start_hash(void);
bool larch_libcrypto_start_aead(void);
bool larch_libcrypto_start_x25519(void);
bool larch_libcrypto_start_p256(void);

/* LARCH_OK if ok, else error; takes libcrypto's own records of the failure, which the program would find as its own. */
larch_error larch_libcrypto_outcome(bool ok, larch_error error);

#endif
