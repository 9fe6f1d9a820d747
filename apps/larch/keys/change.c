/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "loop.h"
#include "system.h"

#define REPLY_MS     30000 /* new keys for every set, each synced, on a slow medium */
#define HELD_WAIT_MS 2000
#define HELD_LOOK_MS 50

/* ---- by the gateway that runs ------------------------------------------------ */

static larch_exit take_reply(const keys_change *change, larch_control_client *client, larch_error *e)
{
    const uint64_t until_ms = larch_posix_now_ms() + REPLY_MS;
    larch_control_reply reply;
    while ((*e = larch_control_next(client, until_ms, &reply)) == LARCH_OK && reply.kind == LARCH_CONTROL_DATA) {
        const larch_exit code = change->take != NULL ? change->take(change->context, reply.text) : LARCH_EXIT_DONE;
        if (code != LARCH_EXIT_DONE)
            return code;
    }
    return *e != LARCH_OK || reply.kind == LARCH_CONTROL_DONE
               ? LARCH_EXIT_DONE
               : larch_app_fail(KEYS_NAME, "the running gateway: %.*s", (int)reply.text.len,
                                (const char *)reply.text.data);
}

/* Nobody listens: *is_there is false. */
static larch_exit ask_gateway(const keys_options *options, const keys_change *change, bool *is_there)
{
    static larch_control_client client; /* large for a stack */
    larch_exit code = LARCH_EXIT_DONE;
    larch_error e = larch_control_begin(&client, options->folder, change->words, change->count);
    *is_there = e != LARCH_STATE;
    if (e == LARCH_OK) {
        code = take_reply(change, &client, &e);
        larch_control_end(&client);
    }
    return e == LARCH_OK || !*is_there ? code
                                       : larch_app_fail(KEYS_NAME, "cannot ask the running gateway: %s",
                                                        e == LARCH_PLATFORM ? strerror(errno) : larch_error_text(e));
}

/* ---- by this process --------------------------------------------------------- */

static larch_exit start_state(const keys_options *options, keys_start *start)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    const larch_exit code =
        larch_app_store_open(&start->store, KEYS_NAME, &start->files, &options->store, &start->storage);
    if (code != LARCH_EXIT_DONE)
        return code;
    const larch_error e = larch_posix_state_start(&start->files, &start->storage, &start->state, file, &fault);
    return e == LARCH_OK ? LARCH_EXIT_DONE : keys_complain_of_file(&start->files, file, fault);
}

static void close_files(keys_start *start)
{
    larch_app_store_close(&start->store);
    larch_posix_storage_close(&start->files);
}

static larch_error open_files(const keys_options *options, keys_start *start)
{
    return larch_posix_storage_open(&start->files, options->state, LARCH_POSIX_DURABILITY_MEDIUM);
}

/* A folder whose head is not in order is moved to the present format, or refused with the reason. */
static larch_exit move_folder(const keys_options *options)
{
    keys_start start;
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    if (larch_posix_storage_view(&start.files, options->state) != LARCH_OK)
        return LARCH_EXIT_DONE; /* who looks at it next says why */
    start.storage = larch_posix_storage_interface(&start.files);
    const larch_error e = keys_start_view(&start.storage, file, &fault);
    larch_posix_storage_close(&start.files);
    if (e == LARCH_OK)
        return LARCH_EXIT_DONE;
    if (open_files(options, &start) != LARCH_OK)
        return larch_app_fail(KEYS_NAME, "%s", larch_posix_storage_error(&start.files));
    const larch_exit code = start_state(options, &start);
    close_files(&start);
    return code;
}

static larch_exit make_change(const keys_options *options, const keys_change *change, keys_start *start)
{
    const larch_exit code = start_state(options, start);
    return code == LARCH_EXIT_DONE ? change->make(change->context, start) : code;
}

/* For when nobody listens. A gateway that begins or ends holds the folder for a moment without listening: *again is true
 * then, after a pause, until until_ms. */
static larch_exit make_alone(const keys_options *options, const keys_change *change, uint64_t until_ms, bool *again)
{
    keys_start start;
    larch_loop loop;
    larch_exit code;
    *again = false;
    if ((code = move_folder(options)) != LARCH_EXIT_DONE ||
        (change->look != NULL && (code = change->look(change->context)) != LARCH_EXIT_DONE))
        return code;
    if (open_files(options, &start) == LARCH_OK) {
        code = make_change(options, change, &start);
        close_files(&start);
        return code;
    }
    const bool is_held = larch_posix_storage_holder(&start.files) != 0;
    *again = is_held && larch_posix_now_ms() < until_ms;
    if (!*again)
        return larch_app_fail(KEYS_NAME, "%s%s", larch_posix_storage_error(&start.files),
                              is_held ? ", and no gateway answers on its control socket" : "");
    larch_loop_init(&loop, NULL, NULL);
    (void)larch_loop_run_until(&loop, larch_posix_now_ms() + HELD_LOOK_MS);
    return LARCH_EXIT_DONE;
}

/* ---- both -------------------------------------------------------------------- */

larch_exit keys_change_folder(const keys_options *options, const keys_change *change)
{
    const uint64_t until_ms = larch_posix_now_ms() + HELD_WAIT_MS;
    bool is_there, again = false;
    larch_exit code;
    do {
        code = ask_gateway(options, change, &is_there);
        if (!is_there)
            code = make_alone(options, change, until_ms, &again);
    } while (again);
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr, "larch keys: %s %s\n", change->done,
                is_there ? "by the running gateway" : "while no gateway runs");
    return code;
}
