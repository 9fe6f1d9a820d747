/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/listing.h"

#include <string.h>

#include "registry/sessions_int.h"

/* Rows of one device after another, each with one of its contexts. */
typedef struct gathering {
    larch_sessions *s;
    larch_listed_device device; /* number 0: none yet */
    bool (*take)(void *context, const larch_listed_device *device);
    void *context;
    bool is_refused;
} gathering;

static void add_session(gathering *g, uint64_t number)
{
    larch_listed_device *d = &g->device;
    const larch_session *session = number != 0 ? larch_session_table_find_number(&g->s->table, number) : NULL;
    if (session == NULL || g->s->grants[session - g->s->places].is_doomed)
        return;
    const uint32_t heard_s = g->s->grants[session - g->s->places].heard_s;
    d->heard_s = heard_s > d->heard_s ? heard_s : d->heard_s;
    if (d->session_count < LARCH_LISTING_SESSIONS_MAX)
        d->sessions[d->session_count++] = session;
}

static bool flush(gathering *g)
{
    g->is_refused = g->device.number != 0 && !g->take(g->context, &g->device);
    return !g->is_refused;
}

static bool take_row(void *context, const larch_sessions_listed_row *row)
{
    gathering *g = context;
    if (g->device.number != row->device) {
        if (!flush(g))
            return false;
        g->device = (larch_listed_device){.number = row->device,
                                          .is_enrolled = row->is_enrolled,
                                          .method = (uint8_t)row->method,
                                          .suite = row->suite,
                                          .heard_s = row->heard_s};
        memcpy(g->device.name, row->name, sizeof g->device.name);
    }
    add_session(g, row->context);
    return true;
}

static larch_error end(larch_error e) { return e == LARCH_OK || e == LARCH_AGAIN ? e : LARCH_PLATFORM; }

larch_error larch_sessions_list(larch_sessions *s, const char *after,
                                bool (*take)(void *context, const larch_listed_device *device), void *context,
                                bool *more)
{
    gathering g = {.s = s, .take = take, .context = context};
    const larch_error e = larch_sessions_db_list(s->db, after, true, take_row, &g, &s->why);
    if (e == LARCH_OK && !g.is_refused)
        (void)flush(&g);
    *more = g.is_refused;
    return end(e);
}

static bool keep(void *context, const larch_listed_device *device)
{
    *(larch_listed_device *)context = *device;
    return true;
}

larch_error larch_sessions_show(larch_sessions *s, const char *name, larch_listed_device *device)
{
    gathering g = {.s = s, .take = keep, .context = device};
    const larch_error e = larch_sessions_db_list(s->db, name, false, take_row, &g, &s->why);
    if (e != LARCH_OK)
        return end(e);
    if (g.device.number == 0)
        return LARCH_AGAIN;
    (void)flush(&g);
    return LARCH_OK;
}
