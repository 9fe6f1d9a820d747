/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts and devices that come, stay over starts, and go. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sessions_folder.h"

static void assert_refused(larch_error e, larch_error want, const char *text)
{
    assert_int_equal(e, want);
    if (strstr(larch_sessions_error(sessions)->text, text) == NULL)
        fail_msg("%s", larch_sessions_error(sessions)->text);
}

static void test_kept(void **state)
{
    (void)state;
    uint64_t number, device;
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    start_ok();
    assert_null(find_numbered(1));
    larch_session *s = add_ok(1, "thermo", 0);
    number = s->number;
    device = s->device;
    assert_true(number != 0 && device != 0);
    assert_ptr_equal(find_numbered(1), s);
    assert_int_equal(add_ok(2, "thermo", UNIX_S + 5)->device, device); /* a second one of the same device */
    assert_true(add_ok(3, "a door\xc3\xa9", 0)->device != device);
    close_ok();

    open_ok();
    assert_int_equal(larch_sessions_count(sessions), 3);
    assert_null(find_numbered(1)); /* not before the start */
    assert_int_equal(start_at(0, UNIX_S), LARCH_OK);
    s = find_numbered(1);
    assert_non_null(s);
    assert_true(is_numbered(s, 1) && s->number == number && s->device == device && s->expires_s == 0);
    assert_true(is_numbered(find_numbered(2), 2) && find_numbered(2)->expires_s == UNIX_S + 5);
    assert_true(is_numbered(find_numbered(3), 3));
    assert_true(larch_sessions_name(sessions, device, name));
    assert_string_equal(name, "thermo");
    assert_int_equal(larch_sessions_device(sessions, "thermo"), device);
    assert_int_equal(larch_sessions_device(sessions, "a door\xc3\xa9"), find_numbered(3)->device);
    assert_int_equal(larch_sessions_device(sessions, "a door"), 0);
    assert_false(larch_sessions_name(sessions, device + 1, name));
    assert_string_equal(name, "");
    const larch_contexts *contexts = larch_sessions_contexts(sessions);
    assert_ptr_equal(contexts->find_number(contexts->context, number), s);
    assert_null(contexts->find_number(contexts->context, number + 1));
    /* The window is unknown: the first request is challenged. */
    larch_oscore_verdict verdict;
    uint64_t own;
    assert_int_equal(larch_epochs_allow(&epochs, s, 0), LARCH_OK);
    assert_int_equal(larch_oscore_accept_number(&s->oscore, 4, (larch_bytes){NULL, 0}, &verdict, &own), LARCH_OK);
    assert_int_equal(verdict, LARCH_OSCORE_CHALLENGE);
    close_ok();
}

/* Every parameter comes back. */
static void test_parameters(void **state)
{
    (void)state;
    static const uint8_t secret[64] = {1, 2, 3}, salt[64] = {9};
    larch_session *s;
    larch_oscore_parameters p = {.aead = larch_cose_aead_find(LARCH_COSE_A256GCM),
                                 .hash = LARCH_COSE_SHA_384,
                                 .master_secret = LARCH_BYTES(secret),
                                 .master_salt = LARCH_BYTES(salt),
                                 .sender_id = LARCH_TEXT(""),
                                 .recipient_id = LARCH_TEXT("abcdef"),
                                 .id_context = LARCH_TEXT("0123456789abcdef")};
    larch_oscore_context want[3];
    start_ok();
    assert_int_equal(larch_oscore_context_init(&want[0], &p), LARCH_OK);
    assert_int_equal(larch_sessions_add(sessions, "a", &p, 0, &s), LARCH_OK);
    p.id_context = LARCH_TEXT("");
    assert_int_equal(larch_oscore_context_init(&want[1], &p), LARCH_OK);
    assert_int_equal(larch_sessions_add(sessions, "b", &p, 0, &s), LARCH_OK);
    p.id_context.data = NULL;
    assert_int_equal(larch_oscore_context_init(&want[2], &p), LARCH_OK);
    assert_int_equal(larch_sessions_add(sessions, "c", &p, 0, &s), LARCH_OK);
    close_ok();
    start_ok();
    for (unsigned i = 0; i < 3; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        size_t at = 0;
        do
            s = larch_sessions_next(sessions, &at);
        while (s != NULL && s->device != larch_sessions_device(sessions, name));
        assert_non_null(s);
        assert_memory_equal(s->oscore.sender_key, want[i].sender_key, sizeof want[i].sender_key);
        assert_memory_equal(s->oscore.recipient_key, want[i].recipient_key, sizeof want[i].recipient_key);
        assert_memory_equal(s->oscore.id_context, want[i].id_context, sizeof want[i].id_context);
        assert_int_equal(s->oscore.id_context_len, want[i].id_context_len);
    }
    close_ok();
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a:b", "a\nb", "a\x7f", "12345678901234567"};
    numbered_bytes b;
    larch_oscore_parameters p = numbered(1, &b);
    larch_session *s;
    start_ok();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_refused(larch_sessions_add(sessions, names[i], &p, 0, &s), LARCH_MALFORMED, "has no usable name");
    p.master_secret.len = 15;
    assert_refused(larch_sessions_add(sessions, "a", &p, 0, &s), LARCH_MALFORMED, "too short");
    p = numbered(1, &b);
    p.aead = NULL;
    assert_refused(larch_sessions_add(sessions, "a", &p, 0, &s), LARCH_MALFORMED, "algorithm that larch lacks");
    p = numbered(1, &b);
    p.hash = LARCH_COSE_SHAKE256;
    assert_refused(larch_sessions_add(sessions, "a", &p, 0, &s), LARCH_MALFORMED, "algorithm that larch lacks");
    p = numbered(1, &b);
    p.recipient_id = p.sender_id;
    assert_refused(larch_sessions_add(sessions, "a", &p, 0, &s), LARCH_MALFORMED, "has equal IDs");
    assert_null(s);
    assert_int_equal(larch_sessions_count(sessions), 0);
    assert_int_equal(larch_sessions_device(sessions, "a"), 0); /* nothing of it is there */

    (void)add_ok(1, "a", 0);
    p = numbered(2, &b);
    memcpy(b.recipient, (uint8_t[]){0, 1, 7}, 3);
    assert_refused(larch_sessions_add(sessions, "b", &p, 0, &s), LARCH_STATE, "b has the kid of another context");
    p.id_context = LARCH_TEXT("other");
    assert_int_equal(larch_sessions_add(sessions, "b", &p, 0, &s), LARCH_OK);
    close_ok();
}

/* A context file that was used before is not used again, in either role. */
static void test_keys_on_record(void **state)
{
    (void)state;
    numbered_bytes b;
    larch_session *s;
    for (int restart = 0; restart <= 1; restart++) {
        start_ok();
        const unsigned n = 10 + (unsigned)restart;
        s = add_ok(n, "a", 0);
        assert_int_equal(larch_sessions_remove(sessions, s->number), LARCH_OK);
        assert_null(find_numbered(n));
        if (restart == 1) {
            close_ok();
            start_ok();
        }
        assert_int_equal(larch_sessions_count(sessions), 0);
        assert_refused(add_numbered(n, "a", 0, &s), LARCH_STATE, "a has a key that is or was on record");
        assert_refused(add_numbered(n, "other", UNIX_S + 9, &s), LARCH_STATE, "on record");
        larch_oscore_parameters p = numbered(n, &b);
        p.sender_id = LARCH_BYTES(b.recipient); /* the other end's */
        p.recipient_id = LARCH_BYTES(b.sender);
        assert_refused(larch_sessions_add(sessions, "a", &p, 0, &s), LARCH_STATE, "on record");
        p = numbered(n, &b);
        p.recipient_id = LARCH_TEXT("new"); /* the sender key is the old one */
        assert_refused(larch_sessions_add(sessions, "a", &p, 0, &s), LARCH_STATE, "on record");
        p = numbered(n, &b);
        p.sender_id = LARCH_TEXT("new");
        p.recipient_id = LARCH_TEXT("old");
        assert_int_equal(larch_sessions_add(sessions, "a", &p, 0, &s), LARCH_OK);
        assert_int_equal(larch_sessions_remove(sessions, s->number), LARCH_OK);
        assert_refused(larch_sessions_remove(sessions, 1), LARCH_STATE, "no context of this number");
        close_ok();
    }
}

static void test_full(void **state)
{
    (void)state;
    larch_session *s, *first;
    place_max = 2;
    start_ok();
    first = add_ok(1, "a", 0);
    (void)add_ok(2, "a", 0);
    assert_refused(add_numbered(3, "a", 0, &s), LARCH_SPACE, "every one is taken");
    assert_int_equal(larch_sessions_remove(sessions, first->number), LARCH_OK);
    (void)add_ok(3, "a", 0);
    close_ok();
    start_ok();
    assert_non_null(find_numbered(2));
    assert_non_null(find_numbered(3));
    close_ok();
    place_max = 1;
    assert_int_equal(open_sessions(), LARCH_SPACE);
    assert_non_null(strstr(why.text, "more contexts than may be loaded"));
    place_max = 2;
    start_ok();
    assert_int_equal(larch_sessions_count(sessions), 2);
    close_ok();
}

static void test_forget_device(void **state)
{
    (void)state;
    size_t removed;
    larch_session *s;
    start_ok();
    const uint64_t device = add_ok(1, "a", 0)->device;
    (void)add_ok(2, "b", 0);
    (void)add_ok(3, "a", 0);
    assert_int_equal(larch_sessions_forget_device(sessions, device, &removed), LARCH_OK);
    assert_int_equal(removed, 2);
    assert_refused(larch_sessions_forget_device(sessions, device, &removed), LARCH_STATE, "no device");
    close_ok();
    start_ok();
    assert_int_equal(larch_sessions_count(sessions), 1);
    assert_non_null(find_numbered(2));
    assert_int_equal(larch_sessions_device(sessions, "a"), 0);
    assert_refused(add_numbered(1, "a", 0, &s), LARCH_STATE, "on record"); /* its keys stay there */
    close_ok();
}

static void test_expire(void **state)
{
    (void)state;
    size_t removed;
    larch_session *s;
    start_ok();
    (void)add_ok(1, "a", UNIX_S + 10);
    (void)add_ok(2, "a", UNIX_S + 20);
    (void)add_ok(3, "a", 0);
    const uint64_t early = add_ok(4, "a", UNIX_S + 20)->number;
    assert_int_equal(larch_sessions_remove(sessions, early), LARCH_OK);
    assert_int_equal(larch_sessions_expire(sessions, UNIX_S + 9, &removed), LARCH_OK);
    assert_int_equal(removed, 0);
    assert_non_null(find_numbered(1));
    assert_int_equal(larch_sessions_expire(sessions, 0, &removed), LARCH_OK); /* no clock */
    assert_int_equal(larch_sessions_expire(sessions, UNIX_S + 10, &removed), LARCH_OK);
    assert_int_equal(removed, 1);
    assert_null(find_numbered(1));
    assert_refused(add_numbered(4, "a", 0, &s), LARCH_STATE, "on record"); /* up to its end */
    close_ok();

    open_ok();
    assert_int_equal(start_at(0, UNIX_S + 20), LARCH_OK);
    assert_null(find_numbered(2)); /* not yet removed */
    assert_int_equal(larch_sessions_count(sessions), 2);
    assert_int_equal(larch_sessions_expire(sessions, UNIX_S + 20, &removed), LARCH_OK);
    assert_int_equal(removed, 1);
    assert_non_null(find_numbered(3));
    (void)add_ok(4, "a", 0);
    close_ok();
}

/* Many at once go in several transactions. */
static void test_expire_many(void **state)
{
    (void)state;
    size_t removed;
    place_max = 2 * LARCH_SESSIONS_EXPIRE_MAX;
    open_ok();
    for (unsigned i = 0; i < LARCH_SESSIONS_EXPIRE_MAX + 3; i++)
        (void)add_ok(i, "a", UNIX_S + 10);
    assert_int_equal(start_at(0, UNIX_S + 20), LARCH_OK);
    assert_int_equal(larch_sessions_expire(sessions, UNIX_S + 20, &removed), LARCH_OK);
    assert_int_equal(removed, LARCH_SESSIONS_EXPIRE_MAX);
    assert_int_equal(larch_sessions_expire(sessions, UNIX_S + 20, &removed), LARCH_OK);
    assert_int_equal(removed, 3);
    assert_int_equal(larch_sessions_count(sessions), 0);
    close_ok();
}

/* ---- what is left in the files ------------------------------------------------ */

static bool holds(const char *name, larch_bytes bytes)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return false;
    static uint8_t all[1 << 20];
    const size_t len = fread(all, 1, sizeof all, f);
    (void)fclose(f);
    assert_true(len < sizeof all);
    for (size_t i = 0; i + bytes.len <= len; i++)
        if (memcmp(all + i, bytes.data, bytes.len) == 0)
            return true;
    return false;
}

/* Secrets are sealed; and of what was removed a second ago not even the seal is left. */
static void test_nothing_left(void **state)
{
    (void)state;
    static const uint8_t secret[] = "a secret that can be looked for.";
    larch_session *s;
    numbered_bytes b;
    larch_oscore_parameters p = numbered(1, &b);
    p.master_secret = (larch_bytes){secret, sizeof secret - 1};
    start_ok();
    assert_int_equal(larch_sessions_add(sessions, "removed-device", &p, 0, &s), LARCH_OK);
    assert_true(holds(SESSIONS_DB "-wal", LARCH_TEXT("removed-device")));
    assert_false(holds(SESSIONS_DB "-wal", p.master_secret));
    size_t removed;
    assert_int_equal(larch_sessions_forget_device(sessions, s->device, &removed), LARCH_OK);
    assert_true(holds(SESSIONS_DB "-wal", LARCH_TEXT("removed-device")));
    assert_int_equal(larch_sessions_flush(sessions), LARCH_OK);
    assert_false(holds(SESSIONS_DB "-wal", LARCH_TEXT("removed-device")));
    assert_false(holds(SESSIONS_DB, LARCH_TEXT("removed-device")));
    (void)add_ok(2, "staying", 0);
    close_ok();
    assert_true(holds(SESSIONS_DB, LARCH_TEXT("staying")));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_folder, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_kept),           TEST(test_parameters),  TEST(test_refused),
        TEST(test_keys_on_record), TEST(test_full),        TEST(test_forget_device),
        TEST(test_expire),         TEST(test_expire_many), TEST(test_nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
