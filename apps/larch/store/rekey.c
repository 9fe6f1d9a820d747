/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "common/folder.h"
#include "secrets/rekey.h"
#include "state.h"
#include "store/store_int.h"
#include "system.h"

typedef struct rekeying {
    const store_options *options;
    larch_posix_storage files;
    larch_app_store store;
    larch_storage storage;
    larch_posix_state state;
    larch_store_choice next;
    larch_seal_key key;
    larch_store_head head;
} rekeying;

/* What the options leave open is as it was. */
static void fill_in(rekeying *r)
{
    const larch_store_head *now = &r->store.sealed.head;
    r->next = r->options->next;
    if (r->next.source == 0)
        r->next.source = now->source;
    if (r->next.source == LARCH_STORE_SOURCE_CREDENTIAL && now->source == LARCH_STORE_SOURCE_CREDENTIAL &&
        r->next.credential[0] == '\0')
        memcpy(r->next.credential, now->name, sizeof now->name);
    if (r->next.source == LARCH_STORE_SOURCE_TOKEN && now->source == LARCH_STORE_SOURCE_TOKEN &&
        r->next.token[0] == '\0')
        memcpy(r->next.token, now->name, sizeof now->name);
    if (r->next.source == LARCH_STORE_SOURCE_TOKEN && r->next.pin[0] == '\0')
        memcpy(r->next.pin, r->options->now.pin, sizeof r->next.pin);
}

static larch_exit complain(rekeying *r, larch_error e, const char *faulty, const larch_registry_reason *why)
{
    if (why->fault != LARCH_REGISTRY_NONE)
        return larch_app_fail(STORE_NAME, "%s. The store key is unchanged", why->text);
    if (faulty[0] != '\0' && e != LARCH_PLATFORM)
        return larch_app_fail(STORE_NAME, "%s/%s does not open under the store key; nothing was changed", r->files.path,
                              faulty);
    return larch_app_fail(STORE_NAME, "%s; the next command on the folder finishes this or undoes it",
                          larch_posix_storage_error(&r->files));
}

static larch_exit run(rekeying *r)
{
    char path[LARCH_POSIX_PATH_MAX + sizeof LARCH_APP_SESSIONS_NAME];
    larch_storage medium = larch_posix_storage_interface(&r->files);
    larch_rekey_name faulty = "";
    larch_posix_names names;
    larch_registry_reason why;
    medium.start = r->storage.start;
    (void)snprintf(path, sizeof path, "%s/" LARCH_APP_SESSIONS_NAME, r->files.path);
    if (larch_posix_state_forget_copies(&r->files, &medium) != LARCH_OK || /* they hold keys that nothing seals */
        larch_posix_storage_list(&r->files, &names) != LARCH_OK)
        return larch_app_fail(STORE_NAME, "%s", larch_posix_storage_error(&r->files));
    const larch_error e = larch_rekey_run(&medium, names.name, names.count, path, &r->store.sealed.key, &r->key,
                                          &r->head, &r->store.random, faulty, &why);
    larch_posix_names_free(&names);
    return e == LARCH_OK ? LARCH_EXIT_DONE : complain(r, e, faulty, &why);
}

/* Everything that may fail for want of a secret comes before the first write. */
static larch_exit begin(rekeying *r)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    larch_exit code = larch_app_store_open(&r->store, STORE_NAME, &r->files, &r->options->now, &r->storage);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (!r->store.sealed.has_key)
        return larch_app_fail(STORE_NAME,
                              "%s has no store key yet: a gateway makes it at its first start, from the "
                              "source of --store-key",
                              r->files.path);
    fill_in(r);
    if (larch_random_fill(&r->store.random, r->key.bytes, sizeof r->key.bytes) != LARCH_OK)
        return larch_app_fail(STORE_NAME, "the system gives no random bytes");
    if ((code = larch_app_store_wrap(STORE_NAME, &r->next, "new", &r->key, &r->store.random, &r->head)) !=
        LARCH_EXIT_DONE)
        return code;
    if (larch_posix_state_start(&r->files, &r->storage, &r->state, file, &fault) != LARCH_OK)
        return larch_app_complain_of_file(STORE_NAME, &r->files, file, fault);
    return LARCH_EXIT_DONE;
}

larch_exit store_rekey(const store_options *options)
{
    static rekeying r; /* large for a stack */
    r.options = options;
    if (larch_posix_storage_open(&r.files, options->state, LARCH_POSIX_DURABILITY_MEDIUM) != LARCH_OK)
        return larch_app_fail(STORE_NAME, "%s%s", larch_posix_storage_error(&r.files),
                              larch_posix_storage_holder(&r.files) != 0 ? "; stop the gateway first" : "");
    larch_exit code = begin(&r);
    if (code == LARCH_EXIT_DONE)
        code = run(&r);
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr, "larch store: every secret of %s is sealed under a new key, which comes from: %s%s%s\n",
                options->state, larch_store_source_text(r.head.source), r.head.name[0] != '\0' ? " " : "", r.head.name);
    larch_app_store_close(&r.store);
    larch_posix_storage_close(&r.files);
    larch_wipe(&r, sizeof r);
    return code;
}
