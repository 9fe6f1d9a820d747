/* SPDX-License-Identifier: Apache-2.0 */
/* Another store key, cut at every step: the folder opens under the old key or the new one, whole. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/reseal.h"
#include "secrets/rekey.h"
#include "secrets/sealed_files.h"
#include "sessions_folder.h"

static larch_seal_key old_key, new_key;
static larch_sealed_files sealed;
static larch_storage view; /* of the folder, opened */

/* ---- a medium that ends after so many steps ------------------------------------- */

static unsigned steps_left;

static larch_error cut_replace(void *context, const char *name, larch_bytes content, uint32_t tail)
{
    if (steps_left == 0)
        return LARCH_PLATFORM;
    steps_left--;
    return storage.replace(context, name, content, tail);
}

static larch_error cut_remove(void *context, const char *name)
{
    if (steps_left == 0)
        return LARCH_PLATFORM;
    steps_left--;
    return storage.remove(context, name);
}

static larch_storage cut_medium(unsigned steps)
{
    larch_storage medium = storage;
    steps_left = steps;
    medium.replace = cut_replace;
    medium.remove = cut_remove;
    return medium;
}

/* ---- a folder ----------------------------------------------------------------------- */

static larch_error make_head(void *context, const larch_seal_key *key, larch_store_head *head)
{
    (void)context;
    *head = (larch_store_head){.version = 2, .source = LARCH_STORE_SOURCE_FILE, .wrapped_len = sizeof key->bytes};
    memcpy(head->wrapped, key->bytes, sizeof key->bytes);
    return larch_store_check(key, head->check);
}

static void open_view(const larch_seal_key *key)
{
    larch_store_head head;
    larch_sealed_files_init(&sealed, &storage, &source, make_head, NULL);
    if (key != NULL) {
        assert_int_equal(make_head(NULL, key, &head), LARCH_OK);
        larch_sealed_files_open(&sealed, &head, 1, key);
    }
    view = larch_sealed_files_interface(&sealed);
    view.start = 1;
}

static larch_error open_through_view(void)
{
    const larch_sessions_config config = {
        .path = sessions_file, .storage = &view, .random = &source, .place_max = place_max};
    return larch_sessions_open(&sessions, &config, &why);
}

/* Two key files and two contexts, one of which is gone and leaves its marks. */
static void make_folder(void)
{
    open_view(NULL);
    assert_int_equal(open_through_view(), LARCH_OK);
    assert_int_equal(start_at(0, UNIX_S), LARCH_OK);
    (void)add_ok(1, "a", 0);
    const larch_session *gone = add_ok(2, "b", 0);
    assert_int_equal(larch_sessions_remove(sessions, gone->number), LARCH_OK);
    close_ok();
    old_key = sealed.key;
    assert_int_equal(larch_record_write(&view, "identity.key", LARCH_RECORD_IDENTITY, LARCH_TEXT("who I am"), 0),
                     LARCH_OK);
    assert_int_equal(larch_record_write(&view, "direct-512.key", LARCH_RECORD_KEYS, LARCH_TEXT("a seed"), 0), LARCH_OK);
    assert_int_equal(larch_random_fill(&source, new_key.bytes, sizeof new_key.bytes), LARCH_OK);
}

static larch_error rekey(const larch_storage *medium, const char *path)
{
    larch_rekey_name faulty = "";
    larch_posix_names names;
    larch_store_head head;
    assert_int_equal(make_head(NULL, &new_key, &head), LARCH_OK);
    assert_int_equal(larch_posix_storage_list(&files, &names), LARCH_OK);
    const larch_error e =
        larch_rekey_run(medium, names.name, names.count, path, &old_key, &new_key, &head, &source, faulty, &why);
    larch_posix_names_free(&names);
    return e;
}

/* What the next opening does, over this medium. Returns whether it came to its end. */
static bool finish(const larch_storage *medium, bool *is_new)
{
    uint8_t check[LARCH_RESEAL_CHECK_LEN], want[LARCH_RESEAL_CHECK_LEN];
    larch_posix_names names;
    bool is_done;
    assert_int_equal(larch_posix_storage_list(&files, &names), LARCH_OK);
    assert_int_equal(larch_sessions_sealed_by(sessions_file, check, &why), LARCH_OK);
    larch_error e = LARCH_OK;
    if (larch_rekey_is_under_way(names.name, names.count))
        e = larch_rekey_finish(medium, names.name, names.count, check, &is_done);
    larch_posix_names_free(&names);
    assert_int_equal(larch_store_check(&new_key, want), LARCH_OK);
    *is_new = memcmp(check, want, sizeof check) == 0;
    return e == LARCH_OK;
}

static bool reads(const char *name, larch_record_kind kind, const char *text)
{
    uint8_t got[LARCH_RECORD_MAX];
    size_t len;
    larch_store_fault fault;
    return larch_record_read(&view, name, kind, got, sizeof got, &len, &fault) == LARCH_OK && len == strlen(text) &&
           memcmp(got, text, len) == 0;
}

static void assert_whole(const larch_seal_key *key)
{
    larch_store_head head;
    larch_store_fault fault;
    uint32_t start;
    larch_posix_names names;
    assert_int_equal(larch_sealed_files_head(&storage, LARCH_SEAL_KEY_NAME, &head, &start, &fault), LARCH_OK);
    assert_memory_equal(head.wrapped, key->bytes, sizeof key->bytes);
    open_view(key);
    assert_true(reads("identity.key", LARCH_RECORD_IDENTITY, "who I am"));
    assert_true(reads("direct-512.key", LARCH_RECORD_KEYS, "a seed"));
    assert_int_equal(open_through_view(), LARCH_OK);
    assert_int_equal(start_at(0, UNIX_S + 1000), LARCH_OK);
    assert_true(is_numbered(find_numbered(1), 1));
    larch_session *session; /* the marks of the one that is gone still tell it */
    assert_int_equal(add_numbered(2, "b", 0, &session), LARCH_STATE);
    close_ok();
    assert_int_equal(larch_posix_storage_list(&files, &names), LARCH_OK);
    assert_false(larch_rekey_is_under_way(names.name, names.count));
    larch_posix_names_free(&names);
}

/* No file of the folder has these bytes, and no record or column opens under the old key. */
static void assert_forgotten(void)
{
    larch_posix_names names;
    open_view(&old_key);
    assert_false(reads("identity.key", LARCH_RECORD_IDENTITY, "who I am"));
    assert_false(reads("direct-512.key", LARCH_RECORD_KEYS, "a seed"));
    assert_int_equal(open_through_view(), LARCH_AUTH);
    assert_int_equal(larch_posix_storage_list(&files, &names), LARCH_OK);
    for (size_t i = 0; i < names.count; i++) {
        static uint8_t bytes[1 << 20];
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, names.name[i]);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        const size_t len = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        for (size_t at = 0; at + sizeof old_key.bytes <= len; at++)
            assert_memory_not_equal(bytes + at, old_key.bytes, sizeof old_key.bytes);
    }
    larch_posix_names_free(&names);
}

static void test_whole(void **state)
{
    (void)state;
    make_folder();
    assert_int_equal(rekey(&storage, sessions_file), LARCH_OK);
    assert_whole(&new_key);
    assert_forgotten();
    old_key = new_key; /* and once more: the key of the marks is kept a second time */
    assert_int_equal(larch_random_fill(&source, new_key.bytes, sizeof new_key.bytes), LARCH_OK);
    assert_int_equal(rekey(&storage, sessions_file), LARCH_OK);
    assert_whole(&new_key);
    assert_forgotten();
}

/* Every cut, and after each every cut of what finishes it. */
static void test_cuts(void **state)
{
    bool was_whole = false, seen_old = false, seen_new = false;
    for (unsigned steps = 0; !was_whole; steps++) {
        bool has_finished = false;
        for (unsigned more = 0; !has_finished; more++) {
            bool is_new;
            make_folder();
            larch_storage medium = cut_medium(steps);
            was_whole = rekey(&medium, sessions_file) == LARCH_OK;
            medium = cut_medium(more);
            has_finished = finish(&medium, &is_new);
            medium = storage;
            assert_true(finish(&medium, &is_new));
            assert_whole(is_new ? &new_key : &old_key);
            if (is_new)
                assert_forgotten();
            seen_old = seen_old || !is_new;
            seen_new = seen_new || (is_new && !was_whole);
            assert_int_equal(tear_down_folder(state), 0);
            assert_int_equal(set_up_folder(state), 0);
        }
    }
    assert_true(seen_old && seen_new);
}

/* A file of sessions with a column that does not open is no reason to lose the rest. */
static void test_damaged_column(void **state)
{
    (void)state;
    sqlite3 *db;
    make_folder();
    assert_int_equal(sqlite3_open(sessions_file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE context SET sealed = zeroblob(length(sealed))", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(rekey(&storage, sessions_file), LARCH_AUTH);
    assert_int_equal(why.fault, LARCH_REGISTRY_SEALED);
    open_view(&old_key);
    assert_true(reads("identity.key", LARCH_RECORD_IDENTITY, "who I am"));
    bool is_new;
    assert_true(finish(&storage, &is_new));
    assert_false(is_new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_cuts, set_up_folder, tear_down_folder),
        cmocka_unit_test_setup_teardown(test_damaged_column, set_up_folder, tear_down_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
