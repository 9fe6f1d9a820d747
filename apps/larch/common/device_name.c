/* SPDX-License-Identifier: Apache-2.0 */
#include "common/device_name.h"

#include <string.h>

bool larch_app_is_device_name(const char *text)
{
    const size_t len = strlen(text);
    return len > 0 && len <= LARCH_APP_DEVICE_NAME_MAX &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}
