/* SPDX-License-Identifier: Apache-2.0 */
#include "common/nearest.h"

#include <string.h>

#define WORD_MAX 40 /* longer ones are near to nothing of ours */

larch_nearest larch_nearest_to(const char *word, size_t len)
{
    return (larch_nearest){.word = word, .len = len, .distance = (len + 2) / 3 + 1};
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* The optimal string alignment distance. rows[2] becomes row i of the table while rows[1] and rows[0] hold the two
 * before it; column k stands for the first k characters of name. */
static size_t distance(const char *word, size_t word_len, const char *name, size_t name_len)
{
    size_t rows[3][WORD_MAX + 1] = {{0}};
    for (size_t k = 0; k <= name_len; k++)
        rows[2][k] = k;
    for (size_t i = 1; i <= word_len; i++) {
        memmove(rows[0], rows[1], 2 * sizeof rows[0]);
        rows[2][0] = i;
        for (size_t k = 1; k <= name_len; k++) {
            size_t best = least(rows[1][k] + 1, rows[2][k - 1] + 1);
            best = least(best, rows[1][k - 1] + (word[i - 1] != name[k - 1]));
            if (i > 1 && k > 1 && word[i - 1] == name[k - 2] && word[i - 2] == name[k - 1])
                best = least(best, rows[0][k - 2] + 1);
            rows[2][k] = best;
        }
    }
    return rows[2][name_len];
}

void larch_nearest_offer(larch_nearest *n, const char *name)
{
    const size_t len = strlen(name);
    if (n->len == 0 || n->len > WORD_MAX || len > WORD_MAX)
        return;
    const size_t found = len > n->len && memcmp(n->word, name, n->len) == 0 ? 1 : distance(n->word, n->len, name, len);
    if (found >= n->distance)
        return;
    n->distance = found;
    n->best = name;
}

const char *larch_nearest_name(const larch_nearest *n) { return n->best; }
