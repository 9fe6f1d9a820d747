/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several names a mistyped word was meant to be. */
#ifndef LARCH_APP_NEAREST_H
#define LARCH_APP_NEAREST_H

#include <stddef.h>

typedef struct larch_nearest {
    const char *word;
    size_t len;
    size_t distance; /* of best, or one more than what still counts as close */
    const char *best;
} larch_nearest;

/* len bytes of word, which must outlive the search. */
larch_nearest larch_nearest_to(const char *word, size_t len);
/* Offers one more name, which is kept if it is closer than those before: by insertions, deletions, replacements and swaps
 * of neighbours, one for every three characters of the word. A name that begins with the word is as close as one slip. */
void larch_nearest_offer(larch_nearest *n, const char *name);
/* The closest name, or NULL if none is close. */
const char *larch_nearest_name(const larch_nearest *n);

#endif
