/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON [RFC8259], read token by token, strictly: one value with nothing but white space behind it, no comma too many, no
 * control character in a string, UTF-8. Nothing is copied, and objects and arrays inside each other take a bit each.
 */
#ifndef LARCH_APP_DEVICE_JSON_READ_H
#define LARCH_APP_DEVICE_JSON_READ_H

#include "larch/base.h"

#define DEVICE_JSON_DEPTH 16 /* objects and arrays inside each other */

typedef enum device_json_token {
    DEVICE_JSON_BEGIN_OBJECT,
    DEVICE_JSON_END_OBJECT,
    DEVICE_JSON_BEGIN_ARRAY,
    DEVICE_JSON_END_ARRAY,
    DEVICE_JSON_NAME,  /* of a member; text: between the quotes, as it stands there */
    DEVICE_JSON_TEXT,  /* a string, likewise */
    DEVICE_JSON_OTHER, /* a number, true, false or null */
    DEVICE_JSON_END,   /* the value is complete */
    DEVICE_JSON_BAD    /* this is not JSON, or deeper than DEVICE_JSON_DEPTH; it stays so */
} device_json_token;

typedef struct device_json {
    const uint8_t *at, *end; /* private, all of it */
    unsigned depth;
    uint32_t objects; /* a bit for each level: it is an object */
    int awaited;
} device_json;

/* text: untrusted. It outlives the reader. */
device_json device_json_of(larch_bytes text);
device_json_token device_json_next(device_json *json, larch_bytes *text);
/* Objects and arrays that are open: 1 behind the first token, if that began one. */
unsigned device_json_depth(const device_json *json);

/* The bytes that a string stands for, at most cap; what does not fit is left out. Characters that are escaped as \u and are not ASCII come out as '?'.
 * text: of a token. Returns how many bytes. */
size_t device_json_unescape(larch_bytes text, uint8_t *out, size_t cap);

#endif
