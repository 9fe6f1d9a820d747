/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of comma-separated values, and the policies of devices as words. Whatever they hold: rows have their lines in order and
 * fields within the bytes; a row that is taken, written again, is taken as the same; so is a policy.
 */
#include <string.h>

#include "common/csv.h"
#include "common/policy_word.h"
#include "fuzz.h"

#define TEXT_MAX 4096

static void try_again(const larch_csv_row *row)
{
    static uint8_t text[2 * TEXT_MAX + 64];
    larch_writer w = larch_writer_to(text, sizeof text);
    larch_csv_row again;
    larch_bytes whole;
    for (size_t i = 0; i < row->count; i++) {
        if (i > 0)
            larch_writer_put_u8(&w, ',');
        larch_csv_put(&w, row->fields[i]);
    }
    require(larch_writer_finish(&w, &whole) == LARCH_OK);
    larch_csv csv = larch_csv_of(text, whole.len);
    if (whole.len == 0 || csv.at != text) /* nothing is no row, and a mark at the beginning is skipped */
        return;
    const larch_error e = larch_csv_next(&csv, &again);
    if (row->count == 1 && e == LARCH_AGAIN)
        return; /* one field without anything */
    require(e == LARCH_OK && again.count == row->count);
    for (size_t i = 0; i < row->count; i++)
        require(larch_bytes_equal(again.fields[i], row->fields[i]));
}

static void try_policies(larch_bytes text)
{
    static uint8_t put[LARCH_APP_POLICY_WORD_MAX];
    static larch_policy_entry entries[LARCH_POLICY_MAX], other[LARCH_POLICY_MAX];
    larch_policy_entry entry;
    larch_bytes again;
    size_t count = 99, others;
    if (larch_app_policy_parse(text, &entry)) {
        larch_writer w = larch_writer_to(put, sizeof put);
        larch_app_policy_put(&w, &entry);
        require(larch_writer_finish(&w, &again) == LARCH_OK && larch_app_policy_parse(again, &other[0]));
        require(strcmp(entry.name, other[0].name) == 0 && entry.rights == other[0].rights);
    }
    if (!larch_app_policy_take_word(text, entries, &count)) {
        require(count <= LARCH_POLICY_MAX);
        return;
    }
    larch_writer w = larch_writer_to(put, sizeof put);
    larch_app_policy_put_word(&w, entries, count);
    require(larch_writer_finish(&w, &again) == LARCH_OK && larch_bytes_equal(again, text));
    require(larch_app_policy_take_word(again, other, &others) && others == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[TEXT_MAX];
    larch_csv_row row;
    size_t line = 0;
    larch_error e;
    if (size > sizeof bytes)
        return 0;
    try_policies((larch_bytes){data, size});
    if (size > 0)
        memcpy(bytes, data, size);
    larch_csv csv = larch_csv_of(bytes, size);
    while ((e = larch_csv_next(&csv, &row)) != LARCH_AGAIN) {
        require(row.line > line);
        line = row.line;
        if (e != LARCH_OK) {
            require(e == LARCH_MALFORMED || e == LARCH_SPACE);
            continue;
        }
        require(row.count > 0 && row.count <= LARCH_CSV_FIELDS_MAX);
        for (size_t i = 0; i < row.count; i++)
            require(row.fields[i].data >= bytes && row.fields[i].data + row.fields[i].len <= bytes + size);
        try_again(&row);
    }
    return 0;
}
