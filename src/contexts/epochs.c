/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No number of an epoch is granted before a larger `end` is durable, and no session uses an epoch that lies ahead of
 * the clock, but for the one it began at. So whoever starts from a restored copy begins above all that was used since
 * the copy was made: at the copy's end, or at what the clock says.
 */
#include <string.h>

#include "larch/contexts.h"

#define EPOCH_COUNT (LARCH_OSCORE_NUMBER_MAX / 256 + 1)
#define UNIX_2026   UINT64_C(1767225600) /* 2026-01-01, where the epochs of a clock begin */

_Static_assert(LARCH_OSCORE_NUMBER_MAX / 256 <= UINT32_MAX, "first_epoch");

static uint64_t max(uint64_t a, uint64_t b) { return a > b ? a : b; }

static larch_error raise_end(larch_epochs *epochs, uint64_t end)
{
    if (epochs->contexts == NULL)
        return LARCH_PLATFORM;
    if (end > EPOCH_COUNT)
        end = EPOCH_COUNT;
    if (epochs->contexts->raise(epochs->contexts->context, end) != LARCH_OK)
        return LARCH_PLATFORM;
    epochs->end = end;
    return LARCH_OK;
}

larch_error larch_epochs_start(larch_epochs *epochs, const larch_contexts *contexts, uint64_t now_ms, uint64_t stored,
                               uint64_t unix_s)
{
    const uint64_t base = max(stored, unix_s > UNIX_2026 ? unix_s - UNIX_2026 : 0);
    memset(epochs, 0, sizeof *epochs);
    if (base >= EPOCH_COUNT)
        return LARCH_SPENT;
    *epochs = (larch_epochs){.contexts = contexts, .base = base, .unused = base, .start_ms = now_ms};
    const larch_error e = raise_end(epochs, base + 1);
    if (e != LARCH_OK)
        memset(epochs, 0, sizeof *epochs);
    return e;
}

static void begin_at(larch_session *session, uint64_t epoch)
{
    session->first_epoch = (uint32_t)epoch;
    larch_oscore_grant(&session->oscore, epoch << 8, epoch << 8);
}

void larch_epochs_begin(const larch_epochs *epochs, larch_session *session) { begin_at(session, epochs->base); }

larch_error larch_epochs_begin_new(larch_epochs *epochs, larch_session *session)
{
    const uint64_t epoch = epochs->end;
    const larch_error e = epoch < EPOCH_COUNT ? raise_end(epochs, epoch + 1) : LARCH_SPENT;
    if (e != LARCH_OK) {
        larch_oscore_grant(&session->oscore, LARCH_OSCORE_NUMBER_MAX + 1, 0);
        return e;
    }
    begin_at(session, epoch);
    return LARCH_OK;
}

larch_error larch_epochs_allow(larch_epochs *epochs, larch_session *session, uint64_t now_ms)
{
    const uint64_t number = session->oscore.own_number, epoch = number >> 8;
    const uint64_t passed_s = now_ms > epochs->start_ms ? (now_ms - epochs->start_ms) / 1000 : 0;
    if (number > LARCH_OSCORE_NUMBER_MAX || larch_session_is_spent(session))
        return LARCH_SPENT;
    if (epoch < epochs->base)
        return LARCH_STATE;
    if (epoch > max(session->first_epoch, epochs->base + passed_s))
        return LARCH_AGAIN;
    if (epoch >= epochs->end) {
        const larch_error e = raise_end(epochs, epoch + LARCH_EPOCH_AHEAD);
        if (e != LARCH_OK)
            return e;
    }
    epochs->unused = max(epochs->unused, epoch + 1);
    larch_oscore_grant(&session->oscore, number, (epoch + 1) << 8);
    return LARCH_OK;
}

larch_error larch_epochs_take(larch_epochs *epochs, larch_session *session, uint64_t now_ms, uint64_t *number)
{
    larch_error e = larch_epochs_allow(epochs, session, now_ms);
    if (e == LARCH_OK)
        e = larch_oscore_take_number(&session->oscore, number);
    if (e == LARCH_OK)
        larch_session_count_protected(session);
    return e;
}

uint64_t larch_epochs_unused(const larch_epochs *epochs) { return epochs->unused; }
