/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "app.h"

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
    unsigned long set;
    const larch_kem *kem = larch_app_number(text, 0, 65535, &set) ? larch_kem_find((unsigned)set) : NULL;
    if (kem == NULL)
        return false;
    *out = kem;
    return true;
}

int larch_app_bad_address(const char *command, const char *text, const larch_posix_reason *why)
{
    return why->unresolved ? larch_app_fail(command, "%s", why->text)
                           : larch_app_usage(command, "%s: %s", text, why->text);
}
