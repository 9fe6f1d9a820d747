/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway prints of refusals: all of a few, and a bounded number of lines of a flood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/report.h"

static gateway_report report;
static FILE *printed;

static int set_up(void **state)
{
    (void)state;
    gateway_report_init(&report, false, false);
    printed = tmpfile();
    if (printed == NULL)
        return -1;
    larch_out_init(&report.err, fileno(printed));
    report.now_ms = 5000;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return fclose(printed);
}

static void refuse(larch_event_kind reason, unsigned times)
{
    const larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7}, .port = 40000};
    const larch_event event = {.kind = reason, .peer = peer, .kem = larch_kem_at(0)};
    for (unsigned i = 0; i < times; i++)
        gateway_report_event(&report, &event);
}

/* How many lines were printed since; *told: how many refusals they speak of. */
static unsigned lines(unsigned *told)
{
    char line[256];
    unsigned count = 0;
    *told = 0;
    gateway_report_flush(&report);
    rewind(printed);
    for (; fgets(line, sizeof line, printed) != NULL; count++) {
        const char *number = strstr(line, "refused ") + strlen("refused ");
        *told += strstr(line, " times, ") != NULL ? (unsigned)strtoul(number, NULL, 10) : 1;
        assert_non_null(strstr(line, "192.0.2.7:40000 ML-KEM-512"));
    }
    assert_int_equal(ftruncate(fileno(printed), 0), 0);
    rewind(printed);
    return count;
}

static const struct {
    larch_event_kind reason;
    unsigned lines; /* a second */
} rows[] = {{LARCH_EVENT_REPLAY, 10}, {LARCH_EVENT_AUTH, 10}, {LARCH_EVENT_MALFORMED, 1}, {LARCH_EVENT_RATE, 1}};

static void test_few(void **state)
{
    unsigned told;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        refuse(rows[i].reason, rows[i].lines);
        assert_int_equal(lines(&told), rows[i].lines);
        assert_int_equal(told, rows[i].lines);
        assert_int_equal(gateway_report_deadline_ms(&report), UINT64_MAX); /* nothing is owed */
    }
}

/* Every refusal of a flood is counted, none of them costs a line of its own. */
static void test_flood(void **state)
{
    enum { SECONDS = 20, STEPS = 100, EACH = 37 };
    unsigned told, now;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned count = 0, sum = 0;
        for (unsigned step = 0; step < SECONDS * STEPS; step++) {
            refuse(rows[i].reason, EACH);
            count += lines(&now);
            sum += now;
            report.now_ms += 1000 / STEPS;
        }
        assert_in_range(count, SECONDS, (SECONDS + 1) * rows[i].lines);
        assert_true(gateway_report_deadline_ms(&report) <= report.now_ms + 1000);
        report.now_ms += 1000;
        assert_int_equal(lines(&told), 1);
        assert_int_equal(sum + told, SECONDS * STEPS * EACH);
        report.now_ms += 1000; /* quiet again: the next one is told at once */
        refuse(rows[i].reason, 1);
        assert_int_equal(lines(&told), 1);
    }
}

/* A flood of one kind hides nothing of another. */
static void test_kinds_apart(void **state)
{
    unsigned told;
    (void)state;
    refuse(LARCH_EVENT_AUTH, 1000);
    (void)lines(&told);
    refuse(LARCH_EVENT_REPLAY, 1);
    assert_int_equal(lines(&told), 1);
    assert_int_equal(told, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_few, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kinds_apart, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
