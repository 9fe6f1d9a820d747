/* SPDX-License-Identifier: Apache-2.0 */
#include "common/context_file.h"

#include "common/secret_file.h"

static larch_exit parse(const char *command, const char *path, larch_bytes bytes, larch_context_file *file)
{
    larch_context_fault fault;
    if (larch_context_file_parse(bytes, file, &fault) == LARCH_OK)
        return LARCH_EXIT_DONE;
    if (fault.line > 0)
        larch_app_fail(command, "%s:%u: %s", path, fault.line, fault.text);
    else
        larch_app_fail(command, "%s: %s", path, fault.text);
    return LARCH_EXIT_USAGE;
}

larch_exit larch_context_file_read(const char *command, const char *path, larch_context_file *file)
{
    uint8_t bytes[LARCH_CONTEXT_FILE_MAX + 1];
    size_t len;
    larch_context_file_wipe(file);
    larch_exit code = larch_app_secret_read(command, path, bytes, LARCH_CONTEXT_FILE_MAX, &len);
    if (code == LARCH_EXIT_DONE)
        code = parse(command, path, (larch_bytes){bytes, len}, file);
    larch_wipe(bytes, sizeof bytes);
    return code;
}
