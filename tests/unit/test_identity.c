/* SPDX-License-Identifier: Apache-2.0 */
/* The identity document to the byte, and every fault of it. Fingerprints are tried in test_direct.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/crypto.h"
#include "larch/identity.h"
#include "larch/kem.h"

enum { HEAD = LARCH_IDENTITY_HEAD_LEN, ENTRY = LARCH_IDENTITY_ENTRY_LEN };

static uint8_t bytes[LARCH_IDENTITY_DOCUMENT_MAX + ENTRY];

/* All that an entry can be. */
static const struct {
    uint8_t kind;
    uint16_t algorithm;
} all[] = {{1, 512}, {1, 768}, {1, 1024}, {1, LARCH_XWING_SET}, {2, 44}, {2, 65}, {2, 87}, {3, 44}, {3, 65}, {3, 87}};

enum { ALL = sizeof all / sizeof all[0] };

static void put_entry(size_t at, uint8_t kind, uint16_t algorithm)
{
    uint8_t *entry = bytes + HEAD + at * ENTRY;
    entry[0] = kind;
    entry[1] = (uint8_t)(algorithm >> 8);
    entry[2] = (uint8_t)algorithm;
    memset(entry + 3, (int)(0xa0 + at), 32);
}

/* A sound document of the first count kinds of entry. */
static larch_bytes document_of(uint8_t founding, size_t count)
{
    memcpy(bytes, "larch-id\1", 9);
    bytes[9] = founding;
    for (size_t i = 0; i < count; i++)
        put_entry(i, all[i].kind, all[i].algorithm);
    return (larch_bytes){bytes, HEAD + count * ENTRY};
}

static void assert_fault(larch_bytes document, larch_identity_fault fault)
{
    larch_identity_document out;
    larch_identity_fault found = LARCH_IDENTITY_FAULT_COUNT;
    memset(&out, 0xaa, sizeof out);
    const larch_error e = larch_identity_parse(document, &out, &found);
    if (found != fault)
        print_error("%s, not %s\n", larch_identity_fault_text(found), larch_identity_fault_text(fault));
    assert_int_equal(found, fault);
    assert_int_equal(e, fault == LARCH_IDENTITY_FAULT_NONE ? LARCH_OK : LARCH_MALFORMED);
    if (e != LARCH_OK)
        assert_true(all_are((const uint8_t *)&out, sizeof out, 0));
    assert_int_equal(larch_identity_parse(document, &out, NULL), e);
}

/* ---- sound ------------------------------------------------------------------ */

static void test_round_trip(void **state)
{
    (void)state;
    for (size_t count = 1; count <= ALL; count++)
        for (uint8_t founding = 1; founding <= count; founding++) {
            uint8_t again[LARCH_IDENTITY_DOCUMENT_MAX];
            larch_identity_document document;
            const larch_bytes whole = document_of(founding, count);
            assert_int_equal(larch_identity_parse(whole, &document, NULL), LARCH_OK);
            assert_int_equal(document.founding, founding);
            assert_int_equal(document.count, count);
            for (size_t i = 0; i < ALL; i++) {
                const larch_identity_entry *entry =
                    larch_identity_find(&document, (larch_identity_kind)all[i].kind, all[i].algorithm, false);
                assert_int_equal(entry != NULL, i < count);
                if (entry != NULL)
                    assert_true(all_are(entry->hash, 32, (uint8_t)(0xa0 + i)));
                entry = larch_identity_find(&document, (larch_identity_kind)all[i].kind, all[i].algorithm, true);
                assert_int_equal(entry != NULL, i < founding);
            }
            larch_writer w = larch_writer_to(again, sizeof again), measure = larch_writer_to(NULL, 0);
            larch_identity_compose(&w, &document);
            larch_identity_compose(&measure, &document);
            assert_int_equal(measure.len, whole.len);
            assert_int_equal(w.len, whole.len);
            assert_memory_equal(again, whole.data, whole.len);
        }
}

/* Computed with Python's hashlib: SHA-256 of the head and the founding entries. */
static void test_identity(void **state)
{
    (void)state;
    static const uint8_t expected[20] = {0xb3, 0xc3, 0x8d, 0xd9, 0x05, 0xc8, 0x32, 0xf8, 0xb0, 0x65,
                                         0xc8, 0x99, 0xb8, 0x11, 0xb9, 0xcf, 0x6f, 0x03, 0x57, 0x01};
    uint8_t first[20], other[20];
    larch_identity_document document;
    assert_int_equal(larch_identity_parse(document_of(2, 2), &document, NULL), LARCH_OK);
    assert_int_equal(larch_identity_of(&document, first), LARCH_OK);
    assert_memory_equal(first, expected, sizeof first);
    /* Later entries change nothing; founding ones, and their number, do. */
    for (size_t count = 3; count <= ALL; count++) {
        assert_int_equal(larch_identity_parse(document_of(2, count), &document, NULL), LARCH_OK);
        assert_int_equal(larch_identity_of(&document, other), LARCH_OK);
        assert_memory_equal(first, other, sizeof first);
    }
    assert_int_equal(larch_identity_parse(document_of(1, 2), &document, NULL), LARCH_OK);
    assert_int_equal(larch_identity_of(&document, other), LARCH_OK);
    assert_memory_not_equal(first, other, sizeof first);
    for (size_t at = HEAD + 3; at < HEAD + 2 * ENTRY; at += ENTRY) {
        larch_bytes whole = document_of(2, 2);
        bytes[at] ^= 1;
        assert_int_equal(larch_identity_parse(whole, &document, NULL), LARCH_OK);
        assert_int_equal(larch_identity_of(&document, other), LARCH_OK);
        assert_memory_not_equal(first, other, sizeof first);
    }
}

/* ---- faults ------------------------------------------------------------------- */

/* Every length but those of whole entries. */
static void test_lengths(void **state)
{
    (void)state;
    for (uint8_t founding = 1; founding <= ALL; founding++)
        for (size_t len = 0; len <= HEAD + ALL * ENTRY; len++) {
            larch_identity_fault fault = LARCH_IDENTITY_FAULT_NONE;
            (void)document_of(founding, ALL);
            if (len < 8)
                fault = LARCH_IDENTITY_FAULT_FOREIGN;
            else if (len < HEAD + (size_t)founding * ENTRY)
                fault = LARCH_IDENTITY_FAULT_TRUNCATED;
            else if ((len - HEAD) % ENTRY != 0)
                fault = LARCH_IDENTITY_FAULT_TOO_LONG;
            assert_fault((larch_bytes){bytes, len}, fault);
        }
    assert_fault((larch_bytes){NULL, 0}, LARCH_IDENTITY_FAULT_FOREIGN);
    /* More entries than there can be are refused for that, whatever they are. */
    (void)document_of(1, ALL);
    for (size_t i = ALL; i <= LARCH_IDENTITY_ENTRIES; i++)
        put_entry(i, 1, 512);
    assert_fault((larch_bytes){bytes, HEAD + (LARCH_IDENTITY_ENTRIES + 1) * ENTRY}, LARCH_IDENTITY_FAULT_TWICE);
}

static void test_head(void **state)
{
    (void)state;
    for (size_t at = 0; at < HEAD; at++)
        for (unsigned value = 0; value < 256; value++) {
            const larch_bytes whole = document_of(3, 4);
            larch_identity_fault fault = LARCH_IDENTITY_FAULT_NONE;
            if (bytes[at] != value && at < 8)
                fault = LARCH_IDENTITY_FAULT_FOREIGN;
            else if (bytes[at] != value && at == 8)
                fault = LARCH_IDENTITY_FAULT_VERSION;
            else if (at == 9 && (value == 0 || value > LARCH_IDENTITY_FOUNDING_MAX))
                fault = LARCH_IDENTITY_FAULT_FOUNDING;
            else if (at == 9 && value > 4)
                fault = LARCH_IDENTITY_FAULT_TRUNCATED;
            bytes[at] = (uint8_t)value;
            assert_fault(whole, fault);
        }
}

static bool is_known(uint8_t kind, uint16_t algorithm)
{
    for (size_t i = 0; i < ALL; i++)
        if (all[i].kind == kind && all[i].algorithm == algorithm)
            return true;
    return false;
}

/* The second entry as anything that it can be said to be. */
static void test_entries(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 256; kind++)
        for (unsigned i = 0; i < 2 * ALL; i++) {
            const uint16_t algorithm = (uint16_t)(all[i / 2].algorithm + i % 2);
            const larch_bytes whole = document_of(2, 2);
            put_entry(1, (uint8_t)kind, algorithm);
            assert_fault(whole, !is_known((uint8_t)kind, algorithm) ? LARCH_IDENTITY_FAULT_ENTRY
                                : kind == 1 && algorithm == 512     ? LARCH_IDENTITY_FAULT_TWICE
                                                                    : LARCH_IDENTITY_FAULT_NONE);
        }
}

/* One kind and algorithm twice, wherever both stand, also as a founding and a later entry. */
static void test_twice(void **state)
{
    (void)state;
    for (uint8_t founding = 1; founding <= ALL; founding++)
        for (size_t a = 0; a < ALL; a++)
            for (size_t b = a + 1; b < ALL; b++) {
                const larch_bytes whole = document_of(founding, ALL);
                put_entry(b, all[a].kind, all[a].algorithm);
                assert_fault(whole, LARCH_IDENTITY_FAULT_TWICE);
            }
}

/* A root key among the later entries is none among the founding ones. */
static void test_rootless(void **state)
{
    (void)state;
    const larch_bytes whole = document_of(2, 3);
    put_entry(0, 2, 44);
    put_entry(1, 3, 44);
    put_entry(2, 1, 512);
    assert_fault(whole, LARCH_IDENTITY_FAULT_ROOTLESS);
    bytes[9] = 3;
    assert_fault(whole, LARCH_IDENTITY_FAULT_NONE);
}

static void test_texts(void **state)
{
    (void)state;
    for (unsigned fault = 0; fault < LARCH_IDENTITY_FAULT_COUNT; fault++)
        assert_true(strlen(larch_identity_fault_text((larch_identity_fault)fault)) > 4);
    assert_string_equal(larch_identity_fault_text(LARCH_IDENTITY_FAULT_TRUNCATED), "is cut short");
    assert_string_equal(larch_identity_fault_text(LARCH_IDENTITY_FAULT_COUNT), "?");
}

static int setup(void **state)
{
    (void)state;
    return larch_crypto_init() == LARCH_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_identity), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_head),       cmocka_unit_test(test_entries),  cmocka_unit_test(test_twice),
        cmocka_unit_test(test_rootless),   cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
