/* SPDX-License-Identifier: Apache-2.0 */
/* What a power cut left half-done in a folder. */
#ifndef LARCH_APP_UNFINISHED_H
#define LARCH_APP_UNFINISHED_H

#include "common/app.h"
#include "larch/port.h"
#include "storage.h"

/* Finishes a restore (common/unpacked.h). Then finishes a change of the store key (secrets/rekey.h), or undoes it, whichever is possible without a key, and says on
 * stderr which. A folder that is only looked at stays as it is. */
larch_exit larch_app_finish_unfinished(const char *command, larch_posix_storage *files, const larch_storage *medium);

#endif
