/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/context.h"

#include <stdio.h>

#include "common/device_name.h"
#include "common/folder.h"
#include "keys/change.h"
#include "registry/sessions.h"
#include "system.h"

typedef struct addition {
    const keys_options *options;
    const char *name;
    const larch_context_file *file;
} addition;

static larch_exit add(larch_sessions *sessions, const addition *a)
{
    const larch_oscore_parameters parameters = larch_context_file_parameters(a->file);
    larch_session *session;
    return larch_sessions_add(sessions, a->name, &parameters, 0, &session) == LARCH_OK
               ? LARCH_EXIT_DONE
               : larch_app_fail(KEYS_NAME, "%s", larch_sessions_error(sessions)->text);
}

static larch_exit add_alone(void *context, keys_start *start)
{
    const addition *a = context;
    char path[LARCH_POSIX_PATH_MAX + sizeof LARCH_APP_SESSIONS_NAME];
    const larch_random random = larch_posix_random();
    larch_sessions *sessions;
    larch_registry_reason why;
    (void)snprintf(path, sizeof path, "%s/" LARCH_APP_SESSIONS_NAME, a->options->state);
    const larch_sessions_config config = {.path = path,
                                          .storage = &start->storage,
                                          .random = &random,
                                          .start = start->state.start,
                                          .complete = start->state.complete};
    if (larch_sessions_open(&sessions, &config, &why) != LARCH_OK)
        return larch_app_fail(KEYS_NAME, "%s", why.text);
    const larch_exit code = add(sessions, a);
    if (larch_sessions_close(sessions, &why) == LARCH_OK || code != LARCH_EXIT_DONE)
        return code;
    return larch_app_fail(KEYS_NAME, "%s", why.text);
}

larch_exit keys_store_context(const keys_options *options, const char *name, const larch_context_file *file)
{
    uint8_t text[LARCH_CONTEXT_FILE_PLAIN_MAX], hex[2 * sizeof text];
    addition a = {.options = options, .name = name, .file = file};
    larch_writer w = larch_writer_to(text, sizeof text), word = larch_writer_to(hex, sizeof hex);
    larch_context_file_put(&w, file);
    larch_control_put_hex(&word, (larch_bytes){text, w.len});
    const keys_change change = {.context = &a,
                                .words = {LARCH_TEXT("add-context"), larch_bytes_of_text(name), {hex, word.len}},
                                .count = 3,
                                .make = add_alone,
                                .done = "context added"};
    const larch_exit code = keys_change_folder(options, &change);
    larch_wipe(text, sizeof text);
    larch_wipe(hex, sizeof hex);
    return code;
}

larch_exit keys_add_context(keys_options *options, const char *name, const char *path)
{
    larch_context_file file;
    larch_exit code;
    if (!larch_app_is_device_name(name))
        return larch_app_usage(KEYS_NAME, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
    /* Before the process gives up its rights for the folder's owner, who need not be able to read the file. */
    if ((code = larch_context_file_read(KEYS_NAME, path, &file)) != LARCH_EXIT_DONE)
        return code;
    if ((code = larch_app_make_folder(KEYS_NAME, options->state)) == LARCH_EXIT_DONE &&
        (code = larch_app_enter_folder(KEYS_NAME, options->state, &options->folder)) == LARCH_EXIT_DONE &&
        (code = larch_app_start_crypto(KEYS_NAME)) == LARCH_EXIT_DONE)
        code = keys_store_context(options, name, &file);
    larch_context_file_wipe(&file);
    return code;
}
