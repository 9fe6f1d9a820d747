/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hundred thousand contexts and as many devices: what the outbox keeps of them in memory, and that each is recalled.
 * With an argument: so many readings of each device instead of one, and the figures of the whole process.
 */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outbox_folder.h"
#include "registry/outbox_int.h"

enum { CONTEXTS = 100000 };

static unsigned readings = 1; /* of each */

/* Its owner's number is as good as random. */
static oscore_identity identity_at(char kind, uint32_t owner, uint64_t n)
{
    oscore_identity i = identity_of(kind, 0, n, (uint8_t)owner);
    larch_writer w = larch_writer_to(i.id, LARCH_SEEN_OWNER_LEN);
    larch_writer_put_u64(&w, (owner + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15));
    memcpy(i.entry.owner, i.id, sizeof i.entry.owner);
    return i;
}

static void commit(void)
{
    larch_outbox_row row;
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    larch_outbox_marked(outbox);
    while (larch_outbox_read(outbox, 0, &row) == LARCH_OK) {
        larch_outbox_advance(outbox, 0);
        larch_outbox_acknowledge(outbox, 0, &row.position, true);
    }
}

static void check_recall(uint32_t owner, uint64_t n, larch_seen_verdict wanted)
{
    uint64_t highest;
    const oscore_identity o = identity_at('O', owner, n), device = identity_at('N', owner, n);
    assert_int_equal(recall(&o, &highest), wanted);
    assert_int_equal(recall(&device, &highest), wanted);
    assert_int_equal(highest, readings);
}

static void check_all(uint32_t step)
{
    for (uint32_t owner = 0; owner < CONTEXTS; owner += step) {
        check_recall(owner, readings, LARCH_SEEN_KNOWN);
        check_recall(owner, readings + 1, LARCH_SEEN_UNKNOWN);
        if (readings > LARCH_SEEN_WINDOW)
            check_recall(owner, readings - LARCH_SEEN_WINDOW + 1, LARCH_SEEN_KNOWN);
    }
}

/* Bytes that the process holds; 0: this system does not say. */
static unsigned long resident(const char *key)
{
    unsigned long kib = 0;
    char line[128];
    FILE *f = fopen("/proc/self/status", "r");
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtoul(line + strlen(key) + 1, NULL, 10);
    (void)fclose(f);
    return kib * 1024;
}

static void test_hundred_thousand_contexts(void **state)
{
    (void)state;
    assert_int_equal(open_outbox(), LARCH_OK);
    for (uint64_t n = 1; n <= readings; n++)
        for (uint32_t owner = 0; owner < CONTEXTS; owner++) {
            const oscore_identity o = identity_at('O', owner, n), device = identity_at('N', owner, n);
            assert_int_equal(put_oscore(&device, &o), LARCH_OK);
            if (owner % 250 == 249)
                commit();
        }
    check_all(97);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(open_outbox(), LARCH_OK); /* the memory of this run alone */
    check_all(97);
    const larch_seen *seen = &outbox->seen;
    const larch_seen_table *tables[] = {&seen->contexts, &seen->devices};
    for (size_t i = 0; i < 2; i++) {
        const size_t used = tables[i]->top * sizeof(larch_seen_owner) + tables[i]->map_cap * sizeof(uint32_t);
        assert_int_equal(tables[i]->count, CONTEXTS);
        assert_true(used <= (size_t)48 * CONTEXTS);
        assert_true(tables[i]->cap <= 2 * CONTEXTS);
    }
    assert_true(outbox->seen.undo_cap <= 4096);
    print_message("%u contexts and devices, %u numbers of each: resident %lu bytes, at most %lu\n", CONTEXTS, readings,
                  resident("VmRSS:"), resident("VmHWM:"));
    assert_int_equal(close_outbox(), LARCH_OK);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hundred_thousand_contexts, set_up_folder, tear_down_folder),
    };
    if (argc > 1)
        readings = (unsigned)strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
