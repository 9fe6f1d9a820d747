/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "common/secret_file.h"

#define FOLDER_VARIABLE "CREDENTIALS_DIRECTORY"

/* ---- credentials ---------------------------------------------------------- */

static bool path_of(const char *name, char path[LARCH_APP_SECRET_PATH_MAX])
{
    const char *folder = getenv(FOLDER_VARIABLE);
    if (folder == NULL || folder[0] != '/' || name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
        return false;
    const int len = snprintf(path, LARCH_APP_SECRET_PATH_MAX, "%s/%s", folder, name);
    return len > 0 && len < LARCH_APP_SECRET_PATH_MAX;
}

bool larch_app_has_credential(const char *name)
{
    char path[LARCH_APP_SECRET_PATH_MAX];
    return path_of(name, path) && access(path, F_OK) == 0;
}

/* The folder protects it: its mode may show the mask of an access list. */
static bool read_file(const char *path, larch_app_secret *secret)
{
    struct stat st;
    ssize_t n = -1;
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    secret->len = 0;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        while (secret->len < sizeof secret->bytes &&
               ((n = read(fd, secret->bytes + secret->len, sizeof secret->bytes - secret->len)) > 0 ||
                (n < 0 && errno == EINTR)))
            secret->len += n > 0 ? (size_t)n : 0;
    if (fd >= 0)
        close(fd);
    return n == 0;
}

larch_exit larch_app_read_credential(const char *command, const char *name, const char *what, larch_app_secret *secret)
{
    char path[LARCH_APP_SECRET_PATH_MAX];
    memset(secret, 0, sizeof *secret);
    if (!path_of(name, path))
        return larch_app_fail(command,
                              "%s is the systemd credential '%s', and there is no $" FOLDER_VARIABLE
                              ": start the unit that has LoadCredential=%s:FILE",
                              what, name, name);
    if (read_file(path, secret))
        return LARCH_EXIT_DONE;
    return larch_app_fail(
        command,
        "%s is the systemd credential '%s', and %s cannot be read as one of at most %d bytes: give the "
        "unit LoadCredential=%s:FILE",
        what, name, path, LARCH_APP_SECRET_MAX, name);
}

/* ---- terminal ---------------------------------------------------------------- */

static bool read_line(larch_app_secret *secret)
{
    ssize_t n = 0;
    uint8_t c = 0;
    secret->len = 0;
    while (secret->len < LARCH_APP_SECRET_MAX && (n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
        secret->bytes[secret->len++] = c;
    return n == 1 && c == '\n';
}

static bool ask(const char *what, const char *again, larch_app_secret *secret)
{
    struct termios before, quiet;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0) /* it drops what was typed before it asks */
        return false;
    fprintf(stderr, "%s%s: ", what, again);
    const bool is_read = read_line(secret);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return is_read;
}

static larch_exit read_terminal(const char *command, const char *what, bool is_new, larch_app_secret *secret)
{
    larch_app_secret again = {.len = 0};
    if (!ask(what, "", secret))
        return larch_app_fail(command, "%s could not be read from the terminal", what);
    if (!is_new)
        return LARCH_EXIT_DONE;
    const bool is_same = ask(what, ", again", &again) && again.len == secret->len &&
                         larch_ct_equal(again.bytes, secret->bytes, secret->len);
    larch_wipe(&again, sizeof again);
    return is_same ? LARCH_EXIT_DONE : larch_app_fail(command, "the two are not the same; nothing was changed");
}

/* ---- all ------------------------------------------------------------------------ */

static void cut_line(larch_app_secret *secret)
{
    while (secret->len > 0 && (secret->bytes[secret->len - 1] == '\n' || secret->bytes[secret->len - 1] == '\r'))
        secret->bytes[--secret->len] = 0;
}

larch_exit larch_app_read_secret(const char *command, const char *place, const char *standard, const char *what,
                                 const char *option, bool is_new, larch_app_secret *secret)
{
    const size_t prefix = strlen(LARCH_APP_CREDENTIAL);
    larch_exit code;
    memset(secret, 0, sizeof *secret);
    if (strncmp(place, LARCH_APP_CREDENTIAL, prefix) == 0)
        code = larch_app_read_credential(command, place + prefix, what, secret);
    else if (place[0] != '\0')
        code = larch_app_secret_read(command, place, secret->bytes, LARCH_APP_SECRET_MAX, &secret->len);
    else if (larch_app_has_credential(standard))
        code = larch_app_read_credential(command, standard, what, secret);
    else if (isatty(STDIN_FILENO))
        code = read_terminal(command, what, is_new, secret);
    else
        code =
            larch_app_fail(command,
                           "%s is needed: type it at a terminal, or name a file of mode 0600 by %s FILE, or give the "
                           "unit LoadCredential=%s:FILE",
                           what, option, standard);
    if (code == LARCH_EXIT_DONE)
        cut_line(secret);
    if (code == LARCH_EXIT_DONE && (secret->len == 0 || secret->len > LARCH_APP_SECRET_MAX))
        code = larch_app_fail(command, "%s is empty or longer than %d bytes", what, LARCH_APP_SECRET_MAX);
    if (code != LARCH_EXIT_DONE)
        larch_wipe(secret, sizeof *secret);
    return code;
}
