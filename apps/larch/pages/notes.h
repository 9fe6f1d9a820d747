/* SPDX-License-Identifier: Apache-2.0 */
/* What a man page says besides the help: files, environment, signals, exit codes, examples, other pages. */
#ifndef LARCH_APP_NOTES_H
#define LARCH_APP_NOTES_H

#include <stddef.h>

typedef struct page_note {
    const char *term;
    const char *meaning;
} page_note;

/* Of one command; lists end with a NULL term, and a list that is NULL has no section. */
typedef struct page_notes {
    const char *command; /* "": the program itself */
    const page_note *files, *environment, *signals, *exit_status, *examples;
    const char *see_also; /* pages besides larch(1), "NAME(SECTION), ..."; NULL: none */
} page_notes;

/* NULL if there are none: a fault, which the tests find. */
const page_notes *page_notes_of(const char *command);

#endif
