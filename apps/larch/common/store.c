/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/unfinished.h"
#include "secrets/source.h"
#include "system.h"

#define CREDENTIAL            "larch-store-key"
#define PASSPHRASE_CREDENTIAL "larch-store-passphrase"
#define PIN_CREDENTIAL        "larch-store-pin"

_Static_assert(LARCH_STORE_NAME_MAX == LARCH_HEAD_NAME_MAX && LARCH_STORE_PLACE_MAX == LARCH_APP_SECRET_PATH_MAX,
               "what is chosen fits");

/* ---- secrets of sources ------------------------------------------------------ */

static larch_exit read_secret(const char *command, const larch_store_head *head, const larch_store_choice *choice,
                              const char *options, bool is_new, larch_app_secret *secret)
{
    char option[32];
    memset(secret, 0, sizeof *secret);
    switch (head->source) {
    case LARCH_STORE_SOURCE_CREDENTIAL:
        return larch_app_read_credential(command, head->name, "the store key's source", secret);
    case LARCH_STORE_SOURCE_PASSPHRASE:
        snprintf(option, sizeof option, "--%s-passphrase", options);
        return larch_app_read_secret(command, choice->passphrase, PASSPHRASE_CREDENTIAL,
                                     is_new ? "the new passphrase of the store" : "the passphrase of the store", option,
                                     is_new, secret);
    case LARCH_STORE_SOURCE_TOKEN:
        snprintf(option, sizeof option, "--%s-pin", options);
        return larch_app_read_secret(command, choice->pin, PIN_CREDENTIAL, "the PIN of the store's token", option,
                                     false, secret);
    default:
        return LARCH_EXIT_DONE;
    }
}

static larch_exit begin_head(const char *command, const larch_store_choice *choice, const char *options,
                             larch_store_head *head)
{
    memset(head, 0, sizeof *head);
    head->version = 2;
    head->source = choice->source != 0 ? (larch_store_source)choice->source : LARCH_STORE_SOURCE_FILE;
    if (head->source == LARCH_STORE_SOURCE_PASSPHRASE)
        head->cost = LARCH_ARGON2_COST;
    if (head->source == LARCH_STORE_SOURCE_CREDENTIAL)
        snprintf(head->name, sizeof head->name, "%s", choice->credential[0] != '\0' ? choice->credential : CREDENTIAL);
    if (head->source == LARCH_STORE_SOURCE_TOKEN)
        snprintf(head->name, sizeof head->name, "%s", choice->token);
    if (head->source == LARCH_STORE_SOURCE_TOKEN && head->name[0] == '\0')
        return larch_app_usage(command, "which token? --%s-token 'pkcs11:token=NAME;object=LABEL' names it and its key",
                               options);
    for (const char *c = head->name; *c != '\0'; c++)
        if (*c < '!' || *c > '~')
            return larch_app_usage(command, "'%s' holds a byte that no name of a credential or token has", head->name);
    return LARCH_EXIT_DONE;
}

static larch_exit wrap(const char *command, larch_bytes secret, const larch_seal_key *key, const larch_random *random,
                       larch_store_head *head)
{
    char why[LARCH_TOKEN_WHY_MAX];
    const larch_error e = larch_store_wrap(head, key, secret, random, why);
    if (e == LARCH_OK)
        return LARCH_EXIT_DONE;
    return (e == LARCH_AUTH ? larch_app_refuse : larch_app_fail)(command, "the store key's source, %s%s%s: %s",
                                                                 larch_store_source_text(head->source),
                                                                 head->name[0] != '\0' ? " " : "", head->name, why);
}

larch_exit larch_app_store_wrap(const char *command, const larch_store_choice *choice, const char *options,
                                const larch_seal_key *key, const larch_random *random, larch_store_head *head)
{
    larch_app_secret secret;
    larch_exit code = begin_head(command, choice, options, head);
    if (code == LARCH_EXIT_DONE)
        code = read_secret(command, head, choice, options, true, &secret);
    if (code != LARCH_EXIT_DONE)
        return code;
    code = wrap(command, larch_app_secret_bytes(&secret), key, random, head);
    larch_wipe(&secret, sizeof secret);
    return code;
}

/* ---- opening ------------------------------------------------------------------- */

static larch_error make_head(void *context, const larch_seal_key *key, larch_store_head *head)
{
    larch_app_store *store = context;
    larch_exit code = begin_head(store->command, store->choice, "store", head);
    if (code == LARCH_EXIT_DONE)
        code = wrap(store->command, larch_app_secret_bytes(&store->secret), key, &store->random, head);
    larch_wipe(&store->secret, sizeof store->secret);
    return code == LARCH_EXIT_DONE ? LARCH_OK : LARCH_PLATFORM;
}

/* Before anything is made in a new folder: the secret is there, and its source takes a key. */
static larch_exit try_source(larch_app_store *store)
{
    static const larch_seal_key trial;
    larch_store_head head;
    larch_exit code = begin_head(store->command, store->choice, "store", &head);
    if (code == LARCH_EXIT_DONE && head.source != LARCH_STORE_SOURCE_FILE &&
        (code = read_secret(store->command, &head, store->choice, "store", true, &store->secret)) == LARCH_EXIT_DONE)
        code = wrap(store->command, larch_app_secret_bytes(&store->secret), &trial, &store->random, &head);
    larch_wipe(&head, sizeof head);
    return code;
}

static larch_exit complain(const larch_app_store *store, larch_store_fault fault)
{
    const char *path = store->files->path;
    if (fault == LARCH_STORE_MEDIUM)
        return larch_app_fail(store->command, "%s", larch_posix_storage_error(store->files));
    if (fault == LARCH_STORE_VERSION)
        return larch_app_fail(store->command,
                              "%s/" LARCH_SEAL_KEY_NAME
                              " says that the store key comes from a source that this version "
                              "of larch does not know; use the version that wrote it, or a later one",
                              path);
    if (fault == LARCH_STORE_MISSING)
        return larch_app_fail(store->command,
                              "%s/" LARCH_SEAL_KEY_NAME
                              " is not there, but what its key has sealed is; it was left as it "
                              "is. Put that file back, or restore a backup with 'larch restore'",
                              path);
    return larch_app_fail(store->command,
                          "%s/" LARCH_SEAL_KEY_NAME
                          " %s; it was left as it is. Put that file back, or restore a backup "
                          "with 'larch restore'",
                          path, larch_store_fault_text(fault));
}

/* A folder that needs a key, and has lost it. */
static larch_exit check_new(larch_app_store *store, const larch_storage *medium)
{
    struct stat st;
    bool is_sealed = false;
    if (larch_sealed_files_is_sealed(medium, LARCH_STORED_IDENTITY_NAME, &is_sealed) != LARCH_OK)
        return complain(store, LARCH_STORE_MEDIUM);
    if (is_sealed)
        return complain(store, LARCH_STORE_MISSING);
    return fstatat(larch_posix_storage_folder(store->files), LARCH_APP_SESSIONS_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0
               ? complain(store, LARCH_STORE_MISSING)
           : larch_posix_storage_is_looked_at(store->files) ? LARCH_EXIT_DONE
                                                            : try_source(store);
}

static larch_exit check_choice(const larch_app_store *store, const larch_store_head *head)
{
    const unsigned chosen = store->choice->source;
    if (chosen == 0 || chosen == head->source)
        return LARCH_EXIT_DONE;
    return larch_app_fail(store->command,
                          "%s/" LARCH_SEAL_KEY_NAME
                          " takes the store key from: %s; the options ask for: %s. Only 'larch "
                          "store rekey' changes it",
                          store->files->path, larch_store_source_text(head->source), larch_store_source_text(chosen));
}

static larch_exit unlock(larch_app_store *store, const larch_store_head *head, uint32_t start)
{
    larch_app_secret secret;
    larch_seal_key key;
    char why[LARCH_TOKEN_WHY_MAX];
    larch_exit code = check_choice(store, head);
    if (code != LARCH_EXIT_DONE ||
        (code = read_secret(store->command, head, store->choice, "store", false, &secret)) != LARCH_EXIT_DONE)
        return code;
    const larch_error e = larch_store_unwrap(head, larch_app_secret_bytes(&secret), &key, why);
    larch_wipe(&secret, sizeof secret);
    if (e == LARCH_OK)
        larch_sealed_files_open(&store->sealed, head, start, &key);
    larch_wipe(&key, sizeof key);
    if (e == LARCH_OK)
        return LARCH_EXIT_DONE;
    return (e == LARCH_AUTH ? larch_app_refuse : larch_app_fail)(
        store->command, "the store key of %s comes from: %s%s%s; %s. Nothing was changed", store->files->path,
        larch_store_source_text(head->source), head->name[0] != '\0' ? " " : "", head->name, why);
}

larch_exit larch_app_store_open(larch_app_store *store, const char *command, larch_posix_storage *files,
                                const larch_store_choice *choice, larch_storage *interface)
{
    static const larch_store_choice none;
    const larch_storage medium = larch_posix_storage_interface(files);
    larch_store_head head;
    larch_store_fault fault;
    uint32_t start;
    memset(store, 0, sizeof *store);
    store->command = command;
    store->choice = choice != NULL ? choice : &none;
    store->files = files;
    store->random = larch_posix_random();
    larch_sealed_files_init(&store->sealed, &medium, &store->random, make_head, store);
    *interface = larch_sealed_files_interface(&store->sealed);
    larch_exit code = larch_app_finish_unfinished(command, files, &medium);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (larch_sealed_files_head(&medium, LARCH_SEAL_KEY_NAME, &head, &start, &fault) == LARCH_OK)
        code = unlock(store, &head, start);
    else
        code = fault == LARCH_STORE_MISSING ? check_new(store, &medium) : complain(store, fault);
    larch_wipe(&head, sizeof head);
    return code;
}

void larch_app_store_close(larch_app_store *store)
{
    larch_wipe(&store->secret, sizeof store->secret);
    larch_sealed_files_wipe(&store->sealed);
}

void larch_app_store_describe(const larch_app_store *store, char text[LARCH_APP_STORE_TEXT_MAX])
{
    const larch_store_head *head = &store->sealed.head;
    if (head->source == LARCH_STORE_SOURCE_FILE)
        snprintf(text, LARCH_APP_STORE_TEXT_MAX,
                 "the store key is in the file " LARCH_SEAL_KEY_NAME
                 ": whoever can read the folder can read its secrets; 'larch store rekey' takes the key elsewhere");
    else
        snprintf(text, LARCH_APP_STORE_TEXT_MAX, "the store key comes from: %s%s%s",
                 larch_store_source_text(head->source), head->name[0] != '\0' ? " " : "", head->name);
}
