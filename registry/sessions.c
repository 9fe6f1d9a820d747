/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sessions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/sessions_int.h"

/* ---- memory -------------------------------------------------------------- */

static void give_memory(larch_sessions *s)
{
    larch_sessions_db_close(s->db);
    larch_sessions_drop_all(s);
    free(s->places);
    free(s->by_kid);
    free(s->by_number);
    free(s->grants);
    larch_wipe(s, sizeof *s);
    free(s);
}

/* The pages of places that no context takes stay untouched. */
static larch_error take_memory(larch_sessions *s, size_t place_max, larch_registry_reason *why)
{
    size_t index_count = 2;
    while (index_count / 2 < place_max)
        index_count *= 2;
    s->places = calloc(place_max, sizeof *s->places);
    s->by_kid = calloc(index_count, sizeof *s->by_kid);
    s->by_number = calloc(index_count, sizeof *s->by_number);
    s->grants = calloc(place_max, sizeof *s->grants);
    if (s->places == NULL || s->by_kid == NULL || s->by_number == NULL || s->grants == NULL)
        return larch_registry_fail(why, s->path, LARCH_REGISTRY_FAILED, "cannot be opened: out of memory");
    if (larch_session_table_init(&s->table, s->places, place_max, s->by_kid, s->by_number, index_count, s->random) !=
        LARCH_OK)
        return larch_registry_fail(why, s->path, LARCH_REGISTRY_FAILED, "cannot be opened: no random bytes");
    return LARCH_OK;
}

/* ---- store key ----------------------------------------------------------- */

static larch_error fail_key(const larch_sessions *s, larch_registry_fault fault, const char *text,
                            larch_registry_reason *why)
{
    char path[LARCH_REGISTRY_PATH_MAX + sizeof LARCH_SEAL_KEY_NAME];
    const char *slash = strrchr(s->path, '/');
    const int folder_len = slash != NULL ? (int)(slash + 1 - s->path) : 0;
    snprintf(path, sizeof path, "%.*s" LARCH_SEAL_KEY_NAME, folder_len, s->path);
    return larch_registry_fail(why, path, fault, text);
}

/* A key that is there, or a new one for a file that nothing is sealed in yet. */
static larch_error get_key(larch_sessions *s, const larch_storage *storage, larch_registry_reason *why)
{
    larch_store_fault fault;
    const larch_error e = larch_seal_key_load(&s->key, storage, &fault);
    if (e == LARCH_OK)
        return LARCH_OK;
    if (fault == LARCH_STORE_MISSING && s->stored.has_check)
        return fail_key(s, LARCH_REGISTRY_SEALED, "is not there, but sessions that it has sealed are", why);
    if (fault == LARCH_STORE_MISSING && larch_seal_key_make(&s->key, storage, s->random) == LARCH_OK)
        return LARCH_OK;
    if (fault == LARCH_STORE_MISSING || fault == LARCH_STORE_MEDIUM)
        return fail_key(s, LARCH_REGISTRY_FAILED, "cannot be read or written", why);
    return fail_key(s, fault == LARCH_STORE_AHEAD ? LARCH_REGISTRY_LAGS : LARCH_REGISTRY_SEALED,
                    larch_store_fault_text(fault), why);
}

/* The key comes first, and then the check value that asks for it: a cut in between leaves a key without use. */
static larch_error open_key(larch_sessions *s, const larch_storage *storage, larch_registry_reason *why)
{
    uint8_t check[LARCH_SESSIONS_CHECK_LEN];
    larch_error e = get_key(s, storage, why);
    if (e != LARCH_OK)
        return e;
    if (larch_seal_key_derive(&s->key, LARCH_SESSIONS_CHECK_USE, check, sizeof check) != LARCH_OK)
        return fail_key(s, LARCH_REGISTRY_FAILED, "cannot be used: the cryptography failed", why);
    if (s->stored.has_check)
        return larch_ct_equal(check, s->stored.check, sizeof check)
                   ? LARCH_OK
                   : fail_key(s, LARCH_REGISTRY_SEALED, "is not the key that the sessions beside it were sealed with",
                              why);
    larch_sessions_setting setting = s->stored;
    setting.has_check = true;
    memcpy(setting.check, check, sizeof setting.check);
    e = larch_sessions_db_store(s->db, &setting, NULL, 0, why);
    if (e == LARCH_OK)
        s->stored = setting;
    return e;
}

/* ---- loading ------------------------------------------------------------- */

typedef struct loader {
    larch_sessions *s;
    larch_registry_reason *why;
} loader;

static larch_error damaged(const loader *l, const char *text)
{
    return larch_registry_fail(l->why, l->s->path, LARCH_REGISTRY_DAMAGED, text);
}

static larch_error place_row(const loader *l, const larch_sessions_row *row, const larch_session_record *record)
{
    larch_session session, *place;
    if (record->device != row->device || record->expires_s != row->expires_s)
        return damaged(l, "is damaged (a context is not what is sealed of it)");
    larch_error e = larch_sessions_derive(l->s, record, row->number, &session);
    session.own_used = row->own_used;
    session.failed = row->failed;
    session.is_unconfirmed = row->is_unconfirmed;
    if (e == LARCH_PLATFORM)
        e = larch_registry_fail(l->why, l->s->path, LARCH_REGISTRY_FAILED, "cannot be read: the cryptography failed");
    else if (e != LARCH_OK || (e = larch_sessions_place_session(l->s, &session, &place)) == LARCH_STATE)
        e = damaged(l, "is damaged (a context that was never added)");
    else if (e == LARCH_SPACE)
        e = larch_registry_fail(l->why, l->s->path, LARCH_REGISTRY_CROWDED, "holds more contexts than may be loaded");
    larch_wipe(&session, sizeof session);
    return e;
}

static larch_error load_row(void *context, const larch_sessions_row *row)
{
    const loader *l = context;
    const larch_seal_place place = larch_sessions_place(row->number);
    uint8_t bytes[LARCH_SESSION_RECORD_MAX];
    larch_session_record record;
    larch_bytes plain;
    larch_error e = larch_seal_open_record(&l->s->key, &place, row->sealed, bytes, sizeof bytes, &plain);
    if (e == LARCH_PLATFORM)
        e = larch_registry_fail(l->why, l->s->path, LARCH_REGISTRY_FAILED, "cannot be read: the cryptography failed");
    else if (e != LARCH_OK || larch_session_record_take(plain, &record) != LARCH_OK)
        e = damaged(l, "is damaged (the secrets of a context)");
    else
        e = place_row(l, row, &record);
    larch_wipe(bytes, sizeof bytes);
    return e;
}

static larch_error load(larch_sessions *s, larch_registry_reason *why)
{
    loader l = {s, why};
    return larch_sessions_db_each(s->db, load_row, &l, why);
}

/* ---- recovery ------------------------------------------------------------- */

larch_error larch_sessions_recover(const char *path, uint32_t start, size_t *removed, larch_registry_reason *why)
{
    larch_sessions_db *db;
    larch_sessions_setting setting;
    *removed = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return LARCH_OK;
    larch_error e = larch_sessions_db_open(&db, path, why);
    if (e != LARCH_OK)
        return e;
    if ((e = larch_sessions_db_get_setting(db, &setting, why)) == LARCH_OK) {
        setting.start = start;
        e = larch_sessions_db_clear(db, &setting, removed, why);
    }
    larch_sessions_db_close(db);
    return e;
}

/* ---- opening and closing -------------------------------------------------- */

larch_error larch_sessions_open(larch_sessions **sessions, const larch_sessions_config *config,
                                larch_registry_reason *why)
{
    *sessions = NULL;
    larch_sessions *s = calloc(1, sizeof *s);
    if (s == NULL)
        return larch_registry_fail(why, config->path, LARCH_REGISTRY_FAILED, "cannot be opened: out of memory");
    snprintf(s->path, sizeof s->path, "%s", config->path);
    s->random = config->random;
    s->start = config->start;
    s->has_groups = config->has_groups;
#if LARCH_KEYLOG
    s->key_log = config->key_log;
    s->key_log_context = config->key_log_context;
#endif
    larch_error e = larch_sessions_db_open(&s->db, config->path, why);
    if (e == LARCH_OK && (e = larch_sessions_db_get_setting(s->db, &s->stored, why)) == LARCH_OK &&
        (e = larch_registry_check_start(why, s->path, s->stored.start, config->start, config->complete)) == LARCH_OK &&
        (e = open_key(s, config->storage, why)) == LARCH_OK &&
        (e = larch_sessions_db_mark_key(s->db, &s->key, s->mark_key, why)) == LARCH_OK &&
        (e = take_memory(s, config->place_max > 0 ? config->place_max : LARCH_SESSIONS_MAX, why)) == LARCH_OK)
        e = load(s, why);
    if (e == LARCH_OK)
        e = larch_sessions_db_has_policies(s->db, &s->has_policies, why);
    if (e != LARCH_OK) {
        give_memory(s);
        return e;
    }
    s->newest_s = s->stored.newest_s;
    *sessions = s;
    return LARCH_OK;
}

larch_error larch_sessions_close(larch_sessions *s, larch_registry_reason *why)
{
    if (s == NULL)
        return LARCH_OK;
    larch_error e = LARCH_OK;
    if (s->epochs != NULL && s->failed) {
        e = LARCH_PLATFORM;
    } else if (s->epochs != NULL) {
        larch_sessions_setting setting = larch_sessions_setting_now(s);
        setting.unused = larch_epochs_unused(s->epochs);
        e = larch_sessions_write_counters(s, &setting, true);
        if (e == LARCH_OK)
            e = larch_sessions_write_heard(s, true);
    }
    if (e != LARCH_OK)
        *why = s->why;
    give_memory(s);
    return e == LARCH_OK ? LARCH_OK : LARCH_PLATFORM;
}

const larch_registry_reason *larch_sessions_error(const larch_sessions *s) { return &s->why; }

size_t larch_sessions_count(const larch_sessions *s) { return s->table.used; }

larch_session *larch_sessions_next(const larch_sessions *s, size_t *at)
{
    return larch_session_table_next(&s->table, at);
}
