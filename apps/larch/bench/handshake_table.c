/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "bench/handshake.h"
#include "larch/contexts.h"
#include "larch/lake_client.h"
#include "text/json.h"
#include "text/text.h"

static const uint8_t block_sizes[] = {2, 6}; /* 64 and 1024 bytes */
#define BLOCK_SIZES (sizeof block_sizes / sizeof block_sizes[0])

static const char *const parties[LARCH_BENCH_PARTIES] = {"initiator", "responder"};

/* What a party has of a handshake that is over: the session in its table. */
#define KEPT sizeof(larch_session)

/* ---- JSON ------------------------------------------------------------------------ */

static void put_operations(larch_json *j, const larch_bench_handshake *h)
{
    for (unsigned party = 0; party < LARCH_BENCH_PARTIES; party++) {
        const larch_bench_operations o = larch_bench_operations_of(h, (larch_bench_party)party);
        larch_json_begin_object(j, parties[party]);
#define OPERATION(name) larch_json_put_number(j, #name, o.name);
        LARCH_BENCH_OPERATIONS(OPERATION)
#undef OPERATION
        larch_json_put_decimal(j, "cpu_us", h->cpu_us[party], 1);
        larch_json_end_object(j);
    }
}

static void put_wire(larch_json *j, const larch_bench_wire *w)
{
    larch_json_begin_object(j, NULL);
    larch_json_put_number(j, "block", w->block);
    larch_json_begin_array(j, "blocks");
    for (unsigned n = 0; n < LARCH_BENCH_MESSAGES; n++)
        larch_json_put_number(j, NULL, w->blocks[n]);
    larch_json_end_array(j);
    larch_json_put_number(j, "datagrams", w->up.datagrams + w->down.datagrams);
    larch_json_put_number(j, "round_trips", w->round_trips);
    larch_json_put_number(j, "round_trips_without_echo", w->round_trips - 1);
    larch_json_put_number(j, "bytes_up", w->up.bytes);
    larch_json_put_number(j, "bytes_down", w->down.bytes);
    larch_json_put_number(j, "frames", w->up.frames + w->down.frames);
    larch_json_put_decimal(j, "air_ms", w->air_ms, 1);
    larch_json_put_decimal(j, "device_mj", w->device_mj, 2);
    larch_json_end_object(j);
}

static void show_json_pair(const larch_bench_handshake *h)
{
    uint8_t line[2048];
    larch_writer out = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&out);
    larch_json_put_text(&j, "bench", "handshake");
    larch_json_put_number(&j, "method", h->method);
    larch_json_put_decimal(&j, "suite", h->suite->number, 0);
    larch_json_put_text(&j, "algorithms", h->suite->name);
    larch_json_begin_array(&j, "messages");
    for (unsigned n = 0; n < LARCH_BENCH_MESSAGES; n++)
        larch_json_put_number(&j, NULL, h->message_len[n]);
    larch_json_end_array(&j);
    larch_json_begin_array(&j, "wire");
    for (size_t i = 0; i < BLOCK_SIZES; i++) {
        larch_bench_wire wire;
        larch_bench_count_wire(h, block_sizes[i], &wire);
        put_wire(&j, &wire);
    }
    larch_json_end_array(&j);
    put_operations(&j, h);
    larch_json_put_number(&j, "session_bytes", sizeof(larch_lake_session));
    larch_json_put_number(&j, "place_bytes", h->place_len);
    larch_json_put_number(&j, "client_bytes", sizeof(larch_lake_client));
    larch_json_put_number(&j, "kept_bytes", KEPT);
    larch_json_put_number(&j, "runs", h->runs);
    larch_json_end_line(&j);
    larch_text_print(&out, stdout);
}

static void show_json_load(const larch_bench_handshake_load *load)
{
    uint8_t line[1024];
    larch_writer out = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&out);
    larch_json_put_text(&j, "bench", "handshake");
    larch_json_put_text(&j, "load", "larch gateway, method 4, suite -24");
    larch_json_put_decimal(&j, "rate", load->rate, 0);
    larch_json_put_decimal(&j, "gateway_cpu_us", load->cpu_us, 1);
    larch_json_put_decimal(&j, "p50_us", load->p50_us, 1);
    larch_json_put_decimal(&j, "p99_us", load->p99_us, 1);
    larch_json_put_number(&j, "devices", load->devices);
    larch_json_put_number(&j, "completed", load->completed);
    larch_json_put_number(&j, "challenged", load->challenged);
    larch_json_put_number(&j, "refused", load->refused);
    larch_json_put_number(&j, "lost", load->lost);
    larch_json_put_number(&j, "datagrams", load->datagrams);
    larch_json_put_decimal(&j, "seconds", load->seconds, 3);
    larch_json_put_number(&j, "gateway_peak_kib", load->peak_kib);
    larch_json_put_bool(&j, "one_core_for_both", load->has_one_core);
    larch_json_end_line(&j);
    larch_text_print(&out, stdout);
}

/* ---- text and Markdown --------------------------------------------------------------- */

#define CELL 48

/* A row of cells, the first to the left. */
static void show_row(bool markdown, const char (*cells)[CELL], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (markdown)
            printf("| %s ", cells[i]);
        else
            printf(i == 0 ? "%-40s" : " %10s", cells[i]);
    puts(markdown ? "|" : "");
}

static void show_head(bool markdown, const char *const *names, size_t count)
{
    char cells[16][CELL];
    for (size_t i = 0; i < count; i++)
        (void)snprintf(cells[i], CELL, "%s", names[i]);
    show_row(markdown, (const char(*)[CELL])cells, count);
    for (size_t i = 0; markdown && i < count; i++)
        printf("%s", i == 0 ? "|---" : "|--:");
    if (markdown)
        puts("|");
}

static void put_name(char cell[CELL], const larch_bench_handshake *h)
{
    char exchange[24];
    size_t len = 0;
    while (len + 1 < sizeof exchange && h->suite->name[len] != ',' && h->suite->name[len] != '\0') {
        exchange[len] = h->suite->name[len];
        len++;
    }
    exchange[len] = '\0';
    (void)snprintf(cell, CELL, "method %u, suite %d (%s)", h->method, h->suite->number, exchange);
}

static void show_bytes(bool markdown, const larch_bench_handshakes *found)
{
    static const char *const head[] = {"bytes", "message_1",  "message_2",    "message_3", "message_4",
                                       "all",   "blocks, 64", "blocks, 1024", "datagrams", "round trips"};
    enum { COLUMNS = sizeof head / sizeof head[0] };
    show_head(markdown, head, COLUMNS);
    for (size_t i = 0; i < found->count; i++) {
        const larch_bench_handshake *h = &found->handshake[i];
        char cells[COLUMNS][CELL];
        size_t all = 0;
        put_name(cells[0], h);
        for (unsigned n = 0; n < LARCH_BENCH_MESSAGES; n++) {
            (void)snprintf(cells[1 + n], CELL, "%zu", h->message_len[n]);
            all += h->message_len[n];
        }
        (void)snprintf(cells[5], CELL, "%zu", all);
        for (size_t k = 0; k < BLOCK_SIZES; k++) {
            larch_bench_wire w;
            larch_bench_count_wire(h, block_sizes[k], &w);
            (void)snprintf(cells[6 + k], CELL, "%u", w.blocks[0] + w.blocks[1] + w.blocks[2] + w.blocks[3]);
            (void)snprintf(cells[8], CELL, "%u", w.up.datagrams + w.down.datagrams);
            (void)snprintf(cells[9], CELL, "%u", w.round_trips);
        }
        show_row(markdown, (const char(*)[CELL])cells, COLUMNS);
    }
    puts("\nDatagrams and round trips are those with blocks of 1024 bytes; one round trip is for the Echo.\n");
}

static void show_air(bool markdown, const larch_bench_handshakes *found)
{
    static const char *const head[] = {"on the air, blocks of 64 bytes", "datagrams", "frames", "air, ms",
                                       "energy, mJ"};
    enum { COLUMNS = sizeof head / sizeof head[0] };
    show_head(markdown, head, COLUMNS);
    for (size_t i = 0; i < found->count; i++) {
        char cells[COLUMNS][CELL];
        larch_bench_wire w;
        larch_bench_count_wire(&found->handshake[i], block_sizes[0], &w);
        put_name(cells[0], &found->handshake[i]);
        (void)snprintf(cells[1], CELL, "%u", w.up.datagrams + w.down.datagrams);
        (void)snprintf(cells[2], CELL, "%u", w.up.frames + w.down.frames);
        (void)snprintf(cells[3], CELL, "%.0f", w.air_ms);
        (void)snprintf(cells[4], CELL, "%.1f", w.device_mj);
        show_row(markdown, (const char(*)[CELL])cells, COLUMNS);
    }
    printf("\n%s\n\n", larch_bench_wire_assumptions());
}

/* Those of the Initiator, or of both where they are alike. */
static void put_operations_cell(char cell[CELL], const larch_bench_operations *i, const larch_bench_operations *r)
{
    int at = 0;
    cell[0] = '\0';
    if (i->keygen > 0)
        at += snprintf(cell + at, CELL - (size_t)at, "KEM %u+%u, %u", i->keygen, i->decaps, r->encaps);
    if (i->dh > 0)
        at += snprintf(cell + at, CELL - (size_t)at, "DH %u, %u", i->dh, r->dh);
    if (i->sign > 0)
        (void)snprintf(cell + at, CELL - (size_t)at, "; sign 1, 1");
}

static void show_costs(bool markdown, const larch_bench_handshakes *found)
{
    static const char *const head[] = {"computed",      "public-key operations", "MACs",           "hashes",
                                       "initiator, us", "responder, us",         "bytes half open"};
    enum { COLUMNS = sizeof head / sizeof head[0] };
    show_head(markdown, head, COLUMNS);
    for (size_t i = 0; i < found->count; i++) {
        const larch_bench_handshake *h = &found->handshake[i];
        const larch_bench_operations a = larch_bench_operations_of(h, LARCH_BENCH_INITIATOR);
        const larch_bench_operations b = larch_bench_operations_of(h, LARCH_BENCH_RESPONDER);
        char cells[COLUMNS][CELL];
        put_name(cells[0], h);
        put_operations_cell(cells[1], &a, &b);
        (void)snprintf(cells[2], CELL, "%u", a.mac);
        (void)snprintf(cells[3], CELL, "%u", a.hash);
        (void)snprintf(cells[4], CELL, "%.1f", h->cpu_us[LARCH_BENCH_INITIATOR]);
        (void)snprintf(cells[5], CELL, "%.1f", h->cpu_us[LARCH_BENCH_RESPONDER]);
        (void)snprintf(cells[6], CELL, "%zu", h->place_len);
        show_row(markdown, (const char(*)[CELL])cells, COLUMNS);
    }
    printf(
        "\nKEM: key generations and decapsulations of the initiator, encapsulations of the responder. DH, sign: of\n"
        "each; who signs verifies once too. MACs and hashes are those of each party. A session takes %zu bytes while\n"
        "it is half open, and a responder keeps its answer beside it; %zu bytes are kept afterwards.\n\n",
        sizeof(larch_lake_session), KEPT);
}

static void show_load(const larch_bench_handshake_load *load)
{
    printf("larch gateway, method 4, suite -24, each handshake with its Echo, stored before message_4:\n"
           "%.0f a second, %.1f us of the gateway's CPU for each; median %.0f us, 99 %% within %.0f us\n"
           "%u devices, %zu completed in %.2f s, %zu refused, %zu lost%s\n",
           load->rate, load->cpu_us, load->p50_us, load->p99_us, load->devices, load->completed, load->seconds,
           load->refused, load->lost, load->has_one_core ? "; gateway and devices shared one core" : "");
}

void larch_bench_show_handshakes(const larch_bench_options *options, const larch_bench_handshakes *found)
{
    if (options->json) {
        for (size_t i = 0; i < found->count; i++)
            show_json_pair(&found->handshake[i]);
        show_json_load(&found->load);
        return;
    }
    show_bytes(options->markdown, found);
    show_air(options->markdown, found);
    show_costs(options->markdown, found);
    show_load(&found->load);
}
