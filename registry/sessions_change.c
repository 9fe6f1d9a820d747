/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts and devices that come and go. */
#include <stdio.h>
#include <string.h>

#include "registry/sessions_int.h"

static larch_error fail(larch_sessions *s, const char *name, larch_registry_fault fault, const char *text)
{
    char what[64];
    snprintf(what, sizeof what, "the context of %.32s", name);
    return larch_registry_fail(&s->why, what, fault, text);
}

/* ---- what may be added --------------------------------------------------- */

static bool is_name(const char *name)
{
    const size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if (name[i] == ':' || name[i] == 0x7f || (uint8_t)name[i] < ' ')
            return false;
    return len > 0 && len <= LARCH_SESSIONS_NAME_MAX;
}

/* Two contexts with the same key have the same mark, whatever their secrets and roles look like: it is derived as the key is,
 * with other info, and keyed again, so that it says nothing about a secret that can be guessed. */
static larch_error mark_key(const larch_sessions *s, const larch_oscore_parameters *p, larch_bytes id,
                            uint8_t mark[LARCH_SESSIONS_MARK_LEN])
{
    uint8_t info[64], hash[LARCH_SHA256_LEN];
    larch_bytes all;
    larch_writer w = larch_writer_to(info, sizeof info);
    larch_writer_put_text(&w, "larch-mark");
    larch_writer_put_u8(&w, (uint8_t)p->aead->number);
    larch_writer_put_u8(&w, (uint8_t)id.len);
    larch_writer_put(&w, id);
    larch_writer_put_u8(&w, p->id_context.data != NULL);
    larch_writer_put(&w, p->id_context);
    larch_error e = larch_writer_finish(&w, &all);
    if (e == LARCH_OK &&
        (e = larch_cose_hkdf(p->hash, p->master_salt, p->master_secret, all, hash, sizeof hash)) == LARCH_OK) {
        const larch_bytes pieces[] = {LARCH_BYTES(hash)};
        e = larch_hmac_sha256(LARCH_BYTES(s->mark_key), pieces, 1, hash);
    }
    memcpy(mark, hash, LARCH_SESSIONS_MARK_LEN);
    larch_wipe(hash, sizeof hash);
    return e;
}

/* ---- adding -------------------------------------------------------------- */

/* A context on its way into the table. */
typedef struct addition {
    const char *name;
    larch_session_record record;
    larch_session session;
    uint8_t marks[LARCH_SESSIONS_MARKS][LARCH_SESSIONS_MARK_LEN];
} addition;

static larch_error get_device(larch_sessions *s, addition *a)
{
    const larch_error e = larch_sessions_db_find_device(s->db, a->name, &a->record.device, &s->why);
    return e == LARCH_AGAIN ? larch_sessions_make_number(s, &a->record.device) : e;
}

static larch_error derive(larch_sessions *s, addition *a)
{
    const larch_oscore_parameters *p = &a->record.parameters;
    uint64_t number;
    larch_error e = larch_sessions_make_number(s, &number);
    if (e == LARCH_OK && (e = larch_sessions_derive(s, &a->record, number, &a->session)) == LARCH_OK &&
        (e = mark_key(s, p, p->sender_id, a->marks[0])) == LARCH_OK)
        e = mark_key(s, p, p->recipient_id, a->marks[1]);
    return e;
}

static larch_error store(larch_sessions *s, addition *a)
{
    uint8_t sealed[LARCH_SESSION_RECORD_MAX + LARCH_SEAL_OVERHEAD];
    larch_sessions_row row = {
        .number = a->session.number, .device = a->session.device, .expires_s = a->session.expires_s};
    if (larch_sessions_seal(s, &a->record, row.number, sealed, &row.sealed) != LARCH_OK)
        return fail(s, a->name, LARCH_REGISTRY_FAILED, "could not be sealed");
    const larch_error e = larch_sessions_wrote(s, larch_sessions_db_add(s->db, &row, a->name, a->marks, &s->why));
    return e == LARCH_REPLAY ? fail(s, a->name, LARCH_REGISTRY_TAKEN, "has a key that is or was on record") : e;
}

/* In memory first, where its kid is looked at; nothing finds it before this call returns. */
static larch_error place(larch_sessions *s, const addition *a, larch_session **session)
{
    switch (larch_sessions_place_session(s, &a->session, session)) {
    case LARCH_OK:
        return LARCH_OK;
    case LARCH_SPACE:
        return fail(s, a->name, LARCH_REGISTRY_CROWDED, "has no place: every one is taken");
    default:
        return fail(s, a->name, LARCH_REGISTRY_TAKEN, "has the kid of another context");
    }
}

/* Its own numbers come before it is on record. */
static larch_error begin_numbers(larch_sessions *s, const addition *a, larch_session *session)
{
    const larch_error e = s->epochs != NULL ? larch_epochs_begin_new(s->epochs, session) : LARCH_OK;
    if (e == LARCH_SPENT)
        return fail(s, a->name, LARCH_REGISTRY_SPENT, "has no own numbers: no epoch is left");
    return e == LARCH_PLATFORM && !s->failed ? LARCH_SPACE : e;
}

static larch_error add(larch_sessions *s, addition *a, larch_session **session)
{
    larch_error e = get_device(s, a);
    if (e == LARCH_OK)
        e = derive(s, a);
    if (e == LARCH_STATE)
        return fail(s, a->name, LARCH_REGISTRY_INVALID, "has equal IDs, or one that its algorithm does not allow");
    if (e != LARCH_OK)
        return fail(s, a->name, LARCH_REGISTRY_FAILED, "could not be made: the cryptography or the file failed");
    if ((e = place(s, a, session)) != LARCH_OK)
        return e;
    if ((e = begin_numbers(s, a, *session)) == LARCH_OK && (e = store(s, a)) == LARCH_OK)
        return LARCH_OK;
    larch_sessions_unplace(s, *session);
    *session = NULL;
    return e;
}

larch_error larch_sessions_add(larch_sessions *s, const char *name, const larch_oscore_parameters *parameters,
                               uint32_t expires_s, larch_session **session)
{
    addition a = {.name = name, .record = {.device = 1, .expires_s = expires_s, .parameters = *parameters}};
    *session = NULL;
    if (s->failed)
        return LARCH_PLATFORM;
    if (!is_name(name))
        return fail(s, "the device", LARCH_REGISTRY_INVALID,
                    "has no usable name: that has 1 to 16 bytes, without colons and control characters");
    if (!larch_session_record_fits(&a.record))
        return fail(s, name, LARCH_REGISTRY_INVALID,
                    "has an algorithm that larch lacks, or an ID, a salt or a secret that is too long or too short");
    if (s->waits)
        return fail(s, name, LARCH_REGISTRY_WAITS, "cannot be added while the clock is behind");
    const larch_error e = add(s, &a, session);
    larch_wipe(&a, sizeof a);
    return e;
}

/* ---- removing ------------------------------------------------------------ */

static larch_error forget(larch_sessions *s, const uint64_t *numbers, size_t count, uint64_t unix_s)
{
    const larch_error e = larch_sessions_wrote(s, larch_sessions_db_remove(s->db, numbers, count, unix_s, &s->why));
    if (e != LARCH_OK)
        return e;
    for (size_t i = 0; i < count; i++) {
        larch_session *session = larch_session_table_find_number(&s->table, numbers[i]);
        if (session != NULL)
            larch_sessions_unplace(s, session);
    }
    s->has_removed = s->has_removed || count > 0;
    return LARCH_OK;
}

larch_error larch_sessions_remove(larch_sessions *s, uint64_t number)
{
    if (s->failed)
        return LARCH_PLATFORM;
    if (larch_session_table_find_number(&s->table, number) == NULL)
        return larch_registry_fail(&s->why, s->path, LARCH_REGISTRY_TAKEN, "holds no context of this number");
    return forget(s, &number, 1, 0);
}

larch_error larch_sessions_forget_device(larch_sessions *s, uint64_t device, size_t *removed)
{
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    size_t at = 0;
    larch_session *session;
    *removed = 0;
    if (s->failed)
        return LARCH_PLATFORM;
    if (!larch_sessions_name(s, device, name))
        return larch_registry_fail(&s->why, s->path, LARCH_REGISTRY_TAKEN, "holds no device of this number");
    const larch_error e = larch_sessions_wrote(s, larch_sessions_db_remove_device(s->db, device, &s->why));
    if (e != LARCH_OK)
        return e;
    while ((session = larch_session_table_next(&s->table, &at)) != NULL) {
        if (session->device != device)
            continue;
        *removed += s->grants[session - s->places].is_doomed ? 0u : 1u;
        larch_sessions_unplace(s, session);
    }
    s->has_removed = true;
    return LARCH_OK;
}

larch_error larch_sessions_expire(larch_sessions *s, uint64_t unix_s, size_t *removed)
{
    uint64_t numbers[LARCH_SESSIONS_EXPIRE_MAX];
    size_t count = 0;
    *removed = 0;
    if (s->failed)
        return LARCH_PLATFORM;
    if (unix_s == 0 || s->waits)
        return LARCH_OK;
    larch_sessions_see_time(s, unix_s);
    larch_error e = larch_sessions_db_list_expired(s->db, unix_s, numbers, LARCH_SESSIONS_EXPIRE_MAX, &count, &s->why);
    if (e != LARCH_OK)
        return larch_sessions_wrote(s, e);
    if (count > 0 && (e = forget(s, numbers, count, unix_s)) == LARCH_OK)
        *removed = count;
    return e;
}

/* ---- devices ------------------------------------------------------------- */

uint64_t larch_sessions_device(larch_sessions *s, const char *name)
{
    uint64_t device = 0;
    return larch_sessions_db_find_device(s->db, name, &device, &s->why) == LARCH_OK ? device : 0;
}

bool larch_sessions_name(larch_sessions *s, uint64_t device, char name[LARCH_SESSIONS_NAME_MAX + 1])
{
    name[0] = '\0';
    return larch_sessions_db_get_name(s->db, device, name, &s->why) == LARCH_OK;
}
