/* SPDX-License-Identifier: Apache-2.0 */
/* What man pages consist of, in the language of man(7). */
#ifndef LARCH_APP_ROFF_H
#define LARCH_APP_ROFF_H

#include "larch/base.h"

/* Text that shows as it is: what roff would take for a request or an escape is escaped. */
void roff_put_text(larch_writer *w, larch_bytes text);
void roff_put(larch_writer *w, const char *text);
/* The page's head: larch-gateway, 1, ... */
void roff_put_title(larch_writer *w, const char *name, unsigned section, const char *what);
void roff_put_section(larch_writer *w, const char *name);
/* Prose (common/prose.h): paragraphs are filled, literal lines are kept. */
void roff_put_prose(larch_writer *w, const char *text);
/* A term and, below and indented, what it means. */
void roff_put_term(larch_writer *w, const char *term, const char *meaning);
/* A line in bold, and one in roman, each ended by a break. */
void roff_put_command_line(larch_writer *w, const char *name, larch_bytes arguments);

#endif
