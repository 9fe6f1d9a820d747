/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in tables of sessions, and what the tables take. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/oscore.h"
#include "larch/contexts.h"
#include "system.h"

#define KID_LEN 7
#define BATCH   64

static const size_t counts[LARCH_BENCH_TABLES] = {1, 1000, 100000};

typedef struct table_state {
    size_t count;
    larch_session_table table;
    uint8_t (*kids)[KID_LEN];
    size_t next;
} table_state;

/* An operation of measure.h: BATCH look-ups, of another session each time. */
static bool find(void *state, unsigned op)
{
    table_state *s = state;
    bool ok = true;
    (void)op;
    for (unsigned i = 0; i < BATCH && ok; i++) {
        const larch_bytes kid = {s->kids[s->next], KID_LEN};
        s->next = s->next + 1 < s->count ? s->next + 1 : 0;
        ok = larch_session_table_find(&s->table, kid, (larch_bytes){0}, 0) != NULL;
    }
    return ok;
}

/* Sessions with random kids: the devices in the order in which they send are not in the order of the table. */
static bool fill(table_state *s, const larch_random *random)
{
    larch_session session = {.oscore = {.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                        .recipient_id_len = KID_LEN,
                                        .id_context_len = LARCH_OSCORE_ID_CONTEXT_MAX + 1}};
    larch_session *place;
    if (larch_random_fill(random, &s->kids[0][0], s->count * KID_LEN) != LARCH_OK)
        return false;
    for (size_t i = 0; i < s->count; i++) {
        session.number = i + 1;
        memcpy(session.oscore.recipient_id, s->kids[i], KID_LEN);
        if (larch_session_table_add(&s->table, &session, &place) != LARCH_OK)
            return false;
    }
    for (size_t i = s->count - 1; i > 0; i--) { /* another order than the table's */
        uint8_t kid[KID_LEN];
        const size_t other = (size_t)(larch_number_at(s->kids[i], 4) % (i + 1));
        memcpy(kid, s->kids[i], KID_LEN);
        memcpy(s->kids[i], s->kids[other], KID_LEN);
        memcpy(s->kids[other], kid, KID_LEN);
    }
    return true;
}

static size_t pages_of(const void *memory, size_t len)
{
    static unsigned char pages[1 << 14];
    size_t resident = 0;
    if (len / 4096 + 1 > sizeof pages || mincore((void *)(uintptr_t)memory, len, pages) != 0)
        return 0;
    for (size_t i = 0; i < (len + 4095) / 4096; i++)
        resident += pages[i] & 1u;
    return resident * 4096;
}

static bool look_up(larch_bench_table *t, double seconds)
{
    const larch_random random = larch_posix_random();
    table_state s = {.count = t->count};
    size_t index = 2;
    while (index < 2 * t->count)
        index *= 2;
    t->bytes = t->count * sizeof(larch_session) + 2 * index * sizeof(uint32_t);
    uint8_t *memory = mmap(NULL, t->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    s.kids = calloc(t->count, KID_LEN);
    bool ok = memory != MAP_FAILED && s.kids != NULL;
    if (ok) {
        larch_session *places = (larch_session *)(void *)memory;
        uint32_t *by_kid = (uint32_t *)(void *)(memory + t->count * sizeof *places);
        ok = larch_session_table_init(&s.table, places, t->count, by_kid, by_kid + index, index, &random) == LARCH_OK &&
             fill(&s, &random);
    }
    if (ok) {
        const larch_scheme scheme = {.batch = BATCH, .run = find, .state = &s};
        larch_figures figures;
        ok = larch_measure_time(&scheme, 0, seconds, &figures);
        t->find_ns = figures.us * 1000;
        t->resident = pages_of(memory, t->bytes);
    }
    if (memory != MAP_FAILED)
        (void)munmap(memory, t->bytes);
    free(s.kids);
    return ok;
}

bool larch_bench_look_up(larch_bench_table tables[LARCH_BENCH_TABLES], double seconds)
{
    for (size_t i = 0; i < LARCH_BENCH_TABLES; i++) {
        tables[i] = (larch_bench_table){.count = counts[i]};
        if (!look_up(&tables[i], seconds))
            return false;
    }
    return true;
}
