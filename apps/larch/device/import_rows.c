/* SPDX-License-Identifier: Apache-2.0 */
#include "device/import_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/csv.h"
#include "common/device_name.h"
#include "common/policy_word.h"
#include "common/suite_name.h"

#define NAME "device"

enum { COLUMN_NAME, COLUMN_METHOD, COLUMN_SUITE, COLUMN_BY, COLUMN_AUTHORITY, COLUMN_ALLOW, COLUMNS };
static const char *const column_names[COLUMNS] = {"name", "method", "suite", "by", "authority", "allow"};

typedef struct header {
    size_t count;
    size_t columns[LARCH_CSV_FIELDS_MAX];
} header;

void import_rows_refuse(import_rows *rows, import_row *row, const char *format, ...)
{
    va_list list;
    if (row->result == IMPORT_REFUSED)
        return; /* the first reason stays */
    va_start(list, format);
    (void)vsnprintf(row->why, sizeof row->why, format, list);
    va_end(list);
    row->result = IMPORT_REFUSED;
    rows->wrong++;
}

void import_rows_free(import_rows *rows)
{
    free(rows->rows);
    rows->rows = NULL;
}

/* ---- the first row ---------------------------------------------------------- */

static larch_exit take_header(const char *path, larch_csv *csv, header *h)
{
    larch_csv_row row;
    bool seen[COLUMNS] = {false};
    if (larch_csv_next(csv, &row) != LARCH_OK)
        return larch_app_fail(NAME, "%s has no first row with the names of columns, of which 'name' is one", path);
    h->count = row.count;
    for (size_t i = 0; i < row.count; i++) {
        size_t c = 0;
        while (c < COLUMNS && !larch_bytes_equal(row.fields[i], larch_bytes_of_text(column_names[c])))
            c++;
        if (c == COLUMNS || seen[c])
            return larch_app_fail(
                NAME,
                "%s: column %zu of the first row is not, or not for the first time, name, method, suite, "
                "by, authority or allow",
                path, i + 1);
        seen[c] = true;
        h->columns[i] = c;
    }
    return seen[COLUMN_NAME] ? LARCH_EXIT_DONE : larch_app_fail(NAME, "%s: the first row has no column 'name'", path);
}

/* ---- fields ------------------------------------------------------------------ */

static void take_name(import_rows *rows, import_row *row, larch_bytes field)
{
    const size_t len = field.len < sizeof row->name ? field.len : sizeof row->name - 1;
    for (size_t i = 0; i < len; i++) /* it is printed, whatever it is */
        row->name[i] = field.data[i] > ' ' && field.data[i] < 0x7f ? (char)field.data[i] : '?';
    if (field.len != len || memcmp(row->name, field.data, len) != 0 || !larch_app_is_device_name(row->name))
        import_rows_refuse(rows, row, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
}

static void take_suite(import_rows *rows, import_row *row, larch_bytes field)
{
    char text[32] = "";
    if (field.len < sizeof text)
        memcpy(text, field.data, field.len);
    row->enrolling.suite = larch_app_suite_find(text);
    if (row->enrolling.suite == NULL)
        import_rows_refuse(rows, row, "suite: " LARCH_APP_SUITE_WANTS);
}

/* Entries with spaces in between. */
static void take_policy(import_rows *rows, import_row *row, larch_bytes field)
{
    row->policy_count = 0;
    while (field.len > 0) {
        const uint8_t *space = memchr(field.data, ' ', field.len);
        const size_t len = space != NULL ? (size_t)(space - field.data) : field.len;
        if (row->policy_count == LARCH_POLICY_MAX) {
            import_rows_refuse(rows, row, "allow: at most %u entries", (unsigned)LARCH_POLICY_MAX);
            return;
        }
        if (!larch_app_policy_parse((larch_bytes){field.data, len}, &row->policy[row->policy_count++])) {
            import_rows_refuse(rows, row, "allow: it takes " LARCH_APP_POLICY_WANTS);
            return;
        }
        field = (larch_bytes){field.data + len + (space != NULL), field.len - len - (space != NULL)};
    }
}

static bool is_word(larch_bytes field)
{
    for (size_t i = 0; i < field.len; i++)
        if (field.data[i] <= ' ' || field.data[i] >= 0x7f)
            return false;
    return field.len <= LARCH_ENROLMENT_AUTHORITY_MAX;
}

/* An empty field of another column than the name says nothing. */
static void take_field(import_rows *rows, import_row *row, size_t column, larch_bytes field)
{
    device_enrolling *e = &row->enrolling;
    if (column == COLUMN_NAME) {
        take_name(rows, row, field);
        return;
    }
    if (field.len == 0)
        return;
    switch (column) {
    case COLUMN_METHOD:
        e->method = field.data[0] == '0' ? LARCH_LAKE_METHOD_SIGNATURES : LARCH_LAKE_METHOD_PSK;
        if (field.len != 1 || (field.data[0] != '0' && field.data[0] != '4'))
            import_rows_refuse(rows, row, "method: 0 or 4");
        return;
    case COLUMN_SUITE:
        take_suite(rows, row, field);
        return;
    case COLUMN_BY:
        e->reference = field.data[0] == 'k' ? LARCH_LAKE_BY_KID : LARCH_LAKE_BY_CCS;
        if (!larch_bytes_equal(field, LARCH_TEXT("kid")) && !larch_bytes_equal(field, LARCH_TEXT("ccs")))
            import_rows_refuse(rows, row, "by: kid or ccs");
        return;
    case COLUMN_AUTHORITY:
        e->authority = field;
        if (!is_word(field))
            import_rows_refuse(rows, row, "authority: an address of at most %d bytes", LARCH_ENROLMENT_AUTHORITY_MAX);
        return;
    default:
        take_policy(rows, row, field);
    }
}

static void take_row(import_rows *rows, const header *h, const larch_csv_row *fields, larch_error e, import_row *row)
{
    row->line = fields->line;
    if (e != LARCH_OK) {
        import_rows_refuse(rows, row,
                           e == LARCH_SPACE ? "more fields than the first row" : "a quotation mark is wrong");
        return;
    }
    if (fields->count != h->count) {
        import_rows_refuse(rows, row, "%zu fields, where the first row has %zu", fields->count, h->count);
        return;
    }
    for (size_t i = 0; i < h->count; i++)
        take_field(rows, row, h->columns[i], fields->fields[i]);
    const device_enrolling *enrolling = &row->enrolling;
    if (row->result == IMPORT_REFUSED)
        return;
    if (!larch_enrolment_is_pair(enrolling->method, enrolling->suite))
        import_rows_refuse(rows, row, "this method cannot be had with this suite");
    else if (enrolling->method == LARCH_LAKE_METHOD_PSK && enrolling->reference != LARCH_LAKE_BY_KID)
        import_rows_refuse(rows, row, "by ccs is for method 0");
}

/* ---- all of it ---------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const import_row *const *x = a, *const *y = b;
    const int order = strcmp((*x)->name, (*y)->name);
    return order != 0 ? order : (*x)->line < (*y)->line ? -1 : (*x)->line > (*y)->line;
}

static larch_exit find_doubles(import_rows *rows)
{
    import_row **sorted = malloc((rows->count + 1) * sizeof *sorted);
    if (sorted == NULL)
        return larch_app_fail(NAME, "out of memory");
    for (size_t i = 0; i < rows->count; i++)
        sorted[i] = &rows->rows[i];
    qsort(sorted, rows->count, sizeof *sorted, compare);
    for (size_t i = 1; i < rows->count; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            import_rows_refuse(rows, sorted[i], "line %zu has this name too", sorted[i - 1]->line);
    free(sorted);
    return LARCH_EXIT_DONE;
}

larch_exit import_rows_take(import_rows *rows, const char *path, uint8_t *bytes, size_t len, const import_row *defaults)
{
    larch_csv csv = larch_csv_of(bytes, len);
    larch_csv_row fields;
    header h = {.count = 0};
    larch_error e;
    size_t cap = 0;
    larch_exit code = take_header(path, &csv, &h);
    if (code != LARCH_EXIT_DONE)
        return code;
    while ((e = larch_csv_next(&csv, &fields)) != LARCH_AGAIN) {
        if (rows->count == DEVICE_IMPORT_MAX)
            return larch_app_fail(NAME, "%s has more than %d devices: divide it", path, DEVICE_IMPORT_MAX);
        if (rows->count == cap) {
            cap = cap > 0 ? 2 * cap : 256;
            import_row *grown = realloc(rows->rows, cap * sizeof *grown);
            if (grown == NULL)
                return larch_app_fail(NAME, "out of memory");
            rows->rows = grown;
        }
        import_row *row = &rows->rows[rows->count++];
        *row = *defaults;
        take_row(rows, &h, &fields, e, row);
    }
    return find_doubles(rows);
}
