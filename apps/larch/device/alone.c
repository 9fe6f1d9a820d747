/* SPDX-License-Identifier: Apache-2.0 */
#include "device/alone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
static larch_exit open_all(alone *a, const char *state)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault = LARCH_STORE_NONE;
    if (access(state, F_OK) != 0)
        return larch_app_fail(NAME, "%s: %s; --state DIR names the gateway's folder", state, strerror(errno));
    if (larch_posix_storage_open(&a->files, state, LARCH_POSIX_DURABILITY_MEDIUM) != LARCH_OK)
        return larch_app_fail(NAME, "%s", larch_posix_storage_error(&a->files));
    a->is_open = true;
    const larch_exit code = larch_app_store_open(&a->store, NAME, &a->files, NULL, &a->storage);
    if (code != LARCH_EXIT_DONE)
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

static larch_exit add(alone *a, const char *name, larch_bytes authority, larch_writer *w)
{
    larch_enrolment enrolment = {
        .name = larch_bytes_of_text(name), .hash = LARCH_COSE_SHAKE256, .authority = authority};
    larch_store_fault fault = LARCH_STORE_NONE;
    uint64_t device;
    if (larch_app_stored_identity(&a->storage, enrolment.identity, &fault) != LARCH_OK)
        return fault == LARCH_STORE_MISSING
                   ? larch_app_fail(NAME, "%s has no identity yet: start its gateway once", a->files.path)
                   : complain(a, LARCH_STORED_IDENTITY_NAME, fault);
    const larch_error e = larch_sessions_enrol_new(a->sessions, &enrolment, &device);
    if (e == LARCH_OK)
        larch_enrolment_put(w, &enrolment);
    larch_wipe(&enrolment, sizeof enrolment);
    return e == LARCH_OK ? LARCH_EXIT_DONE : larch_app_fail(NAME, "%s", larch_sessions_error(a->sessions)->text);
}

larch_exit device_add_alone(const char *state, const char *name, larch_bytes authority, larch_writer *enrolment)
{
    static alone a; /* large for a stack */
    larch_exit code = larch_app_start_crypto(NAME);
    if (code == LARCH_EXIT_DONE && (code = open_all(&a, state)) == LARCH_EXIT_DONE)
        code = add(&a, name, authority, enrolment);
    return close_all(&a, code);
}

larch_exit device_revoke_alone(const char *state, const char *name)
{
    static alone a;
    size_t removed;
    larch_exit code = larch_app_start_crypto(NAME);
    if (code == LARCH_EXIT_DONE && (code = open_all(&a, state)) == LARCH_EXIT_DONE) {
        const uint64_t device = larch_sessions_device(a.sessions, name);
        if (device == 0)
            code = larch_app_fail(NAME, "there is no device of the name %s", name);
        else if (larch_sessions_forget_device(a.sessions, device, &removed) != LARCH_OK)
            code = larch_app_fail(NAME, "%s", larch_sessions_error(a.sessions)->text);
    }
    return close_all(&a, code);
}
