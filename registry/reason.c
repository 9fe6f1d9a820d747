/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/reason.h"

#include <stdio.h>

#define FAULT_ERROR(name, error, advice)  [LARCH_REGISTRY_##name] = (error),
#define FAULT_ADVICE(name, error, advice) [LARCH_REGISTRY_##name] = (advice),
static const larch_error errors[] = {LARCH_REGISTRY_FAULTS(FAULT_ERROR)};
static const char *const advices[] = {LARCH_REGISTRY_FAULTS(FAULT_ADVICE)};

larch_error larch_registry_fail(larch_registry_reason *why, const char *path, larch_registry_fault fault,
                                const char *text)
{
    why->fault = fault;
    snprintf(why->text, sizeof why->text, "%s %s. %s", path, text, advices[fault]);
    return errors[fault];
}

larch_error larch_registry_check_start(larch_registry_reason *why, const char *path, uint64_t found, uint32_t start,
                                       uint32_t complete)
{
    if (found == 0 || start == 0)
        return LARCH_OK;
    if (found < complete)
        return larch_registry_fail(why, path, LARCH_REGISTRY_LAGS,
                                   "is older than the last start: it was put back from a backup");
    if (found >= start)
        return larch_registry_fail(why, path, LARCH_REGISTRY_LAGS,
                                   "is newer than the rest of the folder: that was put back from a backup");
    return LARCH_OK;
}
