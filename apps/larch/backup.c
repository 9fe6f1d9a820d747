/* SPDX-License-Identifier: Apache-2.0 */
/* larch backup: a gateway's state in one file, sealed under a recovery passphrase or key of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/command.h"
#include "common/folder.h"
#include "common/recovery_secret.h"
#include "common/store.h"
#include "common/value.h"
#include "registry/outbox.h"
#include "registry/reseal.h"
#include "registry/sessions_db.h"
#include "secrets/backup.h"
#include "system.h"

#define NAME      "backup"
#define STORE_KEY "store-key" /* the item that has it */

typedef struct backup_options {
    char state[LARCH_POSIX_PATH_MAX];
    char passphrase[LARCH_APP_SECRET_PATH_MAX];
    char key[LARCH_APP_SECRET_PATH_MAX];
    larch_store_choice store;
    int folder;
} backup_options;

/* What is on its way into a file. */
typedef struct writing {
    const char *path;
    int fd;
    larch_posix_storage files;
    larch_app_store store;
    larch_storage storage;
    larch_app_secret secret;
    larch_backup backup;
    uint64_t bytes;
} writing;

static larch_error write_all(void *context, uint8_t *bytes, size_t len)
{
    writing *w = context;
    while (len > 0) {
        const ssize_t n = write(w->fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return LARCH_PLATFORM;
        bytes += n;
        len -= (size_t)n;
        w->bytes += (uint64_t)n;
    }
    return LARCH_OK;
}

static larch_exit fail_write(const writing *w)
{
    return larch_app_fail(NAME, "%s cannot be written: %s", w->path, strerror(errno));
}

/* ---- items ------------------------------------------------------------------- */

/* A file as it stands on the medium: its secrets stay sealed under the store key, which is an item of its own. */
static larch_exit put_file(writing *w, const char *name)
{
    static uint8_t bytes[LARCH_BACKUP_CHUNK];
    struct stat st;
    const int fd = openat(larch_posix_storage_folder(&w->files), name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return LARCH_EXIT_DONE;
    larch_exit code = LARCH_EXIT_DONE;
    uint64_t left = 0;
    if (fd < 0 || fstat(fd, &st) != 0)
        code = larch_app_fail(NAME, "%s/%s: %s", w->files.path, name, strerror(errno));
    else if (larch_backup_put_item(&w->backup, name, left = (uint64_t)st.st_size) != LARCH_OK)
        code = fail_write(w);
    while (code == LARCH_EXIT_DONE && left > 0) {
        const ssize_t n = read(fd, bytes, left < sizeof bytes ? (size_t)left : sizeof bytes);
        if (n <= 0)
            code = larch_app_fail(NAME, "%s/%s: %s", w->files.path, name,
                                  n < 0 ? strerror(errno) : "it has become shorter");
        else if (larch_backup_put(&w->backup, (larch_bytes){bytes, (size_t)n}) != LARCH_OK)
            code = fail_write(w);
        left -= n > 0 ? (uint64_t)n : 0;
    }
    if (fd >= 0)
        (void)close(fd);
    return code;
}

/* Direct keys and their journals are left out: a restore replaces them, and without them a stolen backup opens no message
 * of the past. */
static larch_exit put_all(writing *w)
{
    static const char *const names[] = {LARCH_STATE_HEAD_NAME, LARCH_STORED_IDENTITY_NAME, LARCH_APP_SESSIONS_NAME,
                                        LARCH_APP_OUTBOX_NAME};
    larch_exit code = LARCH_EXIT_DONE;
    if (larch_backup_put_item(&w->backup, STORE_KEY, LARCH_SEAL_KEY_LEN) != LARCH_OK ||
        larch_backup_put(&w->backup, LARCH_BYTES(w->store.sealed.key.bytes)) != LARCH_OK)
        return fail_write(w);
    for (size_t i = 0; code == LARCH_EXIT_DONE && i < sizeof names / sizeof names[0]; i++)
        code = put_file(w, names[i]);
    return code == LARCH_EXIT_DONE && larch_backup_end(&w->backup) != LARCH_OK ? fail_write(w) : code;
}

/* ---- a whole file -------------------------------------------------------------- */

static larch_exit settle_databases(const writing *w, uint32_t start)
{
    char path[LARCH_POSIX_PATH_MAX + sizeof LARCH_APP_SESSIONS_NAME];
    larch_registry_reason why;
    (void)snprintf(path, sizeof path, "%s/" LARCH_APP_SESSIONS_NAME, w->files.path);
    larch_error e = larch_sessions_settle(path, &why);
    (void)snprintf(path, sizeof path, "%s/" LARCH_APP_OUTBOX_NAME, w->files.path);
    if (e == LARCH_OK)
        e = larch_outbox_stamp(path, start, &why);
    return e == LARCH_OK ? LARCH_EXIT_DONE : larch_app_fail(NAME, "%s", why.text);
}

static larch_exit begin(writing *w, const backup_options *options)
{
    larch_backup_head head = {.kind = options->key[0] != '\0' ? LARCH_BACKUP_KEY : LARCH_BACKUP_PASSPHRASE,
                              .time_s = larch_posix_unix_ns() / 1000000000,
                              .format = LARCH_STATE_FORMAT,
                              .schema = LARCH_SESSIONS_SCHEMA};
    larch_state_head state;
    larch_store_fault fault;
    larch_exit code;
    if (!w->store.sealed.has_key)
        return larch_app_fail(NAME, "%s has no secrets yet: start its gateway once", w->files.path);
    if (larch_state_head_load(&w->storage, &state, &fault) != LARCH_OK)
        return larch_app_complain_of_file(NAME, &w->files, LARCH_STATE_HEAD_NAME, fault);
    memcpy(head.machine, state.machine, sizeof head.machine);
    if (head.kind == LARCH_BACKUP_PASSPHRASE)
        head.cost = LARCH_ARGON2_COST;
    if ((code = settle_databases(w, state.start)) != LARCH_EXIT_DONE)
        return code;
    if (larch_random_fill(&w->store.random, head.salt, sizeof head.salt) != LARCH_OK)
        return larch_app_fail(NAME, "the system gives no random bytes");
    w->backup.move = write_all;
    w->backup.context = w;
    errno = ENOMEM;
    return larch_backup_begin(&w->backup, &head, larch_app_secret_bytes(&w->secret)) == LARCH_OK ? LARCH_EXIT_DONE
                                                                                                 : fail_write(w);
}

static larch_exit write_backup(writing *w, backup_options *options)
{
    larch_exit code = larch_app_enter_folder(NAME, options->state, &options->folder);
    if (code != LARCH_EXIT_DONE || (code = larch_app_start_crypto(NAME)) != LARCH_EXIT_DONE)
        return code;
    if (larch_posix_storage_open(&w->files, options->state, LARCH_POSIX_DURABILITY_MEDIUM) != LARCH_OK)
        return larch_app_fail(NAME, "%s%s", larch_posix_storage_error(&w->files),
                              larch_posix_storage_holder(&w->files) != 0 ? "; stop the gateway first" : "");
    code = larch_app_store_open(&w->store, NAME, &w->files, &options->store, &w->storage);
    if (code == LARCH_EXIT_DONE && (code = begin(w, options)) == LARCH_EXIT_DONE)
        code = put_all(w);
    if (code == LARCH_EXIT_DONE && fsync(w->fd) != 0)
        code = fail_write(w);
    larch_app_store_close(&w->store);
    larch_posix_storage_close(&w->files);
    return code;
}

/* ---- command line ------------------------------------------------------------------ */

static const larch_option rows[] = {
    {.name = "state",
     .kind = LARCH_OPTION_COPY,
     .value = "DIR",
     .wants = "a folder",
     LARCH_OPTION_AT(backup_options, state),
     .text = "the gateway's state folder; default $STATE_DIRECTORY, else ${XDG_STATE_HOME:-~/.local/state}/larch"},
    {.name = "passphrase",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "a file or credential:NAME",
     LARCH_OPTION_AT(backup_options, passphrase),
     .text = "where the recovery passphrase is: a file of mode 0600, or credential:NAME; default the credential "
             "larch-recovery-passphrase, else it is asked for"},
    {.name = "key",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "a file",
     LARCH_OPTION_AT(backup_options, key),
     .text = "seal under the bytes of this file, 32 or more, instead of a passphrase"},
    LARCH_STORE_UNLOCK_ROWS(backup_options, store, NULL),
};

const larch_command larch_backup_command = {
    .name = NAME,
    .text = "write a gateway's state to a file, sealed under a recovery passphrase",
    .usage = "[OPTION]... FILE",
    .about = "Writes the identity, the devices with their keys, the messages that wait, and the store key to FILE,\n"
             "which must not exist. It is sealed under a recovery passphrase or key of its own, so it opens without\n"
             "what the store key comes from. Direct keys are left out: 'larch restore' makes new ones. The gateway\n"
             "is stopped meanwhile. Keep FILE away from the gateway, and the passphrase away from FILE.\n",
    LARCH_COMMAND_OPTIONS(rows),
    .operand_max = 1,
};

int larch_backup_main(int argc, char **argv)
{
    static backup_options options; /* large for a stack */
    static writing w;
    larch_operands operands;
    larch_exit code = larch_command_parse(&larch_backup_command, &options, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (operands.count == 0)
        return larch_app_usage(NAME, "which file shall be written?");
    w.path = operands.words[0];
    /* As whoever runs the command: its owner may not be the folder's. */
    if ((code = larch_app_default_state(NAME, options.state, sizeof options.state)) != LARCH_EXIT_DONE ||
        (code = larch_app_read_recovery(NAME, options.key[0] != '\0' ? LARCH_BACKUP_KEY : LARCH_BACKUP_PASSPHRASE,
                                        options.passphrase, options.key, true, &w.secret)) != LARCH_EXIT_DONE)
        return code;
    w.fd = open(w.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (w.fd < 0)
        return larch_app_fail(NAME, "%s cannot be made: %s", w.path, strerror(errno));
    code = write_backup(&w, &options);
    if (code != LARCH_EXIT_DONE && (ftruncate(w.fd, 0) != 0 || unlink(w.path) != 0))
        fprintf(stderr, "larch backup: %s is no backup; remove it\n", w.path);
    (void)close(w.fd);
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr,
                "larch backup: wrote %s, %llu bytes. 'larch restore %s' needs the recovery %s; nothing else opens it\n",
                w.path, (unsigned long long)w.bytes, w.path, options.key[0] != '\0' ? "key" : "passphrase");
    larch_wipe(&w, sizeof w);
    return code;
}
