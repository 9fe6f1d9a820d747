/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that shake hands: their keys, and what their handshakes make. */
#include "registry/enrolled.h"

#include <stdio.h>
#include <string.h>

#include "registry/sessions_int.h"

static larch_error fail(larch_sessions *s, const char *name, larch_registry_fault fault, const char *text)
{
    char what[64];
    snprintf(what, sizeof what, "the device %.32s", name);
    return larch_registry_fail(&s->why, what, fault, text);
}

static larch_error fail_cryptography(larch_sessions *s)
{
    return larch_registry_fail(&s->why, s->path, LARCH_REGISTRY_FAILED, "cannot be used: the cryptography failed");
}

/* ---- keys ----------------------------------------------------------------- */

static larch_seal_place place_of(uint64_t number)
{
    return (larch_seal_place){"psk", number, "sealed", LARCH_SESSIONS_SCHEMA};
}

/* A row for a key of this device, and of a new number; its seal is in sealed. */
static larch_error make_row(const larch_sessions *s, uint64_t device, const larch_lake_resumption *key,
                            uint8_t sealed[LARCH_PSK_RECORD_MAX + LARCH_SEAL_OVERHEAD], larch_sessions_psk_row *row)
{
    uint8_t plain[LARCH_PSK_RECORD_MAX];
    larch_writer w = larch_writer_to(plain, sizeof plain);
    *row = (larch_sessions_psk_row){.device = device, .kid = {key->kid, key->kid_len}};
    larch_error e = larch_sessions_make_number(s, &row->number);
    const larch_seal_place place = place_of(row->number);
    larch_psk_record_put(&w, device, key);
    if (e == LARCH_OK)
        e = larch_seal_record(&s->key, &place, s->random, (larch_bytes){plain, w.len}, sealed,
                              LARCH_PSK_RECORD_MAX + LARCH_SEAL_OVERHEAD, &row->sealed);
    larch_wipe(plain, sizeof plain);
    return e;
}

typedef struct opening {
    larch_sessions *s;
    larch_enrolled_key *key;
} opening;

static larch_error take_key(void *context, const larch_sessions_psk_row *row, larch_bytes own_kid)
{
    const opening *o = context;
    const larch_seal_place place = place_of(row->number);
    uint8_t bytes[LARCH_PSK_RECORD_MAX];
    larch_bytes plain;
    larch_error e = larch_seal_open_record(&o->s->key, &place, row->sealed, bytes, sizeof bytes, &plain);
    if (e == LARCH_PLATFORM)
        e = fail_cryptography(o->s);
    else if (e != LARCH_OK || larch_psk_record_take(plain, &o->key->device, &o->key->key) != LARCH_OK ||
             o->key->device != row->device || own_kid.len != sizeof o->key->own_kid ||
             !larch_bytes_equal(row->kid, (larch_bytes){o->key->key.kid, o->key->key.kid_len}))
        e = larch_registry_fail(&o->s->why, o->s->path, LARCH_REGISTRY_DAMAGED, "is damaged (the key of a device)");
    larch_wipe(bytes, sizeof bytes);
    if (e != LARCH_OK)
        return LARCH_PLATFORM;
    o->key->number = row->number;
    o->key->is_resumption = row->made > 0;
    memcpy(o->key->own_kid, own_kid.data, own_kid.len);
    return LARCH_OK;
}

larch_error larch_sessions_find_key(larch_sessions *s, larch_bytes kid, unsigned nth, larch_enrolled_key *key)
{
    opening o = {s, key};
    memset(key, 0, sizeof *key);
    larch_error e = s->failed ? LARCH_PLATFORM : larch_sessions_db_find_psk(s->db, kid, nth, take_key, &o, &s->why);
    if (e == LARCH_OK && !larch_sessions_name(s, key->device, key->name))
        e = LARCH_PLATFORM;
    if (e != LARCH_OK)
        larch_wipe(key, sizeof *key);
    return e == LARCH_OK || e == LARCH_AGAIN ? e : LARCH_PLATFORM;
}

/* ---- enrolling ------------------------------------------------------------ */

larch_error larch_sessions_enrol(larch_sessions *s, const larch_enrolment *enrolment, uint64_t *device)
{
    uint8_t sealed[LARCH_PSK_RECORD_MAX + LARCH_SEAL_OVERHEAD];
    char name[LARCH_SESSIONS_NAME_MAX + 1] = "";
    larch_lake_resumption key = {
        .psk_hash = enrolment->hash, .psk_len = sizeof enrolment->psk, .kid_len = sizeof enrolment->kid};
    larch_sessions_psk_row row;
    *device = 0;
    if (s->failed)
        return LARCH_PLATFORM;
    if (!larch_enrolment_is_name(enrolment->name) || !larch_enrolment_is_hash(enrolment->hash))
        return fail(s, "to be added", LARCH_REGISTRY_INVALID, "has no usable name, or a key for no cipher suite");
    memcpy(name, enrolment->name.data, enrolment->name.len);
    memcpy(key.psk, enrolment->psk, sizeof enrolment->psk);
    memcpy(key.kid, enrolment->kid, sizeof enrolment->kid);
    uint64_t number;
    larch_error e = larch_sessions_make_number(s, &number);
    if (e == LARCH_OK)
        e = make_row(s, number, &key, sealed, &row);
    larch_wipe(key.psk, sizeof key.psk);
    if (e != LARCH_OK)
        return fail_cryptography(s);
    e = larch_sessions_wrote(s, larch_sessions_db_enrol(s->db, name, &row, &s->why));
    if (e == LARCH_REPLAY)
        return fail(s, name, LARCH_REGISTRY_NAMED, "is there already");
    if (e == LARCH_OK)
        *device = number;
    return e;
}

larch_error larch_sessions_enrol_new(larch_sessions *s, larch_enrolment *enrolment, uint64_t *device)
{
    *device = 0;
    if (larch_random_fill(s->random, enrolment->kid, sizeof enrolment->kid) != LARCH_OK ||
        larch_random_fill(s->random, enrolment->psk, sizeof enrolment->psk) != LARCH_OK)
        return fail_cryptography(s);
    return larch_sessions_enrol(s, enrolment, device);
}

/* ---- handshakes ------------------------------------------------------------ */

/* Found no more, from now on. */
static void doom(larch_sessions *s, const larch_sessions_doomed *doomed)
{
    for (size_t i = 0; i < doomed->count; i++) {
        const larch_session *session = larch_session_table_find_number(&s->table, doomed->numbers[i]);
        if (session == NULL)
            continue;
        s->grants[session - s->places].is_doomed = true;
        s->doomed++;
        if (s->listed < LARCH_SESSIONS_GROUP)
            s->list[s->listed++] = doomed->numbers[i];
    }
    s->has_removed = true; /* a key, at the least */
}

/* ---- groups ------------------------------------------------------------------ */

static void add_part(larch_sessions *s, uint64_t number, bool is_made, const larch_sessions_doomed *doomed)
{
    s->group.parts[s->group.count].number = number;
    s->group.parts[s->group.count].is_made = is_made;
    s->group.parts[s->group.count++].doomed = *doomed;
}

/* Memory follows the file: what was made is there no more, and what was confirmed is not. */
static void undo_part(larch_sessions *s, uint64_t number, bool is_made)
{
    larch_session *session = larch_session_table_find_number(&s->table, number);
    if (session == NULL)
        return;
    if (is_made)
        larch_sessions_unplace(s, session);
    else
        session->is_unconfirmed = true;
}

bool larch_sessions_is_durable(const larch_sessions *s) { return s->group.count == 0; }

larch_error larch_sessions_commit(larch_sessions *s)
{
    if (s->group.count == 0)
        return LARCH_OK;
    const larch_error e = larch_sessions_wrote(s, larch_sessions_db_commit(s->db, &s->why));
    for (size_t i = 0; i < s->group.count; i++)
        if (e == LARCH_OK)
            doom(s, &s->group.parts[i].doomed);
        else
            undo_part(s, s->group.parts[i].number, s->group.parts[i].is_made);
    s->group.count = 0;
    return e;
}

/* The end of a part; e: of its write. */
static larch_error end_part(larch_sessions *s, larch_error e, uint64_t number, bool is_made,
                            const larch_sessions_doomed *doomed)
{
    if (e != LARCH_OK)
        return larch_sessions_wrote(s, e);
    add_part(s, number, is_made, doomed);
    return s->has_groups ? LARCH_OK : larch_sessions_commit(s);
}

static bool has_room(larch_sessions *s) { return s->group.count < LARCH_SESSIONS_GROUP; }

/* ---- what handshakes make ------------------------------------------------------ */

static larch_error store_made(larch_sessions *s, uint64_t key_number, const larch_session_record *record,
                              const larch_lake_resumption *next, uint64_t number)
{
    uint8_t sealed[LARCH_SESSION_RECORD_MAX + LARCH_SEAL_OVERHEAD], key[LARCH_PSK_RECORD_MAX + LARCH_SEAL_OVERHEAD];
    larch_sessions_row row = {.number = number, .device = record->device, .expires_s = record->expires_s};
    larch_sessions_psk_row psk;
    larch_sessions_doomed doomed;
    if (make_row(s, record->device, next, key, &psk) != LARCH_OK ||
        larch_sessions_seal(s, record, number, sealed, &row.sealed) != LARCH_OK)
        return fail_cryptography(s);
    larch_error e = larch_sessions_db_add_made(s->db, &row, &psk, key_number, &doomed, &s->why);
    if (e == LARCH_AGAIN)
        return LARCH_AUTH;
    e = end_part(s, e, number, true, &doomed);
#if LARCH_KEYLOG
    if (e == LARCH_OK && s->key_log != NULL)
        s->key_log(s->key_log_context, &record->parameters);
#endif
    return e;
}

static uint32_t expiry(const larch_sessions *s, uint64_t unix_s)
{
    const uint64_t base = unix_s > s->newest_s && unix_s < UINT32_MAX - LARCH_SESSION_LIFE_S ? unix_s : s->newest_s;
    return (uint32_t)base + LARCH_SESSION_LIFE_S;
}

larch_error larch_sessions_add_made(larch_sessions *s, uint64_t key_number, uint64_t device,
                                    const larch_lake_oscore *oscore, const larch_lake_resumption *next, uint64_t unix_s,
                                    larch_session *session)
{
    const uint32_t expires_s = expiry(s, unix_s);
    const larch_session_record record = {
        .device = device,
        .expires_s = expires_s,
        .parameters = {.aead = oscore->aead,
                       .hash = oscore->hash,
                       .master_secret = {oscore->master_secret, oscore->master_secret_len},
                       .master_salt = LARCH_BYTES(oscore->master_salt),
                       .sender_id = {oscore->sender_id.bytes, oscore->sender_id.len},
                       .recipient_id = {oscore->recipient_id.bytes, oscore->recipient_id.len}}};
    larch_session *place;
    if (s->failed || s->epochs == NULL)
        return LARCH_PLATFORM;
    if (!has_room(s))
        return LARCH_SPACE;
    session->device = device;
    session->expires_s = expires_s;
    if (session->number == 0 || session->number > INT64_MAX || !larch_session_record_fits(&record))
        return LARCH_AUTH;
    /* In memory first, where its number and kid are looked at; nothing finds it before this call returns. */
    larch_error e = larch_sessions_place_session(s, session, &place);
    if (e != LARCH_OK)
        return e == LARCH_SPACE ? LARCH_SPACE : LARCH_AUTH;
    e = store_made(s, key_number, &record, next, session->number);
    if (e != LARCH_OK && (place = larch_session_table_find_number(&s->table, session->number)) != NULL)
        larch_sessions_unplace(s, place);
    return e;
}

larch_error larch_sessions_confirm(larch_sessions *s, uint64_t number)
{
    larch_sessions_doomed doomed;
    if (s->failed)
        return LARCH_PLATFORM;
    if (!has_room(s))
        return LARCH_SPACE;
    const larch_error e = larch_sessions_db_confirm(s->db, number, &doomed, &s->why);
    return e == LARCH_AGAIN ? LARCH_STATE : end_part(s, e, number, false, &doomed);
}

const larch_session *larch_sessions_doomed_one(larch_sessions *s)
{
    while (s->listed > 0) {
        const larch_session *session = larch_session_table_find_number(&s->table, s->list[s->listed - 1]);
        if (session != NULL && s->grants[session - s->places].is_doomed)
            return session;
        s->listed--; /* it was dropped */
    }
    for (size_t i = 0; s->doomed > 0 && i < s->place_end; i++)
        if (s->places[i].number != 0 && s->grants[i].is_doomed)
            return &s->places[i];
    return NULL;
}

void larch_sessions_drop(larch_sessions *s, uint64_t number)
{
    larch_session *session = larch_session_table_find_number(&s->table, number);
    if (session != NULL && s->grants[session - s->places].is_doomed)
        larch_sessions_unplace(s, session);
}

/* ---- devices ---------------------------------------------------------------- */

larch_error larch_sessions_next_device(larch_sessions *s, uint64_t *at, char name[LARCH_SESSIONS_NAME_MAX + 1],
                                       bool *is_enrolled)
{
    const larch_error e = larch_sessions_db_next_device(s->db, at, name, is_enrolled, &s->why);
    return e == LARCH_OK || e == LARCH_AGAIN ? e : LARCH_PLATFORM;
}
