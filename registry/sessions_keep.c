/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway's run: what its node asks of the sessions, observations, the start and the clock. */
#include <string.h>

#include "registry/sessions_int.h"

/* ---- once a second ------------------------------------------------------- */

larch_error larch_sessions_flush(larch_sessions *s)
{
    if (s->failed)
        return LARCH_PLATFORM;
    larch_error e = larch_sessions_write_counters(s, NULL, false);
    if (e == LARCH_OK)
        e = larch_sessions_write_heard(s, false);
    if (e != LARCH_OK || !s->has_removed)
        return e;
    e = larch_sessions_wrote(s, larch_sessions_db_truncate_log(s->db, &s->why));
    s->has_removed = e != LARCH_OK;
    return e;
}

/* ---- what the node asks -------------------------------------------------- */

static bool is_alive(const larch_sessions *s, const larch_session *session)
{
    return !s->grants[session - s->places].is_doomed && (session->expires_s == 0 || session->expires_s > s->newest_s);
}

static larch_session *find(void *context, larch_bytes kid, larch_bytes kid_context)
{
    larch_sessions *s = context;
    larch_session *session;
    if (s->epochs == NULL)
        return NULL;
    for (size_t i = 0; (session = larch_session_table_find(&s->table, kid, kid_context, i)) != NULL; i++)
        if (is_alive(s, session))
            return session;
    return NULL;
}

static larch_session *find_number(void *context, uint64_t number)
{
    larch_sessions *s = context;
    larch_session *session = s->epochs != NULL ? larch_session_table_find_number(&s->table, number) : NULL;
    return session != NULL && is_alive(s, session) ? session : NULL;
}

static larch_error raise(void *context, uint64_t epoch)
{
    larch_sessions *s = context;
    larch_sessions_setting setting = larch_sessions_setting_now(s);
    if (epoch > setting.unused)
        setting.unused = epoch;
    else if (setting.start == s->stored.start)
        return s->failed ? LARCH_PLATFORM : LARCH_OK;
    return larch_sessions_store(s, &setting, NULL, 0) == LARCH_OK ? LARCH_OK : LARCH_PLATFORM;
}

/* ---- observations -------------------------------------------------------- */

#define KEY_MAX (16 + 4 + 2 + LARCH_COAP_TOKEN_MAX)

/* An endpoint may observe a resource once with each token. [RFC7641 4.1] */
static larch_bytes key_of(const larch_observation *o, uint8_t bytes[KEY_MAX])
{
    larch_writer w = larch_writer_to(bytes, KEY_MAX);
    larch_writer_put(&w, LARCH_BYTES(o->peer.address));
    larch_writer_put_u32(&w, o->peer.scope);
    larch_writer_put_u16(&w, o->peer.port);
    larch_writer_put(&w, (larch_bytes){o->token, o->token_len});
    return (larch_bytes){bytes, w.len};
}

static larch_error add_observation(void *context, const larch_observation *observation)
{
    larch_sessions *s = context;
    uint8_t key_bytes[KEY_MAX], record[LARCH_OBSERVATION_RECORD_MAX];
    const larch_bytes key = key_of(observation, key_bytes);
    size_t others = 0;
    if (s->failed)
        return LARCH_PLATFORM;
    larch_writer w = larch_writer_to(record, sizeof record);
    larch_observation_record_put(&w, observation);
    larch_error e = larch_sessions_db_count_others(s->db, observation->session, key, &others, &s->why);
    if (e == LARCH_OK && others >= LARCH_SESSIONS_OBSERVATIONS)
        return LARCH_SPACE;
    if (e == LARCH_OK)
        e = larch_sessions_db_add_observation(s->db, observation->session, key, (larch_bytes){record, w.len}, &s->why);
    return larch_sessions_wrote(s, e);
}

static larch_error end_observation(void *context, const larch_observation *observation)
{
    larch_sessions *s = context;
    uint8_t key_bytes[KEY_MAX];
    if (s->failed)
        return LARCH_PLATFORM;
    const larch_error e =
        larch_sessions_db_end_observation(s->db, observation->session, key_of(observation, key_bytes), &s->why);
    return larch_sessions_wrote(s, e) == LARCH_OK ? LARCH_OK : LARCH_PLATFORM;
}

larch_error larch_sessions_next_observation(larch_sessions *s, uint64_t *at, larch_observation *o)
{
    uint8_t record[LARCH_OBSERVATION_RECORD_MAX];
    uint64_t session;
    size_t len;
    larch_error e;
    while ((e = larch_sessions_db_next_observation(s->db, at, &session, record, sizeof record, &len, &s->why)) ==
           LARCH_OK) {
        if (larch_observation_record_take((larch_bytes){record, len}, o) != LARCH_OK)
            return larch_registry_fail(&s->why, s->path, LARCH_REGISTRY_DAMAGED, "is damaged (an observation)");
        o->session = session;
        if (larch_session_table_find_number(&s->table, session) != NULL)
            return LARCH_OK;
    }
    return e == LARCH_AGAIN || s->why.fault == LARCH_REGISTRY_DAMAGED ? e : LARCH_PLATFORM;
}

const larch_contexts *larch_sessions_contexts(larch_sessions *s)
{
    s->contexts = (larch_contexts){.context = s,
                                   .find = find,
                                   .find_number = find_number,
                                   .raise = raise,
                                   .add_observation = add_observation,
                                   .end_observation = end_observation};
    return &s->contexts;
}

/* ---- start --------------------------------------------------------------- */

/* The clock is behind: the file carries this start, but no context is used. */
static larch_error begin_waiting(larch_sessions *s, uint64_t now_ms)
{
    const larch_sessions_setting setting = larch_sessions_setting_now(s);
    if (s->waits)
        return LARCH_AGAIN;
    const larch_error e = setting.start != s->stored.start ? larch_sessions_store(s, &setting, NULL, 0) : LARCH_OK;
    s->waits = e == LARCH_OK;
    s->wait_end_ms = now_ms + LARCH_SESSIONS_WAIT_MS;
    return e == LARCH_OK ? LARCH_AGAIN : e;
}

static larch_error delete_contexts(larch_sessions *s, size_t *removed)
{
    const larch_sessions_setting setting = larch_sessions_setting_now(s);
    const larch_error e = larch_sessions_wrote(s, larch_sessions_db_clear(s->db, &setting, removed, &s->why));
    if (e != LARCH_OK)
        return e;
    s->stored = setting;
    s->has_removed = true;
    larch_sessions_drop_all(s);
    return LARCH_OK;
}

static larch_error fail_epochs(larch_sessions *s, larch_error e)
{
    if (e == LARCH_SPENT)
        (void)!larch_registry_fail(&s->why, s->path, LARCH_REGISTRY_SPENT, "has no epoch left for own numbers");
    return e == LARCH_PLATFORM && !s->failed ? LARCH_SPACE : e;
}

larch_error larch_sessions_start(larch_sessions *s, larch_epochs *epochs, uint64_t now_ms, uint64_t unix_s,
                                 size_t *removed)
{
    size_t at = 0;
    larch_session *session;
    larch_error e = LARCH_OK;
    *removed = 0;
    if (s->table.used > 0 && unix_s < s->newest_s) {
        if (!s->waits || now_ms < s->wait_end_ms)
            return begin_waiting(s, now_ms);
        e = delete_contexts(s, removed);
    }
    if (e != LARCH_OK)
        return e;
    larch_sessions_see_time(s, unix_s);
    if ((e = larch_epochs_start(epochs, larch_sessions_contexts(s), now_ms, s->stored.unused, unix_s)) != LARCH_OK)
        return fail_epochs(s, e);
    while ((session = larch_session_table_next(&s->table, &at)) != NULL)
        larch_epochs_begin(epochs, session);
    s->epochs = epochs;
    s->waits = false;
    return LARCH_OK;
}
