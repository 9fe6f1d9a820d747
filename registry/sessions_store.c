/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of the sessions do: places in memory, and writes of the file. */
#include <string.h>

#include "registry/sessions_int.h"

/* ---- places -------------------------------------------------------------- */

void larch_sessions_unplace(larch_sessions *s, larch_session *session)
{
    s->doomed -= s->grants[session - s->places].is_doomed;
    larch_session_table_remove(&s->table, session);
}

void larch_sessions_drop_all(larch_sessions *s)
{
    size_t at = 0;
    larch_session *session;
    while ((session = larch_session_table_next(&s->table, &at)) != NULL)
        larch_sessions_unplace(s, session);
}

larch_seal_place larch_sessions_place(uint64_t number)
{
    return (larch_seal_place){"context", number, "sealed", LARCH_SESSIONS_SEALED};
}

larch_error larch_sessions_derive(const larch_sessions *s, const larch_session_record *record, uint64_t number,
                                  larch_session *session)
{
    memset(session, 0, sizeof *session);
    session->number = number;
    session->device = record->device;
    session->expires_s = record->expires_s;
    const larch_error e = larch_oscore_context_init(&session->oscore, &record->parameters);
#if LARCH_KEYLOG
    if (e == LARCH_OK && s->key_log != NULL)
        s->key_log(s->key_log_context, &record->parameters);
#endif
    return e == LARCH_OK ? larch_oscore_forget_window(&session->oscore, s->random) : e;
}

larch_error larch_sessions_place_session(larch_sessions *s, const larch_session *session, larch_session **place)
{
    const larch_error e = larch_session_table_add(&s->table, session, place);
    if (e != LARCH_OK)
        return e;
    const size_t at = (size_t)(*place - s->places);
    s->grants[at] = (larch_sessions_grant){.own = session->own_used,
                                           .own_seen = session->own_used,
                                           .failed = session->failed,
                                           .failed_seen = session->failed};
    if (at >= s->place_end)
        s->place_end = at + 1;
    return LARCH_OK;
}

larch_error larch_sessions_make_number(const larch_sessions *s, uint64_t *number)
{
    uint8_t bytes[8];
    larch_error e;
    do {
        e = larch_random_fill(s->random, bytes, sizeof bytes);
        *number = larch_number_at(bytes, sizeof bytes) & (uint64_t)INT64_MAX;
    } while (e == LARCH_OK && *number == 0);
    return e;
}

/* ---- writes -------------------------------------------------------------- */

larch_error larch_sessions_seal(const larch_sessions *s, const larch_session_record *record, uint64_t number,
                                uint8_t *sealed, larch_bytes *out)
{
    const larch_seal_place place = larch_sessions_place(number);
    uint8_t plain[LARCH_SESSION_RECORD_MAX];
    larch_writer w = larch_writer_to(plain, sizeof plain);
    larch_bytes bytes;
    larch_session_record_put(&w, record);
    larch_error e = larch_writer_finish(&w, &bytes);
    if (e == LARCH_OK)
        e = larch_seal_record(&s->key, &place, s->random, bytes, sealed, LARCH_SESSION_RECORD_MAX + LARCH_SEAL_OVERHEAD,
                              out);
    larch_wipe(plain, sizeof plain);
    return e;
}

void larch_sessions_see_time(larch_sessions *s, uint64_t unix_s)
{
    if (unix_s > s->newest_s && unix_s < UINT32_MAX)
        s->newest_s = (uint32_t)unix_s;
}

larch_sessions_setting larch_sessions_setting_now(const larch_sessions *s)
{
    larch_sessions_setting setting = s->stored;
    setting.newest_s = s->newest_s;
    if (s->start > 0)
        setting.start = s->start;
    return setting;
}

larch_error larch_sessions_wrote(larch_sessions *s, larch_error e)
{
    if (e == LARCH_OK || e == LARCH_REPLAY)
        return e;
    s->failed = s->failed || s->why.fault != LARCH_REGISTRY_FULL;
    return s->failed ? LARCH_PLATFORM : LARCH_SPACE;
}

larch_error larch_sessions_store(larch_sessions *s, const larch_sessions_setting *setting,
                                 const larch_sessions_counters *counters, size_t count)
{
    if (s->failed)
        return LARCH_PLATFORM;
    const larch_error e = larch_sessions_db_store(s->db, setting, counters, count, &s->why);
    if (e == LARCH_OK && setting != NULL)
        s->stored = *setting;
    return larch_sessions_wrote(s, e);
}
