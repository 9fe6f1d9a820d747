/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the known-gateways file share: lines (known_line.c), the whole of them (known_book.c), the file
 * that holds them (known_file.c). */
#ifndef LARCH_APP_KNOWN_INT_H
#define LARCH_APP_KNOWN_INT_H

#include <stdio.h>

#include "send/known.h"

/* ---- lines --------------------------------------------------------------- */

#define KNOWN_LINE_MAX (4 * LARCH_KEM_EK_MAX + 512) /* two keys in hexadecimal, and what stands before and behind */

typedef enum known_kind {
    KNOWN_COMMENT, /* or empty */
    KNOWN_IDENTITY,
    KNOWN_NAME,
    KNOWN_SET,
    KNOWN_KEY
} known_kind;

/* One line: of its record, what the kind holds. */
typedef struct known_line {
    known_kind kind;
    char *text;    /* with its newline; owned */
    size_t record; /* the number of its identity, from 1; 0: none */
    larch_known content;
} known_line;

/* The first line of a file of this format, and the comment below it. */
extern const char known_first_line[];
extern const char known_comment[];

/* Reads a line without its newline; cut is changed. identity: the one whose record the line stands in, or NULL. Returns
 * NULL, or what is wrong with it: "is damaged". */
const char *known_line_parse(char *cut, const larch_fingerprint *identity, known_kind *kind, larch_known *content);
/* Reads a line of the older format, which holds a key. */
const char *known_line_parse_old(char *cut, larch_known *content);
/* Writes the line of a kind, with its newline and final 0, into KNOWN_LINE_MAX bytes. */
void known_line_format(known_kind kind, const larch_known *content, char *text);

bool known_is_loopback(const char *name);
bool known_is_same_name(const char *a, const char *b);
bool known_is_same_host(const char *a, const char *b);

/* ---- the whole ------------------------------------------------------------ */

typedef struct known_book {
    known_line *lines;
    size_t count;
    size_t cap;
    size_t records;
} known_book;

/* Reads a file of either format; of the older one no comments are kept. why: as in larch_known_find, with path. */
LARCH_MUST_USE larch_error known_book_read(known_book *book, FILE *in, bool old, const char *path, char *why);
void known_book_free(known_book *book);
/* Changes the book as larch_known_put says. */
LARCH_MUST_USE larch_error known_book_put(known_book *book, const larch_known *record, const larch_known *seen,
                                          const char *path, char *why);
LARCH_MUST_USE larch_error known_book_find(const known_book *book, const char *name, const larch_kem *kem,
                                           larch_known *out);
LARCH_MUST_USE larch_error known_book_find_identity(const known_book *book,
                                                    const uint8_t identity[LARCH_FINGERPRINT_LEN], const char *name,
                                                    const larch_kem *kem, larch_known *out, bool *near);

/* ---- complaints ------------------------------------------------------------ */

/* "PATH: WHAT" into why; returns error. */
larch_error known_because(char *why, larch_error error, const char *path, const char *what);
/* "PATH: line N WHAT"; returns LARCH_MALFORMED. */
larch_error known_because_line(char *why, const char *path, size_t number, const char *what);

#endif
