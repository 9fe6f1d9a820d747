/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON [RFC8259] into a writer, which may also measure. The commas come by themselves. The caller closes what it opened,
 * and gives each member of an object a name and each element of an array none (NULL).
 */
#ifndef LARCH_TEXT_JSON_H
#define LARCH_TEXT_JSON_H

#include "text/text.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_JSON_DEPTH 16 /* objects and arrays inside each other */

typedef struct larch_json {
    larch_writer *writer; /* private, all of it */
    unsigned depth;
    uint32_t filled; /* a bit for each level: it holds something, so that a comma comes next */
    bool ascii;
} larch_json;

/* For one value: an object, an array, or what stands for itself. */
larch_json larch_json_to(larch_writer *w);
/* One object that is a line of its own: what is put next are its members. */
larch_json larch_json_begin_line(larch_writer *w);
/* As above, but all strings are in ASCII, see text/text.h. */
larch_json larch_json_begin_ascii_line(larch_writer *w);
void larch_json_end_line(larch_json *j);

void larch_json_begin_object(larch_json *j, const char *name);
void larch_json_end_object(larch_json *j);
void larch_json_begin_array(larch_json *j, const char *name);
void larch_json_end_array(larch_json *j);

/* Strings; untrusted bytes are escaped as larch_text_put_json or larch_text_put_json_ascii does. */
void larch_json_put_text(larch_json *j, const char *name, const char *text);
void larch_json_put_bytes(larch_json *j, const char *name, larch_bytes untrusted);
void larch_json_put_hex(larch_json *j, const char *name, larch_bytes bytes);
void larch_json_put_time(larch_json *j, const char *name, int64_t time, larch_text_precision precision);
void larch_json_put_peer(larch_json *j, const char *name, const larch_peer *peer);

void larch_json_put_number(larch_json *j, const char *name, uint64_t value);
void larch_json_put_integer(larch_json *j, const char *name, int64_t value);
/* With so many digits behind the point; null for what is no number, or infinite. */
void larch_json_put_decimal(larch_json *j, const char *name, double value, unsigned digits);
void larch_json_put_bool(larch_json *j, const char *name, bool value);
void larch_json_put_null(larch_json *j, const char *name);

#ifdef __cplusplus
}
#endif

#endif
