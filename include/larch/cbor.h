/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deterministic CBOR [RFC8949 4.2.1] on larch_reader and larch_writer: definite lengths, the shortest heads, the
 * shortest floating-point form, map keys in bytewise order without duplicates, text in UTF-8. Input that breaks one of
 * these rules is LARCH_MALFORMED. Nesting is bounded by LARCH_CBOR_DEPTH, and nothing recurses.
 *
 * A parser of untrusted bytes first calls larch_cbor_take_whole, which checks the whole item, and then walks through
 * it.
 */
#ifndef LARCH_CBOR_H
#define LARCH_CBOR_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_CBOR_FALSE 20 /* simple values [RFC8949 3.3] */
#define LARCH_CBOR_TRUE  21
#define LARCH_CBOR_NULL  22

typedef enum larch_cbor_type {
    LARCH_CBOR_UINT = 0,   /* value */
    LARCH_CBOR_NINT = 1,   /* -1 - value */
    LARCH_CBOR_BYTES = 2,  /* bytes */
    LARCH_CBOR_TEXT = 3,   /* bytes, which are UTF-8 */
    LARCH_CBOR_ARRAY = 4,  /* value items follow */
    LARCH_CBOR_MAP = 5,    /* value pairs of key and value follow */
    LARCH_CBOR_TAG = 6,    /* of this number; its content follows */
    LARCH_CBOR_SIMPLE = 7, /* value: false, true, null, undefined or a number that is not assigned */
    LARCH_CBOR_FLOAT = 8,  /* value: as the bits of an IEEE 754 binary64 */
    LARCH_CBOR_END = 9     /* larch_cbor_peek alone: no item is left */
} larch_cbor_type;

/* One item, without those that it contains. The view points into what was read. */
typedef struct larch_cbor_item {
    larch_cbor_type type;
    uint64_t value;
    larch_bytes bytes;
} larch_cbor_item;

/* ---- reading untrusted bytes --------------------------------------------- */

/* On LARCH_MALFORMED each of these leaves the reader where it was and its output unchanged. */

/* The head of the next item, with the content of a string. */
LARCH_MUST_USE larch_error larch_cbor_take(larch_reader *r, larch_cbor_item *item);
/* One whole item with everything in it, checked for every rule above; its encoding may be NULL. */
LARCH_MUST_USE larch_error larch_cbor_take_whole(larch_reader *r, larch_bytes *encoding);
/* Whether key a stands before key b in a map: bytewise order of their encodings. [RFC8949 4.2.1] */
bool larch_cbor_is_before(larch_bytes a, larch_bytes b);
/* The type of the next item, by its first byte alone; LARCH_CBOR_END if there is none. */
larch_cbor_type larch_cbor_peek(const larch_reader *r);

/* The next item, which must have this type. */
LARCH_MUST_USE larch_error larch_cbor_take_uint(larch_reader *r, uint64_t *out);
LARCH_MUST_USE larch_error larch_cbor_take_int(larch_reader *r, int64_t *out); /* MALFORMED too if it does not fit */
LARCH_MUST_USE larch_error larch_cbor_take_bytes(larch_reader *r, larch_bytes *out);
LARCH_MUST_USE larch_error larch_cbor_take_text(larch_reader *r, larch_bytes *out);
LARCH_MUST_USE larch_error larch_cbor_take_array(larch_reader *r, size_t *count); /* at most as many as bytes follow */
LARCH_MUST_USE larch_error larch_cbor_take_map(larch_reader *r, size_t *pairs);   /* at most half as many */
LARCH_MUST_USE larch_error larch_cbor_take_tag(larch_reader *r, uint64_t *tag);
/* This very simple value. */
LARCH_MUST_USE larch_error larch_cbor_take_simple(larch_reader *r, uint8_t simple);

/* ---- writing --------------------------------------------------------------- */

/* These write one head, with the content of a string, in the shortest form; the caller keeps the order of
 * keys, and the counts that it gives. The writer measures, as larch_writer says. */
void larch_cbor_put_uint(larch_writer *w, uint64_t value);
void larch_cbor_put_int(larch_writer *w, int64_t value);
void larch_cbor_put_bytes(larch_writer *w, larch_bytes bytes);
void larch_cbor_put_text(larch_writer *w, const char *text);
void larch_cbor_put_text_bytes(larch_writer *w, larch_bytes text);
void larch_cbor_put_array(larch_writer *w, size_t count);
void larch_cbor_put_map(larch_writer *w, size_t pairs);
void larch_cbor_put_tag(larch_writer *w, uint64_t tag);
void larch_cbor_put_simple(larch_writer *w, uint8_t simple);
void larch_cbor_put_float(larch_writer *w, uint64_t binary64);
/* The head of a byte string whose content the caller puts next. */
void larch_cbor_put_bytes_head(larch_writer *w, size_t len);

#ifdef __cplusplus
}
#endif

#endif
