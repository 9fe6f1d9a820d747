/* SPDX-License-Identifier: Apache-2.0 */
#include "common/csv.h"

#include <string.h>

#include "text/text.h"

larch_csv larch_csv_of(uint8_t *bytes, size_t len)
{
    const size_t mark = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    return (larch_csv){bytes + mark, bytes + len, 1};
}

static bool is_at_end_of_line(const larch_csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' ||
           (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n');
}

/* Behind the present line. */
static void skip_line(larch_csv *csv)
{
    while (csv->at < csv->end && *csv->at++ != '\n')
        ;
    csv->line++;
}

/* A field in quotation marks, the first of which is at csv->at; its value moves together in place. */
static larch_error take_quoted(larch_csv *csv, larch_bytes *field)
{
    uint8_t *const start = ++csv->at, *out = start;
    for (;;) {
        if (csv->at == csv->end)
            return LARCH_MALFORMED;
        if (*csv->at == '"') {
            csv->at++;
            if (csv->at == csv->end || *csv->at != '"')
                break;
        }
        csv->line += *csv->at == '\n';
        *out++ = *csv->at++;
    }
    *field = (larch_bytes){start, (size_t)(out - start)};
    return is_at_end_of_line(csv) || *csv->at == ',' ? LARCH_OK : LARCH_MALFORMED;
}

static larch_error take_field(larch_csv *csv, larch_bytes *field)
{
    if (csv->at < csv->end && *csv->at == '"')
        return take_quoted(csv, field);
    const uint8_t *const start = csv->at;
    while (!is_at_end_of_line(csv) && *csv->at != ',')
        if (*csv->at++ == '"')
            return LARCH_MALFORMED;
    *field = (larch_bytes){start, (size_t)(csv->at - start)};
    return LARCH_OK;
}

static larch_error take_row(larch_csv *csv, larch_csv_row *row)
{
    for (;;) {
        if (row->count == LARCH_CSV_FIELDS_MAX)
            return LARCH_SPACE;
        const larch_error e = take_field(csv, &row->fields[row->count]);
        if (e != LARCH_OK)
            return e;
        row->count++;
        if (is_at_end_of_line(csv))
            return LARCH_OK;
        csv->at++; /* the comma */
    }
}

larch_error larch_csv_next(larch_csv *csv, larch_csv_row *row)
{
    row->count = 0;
    while (csv->at < csv->end && is_at_end_of_line(csv))
        skip_line(csv);
    row->line = csv->line;
    if (csv->at == csv->end)
        return LARCH_AGAIN;
    const larch_error e = take_row(csv, row);
    skip_line(csv);
    return e;
}

void larch_csv_put(larch_writer *w, larch_bytes field)
{
    bool needs_marks = false;
    for (size_t i = 0; i < field.len; i++)
        needs_marks = needs_marks || strchr(",\"\r\n", (char)field.data[i]) != NULL;
    if (!needs_marks) {
        larch_writer_put(w, field);
        return;
    }
    larch_text_put(w, "\"");
    for (size_t i = 0; i < field.len; i++) {
        if (field.data[i] == '"')
            larch_text_put(w, "\"");
        larch_writer_put_u8(w, field.data[i]);
    }
    larch_text_put(w, "\"");
}
