/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text on the host: numbers, times, and what untrusted bytes look like. The functions append to a writer, so they never
 * write past the caller's memory, and a writer without memory measures.
 */
#ifndef LARCH_TEXT_TEXT_H
#define LARCH_TEXT_TEXT_H

#include <stdio.h>

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A string of ours, as it is. */
void larch_text_put(larch_writer *w, const char *text);

#define LARCH_TEXT_FORMAT_MAX 511
/* As printf, cut after so many characters. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void larch_text_put_format(larch_writer *w, const char *format, ...);

/* ---- numbers ----------------------------------------------------------- */

/* Decimal, without allocation. */
void larch_text_put_number(larch_writer *w, uint64_t value);

/* In a base from 10 to 16, with zeros in front up to so many digits, at most 20. */
void larch_text_put_digits(larch_writer *w, uint64_t value, unsigned base, unsigned min_digits);

/* Lower-case hexadecimal. */
void larch_text_put_hex(larch_writer *w, larch_bytes bytes);

#define LARCH_TEXT_CODE_MAX 5 /* "7.31" and the end */
/* Writes a code of CoAP into out, "2.05" [RFC7252 3], and returns out. */
char *larch_text_of_code(uint8_t code, char out[LARCH_TEXT_CODE_MAX]);

/* ---- times ------------------------------------------------------------- */

/* The unit of a time: so many digits stand behind the point. */
typedef enum larch_text_precision { LARCH_TEXT_MS = 3, LARCH_TEXT_US = 6 } larch_text_precision;

/* Milliseconds or microseconds since 1970 as "2026-11-20T15:00:00.123Z" [RFC3339]. A time before 1970 is shown as 1970. */
void larch_text_put_time(larch_writer *w, int64_t time, larch_text_precision precision);
/* The time of day alone: "15:00:00.123". */
void larch_text_put_clock(larch_writer *w, int64_t time, larch_text_precision precision);

/* ---- untrusted bytes --------------------------------------------------- */

/*
 * Two alphabets. No control character comes out of either, so a line is safe on a terminal.
 *
 * UTF-8, for bytes that should be text: well-formed UTF-8 passes, and a byte that belongs to no character comes out as
 * if it were Latin-1. Different bytes may then give the same JSON string, so a program that needs the bytes adds them in
 * hexadecimal where larch_text_is_utf8 says no.
 *
 * ASCII, for bytes that may be anything: each byte stands for itself, as the Latin-1 character of its number. A JSON
 * reader that encodes the string as Latin-1 gets the same bytes again.
 */

/* The first bytes, at most max. */
larch_bytes larch_text_first(larch_bytes bytes, size_t max);

/* Whether the bytes are well-formed UTF-8 [RFC3629]: no overlong form, no surrogate, nothing past U+10FFFF. */
bool larch_text_is_utf8(larch_bytes bytes);

/* A JSON string [RFC8259 7] with its quotes, in UTF-8: foreign bytes, controls and marks that turn the direction of
 * writing are escaped (0xff as \u00ff). The string is always valid JSON. */
void larch_text_put_json(larch_writer *w, larch_bytes untrusted);
/* As above, in ASCII: what is not printable, quotes and backslashes are \u00XX. */
void larch_text_put_json_ascii(larch_writer *w, larch_bytes untrusted);

/* For people, in UTF-8: controls and direction marks as \u{202e}, foreign bytes as \xff, a backslash as \\. */
void larch_text_put_plain(larch_writer *w, larch_bytes untrusted);
/* For people, in ASCII: what is not printable, quotes and backslashes are \xXX. */
void larch_text_put_plain_ascii(larch_writer *w, larch_bytes untrusted);

/* ---- out --------------------------------------------------------------- */

/* Prints what the writer holds, or nothing if that did not fit: half a line says something else. A caller that needs to
 * know whether it was written asks ferror() in the end. */
void larch_text_print(const larch_writer *w, FILE *file);

#ifdef __cplusplus
}
#endif

#endif
