/* SPDX-License-Identifier: Apache-2.0 */
#include "device/alone.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/enrol.h"
#include "common/folder.h"
#include "common/store.h"
#include "common/stored_identity.h"
#include "larch/crypto.h"
#include "registry/enrolled.h"
#include "state.h"
#include "system.h"

#define NAME "device"

typedef struct alone {
    bool is_open;
    larch_posix_storage files;
    larch_app_store store;
    larch_storage storage;
    larch_posix_state state;
    larch_random random;
    larch_sessions *sessions;
} alone;

static larch_exit complain(const alone *a, const char *file, larch_store_fault fault)
{
    if (fault == LARCH_STORE_MEDIUM || fault == LARCH_STORE_NONE)
        return larch_app_fail(NAME, "%s", larch_posix_storage_error(&a->files));
    return larch_app_fail(NAME, "%s/%s %s. %s", a->files.path, file, larch_store_fault_text(fault),
                          larch_posix_state_advice(fault, file));
}

static larch_exit open_sessions(alone *a)
{
    char path[LARCH_POSIX_PATH_MAX + sizeof LARCH_APP_SESSIONS_NAME];
    larch_registry_reason why;
    (void)snprintf(path, sizeof path, "%s/" LARCH_APP_SESSIONS_NAME, a->files.path);
    const larch_sessions_config config = {.path = path,
                                          .storage = &a->storage,
                                          .random = &a->random,
                                          .start = a->state.start,
                                          .complete = a->state.complete};
    return larch_sessions_open(&a->sessions, &config, &why) == LARCH_OK ? LARCH_EXIT_DONE
                                                                        : larch_app_fail(NAME, "%s", why.text);
}

/* Opens what is there; a folder is made by a gateway alone, which then has an identity. */
static larch_exit open_all(alone *a, const char *state, const larch_store_choice *store)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault = LARCH_STORE_NONE;
    int folder;
    larch_exit code = larch_app_enter_folder(NAME, state, &folder);
    if (folder >= 0)
        (void)close(folder);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (larch_posix_storage_open(&a->files, state, LARCH_POSIX_DURABILITY_MEDIUM) != LARCH_OK)
        return larch_app_fail(NAME, "%s", larch_posix_storage_error(&a->files));
    a->is_open = true;
    if ((code = larch_app_store_open(&a->store, NAME, &a->files, store, &a->storage)) != LARCH_EXIT_DONE)
        return code;
    a->random = larch_posix_random();
    if (larch_posix_state_start(&a->files, &a->storage, &a->state, file, &fault) != LARCH_OK)
        return complain(a, file, fault);
    return open_sessions(a);
}

static larch_exit close_all(alone *a, larch_exit code)
{
    larch_registry_reason why;
    if (larch_sessions_close(a->sessions, &why) != LARCH_OK && code == LARCH_EXIT_DONE)
        code = larch_app_fail(NAME, "%s", why.text);
    larch_app_store_close(&a->store);
    if (a->is_open)
        larch_posix_storage_close(&a->files);
    return code;
}

/* context: where the next result goes, which moves on. */
static void take_enrolled(void *context, larch_bytes name, larch_bytes enrolment, const char *why)
{
    device_enrolled **next = context;
    device_enrolled *result = (*next)++;
    (void)name;
    result->len = enrolment.len;
    if (enrolment.len > 0)
        memcpy(result->bytes, enrolment.data, enrolment.len);
    (void)snprintf(result->why, sizeof result->why, "%.*s", (int)sizeof result->why - 1, why);
}

static larch_exit add(alone *a, const device_enrolling *e, const larch_app_newcomer *newcomers, size_t count,
                      device_enrolled *results)
{
    static larch_app_signer signer;
    uint8_t identity[LARCH_FINGERPRINT_LEN];
    larch_store_fault fault = LARCH_STORE_NONE;
    const char *why;
    larch_app_enrolling enrolling = {.sessions = a->sessions,
                                     .random = &a->random,
                                     .identity = identity,
                                     .authority = e->authority,
                                     .method = e->method,
                                     .suite = e->suite,
                                     .reference = e->reference};
    if (larch_app_stored_identity(&a->storage, identity, &fault) != LARCH_OK)
        return fault == LARCH_STORE_MISSING
                   ? larch_app_fail(NAME, "%s has no identity yet: start its gateway once", a->files.path)
                   : complain(a, LARCH_STORED_IDENTITY_NAME, fault);
    if (enrolling.method == LARCH_LAKE_METHOD_SIGNATURES &&
        larch_app_signer_load(&signer, e->suite->signature, &a->storage, &fault) == LARCH_OK)
        enrolling.gateway_key = larch_app_signer_pub(&signer);
    const bool is_added = larch_app_enrol(&enrolling, newcomers, count, take_enrolled, &results, &why);
    larch_wipe(&signer, sizeof signer);
    return is_added ? LARCH_EXIT_DONE : larch_app_fail(NAME, "%s", why);
}

/* Held for all that one command does. */
static alone held;

static larch_exit enter(const char *state, const larch_store_choice *store)
{
    if (held.is_open)
        return LARCH_EXIT_DONE;
    const larch_exit code = larch_app_start_crypto(NAME);
    return code == LARCH_EXIT_DONE ? open_all(&held, state, store) : code;
}

larch_exit device_end_alone(larch_exit code)
{
    code = close_all(&held, code);
    memset(&held, 0, sizeof held);
    return code;
}

larch_exit device_enrol_alone(const char *state, const larch_store_choice *store, const device_enrolling *enrolling,
                              const larch_app_newcomer *newcomers, size_t count, device_enrolled *results)
{
    const larch_exit code = enter(state, store);
    return code == LARCH_EXIT_DONE ? add(&held, enrolling, newcomers, count, results) : code;
}

larch_exit device_revoke_alone(const char *state, const larch_store_choice *store, const char *name)
{
    size_t removed;
    const larch_exit code = enter(state, store);
    if (code != LARCH_EXIT_DONE)
        return code;
    const uint64_t device = larch_sessions_device(held.sessions, name);
    if (device == 0)
        return larch_app_fail(NAME, "there is no device of the name %s", name);
    return larch_sessions_forget_device(held.sessions, device, &removed) == LARCH_OK
               ? LARCH_EXIT_DONE
               : larch_app_fail(NAME, "%s", larch_sessions_error(held.sessions)->text);
}
