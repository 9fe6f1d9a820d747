/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text out of untrusted bytes, and times. All functions append to a writer, so
 * they never write past the caller's memory.
 */
#ifndef LARCH_APP_TEXT_H
#define LARCH_APP_TEXT_H

#include "larch/base.h"

/* A string of ours, as it is. */
void larch_text_put(larch_writer *w, const char *text);

/* Decimal, without allocation. */
void larch_text_put_number(larch_writer *w, uint64_t value);

/* Lower-case hexadecimal. */
void larch_text_put_hex(larch_writer *w, larch_bytes bytes);

/* Milliseconds since 1970 as "2026-11-20T15:00:00.123Z" [RFC3339]. */
void larch_text_put_time(larch_writer *w, int64_t unix_ms);

/* Whether the bytes are well-formed UTF-8 [RFC3629]: no overlong form, no surrogate, nothing past U+10FFFF. */
bool larch_text_is_utf8(larch_bytes bytes);

/* A JSON string [RFC8259 7] with its quotes. Well-formed UTF-8 passes; a byte that is not part of any
 * comes out as if it were Latin-1 (0xff as \u00ff), so the line is always valid JSON. Controls
 * and marks that turn the direction of writing are escaped too: the line is safe on a terminal. */
void larch_text_put_json(larch_writer *w, larch_bytes untrusted);

/* For people: as above, but controls and direction marks as \u{202e}, foreign bytes as \xff, a backslash as \\. */
void larch_text_put_plain(larch_writer *w, larch_bytes untrusted);

#endif
