/* SPDX-License-Identifier: Apache-2.0 */
/* Health tests, and simulated sources: sound, stuck, biased, slow, absent. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "secrets/entropy.h"
#include "system.h"
#include "temp_folder.h"

static char folder[TEMP_FOLDER_MAX];
static char path[TEMP_FOLDER_MAX + 16];

/* ---- health ------------------------------------------------------------------ */

static uint32_t state_ = 1;

static uint8_t next_byte(void)
{
    state_ = state_ * 1664525 + 1013904223;
    return (uint8_t)(state_ >> 24);
}

static larch_health_fault judge(const uint8_t *bytes, size_t len)
{
    larch_health h = {0};
    return larch_health_take(&h, (larch_bytes){bytes, len});
}

static void test_repetition(void **state)
{
    (void)state;
    uint8_t bytes[200];
    for (size_t run = 1; run <= 40; run++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i >= 90 && i < 90 + run ? 7 : i);
        assert_int_equal(judge(bytes, sizeof bytes),
                         run >= LARCH_HEALTH_REPEATS ? LARCH_HEALTH_STUCK : LARCH_HEALTH_SOUND);
    }
    larch_health h = {0}; /* a run that goes on over two calls */
    memset(bytes, 9, sizeof bytes);
    assert_int_equal(larch_health_take(&h, (larch_bytes){bytes, 20}), LARCH_HEALTH_SOUND);
    assert_int_equal(larch_health_take(&h, (larch_bytes){bytes, 10}), LARCH_HEALTH_SOUND);
    assert_int_equal(larch_health_take(&h, (larch_bytes){bytes, 1}), LARCH_HEALTH_STUCK);
}

/* The first sample of a window, so many times in it and never too often in a row. */
static void test_proportion(void **state)
{
    (void)state;
    for (size_t same = 320; same <= 330; same++) {
        uint8_t bytes[LARCH_HEALTH_WINDOW];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (i + 1) * same / sizeof bytes > i * same / sizeof bytes ? 5 : (uint8_t)(6 + i % 200);
        for (size_t i = 0; bytes[0] != 5; i++)
            if (bytes[i] == 5) {
                bytes[i] = bytes[0];
                bytes[0] = 5;
            }
        assert_int_equal(judge(bytes, sizeof bytes),
                         same >= LARCH_HEALTH_SAME ? LARCH_HEALTH_BIASED : LARCH_HEALTH_SOUND);
    }
}

/* ---- sources -------------------------------------------------------------------- */

/* The first event of a source. */
static larch_entropy_event first_event(uint64_t wait_ms, uint8_t seed[LARCH_ENTROPY_SEED_LEN],
                                       char why[LARCH_ENTROPY_WHY_MAX])
{
    const larch_random random = larch_posix_random();
    const larch_entropy_config config = {.device = path, .wait_ms = wait_ms, .pause_ms = 3600000};
    larch_entropy e;
    assert_int_equal(larch_entropy_start(&e, &config), LARCH_OK);
    struct pollfd p = {.fd = e.fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 20000), 1);
    const larch_entropy_event event = larch_entropy_take(&e, &random, seed, why);
    uint8_t no_seed[LARCH_ENTROPY_SEED_LEN];
    char no_why[LARCH_ENTROPY_WHY_MAX];
    assert_int_equal(larch_entropy_take(&e, &random, no_seed, no_why), LARCH_ENTROPY_NOTHING);
    larch_entropy_stop(&e);
    larch_entropy_stop(&e);
    return event;
}

static void make_source(const uint8_t *bytes, size_t len)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    (void)close(fd);
}

static uint8_t seeds[2][LARCH_ENTROPY_SEED_LEN];
static char whys[2][LARCH_ENTROPY_WHY_MAX];

static void test_sound(void **state)
{
    (void)state;
    static const uint8_t none[LARCH_ENTROPY_SEED_LEN];
    uint8_t bytes[2 * LARCH_HEALTH_BLOCK];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = next_byte();
    make_source(bytes, sizeof bytes);
    assert_int_equal(first_event(20000, seeds[0], whys[0]), LARCH_ENTROPY_SEED);
    assert_int_equal(first_event(20000, seeds[1], whys[1]), LARCH_ENTROPY_SEED);
    assert_memory_not_equal(seeds[0], none, sizeof none);
    assert_memory_not_equal(seeds[0], seeds[1], sizeof none); /* of the same bytes: the salt is the kernel's */
}

static void assert_fault(const char *text, uint64_t wait_ms)
{
    static const uint8_t none[LARCH_ENTROPY_SEED_LEN];
    assert_int_equal(first_event(wait_ms, seeds[0], whys[0]), LARCH_ENTROPY_FAULT);
    if (strstr(whys[0], text) == NULL)
        fail_msg("%s", whys[0]);
    assert_memory_equal(seeds[0], none, sizeof none);
}

static void test_faults(void **state)
{
    (void)state;
    uint8_t bytes[LARCH_HEALTH_BLOCK];
    assert_fault("No such file", 20000); /* absent */
    memset(bytes, 0, sizeof bytes);
    make_source(bytes, sizeof bytes);
    assert_fault("repetition count", 20000); /* stuck */
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i % 4 < 3 ? 0 : next_byte();
    make_source(bytes, sizeof bytes);
    assert_fault("adaptive proportion", 20000); /* biased */
    make_source(bytes, 100);
    assert_fault("gave 100 of 1024", 20000); /* it ended */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    const int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && write(fd, "slow", 4) == 4);
    assert_fault("gave 4 of 1024", 50); /* slow */
    (void)close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_fault("Is a directory", 20000); /* it cannot be read */
    assert_int_equal(rmdir(path), 0);
}

/* ---- what is done with a seed ----------------------------------------------------- */

/* Whatever is added, even nothing but zeros, what is drawn never repeats. */
static void test_random(void **state)
{
    (void)state;
    const larch_random random = larch_posix_random();
    static const uint8_t seed[LARCH_POSIX_SEED_LEN];
    static uint8_t drawn[64][16], large[5000], again[5000];
    for (size_t i = 0; i < 64; i++) {
        if (i % 8 == 3)
            larch_posix_random_add(seed);
        assert_int_equal(larch_random_fill(&random, drawn[i], sizeof drawn[i]), LARCH_OK);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(drawn[i], drawn[j], sizeof drawn[i]);
    }
    assert_int_equal(larch_random_fill(&random, large, sizeof large), LARCH_OK);
    assert_int_equal(larch_random_fill(&random, again, sizeof again), LARCH_OK);
    assert_memory_not_equal(large, again, sizeof large);
    larch_health h = {0};
    assert_int_equal(larch_health_take(&h, LARCH_BYTES(large)), LARCH_HEALTH_SOUND);
}

static int set_up(void **state)
{
    (void)state;
    if (!temp_folder_make(folder) || larch_crypto_init() != LARCH_OK)
        return -1;
    snprintf(path, sizeof path, "%s/source", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return temp_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repetition),
        cmocka_unit_test(test_proportion),
        cmocka_unit_test_setup_teardown(test_sound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
