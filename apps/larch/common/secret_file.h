/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hold keys: of a fixed context, of an enrolment. */
#ifndef LARCH_APP_SECRET_FILE_H
#define LARCH_APP_SECRET_FILE_H

#include <stdint.h>

#include "common/app.h"

/* Reads a file into bytes, which have max + 1 places; *len: more than max if it grew meanwhile. The bytes are secret.
 * LARCH_EXIT_DONE; else it has said why.
 * LARCH_EXIT_REFUSED: the file is not a regular one, belongs to another user, is open to others, or is too long; or it has a
 * second name or is a link, so that under another name its sequence numbers would begin anew. LARCH_EXIT_FAILED: it cannot
 * be read. */
larch_exit larch_app_secret_read(const char *command, const char *path, uint8_t *bytes, size_t max, size_t *len);

#endif
