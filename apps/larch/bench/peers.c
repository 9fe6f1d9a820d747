/* SPDX-License-Identifier: Apache-2.0 */
/* Drives the helper programs that hold other people's libraries: bench/peers/peers.h says in which words. */
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/rows.h"
#include "common/app.h"

#define HELPERS_MAX 4
#define SCHEMES_MAX 64
#define LINE_LEN    256
#define PATTERN     "/larch-bench-peers*"

struct larch_bench_helper {
    pid_t pid;
    FILE *to, *from;
    char lines[SCHEMES_MAX][LINE_LEN]; /* the texts of its schemes lie here */
    unsigned count;
};

static larch_bench_helper *helpers[HELPERS_MAX];
static size_t helper_count;

static void stop(larch_bench_helper *h)
{
    if (h->to != NULL)
        (void)fclose(h->to);
    if (h->from != NULL)
        (void)fclose(h->from);
    if (h->pid > 0)
        (void)waitpid(h->pid, NULL, 0);
    free(h);
}

static bool start(larch_bench_helper *h, const char *path)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0)
        return false;
    if (pipe2(out, O_CLOEXEC) != 0) {
        (void)close(in[0]);
        (void)close(in[1]);
        return false;
    }
    h->pid = fork();
    if (h->pid == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)execl(path, path, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    h->to = fdopen(in[1], "w");
    h->from = fdopen(out[0], "r");
    return h->pid > 0 && h->to != NULL && h->from != NULL;
}

/* One "scheme" line, whose tabs become ends of texts. */
static bool take_scheme(char *line, larch_scheme *out)
{
    char *field[7], *rest = line;
    unsigned long kind, key_len, out_len;
    line[strcspn(line, "\n")] = '\0';
    for (size_t i = 0; i < 7; i++)
        if ((field[i] = strsep(&rest, "\t")) == NULL)
            return false;
    if (rest != NULL || strcmp(field[0], "scheme") != 0 ||
        !larch_app_number(field[1], LARCH_SCHEME_KEM, LARCH_SCHEME_SIGNATURE, &kind) ||
        !larch_app_number(field[2], 1, 1000000, &key_len) || !larch_app_number(field[3], 1, 1000000, &out_len))
        return false;
    *out = (larch_scheme){.kind = (larch_scheme_kind)kind,
                          .library = field[4],
                          .algorithm = field[5],
                          .how = field[6],
                          .key_len = (unsigned)key_len,
                          .out_len = (unsigned)out_len,
                          .batch = 1};
    return true;
}

static bool meet(larch_bench_helper *h, larch_bench_rows *rows)
{
    const size_t before = rows->count;
    for (larch_scheme scheme; h->count < SCHEMES_MAX; h->count++) {
        char *line = h->lines[h->count];
        if (fgets(line, LINE_LEN, h->from) == NULL)
            break;
        if (strcmp(line, "ready\n") == 0)
            return true;
        if (!take_scheme(line, &scheme))
            break;
        larch_bench_add(rows, &scheme, h, h->count);
    }
    rows->count = before;
    return false;
}

size_t larch_bench_start_helpers(larch_bench_rows *rows)
{
    char pattern[1024];
    glob_t found = {0};
    const ssize_t len = readlink("/proc/self/exe", pattern, sizeof pattern - sizeof PATTERN);
    char *slash = len > 0 ? memrchr(pattern, '/', (size_t)len) : NULL;
    if (slash == NULL)
        return 0;
    memcpy(slash, PATTERN, sizeof PATTERN);
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc && helper_count < HELPERS_MAX; i++) {
        larch_bench_helper *h = calloc(1, sizeof *h);
        if (h == NULL)
            break;
        if (start(h, found.gl_pathv[i]) && meet(h, rows)) {
            helpers[helper_count++] = h;
            continue;
        }
        (void)larch_app_fail("bench", "%s does not start: its rows are left out", found.gl_pathv[i]);
        stop(h);
    }
    globfree(&found);
    return helper_count;
}

void larch_bench_stop_helpers(void)
{
    while (helper_count > 0)
        stop(helpers[--helper_count]);
}

/* Asks for count numbers, which follow the first word of the answer. */
static bool ask(const larch_bench_row *row, const char *word, unsigned op, double us, unsigned long *numbers,
                size_t count)
{
    char line[LINE_LEN], *rest = line;
    larch_bench_helper *h = row->helper;
    if (fprintf(h->to, "%s %u %u %.0f\n", word, row->number, op, us) < 0 || fflush(h->to) != 0 ||
        fgets(line, sizeof line, h->from) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(strsep(&rest, " "), word) != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (rest == NULL || !larch_app_number(strsep(&rest, " "), 0, ULONG_MAX, &numbers[i]))
            return false;
    return rest == NULL;
}

bool larch_bench_helper_time(const larch_bench_row *row, unsigned op, double seconds, larch_figures *out)
{
    unsigned long numbers[3];
    if (!ask(row, "time", op, seconds * 1e6, numbers, 3))
        return false;
    *out = (larch_figures){(double)numbers[0] / 1e6, (double)numbers[1], numbers[2]};
    return true;
}

size_t larch_bench_helper_stack(const larch_bench_row *row, unsigned op)
{
    unsigned long stack;
    return ask(row, "stack", op, 0, &stack, 1) ? stack : 0;
}
