/* SPDX-License-Identifier: Apache-2.0 */
#include "common/value.h"

#include <stdlib.h>
#include <string.h>

#include "larch/direct.h"
#include "storage.h"

bool larch_app_seconds(const char *text, double *out)
{
    char *end;
    if (strspn(text, "0123456789.") != strlen(text)) /* strtod takes signs, hexadecimal and "inf" */
        return false;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || value > 86400.0 * 365)
        return false;
    *out = value;
    return true;
}

bool larch_app_kem(const char *text, const larch_kem **out)
{
    const larch_kem *kem = larch_direct_kem_named((larch_bytes){(const uint8_t *)text, strlen(text)});
    if (kem == NULL)
        return false;
    *out = kem;
    return true;
}

larch_exit larch_app_bad_address(const char *command, const char *text, const larch_posix_reason *why)
{
    return why->unresolved ? larch_app_fail(command, "%s", why->text)
                           : larch_app_usage(command, "%s: %s", text, why->text);
}

larch_exit larch_app_default_state(const char *command, char *state, size_t cap)
{
    if (state[0] != '\0' || larch_posix_state_path(state, cap) == LARCH_OK)
        return LARCH_EXIT_DONE;
    return larch_app_fail(command, "no folder for the state: set HOME, or give one with --state DIR");
}
