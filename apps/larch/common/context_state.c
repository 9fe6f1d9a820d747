/* SPDX-License-Identifier: Apache-2.0 */
#include "common/context_state.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system.h"

#define SUFFIX          ".state"
#define BESIDE          ".XXXXXX" /* for mkostemp */
#define BESIDE_MAX      (LARCH_CONTEXT_STATE_PATH_MAX + sizeof BESIDE)
#define KEYS_LABEL      "larch context state"
#define ENROLMENT_LABEL "larch enrolment state"
#define COUNT_MARGIN    (2 * LARCH_CONTEXT_GRANT) /* messages that are on record before they are protected */
#define NEW_KEYS        "give both sides another master secret or master salt"

static larch_exit fail_system(const larch_context_state *s, const char *path)
{
    return larch_app_fail(s->command, "%s: %s", path, strerror(errno));
}

/* ---- whose it is ----------------------------------------------------------- */

static void put_id(larch_writer *w, larch_bytes id)
{
    larch_writer_put_u8(w, (uint8_t)id.len);
    larch_writer_put(w, id);
}

/* A hash of what is derived from the secret for this purpose alone, so that it says nothing of the secret. */
static larch_error hash_keys(const larch_oscore_parameters *p, uint8_t keys[LARCH_SHA256_LEN])
{
    uint8_t info[128], derived[LARCH_SHA256_LEN];
    larch_writer w = larch_writer_to(info, sizeof info);
    larch_bytes view;
    larch_writer_put(&w, LARCH_TEXT(KEYS_LABEL));
    larch_writer_put_u8(&w, (uint8_t)p->aead->number);
    larch_writer_put_u8(&w, (uint8_t)p->hash);
    put_id(&w, p->sender_id);
    put_id(&w, p->recipient_id);
    larch_writer_put_u8(&w, p->id_context.data != NULL);
    put_id(&w, p->id_context);
    larch_error e = larch_writer_finish(&w, &view);
    if (e == LARCH_OK)
        e = larch_hkdf_sha256(p->master_salt, p->master_secret, view, derived, sizeof derived);
    view = LARCH_BYTES(derived);
    if (e == LARCH_OK)
        e = larch_sha256(&view, 1, keys);
    larch_wipe(derived, sizeof derived);
    return e;
}

/* ---- writing --------------------------------------------------------------- */

static bool sync_folder_of(const char *path)
{
    char name[LARCH_CONTEXT_STATE_PATH_MAX];
    (void)snprintf(name, sizeof name, "%s", path);
    const int fd = open(dirname(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool write_all(int fd, larch_bytes bytes)
{
    while (bytes.len > 0) {
        const ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno != EINTR)
            return false;
        bytes.data += n > 0 ? n : 0;
        bytes.len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* A file of another name beside it that holds the record, on the medium and locked, and its descriptor; -1: failed. */
static int write_beside(const larch_context_state *s, const larch_context_record *record, char name[BESIDE_MAX])
{
    uint8_t bytes[LARCH_CONTEXT_RECORD_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_context_record_put(&w, record);
    (void)snprintf(name, BESIDE_MAX, "%s" BESIDE, s->path);
    const int fd = mkostemp(name, O_CLOEXEC); /* mode 0600 */
    const bool is_written =
        fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && write_all(fd, (larch_bytes){bytes, w.len}) && fsync(fd) == 0;
    const int number = errno;
    larch_wipe(bytes, sizeof bytes);
    if (is_written || fd < 0)
        return fd;
    (void)unlink(name);
    (void)close(fd);
    errno = number;
    return -1;
}

static bool is_in_place(const larch_context_state *s)
{
    struct stat ours, there;
    return fstat(s->file, &ours) == 0 && lstat(s->path, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

/* The record takes the place of the present one, durably. Once that failed, what is in the file is not certain, and
 * nothing is granted any more. */
static larch_exit store(larch_context_state *s, const larch_context_record *record)
{
    char name[BESIDE_MAX];
    if (s->is_stuck)
        return larch_app_fail(s->command, "%s could not be written before; start again", s->path);
    s->is_stuck = true;
    if (!is_in_place(s))
        return larch_app_fail(s->command, "%s was replaced or deleted while in use: %s", s->path, NEW_KEYS);
    const int fd = write_beside(s, record, name);
    if (fd < 0)
        return fail_system(s, s->path);
    if (rename(name, s->path) != 0) {
        const larch_exit code = fail_system(s, s->path);
        (void)unlink(name);
        (void)close(fd);
        return code;
    }
    (void)close(s->file);
    s->file = fd;
    if (!sync_folder_of(s->path))
        return fail_system(s, s->path);
    s->stored = *record;
    s->is_stuck = false;
    return LARCH_EXIT_DONE;
}

/* ---- opening --------------------------------------------------------------- */

static larch_exit check_file(const larch_context_state *s, const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return larch_app_refuse(s->command, "%s is refused: it is not a regular file", s->path);
    if (geteuid() != 0 && st->st_uid != geteuid())
        return larch_app_refuse(s->command, "%s is refused: it belongs to another user", s->path);
    if ((st->st_mode & 077) != 0)
        return larch_app_refuse(s->command,
                                "%s is refused: it is open to others; if nobody has changed it, run: chmod 600 '%s'",
                                s->path, s->path);
    if (st->st_nlink != 1)
        return larch_app_refuse(s->command, "%s is refused: the file has a second name", s->path);
    return LARCH_EXIT_DONE;
}

/* Opens and locks what is there. LARCH_EXIT_DONE with file -1: nothing is. The lock may be that of a file that has been
 * replaced since it was opened: then again. */
static larch_exit open_locked(larch_context_state *s)
{
    struct stat st;
    for (;;) {
        s->file = open(s->path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (s->file < 0 && errno == ENOENT)
            return LARCH_EXIT_DONE;
        if (s->file < 0 && errno == ELOOP)
            return larch_app_refuse(s->command, "%s is refused: it is a symbolic link", s->path);
        if (s->file < 0 || fstat(s->file, &st) != 0)
            return fail_system(s, s->path);
        const larch_exit code = st.st_nlink > 0 ? check_file(s, &st) : LARCH_EXIT_DONE;
        if (code != LARCH_EXIT_DONE)
            return code;
        if (flock(s->file, LOCK_EX | LOCK_NB) != 0)
            return errno == EWOULDBLOCK ? larch_app_fail(s->command, "%s is in use by another larch", s->path)
                                        : fail_system(s, s->path);
        if (is_in_place(s))
            return LARCH_EXIT_DONE;
        (void)close(s->file);
    }
}

/* A new file, unless another process was faster: then file stays -1. */
static larch_exit make_file(larch_context_state *s, const larch_context_record *record)
{
    char name[BESIDE_MAX];
    const int fd = write_beside(s, record, name);
    if (fd < 0)
        return fail_system(s, s->path);
    int done = renameat2(AT_FDCWD, name, AT_FDCWD, s->path, RENAME_NOREPLACE);
    if (done != 0 && errno == EINVAL) /* a file system that cannot promise it */
        done = rename(name, s->path);
    if (done == 0) {
        s->file = fd;
        s->stored = *record;
        return sync_folder_of(s->path) ? LARCH_EXIT_DONE : fail_system(s, s->path);
    }
    const larch_exit code = errno == EEXIST ? LARCH_EXIT_DONE : fail_system(s, s->path);
    (void)unlink(name);
    (void)close(fd);
    return code;
}

static larch_exit read_file(larch_context_state *s, const char *context_file, const larch_context_record *keys)
{
    uint8_t bytes[LARCH_CONTEXT_RECORD_MAX + 1];
    const ssize_t n = pread(s->file, bytes, sizeof bytes, 0);
    if (n < 0)
        return fail_system(s, s->path);
    const larch_error e = larch_context_record_parse((larch_bytes){bytes, (size_t)n}, &s->stored);
    larch_wipe(bytes, sizeof bytes);
    if (e == LARCH_STATE)
        return larch_app_refuse(s->command, "%s is of a newer larch: use that one", s->path);
    if (e != LARCH_OK && keys->is_enrolled)
        return larch_app_refuse(
            s->command, "%s is damaged; delete it, and the device shakes hands anew with the key of its enrolment",
            s->path);
    if (e != LARCH_OK)
        return larch_app_refuse(s->command,
                                "%s is damaged, so it is not known which sequence numbers were used: " NEW_KEYS
                                ", then delete it",
                                s->path);
    if (keys->is_enrolled && (memcmp(s->stored.keys, keys->keys, LARCH_SHA256_LEN) != 0 || !s->stored.is_enrolled))
        return larch_app_refuse(s->command, "%s belongs to another enrolment than %s; move it away", s->path,
                                context_file);
    if (memcmp(s->stored.keys, keys->keys, LARCH_SHA256_LEN) != 0 || s->stored.is_enrolled != keys->is_enrolled)
        return larch_app_refuse(
            s->command,
            "%s belongs to another context than %s; if that has new keys, move it away, and keep it as long "
            "as the old keys are used anywhere",
            s->path, context_file);
    return LARCH_EXIT_DONE;
}

static larch_exit check_limit(const larch_context_state *s, uint64_t messages)
{
    if (messages <= LARCH_CONTEXT_MESSAGES_MAX)
        return LARCH_EXIT_DONE;
    return larch_app_refuse(s->command, "%s: the context is used up: its keys may protect %llu messages; " NEW_KEYS,
                            s->path, (unsigned long long)LARCH_CONTEXT_MESSAGES_MAX);
}

/* fresh: what a new file holds. */
static larch_exit open_or_make(larch_context_state *s, const char *context_file, const larch_context_record *fresh,
                               bool *is_new)
{
    larch_exit code = LARCH_EXIT_DONE;
    *is_new = false;
    do {
        if ((code = open_locked(s)) == LARCH_EXIT_DONE && s->file >= 0)
            code = read_file(s, context_file, fresh);
        else if (code == LARCH_EXIT_DONE && (code = make_file(s, fresh)) == LARCH_EXIT_DONE)
            *is_new = s->file >= 0;
    } while (code == LARCH_EXIT_DONE && s->file < 0);
    return code;
}

static larch_exit open_state(larch_context_state *s, const char *command, const char *context_file,
                             const larch_context_record *fresh, bool *is_new)
{
    *s = (larch_context_state){.command = command, .file = -1};
    const int len = snprintf(s->path, sizeof s->path, "%s" SUFFIX, context_file);
    if (len < 0 || (size_t)len >= sizeof s->path)
        return larch_app_fail(command, "%s: the name is too long", context_file);
    larch_exit code = open_or_make(s, context_file, fresh, is_new);
    if (code == LARCH_EXIT_DONE && !fresh->is_enrolled)
        code = check_limit(s, s->stored.messages + 1);
    s->first = s->stored.next;
    s->n = s->stored.n;
    s->messages = s->stored.messages;
    if (code != LARCH_EXIT_DONE && s->file >= 0) {
        (void)close(s->file);
        s->file = -1;
    }
    return code;
}

larch_exit larch_context_state_open(larch_context_state *s, const char *command, const char *context_file,
                                    const larch_oscore_parameters *parameters, bool *is_new)
{
    larch_context_record fresh = {.n = 1};
    *s = (larch_context_state){.command = command, .file = -1};
    return hash_keys(parameters, fresh.keys) == LARCH_OK ? open_state(s, command, context_file, &fresh, is_new)
                                                         : larch_app_fail(command, "the cryptography failed");
}

larch_exit larch_context_state_open_enrolled(larch_context_state *s, const char *command, const char *path,
                                             larch_bytes psk, bool *is_new)
{
    /* Readings are told apart by n for the device's life, also if this file is lost: n then begins above what it was. */
    larch_context_record fresh = {.n = larch_posix_unix_ns() / 1000000000 * LARCH_CONTEXT_GRANT + 1,
                                  .is_enrolled = true};
    *s = (larch_context_state){.command = command, .file = -1};
    return larch_hkdf_sha256((larch_bytes){NULL, 0}, psk, LARCH_TEXT(ENROLMENT_LABEL), fresh.keys, sizeof fresh.keys) ==
                   LARCH_OK
               ? open_state(s, command, path, &fresh, is_new)
               : larch_app_fail(command, "the cryptography failed");
}

/* ---- handshakes ------------------------------------------------------------ */

larch_exit larch_context_state_renew(larch_context_state *s, const larch_lake_oscore *session,
                                     const larch_lake_resumption *key, uint64_t next, uint64_t unix_s)
{
    larch_context_record record = s->stored;
    record.next = next;
    record.n = s->n;
    record.messages = 0;
    record.made.session = *session;
    record.made.made_s = unix_s;
    record.made.key = *key;
    const larch_exit code = store(s, &record);
    larch_wipe(&record, sizeof record);
    if (code == LARCH_EXIT_DONE) {
        s->first = next;
        s->messages = 0;
    }
    return code;
}

/* ---- grants ---------------------------------------------------------------- */

larch_exit larch_context_state_grant(larch_context_state *s, uint64_t *first, uint64_t *end)
{
    larch_context_record record = s->stored;
    if (record.next > LARCH_OSCORE_NUMBER_MAX)
        return larch_app_refuse(s->command, "%s: all sequence numbers are used up; " NEW_KEYS, s->path);
    record.next += LARCH_CONTEXT_GRANT;
    if (record.next > LARCH_OSCORE_NUMBER_MAX + 1)
        record.next = LARCH_OSCORE_NUMBER_MAX + 1;
    const uint64_t from = s->stored.next;
    const larch_exit code = store(s, &record);
    if (code != LARCH_EXIT_DONE)
        return code;
    *first = from;
    *end = record.next;
    return LARCH_EXIT_DONE;
}

larch_exit larch_context_state_take_n(larch_context_state *s, uint64_t *n)
{
    larch_context_record record = s->stored;
    record.n += LARCH_CONTEXT_GRANT;
    if (s->n == s->stored.n) {
        const larch_exit code = store(s, &record);
        if (code != LARCH_EXIT_DONE)
            return code;
    }
    *n = s->n++;
    return LARCH_EXIT_DONE;
}

larch_exit larch_context_state_count(larch_context_state *s, uint32_t messages)
{
    const uint64_t wanted = s->messages + messages;
    larch_context_record record = s->stored;
    larch_exit code = check_limit(s, wanted);
    if (code == LARCH_EXIT_DONE && wanted > s->stored.messages) {
        record.messages =
            wanted + COUNT_MARGIN < LARCH_CONTEXT_MESSAGES_MAX ? wanted + COUNT_MARGIN : LARCH_CONTEXT_MESSAGES_MAX;
        code = store(s, &record);
    }
    if (code == LARCH_EXIT_DONE)
        s->messages = wanted;
    return code;
}

larch_exit larch_context_state_close(larch_context_state *s, uint64_t next)
{
    larch_context_record record = s->stored;
    larch_exit code = LARCH_EXIT_DONE;
    if (s->file < 0)
        return code;
    if (next >= s->first && next <= s->stored.next)
        record.next = next;
    record.n = s->n;
    record.messages = s->messages;
    if (!s->is_stuck &&
        (record.next != s->stored.next || record.n != s->stored.n || record.messages != s->stored.messages))
        code = store(s, &record);
    (void)close(s->file);
    s->file = -1;
    larch_wipe(&record, sizeof record);
    larch_wipe(&s->stored.made, sizeof s->stored.made);
    return code;
}
