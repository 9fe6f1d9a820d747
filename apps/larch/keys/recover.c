/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/recover.h"

#include <stdio.h>

#include "common/confirm.h"
#include "common/recover.h"

#define QUESTION                                                                                         \
    "Every direct key in %s will be wiped, and the gateway makes new ones\n"                             \
    "at its next start. Senders that trust its identity (larch2:) follow; those with the pin of a key\n" \
    "(larch1:) need the new one. Messages sealed to the old keys can be opened no more.\n"

static larch_exit recover(const keys_options *options, larch_posix_storage *files)
{
    larch_app_store store;
    larch_storage storage;
    larch_exit code = larch_app_store_open(&store, KEYS_NAME, files, &options->store, &storage);
    if (code == LARCH_EXIT_DONE)
        code = larch_app_recover(KEYS_NAME, files, &storage);
    larch_app_store_close(&store);
    return code;
}

larch_exit keys_recover(const keys_options *options)
{
    char question[sizeof QUESTION + LARCH_POSIX_PATH_MAX];
    larch_posix_storage files;
    larch_exit code;
    if (larch_posix_storage_open(&files, options->state, LARCH_POSIX_DURABILITY_MEDIUM) != LARCH_OK)
        return larch_app_fail(KEYS_NAME, "%s%s", larch_posix_storage_error(&files),
                              larch_posix_storage_holder(&files) != 0 ? "; stop the gateway first" : "");
    snprintf(question, sizeof question, QUESTION, options->state);
    if ((code = larch_app_confirm(KEYS_NAME, question, options->is_sure)) == LARCH_EXIT_DONE)
        code = recover(options, &files);
    larch_posix_storage_close(&files);
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr,
                "larch keys: recovered %s: every direct key was wiped, the root keys stay, and the folder belongs to "
                "this machine; 'larch gateway' makes new keys at its next start\n",
                options->state);
    return code;
}
