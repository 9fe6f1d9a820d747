/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "pages/pages.h"
#include "pages/roff.h"
#include "text/text.h"

#define COMMENT_MAX 2048

/* Comments since the last setting, as one line. */
typedef struct comment {
    uint8_t text[COMMENT_MAX];
    size_t len;
} comment;

static void add(comment *c, larch_bytes text)
{
    if (c->len + 1 + text.len > sizeof c->text)
        return;
    if (c->len > 0)
        c->text[c->len++] = ' ';
    memcpy(c->text + c->len, text.data, text.len);
    c->len += text.len;
}

static larch_bytes take_line(larch_bytes *rest)
{
    size_t len = 0;
    while (len < rest->len && rest->data[len] != '\n')
        len++;
    const larch_bytes line = {rest->data, len};
    len += len < rest->len;
    rest->data += len;
    rest->len -= len;
    return line;
}

static larch_bytes without(larch_bytes line, size_t front)
{
    while (front < line.len && line.data[front] == ' ')
        front++;
    return (larch_bytes){line.data + front, line.len - front};
}

static void put_comment(larch_writer *w, comment *c)
{
    roff_put_text(w, (larch_bytes){c->text, c->len});
    larch_text_put(w, "\n");
    c->len = 0;
}

void page_put_ini(larch_writer *w, larch_bytes sample)
{
    comment c = {.len = 0};
    bool in_section = false;
    roff_put_title(w, "gateway.ini", 5, "settings of larch gateway");
    roff_put_section(w, "DESCRIPTION");
    while (sample.len > 0) {
        const larch_bytes line = take_line(&sample);
        const uint8_t first = line.len > 0 ? line.data[0] : '\0';
        if (first == '#' && line.len > 1) {
            if (strncmp((const char *)line.data, "# SPDX", 6) != 0)
                add(&c, without(line, 1));
        } else if (first == '[') {
            if (!in_section) /* what stands above the first one is about the whole file */
                put_comment(w, &c);
            larch_text_put(w, ".SH \"");
            roff_put_text(w, line);
            larch_text_put(w, "\"\n");
            if (in_section)
                put_comment(w, &c);
            in_section = true;
        } else if (line.len > 0) {
            larch_text_put(w, ".TP\n.B ");
            roff_put_text(w, without(line, first == ';'));
            larch_text_put(w, "\n");
            put_comment(w, &c);
        }
    }
    roff_put_section(w, "\"SEE ALSO\"");
    roff_put(w, "larch-gateway(1), larch(1)\n");
}
