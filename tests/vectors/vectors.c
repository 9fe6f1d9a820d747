/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const vectors *v, const char *what, const char *detail)
{
    fprintf(stderr, "%s:%lu: %s %s\n", v->name, v->line, what, detail);
    exit(1);
}

void vectors_open(vectors *v, const char *name)
{
    char path[4096];
    const char *folder = getenv("LARCH_VECTORS");
    snprintf(path, sizeof path, "%s/%s.gz", folder != NULL ? folder : VECTORS_FOLDER, name);
    v->file = gzopen(path, "r");
    v->name = name;
    v->line = v->records = v->announced = 0;
    v->keys = 0;
    if (v->file == NULL)
        die(v, "cannot open", path);
}

/* Cuts "key = value" in place, or "key =" for the empty value. */
static void take_pair(vectors *v, char *line)
{
    char *equals = strchr(line, '=');
    if (equals == NULL || equals - line < 2 || equals[-1] != ' ' || (equals[1] != 0 && equals[1] != ' '))
        die(v, "neither a pair nor a comment:", line);
    if (v->keys == VECTORS_KEYS)
        die(v, "too many keys at", line);
    equals[-1] = 0;
    if (vectors_has(v, line))
        die(v, "second", line);
    v->pair[v->keys].key = line;
    v->pair[v->keys].value = equals + (equals[1] == ' ' ? 2 : 1);
    v->keys++;
}

bool vectors_next(vectors *v)
{
    size_t used = 0;
    v->keys = 0;
    while (VECTORS_RECORD - used > 1 && gzgets(v->file, v->text + used, (int)(VECTORS_RECORD - used)) != NULL) {
        char *line = v->text + used;
        size_t len = strlen(line);
        v->line++;
        if (len == 0 || line[len - 1] != '\n')
            die(v, "unended or too long line", "");
        line[--len] = 0;
        if (line[0] == '#') {
            if (strncmp(line, "# records: ", 11) == 0)
                v->announced = strtoul(line + 11, NULL, 10);
        } else if (len > 0) {
            take_pair(v, line);
            used += len + 1;
        } else if (v->keys > 0) {
            break;
        }
    }
    if (VECTORS_RECORD - used <= 1)
        die(v, "too long a record", "");
    v->records += v->keys > 0;
    return v->keys > 0;
}

void vectors_close(vectors *v)
{
    int damage = Z_OK; /* a wrong checksum among it; an end too early shows at closing */
    (void)gzerror(v->file, &damage);
    if (gzclose(v->file) != Z_OK || damage != Z_OK || v->records == 0 || v->records != v->announced)
        die(v, "is damaged, or does not have the records that it announces", "");
    printf("%s: %lu records\n", v->name, v->records);
    v->file = NULL;
}

static const char *find(const vectors *v, const char *key)
{
    for (size_t i = 0; i < v->keys; i++)
        if (strcmp(v->pair[i].key, key) == 0)
            return v->pair[i].value;
    return NULL;
}

bool vectors_has(const vectors *v, const char *key) { return find(v, key) != NULL; }

const char *vectors_text(const vectors *v, const char *key)
{
    const char *value = find(v, key);
    if (value == NULL)
        die(v, "record without", key);
    return value;
}

bool vectors_is(const vectors *v, const char *key, const char *text) { return strcmp(vectors_text(v, key), text) == 0; }

unsigned long vectors_number(const vectors *v, const char *key)
{
    const char *text = vectors_text(v, key);
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != 0)
        die(v, "not a number:", key);
    return number;
}

bool vectors_true(const vectors *v, const char *key)
{
    bool yes = vectors_is(v, key, "true");
    if (!yes && !vectors_is(v, key, "false"))
        die(v, "neither true nor false:", key);
    return yes;
}

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

larch_bytes vectors_hex(const vectors *v, const char *key, uint8_t *out, size_t cap)
{
    const char *text = vectors_text(v, key);
    size_t len = strlen(text);
    if (len % 2 != 0 || len / 2 > cap)
        die(v, "too long, or half a byte:", key);
    for (size_t i = 0; i < len / 2; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            die(v, "not hex:", key);
        out[i] = (uint8_t)(high << 4 | low);
    }
    return (larch_bytes){out, len / 2};
}
