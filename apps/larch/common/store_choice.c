/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store_choice.h"

#include <stddef.h>

const char *const larch_store_source_choices[] = {"as-is", "file", "credential", "passphrase", "pkcs11", NULL};
