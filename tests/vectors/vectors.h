/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the vector files of data/, compressed with gzip: records of "key = value" lines,
 * blank lines between them, '#' for comments; byte strings in lower-case hex.
 *
 *     vectors v;
 *     vectors_open(&v, "acvp/mlkem512_encap.txt");
 *     while (vectors_next(&v))
 *         ... vectors_hex(&v, "ek", ek, sizeof ek) ...
 *     vectors_close(&v);
 *
 * A file that is missing or cannot be right (broken line, missing key, value too long for the
 * buffer, other count of records than "# records: N" announces) ends the program
 * with a message: a test must not pass because its vectors were not read.
 */
#ifndef LARCH_TESTS_VECTORS_H
#define LARCH_TESTS_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zlib.h>

#include "larch/base.h"

enum { VECTORS_KEYS = 128, VECTORS_RECORD = 1 << 18 };

typedef struct vectors {
    gzFile file;
    const char *name;
    unsigned long line, records, announced;
    size_t keys; /* of the present record */
    struct {
        const char *key, *value;
    } pair[VECTORS_KEYS];
    char text[VECTORS_RECORD];
} vectors;

/* name: below data/, or below the folder that LARCH_VECTORS in the environment names; without ".gz". */
void vectors_open(vectors *v, const char *name);
/* Moves to the next record; false past the last one. */
bool vectors_next(vectors *v);
void vectors_close(vectors *v);

/* Of the present record: */
bool vectors_has(const vectors *v, const char *key);
const char *vectors_text(const vectors *v, const char *key);
bool vectors_is(const vectors *v, const char *key, const char *text);
unsigned long vectors_number(const vectors *v, const char *key);
bool vectors_true(const vectors *v, const char *key); /* "true" or "false" */
/* The bytes, in the caller's buffer. */
larch_bytes vectors_hex(const vectors *v, const char *key, uint8_t *out, size_t cap);

#endif
