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
    return (larch_seal_place){"psk", number, "sealed", LARCH_SESSIONS_SEALED};
}

static larch_error seal_row(const larch_sessions *s, const larch_psk_record *record,
                            uint8_t sealed[LARCH_PSK_RECORD_MAX + LARCH_SEAL_OVERHEAD], larch_sessions_psk_row *row)
{
    uint8_t plain[LARCH_PSK_RECORD_MAX];
    larch_writer w = larch_writer_to(plain, sizeof plain);
    const larch_seal_place place = place_of(row->number);
    larch_psk_record_put(&w, record);
    const larch_error e = larch_seal_record(&s->key, &place, s->random, (larch_bytes){plain, w.len}, sealed,
                                            LARCH_PSK_RECORD_MAX + LARCH_SEAL_OVERHEAD, &row->sealed);
    larch_wipe(plain, sizeof plain);
    return e;
}

/* A row for a key, of a new number; its seal is in sealed. */
static larch_error make_row(const larch_sessions *s, const larch_psk_record *record,
                            uint8_t sealed[LARCH_PSK_RECORD_MAX + LARCH_SEAL_OVERHEAD], larch_sessions_psk_row *row)
{
    *row = (larch_sessions_psk_row){.device = record->device, .kid = {record->key.kid, record->key.kid_len}};
    const larch_error e = larch_sessions_make_number(s, &row->number);
    return e == LARCH_OK ? seal_row(s, record, sealed, row) : e;
}

/* ---- finding ---------------------------------------------------------------- */

typedef struct opening {
    larch_sessions *s;
    larch_enrolled_key *key;
} opening;

/* LARCH_AUTH: it is not what was sealed. */
static larch_error open_row(const larch_sessions *s, const larch_sessions_psk_row *row, larch_psk_record *record)
{
    const larch_seal_place place = place_of(row->number);
    uint8_t bytes[LARCH_PSK_RECORD_MAX];
    larch_bytes plain;
    larch_error e = larch_seal_open_record(&s->key, &place, row->sealed, bytes, sizeof bytes, &plain);
    if (e == LARCH_OK && (larch_psk_record_take(plain, record) != LARCH_OK || record->device != row->device ||
                          !larch_bytes_equal(row->kid, (larch_bytes){record->key.kid, record->key.kid_len})))
        e = LARCH_AUTH;
    larch_wipe(bytes, sizeof bytes);
    return e == LARCH_OK || e == LARCH_PLATFORM ? e : LARCH_AUTH;
}

/* CRED_I is the one whose hash is sealed. */
static larch_error take_cred(const larch_psk_record *own, larch_bytes cred, larch_enrolled_key *key)
{
    uint8_t hash[LARCH_SHA256_LEN];
    if (!own->has_credential)
        return LARCH_OK;
    if (cred.len == 0 || cred.len > sizeof key->cred)
        return LARCH_AUTH;
    const larch_error e = larch_sha256(&cred, 1, hash);
    if (e != LARCH_OK || memcmp(hash, own->credential, sizeof hash) != 0)
        return e != LARCH_OK ? LARCH_PLATFORM : LARCH_AUTH;
    memcpy(key->cred, cred.data, cred.len);
    key->cred_len = (uint16_t)cred.len;
    return LARCH_OK;
}

static larch_error take_key(void *context, const larch_sessions_found_row *row)
{
    const opening *o = context;
    larch_enrolled_key *key = o->key;
    larch_psk_record found, own;
    larch_error e = open_row(o->s, &row->psk, &found);
    if (e == LARCH_OK && (e = open_row(o->s, &row->own, &own)) == LARCH_OK)
        e = own.key.kid_len == sizeof key->own_kid ? take_cred(&own, row->cred, key) : LARCH_AUTH;
    if (e == LARCH_OK) {
        key->number = row->psk.number;
        key->device = found.device;
        key->key = found.key;
        key->is_resumption = row->psk.made > 0;
        key->method = own.method;
        key->suite = own.suite;
        memcpy(key->own_kid, own.key.kid, sizeof key->own_kid);
    } else if (e == LARCH_PLATFORM) {
        e = fail_cryptography(o->s);
    } else {
        e = larch_registry_fail(&o->s->why, o->s->path, LARCH_REGISTRY_DAMAGED, "is damaged (the key of a device)");
    }
    larch_wipe(&found, sizeof found);
    larch_wipe(&own, sizeof own);
    return e == LARCH_OK ? LARCH_OK : LARCH_PLATFORM;
}

static larch_error end_search(larch_sessions *s, larch_error e, larch_enrolled_key *key)
{
    if (e == LARCH_OK && !larch_sessions_name(s, key->device, key->name))
        e = LARCH_PLATFORM;
    if (e != LARCH_OK)
        larch_wipe(key, sizeof *key);
    return e == LARCH_OK || e == LARCH_AGAIN ? e : LARCH_PLATFORM;
}

larch_error larch_sessions_find_key(larch_sessions *s, larch_bytes kid, unsigned nth, larch_enrolled_key *key)
{
    opening o = {s, key};
    memset(key, 0, sizeof *key);
    return end_search(
        s, s->failed ? LARCH_PLATFORM : larch_sessions_db_find_psk(s->db, kid, nth, take_key, &o, &s->why), key);
}

static larch_error find_of_device(larch_sessions *s, uint64_t device, larch_enrolled_key *key)
{
    opening o = {s, key};
    return end_search(s, larch_sessions_db_find_own(s->db, device, take_key, &o, &s->why), key);
}

larch_error larch_sessions_find_own(larch_sessions *s, larch_bytes name, larch_enrolled_key *key)
{
    char text[LARCH_SESSIONS_NAME_MAX + 1] = "";
    uint64_t device;
    memset(key, 0, sizeof *key);
    if (!larch_enrolment_is_name(name))
        return LARCH_AGAIN;
    memcpy(text, name.data, name.len);
    const larch_error e = s->failed ? LARCH_PLATFORM : larch_sessions_db_find_device(s->db, text, &device, &s->why);
    return e == LARCH_OK ? find_of_device(s, device, key) : e == LARCH_AGAIN ? e : LARCH_PLATFORM;
}

larch_error larch_sessions_find_cred(larch_sessions *s, larch_bytes hash, larch_enrolled_key *key)
{
    uint64_t device;
    memset(key, 0, sizeof *key);
    const larch_error e = s->failed ? LARCH_PLATFORM : larch_sessions_db_find_hash(s->db, hash, &device, &s->why);
    return e == LARCH_OK ? find_of_device(s, device, key) : e == LARCH_AGAIN ? e : LARCH_PLATFORM;
}

larch_error larch_sessions_find_revoked(larch_sessions *s, larch_bytes pub)
{
    uint8_t hash[LARCH_SHA256_LEN];
    if (s->failed || larch_sha256(&pub, 1, hash) != LARCH_OK)
        return LARCH_PLATFORM;
    const larch_error e = larch_sessions_db_find_revoked(s->db, LARCH_BYTES(hash), &s->why);
    return e == LARCH_OK || e == LARCH_AGAIN ? e : LARCH_PLATFORM;
}

/* ---- enrolling ------------------------------------------------------------ */

static larch_error add_device(larch_sessions *s, larch_bytes name, larch_psk_record *record,
                              const larch_sessions_credential_row *credential, uint64_t *device)
{
    uint8_t sealed[LARCH_PSK_RECORD_MAX + LARCH_SEAL_OVERHEAD];
    char text[LARCH_SESSIONS_NAME_MAX + 1] = "";
    larch_sessions_psk_row row;
    const larch_lake_suite *suite = larch_lake_suite_find(record->suite);
    *device = 0;
    if (s->failed)
        return LARCH_PLATFORM;
    if (!larch_enrolment_is_name(name) || suite == NULL || !larch_enrolment_is_pair(record->method, suite) ||
        suite->hash != record->key.psk_hash)
        return fail(s, "to be added", LARCH_REGISTRY_INVALID,
                    "has no usable name, or a method that its cipher suite cannot do");
    memcpy(text, name.data, name.len);
    larch_error e = larch_sessions_make_number(s, &record->device);
    if (e == LARCH_OK)
        e = make_row(s, record, sealed, &row);
    if (e != LARCH_OK)
        return fail_cryptography(s);
    e = larch_sessions_wrote(s, larch_sessions_db_enrol(s->db, text, &row, credential, &s->why));
    if (e == LARCH_REPLAY)
        return fail(s, text, LARCH_REGISTRY_NAMED, "is there already");
    if (e == LARCH_OK)
        *device = record->device;
    return e;
}

larch_error larch_sessions_enrol(larch_sessions *s, const larch_enrolment *enrolment, uint64_t *device)
{
    larch_psk_record record = {
        .method = enrolment->method,
        .suite = enrolment->suite,
        .key = {.psk_hash = enrolment->hash, .psk_len = sizeof enrolment->psk, .kid_len = sizeof enrolment->kid}};
    const larch_sessions_credential_row credential = {.method = enrolment->method, .suite = enrolment->suite};
    *device = 0;
    if (enrolment->method != LARCH_LAKE_METHOD_PSK)
        return fail(s, "to be added", LARCH_REGISTRY_INVALID, "has no pre-shared key: it is added by its credential");
    memcpy(record.key.psk, enrolment->psk, sizeof enrolment->psk);
    memcpy(record.key.kid, enrolment->kid, sizeof enrolment->kid);
    const larch_error e =
        add_device(s, enrolment->name, &record, enrolment->suite != LARCH_LAKE_SUITE_PQ_1 ? &credential : NULL, device);
    larch_wipe(&record, sizeof record);
    return e;
}

typedef struct signer_row {
    larch_psk_record record;
    uint8_t key[LARCH_SHA256_LEN];
    larch_sessions_credential_row credential; /* views of the two above, and of the signer */
} signer_row;

static larch_error make_signer(larch_sessions *s, const larch_enrolled_signer *signer, signer_row *row)
{
    const larch_lake_suite *suite = larch_lake_suite_find(signer->suite);
    memset(row, 0, sizeof *row);
    if (signer->kid.len != LARCH_LAKE_KID_LEN || signer->cred.len == 0 || signer->cred.len > LARCH_LAKE_CWT_MAX)
        return fail(s, "to be added", LARCH_REGISTRY_INVALID,
                    "has a credential that is too long, or a kid not of 8 bytes");
    if (larch_sha256(&signer->cred, 1, row->record.credential) != LARCH_OK ||
        larch_sha256(&signer->pub, 1, row->key) != LARCH_OK)
        return fail_cryptography(s);
    row->record.method = LARCH_LAKE_METHOD_SIGNATURES;
    row->record.suite = signer->suite;
    row->record.has_credential = true;
    row->record.key.psk_hash = suite != NULL ? suite->hash : 0;
    row->record.key.kid_len = LARCH_LAKE_KID_LEN;
    memcpy(row->record.key.kid, signer->kid.data, signer->kid.len);
    row->credential = (larch_sessions_credential_row){.method = row->record.method,
                                                      .suite = signer->suite,
                                                      .key = LARCH_BYTES(row->key),
                                                      .hash = LARCH_BYTES(row->record.credential),
                                                      .cred = signer->cred};
    return LARCH_OK;
}

larch_error larch_sessions_enrol_signer(larch_sessions *s, const larch_enrolled_signer *signer, uint64_t *device)
{
    signer_row row;
    *device = 0;
    const larch_error e = make_signer(s, signer, &row);
    return e == LARCH_OK ? add_device(s, signer->name, &row.record, &row.credential, device) : e;
}

larch_error larch_sessions_renew_cred(larch_sessions *s, const larch_enrolled_key *key,
                                      const larch_enrolled_signer *signer)
{
    uint8_t sealed[LARCH_PSK_RECORD_MAX + LARCH_SEAL_OVERHEAD];
    signer_row row;
    larch_sessions_psk_row psk = {.number = key->number, .device = key->device};
    if (s->failed)
        return LARCH_PLATFORM;
    if (key->is_resumption || key->method != LARCH_LAKE_METHOD_SIGNATURES || signer->suite != key->suite)
        return fail(s, key->name, LARCH_REGISTRY_INVALID, "has another method or cipher suite on record");
    larch_error e = make_signer(s, signer, &row);
    if (e != LARCH_OK)
        return e;
    row.record.device = key->device;
    memcpy(row.record.key.kid, key->own_kid, sizeof key->own_kid); /* which its row is found by */
    if (seal_row(s, &row.record, sealed, &psk) != LARCH_OK)
        return fail_cryptography(s);
    return larch_sessions_wrote(s, larch_sessions_db_set_credential(s->db, &psk, &row.credential, &s->why));
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
                              const larch_lake_made *made, uint64_t number)
{
    uint8_t sealed[LARCH_SESSION_RECORD_MAX + LARCH_SEAL_OVERHEAD], key[LARCH_PSK_RECORD_MAX + LARCH_SEAL_OVERHEAD];
    larch_sessions_row row = {.number = number, .device = record->device, .expires_s = record->expires_s};
    larch_psk_record rpsk = {
        .device = record->device, .key = made->next, .method = LARCH_LAKE_METHOD_PSK, .suite = LARCH_LAKE_SUITE_PQ_1};
    larch_sessions_psk_row psk;
    larch_sessions_doomed doomed;
    larch_error e = make_row(s, &rpsk, key, &psk);
    if (e == LARCH_OK)
        e = larch_sessions_seal(s, record, number, sealed, &row.sealed);
    if (e != LARCH_OK) {
        larch_wipe(&rpsk.key, sizeof rpsk.key);
        return fail_cryptography(s);
    }
    e = larch_sessions_db_add_made(s->db, &row, &psk, key_number, made->stamp, &doomed, &s->why);
    larch_wipe(&rpsk.key, sizeof rpsk.key);
    if (e == LARCH_AGAIN)
        return LARCH_AUTH;
    e = end_part(s, e, number, true, &doomed);
#if LARCH_KEYLOG
    if (e == LARCH_OK && s->key_log != NULL)
        s->key_log(s->key_log_context, &record->parameters);
#endif
    return e;
}

static uint32_t expiry(const larch_sessions *s, uint64_t unix_s, uint64_t until_s)
{
    const uint64_t base = unix_s > s->newest_s && unix_s < UINT32_MAX - LARCH_SESSION_LIFE_S ? unix_s : s->newest_s;
    const uint32_t end_s = (uint32_t)base + LARCH_SESSION_LIFE_S;
    return until_s > 0 && until_s < end_s ? (uint32_t)until_s : end_s;
}

uint64_t larch_sessions_last_made(larch_sessions *s)
{
    uint64_t made = 0;
    return !s->failed && larch_sessions_db_last_made(s->db, &made, &s->why) == LARCH_OK ? made : 0;
}

larch_error larch_sessions_add_made(larch_sessions *s, const larch_enrolled_key *key, const larch_lake_made *made,
                                    uint64_t unix_s, uint64_t until_s, larch_session *session)
{
    const larch_lake_oscore *oscore = &made->oscore;
    const uint32_t expires_s = expiry(s, unix_s, until_s);
    const larch_session_record record = {
        .device = key->device,
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
    session->device = key->device;
    session->expires_s = expires_s;
    if (session->number == 0 || session->number > INT64_MAX || !larch_session_record_fits(&record))
        return LARCH_AUTH;
    /* In memory first, where its number and kid are looked at; nothing finds it before this call returns. */
    larch_error e = larch_sessions_place_session(s, session, &place);
    if (e != LARCH_OK)
        return e == LARCH_SPACE ? LARCH_SPACE : LARCH_AUTH;
    e = store_made(s, key->number, &record, made, session->number);
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
