/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk fails, is full, or the power goes at every single operation of SQLite. What was committed is there, what was
 * refused is not, no cursor is ahead of what was delivered, and what may have left comes again with its mark. The
 * identities on record are those of the messages that are there.
 */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outbox_folder.h"
#include "registry/outbox_int.h"
#include "sqlite_sim.h"

/* What the world outside of the outbox knows of one run. */
typedef struct world {
    unsigned committed; /* rows whose commit was LARCH_OK */
    unsigned doubtful;  /* rows of a commit that was LARCH_PLATFORM, by a sync that failed or the power */
    unsigned handed;    /* rows that have left */
    unsigned delivered; /* of them, those that their reader has */
    bool stopped;
    bool
        exact; /* closed in order, and no sync failed: a transaction that was refused for that may be there all the same */
} world;

static unsigned batch_len; /* rows in a batch */
static unsigned text_len;  /* bytes that each row has more than its number */
static uint8_t padding[4096];

static larch_error put_padded(unsigned n)
{
    char text[64];
    uint8_t id[14];
    larch_outbox_message m = message_of(n, text, id);
    const oscore_identity i = identity_of(n % 2 == 0 ? 'O' : 'N', 1, n, (uint8_t)n);
    m.kind = i.entry.kind;
    m.id = id_of(&i);
    m.hash = hash_of(&i);
    memcpy(padding, text, m.text.len);
    padding[m.text.len] = '.';
    m.text = (larch_bytes){padding, m.text.len + 1 + text_len};
    return larch_outbox_put(outbox, &m);
}

static bool is_padded(const larch_outbox_message *m, unsigned n)
{
    char text[64];
    const int len = snprintf(text, sizeof text, "message %u.", n);
    return m->text.len == (size_t)len + text_len && memcmp(m->text.data, text, (size_t)len) == 0;
}

/* One batch through all steps. */
static void commit_batch(world *w)
{
    for (unsigned i = 0; i < batch_len; i++)
        if (put_padded(w->committed + 1 + i) != LARCH_OK) {
            w->stopped = true;
            return;
        }
    const larch_error e = larch_outbox_commit(outbox);
    if (e == LARCH_OK) {
        w->committed += batch_len;
        larch_outbox_marked(outbox);
        return;
    }
    assert_true(e == LARCH_BUSY || e == LARCH_PLATFORM);
    assert_int_equal(e == LARCH_BUSY, larch_outbox_error(outbox)->fault == LARCH_REGISTRY_FULL);
    if (e == LARCH_PLATFORM) {
        w->doubtful = sim.sync_failed || sim.off ? batch_len : 0;
        w->stopped = true;
        assert_int_equal(put_padded(1), LARCH_PLATFORM); /* nothing more is accepted */
        assert_int_equal(larch_outbox_commit(outbox), LARCH_PLATFORM);
    }
}

/* A reader that takes up to so many rows and is two behind in having them. */
static void read_rows(world *w, unsigned most)
{
    static larch_outbox_position positions[4096];
    larch_outbox_row row;
    for (unsigned i = 0; i < most && larch_outbox_read(outbox, 0, &row) == LARCH_OK; i++) {
        assert_int_equal(row.position.sequence, w->handed + 1);
        assert_true(is_padded(&row.message, w->handed + 1));
        larch_outbox_advance(outbox, 0);
        w->handed++;
        positions[w->handed] = row.position;
        if (w->handed >= w->delivered + 3) {
            w->delivered = w->handed - 2;
            larch_outbox_acknowledge(outbox, 0, &positions[w->delivered], true);
        }
    }
}

/* ---- a log of identities that is too long ---------------------------------- */

enum { SILENT = 40, SILENT_FROM = 100, GONE = 39, GONE_FROM = 50, BUSY = 99, BUSY_FIRST = 200, BUSY_LAST = 3500 };

static char long_log[112]; /* a file with it, from which each run begins; "": runs begin with none */

static void note(unsigned owner, uint64_t n)
{
    const oscore_identity i = identity_of('O', (uint8_t)owner, n, (uint8_t)owner);
    assert_int_equal(larch_outbox_note(outbox, 'O', id_of(&i), hash_of(&i)), LARCH_OK);
}

static void note_busy(unsigned from, unsigned to)
{
    for (unsigned n = from; n <= to; n++) {
        note(BUSY, n);
        if (n % 400 == 0)
            assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    }
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
}

/* The first rows are dead, the next one lives. Most of the others are dead since many owners are gone, all at once. */
static void make_long_log(void)
{
    assert_int_equal(open_outbox(), LARCH_OK);
    note_busy(1, BUSY_FIRST);
    for (unsigned i = 0; i < SILENT; i++)
        note(SILENT_FROM + i, 7);
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    for (unsigned i = 0; i < GONE; i++) {
        for (unsigned n = 1; n <= 64; n++)
            note(GONE_FROM + i, n);
        assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    }
    note_busy(BUSY_FIRST + 1, BUSY_LAST);
    for (unsigned i = 0; i < GONE; i++) {
        const oscore_identity gone = identity_of('O', (uint8_t)(GONE_FROM + i), 1, 1);
        assert_int_equal(larch_outbox_forget(outbox, 'O', gone.entry.owner), LARCH_OK);
    }
    assert_int_equal(larch_outbox_tidy(outbox), LARCH_OK);
    assert_in_range(outbox->seen.head, 1, BUSY_FIRST);
    assert_int_equal(close_outbox(), LARCH_OK);
    sim_power_on();
    snprintf(long_log, sizeof long_log, "%s/long.db", folder);
    assert_int_equal(rename(outbox_file, long_log), 0);
}

static void check_recalled(uint8_t owner, uint64_t n)
{
    const oscore_identity i = identity_of('O', owner, n, owner);
    uint64_t highest;
    const larch_seen_verdict verdict = recall(&i, &highest);
    if (verdict != LARCH_SEEN_KNOWN && !(sim.off && verdict == LARCH_SEEN_FAILED))
        fail_msg("after operation %u: %u of owner %u has verdict %d", (unsigned)sim.fault_at, (unsigned)n, owner,
                 verdict);
}

static void check_long_log(void)
{
    for (unsigned i = 0; long_log[0] != '\0' && i < SILENT; i++)
        check_recalled((uint8_t)(SILENT_FROM + i), 7);
    for (unsigned n = BUSY_LAST - 63; long_log[0] != '\0' && n <= BUSY_LAST; n++)
        check_recalled(BUSY, n);
}

/* ---- runs ------------------------------------------------------------------ */

/* Of the messages that are stored those with the newest 64 numbers of each kind are on record, and no other. While the
 * power is off each of them is either known, or not to be read. */
static void check_identities(uint64_t newest)
{
    for (uint64_t n = newest > 120 ? newest - 120 : 1; n <= newest + 2 * batch_len; n++) {
        const oscore_identity i = identity_of(n % 2 == 0 ? 'O' : 'N', 1, n, (uint8_t)n);
        uint64_t highest;
        const larch_seen_verdict verdict = recall(&i, &highest),
                                 below = n % 2 != 0 ? LARCH_SEEN_CONFLICT : LARCH_SEEN_UNKNOWN,
                                 wanted = n + LARCH_SEEN_WINDOW <= highest ? below
                                          : n <= newest                    ? LARCH_SEEN_KNOWN
                                                                           : LARCH_SEEN_UNKNOWN;
        if (verdict != wanted && !(sim.off && verdict == LARCH_SEEN_FAILED && wanted == LARCH_SEEN_KNOWN))
            fail_msg("after operation %u: %u of %u has verdict %d", (unsigned)sim.fault_at, (unsigned)n,
                     (unsigned)newest, verdict);
    }
    check_long_log();
}

static world run(unsigned batches)
{
    world w = {0};
    if (open_outbox() != LARCH_OK) {
        w.stopped = true;
        return w;
    }
    for (unsigned i = 0; i < batches && !w.stopped; i++) {
        commit_batch(&w);
        if (i % 7 != 3) /* now and then a backlog */
            read_rows(&w, batch_len + i % 5);
        if (i % 6 == 5 && larch_outbox_tidy(outbox) == LARCH_OK)
            assert_false(larch_outbox_is_stale(outbox));
    }
    check_identities(w.committed);
    w.exact = close_outbox() == LARCH_OK && !w.stopped && !sim.sync_failed;
    return w;
}

/* The next run, in which nothing fails. */
static void check_next_run(const world *w)
{
    larch_outbox_row row;
    const larch_error e = open_outbox();
    if (e != LARCH_OK)
        fail_msg("after operation %u: %s", (unsigned)sim.fault_at, why.text);
    const uint64_t newest = larch_outbox_use(outbox).newest;
    if (newest != w->committed && newest != w->committed + w->doubtful)
        fail_msg("%u rows stored, %u committed", (unsigned)newest, w->committed);
    check_identities(newest);
    if (long_log[0] != '\0') /* the row that lives was moved, with the first batch */
        assert_int_equal(outbox->seen.head > BUSY_FIRST, newest > 0);
    larch_outbox_marked(outbox);
    const uint64_t first = larch_outbox_use(outbox).delivered + 1;
    assert_true(first <= w->delivered + 1);
    for (uint64_t n = first; n <= newest; n++) {
        assert_int_equal(larch_outbox_read(outbox, 0, &row), LARCH_OK);
        assert_int_equal(row.position.sequence, n);
        assert_true(is_padded(&row.message, (unsigned)n));
        if (n <= w->handed)
            assert_true(row.repeat);
        if (w->exact)
            assert_int_equal(row.repeat, n <= w->handed);
        larch_outbox_advance(outbox, 0);
    }
    if (w->exact)
        assert_int_equal(first, w->delivered + 1);
    assert_int_equal(larch_outbox_read(outbox, 0, &row), LARCH_AGAIN);
    world next = {.committed = (unsigned)newest};
    commit_batch(&next);
    assert_int_equal(next.committed, newest + batch_len);
    assert_int_equal(close_outbox(), LARCH_OK);
}

static void clear_folder(void)
{
    char command[256];
    snprintf(command, sizeof command, "%s", outbox_file);
    (void)unlink(command);
    snprintf(command, sizeof command, "%s-wal", outbox_file);
    (void)unlink(command);
    if (long_log[0] != '\0') {
        snprintf(command, sizeof command, "cp -p '%s' '%s'", long_log, outbox_file);
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    }
}

#ifdef __SANITIZE_ADDRESS__ /* ten times as slow: every seventh of them */
#define STRIDE 7
#else
#define STRIDE 1
#endif

/* Every operation, or each of a stride, meets the fault. */
static void sweep(sim_fault fault, uint32_t count, unsigned batches, uint32_t stride)
{
    uint32_t met = 1, runs = 0;
    stride *= STRIDE;
    for (uint32_t at = 0; met > 0; at += stride) {
        clear_folder();
        sim_plan(fault, at, count, at * 7919 + runs);
        const world w = run(batches);
        met = sim.met;
        sim_power_on();
        check_next_run(&w);
        if (fault == SIM_FULL && !w.stopped)
            assert_true(w.committed + batch_len * sim.met >= batches * batch_len);
        sim_power_on();
        runs++;
    }
    assert_true(runs > 10 / STRIDE);
}

static void sweep_all(unsigned batches, uint32_t stride)
{
    for (sim_fault fault = SIM_FAIL; fault < SIM_FAULTS; fault++) {
        sweep(fault, 1, batches, stride);
        if (fault != SIM_CUT)
            sweep(fault, 40, batches, 3 * stride); /* for a while */
    }
}

static void test_every_operation_medium(void **state)
{
    (void)state;
    batch_len = 3;
    text_len = 0;
    outbox_durability = LARCH_OUTBOX_MEDIUM;
    sweep_all(12, 1);
}

/* Batches of several pages, and enough of them that the log is moved into the file and begun anew. */
static void test_every_operation_of_checkpoints(void **state)
{
    (void)state;
    batch_len = 16;
    text_len = 3000;
    outbox_durability = LARCH_OUTBOX_MEDIUM;
    sweep_all(60, 13);
}

/* Each transaction moves a row of the log of identities, or drops one. */
static void test_every_operation_of_a_long_log(void **state)
{
    (void)state;
    batch_len = 3;
    text_len = 0;
    outbox_durability = LARCH_OUTBOX_MEDIUM;
    make_long_log();
    sweep(SIM_CUT, 1, 3, 1);
    sweep(SIM_FAIL, 1, 3, 2);
    sweep(SIM_FULL, 1, 3, 2);
}

/* Without syncs: everything but a power cut. */
static void test_every_operation_process(void **state)
{
    (void)state;
    batch_len = 3;
    text_len = 500;
    outbox_durability = LARCH_OUTBOX_PROCESS;
    sweep(SIM_FAIL, 1, 12, 1);
    sweep(SIM_FULL, 1, 12, 1);
    sweep(SIM_FULL, 12, 12, 3);
}

/* A disk that is full for a while refuses, and goes on when there is room. */
static void test_full_disk_recovers(void **state)
{
    (void)state;
    batch_len = 3;
    text_len = 0;
    world w = {0};
    assert_int_equal(open_outbox(), LARCH_OK);
    for (unsigned i = 0; i < 12; i++) {
        sim_plan(SIM_FULL, i % 3 == 1 ? 0 : SIM_NEVER, UINT32_MAX, 1);
        commit_batch(&w);
        assert_int_equal(w.committed, batch_len * (1 + i - (i + 2) / 3));
        if (i % 3 != 1)
            read_rows(&w, batch_len);
    }
    sim_plan(SIM_FULL, SIM_NEVER, 1, 1);
    w.exact = close_outbox() == LARCH_OK;
    assert_true(w.exact);
    check_next_run(&w);
}

static int set_up(void **state)
{
    sim_plan(SIM_FAIL, SIM_NEVER, 1, 1);
    long_log[0] = '\0';
    return set_up_folder(state);
}

static int tear_down(void **state)
{
    sim_power_on();
    return tear_down_folder(state);
}

int main(void)
{
    sim_install();
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_operation_medium),
        TEST(test_every_operation_of_checkpoints),
        TEST(test_every_operation_of_a_long_log),
        TEST(test_every_operation_process),
        TEST(test_full_disk_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
