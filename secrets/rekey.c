/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/rekey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/reseal.h"
#include "secrets/sealed_files.h"

#define HEAD_NEXT LARCH_SEAL_KEY_NAME LARCH_REKEY_SUFFIX

static bool ends_in(const char *name, const char *suffix)
{
    const size_t len = strlen(name), suffix_len = strlen(suffix);
    return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

/* A whole file of at most LARCH_SEALED_FILE_MAX bytes. */
static larch_error load(const larch_storage *medium, const char *name, uint8_t *bytes, larch_bytes *content)
{
    uint32_t size;
    larch_error e = medium->size(medium->context, name, &size);
    if (e != LARCH_OK || size == LARCH_STORAGE_NONE || size == 0 || size > LARCH_SEALED_FILE_MAX)
        return e != LARCH_OK ? e : LARCH_SPACE;
    e = medium->read(medium->context, name, 0, bytes, size);
    *content = (larch_bytes){bytes, size};
    return e;
}

/* ---- staging -------------------------------------------------------------------- */

static larch_error next_of(const char *name, larch_rekey_name next)
{
    const int len = snprintf(next, LARCH_STORAGE_NAME_MAX + 1, "%s" LARCH_REKEY_SUFFIX, name);
    return len > 0 && len <= LARCH_STORAGE_NAME_MAX ? LARCH_OK : LARCH_SPACE;
}

static larch_error stage_file(const larch_storage *medium, const char *name, const larch_seal_key *old_key,
                              const larch_seal_key *new_key, const larch_random *random)
{
    uint8_t stored[LARCH_SEALED_FILE_MAX], plain[LARCH_SEALED_FILE_MAX], sealed[LARCH_SEALED_FILE_MAX];
    larch_writer p = larch_writer_to(plain, sizeof plain), s = larch_writer_to(sealed, sizeof sealed);
    larch_rekey_name next;
    larch_bytes content;
    larch_error e = next_of(name, next);
    if (e == LARCH_OK && (e = load(medium, name, stored, &content)) == LARCH_OK &&
        (e = larch_sealed_files_unseal(old_key, name, content, &p)) == LARCH_OK &&
        (e = larch_sealed_files_seal(new_key, random, name, (larch_bytes){plain, p.len}, &s)) == LARCH_OK)
        e = medium->replace(medium->context, next, (larch_bytes){sealed, s.len}, 0);
    larch_wipe(stored, sizeof stored);
    larch_wipe(plain, sizeof plain);
    return e;
}

static larch_error stage_head(const larch_storage *medium, const larch_store_head *head)
{
    uint8_t bytes[LARCH_HEAD_LEN_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_bytes payload;
    larch_store_head_put(&w, head);
    larch_error e = larch_writer_finish(&w, &payload);
    if (e == LARCH_OK)
        e = larch_record_write(medium, HEAD_NEXT, LARCH_RECORD_SEAL, payload, 0);
    larch_wipe(bytes, sizeof bytes);
    return e;
}

larch_error larch_rekey_stage(const larch_storage *medium, larch_rekey_name *names, size_t count,
                              const larch_seal_key *old_key, const larch_seal_key *new_key,
                              const larch_store_head *new_head, const larch_random *random, larch_rekey_name faulty)
{
    larch_error e;
    for (size_t i = 0; i < count; i++) {
        if (!ends_in(names[i], ".key") || strcmp(names[i], LARCH_SEAL_KEY_NAME) == 0)
            continue;
        memcpy(faulty, names[i], sizeof names[i]);
        if ((e = stage_file(medium, names[i], old_key, new_key, random)) != LARCH_OK)
            return e;
    }
    memcpy(faulty, HEAD_NEXT, sizeof HEAD_NEXT);
    return stage_head(medium, new_head);
}

/* ---- finishing -------------------------------------------------------------------- */

bool larch_rekey_is_under_way(larch_rekey_name *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ends_in(names[i], LARCH_REKEY_SUFFIX))
            return true;
    return false;
}

static larch_error put_in_place(const larch_storage *medium, const char *next)
{
    uint8_t bytes[LARCH_SEALED_FILE_MAX];
    larch_rekey_name name;
    larch_bytes content;
    const size_t len = strlen(next) - strlen(LARCH_REKEY_SUFFIX);
    memcpy(name, next, len);
    name[len] = '\0';
    larch_error e = load(medium, next, bytes, &content);
    if (e == LARCH_OK && (e = medium->replace(medium->context, name, content, 0)) == LARCH_OK)
        e = medium->remove(medium->context, next);
    larch_wipe(bytes, sizeof bytes);
    return e;
}

static larch_error remove_next(const larch_storage *medium, const char *next)
{
    return medium->remove(medium->context, next);
}

static bool is_in_force(const larch_storage *medium, const uint8_t *check)
{
    larch_store_head head;
    larch_store_fault fault;
    uint32_t start;
    const bool is_there = larch_sealed_files_head(medium, HEAD_NEXT, &head, &start, &fault) == LARCH_OK;
    const bool is_new = is_there && check != NULL && larch_ct_equal(head.check, check, sizeof head.check);
    larch_wipe(&head, sizeof head);
    return is_new;
}

larch_error larch_rekey_finish(const larch_storage *medium, larch_rekey_name *names, size_t count, const uint8_t *check,
                               bool *is_done)
{
    larch_error e = LARCH_OK;
    bool has_head = false;
    *is_done = is_in_force(medium, check);
    larch_error (*step)(const larch_storage *, const char *) = *is_done ? put_in_place : remove_next;
    for (size_t i = 0; i < count && e == LARCH_OK; i++) {
        if (!ends_in(names[i], LARCH_REKEY_SUFFIX))
            continue;
        if (strcmp(names[i], HEAD_NEXT) == 0)
            has_head = true;
        else
            e = step(medium, names[i]);
    }
    /* As long as it is there, the steps above are not over. */
    if (e == LARCH_OK && has_head)
        e = step(medium, HEAD_NEXT);
    return e == LARCH_OK ? LARCH_OK : LARCH_PLATFORM;
}

/* ---- all of it ----------------------------------------------------------------------- */

/* The names that staging makes. */
static larch_rekey_name *next_names(larch_rekey_name *names, size_t count, size_t *next_count)
{
    larch_rekey_name *next = calloc(count + 1, sizeof *next);
    *next_count = 0;
    for (size_t i = 0; next != NULL && i < count; i++)
        if (ends_in(names[i], ".key") && strcmp(names[i], LARCH_SEAL_KEY_NAME) != 0 &&
            next_of(names[i], next[*next_count]) == LARCH_OK)
            ++*next_count;
    if (next != NULL)
        memcpy(next[(*next_count)++], HEAD_NEXT, sizeof HEAD_NEXT);
    return next;
}

larch_error larch_rekey_run(const larch_storage *medium, larch_rekey_name *names, size_t count, const char *sessions,
                            const larch_seal_key *old_key, const larch_seal_key *new_key,
                            const larch_store_head *new_head, const larch_random *random, larch_rekey_name faulty,
                            larch_registry_reason *why)
{
    uint8_t check[LARCH_RESEAL_CHECK_LEN];
    larch_registry_reason other;
    size_t next_count;
    bool is_done = false;
    larch_rekey_name *next = next_names(names, count, &next_count);
    *why = (larch_registry_reason){.fault = LARCH_REGISTRY_NONE};
    if (next == NULL)
        return LARCH_PLATFORM;
    larch_error e = larch_rekey_stage(medium, names, count, old_key, new_key, new_head, random, faulty);
    if (e == LARCH_OK) {
        faulty[0] = '\0';
        e = larch_sessions_reseal(sessions, old_key, new_key, random, why);
    }
    /* Whatever was returned, the file says which key is in force. */
    const larch_error found = larch_sessions_sealed_by(sessions, check, &other);
    if (found == LARCH_OK || found == LARCH_AGAIN) {
        const larch_error finished =
            larch_rekey_finish(medium, next, next_count, found == LARCH_OK ? check : NULL, &is_done);
        e = e == LARCH_OK ? finished : e;
    } else if (e == LARCH_OK) {
        e = found;
        *why = other;
    }
    free(next);
    return e == LARCH_OK && !is_done ? LARCH_PLATFORM : e;
}
