/* SPDX-License-Identifier: Apache-2.0 */
/*
 * larch device import: many devices at once. A file with a row that is wrong adds none. Devices are added in batches, each of
 * which is one change; a result is printed once the device and its enrolment are durable.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/csv.h"
#include "common/policy_word.h"
#include "device/alone.h"
#include "device/ask.h"
#include "device/import_rows.h"
#include "text/json.h"
#include "text/text.h"

#define NAME         "device"
#define SUFFIX       ".enrolment"
#define WINDOW       1024 /* rows that become durable together */
#define NEWCOMER_MAX (LARCH_SESSIONS_NAME_MAX + LARCH_APP_POLICY_WORD_MAX + 3)

typedef struct batch {
    size_t count;
    import_row *rows[LARCH_APP_ENROL_MAX];
    int files[LARCH_APP_ENROL_MAX];
    larch_app_newcomer newcomers[LARCH_APP_ENROL_MAX];
    size_t len; /* of all newcomers in a request */
    device_enrolled results[LARCH_APP_ENROL_MAX];
} batch;

typedef struct importing {
    device_connection *gateway;
    const device_asking *asking;
    import_rows all;
    batch *batch; /* by malloc: it is large, and wiped after each use */
    size_t added, skipped, failed;
} importing;

/* ---- results ------------------------------------------------------------------- */

static void make_path(const importing *im, const import_row *row, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%s" SUFFIX, im->asking->out, row->name);
}

static void print_result(const importing *im, const import_row *row)
{
    static const char *const results[] = {[IMPORT_WAITS] = "not added",
                                          [IMPORT_ADDED] = "added",
                                          [IMPORT_SKIPPED] = "there already",
                                          [IMPORT_REFUSED] = "refused",
                                          [IMPORT_FAILED] = "failed"};
    uint8_t line[PATH_MAX + 6 * DEVICE_IMPORT_WHY_MAX + 256];
    char path[PATH_MAX] = "";
    larch_writer w = larch_writer_to(line, sizeof line);
    const char *result = im->asking->is_dry && row->result == IMPORT_WAITS ? "would be added" : results[row->result];
    if (row->result == IMPORT_ADDED)
        make_path(im, row, path);
    if (im->asking->json) {
        larch_json j = larch_json_begin_line(&w);
        larch_json_put_number(&j, "line", row->line);
        larch_json_put_text(&j, "device", row->name);
        larch_json_put_text(&j, "result", result);
        if (path[0] != '\0')
            larch_json_put_text(&j, "file", path);
        if (row->why[0] != '\0')
            larch_json_put_text(&j, "why", row->why);
        larch_json_end_line(&j);
    } else {
        larch_text_put_format(&w, "%zu,%s,%s,", row->line, row->name, result);
        larch_csv_put(&w, larch_bytes_of_text(path[0] != '\0' ? path : row->why));
        larch_text_put(&w, "\n");
    }
    larch_text_print(&w, stdout);
}

static void set_result(import_row *row, int result, const char *why)
{
    row->result = result;
    (void)snprintf(row->why, sizeof row->why, "%s", why);
}

/* ---- a batch -------------------------------------------------------------------- */

static bool equal(const device_enrolling *a, const device_enrolling *b)
{
    return larch_bytes_equal(a->authority, b->authority) && a->method == b->method && a->suite == b->suite &&
           a->reference == b->reference;
}

/* Files first: a device whose file cannot be made is not added. */
static void open_file(const importing *im, batch *b, import_row *row)
{
    char path[PATH_MAX], why[DEVICE_IMPORT_WHY_MAX];
    make_path(im, row, path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        (void)snprintf(why, sizeof why, "its file: %s", strerror(errno));
        set_result(row, IMPORT_FAILED, why);
        return;
    }
    b->rows[b->count] = row;
    b->files[b->count] = fd;
    b->newcomers[b->count] = (larch_app_newcomer){
        .name = larch_bytes_of_text(row->name), .policy = row->policy, .policy_count = row->policy_count};
    b->len += device_newcomer_len(&b->newcomers[b->count++]);
}

/* The device was added, and its enrolment cannot be kept: nobody has its key. */
static void take_back(importing *im, import_row *row, int reason)
{
    char why[DEVICE_IMPORT_WHY_MAX];
    const bool is_gone = device_ask_revoke(im->gateway, row->name) == LARCH_EXIT_DONE;
    (void)snprintf(why, sizeof why, "its file: %s; the device %s", strerror(reason),
                   is_gone ? "was removed again" : "is there, and nobody has its key: revoke it");
    set_result(row, IMPORT_FAILED, why);
}

static void keep_one(importing *im, const batch *b, size_t i)
{
    char path[PATH_MAX];
    import_row *row = b->rows[i];
    const device_enrolled *result = &b->results[i];
    if (result->len == 0)
        set_result(row, IMPORT_SKIPPED, result->why);
    else if (device_write_file("", b->files[i], (larch_bytes){result->bytes, result->len}, false))
        set_result(row, IMPORT_ADDED, "");
    else
        take_back(im, row, errno);
    if (row->result != IMPORT_ADDED) {
        make_path(im, row, path);
        (void)unlink(path);
    }
    (void)close(b->files[i]);
}

/* The rows of [first, end) that wait and get the same as the first of them, as many as fit. LARCH_EXIT_DONE with *taken 0: none
 * waits. */
static larch_exit add_batch(importing *im, size_t first, size_t end, size_t *taken)
{
    batch *const b = im->batch;
    while (first < end && im->all.rows[first].result != IMPORT_WAITS)
        first++;
    *taken = 0;
    if (first == end)
        return LARCH_EXIT_DONE;
    const device_enrolling *enrolling = &im->all.rows[first].enrolling;
    const size_t most = larch_app_enrol_max(enrolling->method);
    b->count = b->len = 0;
    for (size_t i = first; i < end && b->count < most && b->len < DEVICE_NEWCOMERS_MAX - NEWCOMER_MAX; i++) {
        import_row *row = &im->all.rows[i];
        if (row->result != IMPORT_WAITS || !equal(&row->enrolling, enrolling))
            continue;
        open_file(im, b, row);
        ++*taken;
    }
    if (b->count == 0)
        return LARCH_EXIT_DONE;
    memset(b->results, 0, sizeof b->results);
    const larch_exit code = device_enrol(im->gateway, enrolling, b->newcomers, b->count, b->results);
    for (size_t i = 0; i < b->count; i++) {
        if (code == LARCH_EXIT_DONE) {
            keep_one(im, b, i);
            continue;
        }
        char path[PATH_MAX];
        make_path(im, b->rows[i], path);
        (void)unlink(path);
        (void)close(b->files[i]);
        set_result(b->rows[i], IMPORT_FAILED, "the gateway refused the batch, or did not reply");
    }
    larch_wipe(b->results, sizeof b->results);
    return code;
}

/* ---- all of it ------------------------------------------------------------------- */

static void count(importing *im, const import_row *row)
{
    im->added += row->result == IMPORT_ADDED;
    im->skipped += row->result == IMPORT_SKIPPED;
    im->failed += row->result == IMPORT_FAILED;
}

static larch_exit add_window(importing *im, int folder, size_t first, size_t end)
{
    larch_exit code = LARCH_EXIT_DONE;
    size_t taken = 1;
    while (code == LARCH_EXIT_DONE && taken > 0)
        code = add_batch(im, first, end, &taken);
    if (syncfs(folder) != 0 && code == LARCH_EXIT_DONE)
        code = larch_app_fail(NAME, "%s: %s; the enrolments since the last result may not be durable", im->asking->out,
                              strerror(errno));
    for (size_t i = first; i < end; i++) {
        print_result(im, &im->all.rows[i]);
        count(im, &im->all.rows[i]);
    }
    return code;
}

static larch_exit add_all(importing *im)
{
    larch_exit code = LARCH_EXIT_DONE;
    if (mkdir(im->asking->out, 0700) != 0 && errno != EEXIST)
        return larch_app_fail(NAME, "%s: %s", im->asking->out, strerror(errno));
    const int folder = open(im->asking->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return larch_app_fail(NAME, "%s: %s", im->asking->out, strerror(errno));
    for (size_t first = 0; code == LARCH_EXIT_DONE && first < im->all.count; first += WINDOW)
        code = add_window(im, folder, first, first + WINDOW < im->all.count ? first + WINDOW : im->all.count);
    (void)close(folder);
    code = device_end_alone(code);
    fprintf(stderr, "larch device: %zu added, %zu there already, %zu failed\n", im->added, im->skipped, im->failed);
    return code == LARCH_EXIT_DONE && im->failed + im->skipped > 0 ? LARCH_EXIT_FAILED : code;
}

static larch_exit finish(importing *im)
{
    if (im->all.wrong == 0 && !im->asking->is_dry)
        return add_all(im);
    for (size_t i = 0; i < im->all.count; i++)
        print_result(im, &im->all.rows[i]);
    if (im->all.wrong > 0)
        return larch_app_fail(NAME, "%zu of %zu rows are wrong: no device was added", im->all.wrong, im->all.count);
    return LARCH_EXIT_DONE;
}

static larch_exit read_file(const char *path, uint8_t *bytes, size_t *len)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file == NULL)
        return larch_app_fail(NAME, "%s: %s", path, strerror(errno));
    *len = fread(bytes, 1, DEVICE_IMPORT_BYTES, file);
    const bool is_read = ferror(file) == 0, is_whole = feof(file) != 0;
    const int reason = errno;
    if (file != stdin)
        (void)fclose(file);
    if (!is_read)
        return larch_app_fail(NAME, "%s: %s", path, strerror(reason));
    return is_whole ? LARCH_EXIT_DONE
                    : larch_app_fail(NAME, "%s has more than %d bytes: divide it", path, DEVICE_IMPORT_BYTES - 1);
}

larch_exit device_import(device_connection *gateway, const device_asking *asking, const char *path)
{
    importing im = {.gateway = gateway, .asking = asking};
    import_row defaults = {.policy_count = asking->allow_count};
    size_t len = 0;
    larch_exit code = device_take_enrolling(asking, &defaults.enrolling);
    if (code != LARCH_EXIT_DONE || (code = device_take_policy(asking, defaults.policy)) != LARCH_EXIT_DONE)
        return code;
    if (asking->out[0] == '\0' && !asking->is_dry)
        return larch_app_usage(NAME, "import: where to write the enrolments? Give --out DIR, or --dry-run");
    uint8_t *bytes = malloc(DEVICE_IMPORT_BYTES);
    im.batch = calloc(1, sizeof *im.batch);
    if (bytes == NULL || im.batch == NULL)
        code = larch_app_fail(NAME, "out of memory");
    else if ((code = read_file(path, bytes, &len)) == LARCH_EXIT_DONE &&
             (code = import_rows_take(&im.all, path, bytes, len, &defaults)) == LARCH_EXIT_DONE)
        code = finish(&im);
    import_rows_free(&im.all);
    free(im.batch);
    free(bytes);
    const larch_exit printed = larch_app_end_output(NAME);
    return code == LARCH_EXIT_DONE ? printed : code;
}
