/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox as a part of a state folder: it carries the start counter. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "outbox_folder.h"

static larch_error open_at(uint32_t start, uint32_t complete)
{
    const larch_outbox_config config = {.path = outbox_file,
                                        .durability = outbox_durability,
                                        .sinks = sinks_of("stdout", NULL),
                                        .sink_count = 1,
                                        .start = start,
                                        .complete = complete};
    return larch_outbox_open(&outbox, &config, &why);
}

static void start_ok(uint32_t start, uint32_t complete)
{
    const larch_error e = open_at(start, complete);
    if (e != LARCH_OK)
        print_error("%s\n", why.text);
    assert_int_equal(e, LARCH_OK);
    assert_int_equal(close_outbox(), LARCH_OK);
}

static void assert_refused(uint32_t start, uint32_t complete, const char *text)
{
    assert_int_equal(open_at(start, complete), LARCH_STATE);
    assert_null(outbox);
    assert_int_equal(why.fault, LARCH_REGISTRY_LAGS);
    assert_non_null(strstr(why.text, text));
    assert_non_null(strstr(why.text, "'larch keys recover'"));
}

static void test_counter(void **state)
{
    (void)state;
    for (int durability = LARCH_OUTBOX_MEDIUM; durability <= LARCH_OUTBOX_PROCESS; durability++) {
        outbox_durability = (larch_outbox_durability)durability;
        start_ok(1, 0);
        start_ok(2, 1);
        start_ok(4, 2); /* a start in between was cut before it came here */
        assert_refused(6, 5, "outbox.db is older than the last start");
        assert_refused(4, 3, "outbox.db is newer than the rest of the folder");
        assert_refused(3, 2, "outbox.db is newer than the rest of the folder");
        start_ok(5, 4); /* no refusal has changed it */
        start_ok(0, 0); /* in no folder of a gateway nothing is compared, */
        start_ok(6, 5); /* and the counter stays */
        assert_int_equal(unlink(outbox_file), 0);
        start_ok(9, 8); /* a new file carries none */
        assert_refused(11, 10, "older");
        assert_int_equal(unlink(outbox_file), 0);
    }
}

/* A file that was made before there was a counter is like a new one, and keeps what it holds. */
static void test_file_without_counter(void **state)
{
    (void)state;
    sqlite3 *db;
    assert_int_equal(open_outbox(), LARCH_OK);
    larch_outbox_marked(outbox);
    put_batch(3);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(sqlite3_open(outbox_file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE start", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    start_ok(7, 6);
    assert_refused(9, 8, "older");
    assert_int_equal(open_at(8, 7), LARCH_OK);
    assert_int_equal(larch_outbox_use(outbox).newest, 3);
    assert_int_equal(close_outbox(), LARCH_OK);
}

static void test_stamp(void **state)
{
    (void)state;
    assert_int_equal(larch_outbox_stamp(outbox_file, 5, &why), LARCH_OK); /* none is there, and none is made */
    assert_int_equal(access(outbox_file, F_OK), -1);
    start_ok(2, 1);
    assert_int_equal(open_at(3, 2), LARCH_OK);
    larch_outbox_marked(outbox);
    put_batch(2);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_refused(10, 9, "older");
    assert_int_equal(larch_outbox_stamp(outbox_file, 9, &why), LARCH_OK);
    assert_int_equal(open_at(10, 9), LARCH_OK); /* as it was, with the sink's place in it */
    larch_outbox_marked(outbox);
    larch_outbox_row row;
    assert_int_equal(larch_outbox_read(outbox, 0, &row), LARCH_OK);
    assert_int_equal(row.position.sequence, 1);
    assert_int_equal(larch_outbox_stamp(outbox_file, 11, &why), LARCH_BUSY); /* a gateway uses it */
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(chmod(outbox_file, 0644), 0);
    assert_int_equal(larch_outbox_stamp(outbox_file, 11, &why), LARCH_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counter, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_file_without_counter, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_stamp, set_up_folder, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
