/* SPDX-License-Identifier: Apache-2.0 */
/* Identities of messages under OSCORE: what is on record, for how long, what damage does, and that the log of them and
 * its memory stay small. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outbox_folder.h"

static void assert_verdict(char kind, uint8_t owner, uint64_t n, uint8_t hash, larch_seen_verdict want, uint64_t most)
{
    const oscore_identity i = identity_of(kind, owner, n, hash);
    uint64_t highest = 1;
    const larch_seen_verdict verdict = recall(&i, &highest);
    if (verdict != want || highest != most)
        fail_msg("%c of owner %u, number %llu: verdict %d, highest %llu", kind, owner, (unsigned long long)n, verdict,
                 (unsigned long long)highest);
}

static void put_one(char kind, uint8_t owner, uint64_t n, uint8_t hash)
{
    const oscore_identity i = identity_of(kind, owner, n, hash);
    assert_int_equal(put_oscore(&i, NULL), LARCH_OK);
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

/* ---- verdicts ---------------------------------------------------------------- */

static void test_known_from_the_commit_on(void **state)
{
    (void)state;
    assert_int_equal(open_outbox(), LARCH_OK);
    put_one('O', 1, 7, 0xaa);
    put_one('N', 1, 7, 0xaa); /* a context and a device may have the same number */
    assert_verdict('O', 1, 7, 0xaa, LARCH_SEEN_UNKNOWN, 0);
    commit();
    for (int again = 0; again < 2; again++) {
        assert_verdict('O', 1, 7, 0xaa, LARCH_SEEN_KNOWN, 7);
        assert_verdict('O', 1, 7, 0xbb, LARCH_SEEN_UNKNOWN, 7); /* another request, challenged under that number */
        assert_verdict('O', 1, 6, 0xaa, LARCH_SEEN_UNKNOWN, 7);
        assert_verdict('O', 2, 7, 0xaa, LARCH_SEEN_UNKNOWN, 0);
        assert_verdict('N', 1, 7, 0xaa, LARCH_SEEN_KNOWN, 7);
        assert_verdict('N', 1, 7, 0xbb, LARCH_SEEN_CONFLICT, 7);
        assert_verdict('N', 1, 6, 0xbb, LARCH_SEEN_UNKNOWN, 7);
        assert_verdict('N', 1, 8, 0xaa, LARCH_SEEN_UNKNOWN, 7);
        open_again();
    }
    put_one('O', 1, 8, 0xcc);
    open_again(); /* what was not committed is dropped */
    assert_verdict('O', 1, 8, 0xcc, LARCH_SEEN_UNKNOWN, 7);
    assert_int_equal(close_outbox(), LARCH_OK);
}

/* The process ends between the commit and the answer: the request comes again, and is not stored again. */
static void test_crash_before_the_answer(void **state)
{
    (void)state;
    assert_int_equal(open_outbox(), LARCH_OK);
    put_one('O', 1, 7, 0xaa);
    put_one('N', 2, 1, 0xbb);
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    crash();
    assert_int_equal(open_outbox(), LARCH_OK);
    assert_verdict('O', 1, 7, 0xaa, LARCH_SEEN_KNOWN, 7);
    assert_verdict('N', 2, 1, 0xbb, LARCH_SEEN_KNOWN, 1);
    larch_outbox_row row;
    larch_outbox_marked(outbox);
    assert_int_equal(larch_outbox_read(outbox, 0, &row), LARCH_OK);
    assert_true(larch_bytes_equal(row.message.device, LARCH_TEXT("garden-7")));
    assert_true(larch_bytes_equal(row.message.path, LARCH_TEXT("temperature")));
    assert_int_equal(close_outbox(), LARCH_OK);
}

/* A request that returns an Echo is on record under the challenged number and its own; one that is known too, and it
 * makes no row. */
static void test_two_identities(void **state)
{
    (void)state;
    const oscore_identity challenged = identity_of('O', 1, 10, 0xaa), own = identity_of('O', 1, 11, 0xaa),
                          later = identity_of('O', 1, 12, 0xaa), reading = identity_of('N', 2, 5, 0xbb);
    assert_int_equal(open_outbox(), LARCH_OK);
    assert_int_equal(put_oscore(&challenged, &own), LARCH_OK);
    assert_int_equal(put_oscore(&reading, &challenged), LARCH_OK);
    commit();
    assert_int_equal(larch_outbox_note(outbox, 'O', id_of(&later), hash_of(&later)), LARCH_OK);
    assert_verdict('O', 1, 12, 0xaa, LARCH_SEEN_UNKNOWN, 11);
    commit();
    assert_int_equal(larch_outbox_use(outbox).newest, 2);
    open_again();
    for (uint64_t n = 10; n <= 12; n++)
        assert_verdict('O', 1, n, 0xaa, LARCH_SEEN_KNOWN, 12);
    assert_verdict('N', 2, 5, 0xbb, LARCH_SEEN_KNOWN, 5);
    put_one('O', 1, 10, 0xbb); /* another request that returns the same Echo: both stay on record */
    commit();
    open_again();
    assert_verdict('O', 1, 10, 0xaa, LARCH_SEEN_KNOWN, 12);
    assert_verdict('O', 1, 10, 0xbb, LARCH_SEEN_KNOWN, 12);
    assert_int_equal(close_outbox(), LARCH_OK);
}

/* A context and a device have the same window: the newest 64 numbers, whether they are all on record or not. */
static void test_window(void **state)
{
    (void)state;
    static const char kinds[] = {'O', 'N'};
    const uint64_t last = (UINT64_C(1) << 40) - 1;
    assert_int_equal(open_outbox(), LARCH_OK);
    for (size_t k = 0; k < sizeof kinds; k++) {
        const larch_seen_verdict below = kinds[k] == 'N' ? LARCH_SEEN_CONFLICT : LARCH_SEEN_UNKNOWN;
        for (uint64_t n = 0; n < 200; n++)
            if (n != 150)
                put_one(kinds[k], 1, n, (uint8_t)n);
        commit();
        for (int again = 0; again < 2; again++) {
            for (uint64_t n = 0; n < 200; n++)
                if (n != 150)
                    assert_verdict(kinds[k], 1, n, (uint8_t)n, n < 136 ? below : LARCH_SEEN_KNOWN, 199);
            assert_verdict(kinds[k], 1, 150, 150, LARCH_SEEN_UNKNOWN, 199);
            open_again();
        }
        put_one(kinds[k], 1, 150, 150); /* late, within the window */
        put_one(kinds[k], 1, 3, 3);     /* below it: the message is stored, its number is not */
        commit();
        for (int again = 0; again < 2; again++) {
            for (uint64_t n = 136; n < 200; n++)
                assert_verdict(kinds[k], 1, n, (uint8_t)n, LARCH_SEEN_KNOWN, 199);
            assert_verdict(kinds[k], 1, 3, 3, below, 199);
            open_again();
        }
        put_one(kinds[k], 1, 199 + 63, 1);
        commit();
        assert_verdict(kinds[k], 1, 199, 199, LARCH_SEEN_KNOWN, 199 + 63);
        assert_verdict(kinds[k], 1, 198, 198, below, 199 + 63);
        put_one(kinds[k], 1, last, 1);
        commit();
        open_again();
        assert_verdict(kinds[k], 1, last, 1, LARCH_SEEN_KNOWN, last);
        assert_verdict(kinds[k], 1, last - 63, 1, LARCH_SEEN_UNKNOWN, last);
        assert_verdict(kinds[k], 1, 199 + 63, 1, below, last);
    }
    put_one('N', 3, UINT64_MAX, 1);
    commit();
    open_again();
    assert_verdict('N', 3, UINT64_MAX - 63, 1, LARCH_SEEN_UNKNOWN, UINT64_MAX);
    assert_verdict('N', 3, UINT64_MAX - 64, 1, LARCH_SEEN_CONFLICT, UINT64_MAX);
    assert_int_equal(close_outbox(), LARCH_OK);
}

static void test_forget(void **state)
{
    (void)state;
    assert_int_equal(open_outbox(), LARCH_OK);
    put_one('O', 1, 1, 1);
    put_one('O', 2, 2, 2);
    put_one('N', 1, 3, 3);
    commit();
    put_one('O', 1, 4, 4);
    put_one('O', 2, 5, 5);
    const uint8_t owner[8] = {1, 1, 1, 1, 1, 1, 1, 1}, nobody[8] = {9};
    assert_int_equal(larch_outbox_forget(outbox, 'O', nobody), LARCH_OK);
    assert_int_equal(larch_outbox_tidy(outbox), LARCH_OK);
    assert_false(larch_outbox_is_stale(outbox));
    assert_int_equal(larch_outbox_forget(outbox, 'O', owner), LARCH_OK);
    assert_true(larch_outbox_is_stale(outbox));
    assert_verdict('O', 1, 1, 1, LARCH_SEEN_UNKNOWN, 0);
    commit();
    assert_false(larch_outbox_is_stale(outbox));
    for (int again = 0; again < 2; again++) {
        assert_verdict('O', 1, 1, 1, LARCH_SEEN_UNKNOWN, 0);
        assert_verdict('O', 1, 4, 4, LARCH_SEEN_UNKNOWN, 0); /* of the batch too */
        assert_verdict('O', 2, 5, 5, LARCH_SEEN_KNOWN, 5);
        assert_verdict('N', 1, 3, 3, LARCH_SEEN_KNOWN, 3);
        crash();
        assert_int_equal(open_outbox(), LARCH_OK);
        larch_outbox_marked(outbox);
    }
    assert_int_equal(larch_outbox_forget(outbox, 'N', owner), LARCH_OK);
    open_again(); /* the end in order stores it, */
    assert_verdict('N', 1, 3, 3, LARCH_SEEN_UNKNOWN, 0);
    const uint8_t other[8] = {2, 2, 2, 2, 2, 2, 2, 2};
    assert_int_equal(larch_outbox_forget(outbox, 'O', other), LARCH_OK);
    assert_int_equal(larch_outbox_tidy(outbox), LARCH_OK); /* and so does this */
    crash();
    assert_int_equal(open_outbox(), LARCH_OK);
    assert_verdict('O', 2, 5, 5, LARCH_SEEN_UNKNOWN, 0);
    assert_int_equal(close_outbox(), LARCH_OK);
}

static void test_lengths_are_checked(void **state)
{
    (void)state;
    const oscore_identity o = identity_of('O', 1, 1, 1), n = identity_of('N', 1, 1, 1);
    const larch_bytes none = {NULL, 0}, hash = LARCH_BYTES(n.entry.hash);
    const larch_outbox_message bad[] = {
        {.kind = 'O'},
        {.kind = 'O', .id = {o.id, o.len - 1}},
        {.kind = 'O', .id = id_of(&o), .hash = hash},
        {.kind = 'O', .id = id_of(&o), .also = id_of(&n)},
        {.kind = 'N', .id = id_of(&n)},
        {.kind = 'N', .id = id_of(&n), .hash = {hash.data, 15}},
        {.kind = 'N', .id = {n.id, 15}, .hash = hash},
        {.kind = 'N', .id = id_of(&n), .hash = hash, .also = {o.id, 1}},
        {.kind = 'D', .also = id_of(&o)},
        {.kind = 'D', .hash = hash},
    };
    assert_int_equal(open_outbox(), LARCH_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(larch_outbox_put(outbox, &bad[i]), LARCH_MALFORMED);
    assert_int_equal(larch_outbox_note(outbox, 'D', id_of(&o), none), LARCH_MALFORMED);
    assert_int_equal(larch_outbox_note(outbox, 'O', id_of(&n), none), LARCH_MALFORMED);
    assert_int_equal(larch_outbox_note(outbox, 'N', id_of(&n), none), LARCH_MALFORMED);
    commit();
    assert_int_equal(larch_outbox_use(outbox).newest, 0);
    assert_verdict('O', 1, 1, 1, LARCH_SEEN_UNKNOWN, 0);
    for (unsigned i = 0; i < LARCH_OUTBOX_NOTES_MAX; i++)
        assert_int_equal(larch_outbox_note(outbox, 'O', id_of(&o), none), LARCH_OK);
    assert_int_equal(larch_outbox_note(outbox, 'O', id_of(&o), none), LARCH_STATE);
    commit();
    assert_verdict('O', 1, 1, 1, LARCH_SEEN_KNOWN, 1);
    assert_int_equal(larch_outbox_note(outbox, 'O', id_of(&o), none), LARCH_OK);
    assert_int_equal(close_outbox(), LARCH_OK);
}

/* ---- files ------------------------------------------------------------------- */

static void change_file(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(outbox_file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static long number_in_file(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(outbox_file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    const long number = (long)sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return number;
}

/* A file of the version before holds messages and no identities. */
static void test_file_of_version_1(void **state)
{
    (void)state;
    assert_int_equal(open_outbox(), LARCH_OK);
    put_batch(5);
    assert_int_equal(close_outbox(), LARCH_OK);
    change_file("DROP TABLE seen; PRAGMA user_version=1");
    assert_int_equal(open_outbox(), LARCH_OK);
    larch_outbox_marked(outbox);
    put_one('O', 1, 7, 0xaa);
    commit();
    open_again();
    assert_verdict('O', 1, 7, 0xaa, LARCH_SEEN_KNOWN, 7);
    larch_outbox_row row;
    for (unsigned n = 1; n <= 6; n++) {
        assert_int_equal(larch_outbox_read(outbox, 0, &row), LARCH_OK);
        assert_int_equal(is_message(&row.message, n), n <= 5);
        larch_outbox_advance(outbox, 0);
    }
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(number_in_file("PRAGMA user_version"), 2); /* an older larch refuses it by name */
}

static void put_three_owners(void)
{
    for (uint64_t n = 1; n <= 3; n++) {
        put_one('O', 1, 3 * n, 1);
        put_one('N', 1, 3 * n, 1);
        put_one('N', 2, 3 * n, 1);
        commit();
    }
}

static void test_damaged_log(void **state)
{
    (void)state;
    static const char *const damages[] = {
        "UPDATE seen SET bytes = zeroblob(length(bytes)) WHERE ends = 3",
        "UPDATE seen SET crc = crc + 1",
        "UPDATE seen SET bytes = substr(bytes, 2)",
        "UPDATE seen SET ends = 1 WHERE ends = 3",
        "UPDATE seen SET ends = 4 WHERE ends = 3",
        "UPDATE seen SET ends = -3 WHERE ends = 3",
        "DELETE FROM seen WHERE ends = 6",
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        assert_int_equal(open_outbox(), LARCH_OK);
        put_three_owners();
        assert_int_equal(close_outbox(), LARCH_OK);
        change_file(damages[i]);
        assert_int_equal(open_outbox(), LARCH_MALFORMED);
        assert_int_equal(why.fault, LARCH_REGISTRY_DAMAGED);
        assert_int_equal(unlink(outbox_file), 0);
    }
}

/* Messages of many devices, two a device: more identities than SQLite keeps pages of in memory. */
static void put_many_devices(unsigned devices)
{
    for (unsigned n = 0; n < 2 * devices; n++) {
        oscore_identity i = identity_of('N', 1, 1 + n / devices, (uint8_t)n);
        larch_writer w = larch_writer_to(i.id, 8);
        larch_writer_put_u64(&w, 0x100 + n % devices);
        assert_int_equal(put_oscore(&i, NULL), LARCH_OK);
        if (n % 250 == 249)
            commit();
    }
    commit();
}

static size_t change_in_file(larch_bytes wanted)
{
    static uint8_t bytes[32 << 20];
    size_t changed = 0;
    FILE *f = fopen(outbox_file, "r+b");
    assert_non_null(f);
    const size_t len = fread(bytes, 1, sizeof bytes, f);
    for (size_t at = 0; at + wanted.len <= len; at++)
        if (memcmp(bytes + at, wanted.data, wanted.len) == 0) {
            assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
            assert_int_equal(fputc(wanted.data[0] ^ 1, f), wanted.data[0] ^ 1);
            changed++;
        }
    assert_int_equal(fclose(f), 0);
    return changed;
}

/* Bytes of the file that change while it is open: what needs them is answered as a failure, what does not is answered. */
static void test_damage_while_it_is_open(void **state)
{
    (void)state;
    const oscore_identity i = identity_of('N', 0x5a, 40, 0xa7);
    uint64_t highest;
    assert_int_equal(open_outbox(), LARCH_OK);
    for (uint64_t n = 1; n <= 40; n++)
        put_one('N', 0x5a, n, n == 40 ? 0xa7 : (uint8_t)n);
    commit();
    put_many_devices(60000);
    open_again(); /* all is in the file itself */
    assert_int_equal(recall(&i, &highest), LARCH_SEEN_KNOWN);
    open_again();
    assert_true(change_in_file(LARCH_BYTES(i.entry.hash)) > 0);
    assert_int_equal(recall(&i, &highest), LARCH_SEEN_FAILED);
    assert_int_equal(larch_outbox_error(outbox)->fault, LARCH_REGISTRY_DAMAGED);
    assert_verdict('N', 0x5a, 41, 1, LARCH_SEEN_UNKNOWN, 40);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(open_outbox(), LARCH_MALFORMED);
}

/* ---- against a model ------------------------------------------------------------ */

enum { OWNERS = 40, NUMBERS = 4000 };

/* The bodies of each number that were ever put, a bit for each. */
static uint8_t model[2][OWNERS][NUMBERS];
static uint8_t model_owner[2][OWNERS]; /* its number: another one after it was forgotten */

static void check_number(unsigned kind, unsigned owner, unsigned n, unsigned most)
{
    const bool is_below = n + LARCH_SEEN_WINDOW <= most;
    for (uint8_t body = 0; body < 8; body++) {
        const uint8_t bodies = model[kind][owner][n];
        const larch_seen_verdict other =
            kind == 1 && (is_below || bodies != 0) ? LARCH_SEEN_CONFLICT : LARCH_SEEN_UNKNOWN;
        assert_verdict("ON"[kind], model_owner[kind][owner], n, body,
                       !is_below && (bodies >> body & 1) != 0 ? LARCH_SEEN_KNOWN : other, most);
    }
}

static void check_model(void)
{
    for (unsigned kind = 0; kind < 2; kind++)
        for (unsigned owner = 0; owner < OWNERS; owner++) {
            unsigned most = NUMBERS - 1;
            while (most > 0 && model[kind][owner][most] == 0)
                most--;
            if (model[kind][owner][most] == 0)
                assert_verdict("ON"[kind], model_owner[kind][owner], 1, 1, LARCH_SEEN_UNKNOWN, 0);
            else
                for (unsigned n = most > 130 ? most - 130 : 0; n < most + 3 && n < NUMBERS; n++)
                    check_number(kind, owner, n, most);
        }
}

static uint32_t dice;
static unsigned below(unsigned bound)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % bound;
}

static void forget_one_of_model(unsigned next[2][OWNERS], unsigned *fresh_owner)
{
    const unsigned kind = below(2), owner = below(OWNERS);
    const oscore_identity i = identity_of("ON"[kind], model_owner[kind][owner], 0, 0);
    if (*fresh_owner == 256)
        return;
    assert_int_equal(larch_outbox_forget(outbox, i.entry.kind, i.entry.owner), LARCH_OK);
    memset(model[kind][owner], 0, sizeof model[kind][owner]);
    model_owner[kind][owner] = (uint8_t)(*fresh_owner)++;
    next[kind][owner] = 0;
}

/* Some owners are busy, others report rarely, and some are forgotten: after each opening all is as it was, and the log
 * is no longer than its bound. */
static void test_log_against_a_model(void **state)
{
    (void)state;
    unsigned next[2][OWNERS] = {{0}}, fresh_owner = OWNERS;
    memset(model, 0, sizeof model);
    for (unsigned owner = 0; owner < OWNERS; owner++)
        model_owner[0][owner] = model_owner[1][owner] = (uint8_t)owner;
    dice = 7;
    assert_int_equal(open_outbox(), LARCH_OK);
    for (unsigned round = 0; round < 600; round++) {
        for (unsigned i = below(64); i > 0; i--) {
            const unsigned kind = below(2), owner = below(8) == 0 ? below(OWNERS) : below(4),
                           n = below(4) == 0 && next[kind][owner] > 9 ? next[kind][owner] - below(9) - 1
                                                                      : next[kind][owner],
                           body = below(8);
            if (n == next[kind][owner])
                next[kind][owner] = n + 1 + (n + 3 < NUMBERS ? below(2) : 0);
            if (n >= NUMBERS)
                continue;
            put_one("ON"[kind], model_owner[kind][owner], n, (uint8_t)body);
            model[kind][owner][n] |= (uint8_t)(1U << body);
        }
        if (below(10) == 0)
            forget_one_of_model(next, &fresh_owner);
        commit();
        if (round % 120 == 0) {
            check_model();
            open_again();
            check_model();
        }
    }
    check_model();
    assert_int_equal(close_outbox(), LARCH_OK);
    const long entries = number_in_file("SELECT sum(length(bytes)) / 41 FROM seen");
    assert_in_range(entries, 1000, 4096 + 3 * 2 * OWNERS * 64);
    assert_true(number_in_file("SELECT max(ends) FROM seen") > entries); /* the log was moved */
}

/* A thousand devices that report once and one that reports always: what the first reported stays on record, and is
 * written again so rarely that the log stays short. */
static void test_log_of_silent_devices(void **state)
{
    (void)state;
    enum { SILENT = 1000, MESSAGES = 40000 };
    oscore_identity i;
    uint64_t highest;
    assert_int_equal(open_outbox(), LARCH_OK);
    for (unsigned n = 0; n < SILENT + MESSAGES; n++) {
        i = identity_of('N', 1, n, (uint8_t)n);
        if (n < SILENT) {
            larch_writer w = larch_writer_to(i.id, 8);
            larch_writer_put_u64(&w, 0x100 + n);
        }
        assert_int_equal(put_oscore(&i, NULL), LARCH_OK);
        if (n % 250 == 249)
            commit();
        larch_outbox_row row;
        while (larch_outbox_read(outbox, 0, &row) == LARCH_OK) {
            larch_outbox_advance(outbox, 0);
            larch_outbox_acknowledge(outbox, 0, &row.position, true);
        }
    }
    for (int again = 0; again < 2; again++) {
        for (unsigned n = 0; n < SILENT; n++) {
            i = identity_of('N', 1, n, (uint8_t)n);
            larch_writer w = larch_writer_to(i.entry.owner, 8);
            larch_writer_put_u64(&w, 0x100 + n);
            assert_int_equal(recall(&i, &highest), LARCH_SEEN_KNOWN);
        }
        open_again();
    }
    assert_int_equal(close_outbox(), LARCH_OK);
    const long entries = number_in_file("SELECT sum(length(bytes)) / 41 FROM seen"),
               written = number_in_file("SELECT max(ends) FROM seen");
    assert_in_range(entries, SILENT, 4096 + 4 * SILENT + 500);
    assert_in_range(written, SILENT + MESSAGES, (SILENT + MESSAGES) * 5 / 4);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_folder, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_known_from_the_commit_on),
        TEST(test_crash_before_the_answer),
        TEST(test_two_identities),
        TEST(test_window),
        TEST(test_forget),
        TEST(test_lengths_are_checked),
        TEST(test_file_of_version_1),
        TEST(test_damaged_log),
        TEST(test_damage_while_it_is_open),
        TEST(test_log_against_a_model),
        TEST(test_log_of_silent_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
