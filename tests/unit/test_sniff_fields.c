/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of all dissectors hold together, whatever protocols are added: one JSON object never gets a member twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sniff/dissect/dissector.h"

static const larch_sniff_dissector *const dissectors[] = {
#define ROW(name) &larch_sniff_dissector_##name,
    LARCH_SNIFF_DISSECTORS(ROW)
#undef ROW
};
enum { COUNT = sizeof dissectors / sizeof dissectors[0] };

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        const larch_sniff_dissector *d = dissectors[i];
        assert_int_equal(d->fields == NULL, d->field_count == 0);
        assert_int_equal(d->fields == NULL, d->message == NULL);
        assert_true(d->read == NULL || d->match != NULL); /* nothing is read that nothing matches */
        for (size_t k = 0; k < d->field_count; k++) {
            const larch_sniff_field *f = &d->fields[k];
            assert_non_null(f->get);
            assert_int_equal(f->name == NULL, f->of == 0);
            assert_true(f->of != 0 || f->column.of != 0);    /* else nobody ever sees it */
            assert_int_equal((f->of | f->column.of) & 1, 0); /* 0 is none of its messages */
            assert_non_null(f->column.before);
            assert_non_null(f->column.after);
        }
    }
}

static bool is_plain(const char *name)
{
    for (; *name != 0; name++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_.", *name) == NULL)
            return false;
    return true;
}

/* "oscore.inner." of "oscore.inner.code" */
static size_t objects_of(const char *name)
{
    const char *point = name != NULL ? strrchr(name, '.') : NULL;
    return point != NULL ? (size_t)(point - name) + 1 : 0;
}

/* An object is opened once: the rows in it follow each other. */
static void test_objects(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < dissectors[i]->field_count; k++) {
            const char *name = dissectors[i]->fields[k].name;
            const size_t len = objects_of(name);
            bool left = false;
            if (name == NULL || len == 0)
                continue;
            assert_true(strlen(name) < LARCH_SNIFF_NAME_MAX);
            for (size_t m = k + 1; m < dissectors[i]->field_count; m++) {
                const char *other = dissectors[i]->fields[m].name;
                if (other == NULL)
                    continue;
                const bool inside = strncmp(name, other, len) == 0;
                if (inside && left)
                    fail_msg("%s stands apart from %s", other, name);
                left = left || !inside;
            }
        }
    }
}

/* Messages of different dissectors can meet in one packet; those of one cannot. */
static void test_names(void **state)
{
    (void)state;
    static const char *const envelope[] = {"event",  "number",   "time",        "source", "destination",
                                           "length", "checksum", "reassembled", "kind",   "alerts"};
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < dissectors[i]->field_count; k++) {
            const larch_sniff_field *f = &dissectors[i]->fields[k];
            if (f->name == NULL)
                continue;
            assert_true(is_plain(f->name));
            for (size_t n = 0; n < sizeof envelope / sizeof envelope[0]; n++)
                assert_string_not_equal(f->name, envelope[n]);
            for (size_t j = 0; j <= i; j++) {
                for (size_t m = 0; m < (j == i ? k : dissectors[j]->field_count); m++) {
                    const larch_sniff_field *other = &dissectors[j]->fields[m];
                    if (other->name != NULL && strcmp(other->name, f->name) == 0 &&
                        (j != i || (other->of & f->of) != 0))
                        fail_msg("%s stands twice", f->name);
                }
            }
        }
    }
}

/* A packet that nobody knows has no fields; one of CoAP alone has CoAP's, in order, and then the remainder's. */
static void test_walk(void **state)
{
    (void)state;
    larch_sniff_packet *packet = calloc(1, sizeof *packet);
    larch_sniff_field_walk walk = {0, 0};
    unsigned message = 77;
    assert_non_null(packet);
    assert_null(larch_sniff_field_next(&walk, packet, &message));

    packet->kind = LARCH_SNIFF_EMPTY;
    walk = (larch_sniff_field_walk){0, 0};
    for (size_t k = 0; k < larch_sniff_dissector_coap.field_count; k++) {
        assert_ptr_equal(larch_sniff_field_next(&walk, packet, &message), &larch_sniff_dissector_coap.fields[k]);
        assert_int_equal(message, LARCH_SNIFF_EMPTY);
    }
    for (size_t k = 0; k < larch_sniff_dissector_remainder.field_count; k++)
        assert_ptr_equal(larch_sniff_field_next(&walk, packet, &message), &larch_sniff_dissector_remainder.fields[k]);
    assert_null(larch_sniff_field_next(&walk, packet, &message));
    assert_null(larch_sniff_field_next(&walk, packet, &message));
    free(packet);
}

static void test_match(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const larch_sniff_dissector *dissector;
        uint8_t resource;
    } rows[] = {
        {"pqkem-pk", &larch_sniff_dissector_direct, 0},
        {"pqkem-data", &larch_sniff_dissector_direct, 1},
        {"pqkem-next", &larch_sniff_dissector_direct, 2},
        {".well-known/edhoc", &larch_sniff_dissector_lake, 0},
        {".well-known/core", &larch_sniff_dissector_coap, 0},
        {"pqkem", NULL, 0},
        {"pqkem-pk/x", NULL, 0},
        {".well-known", NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[64], resource = 0;
        larch_coap_builder b;
        larch_bytes datagram;
        larch_coap_message request;
        larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_CON, LARCH_COAP_GET, 1, (larch_bytes){NULL, 0});
        larch_coap_build_path(&b, rows[i].path);
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
        assert_int_equal(larch_coap_parse(datagram, &request), LARCH_OK);
        assert_ptr_equal(larch_sniff_dissector_find(&request, &resource), rows[i].dissector);
        assert_int_equal(resource, rows[i].resource);
    }
}

/* OSCORE is known by its option. On a port that nobody named, only a whole request is taken for one. */
static void test_mark(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[24];
        size_t len;
        bool matches;
    } rows[] = {
        {{0x40, 2, 0, 1, 0x93, 9, 20, 0, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 18, true},
        {{0x40, 5, 0, 1, 0x92, 9, 20, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 17, true},        /* an empty kid */
        {{0x40, 1, 0, 1, 0x93, 9, 20, 0, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 18, false},    /* no outer code */
        {{0x40, 2, 0, 1, 0x93, 9, 20, 0, 0xff, 1, 2, 3, 4, 5, 6, 7, 8}, 17, false},       /* too short for a tag */
        {{0x40, 2, 0, 1, 0x92, 1, 20, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 17, false},       /* no kid */
        {{0x40, 2, 0, 1, 0x92, 8, 20, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 17, false},       /* no Partial IV */
        {{0x40, 2, 0, 1, 0x93, 0x29, 20, 0, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 18, false}, /* Group OSCORE */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_sniff_packet *packet = calloc(1, sizeof *packet);
        uint8_t resource = 7;
        assert_non_null(packet);
        assert_int_equal(larch_coap_parse((larch_bytes){rows[i].bytes, rows[i].len}, &packet->coap), LARCH_OK);
        packet->kind = LARCH_SNIFF_REQUEST;
        assert_ptr_equal(larch_sniff_dissector_mark(packet), &larch_sniff_dissector_oscore);
        assert_ptr_equal(larch_sniff_dissector_find(&packet->coap, &resource),
                         rows[i].matches ? &larch_sniff_dissector_oscore : NULL);
        free(packet);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_objects), cmocka_unit_test(test_names),
        cmocka_unit_test(test_walk), cmocka_unit_test(test_match),   cmocka_unit_test(test_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
