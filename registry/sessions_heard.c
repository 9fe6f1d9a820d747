/* SPDX-License-Identifier: Apache-2.0 */
/* When devices were heard last. A message costs no write: the file lags by LARCH_SESSIONS_HEARD_S at most. */
#include "registry/sessions_int.h"

#define SCAN_MAX  16384 /* places that one transaction looks at, */
#define WRITE_MAX 512   /* and devices that it writes */

void larch_sessions_hear(larch_sessions *s, const larch_session *session, uint64_t unix_s)
{
    if (unix_s > 0 && unix_s < UINT32_MAX)
        s->grants[session - s->places].heard_s = (uint32_t)unix_s;
}

uint32_t larch_sessions_heard(const larch_sessions *s, const larch_session *session)
{
    return s->grants[session - s->places].heard_s;
}

/* Also if the clock was set back. */
static bool is_due(const larch_sessions_grant *g, bool exactly)
{
    return g->heard_s != g->heard_stored_s && (exactly || g->heard_s - g->heard_stored_s >= LARCH_SESSIONS_HEARD_S);
}

/* *at: from where the next call goes on. */
static larch_error write_some(larch_sessions *s, bool exactly, size_t *at)
{
    larch_sessions_heard_row rows[WRITE_MAX];
    size_t places[WRITE_MAX], count = 0;
    for (size_t i = 0; i < SCAN_MAX && count < WRITE_MAX && *at < s->place_end; i++, (*at)++)
        if (s->places[*at].number != 0 && !s->grants[*at].is_doomed && is_due(&s->grants[*at], exactly)) {
            places[count] = *at;
            rows[count++] = (larch_sessions_heard_row){s->places[*at].device, s->grants[*at].heard_s};
        }
    if (count == 0)
        return LARCH_OK;
    const larch_error e = larch_sessions_wrote(s, larch_sessions_db_store_heard(s->db, rows, count, &s->why));
    for (size_t i = 0; e == LARCH_OK && i < count; i++)
        s->grants[places[i]].heard_stored_s = s->grants[places[i]].heard_s;
    return e;
}

larch_error larch_sessions_write_heard(larch_sessions *s, bool exactly)
{
    size_t at = exactly ? 0 : s->heard_at;
    larch_error e = write_some(s, exactly, &at);
    while (e == LARCH_OK && exactly && at < s->place_end)
        e = write_some(s, exactly, &at);
    if (!exactly)
        s->heard_at = at < s->place_end ? at : 0;
    return e;
}
