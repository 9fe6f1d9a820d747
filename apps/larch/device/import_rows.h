/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of a CSV file (common/csv.h): what each row says, and what is wrong with it. */
#ifndef LARCH_APP_DEVICE_IMPORT_ROWS_H
#define LARCH_APP_DEVICE_IMPORT_ROWS_H

#include "device/enrol.h"

#define DEVICE_IMPORT_MAX     100000     /* rows */
#define DEVICE_IMPORT_BYTES   (32 << 20) /* of the file */
#define DEVICE_IMPORT_WHY_MAX 200

typedef struct import_row {
    size_t line;
    char name[LARCH_SESSIONS_NAME_MAX + 1]; /* cut, if it is no name */
    device_enrolling enrolling;
    larch_policy_entry policy[LARCH_POLICY_MAX];
    size_t policy_count;
    enum { IMPORT_WAITS, IMPORT_ADDED, IMPORT_SKIPPED, IMPORT_REFUSED, IMPORT_FAILED } result;
    char why[DEVICE_IMPORT_WHY_MAX];
} import_row;

typedef struct import_rows {
    import_row *rows; /* by malloc */
    size_t count;
    size_t wrong; /* that are refused */
} import_rows;

/* Takes all rows of the bytes, which are changed and outlive them. defaults: what a row gets of which the file says
 * nothing. LARCH_EXIT_DONE, also with rows that are refused; else it has said why, and frees nothing that is not NULL. */
larch_exit import_rows_take(import_rows *rows, const char *path, uint8_t *bytes, size_t len,
                            const import_row *defaults);
/* Refuses a row. */
void import_rows_refuse(import_rows *rows, import_row *row, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;
void import_rows_free(import_rows *rows);

#endif
