/* SPDX-License-Identifier: Apache-2.0 */
/* The known-gateways file on its medium: where it is, whom it belongs to, and how it is replaced as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "send/known_int.h"

#define FILE_BYTES_MAX ((off_t)4 << 20)

static larch_error because_errno(char *why, const char *path)
{
    return known_because(why, LARCH_PLATFORM, path, strerror(errno));
}

static larch_error because_open(char *why, const char *path)
{
    return errno == ELOOP
               ? known_because(why, LARCH_PLATFORM, path, "is a symbolic link; name the file itself with --known")
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

static larch_error find_default(larch_known_place *place, char *why)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char folder[PATH_MAX];
    int len;
    if (state != NULL && state[0] == '/') /* a relative one is to be ignored, says the XDG specification */
        len = snprintf(folder, sizeof folder, "%s/larch", state);
    else if (home != NULL && home[0] == '/')
        len = snprintf(folder, sizeof folder, "%s/.local/state/larch", home);
    else
        return known_because(why, LARCH_PLATFORM, "gateways",
                             "no XDG_STATE_HOME and no HOME to keep it in: use --known");
    if (len < 0 || (size_t)len >= sizeof folder ||
        snprintf(place->path, sizeof place->path, "%s/gateways", folder) >= (int)sizeof place->path ||
        snprintf(place->old, sizeof place->old, "%s/known_gateways", folder) >= (int)sizeof place->old)
        return known_because(why, LARCH_PLATFORM, "gateways", "the state folder's name is too long");
    if (!make_folders(folder)) {
        (void)snprintf(why, LARCH_KNOWN_WHY_MAX, "%.380s: %.80s; --known FILE names another place", folder,
                       strerror(errno));
        return LARCH_PLATFORM;
    }
    return LARCH_OK;
}

/* Whether a file is there that begins as none of this format does. */
static bool is_old(const char *path)
{
    char start[16] = "";
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    const ssize_t len = fd >= 0 ? read(fd, start, sizeof start - 1) : 0;
    if (fd >= 0)
        (void)close(fd);
    return len > 0 && strncmp(start, known_first_line, 14) != 0;
}

larch_error larch_known_find_place(const char *given, larch_known_place *place, char *why)
{
    memset(place, 0, sizeof *place);
    if (given == NULL)
        return find_default(place, why);
    const bool old = is_old(given);
    if (snprintf(place->path, sizeof place->path, "%s%s", given, old ? ".v2" : "") >= (int)sizeof place->path)
        return known_because(why, LARCH_PLATFORM, given, "the name is too long");
    if (old)
        (void)snprintf(place->old, sizeof place->old, "%s", given);
    return LARCH_OK;
}

/* ---- reading ------------------------------------------------------------- */

/* Who can write the file can make us trust anybody. */
static larch_error check_owner(int fd, const char *path, char *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return because_errno(why, path);
    if (!S_ISREG(st.st_mode))
        return known_because(why, LARCH_MALFORMED, path, "is not a regular file");
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return known_because(why, LARCH_MALFORMED, path, "belongs to another user; --known FILE names another one");
    if (st.st_size > FILE_BYTES_MAX)
        return known_because(why, LARCH_MALFORMED, path, "is longer than 4 MB; delete gateways");
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return known_because(why, LARCH_MALFORMED, path, "others may write it; check it, then chmod 600 it");
    return LARCH_OK;
}

/* Reads what is there of one of the two; LARCH_STATE: nothing. */
static larch_error read_one(const char *path, bool old, known_book *book, char *why)
{
    /* As it is opened to be changed: no link; and not waiting for a writer, should it be a pipe. */
    const int fd = path[0] != '\0' ? open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0)
        return path[0] == '\0' || errno == ENOENT ? LARCH_STATE : because_open(why, path);
    larch_error e = check_owner(fd, path, why);
    FILE *in = e == LARCH_OK ? fdopen(fd, "r") : NULL;
    if (in == NULL) {
        if (e == LARCH_OK)
            e = because_errno(why, path);
        (void)close(fd);
        return e;
    }
    const int first = getc(in);
    rewind(in);
    e = first == EOF ? LARCH_STATE : known_book_read(book, in, old, path, why);
    (void)fclose(in);
    return e;
}

/* The file, or as long as there is none, or an empty one, the older one. */
static larch_error read_book(const larch_known_place *place, known_book *book, char *why)
{
    *book = (known_book){0};
    larch_error e = read_one(place->path, false, book, why);
    if (e == LARCH_STATE)
        e = read_one(place->old, true, book, why);
    if (e == LARCH_STATE)
        return LARCH_OK;
    if (e != LARCH_OK)
        known_book_free(book);
    return e;
}

larch_error larch_known_find(const larch_known_place *place, const char *name, const larch_kem *kem, larch_known *out,
                             char *why)
{
    known_book book;
    memset(out, 0, sizeof *out);
    larch_error e = read_book(place, &book, why);
    if (e == LARCH_OK)
        e = known_book_find(&book, name, kem, out);
    known_book_free(&book);
    return e;
}

larch_error larch_known_find_identity(const larch_known_place *place, const uint8_t identity[LARCH_FINGERPRINT_LEN],
                                      const char *name, const larch_kem *kem, larch_known *out, bool *near, char *why)
{
    known_book book;
    memset(out, 0, sizeof *out);
    *near = false;
    larch_error e = read_book(place, &book, why);
    if (e == LARCH_OK)
        e = known_book_find_identity(&book, identity, name, kem, out, near);
    known_book_free(&book);
    return e;
}

/* ---- writing ------------------------------------------------------------- */

/* Opens the file, made if need be, and holds its lock. A process that waited for the lock may hold that of a file since
 * replaced: then again. */
static int open_locked(const char *path)
{
    struct stat ours, present;
    for (;;) {
        const int fd = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return -1;
        const bool held = flock(fd, LOCK_EX) == 0 && fstat(fd, &ours) == 0 && stat(path, &present) == 0;
        if (held && ours.st_ino == present.st_ino && ours.st_dev == present.st_dev)
            return fd;
        (void)close(fd);
        if (!held)
            return -1;
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
static larch_error write_book(const known_book *book, const char *path, char *why)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return known_because(why, LARCH_PLATFORM, path, "the name is too long");
    const int fd = mkstemp(temporary); /* mode 0600 */
    FILE *copy = fd >= 0 ? fdopen(fd, "w") : NULL;
    larch_error e = LARCH_OK;
    if (copy == NULL) {
        e = because_errno(why, temporary);
        if (fd >= 0)
            (void)close(fd);
    } else {
        (void)fputs(known_first_line, copy); /* ferror() tells later */
        if (book->count == 0 || book->lines[0].kind != KNOWN_COMMENT)
            (void)fputs(known_comment, copy);
        for (size_t i = 0; i < book->count; i++)
            (void)fputs(book->lines[i].text, copy);
        if (fflush(copy) != 0 || ferror(copy) || fsync(fileno(copy)) != 0 || rename(temporary, path) != 0 ||
            !sync_folder_of(path))
            e = because_errno(why, path);
        (void)fclose(copy);
    }
    if (e != LARCH_OK && fd >= 0)
        (void)unlink(temporary);
    return e;
}

larch_error larch_known_put(const larch_known_place *place, const larch_known *record, const larch_known *seen,
                            char *why)
{
    known_book book = {0};
    const int lock = open_locked(place->path);
    if (lock < 0)
        return because_open(why, place->path);
    larch_error e = read_book(place, &book, why);
    if (e == LARCH_OK && (e = known_book_put(&book, record, seen, place->path, why)) == LARCH_OK)
        e = write_book(&book, place->path, why);
    known_book_free(&book);
    (void)close(lock); /* and the lock is free */
    return e;
}
