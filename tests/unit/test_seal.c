/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets at rest: records that open in their place alone, the store key, and files of sessions that were tampered with. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sessions_folder.h"

/* ---- records -------------------------------------------------------------------- */

static const larch_seal_key key = {{1, 2, 3}};
static const larch_seal_place place = {"context", 7, "sealed", 1};

static larch_error open_record(const larch_seal_key *k, const larch_seal_place *p, larch_bytes sealed)
{
    uint8_t out[64];
    larch_bytes plain = {(const uint8_t *)"x", 1};
    const larch_error e = larch_seal_open_record(k, p, sealed, out, sizeof out, &plain);
    if (e != LARCH_OK)
        assert_int_equal(plain.len, 0);
    else
        assert_true(larch_bytes_equal(plain, LARCH_TEXT("a secret")));
    return e;
}

static void test_record(void **state)
{
    (void)state;
    uint8_t bytes[64], again[64];
    larch_bytes sealed, second;
    assert_int_equal(larch_seal_record(&key, &place, &source, LARCH_TEXT("a secret"), bytes, sizeof bytes, &sealed),
                     LARCH_OK);
    assert_int_equal(sealed.len, 8 + LARCH_SEAL_OVERHEAD);
    assert_int_equal(open_record(&key, &place, sealed), LARCH_OK);
    assert_int_equal(larch_seal_record(&key, &place, &source, LARCH_TEXT("a secret"), again, sizeof again, &second),
                     LARCH_OK);
    assert_memory_not_equal(sealed.data, second.data, sealed.len); /* another salt and another key each time */
    assert_memory_not_equal(sealed.data + LARCH_SEAL_SALT_LEN, second.data + LARCH_SEAL_SALT_LEN, 8);

    const larch_seal_place others[] = {
        {"contexs", 7, "sealed", 1}, {"context", 8, "sealed", 1}, {"context", 7, "seale", 1},
        {"context", 7, "sealed", 2}, {"context", 0, "sealed", 1}, {"contextsealed", 7, "s", 1},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(open_record(&key, &others[i], sealed), LARCH_AUTH);
    larch_seal_key other = key;
    other.bytes[31] ^= 1;
    assert_int_equal(open_record(&other, &place, sealed), LARCH_AUTH);
    for (size_t i = 0; i < sealed.len; i++) {
        bytes[i] ^= 0x40;
        assert_int_equal(open_record(&key, &place, sealed), LARCH_AUTH);
        bytes[i] ^= 0x40;
        const larch_error e = open_record(&key, &place, (larch_bytes){sealed.data, i});
        assert_int_equal(e, i < LARCH_SEAL_OVERHEAD ? LARCH_MALFORMED : LARCH_AUTH);
    }
    assert_int_equal(open_record(&key, &place, sealed), LARCH_OK);
}

static larch_error fill_nothing(void *context, uint8_t *out, size_t len)
{
    (void)context;
    (void)out;
    (void)len;
    return LARCH_PLATFORM;
}

static void test_record_errors(void **state)
{
    (void)state;
    uint8_t bytes[40], out[8];
    larch_bytes sealed, plain;
    const larch_random none = {fill_nothing, NULL};
    assert_int_equal(larch_seal_record(&key, &place, &none, LARCH_TEXT("a secret"), bytes, 40, &sealed),
                     LARCH_PLATFORM);
    assert_int_equal(larch_seal_record(&key, &place, &source, LARCH_TEXT("a secret"), bytes, 39, &sealed), LARCH_SPACE);
    assert_int_equal(larch_seal_record(&key, &place, &source, LARCH_TEXT(""), bytes, 31, &sealed), LARCH_SPACE);
    assert_int_equal(sealed.len, 0);
    assert_int_equal(larch_seal_record(&key, &place, &source, LARCH_TEXT("a secret"), bytes, 40, &sealed), LARCH_OK);
    assert_int_equal(larch_seal_open_record(&key, &place, sealed, out, 7, &plain), LARCH_SPACE);
    assert_int_equal(plain.len, 0);
    assert_int_equal(larch_seal_open_record(&key, &place, sealed, out, 8, &plain), LARCH_OK);
}

/* ---- store key ------------------------------------------------------------------ */

static void path_of(char path[128], const char *name) { snprintf(path, 128, "%s/%s", folder, name); }

static void test_key(void **state)
{
    (void)state;
    larch_seal_key made, loaded;
    larch_store_fault fault;
    char path[128];
    struct stat st;
    const larch_random none = {fill_nothing, NULL};
    assert_int_equal(larch_seal_key_load(&loaded, &storage, &fault), LARCH_STATE);
    assert_int_equal(fault, LARCH_STORE_MISSING);
    assert_int_equal(larch_seal_key_make(&made, &storage, &none), LARCH_PLATFORM);
    assert_int_equal(larch_seal_key_make(&made, &storage, &source), LARCH_OK);
    assert_int_equal(larch_seal_key_load(&loaded, &storage, &fault), LARCH_OK);
    assert_memory_equal(made.bytes, loaded.bytes, sizeof made.bytes);
    path_of(path, LARCH_SEAL_KEY_NAME);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    storage.start = 0; /* of a start that has not been */
    assert_int_equal(larch_seal_key_load(&loaded, &storage, &fault), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_STORE_AHEAD);
    storage.start = 1;
    uint8_t payload[1 + LARCH_SEAL_KEY_LEN + 1] = {2};
    for (size_t len = LARCH_SEAL_KEY_LEN; len <= sizeof payload; len++) { /* another version, other lengths */
        assert_int_equal(
            larch_record_write(&storage, LARCH_SEAL_KEY_NAME, LARCH_RECORD_SEAL, (larch_bytes){payload, len}, 0),
            LARCH_OK);
        assert_int_equal(larch_seal_key_load(&loaded, &storage, &fault), LARCH_MALFORMED);
        assert_int_equal(fault, LARCH_STORE_VERSION);
    }
}

/* ---- files that were tampered with ---------------------------------------------- */

static void assert_open_fails(larch_error e, larch_registry_fault fault, const char *text)
{
    assert_int_equal(open_sessions(), e);
    assert_null(sessions);
    if (why.fault != fault || strstr(why.text, text) == NULL)
        fail_msg("%s", why.text);
}

/* With contexts 1 and 2 in it. */
static void make_file(void)
{
    start_ok();
    (void)add_ok(1, "a", 0);
    (void)add_ok(2, "b", UNIX_S + 100);
    close_ok();
}

static void change(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(sessions_file, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The storage keeps the descriptor of a file that it has seen. */
static void run(const char *command)
{
    char all[512];
    snprintf(all, sizeof all, "cd '%s' && %s", folder, command);
    larch_posix_storage_close(&files);
    assert_int_equal(system(all), 0); /* NOLINT(cert-env33-c): the commands are this program's own */
    open_storage();
}

static void test_key_of_file(void **state)
{
    (void)state;
    make_file();
    run("mv store.key kept");
    assert_open_fails(LARCH_AUTH, LARCH_REGISTRY_SEALED, "/store.key is not there, but sessions");
    larch_seal_key other;
    assert_int_equal(larch_seal_key_make(&other, &storage, &source), LARCH_OK);
    assert_open_fails(LARCH_AUTH, LARCH_REGISTRY_SEALED, "/store.key is not the key");
    run("cp kept store.key && chmod 644 store.key");
    assert_open_fails(LARCH_PLATFORM, LARCH_REGISTRY_FAILED, "/store.key cannot be read");
    assert_non_null(strstr(larch_posix_storage_error(&files), "is open to other users"));
    run("rm store.key && ln -s kept store.key");
    assert_open_fails(LARCH_PLATFORM, LARCH_REGISTRY_FAILED, "/store.key cannot be read");
    run("rm store.key && cp kept store.key && printf x | dd of=store.key bs=1 seek=30 conv=notrunc 2>/dev/null");
    assert_open_fails(LARCH_AUTH, LARCH_REGISTRY_SEALED, "/store.key is damaged");
    run("cp kept store.key && chmod 600 store.key");
    start_ok();
    assert_int_equal(larch_sessions_count(sessions), 2);
    close_ok();
}

static void test_sealed_column(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "UPDATE context SET sealed = (SELECT sealed FROM context AS other WHERE other.number <> context.number)",
        "UPDATE context SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE rowid = (SELECT min(number) FROM "
        "context)",
        "UPDATE context SET sealed = zeroblob(length(sealed))",
        "UPDATE context SET sealed = zeroblob(4096)",
        "UPDATE context SET number = number - 1",
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        make_file();
        change(changes[i]);
        assert_open_fails(LARCH_MALFORMED, LARCH_REGISTRY_DAMAGED, "is damaged (the secrets of a context)");
        run("rm sessions.db");
    }
    static const char *const columns[] = {"UPDATE context SET device = device - 1",
                                          "UPDATE context SET expires = expires + 1"};
    for (size_t i = 0; i < 2; i++) {
        make_file();
        change(columns[i]);
        assert_open_fails(LARCH_MALFORMED, LARCH_REGISTRY_DAMAGED, "a context is not what is sealed of it");
        run("rm sessions.db");
    }
    make_file();
    change("UPDATE setting SET checked = x'00'");
    assert_open_fails(LARCH_MALFORMED, LARCH_REGISTRY_DAMAGED, "is damaged (its settings)");
    change("DELETE FROM setting");
    assert_open_fails(LARCH_MALFORMED, LARCH_REGISTRY_DAMAGED, "its settings are missing");
}

static void test_file(void **state)
{
    (void)state;
    make_file();
    run("chmod 640 sessions.db");
    assert_open_fails(LARCH_AUTH, LARCH_REGISTRY_REFUSED, "open to other users");
    run("chmod 600 sessions.db");
    change("PRAGMA user_version=99");
    assert_open_fails(LARCH_STATE, LARCH_REGISTRY_NEWER, "newer version of larch");
    change("PRAGMA user_version=1; PRAGMA application_id=7");
    assert_open_fails(LARCH_STATE, LARCH_REGISTRY_FOREIGN, "is not the table of sessions of a gateway");
    run("head -c 9000 /dev/zero > sessions.db");
    assert_open_fails(LARCH_STATE, LARCH_REGISTRY_FOREIGN, "is not the table");
    run("rm sessions.db");
    make_file();
    run("printf damage | dd of=sessions.db bs=1 seek=8192 conv=notrunc 2>/dev/null");
    assert_open_fails(LARCH_MALFORMED, LARCH_REGISTRY_DAMAGED, "is damaged");
    run("rm sessions.db");
    start_ok();
    larch_registry_reason other;
    larch_sessions *second;
    const larch_sessions_config config = {.path = sessions_file, .storage = &storage, .random = &source};
    assert_int_equal(larch_sessions_open(&second, &config, &other), LARCH_BUSY);
    close_ok();
}

static void test_observation_column(void **state)
{
    (void)state;
    make_file();
    start_ok();
    const larch_observation o = {.session = find_numbered(1)->number, .token_len = 1}; /* the other fields are 0 */
    const larch_contexts *c = larch_sessions_contexts(sessions);
    assert_int_equal(c->add_observation(c->context, &o), LARCH_OK);
    close_ok();
    static const char *const changes[] = {"UPDATE observation SET record = x'02' || substr(record, 2)",
                                          "UPDATE observation SET record = zeroblob(1000)"};
    for (size_t i = 0; i < 2; i++) {
        uint64_t at = 0;
        larch_observation found;
        change(changes[i]);
        start_ok();
        assert_int_equal(larch_sessions_next_observation(sessions, &at, &found), LARCH_MALFORMED);
        assert_non_null(strstr(larch_sessions_error(sessions)->text, "is damaged (an observation)"));
        close_ok();
    }
}

static int count_rows(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(sessions_file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const int count = sqlite3_column_int(statement, 0);
    (void)sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return count;
}

/* Whatever takes a context away takes its observations along. */
static void test_no_orphans(void **state)
{
    (void)state;
    size_t removed;
    start_ok();
    const larch_contexts *c = larch_sessions_contexts(sessions);
    for (unsigned n = 1; n <= 4; n++) {
        const larch_observation o = {.session = add_ok(n, n == 2 ? "b" : "a", n == 3 ? UNIX_S + 1 : 0)->number};
        assert_int_equal(c->add_observation(c->context, &o), LARCH_OK);
    }
    assert_int_equal(larch_sessions_remove(sessions, find_numbered(1)->number), LARCH_OK);
    close_ok();
    assert_int_equal(count_rows("SELECT count(*) FROM observation"), 3);
    start_ok();
    assert_int_equal(larch_sessions_forget_device(sessions, larch_sessions_device(sessions, "b"), &removed), LARCH_OK);
    assert_int_equal(larch_sessions_expire(sessions, UNIX_S + 1, &removed), LARCH_OK);
    assert_int_equal(removed, 1);
    close_ok();
    assert_int_equal(count_rows("SELECT count(*) FROM observation"), 1);
    assert_int_equal(larch_sessions_recover(sessions_file, 3, &removed, &why), LARCH_OK);
    assert_int_equal(count_rows("SELECT count(*) FROM observation"), 0);
    assert_int_equal(count_rows("SELECT count(*) FROM context"), 0);
    assert_int_equal(count_rows("SELECT count(*) FROM device"), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_folder, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_record),
        TEST(test_record_errors),
        TEST(test_key),
        TEST(test_key_of_file),
        TEST(test_sealed_column),
        TEST(test_file),
        TEST(test_observation_column),
        TEST(test_no_orphans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
