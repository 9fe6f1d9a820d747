/* SPDX-License-Identifier: Apache-2.0 */
/* What code says on stderr. A program that includes this has included cmocka.h. */
#ifndef LARCH_TEST_COMPLAINT_H
#define LARCH_TEST_COMPLAINT_H

#include <string.h>

#include "divert.h"

static char complaint[2048]; /* of the calls between begin and end */
static FILE *complaint_file;
static int complaint_before;

static inline void begin_complaint(void) { complaint_before = divert(STDERR_FILENO, &complaint_file); }

static inline void end_complaint(void)
{
    restore(STDERR_FILENO, complaint_before, complaint_file, complaint, sizeof complaint);
}

/* text: part of the one line; "": nothing was said. */
static inline void assert_complaint(const char *text)
{
    const char *end = strchr(complaint, '\n');
    if (text[0] == '\0' ? complaint[0] != '\0' : strstr(complaint, text) == NULL || end == NULL || end[1] != '\0')
        fail_msg("said: %s", complaint);
}

#endif
