/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage.h"

#define LOCK_NAME   "lock" /* no name of the library's is without a '.' */
#define TEMP_SUFFIX ".tmp"
#define TEMP_MAX    (LARCH_STORAGE_NAME_MAX + sizeof TEMP_SUFFIX)

/* ---- reasons ----------------------------------------------------------- */

static larch_error fail_with(larch_posix_storage *s, larch_error e, const char *name, const char *reason)
{
    const char *slash = name[0] != '\0' ? "/" : "";
    snprintf(s->error, sizeof s->error, "%s%s%s: %s", s->path, slash, name, reason);
    return e;
}

/* The last system call on that file failed. */
static larch_error fail(larch_posix_storage *s, const char *name)
{
    return fail_with(s, LARCH_PLATFORM, name, strerror(errno));
}

long larch_posix_storage_holder(const larch_posix_storage *storage) { return storage->holder; }

const char *larch_posix_storage_error(const larch_posix_storage *storage) { return storage->error; }

static bool is_view(const larch_posix_storage *s) { return s->lock < 0; }

/* ---- descriptors ------------------------------------------------------- */

static void close_file(larch_posix_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static larch_posix_file *find_file(larch_posix_storage *s, const char *name)
{
    for (size_t i = 0; i < LARCH_POSIX_STORAGE_FILES; i++) {
        if (s->files[i].fd >= 0 && strcmp(s->files[i].name, name) == 0)
            return &s->files[i];
    }
    return NULL;
}

static void drop_file(larch_posix_storage *s, const char *name)
{
    larch_posix_file *file = find_file(s, name);
    if (file != NULL)
        close_file(file);
}

/* Names come from the library; held to its promise all the same, since they become paths. */
static bool name_is_allowed(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");
    return len > 0 && len <= LARCH_STORAGE_NAME_MAX && name[len] == '\0' && name[0] != '.' && strchr(name, '.') != NULL;
}

/* The open descriptor of a file, in place of the one unused for longest if need be: a sync
 * through a new descriptor covers what was written through the old one. */
static larch_error use_file(larch_posix_storage *s, const char *name, int *fd)
{
    larch_posix_file *file = find_file(s, name);
    if (file == NULL) {
        if (!name_is_allowed(name))
            return fail_with(s, LARCH_PLATFORM, name, "is not a name for a file of larch");
        int opened = openat(s->folder, name, (is_view(s) ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_CLOEXEC);
        if (opened < 0)
            return fail(s, name);
        file = &s->files[0];
        for (size_t i = 1; i < LARCH_POSIX_STORAGE_FILES && file->fd >= 0; i++) {
            if (s->files[i].fd < 0 || s->files[i].last_use < file->last_use)
                file = &s->files[i];
        }
        close_file(file);
        file->fd = opened;
        snprintf(file->name, sizeof file->name, "%s", name);
    }
    file->last_use = ++s->uses;
    *fd = file->fd;
    return LARCH_OK;
}

static bool pwrite_all(int fd, larch_bytes bytes, off_t offset)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(fd, bytes.data, bytes.len, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes.data += n;
        bytes.len -= (size_t)n;
        offset += n;
    }
    return true;
}

/* ---- the interface ----------------------------------------------------- */

static larch_error storage_size(void *context, const char *name, uint32_t *size)
{
    larch_posix_storage *s = context;
    struct stat st;
    *size = LARCH_STORAGE_NONE;
    if (fstatat(s->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? LARCH_OK : fail(s, name);
    if (!S_ISREG(st.st_mode))
        return fail_with(s, LARCH_PLATFORM, name, "is not a regular file");
    if (st.st_size >= (off_t)LARCH_STORAGE_NONE)
        return fail_with(s, LARCH_PLATFORM, name, strerror(EFBIG));
    *size = (uint32_t)st.st_size;
    return LARCH_OK;
}

static larch_error storage_read(void *context, const char *name, uint32_t offset, uint8_t *out, size_t len)
{
    larch_posix_storage *s = context;
    int fd;
    larch_error e = use_file(s, name, &fd);
    if (e != LARCH_OK)
        return e;
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, out + done, len - done, (off_t)offset + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(s, name);
        if (n == 0)
            return fail_with(s, LARCH_MALFORMED, name, "ends too early");
        done += (size_t)n;
    }
    return LARCH_OK;
}

static larch_error storage_write(void *context, const char *name, uint32_t offset, larch_bytes bytes)
{
    larch_posix_storage *s = context;
    int fd;
    if (is_view(s))
        return LARCH_OK;
    if (s->sync_failed)
        return LARCH_PLATFORM;
    larch_error e = use_file(s, name, &fd);
    if (e != LARCH_OK)
        return e;
    return pwrite_all(fd, bytes, (off_t)offset) ? LARCH_OK : fail(s, name);
}

static larch_error storage_sync(void *context, const char *name)
{
    larch_posix_storage *s = context;
    int fd;
    if (is_view(s))
        return LARCH_OK;
    if (s->sync_failed)
        return LARCH_PLATFORM;
    if (s->durability == LARCH_POSIX_DURABILITY_PROCESS)
        return LARCH_OK;
    larch_error e = use_file(s, name, &fd);
    if (e != LARCH_OK)
        return e;
    if (fdatasync(fd) != 0) {
        s->sync_failed = true;
        return fail(s, name);
    }
    return LARCH_OK;
}

/* A rename or removal is durable when its folder is. */
static larch_error sync_folder(larch_posix_storage *s)
{
    if (s->durability == LARCH_POSIX_DURABILITY_MEDIUM && fsync(s->folder) != 0)
        return fail(s, "");
    return LARCH_OK;
}

/* Content and tail. Space is taken first, so that a full medium is known before anything
 * is written; the tail is really written, because blocks that are only reserved would
 * make every later sync wait for the file system's journal as well. */
static bool fill_file(int fd, larch_bytes content, uint32_t tail, bool durable)
{
    uint8_t erased[16384];
    memset(erased, LARCH_STORAGE_ERASED, sizeof erased);
    off_t end = (off_t)content.len + (off_t)tail;
    if (end > 0 && (errno = posix_fallocate(fd, 0, end)) != 0)
        return false;
    if (!pwrite_all(fd, content, 0))
        return false;
    for (off_t at = (off_t)content.len; at < end;) {
        size_t n = end - at < (off_t)sizeof erased ? (size_t)(end - at) : sizeof erased;
        if (!pwrite_all(fd, (larch_bytes){erased, n}, at))
            return false;
        at += (off_t)n;
    }
    return !durable || fsync(fd) == 0;
}

static larch_error storage_replace(void *context, const char *name, larch_bytes content, uint32_t tail)
{
    larch_posix_storage *s = context;
    char temp[TEMP_MAX];
    if (is_view(s))
        return LARCH_OK;
    if (!name_is_allowed(name))
        return fail_with(s, LARCH_PLATFORM, name, "is not a name for a file of larch");
    snprintf(temp, sizeof temp, "%s" TEMP_SUFFIX, name);

    if (unlinkat(s->folder, temp, 0) != 0 && errno != ENOENT)
        return fail(s, name);
    int fd = openat(s->folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(s, name);
    larch_error e = LARCH_OK;
    if (!fill_file(fd, content, tail, s->durability == LARCH_POSIX_DURABILITY_MEDIUM))
        e = fail(s, name);
    if (close(fd) != 0 && e == LARCH_OK)
        e = fail(s, name);
    if (e == LARCH_OK && renameat(s->folder, temp, s->folder, name) != 0)
        e = fail(s, name);
    if (e != LARCH_OK) {
        unlinkat(s->folder, temp, 0);
        return e;
    }
    drop_file(s, name); /* its descriptor leads to the old file */
    return sync_folder(s);
}

static larch_error storage_remove(void *context, const char *name)
{
    larch_posix_storage *s = context;
    if (is_view(s))
        return LARCH_OK;
    drop_file(s, name);
    if (!name_is_allowed(name))
        return fail_with(s, LARCH_PLATFORM, name, "is not a name for a file of larch");
    if (unlinkat(s->folder, name, 0) != 0 && errno != ENOENT)
        return fail(s, name);
    return sync_folder(s);
}

larch_storage larch_posix_storage_interface(larch_posix_storage *storage)
{
    return (larch_storage){
        .context = storage,
        .size = storage_size,
        .read = storage_read,
        .replace = storage_replace,
        .write = storage_write,
        .sync = storage_sync,
        .remove = storage_remove,
    };
}

/* ---- opening ----------------------------------------------------------- */

larch_error larch_posix_state_path(char *path, size_t cap)
{
    static const struct {
        const char *variable;
        const char *below;
    } places[] = {{"STATE_DIRECTORY", ""}, {"XDG_STATE_HOME", "/larch"}, {"HOME", "/.local/state/larch"}};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *base = getenv(places[i].variable);
        if (base == NULL || base[0] != '/')
            continue;
        /* systemd may name several, parted by colons; ours is the first. */
        size_t len = i == 0 ? strcspn(base, ":") : strlen(base);
        if (len + strlen(places[i].below) >= cap)
            return LARCH_SPACE;
        snprintf(path, cap, "%.*s%s", (int)len, base, places[i].below);
        return LARCH_OK;
    }
    return LARCH_STATE;
}

/* What exists is left as it is; what is made shall not vanish with its durable content. */
static bool make_folder(const char *path)
{
    char above[LARCH_POSIX_PATH_MAX + sizeof "/.."];
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST;
    snprintf(above, sizeof above, "%s/..", path);
    int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool durable = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return durable;
}

/* On failure the path is cut behind the folder that could not be made, for the reason's text. */
static larch_error make_folders(larch_posix_storage *s)
{
    for (char *slash = strchr(s->path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!make_folder(s->path))
            return fail(s, "");
        *slash = '/';
    }
    return make_folder(s->path) ? LARCH_OK : fail(s, "");
}

/* A link to the folder is followed (systemd makes one for dynamic users): what counts is
 * what was opened, and that is looked at. */
static larch_error open_folder(larch_posix_storage *s)
{
    struct stat st;
    s->folder = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->folder < 0)
        return errno == ENOTDIR ? fail_with(s, LARCH_STATE, "", "is not a folder") : fail(s, "");
    if (fstat(s->folder, &st) != 0)
        return fail(s, "");
    if (st.st_uid != geteuid())
        return fail_with(s, LARCH_STATE, "", "belongs to another user");
    if ((st.st_mode & 077) != 0)
        return fail_with(s, LARCH_STATE, "", "is open to other users, though it holds keys; chmod 700 closes it");
    return LARCH_OK;
}

static larch_error take_lock(larch_posix_storage *s)
{
    char text[80];
    s->lock = openat(s->folder, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return fail(s, LOCK_NAME);
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return fail(s, LOCK_NAME);
        char pid[16];
        ssize_t n = pread(s->lock, pid, sizeof pid - 1, 0);
        pid[n > 0 ? n : 0] = '\0';
        pid[strspn(pid, "0123456789")] = '\0';
        s->holder = strtol(pid, NULL, 10);
        snprintf(text, sizeof text, "is in use by process %s", pid[0] != '\0' ? pid : "unknown");
        return fail_with(s, LARCH_STATE, "", text);
    }
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(s->lock, 0) != 0 || !pwrite_all(s->lock, (larch_bytes){(const uint8_t *)text, (size_t)len}, 0))
        return fail(s, LOCK_NAME);
    return LARCH_OK;
}

static larch_error remove_leftovers(larch_posix_storage *s)
{
    larch_error e = LARCH_OK;
    int fd = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    if (entries == NULL) {
        e = fail(s, "");
        if (fd >= 0)
            close(fd);
        return e;
    }
    for (const struct dirent *entry; e == LARCH_OK && (entry = readdir(entries)) != NULL;) {
        size_t len = strlen(entry->d_name);
        size_t suffix = sizeof TEMP_SUFFIX - 1;
        if (len <= suffix || strcmp(entry->d_name + len - suffix, TEMP_SUFFIX) != 0)
            continue;
        if (unlinkat(s->folder, entry->d_name, 0) != 0)
            e = fail(s, entry->d_name);
    }
    closedir(entries);
    return e;
}

/* Everything but the folder itself. */
static larch_error begin(larch_posix_storage *s, const char *path, larch_posix_durability durability)
{
    memset(s, 0, sizeof *s);
    s->folder = -1;
    s->lock = -1;
    s->durability = durability;
    for (size_t i = 0; i < LARCH_POSIX_STORAGE_FILES; i++)
        s->files[i].fd = -1;

    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len == 0 || len >= sizeof s->path) {
        snprintf(s->error, sizeof s->error, "%.40s...: %s", path, strerror(len == 0 ? ENOENT : ENAMETOOLONG));
        return LARCH_PLATFORM;
    }
    memcpy(s->path, path, len);
    return LARCH_OK;
}

larch_error larch_posix_storage_open(larch_posix_storage *storage, const char *path, larch_posix_durability durability)
{
    larch_error e;
    if ((e = begin(storage, path, durability)) != LARCH_OK || (e = make_folders(storage)) != LARCH_OK ||
        (e = open_folder(storage)) != LARCH_OK || (e = take_lock(storage)) != LARCH_OK ||
        (e = remove_leftovers(storage)) != LARCH_OK)
        larch_posix_storage_close(storage);
    return e;
}

larch_error larch_posix_storage_view(larch_posix_storage *storage, const char *path)
{
    larch_error e;
    if ((e = begin(storage, path, LARCH_POSIX_DURABILITY_PROCESS)) != LARCH_OK ||
        (e = open_folder(storage)) != LARCH_OK)
        larch_posix_storage_close(storage);
    return e;
}

void larch_posix_storage_close(larch_posix_storage *storage)
{
    for (size_t i = 0; i < LARCH_POSIX_STORAGE_FILES; i++)
        close_file(&storage->files[i]);
    if (storage->lock >= 0)
        close(storage->lock); /* and with it the lock */
    if (storage->folder >= 0)
        close(storage->folder);
    storage->lock = -1;
    storage->folder = -1;
}
