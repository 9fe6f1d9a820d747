/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far contexts have used their limits, in the file. It is written in grants, ahead of use, so that messages cost no
 * write; and exactly at an end in order.
 */
#include <stdlib.h>

#include "registry/sessions_int.h"

#define OWN_GRANT    1024
#define FAILED_GRANT 256
#define SCAN_MAX     16384 /* places that one transaction looks at, */
#define WRITE_MAX    4096  /* and contexts that it writes */

static bool is_used(const larch_session *session, const larch_sessions_grant *g)
{
    return session->own_used != g->own_seen || session->failed != g->failed_seen;
}

static bool is_short(uint32_t used, uint32_t seen, uint32_t granted, uint32_t grant)
{
    return used != seen && (used >= granted || granted - used < grant / 2);
}

static bool needs_grant(const larch_session *session, const larch_sessions_grant *g)
{
    return is_short(session->own_used, g->own_seen, g->own, OWN_GRANT) ||
           is_short(session->failed, g->failed_seen, g->failed, FAILED_GRANT);
}

/* What is granted to one that used none since it was loaded is what it had. */
static uint32_t granted(uint32_t used, uint32_t seen, uint32_t before, uint32_t grant)
{
    return used == seen && used <= before ? before : used + grant;
}

static larch_sessions_counters counters_of(const larch_session *session, const larch_sessions_grant *g, bool exactly)
{
    if (exactly)
        return (larch_sessions_counters){session->number, session->own_used, session->failed};
    return (larch_sessions_counters){session->number, granted(session->own_used, g->own_seen, g->own, OWN_GRANT),
                                     granted(session->failed, g->failed_seen, g->failed, FAILED_GRANT)};
}

static size_t gather(larch_sessions *s, bool exactly, size_t *at, larch_sessions_counters *counters)
{
    size_t count = 0;
    for (size_t i = 0; i < SCAN_MAX && count < WRITE_MAX && *at < s->place_end; i++, (*at)++) {
        const larch_session *session = &s->places[*at];
        const larch_sessions_grant *g = &s->grants[*at];
        if (session->number != 0 && (exactly ? is_used(session, g) : needs_grant(session, g)))
            counters[count++] = counters_of(session, g, exactly);
    }
    return count;
}

static void note_grants(larch_sessions *s, const larch_sessions_counters *counters, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const larch_session *session = larch_session_table_find_number(&s->table, counters[i].number);
        larch_sessions_grant *g = &s->grants[session - s->places];
        g->own = counters[i].own_used;
        g->own_seen = session->own_used;
        g->failed = counters[i].failed;
        g->failed_seen = session->failed;
    }
}

/* Some contexts at a time: a gateway with very many of them writes those in several transactions. */
static larch_error write_some(larch_sessions *s, const larch_sessions_setting *setting, bool exactly, size_t *at,
                              larch_sessions_counters *counters)
{
    const size_t count = gather(s, exactly, at, counters);
    if (count == 0 && setting == NULL)
        return LARCH_OK;
    const larch_error e = larch_sessions_store(s, setting, counters, count);
    if (e == LARCH_OK)
        note_grants(s, counters, count);
    return e;
}

larch_error larch_sessions_write_counters(larch_sessions *s, const larch_sessions_setting *setting, bool exactly)
{
    larch_sessions_counters *counters = malloc(WRITE_MAX * sizeof *counters);
    size_t at = exactly ? 0 : s->scan_at;
    if (counters == NULL)
        return larch_registry_fail(&s->why, s->path, LARCH_REGISTRY_FAILED, "cannot be written: out of memory");
    larch_error e = write_some(s, setting, exactly, &at, counters);
    while (e == LARCH_OK && exactly && at < s->place_end)
        e = write_some(s, NULL, exactly, &at, counters);
    if (!exactly)
        s->scan_at = at < s->place_end ? at : 0;
    free(counters);
    return e;
}
