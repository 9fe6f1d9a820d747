/* SPDX-License-Identifier: Apache-2.0 */
/* The last reading of each path: which one it is, for how long, within which bounds, and what of it a failure leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outbox_folder.h"
#include "registry/crc.h"
#include "registry/last.h"
#include "sqlite_sim.h"

/* Reading r of a path: its text is r and then so many dots. */
static uint8_t text_of_reading[LARCH_OUTBOX_TEXT_MAX];
static size_t text_len = 20;
static uint64_t number; /* of the identity that comes next */

static larch_outbox_last_reading reading_of(unsigned r)
{
    memset(text_of_reading, '.', text_len);
    text_of_reading[snprintf((char *)text_of_reading, 20, "marker-%u", r)] = '.';
    return (larch_outbox_last_reading){.time_ms = 1700000000000 + r,
                                       .device = r % 2 == 0 ? LARCH_TEXT("garden-7") : (larch_bytes){NULL, 0},
                                       .format = r % 3 == 0 ? 112 : LARCH_OUTBOX_NO_FORMAT,
                                       .text = {text_of_reading, text_len}};
}

static larch_bytes path_of(const char *path) { return (larch_bytes){(const uint8_t *)path, strlen(path)}; }

static larch_error try_reading(char kind, const char *path, unsigned r)
{
    const oscore_identity i = identity_of(kind, 1, number++, 1);
    const larch_outbox_last_reading reading = reading_of(r);
    larch_outbox_message m = {.kind = (uint8_t)kind,
                              .id = id_of(&i),
                              .hash = hash_of(&i),
                              .time_ms = reading.time_ms,
                              .through = LARCH_TEXT("oscore"),
                              .device = reading.device,
                              .path = path_of(path),
                              .format = reading.format,
                              .text = reading.text};
    if (kind == 'D')
        m.id.len = 14;
    return larch_outbox_put(outbox, &m);
}

static void put_reading(char kind, const char *path, unsigned r)
{
    assert_int_equal(try_reading(kind, path, r), LARCH_OK);
}

/* r of a path's last reading, which is whole; -1: there is none. */
static int last_of(const char *path)
{
    larch_outbox_last_reading got = {.time_ms = 1};
    const larch_error e = larch_outbox_last(outbox, path_of(path), &got);
    if (e == LARCH_AGAIN) {
        assert_int_equal(got.time_ms, 1);
        return -1;
    }
    assert_int_equal(e, LARCH_OK);
    const unsigned r = (unsigned)(got.time_ms - 1700000000000);
    const larch_outbox_last_reading want = reading_of(r);
    assert_true(larch_bytes_equal(got.device, want.device) && larch_bytes_equal(got.text, want.text));
    assert_int_equal(got.format, want.format);
    return (int)r;
}

static void commit(void)
{
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    larch_outbox_marked(outbox);
}

static void open_again(void)
{
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(open_outbox(), LARCH_OK);
    larch_outbox_marked(outbox);
}

static void deliver_all(void)
{
    larch_outbox_row row;
    while (larch_outbox_read(outbox, 0, &row) == LARCH_OK) {
        larch_outbox_advance(outbox, 0);
        larch_outbox_acknowledge(outbox, 0, &row.position, true);
    }
}

static bool file_contains(const char *text)
{
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(outbox_file, "rb");
    assert_non_null(file);
    const size_t len = fread(bytes, 1, sizeof bytes, file);
    assert_int_equal(fclose(file), 0);
    return memmem(bytes, len, text, strlen(text)) != NULL;
}

/* The simulated files have no memory that processes share. */
static sqlite3 *open_file(void)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(outbox_file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void change_file(const char *sql)
{
    sqlite3 *db = open_file();
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- which reading it is ------------------------------------------------------ */

static void test_the_later_wins_from_its_commit_on(void **state)
{
    (void)state;
    assert_int_equal(open_outbox(), LARCH_OK);
    put_reading('O', "temperature", 1);
    put_reading('N', "temperature", 2);
    put_reading('N', "humidity", 3);
    put_reading('N', "", 4);
    put_reading('D', "direct", 5);
    assert_int_equal(last_of("temperature"), -1);
    commit();
    put_reading('N', "temperature", 6);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(last_of("temperature"), 2);
        assert_int_equal(last_of("humidity"), 3);
        assert_int_equal(last_of(""), -1);
        assert_int_equal(last_of("direct"), -1);
        assert_int_equal(last_of("temperatur"), -1);
        open_again(); /* what was not committed is dropped */
    }
    deliver_all();
    put_reading('N', "humidity", 7);
    commit();
    deliver_all();
    assert_int_equal(larch_outbox_tidy(outbox), LARCH_OK);
    assert_int_equal(larch_outbox_use(outbox).delivered, 6);
    crash();
    assert_int_equal(open_outbox(), LARCH_OK);
    assert_int_equal(last_of("temperature"), 2);
    assert_int_equal(last_of("humidity"), 7);
    assert_int_equal(close_outbox(), LARCH_OK);
}

/* Neither the file's unused bytes nor its log hold what was forgotten, or an earlier reading of it. */
static void test_forget(void **state)
{
    (void)state;
    assert_int_equal(open_outbox(), LARCH_OK);
    put_reading('N', "silent", 10);
    for (unsigned r = 1001; r <= 1003; r++) {
        put_reading('N', "gone", r);
        commit();
    }
    put_reading('N', "gone", 1004);
    put_reading('N', "other", 20);
    larch_outbox_forget_path(outbox, path_of("nobody"));
    assert_false(larch_outbox_is_stale(outbox));
    larch_outbox_forget_path(outbox, path_of("gone"));
    assert_true(larch_outbox_is_stale(outbox));
    assert_int_equal(last_of("gone"), -1);
    commit();
    assert_false(larch_outbox_is_stale(outbox));
    for (int again = 0; again < 2; again++) {
        assert_int_equal(last_of("gone"), -1); /* that of the batch too */
        assert_int_equal(last_of("silent"), 10);
        assert_int_equal(last_of("other"), 20);
        crash();
        assert_int_equal(open_outbox(), LARCH_OK);
        larch_outbox_marked(outbox);
    }
    deliver_all();
    put_reading('N', "other", 21);
    commit();
    deliver_all();
    put_reading('N', "other", 22);
    commit();
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_false(file_contains("marker-100"));
    assert_true(file_contains("marker-10."));
    assert_int_equal(open_outbox(), LARCH_OK);
    larch_outbox_forget_path(outbox, path_of("silent"));
    larch_outbox_forget_path(outbox, path_of("other"));
    assert_int_equal(larch_outbox_tidy(outbox), LARCH_OK); /* with nothing left to write again */
    crash();
    assert_int_equal(open_outbox(), LARCH_OK);
    assert_int_equal(last_of("silent"), -1);
    larch_outbox_marked(outbox);
    put_reading('N', "silent", 11);
    commit();
    open_again();
    assert_int_equal(last_of("silent"), 11);
    assert_int_equal(close_outbox(), LARCH_OK);
}

/* ---- bounds ------------------------------------------------------------------- */

static void test_bound_on_paths(void **state)
{
    (void)state;
    char path[16];
    assert_int_equal(open_with(NULL, NULL), LARCH_OK);
    for (unsigned i = 0; i < LARCH_OUTBOX_PATHS_MAX; i++) {
        snprintf(path, sizeof path, "path %u", i);
        put_reading('N', path, i);
        if (i % LARCH_OUTBOX_BATCH_MAX == LARCH_OUTBOX_BATCH_MAX - 1)
            commit();
    }
    for (int again = 0; again < 2; again++) {
        const uint64_t refused = number;
        uint64_t highest;
        assert_int_equal(try_reading('N', "one more", 1), LARCH_BUSY);
        assert_int_equal(larch_outbox_commit(outbox), LARCH_OK); /* with nothing in it */
        const oscore_identity i = identity_of('N', 1, refused, 1);
        assert_int_equal(recall(&i, &highest), LARCH_SEEN_UNKNOWN);
        put_reading('N', "path 7", 9);
        put_reading('D', "one more", 1);
        commit();
        assert_int_equal(last_of("path 7"), 9);
        assert_int_equal(last_of("path 65535"), 65535);
        assert_int_equal(close_outbox(), LARCH_OK);
        assert_int_equal(open_with(NULL, NULL), LARCH_OK);
        larch_outbox_marked(outbox);
    }
    larch_outbox_forget_path(outbox, path_of("path 8"));
    put_reading('N', "one more", 1);
    assert_int_equal(try_reading('N', "path 8", 1), LARCH_BUSY);
    commit();
    assert_int_equal(last_of("one more"), 1);
    assert_int_equal(close_outbox(), LARCH_OK);
}

static larch_error put_sized(larch_last *last, const char *path, size_t len)
{
    const larch_outbox_last_reading r = {.text = {text_of_reading, len}};
    return larch_last_put(last, path_of(path), &r);
}

/* Entries take 17 bytes beside their texts here. */
static void test_bound_on_bytes(void **state)
{
    (void)state;
    larch_last last;
    assert_true(larch_last_init(&last));
    assert_int_equal(last.bytes_max, LARCH_OUTBOX_LAST_BYTES);
    last.bytes_max = 200;
    assert_int_equal(put_sized(&last, "a", 83), LARCH_OK);
    assert_int_equal(put_sized(&last, "b", 84), LARCH_BUSY);
    assert_int_equal(put_sized(&last, "b", 83), LARCH_OK);
    assert_int_equal(put_sized(&last, "b", 284), LARCH_BUSY); /* the reserve of known paths */
    assert_int_equal(put_sized(&last, "b", 283), LARCH_OK);
    assert_int_equal(put_sized(&last, "b", 3), LARCH_OK); /* a fresh one gives its room back, */
    assert_int_equal(put_sized(&last, "c", 63), LARCH_OK);
    larch_last_stored(&last, true);
    assert_int_equal(put_sized(&last, "a", 3), LARCH_OK);
    assert_int_equal(put_sized(&last, "d", 3), LARCH_BUSY); /* a stored one with the commit */
    larch_last_stored(&last, true);
    assert_int_equal(put_sized(&last, "d", 63), LARCH_OK);
    assert_int_equal(last.bytes, 200);
    larch_last_drop(&last);
    assert_int_equal(last.bytes, 120);
    assert_int_equal(last.path_count, 3);
    larch_last_forget(&last, path_of("c"));
    assert_int_equal(last.bytes, 40);
    assert_int_equal(put_sized(&last, "e", 143), LARCH_OK);
    assert_int_equal(last.bytes, 200);
    larch_last_free(&last);
}

/* ---- files ------------------------------------------------------------------- */

static void test_damaged_row(void **state)
{
    (void)state;
    static const char *const damages[] = {
        "UPDATE last SET bytes = zeroblob(length(bytes)) WHERE ends = (SELECT min(ends) FROM last)",
        "UPDATE last SET crc = crc + 1",
        "UPDATE last SET bytes = substr(bytes, 2)",
        "UPDATE last SET ends = ends - 1 WHERE ends = (SELECT max(ends) FROM last)",
        "UPDATE last SET ends = 9223372036854775807 WHERE ends = (SELECT max(ends) FROM last)",
        "UPDATE last SET ends = -3 WHERE ends = (SELECT min(ends) FROM last)",
        "UPDATE last SET bytes = x'', crc = 0",
        "UPDATE last SET bytes = x'00000000', crc = 0x2144df1c", /* a sum that is right */
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        assert_int_equal(open_outbox(), LARCH_OK);
        put_reading('N', "a", 1);
        commit();
        put_reading('N', "b", 2);
        commit();
        assert_int_equal(close_outbox(), LARCH_OK);
        change_file(damages[i]);
        assert_int_equal(open_outbox(), LARCH_MALFORMED);
        assert_int_equal(why.fault, LARCH_REGISTRY_DAMAGED);
        assert_non_null(strstr(why.text, "a last reading"));
        assert_int_equal(unlink(outbox_file), 0);
    }
}

static void test_sum(void **state)
{
    (void)state;
    larch_crc crc;
    larch_crc_init(&crc);
    for (size_t i = 0; i < 100; i++)
        text_of_reading[i] = (uint8_t)(i * i + 3 * i);
    for (size_t from = 0; from < 8; from++)
        for (size_t len = 0; len < 90; len++) {
            const larch_bytes bytes = {text_of_reading + from, len};
            assert_int_equal(larch_crc_sum(&crc, bytes), larch_crc32(0, bytes));
        }
}

/* ---- against a model ----------------------------------------------------------- */

static uint32_t dice;
static unsigned below(unsigned bound)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % bound;
}

/* Busy paths and silent ones, some forgotten: nothing is lost when the log is written again, and it stays short. */
static void test_log_against_a_model(void **state)
{
    (void)state;
    enum { PATHS = 300 };
    int model[PATHS];
    char path[16];
    unsigned r = 0;
    memset(model, 0xff, sizeof model);
    dice = 7;
    text_len = 300;
    assert_int_equal(open_outbox(), LARCH_OK);
    for (unsigned round = 0; round < 400; round++) {
        for (unsigned i = below(64); i > 0; i--) {
            const unsigned p = round < 10 ? below(PATHS) : below(20);
            snprintf(path, sizeof path, "path %u", p);
            put_reading("ON"[p % 2], path, ++r);
            model[p] = (int)r;
        }
        if (round < 200 && below(20) == 0) {
            const unsigned p = below(PATHS);
            snprintf(path, sizeof path, "path %u", p);
            larch_outbox_forget_path(outbox, path_of(path));
            model[p] = -1;
        }
        commit();
        deliver_all();
        if (round % 40 == 39)
            open_again();
        for (unsigned p = round % 40 == 39 ? 0 : PATHS; p < PATHS; p++) {
            snprintf(path, sizeof path, "path %u", p);
            assert_int_equal(last_of(path), model[p]);
        }
    }
    assert_int_equal(close_outbox(), LARCH_OK);
    sqlite3 *db = open_file();
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT sum(length(bytes)), max(ends) FROM last", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_in_range(sqlite3_column_int64(s, 0), PATHS * text_len / 2, 262144 + 2 * PATHS * (text_len + 50));
    assert_true(sqlite3_column_int64(s, 1) > 2000000); /* several times as much */
    (void)sqlite3_finalize(s);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- failures ------------------------------------------------------------------- */

enum { BATCH = 4, GONE_AT = 6 };

/* Reading b * 10 + i is of batch b. "hot" is in each, "rare K" in each fifth, "silent" in the first, and "gone" is forgotten with batch GONE_AT. */
static larch_error put_batch_of(unsigned b)
{
    char path[16];
    larch_error e;
    snprintf(path, sizeof path, "rare %u", b % 5);
    if ((e = try_reading('N', "hot", b * 10)) != LARCH_OK || (e = try_reading('N', path, b * 10 + 1)) != LARCH_OK ||
        (e = try_reading('N', b == 1 ? "silent" : "hot", b * 10 + 2)) != LARCH_OK ||
        (e = try_reading('N', b < GONE_AT ? "gone" : "hot", b * 10 + 3)) != LARCH_OK)
        return e;
    if (b == GONE_AT)
        larch_outbox_forget_path(outbox, path_of("gone"));
    return LARCH_OK;
}

static void check_after(unsigned b, bool gone_may_be_early)
{
    char path[16];
    assert_int_equal(last_of("hot"), b == 0 ? -1 : b == 1 ? 10 : (int)(b * 10 + (b < GONE_AT ? 2 : 3)));
    assert_int_equal(last_of("silent"), b == 0 ? -1 : 12);
    for (unsigned k = 0; k < 5; k++) {
        const int newest = (int)b - (int)((b + 5 - k) % 5);
        snprintf(path, sizeof path, "rare %u", k);
        assert_int_equal(last_of(path), newest <= 0 ? -1 : newest * 10 + 1);
    }
    const int gone = last_of("gone");
    if (!(gone_may_be_early && b == GONE_AT - 1 && gone == -1))
        assert_int_equal(gone, b == 0 || b >= GONE_AT ? -1 : (int)(b * 10 + 3));
}

/* Batches until one fails for good; what is shown is what was committed at any time. Returns how many were. */
static unsigned run_batches(unsigned batches)
{
    unsigned committed = 0;
    if (open_outbox() != LARCH_OK)
        return 0;
    for (unsigned i = 0; i < batches; i++) {
        if (put_batch_of(committed + 1) != LARCH_OK)
            break;
        const larch_error e = larch_outbox_commit(outbox);
        committed += e == LARCH_OK;
        check_after(committed, true);
        if (e == LARCH_PLATFORM)
            break;
        larch_outbox_marked(outbox);
        if (i % 3 != 2)
            deliver_all();
    }
    (void)!close_outbox();
    return committed;
}

#ifdef __SANITIZE_ADDRESS__ /* ten times as slow: every seventh of them */
#define STRIDE 7
#else
#define STRIDE 1
#endif

static void sweep(sim_fault fault, size_t len, unsigned batches, uint32_t stride)
{
    char name[128];
    uint32_t met = 1, runs = 0;
    text_len = len;
    for (uint32_t at = 0; met > 0; at += stride * STRIDE, runs++) {
        (void)unlink(outbox_file);
        snprintf(name, sizeof name, "%s-wal", outbox_file);
        (void)unlink(name);
        sim_plan(fault, at, 1, at * 7919 + 1);
        number = 0;
        const unsigned committed = run_batches(batches);
        met = sim.met;
        sim_power_on();
        if (open_outbox() != LARCH_OK)
            fail_msg("after operation %u: %s", (unsigned)at, why.text);
        const unsigned stored = (unsigned)(larch_outbox_use(outbox).newest / BATCH);
        assert_in_range(stored, committed, committed + 1); /* one more, if it was a sync that failed */
        check_after(stored, true);
        larch_outbox_marked(outbox);
        assert_int_equal(put_batch_of(stored + 1), LARCH_OK);
        commit();
        check_after(stored + 1, false);
        assert_int_equal(close_outbox(), LARCH_OK);
        sim_power_on();
    }
    assert_true(runs > 10 / STRIDE);
}

static void test_every_operation(void **state)
{
    (void)state;
    outbox_durability = LARCH_OUTBOX_MEDIUM;
    for (sim_fault fault = SIM_FAIL; fault < SIM_FAULTS; fault++)
        sweep(fault, 20, 10, 1);
}

/* Long readings: the log is written again, and the WAL moves into the file. */
static void test_operations_of_long_readings(void **state)
{
    (void)state;
    outbox_durability = LARCH_OUTBOX_MEDIUM;
    for (sim_fault fault = SIM_FAIL; fault < SIM_FAULTS; fault++)
        sweep(fault, 30000, 30, 97);
}

static int set_up(void **state)
{
    sim_plan(SIM_FAIL, SIM_NEVER, 1, 1);
    text_len = 20;
    number = 0;
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
        TEST(test_the_later_wins_from_its_commit_on),
        TEST(test_forget),
        TEST(test_bound_on_paths),
        TEST(test_bound_on_bytes),
        TEST(test_damaged_row),
        TEST(test_sum),
        TEST(test_log_against_a_model),
        TEST(test_every_operation),
        TEST(test_operations_of_long_readings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
