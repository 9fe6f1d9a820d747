/* SPDX-License-Identifier: Apache-2.0 */
/* The state folder itself: where it is, who may use it, which files are in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage_int.h"

#define LOCK_NAME "lock" /* no name of the library's is without a '.' */

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
            return larch_posix_storage_fail_system(s, "");
        *slash = '/';
    }
    return make_folder(s->path) ? LARCH_OK : larch_posix_storage_fail_system(s, "");
}

/* A link to the folder is followed (systemd makes one for dynamic users): what counts is
 * what was opened, and that is looked at. */
static larch_error open_folder(larch_posix_storage *s)
{
    struct stat st;
    s->folder = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->folder < 0)
        return errno == ENOTDIR ? larch_posix_storage_fail(s, LARCH_STATE, "", "is not a folder")
                                : larch_posix_storage_fail_system(s, "");
    if (fstat(s->folder, &st) != 0)
        return larch_posix_storage_fail_system(s, "");
    if (st.st_uid != geteuid())
        return larch_posix_storage_fail(s, LARCH_STATE, "", "belongs to another user");
    if ((st.st_mode & 077) != 0)
        return larch_posix_storage_fail(s, LARCH_STATE, "",
                                        "is open to other users, though it holds keys; chmod 700 closes it");
    s->inode = st.st_ino;
    s->device = st.st_dev;
    s->is_at_path = larch_posix_storage_is_at_path(s);
    return LARCH_OK;
}

/* Says who holds the folder: the process wrote its number into the lock file, if nobody has removed that. */
static larch_error fail_in_use(larch_posix_storage *s)
{
    char text[80], pid[16] = "";
    int fd = openat(s->folder, LOCK_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd >= 0 ? pread(fd, pid, sizeof pid - 1, 0) : 0;
    if (fd >= 0)
        close(fd);
    pid[n > 0 ? n : 0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    s->holder = strtol(pid, NULL, 10);
    snprintf(text, sizeof text, "is in use by process %s", pid[0] != '\0' ? pid : "unknown");
    return larch_posix_storage_fail(s, LARCH_STATE, "", text);
}

/* The folder itself is locked, because a lock file can be removed and made anew. Versions that know nothing of that lock
 * the file, so that is locked as well. */
static larch_error take_lock(larch_posix_storage *s)
{
    char text[16];
    if (flock(s->folder, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? fail_in_use(s) : larch_posix_storage_fail_system(s, "");
    s->lock = openat(s->folder, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return larch_posix_storage_fail_system(s, LOCK_NAME);
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? fail_in_use(s) : larch_posix_storage_fail_system(s, LOCK_NAME);
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(s->lock, 0) != 0 ||
        !larch_posix_pwrite_all(s->lock, (larch_bytes){(const uint8_t *)text, (size_t)len}, 0))
        return larch_posix_storage_fail_system(s, LOCK_NAME);
    return LARCH_OK;
}

/* Hands every name in the folder to take, up to its first error. */
static larch_error each_entry(larch_posix_storage *s,
                              larch_error (*take)(larch_posix_storage *s, const char *name, larch_posix_names *names),
                              larch_posix_names *names)
{
    larch_error e = LARCH_OK;
    int fd = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    if (entries == NULL) {
        e = larch_posix_storage_fail_system(s, "");
        if (fd >= 0)
            close(fd);
        return e;
    }
    for (const struct dirent *entry; e == LARCH_OK && (entry = readdir(entries)) != NULL;)
        e = take(s, entry->d_name, names);
    closedir(entries);
    return e;
}

static larch_error remove_leftover(larch_posix_storage *s, const char *name, larch_posix_names *names)
{
    size_t len = strlen(name);
    size_t suffix = sizeof STORAGE_TEMP_SUFFIX - 1;
    (void)names;
    if (len <= suffix || strcmp(name + len - suffix, STORAGE_TEMP_SUFFIX) != 0)
        return LARCH_OK;
    return unlinkat(s->folder, name, 0) == 0 ? LARCH_OK : larch_posix_storage_fail_system(s, name);
}

static larch_error add_name(larch_posix_storage *s, const char *name, larch_posix_names *names)
{
    struct stat st;
    if (!larch_posix_storage_takes_name(name) || fstatat(s->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode))
        return LARCH_OK;
    void *more = realloc(names->name, (names->count + 1) * sizeof *names->name);
    if (more == NULL)
        return larch_posix_storage_fail_system(s, "");
    names->name = more;
    memcpy(names->name[names->count++], name, strlen(name) + 1);
    return LARCH_OK;
}

larch_error larch_posix_storage_list(larch_posix_storage *storage, larch_posix_names *names)
{
    *names = (larch_posix_names){0};
    larch_error e = each_entry(storage, add_name, names);
    if (e != LARCH_OK)
        larch_posix_names_free(names);
    return e;
}

void larch_posix_names_free(larch_posix_names *names)
{
    free(names->name);
    *names = (larch_posix_names){0};
}

/* Everything but the folder itself. */
static larch_error begin(larch_posix_storage *s, const char *path, larch_posix_durability durability)
{
    memset(s, 0, sizeof *s);
    s->folder = -1;
    s->lock = -1;
    s->watch = -1;
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
        (e = each_entry(storage, remove_leftover, NULL)) != LARCH_OK)
        larch_posix_storage_close(storage);
    else
        larch_posix_storage_watch(storage);
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
        larch_posix_storage_close_file(&storage->files[i]);
    if (storage->watch >= 0)
        close(storage->watch);
    if (storage->lock >= 0)
        close(storage->lock); /* and with it the lock */
    if (storage->folder >= 0)
        close(storage->folder); /* likewise */
    storage->watch = -1;
    storage->lock = -1;
    storage->folder = -1;
}
