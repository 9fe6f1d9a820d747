/* SPDX-License-Identifier: Apache-2.0 */
#include "known.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char head[] = "# Gateways that `larch send` trusts, a line each: authority, ML-KEM set, the fingerprint\n"
                           "# that trust began with, the present key's fingerprint, the present key.\n"
                           "# To forget a gateway delete its line.\n";

static larch_error because(char *why, larch_error error, const char *path, const char *what)
{
    (void)snprintf(why, LARCH_KNOWN_WHY_MAX, "%.380s: %.120s", path, what);
    return error;
}

static larch_error because_errno(char *why, const char *path)
{
    return because(why, LARCH_PLATFORM, path, strerror(errno));
}

static larch_error because_open(char *why, const char *path)
{
    return errno == ELOOP ? because(why, LARCH_PLATFORM, path, "is a symbolic link; name the file itself with --known")
                          : because_errno(why, path);
}

/* ---- where -------------------------------------------------------------- */

static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return false;
        if (slash == NULL)
            return true;
        *slash = '/';
    }
}

larch_error larch_known_default_path(char *path, size_t cap, char *why)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    static const char name[] = "/known_gateways";
    int len;
    if (state != NULL && state[0] == '/') /* a relative one is to be ignored, says the XDG specification */
        len = snprintf(path, cap, "%s/larch", state);
    else if (home != NULL && home[0] == '/')
        len = snprintf(path, cap, "%s/.local/state/larch", home);
    else
        return because(why, LARCH_PLATFORM, "known_gateways",
                       "no XDG_STATE_HOME and no HOME to keep it in: use --known");
    if (len < 0 || (size_t)len + sizeof name > cap)
        return because(why, LARCH_PLATFORM, "known_gateways", "the state folder's name is too long");
    if (!make_folders(path)) {
        (void)snprintf(why, LARCH_KNOWN_WHY_MAX, "%.380s: %.80s; --known FILE names another place", path,
                       strerror(errno));
        return LARCH_PLATFORM;
    }
    memcpy(path + len, name, sizeof name);
    return LARCH_OK;
}

/* ---- a line ------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static larch_error parse_hex(const char *text, uint8_t *out, size_t len)
{
    if (strlen(text) != 2 * len)
        return LARCH_MALFORMED;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return LARCH_MALFORMED;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return LARCH_OK;
}

static larch_error parse_fingerprint(const char *text, uint8_t out[LARCH_FINGERPRINT_LEN])
{
    return larch_fingerprint_parse((larch_bytes){(const uint8_t *)text, strlen(text)}, out);
}

static const larch_kem *parse_set(const char *text)
{
    char canonical[8];
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_kem_at(i)) != NULL; i++) {
        (void)snprintf(canonical, sizeof canonical, "%u", (unsigned)kem->set);
        if (strcmp(text, canonical) == 0)
            return kem;
    }
    return NULL;
}

/* AUTHORITY SET BEGAN PRESENT KEY, one space between. The present fingerprint is
 * that of the key: a slip in either shows. */
static larch_error parse_line(char *line, larch_known *out)
{
    char *field[5];
    uint8_t hash[32];
    for (size_t i = 0; i < 5; i++) {
        field[i] = line;
        line += strcspn(line, " ");
        if (line == field[i] || (*line == ' ') != (i < 4))
            return LARCH_MALFORMED;
        *line++ = '\0';
    }
    memset(out, 0, sizeof *out);
    if (strlen(field[0]) > LARCH_KNOWN_AUTHORITY_MAX || (out->kem = parse_set(field[1])) == NULL)
        return LARCH_MALFORMED;
    memcpy(out->authority, field[0], strlen(field[0]));
    const larch_bytes ek = {out->ek, out->kem->ek_len};
    if (parse_fingerprint(field[2], out->began) != LARCH_OK || parse_fingerprint(field[3], out->present) != LARCH_OK ||
        parse_hex(field[4], out->ek, ek.len) != LARCH_OK || larch_kem_check_ek(out->kem, ek) != LARCH_OK ||
        larch_direct_key_hash(ek, hash) != LARCH_OK || memcmp(hash, out->present, LARCH_FINGERPRINT_LEN) != 0)
        return LARCH_MALFORMED;
    return LARCH_OK;
}

static void write_line(FILE *out, const larch_known *record)
{
    char began[LARCH_FINGERPRINT_TEXT_LEN + 1], present[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_fingerprint_format(record->began, began);
    larch_fingerprint_format(record->present, present);
    fprintf(out, "%s %u %s %s ", record->authority, (unsigned)record->kem->set, began, present);
    for (size_t i = 0; i < record->kem->ek_len; i++)
        fprintf(out, "%02x", record->ek[i]);
    fputc('\n', out);
}

/* ---- the file ----------------------------------------------------------- */

/* Takes one line of len bytes, its end included. *is_record: it holds one, in *record; else it is a
 * comment. The line is cut into its fields. */
static larch_error take_line(char *line, size_t len, bool *is_record, larch_known *record)
{
    *is_record = false;
    if (line[len - 1] != '\n' || strlen(line) != len)
        return LARCH_MALFORMED; /* cut short, or with a zero byte */
    line[len - 1] = '\0';
    if (line[0] == '#' || line[0] == '\0')
        return LARCH_OK;
    *is_record = true;
    return parse_line(line, record);
}

/* Reads every line, for one damaged line makes the whole file doubtful. The record asked
 * for goes to *found (found->kem NULL: none); all others are copied to copy, if given. */
static larch_error scan(FILE *in, FILE *copy, const char *path, const char *authority, const larch_kem *kem,
                        larch_known *found, char *why)
{
    char *line = NULL, *original = NULL;
    size_t cap = 0;
    ssize_t len;
    larch_known record = {.kem = NULL};
    larch_error e = LARCH_OK;
    found->kem = NULL;
    for (unsigned number = 1; e == LARCH_OK && (len = getline(&line, &cap, in)) > 0; number++) {
        bool is_record;
        free(original);
        if ((original = strdup(line)) == NULL) {
            e = because_errno(why, path);
        } else if ((e = take_line(line, (size_t)len, &is_record, &record)) != LARCH_OK) {
            (void)snprintf(why, LARCH_KNOWN_WHY_MAX, "%.400s: line %u is damaged; repair or delete it", path, number);
        } else if (!is_record || record.kem != kem || strcmp(record.authority, authority) != 0) {
            if (copy != NULL)
                (void)fputs(original, copy); /* ferror() tells later */
        } else if (found->kem != NULL) {
            (void)snprintf(why, LARCH_KNOWN_WHY_MAX, "%.400s: line %u repeats a gateway; keep the right one", path,
                           number);
            e = LARCH_MALFORMED;
        } else {
            *found = record;
        }
    }
    if (e == LARCH_OK && ferror(in))
        e = because_errno(why, path);
    free(original);
    free(line);
    return e;
}

/* Who can write the file can make us trust any key. */
static larch_error check_owner(int fd, const char *path, char *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return because_errno(why, path);
    if (!S_ISREG(st.st_mode))
        return because(why, LARCH_MALFORMED, path, "is not a regular file");
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return because(why, LARCH_MALFORMED, path, "belongs to another user; --known FILE names another one");
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return because(why, LARCH_MALFORMED, path, "others may write it; check it, then chmod 600 it");
    return LARCH_OK;
}

larch_error larch_known_find(const char *path, const char *authority, const larch_kem *kem, larch_known *out, char *why)
{
    /* As it is opened to be changed: no link; and not waiting for a writer, should it be a pipe. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (in == NULL) {
        larch_error failed = errno == ENOENT ? LARCH_STATE : because_open(why, path);
        if (fd >= 0)
            (void)close(fd);
        return failed;
    }
    larch_error e = check_owner(fileno(in), path, why);
    if (e == LARCH_OK)
        e = scan(in, NULL, path, authority, kem, out, why);
    (void)fclose(in);
    return e == LARCH_OK && out->kem == NULL ? LARCH_STATE : e;
}

/* Opens the file, made if need be, and holds its lock. Who waited for the lock may hold that
 * of a file since replaced: then again. */
static FILE *open_locked(const char *path)
{
    struct stat ours, present;
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return NULL;
        if (flock(fd, LOCK_EX) == 0 && fstat(fd, &ours) == 0 && stat(path, &present) == 0) {
            if (ours.st_ino == present.st_ino && ours.st_dev == present.st_dev) {
                FILE *f = fdopen(fd, "r");
                if (f != NULL)
                    return f;
            } else {
                (void)close(fd);
                continue;
            }
        }
        (void)close(fd);
        return NULL;
    }
}

/* rename() is durable once the folder is. */
static bool sync_folder_of(const char *path)
{
    char name[PATH_MAX];
    (void)snprintf(name, sizeof name, "%s", path);
    int fd = open(dirname(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* The whole new file beside the old one, then in its place. */
static larch_error replace(FILE *in, const char *path, const larch_known *record, const larch_known *seen, char *why)
{
    char temporary[PATH_MAX];
    larch_known there;
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return because(why, LARCH_PLATFORM, path, "the name is too long");
    int fd = mkstemp(temporary); /* mode 0600 */
    FILE *copy = fd >= 0 ? fdopen(fd, "w") : NULL;
    larch_error e = copy == NULL ? because_errno(why, temporary) : LARCH_OK;
    if (e == LARCH_OK) {
        if (getc(in) == EOF)
            fputs(head, copy);
        rewind(in);
        e = scan(in, copy, path, record->authority, record->kem, &there, why);
    }
    if (e == LARCH_OK &&
        (seen == NULL ? there.kem != NULL
                      : there.kem == NULL || memcmp(there.present, seen->present, LARCH_FINGERPRINT_LEN) != 0))
        e = because(why, LARCH_STATE, path, "another process changed this gateway's record just now");
    if (e == LARCH_OK) {
        write_line(copy, record);
        if (fflush(copy) != 0 || ferror(copy) || fsync(fileno(copy)) != 0 || rename(temporary, path) != 0 ||
            !sync_folder_of(path))
            e = because_errno(why, path);
    }
    if (copy != NULL)
        (void)fclose(copy);
    else if (fd >= 0)
        (void)close(fd);
    if (e != LARCH_OK && fd >= 0)
        (void)unlink(temporary);
    return e;
}

larch_error larch_known_put(const char *path, const larch_known *record, const larch_known *seen, char *why)
{
    FILE *in = open_locked(path);
    if (in == NULL)
        return because_open(why, path);
    larch_error e = check_owner(fileno(in), path, why);
    if (e == LARCH_OK)
        e = replace(in, path, record, seen, why);
    (void)fclose(in); /* and the lock is free */
    return e;
}
