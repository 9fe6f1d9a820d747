/* SPDX-License-Identifier: Apache-2.0 */
/* Between text.c and json.c alone. */
#ifndef LARCH_SNIFF_TEXT_INT_H
#define LARCH_SNIFF_TEXT_INT_H

#include "sniff/text.h"

/* As printf; at most 511 characters. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void larch_sniff_put(larch_writer *w, const char *format, ...);

/* Printable ASCII as it is, the rest as \xNN; at most max bytes, then "...". */
void larch_sniff_put_escaped(larch_writer *w, larch_bytes bytes, size_t max);
void larch_sniff_put_hex(larch_writer *w, larch_bytes bytes);

extern const char *const larch_sniff_type_text[4]; /* "CON", ... */

#endif
