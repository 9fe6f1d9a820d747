/* SPDX-License-Identifier: Apache-2.0 */
/* The public key of a fleet's authority, in a file: one COSE_Key. */
#ifndef LARCH_APP_AUTHORITY_H
#define LARCH_APP_AUTHORITY_H

#include "common/app.h"
#include "larch/cose.h"

/* Reads a file that is not secret into bytes, as far as cap. LARCH_EXIT_FAILED, REFUSED: it has said why. */
larch_exit larch_app_file_read(const char *command, const char *path, uint8_t *bytes, size_t cap, size_t *len);
/* Writes a new file, durably; one that is there is never written over. mode: 0600 if it is secret. It has said why it fails. */
larch_exit larch_app_file_write(const char *command, const char *path, larch_bytes bytes, unsigned mode);
/* Reads the key; *key has views of bytes. It has said why it fails. */
larch_exit larch_app_authority_read(const char *command, const char *path, uint8_t *bytes, size_t cap,
                                    larch_cose_key *key);

#endif
