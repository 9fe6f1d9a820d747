/* SPDX-License-Identifier: Apache-2.0 */
/* Include it after cmocka.h. */
#ifndef LARCH_TESTS_SKIPS_H
#define LARCH_TESTS_SKIPS_H

/* Ends the test as skipped. The summary of a test run lists the lines "skipped: what: why". */
#define skip_because(why)                                  \
    do {                                                   \
        print_message("skipped: %s: %s\n", __func__, why); \
        skip();                                            \
    } while (0)

#endif
