/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

static const char *const kind_texts[] = {"known", "new", "prototype"};

void table_head(table *t)
{
    *t = (table){0};
    printf("%-52s %7s %9s %9s %9s %8s %7s\n", "attack", "rate/s", "known", "new", "prototype", "stored/s", "out/in");
}

void table_begin(table *t)
{
    t->rows++;
    t->fails = false;
    t->why[0] = '\0';
}

void table_check(table *t, bool holds, const char *why, ...)
{
    const size_t used = strlen(t->why);
    va_list list;
    if (holds)
        return;
    t->fails = true;
    va_start(list, why);
    (void)snprintf(t->why + used, sizeof t->why - used, "    FAILED: ");
    (void)vsnprintf(t->why + strlen(t->why), sizeof t->why - strlen(t->why), why, list);
    va_end(list);
    if (strlen(t->why) + 1 < sizeof t->why)
        strcat(t->why, "\n");
}

static void finish(table *t)
{
    printf("  %s\n%s", t->fails ? "FAILED" : "ok", t->why);
    (void)fflush(stdout);
    t->failed += t->fails;
}

void table_end(table *t, const char *attack, uint32_t rate, const world *w, const honest_group *g)
{
    printf("%-52s %7u", attack, (unsigned)rate);
    for (unsigned kind = 0; kind < HONEST_KINDS; kind++) {
        unsigned offered, through;
        honest_count(g, (honest_kind)kind, &offered, &through);
        if (offered > 0)
            printf("   %3u/%3u", through, offered);
        else
            printf("         -");
        table_check(t, through * 100 >= offered * TABLE_ENOUGH_PERCENT, "%u of %u messages of %s senders through",
                    through, offered, kind_texts[kind]);
    }
    const double seconds = (double)(world_now(w) - g->counted_ms) / 1000;
    printf(" %8.0f %7.2f", seconds > 0 ? g->strange / seconds : 0,
           w->ledger.total_in > 0 ? (double)w->ledger.total_out / (double)w->ledger.total_in : 0);
    table_check(t, honest_refusals(g) == 0, "%u refusals of the gateway that is pinned", honest_refusals(g));
    table_check(t, g->twice == 0 && g->lost == 0, "%u messages stored twice, %u lost", g->twice, g->lost);
    table_check(t, world_is_frugal(w), "strangers got %.0f bytes in 10 s beyond three times theirs",
                (double)w->ledger.worst);
    finish(t);
}

void table_end_text(table *t, const char *attack, uint32_t rate, const char *figures)
{
    printf("%-52s %7u %46s", attack, (unsigned)rate, figures);
    finish(t);
}

int table_close(const table *t)
{
    printf("%u attacks, %u failed\n", t->rows, t->failed);
    return t->failed > 0 || t->rows == 0;
}
