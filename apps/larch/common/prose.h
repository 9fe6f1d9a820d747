/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prose of the commands, as the help and the man pages read it: lines that stand together are one paragraph, which each
 * of them breaks as it likes; a line that begins with a blank is shown as it is, and so is an empty one.
 */
#ifndef LARCH_APP_PROSE_H
#define LARCH_APP_PROSE_H

#include "larch/base.h"

typedef enum larch_prose_kind {
    LARCH_PROSE_PARAGRAPH,
    LARCH_PROSE_LITERAL, /* with its line ends */
    LARCH_PROSE_EMPTY    /* one empty line */
} larch_prose_kind;

typedef struct larch_prose_piece {
    larch_prose_kind kind;
    larch_bytes text;
} larch_prose_piece;

/* Takes the next piece of a text, and moves past it; false at its end. */
bool larch_prose_next(const char **text, larch_prose_piece *piece);

/* A paragraph with a blank for each line end; the view holds until the next call. Cut after LARCH_PROSE_MAX bytes. */
#define LARCH_PROSE_MAX 4096
larch_bytes larch_prose_join(const larch_prose_piece *paragraph);

#endif
