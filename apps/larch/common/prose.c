/* SPDX-License-Identifier: Apache-2.0 */
#include "common/prose.h"

#include <string.h>

static larch_prose_kind kind_of(const char *line)
{
    return *line == '\n' ? LARCH_PROSE_EMPTY : *line == ' ' ? LARCH_PROSE_LITERAL : LARCH_PROSE_PARAGRAPH;
}

bool larch_prose_next(const char **text, larch_prose_piece *piece)
{
    const char *at = *text;
    if (*at == '\0')
        return false;
    piece->kind = kind_of(at);
    do {
        at += strcspn(at, "\n");
        at += *at == '\n';
    } while (piece->kind != LARCH_PROSE_EMPTY && *at != '\0' && kind_of(at) == piece->kind);
    piece->text = (larch_bytes){(const uint8_t *)*text, (size_t)(at - *text)};
    *text = at;
    return true;
}

larch_bytes larch_prose_join(const larch_prose_piece *paragraph)
{
    static uint8_t joined[LARCH_PROSE_MAX];
    size_t len = paragraph->text.len < sizeof joined ? paragraph->text.len : sizeof joined;
    for (size_t i = 0; i < len; i++)
        joined[i] = paragraph->text.data[i] == '\n' ? ' ' : paragraph->text.data[i];
    while (len > 0 && joined[len - 1] == ' ')
        len--;
    return (larch_bytes){joined, len};
}
