/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads vector files: records of "key = value" lines, blank lines between them,
 * '#' for comments; byte strings in lower-case hex.
 *
 *     vectors v;
 *     if (!vectors_open(&v, "acvp/mlkem512_encap.txt"))
 *         return;                        // said so on stdout
 *     while (vectors_next(&v))
 *         ... vectors_hex(&v, "ek", ek, sizeof ek) ...
 *     vectors_close(&v);
 *
 * A file that cannot be right (broken line, missing key, value too long for the
 * buffer, other count of records than "# records: N" announces) ends the program
 * with a message: a test must not pass because its vectors were not read.
 */
#ifndef LARCH_TESTS_VECTORS_H
#define LARCH_TESTS_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "larch/base.h"

enum { VECTORS_KEYS = 64, VECTORS_RECORD = 1 << 18 };

typedef struct vectors {
    FILE *file;
    const char *name;
    unsigned long line, records, announced;
    size_t keys; /* of the present record */
    struct {
        const char *key, *value;
    } pair[VECTORS_KEYS];
    char text[VECTORS_RECORD];
} vectors;

/* name: below the folder LARCH_VECTORS. false, with a line on stdout, if there is no such file. */
bool vectors_open(vectors *v, const char *name);
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
