/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/view.h"

#include <stdlib.h>
#include <string.h>

#include "common/stored_identity.h"
#include "larch/crypto.h"
#include "state.h"

static larch_exit fingerprint_of(const larch_kem *kem, const larch_stored_key *key, key_view *view)
{
    uint8_t ek[LARCH_KEM_EK_MAX];
    uint8_t dk[LARCH_KEM_DK_MAX];
    uint8_t hash[LARCH_SHA256_LEN];
    larch_error e = larch_kem_keygen(kem, key->seed, ek, dk);
    larch_wipe(dk, sizeof dk);
    if (e != LARCH_OK || (e = larch_direct_key_hash((larch_bytes){ek, kem->ek_len}, hash)) != LARCH_OK)
        return larch_app_fail(KEYS_NAME, "%s: %s", kem->name, larch_error_text(e));
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, hash, view->fingerprint);
    view->generation = key->generation;
    return LARCH_EXIT_DONE;
}

static larch_exit view_marks(const larch_posix_storage *files, const larch_storage *storage, uint16_t set,
                             key_view *view)
{
    larch_replay_set marks;
    larch_store_fault fault;
    uint32_t slots_needed;
    char name[LARCH_STORAGE_NAME_MAX + 1];
    uint64_t least[KEYS_SLOTS_MIN];
    uint64_t *slots = NULL;

    larch_replay_set_name(set, view->generation, name);
    view->slots = KEYS_SLOTS_MIN;
    larch_error e =
        larch_replay_set_open(&marks, storage, set, view->generation, least, KEYS_SLOTS_MIN, &slots_needed, &fault);
    if (e == LARCH_SPACE && slots_needed > 0) {
        slots = calloc(slots_needed, sizeof *slots);
        if (slots == NULL)
            return larch_app_fail(KEYS_NAME, "out of memory");
        view->slots = slots_needed;
        e = larch_replay_set_open(&marks, storage, set, view->generation, slots, view->slots, &slots_needed, &fault);
    }
    view->marks = marks.used;
    view->capacity = marks.capacity;
    free(slots);
    return e == LARCH_OK ? LARCH_EXIT_DONE : keys_complain_of_file(files, name, fault);
}

static larch_exit view_set(const larch_posix_storage *files, const larch_storage *storage, const larch_kem *kem,
                           bool with_marks, set_view *view)
{
    larch_key_ring ring;
    larch_store_fault fault;
    char name[LARCH_STORAGE_NAME_MAX + 1];
    larch_exit code;

    if (larch_key_ring_load(storage, kem->set, &ring, &fault) != LARCH_OK) {
        if (fault == LARCH_STORE_MISSING)
            return LARCH_EXIT_DONE; /* a set that a gateway adds at its next start */
        larch_key_ring_name(kem->set, name);
        return keys_complain_of_file(files, name, fault);
    }
    code = fingerprint_of(kem, &ring.present, &view->present);
    if (code == LARCH_EXIT_DONE && ring.previous.generation != 0)
        code = fingerprint_of(kem, &ring.previous, &view->previous);
    larch_wipe(&ring, sizeof ring);
    if (code == LARCH_EXIT_DONE && with_marks)
        code = view_marks(files, storage, kem->set, &view->present);
    if (code == LARCH_EXIT_DONE && with_marks && view->previous.generation != 0)
        code = view_marks(files, storage, kem->set, &view->previous);
    return code;
}

static bool holds_any(const set_view views[LARCH_DIRECT_SETS])
{
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++)
        if (views[i].present.generation != 0)
            return true;
    return false;
}

larch_error keys_start_view(larch_storage *storage, char file[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    larch_state_head found;
    return larch_state_start(storage, 0, NULL, &found, file, fault);
}

/* A folder that is looked at. */
typedef struct folder_view {
    larch_posix_storage files;
    larch_app_store store;
    larch_storage storage;
} folder_view;

static void end_view(folder_view *v)
{
    larch_app_store_close(&v->store);
    larch_posix_storage_close(&v->files);
}

/* It is open on LARCH_EXIT_DONE. */
static larch_exit begin_view(const keys_options *options, folder_view *v)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    if (larch_posix_storage_view(&v->files, options->state) != LARCH_OK)
        return larch_app_fail(KEYS_NAME, "%s", larch_posix_storage_error(&v->files));
    larch_exit code = larch_app_store_open(&v->store, KEYS_NAME, &v->files, &options->store, &v->storage);
    if (code == LARCH_EXIT_DONE && keys_start_view(&v->storage, file, &fault) != LARCH_OK)
        code = keys_complain_of_file(&v->files, file, fault);
    if (code != LARCH_EXIT_DONE)
        end_view(v);
    return code;
}

larch_exit keys_view_state(const keys_options *options, bool with_marks, set_view views[LARCH_DIRECT_SETS])
{
    folder_view v;
    memset(views, 0, LARCH_DIRECT_SETS * sizeof *views);
    larch_exit code = begin_view(options, &v);
    if (code != LARCH_EXIT_DONE)
        return code;
    for (size_t i = 0; code == LARCH_EXIT_DONE && i < LARCH_DIRECT_SETS; i++)
        if (options->kem == NULL || options->kem == larch_direct_kem_at(i))
            code = view_set(&v.files, &v.storage, larch_direct_kem_at(i), with_marks, &views[i]);
    if (code == LARCH_EXIT_DONE && !holds_any(views))
        code = larch_app_fail(KEYS_NAME,
                              "%s holds no %s key; a gateway makes it on its first start: larch gateway --state DIR",
                              v.files.path, (options->kem != NULL ? options->kem : larch_direct_kem_at(0))->name);
    end_view(&v);
    return code;
}

/* ---- identity ---------------------------------------------------------------- */

larch_exit keys_view_identity(const keys_options *options, char text[LARCH_FINGERPRINT_TEXT_LEN + 1])
{
    folder_view v;
    larch_store_fault fault = LARCH_STORE_NONE;
    uint8_t identity[LARCH_FINGERPRINT_LEN];
    memset(text, 0, LARCH_FINGERPRINT_TEXT_LEN + 1);
    larch_exit code = begin_view(options, &v);
    if (code != LARCH_EXIT_DONE)
        return code;
    const larch_error e = larch_app_stored_identity(&v.storage, identity, &fault);
    if (e == LARCH_OK)
        larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, identity, text);
    else if (fault == LARCH_STORE_NONE)
        code = larch_app_fail(KEYS_NAME, "%s", larch_error_text(e));
    else if (fault != LARCH_STORE_MISSING)
        code = keys_complain_of_file(&v.files, LARCH_STORED_IDENTITY_NAME, fault);
    end_view(&v);
    return code;
}
