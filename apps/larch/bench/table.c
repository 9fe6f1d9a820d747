/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison as text, as Markdown, or as JSON. */
#include <stdio.h>
#include <string.h>

#include "bench/rows.h"
#include "text/json.h"
#include "text/text.h"

#define TIMES "\xc3\x97" /* a multiplication sign */

static const char *const op_names[2][LARCH_SCHEME_OPS] = {{"keygen", "encaps", "decaps"}, {"keygen", "sign", "verify"}};

double larch_bench_us(const larch_bench_row *row, unsigned op)
{
    const larch_bench_op *o = &row->ops[op];
    return o->rounds > 0 ? o->us[(o->rounds - 1) / 2] : 0;
}

double larch_bench_cycles(const larch_bench_row *row, unsigned op)
{
    const larch_bench_op *o = &row->ops[op];
    return o->rounds > 0 ? o->cycles[(o->rounds - 1) / 2] : 0;
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* What a row is compared with: in kem the same algorithm of the newest OpenSSL, at its best; in kex the classical
 * scheme of its kind in the library that devices have. NULL if it is not here. */
static const larch_bench_row *yardstick_of(const larch_bench_rows *rows, const larch_bench_row *row, bool kex)
{
    const char *classical = row->scheme.kind == LARCH_SCHEME_KEM ? "X25519" : "P-256 ECDSA";
    const larch_bench_row *found = NULL;
    for (size_t i = 0; i < rows->count; i++) {
        const larch_bench_row *r = &rows->row[i];
        if (strcmp(r->scheme.algorithm, kex ? classical : row->scheme.algorithm) == 0 &&
            begins(r->scheme.library, kex ? "Mbed TLS" : "OpenSSL") &&
            (found == NULL || strcmp(r->scheme.library, found->scheme.library) > 0))
            found = r;
    }
    return found;
}

/* Sender and receiver of one exchange; signer and verifier. */
static double exchange_us(const larch_bench_row *row) { return larch_bench_us(row, 1) + larch_bench_us(row, 2); }

/* ---- JSON ---------------------------------------------------------------- */

static void put_yardstick(larch_json *j, const larch_bench_row *row, unsigned op, const larch_bench_row *yardstick,
                          bool kex)
{
    char name[160];
    if (!kex) {
        larch_json_put_text(j, "yardstick", yardstick->scheme.library);
        larch_json_put_decimal(j, "times_as_fast", larch_bench_us(yardstick, op) / larch_bench_us(row, op), 2);
        return;
    }
    (void)snprintf(name, sizeof name, "%s %s", yardstick->scheme.library, yardstick->scheme.algorithm);
    larch_json_put_decimal(j, "exchange_us", exchange_us(row), 3);
    larch_json_put_text(j, "yardstick", name);
    larch_json_put_decimal(j, "times_as_fast", exchange_us(yardstick) / exchange_us(row), 2);
}

static void show_json(const larch_bench_row *row, unsigned op, const larch_bench_row *yardstick, bool kex)
{
    const larch_scheme *s = &row->scheme;
    const larch_bench_op *o = &row->ops[op];
    uint8_t line[1024];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "bench", kex ? "kex" : "kem");
    larch_json_put_text(&j, "algorithm", s->algorithm);
    larch_json_put_text(&j, "library", s->library);
    larch_json_put_text(&j, "how", s->how);
    larch_json_put_text(&j, "operation", op_names[s->kind][op]);
    larch_json_put_decimal(&j, "us", larch_bench_us(row, op), 3);
    larch_json_put_decimal(&j, "us_fastest_round", o->us[0], 3);
    larch_json_put_decimal(&j, "us_slowest_round", o->us[o->rounds - 1], 3);
    larch_json_put_number(&j, "rounds", o->rounds);
    larch_json_put_number(&j, "runs", o->runs);
    if (larch_bench_cycles(row, op) > 0)
        larch_json_put_decimal(&j, "cycles", larch_bench_cycles(row, op), 0);
    if (o->stack > 0)
        larch_json_put_number(&j, "stack_bytes", o->stack);
    larch_json_put_number(&j, "public_key_bytes", s->key_len);
    larch_json_put_number(&j, s->kind == LARCH_SCHEME_KEM ? "ciphertext_bytes" : "signature_bytes", s->out_len);
    if (yardstick != NULL && (!kex || op > 0))
        put_yardstick(&j, row, op, yardstick, kex);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

/* ---- text and Markdown --------------------------------------------------- */

static void cell(bool markdown, int width, const char *text)
{
    if (markdown)
        printf(" %s |", text);
    else
        printf("%*s ", width, text);
}

/* us < 0: there is none. */
static void time_cell(bool markdown, double us)
{
    char text[32];
    (void)snprintf(text, sizeof text, us < 99.95 ? "%.1f" : "%.0f", us);
    cell(markdown, 9, us >= 0 ? text : "-");
}

static void times_cell(bool markdown, double times)
{
    char text[32];
    (void)snprintf(text, sizeof text, times < 9.995 ? "%.2f" TIMES : "%.0f" TIMES, times);
    cell(markdown, 8, times > 0 ? text : "-"); /* the sign has two bytes */
}

static void name_cells(bool markdown, const larch_scheme *s)
{
    const bool ours = begins(s->library, "larch");
    char text[160];
    (void)snprintf(text, sizeof text, "%s%s%s%s%s", markdown && ours ? "**" : "", s->library,
                   s->how[0] != '\0' ? ", " : "", s->how, markdown && ours ? "**" : "");
    if (markdown)
        putchar('|');
    cell(markdown, -14, s->algorithm);
    cell(markdown, -46, text);
}

static void show_head(bool markdown, const char *const heads[], size_t count)
{
    if (markdown)
        putchar('|');
    for (size_t i = 0; i < count; i++)
        cell(markdown,
             i == 0                               ? -14
             : i == 1                             ? -46
             : strstr(heads[i], "cycles") != NULL ? 27
             : strcmp(heads[i], TIMES) == 0       ? 8
                                                  : 9,
             heads[i]);
    if (markdown) {
        printf("\n|---|---|");
        for (size_t i = 2; i < count; i++)
            printf("--:|");
    }
    putchar('\n');
}

static void show_kem_row(bool markdown, const larch_bench_rows *rows, const larch_bench_row *row)
{
    const larch_bench_row *yardstick = yardstick_of(rows, row, false);
    char text[64];
    size_t stack = 0;
    name_cells(markdown, &row->scheme);
    for (unsigned op = 0; op < LARCH_SCHEME_OPS; op++) {
        time_cell(markdown, larch_bench_us(row, op));
        times_cell(markdown, yardstick != NULL ? larch_bench_us(yardstick, op) / larch_bench_us(row, op) : 0);
        stack = row->ops[op].stack > stack ? row->ops[op].stack : stack;
    }
    (void)snprintf(text, sizeof text, "%.0f / %.0f / %.0f", larch_bench_cycles(row, 0), larch_bench_cycles(row, 1),
                   larch_bench_cycles(row, 2));
    cell(markdown, 27, text);
    (void)snprintf(text, sizeof text, "%zu", stack);
    cell(markdown, 9, text);
    (void)snprintf(text, sizeof text, "%u + %u", row->scheme.key_len, row->scheme.out_len);
    cell(markdown, 12, text);
    putchar('\n');
}

static void show_kex_row(bool markdown, const larch_bench_rows *rows, const larch_bench_row *row)
{
    const larch_bench_row *yardstick = yardstick_of(rows, row, true);
    char text[64];
    name_cells(markdown, &row->scheme);
    for (unsigned op = 0; op < LARCH_SCHEME_OPS; op++)
        time_cell(markdown, larch_bench_us(row, op));
    time_cell(markdown, exchange_us(row));
    times_cell(markdown, yardstick != NULL ? exchange_us(yardstick) / exchange_us(row) : 0);
    (void)snprintf(text, sizeof text, "%u + %u", row->scheme.key_len, row->scheme.out_len);
    cell(markdown, 12, text);
    putchar('\n');
}

static void show_kind(bool markdown, const larch_bench_rows *rows, bool kex, larch_scheme_kind kind)
{
    static const char *const heads[2][2][11] = {
        {{"algorithm", "library", "keygen us", TIMES, "encaps us", TIMES, "decaps us", TIMES, "cycles", "stack",
          "wire bytes"},
         {"algorithm", "library", "keygen us", TIMES, "sign us", TIMES, "verify us", TIMES, "cycles", "stack",
          "wire bytes"}},
        {{"exchange", "library", "keygen us", "sender us", "recv. us", "both us", TIMES, "wire bytes"},
         {"signature", "library", "keygen us", "sign us", "verify us", "both us", TIMES, "wire bytes"}},
    };
    bool any = false;
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->row[i].scheme.kind != kind)
            continue;
        if (!any)
            show_head(markdown, heads[kex][kind], kex ? 8 : 11);
        any = true;
        (kex ? show_kex_row : show_kem_row)(markdown, rows, &rows->row[i]);
    }
    if (any)
        putchar('\n');
}

void larch_bench_show(const larch_bench_options *options, const larch_bench_rows *rows, bool kex)
{
    if (options->json) {
        for (size_t i = 0; i < rows->count; i++)
            for (unsigned op = 0; op < LARCH_SCHEME_OPS; op++)
                show_json(&rows->row[i], op, yardstick_of(rows, &rows->row[i], kex), kex);
        return;
    }
    show_kind(options->markdown, rows, kex, LARCH_SCHEME_KEM);
    show_kind(options->markdown, rows, kex, LARCH_SCHEME_SIGNATURE);
    if (kex)
        printf("Medians; sender: what it does once it has the receiver's key; " TIMES ": how many times as fast as "
               "X25519 (P-256 ECDSA)\nof Mbed TLS, both sides together; wire bytes: public key + ciphertext "
               "(signature).\n");
    else
        printf("Medians; " TIMES ": how many times as fast as the newest OpenSSL here with its key objects ready; "
               "cycles of the\ntime-stamp counter for the three; stack: of the deepest, bytes, heap not counted; wire "
               "bytes: public\nkey + ciphertext (signature).\n");
}
