/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that shake hands: their keys, and what a handshake and the first request after it leave on record; also when the
 * disk fails or the power goes at every single operation of SQLite. Whatever happens, the key that the device stored last
 * is found, and so is the context that it stored last.
 */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "all_are.h"
#include "registry/enrolled.h"
#include "sessions_folder.h"
#include "sqlite_sim.h"

#define NUMBER_OF(n) (1000u + (n))

/* ---- one device, and what handshake n makes ------------------------------------------- */

static larch_enrolment enrolment_of(const char *name, uint8_t n)
{
    larch_enrolment e = {.name = larch_bytes_of_text(name),
                         .hash = LARCH_COSE_SHAKE256,
                         .method = LARCH_LAKE_METHOD_PSK,
                         .suite = LARCH_LAKE_SUITE_PQ_1};
    memset(e.kid, n, sizeof e.kid);
    memset(e.psk, n + 1, sizeof e.psk);
    return e;
}

static uint64_t enrol_ok(const char *name, uint8_t n)
{
    const larch_enrolment e = enrolment_of(name, n);
    uint64_t device;
    assert_int_equal(larch_sessions_enrol(sessions, &e, &device), LARCH_OK);
    assert_true(device != 0);
    return device;
}

#define OWN 0xee /* kid of the device's own key, in these tests */

static larch_bytes kid_of(unsigned n)
{
    static uint8_t kid[LARCH_LAKE_KID_LEN];
    memset(kid, (int)n, sizeof kid);
    return LARCH_BYTES(kid);
}

static bool has_key(unsigned n)
{
    larch_enrolled_key key;
    const larch_error e = larch_sessions_find_key(sessions, kid_of(n), 0, &key);
    assert_true(e == LARCH_OK || e == LARCH_AGAIN);
    return e == LARCH_OK;
}

static larch_lake_oscore oscore_of(unsigned n)
{
    numbered_bytes b;
    const larch_oscore_parameters p = numbered(n, &b);
    larch_lake_oscore o = {.aead = p.aead, .hash = p.hash, .master_secret_len = sizeof b.secret};
    memcpy(o.master_secret, b.secret, sizeof b.secret);
    memcpy(o.master_salt, b.salt, sizeof b.salt);
    o.sender_id.len = sizeof b.sender;
    memcpy(o.sender_id.bytes, b.sender, sizeof b.sender);
    o.recipient_id.len = sizeof b.recipient;
    memcpy(o.recipient_id.bytes, b.recipient, sizeof b.recipient);
    return o;
}

static larch_session session_of(unsigned n)
{
    numbered_bytes b;
    const larch_oscore_parameters p = numbered(n, &b);
    larch_session s = {.number = NUMBER_OF(n), .is_unconfirmed = true};
    assert_int_equal(larch_oscore_context_init(&s.oscore, &p), LARCH_OK);
    larch_epochs_begin(&epochs, &s);
    return s;
}

/* Handshake n under a key, with the resumption key n; it began when `stamp` handshakes had been stored. */
static larch_error add_since(unsigned n, const larch_enrolled_key *key, uint64_t stamp)
{
    larch_session session = session_of(n);
    larch_lake_made made = {.oscore = oscore_of(n),
                            .next = {.psk_hash = LARCH_COSE_SHAKE256, .psk_len = 64, .kid_len = LARCH_LAKE_KID_LEN},
                            .stamp = stamp};
    memset(made.next.psk, (int)n, sizeof made.next.psk);
    memset(made.next.kid, (int)n, sizeof made.next.kid);
    return larch_sessions_add_made(sessions, key, &made, UNIX_S, 0, &session);
}

static larch_error add_under(unsigned n, const larch_enrolled_key *key)
{
    return add_since(n, key, larch_sessions_last_made(sessions));
}

static larch_error shake_hands(unsigned n, unsigned kid)
{
    larch_enrolled_key key;
    const larch_error e = larch_sessions_find_key(sessions, kid_of(kid), 0, &key);
    return e == LARCH_OK ? add_under(n, &key) : e;
}

static void drop_doomed(void)
{
    const larch_session *s;
    while ((s = larch_sessions_doomed_one(sessions)) != NULL)
        larch_sessions_drop(sessions, s->number);
}

/* Exactly these contexts are there, as bits. */
static void assert_contexts(unsigned bits)
{
    for (unsigned n = 1; n < 16; n++)
        if ((find_numbered(n) != NULL) != ((bits >> n & 1) != 0))
            fail_msg("context %u is %s", n, find_numbered(n) != NULL ? "there" : "not there");
    drop_doomed();
    size_t count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    assert_int_equal(larch_sessions_count(sessions), count);
}

static void assert_keys(unsigned bits)
{
    for (unsigned n = 1; n < 16; n++)
        if (has_key(n) != ((bits >> n & 1) != 0))
            fail_msg("key %u is %s", n, has_key(n) ? "there" : "not there");
    assert_true(has_key(OWN));
}

/* ---- devices and keys ------------------------------------------------------------------- */

static void test_enrolled(void **state)
{
    larch_enrolled_key key;
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    uint64_t device, other, at = 0;
    bool is_enrolled;
    (void)state;
    start_ok();
    device = enrol_ok("door-in-the-yard", OWN);
    (void)add_ok(1, "fixed", 0);
    close_ok();
    start_ok();
    assert_int_equal(larch_sessions_device(sessions, "door-in-the-yard"), device);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(OWN), 0, &key), LARCH_OK);
    assert_true(key.device == device && !key.is_resumption && key.key.psk_hash == LARCH_COSE_SHAKE256);
    assert_string_equal(key.name, "door-in-the-yard");
    assert_true(key.key.psk_len == 32 && all_are(key.key.psk, 32, OWN + 1) && all_are(key.own_kid, 8, OWN));
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(OWN), 1, &key), LARCH_AGAIN);
    assert_true(all_are((const uint8_t *)&key, sizeof key, 0));
    const larch_enrolment again = enrolment_of("door-in-the-yard", 4), fixed = enrolment_of("fixed", 4);
    assert_int_equal(larch_sessions_enrol(sessions, &again, &other), LARCH_STATE);
    assert_int_equal(larch_sessions_enrol(sessions, &fixed, &other), LARCH_STATE);
    assert_non_null(strstr(larch_sessions_error(sessions)->text, "the device fixed is there already"));
    assert_false(has_key(4));
    larch_enrolment bad = enrolment_of("a:b", 4);
    assert_int_equal(larch_sessions_enrol(sessions, &bad, &other), LARCH_MALFORMED);
    bad = enrolment_of("ab", 4);
    bad.hash = LARCH_COSE_SHA_256;
    assert_int_equal(larch_sessions_enrol(sessions, &bad, &other), LARCH_MALFORMED);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(larch_sessions_next_device(sessions, &at, name, &is_enrolled), LARCH_OK);
        assert_int_equal(is_enrolled, strcmp(name, "fixed") != 0);
    }
    assert_int_equal(larch_sessions_next_device(sessions, &at, name, &is_enrolled), LARCH_AGAIN);
    close_ok();
}

/* Two devices with one kid are both candidates. */
static void test_candidates(void **state)
{
    larch_enrolled_key a, b;
    (void)state;
    start_ok();
    (void)enrol_ok("a", 5);
    (void)enrol_ok("b", 5);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(5), 0, &a), LARCH_OK);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(5), 1, &b), LARCH_OK);
    assert_true(a.device != b.device);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(5), 2, &b), LARCH_AGAIN);
    assert_int_equal(larch_sessions_find_key(sessions, (larch_bytes){NULL, 0}, 0, &b), LARCH_AGAIN);
    close_ok();
}

static void test_forgotten(void **state)
{
    larch_enrolled_key key;
    size_t removed;
    (void)state;
    start_ok();
    const uint64_t device = enrol_ok("a", OWN);
    assert_int_equal(shake_hands(1, OWN), LARCH_OK);
    assert_int_equal(shake_hands(2, 1), LARCH_OK);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(2), 0, &key), LARCH_OK);
    assert_int_equal(larch_sessions_forget_device(sessions, device, &removed), LARCH_OK);
    assert_int_equal(removed, 2);
    assert_false(has_key(OWN) || has_key(1) || has_key(2));
    assert_int_equal(larch_sessions_count(sessions), 0);
    assert_int_equal(add_under(3, &key), LARCH_AUTH); /* a handshake that had begun before */
    assert_null(find_numbered(3));
    close_ok();
}

/* ---- devices that sign --------------------------------------------------------------------- */

static uint8_t pub[1312], cred[200];

static larch_enrolled_signer signer_of(const char *name, uint8_t n)
{
    memset(pub, n, sizeof pub);
    memset(cred, n, sizeof cred);
    return (larch_enrolled_signer){.name = larch_bytes_of_text(name),
                                   .kid = kid_of(n),
                                   .suite = LARCH_LAKE_SUITE_X_WING,
                                   .pub = LARCH_BYTES(pub),
                                   .cred = LARCH_BYTES(cred)};
}

static larch_bytes hash_of_cred(void)
{
    static uint8_t hash[LARCH_SHA256_LEN];
    const larch_bytes view = LARCH_BYTES(cred);
    assert_int_equal(larch_sha256(&view, 1, hash), LARCH_OK);
    return LARCH_BYTES(hash);
}

static void assert_signer(const larch_enrolled_key *key, uint64_t device, uint8_t n)
{
    assert_true(key->device == device && key->method == 0 && key->suite == LARCH_LAKE_SUITE_X_WING);
    assert_true(key->key.psk_len == 0 && key->cred_len == sizeof cred && all_are(key->cred, sizeof cred, n));
}

/* By kid, by name and by the hash of its credential, also after a restart; and its resumption knows its credential. */
static void test_signer(void **state)
{
    larch_enrolled_key key;
    uint64_t device;
    (void)state;
    start_ok();
    larch_enrolled_signer signer = signer_of("door", OWN);
    assert_int_equal(larch_sessions_enrol_signer(sessions, &signer, &device), LARCH_OK);
    assert_int_equal(larch_sessions_enrol_signer(sessions, &signer, &device), LARCH_STATE);
    device = larch_sessions_device(sessions, "door");
    close_ok();
    start_ok();
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(OWN), 0, &key), LARCH_OK);
    assert_signer(&key, device, OWN);
    assert_int_equal(larch_sessions_find_own(sessions, LARCH_TEXT("door"), &key), LARCH_OK);
    assert_signer(&key, device, OWN);
    assert_int_equal(larch_sessions_find_cred(sessions, hash_of_cred(), &key), LARCH_OK);
    assert_signer(&key, device, OWN);
    assert_int_equal(shake_hands(1, OWN), LARCH_OK);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(1), 0, &key), LARCH_OK);
    assert_true(key.is_resumption && key.key.psk_len == 64 && key.suite == LARCH_LAKE_SUITE_X_WING);
    assert_true(key.cred_len == sizeof cred && all_are(key.cred, sizeof cred, OWN));
    assert_int_equal(larch_sessions_find_own(sessions, LARCH_TEXT("other"), &key), LARCH_AGAIN);
    assert_int_equal(larch_sessions_find_own(sessions, LARCH_TEXT("a:b"), &key), LARCH_AGAIN);
    close_ok();
}

/* Another credential for the same key replaces the one on record, and nothing else. */
static void test_credential_renewed(void **state)
{
    larch_enrolled_key key;
    uint64_t device;
    (void)state;
    start_ok();
    larch_enrolled_signer signer = signer_of("door", OWN);
    assert_int_equal(larch_sessions_enrol_signer(sessions, &signer, &device), LARCH_OK);
    assert_int_equal(shake_hands(1, OWN), LARCH_OK);
    assert_int_equal(larch_sessions_find_own(sessions, LARCH_TEXT("door"), &key), LARCH_OK);
    memset(cred, 9, sizeof cred);
    assert_int_equal(larch_sessions_renew_cred(sessions, &key, &signer), LARCH_OK);
    close_ok();
    start_ok();
    assert_int_equal(larch_sessions_find_cred(sessions, hash_of_cred(), &key), LARCH_OK);
    assert_signer(&key, device, 9);
    memset(cred, OWN, sizeof cred);
    assert_int_equal(larch_sessions_find_cred(sessions, hash_of_cred(), &key), LARCH_AGAIN);
    assert_int_equal(shake_hands(2, 1), LARCH_OK);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(2), 0, &key), LARCH_OK);
    assert_int_equal(larch_sessions_renew_cred(sessions, &key, &signer), LARCH_MALFORMED); /* not its own key */
    close_ok();
}

/* A revoked key stays revoked, whatever the authority signed for it. */
static void test_signer_revoked(void **state)
{
    uint64_t device;
    size_t removed;
    (void)state;
    start_ok();
    larch_enrolled_signer signer = signer_of("door", OWN);
    assert_int_equal(larch_sessions_enrol_signer(sessions, &signer, &device), LARCH_OK);
    assert_int_equal(larch_sessions_find_revoked(sessions, signer.pub), LARCH_AGAIN);
    assert_int_equal(larch_sessions_forget_device(sessions, device, &removed), LARCH_OK);
    close_ok();
    start_ok();
    assert_false(has_key(OWN));
    assert_int_equal(larch_sessions_find_revoked(sessions, signer.pub), LARCH_OK);
    pub[0] ^= 1;
    assert_int_equal(larch_sessions_find_revoked(sessions, signer.pub), LARCH_AGAIN);
    close_ok();
}

/* The columns of a device, and the pairs that no column takes. */
static void test_pairs(void **state)
{
    larch_enrolment e = enrolment_of("a", 1);
    larch_enrolled_signer signer = signer_of("b", 2);
    larch_enrolled_key key;
    uint64_t device;
    (void)state;
    start_ok();
    e.method = LARCH_LAKE_METHOD_STATIC_DH;
    assert_int_equal(larch_sessions_enrol(sessions, &e, &device), LARCH_MALFORMED);
    e.method = LARCH_LAKE_METHOD_SIGNATURES;
    assert_int_equal(larch_sessions_enrol(sessions, &e, &device), LARCH_MALFORMED); /* it has no PSK */
    e.method = LARCH_LAKE_METHOD_PSK;
    e.suite = LARCH_LAKE_SUITE_PQ_3;
    assert_int_equal(larch_sessions_enrol(sessions, &e, &device), LARCH_MALFORMED); /* another hash */
    e.hash = LARCH_COSE_SHA_384;
    assert_int_equal(larch_sessions_enrol(sessions, &e, &device), LARCH_OK);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(1), 0, &key), LARCH_OK);
    assert_true(key.method == LARCH_LAKE_METHOD_PSK && key.suite == LARCH_LAKE_SUITE_PQ_3 && key.cred_len == 0);
    signer.suite = 2; /* which has no ML-DSA */
    assert_int_equal(larch_sessions_enrol_signer(sessions, &signer, &device), LARCH_MALFORMED);
    signer.suite = LARCH_LAKE_SUITE_PQ_1;
    signer.kid.len = 7;
    assert_int_equal(larch_sessions_enrol_signer(sessions, &signer, &device), LARCH_MALFORMED);
    close_ok();
}

static void change_file(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(sessions_file, &db, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Whoever changes a credential or a suite in the file, without its key, gets nobody in. */
static void test_signer_altered(void **state)
{
    static const char *const changes[] = {"UPDATE credential SET cred = x'00'", "UPDATE credential SET cred = NULL",
                                          "DELETE FROM credential"};
    larch_enrolled_key key;
    uint64_t device;
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char name[] = "door0";
        name[4] = (char)('0' + i);
        start_ok();
        larch_enrolled_signer signer = signer_of(name, (uint8_t)(0x40 + i));
        assert_int_equal(larch_sessions_enrol_signer(sessions, &signer, &device), LARCH_OK);
        close_ok();
        change_file(changes[i]);
        start_ok();
        assert_int_equal(larch_sessions_find_key(sessions, kid_of(0x40 + (unsigned)i), 0, &key), LARCH_PLATFORM);
        assert_non_null(strstr(larch_sessions_error(sessions)->text, "is damaged"));
        close_ok();
    }
}

/* ---- handshakes ---------------------------------------------------------------------------- */

static void confirm_ok(unsigned n) { assert_int_equal(larch_sessions_confirm(sessions, NUMBER_OF(n)), LARCH_OK); }

static void test_resumptions(void **state)
{
    (void)state;
    start_ok();
    const uint64_t device = enrol_ok("a", OWN);
    assert_int_equal(shake_hands(1, OWN), LARCH_OK);
    assert_true(is_numbered(find_numbered(1), 1) && find_numbered(1)->device == device);
    assert_int_equal(find_numbered(1)->expires_s, UNIX_S + LARCH_SESSION_LIFE_S);
    confirm_ok(1);
    assert_contexts(1u << 1);
    assert_int_equal(shake_hands(2, 1), LARCH_OK);
    assert_contexts(1u << 1 | 1u << 2);
    assert_keys(1u << 1 | 1u << 2);
    confirm_ok(2);
    assert_null(find_numbered(1)); /* at once, though its place is still taken */
    assert_int_equal(larch_sessions_count(sessions), 2);
    assert_contexts(1u << 2);
    assert_keys(1u << 2);
    assert_int_equal(shake_hands(3, 2), LARCH_OK); /* never confirmed: the device went on with it at once */
    assert_int_equal(shake_hands(4, 3), LARCH_OK);
    assert_contexts(1u << 3 | 1u << 4);
    assert_keys(1u << 3 | 1u << 4);
    close_ok();
    start_ok();
    assert_contexts(1u << 3 | 1u << 4);
    assert_true(find_numbered(4)->is_unconfirmed && find_numbered(3)->is_unconfirmed);
    confirm_ok(4);
    close_ok();
    start_ok();
    assert_false(find_numbered(4)->is_unconfirmed);
    assert_contexts(1u << 4);
    assert_keys(1u << 4);
    assert_int_equal(larch_sessions_confirm(sessions, NUMBER_OF(3)), LARCH_STATE);
    close_ok();
}

/* The answer that would have made the device store its keys is lost: it comes again with the key that it had. */
static void test_lost_answers(void **state)
{
    (void)state;
    start_ok();
    (void)enrol_ok("a", OWN);
    assert_int_equal(shake_hands(1, OWN), LARCH_OK);
    assert_int_equal(shake_hands(2, OWN), LARCH_OK);
    assert_contexts(1u << 2);
    assert_keys(1u << 2);
    confirm_ok(2);
    assert_int_equal(shake_hands(3, 2), LARCH_OK);
    assert_int_equal(shake_hands(4, 2), LARCH_OK);
    assert_contexts(1u << 2 | 1u << 4);
    assert_keys(1u << 2 | 1u << 4);
    assert_int_equal(shake_hands(5, OWN), LARCH_OK); /* it lost its state; the old keys go when that is sure */
    assert_contexts(1u << 2 | 1u << 4 | 1u << 5);
    assert_keys(1u << 4 | 1u << 5 | 1u << 2);
    confirm_ok(5);
    assert_contexts(1u << 5);
    assert_keys(1u << 5);
    close_ok();
}

/* A request under an older context, on the network for long, does not delete what a later handshake made. */
static void test_late_confirmation(void **state)
{
    (void)state;
    start_ok();
    (void)enrol_ok("a", OWN);
    assert_int_equal(shake_hands(1, OWN), LARCH_OK);
    assert_int_equal(shake_hands(2, 1), LARCH_OK);
    confirm_ok(1);
    assert_contexts(1u << 1 | 1u << 2);
    assert_keys(1u << 1 | 1u << 2);
    close_ok();
}

/* message_3 of a handshake that its device gave up comes after a later one: nothing of that one is touched. */
static void test_late_message_3(void **state)
{
    larch_enrolled_key own, other;
    (void)state;
    start_ok();
    (void)enrol_ok("a", OWN);
    (void)enrol_ok("b", 0xdd);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(OWN), 0, &own), LARCH_OK);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(0xdd), 0, &other), LARCH_OK);
    uint64_t before = larch_sessions_last_made(sessions);
    assert_int_equal(add_under(1, &own), LARCH_OK);
    assert_int_equal(larch_sessions_last_made(sessions), before + 1);
    assert_int_equal(add_since(2, &own, before), LARCH_AUTH);
    assert_contexts(1u << 1);
    assert_keys(1u << 1);
    confirm_ok(1);
    assert_int_equal(add_since(2, &own, before), LARCH_AUTH);
    close_ok();
    start_ok();
    assert_int_equal(add_since(2, &own, before), LARCH_AUTH);
    before = larch_sessions_last_made(sessions);
    assert_int_equal(add_under(3, &other), LARCH_OK);
    assert_int_equal(add_since(4, &own, before), LARCH_OK); /* what other devices do does not matter */
    assert_contexts(1u << 1 | 1u << 3 | 1u << 4);
    close_ok();
}

/* Whoever uses the key of handshake 1 has finished none after it. */
static void test_unfinished(void **state)
{
    (void)state;
    start_ok();
    (void)enrol_ok("a", OWN);
    assert_int_equal(shake_hands(1, OWN), LARCH_OK);
    confirm_ok(1);
    assert_int_equal(shake_hands(2, OWN), LARCH_OK);
    assert_contexts(1u << 1 | 1u << 2);
    assert_int_equal(shake_hands(3, 1), LARCH_OK);
    assert_contexts(1u << 1 | 1u << 3);
    assert_keys(1u << 1 | 1u << 3);
    close_ok();
}

/* A device that goes back and forth between its keys has no more contexts than any other. */
static void test_bounded(void **state)
{
    unsigned n = 1;
    (void)state;
    start_ok();
    (void)enrol_ok("a", OWN);
    (void)add_ok(100, "a", 0); /* a fixed one does not count, and stays */
    assert_int_equal(shake_hands(n++, OWN), LARCH_OK);
    for (; n < 40; n++) {
        const unsigned under = n % 3 == 0 ? OWN : n % 3 == 1 ? n - 1 : n - 2;
        const larch_error e = shake_hands(n, has_key(under) ? under : OWN);
        assert_int_equal(e, LARCH_OK);
        drop_doomed();
        assert_true(larch_sessions_count(sessions) <= LARCH_ENROLLED_CONTEXTS_MAX + 1);
        assert_true(is_numbered(find_numbered(n), n) && has_key(n));
    }
    assert_non_null(find_numbered(100));
    close_ok();
}

static void test_refused(void **state)
{
    larch_enrolled_key key;
    (void)state;
    open_ok();
    (void)enrol_ok("a", OWN);
    assert_int_equal(larch_sessions_find_key(sessions, kid_of(OWN), 0, &key), LARCH_OK);
    assert_int_equal(add_under(1, &key), LARCH_PLATFORM); /* not started */
    assert_int_equal(start_at(0, UNIX_S), LARCH_OK);
    (void)add_ok(1, "b", 0);
    assert_int_equal(add_under(1, &key), LARCH_AUTH); /* the kid of another */
    assert_int_equal(add_under(2, &key), LARCH_OK);
    assert_int_equal(add_under(2, &key), LARCH_AUTH);
    key.device++;
    assert_int_equal(add_under(3, &key), LARCH_AUTH);
    assert_int_equal(larch_sessions_count(sessions), 2);
    close_ok();
}

/* ---- faults ---------------------------------------------------------------------------------- */

#define ROUNDS 6

static uint32_t swept; /* the operation that met the fault */

/* What the device has stored: the handshake of its newest context and key; 0: its own key alone. */
typedef struct device_world {
    bool is_enrolled, maybe_enrolled, stopped;
    unsigned newest, begun; /* stored by the device; begun: the last one that the gateway was asked to store */
    unsigned confirmed;
} device_world;

static device_world run_device(void)
{
    device_world w = {0};
    const larch_enrolment enrolment = enrolment_of("a", OWN);
    uint64_t device;
    if (open_sessions() != LARCH_OK)
        return w;
    if (start_at(0, UNIX_S) == LARCH_OK) {
        const larch_error e = larch_sessions_enrol(sessions, &enrolment, &device);
        w.is_enrolled = e == LARCH_OK;
        w.maybe_enrolled = e == LARCH_PLATFORM;
    }
    for (unsigned n = 1; w.is_enrolled && n < ROUNDS; n++) {
        w.begun = n;
        if (shake_hands(n, w.newest > 0 ? w.newest : OWN) != LARCH_OK)
            break;
        if (n % 3 == 0)
            continue; /* its answer is lost, and the device stores nothing */
        w.newest = n;
        if (larch_sessions_confirm(sessions, NUMBER_OF(n)) != LARCH_OK)
            break;
        w.confirmed = n;
        drop_doomed();
    }
    (void)!close_sessions();
    return w;
}

static void check_device(const device_world *w)
{
    if (open_sessions() != LARCH_OK)
        fail_msg("after operation %u: %s", (unsigned)swept, why.text);
    assert_int_equal(start_at(0, UNIX_S), LARCH_OK);
    if (w->is_enrolled || !w->maybe_enrolled)
        assert_int_equal(has_key(OWN), w->is_enrolled);
    for (unsigned n = 1; n < ROUNDS; n++) {
        larch_session *s = find_numbered(n);
        if (n == w->newest && (s == NULL || !has_key(n)))
            fail_msg("after operation %u: what the device has of handshake %u is lost", (unsigned)swept, n);
        if (s != NULL)
            assert_true(is_numbered(s, n));
        if (n < w->confirmed && (s != NULL || has_key(n)))
            fail_msg("after operation %u: handshake %u has left something", (unsigned)swept, n);
        assert_int_equal(s != NULL, has_key(n)); /* both or none */
    }
    if (w->newest > 0 && w->confirmed == w->newest)
        assert_false(find_numbered(w->newest)->is_unconfirmed);
    if (w->is_enrolled)
        assert_int_equal(shake_hands(ROUNDS, w->newest > 0 ? w->newest : OWN), LARCH_OK);
    close_ok();
}

static void clear_folder(void)
{
    char path[128];
    (void)unlink(sessions_file);
    snprintf(path, sizeof path, "%s-wal", sessions_file);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/" LARCH_SEAL_KEY_NAME, folder);
    (void)unlink(path);
    larch_posix_storage_close(&files); /* which holds the key open */
    open_storage();
}

#ifdef __SANITIZE_ADDRESS__ /* many times as slow */
#define STRIDE 5
#else
#define STRIDE 1
#endif

static void sweep(sim_fault fault, uint32_t count, uint32_t stride)
{
    uint32_t met = 1, runs = 0;
    for (uint32_t at = 0; met > 0; at += stride * STRIDE) {
        clear_folder();
        swept = at;
        sim_plan(fault, at, count, at * 7919 + runs);
        const device_world w = run_device();
        met = sim.met;
        sim_power_on();
        check_device(&w);
        sim_power_on();
        runs++;
    }
    assert_true(runs > 10);
}

static void test_every_cut(void **state)
{
    (void)state;
    sweep(SIM_CUT, 1, 1);
}

static void test_every_failure(void **state)
{
    (void)state;
    sweep(SIM_FAIL, 1, 2);
    sweep(SIM_FULL, 1, 3);
}

/* A full disk refuses the handshake, which then succeeds when there is room. */
static void test_full_disk(void **state)
{
    (void)state;
    start_ok();
    (void)enrol_ok("a", OWN);
    assert_int_equal(shake_hands(1, OWN), LARCH_OK);
    sim_plan(SIM_FULL, 0, UINT32_MAX, 1);
    assert_int_equal(shake_hands(2, 1), LARCH_SPACE);
    assert_int_equal(larch_sessions_confirm(sessions, NUMBER_OF(1)), LARCH_SPACE);
    sim_plan(SIM_FULL, SIM_NEVER, 1, 1);
    assert_contexts(1u << 1);
    assert_keys(1u << 1);
    assert_int_equal(shake_hands(2, 1), LARCH_OK);
    close_ok();
}

/* ---- groups ------------------------------------------------------------------------ */

static void begin_group_test(void)
{
    sessions_have_groups = true;
    start_ok();
    (void)enrol_ok("a", OWN);
    assert_int_equal(shake_hands(1, OWN), LARCH_OK);
    assert_int_equal(larch_sessions_commit(sessions), LARCH_OK);
}

/* Handshakes and a confirmation become durable together; before, only memory knows of them. */
static void test_group(void **state)
{
    (void)state;
    begin_group_test();
    assert_true(larch_sessions_is_durable(sessions));
    assert_int_equal(larch_sessions_confirm(sessions, NUMBER_OF(1)), LARCH_OK);
    assert_int_equal(shake_hands(2, 1), LARCH_OK);
    assert_int_equal(shake_hands(3, 2), LARCH_OK);
    assert_false(larch_sessions_is_durable(sessions));
    crash(); /* as the file is now */
    start_ok();
    assert_contexts(1u << 1);
    assert_keys(1u << 1);
    assert_int_equal(shake_hands(2, 1), LARCH_OK);
    assert_int_equal(shake_hands(9, 8), LARCH_AGAIN); /* no such key: the others stay */
    assert_int_equal(larch_sessions_commit(sessions), LARCH_OK);
    assert_true(larch_sessions_is_durable(sessions));
    crash();
    start_ok();
    assert_contexts(1u << 1 | 1u << 2);
    assert_keys(1u << 1 | 1u << 2);
    close_ok();
}

/* What has to be durable by itself takes the group along. */
static void test_group_beside_others(void **state)
{
    (void)state;
    begin_group_test();
    assert_int_equal(shake_hands(2, 1), LARCH_OK);
    (void)enrol_ok("b", 0xdd);
    crash();
    start_ok();
    assert_contexts(1u << 1 | 1u << 2);
    close_ok();
}

/* A group that fails leaves memory as the file has it, and the next one succeeds. */
static void test_group_fails(void **state)
{
    (void)state;
    begin_group_test();
    assert_int_equal(shake_hands(2, 1), LARCH_OK);
    assert_int_equal(larch_sessions_confirm(sessions, NUMBER_OF(2)), LARCH_OK);
    find_numbered(2)->is_unconfirmed = false; /* as the service does */
    sim_plan(SIM_FULL, 0, UINT32_MAX, 1);
    assert_int_equal(larch_sessions_commit(sessions), LARCH_SPACE);
    sim_plan(SIM_FULL, SIM_NEVER, 1, 1);
    assert_true(larch_sessions_is_durable(sessions));
    assert_contexts(1u << 1);
    assert_keys(1u << 1);
    assert_int_equal(shake_hands(2, 1), LARCH_OK);
    assert_int_equal(larch_sessions_commit(sessions), LARCH_OK);
    assert_int_equal(larch_sessions_confirm(sessions, NUMBER_OF(2)), LARCH_OK);
    find_numbered(2)->is_unconfirmed = false;
    sim_plan(SIM_FULL, 0, UINT32_MAX, 1);
    assert_int_equal(larch_sessions_commit(sessions), LARCH_SPACE);
    sim_plan(SIM_FULL, SIM_NEVER, 1, 1);
    assert_true(find_numbered(2)->is_unconfirmed);
    assert_contexts(1u << 1 | 1u << 2); /* the older one was not deleted */
    assert_keys(1u << 1 | 1u << 2);
    close_ok();
}

static int set_up(void **state)
{
    sim_plan(SIM_FAIL, SIM_NEVER, 1, 1);
    sessions_have_groups = false;
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
    if (access("/dev/shm", W_OK) == 0) /* what the program itself syncs costs nothing there */
        (void)setenv("TMPDIR", "/dev/shm", 1);
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_enrolled),       TEST(test_candidates), TEST(test_forgotten),      TEST(test_resumptions),
        TEST(test_lost_answers),   TEST(test_bounded),    TEST(test_refused),        TEST(test_late_confirmation),
        TEST(test_late_message_3), TEST(test_unfinished), TEST(test_signer),         TEST(test_credential_renewed),
        TEST(test_signer_revoked), TEST(test_pairs),      TEST(test_signer_altered), TEST(test_every_cut),
        TEST(test_every_failure),  TEST(test_full_disk),  TEST(test_group),          TEST(test_group_beside_others),
        TEST(test_group_fails),
    };
    return cmocka_run_group_tests_name("enrolled", tests, NULL, NULL);
}
