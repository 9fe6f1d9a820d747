/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/roff.h"

#include <string.h>

#include "common/prose.h"
#include "text/text.h"

void roff_put_text(larch_writer *w, larch_bytes text)
{
    bool at_start = true;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        if (at_start && (c == '.' || c == '\''))
            larch_text_put(w, "\\&");
        if (c == '\\')
            larch_text_put(w, "\\e");
        else if (c == '-')
            larch_text_put(w, "\\-");
        else
            larch_writer_put_u8(w, c);
        at_start = c == '\n';
    }
}

void roff_put(larch_writer *w, const char *text) { roff_put_text(w, larch_bytes_of_text(text)); }

void roff_put_title(larch_writer *w, const char *name, unsigned section, const char *what)
{
    larch_text_put_format(w, ".TH \"%s\" %u \"\" \"larch " LARCH_VERSION "\" \"larch\"\n.SH NAME\n", name, section);
    roff_put(w, name);
    larch_text_put(w, " \\- ");
    roff_put(w, what);
    larch_text_put(w, "\n");
}

void roff_put_section(larch_writer *w, const char *name) { larch_text_put_format(w, ".SH %s\n", name); }

void roff_put_prose(larch_writer *w, const char *text)
{
    larch_prose_piece piece;
    while (larch_prose_next(&text, &piece)) {
        switch (piece.kind) {
        case LARCH_PROSE_LITERAL:
            larch_text_put(w, ".PP\n.nf\n");
            roff_put_text(w, piece.text);
            larch_text_put(w, ".fi\n");
            break;
        case LARCH_PROSE_PARAGRAPH:
            larch_text_put(w, ".PP\n");
            roff_put_text(w, larch_prose_join(&piece));
            larch_text_put(w, "\n");
            break;
        case LARCH_PROSE_EMPTY:
            break;
        }
    }
}

void roff_put_term(larch_writer *w, const char *term, const char *meaning)
{
    larch_text_put(w, ".TP\n.B ");
    roff_put(w, term);
    larch_text_put(w, "\n");
    roff_put(w, meaning);
    larch_text_put(w, "\n");
}

void roff_put_command_line(larch_writer *w, const char *name, larch_bytes arguments)
{
    larch_text_put(w, ".br\n\\fB");
    roff_put(w, name);
    larch_text_put(w, "\\fR ");
    roff_put_text(w, arguments);
    larch_text_put(w, "\n");
}
