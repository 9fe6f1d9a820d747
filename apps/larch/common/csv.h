/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of comma-separated values [RFC4180], as spreadsheets write them: one row a line, with LF or CRLF. A field that has a
 * comma, a quotation mark or an end of line stands in quotation marks, and a quotation mark in it is doubled. Lines without
 * anything are skipped, and so is a byte order mark.
 */
#ifndef LARCH_APP_CSV_H
#define LARCH_APP_CSV_H

#include "larch/base.h"

#define LARCH_CSV_FIELDS_MAX 16

typedef struct larch_csv {
    uint8_t *at, *end; /* private, all of it */
    size_t line;       /* of the next row, from 1 on */
} larch_csv;

typedef struct larch_csv_row {
    size_t line; /* where it begins */
    size_t count;
    larch_bytes fields[LARCH_CSV_FIELDS_MAX]; /* views of the bytes */
} larch_csv_row;

/* bytes: untrusted; they are changed in place, and outlive the rows. */
larch_csv larch_csv_of(uint8_t *bytes, size_t len);
/* LARCH_AGAIN: no more. LARCH_MALFORMED: quotation marks are wrong; LARCH_SPACE: more than LARCH_CSV_FIELDS_MAX fields.
 * row->line is set then, and the next call goes on behind the line that is wrong. */
LARCH_MUST_USE larch_error larch_csv_next(larch_csv *csv, larch_csv_row *row);
/* A field, in quotation marks if it needs them. */
void larch_csv_put(larch_writer *w, larch_bytes field);

#endif
