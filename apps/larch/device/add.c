/* SPDX-License-Identifier: Apache-2.0 */
/* larch device add, revoke: a device that shakes hands comes, and any device goes. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/device_name.h"
#include "common/suite_name.h"
#include "device/alone.h"
#include "device/ask.h"
#include "larch/enrolment.h"
#include "system.h"

#define NAME     "device"
#define REPLY_MS 30000

/* ---- the file ---------------------------------------------------------------------- */

/* A file that is there is never written over: it may be the only enrolment of another device. */
static larch_exit create(const char *path, int *fd)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (*fd >= 0)
        return LARCH_EXIT_DONE;
    if (errno == EEXIST)
        return larch_app_refuse(NAME, "%s is there already, and is not written over: choose another name", path);
    return larch_app_fail(NAME, "%s: %s", path, strerror(errno));
}

static bool sync_folder_of(const char *path)
{
    char name[PATH_MAX];
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
    return fsync(fd) == 0;
}

/* ---- adding ------------------------------------------------------------------------ */

#define LATE "the gateway did not reply within 30 s"

static larch_exit take_last(device_connection *gateway, uint64_t until_ms)
{
    larch_bytes text;
    bool is_end;
    const larch_exit code = device_connection_next(gateway, until_ms, LATE, &text, &is_end);
    return code != LARCH_EXIT_DONE || is_end ? code : device_connection_complain(gateway);
}

static larch_exit take_enrolment(device_connection *gateway, uint8_t bytes[LARCH_ENROLMENT_MAX], size_t *len)
{
    const uint64_t until_ms = larch_posix_now_ms() + REPLY_MS;
    larch_bytes text;
    bool is_end;
    const larch_exit code = device_connection_next(gateway, until_ms, LATE, &text, &is_end);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (is_end || !larch_control_take_hex(text, bytes, LARCH_ENROLMENT_MAX, len))
        return device_connection_complain(gateway);
    return take_last(gateway, until_ms);
}

static larch_exit ask_gateway(device_connection *gateway, const device_asking *asking, const char *name,
                              uint8_t bytes[LARCH_ENROLMENT_MAX], size_t *len)
{
    const larch_lake_suite *suite = device_suite(asking);
    const larch_bytes words[] = {LARCH_TEXT("enrol"),
                                 larch_bytes_of_text(name),
                                 larch_bytes_of_text(asking->authority[0] != '\0' ? asking->authority : "-"),
                                 larch_bytes_of_text(device_methods[asking->method]),
                                 larch_bytes_of_text(larch_app_suite_name(suite->number)),
                                 larch_bytes_of_text(device_references[asking->reference])};
    bool is_there;
    larch_exit code = device_connection_try(gateway, words, sizeof words / sizeof words[0], &is_there);
    if (!is_there) {
        larch_writer w = larch_writer_to(bytes, LARCH_ENROLMENT_MAX);
        code = device_add_alone(gateway->state, asking, name, &w);
        *len = w.len;
        return code;
    }
    if (code != LARCH_EXIT_DONE)
        return code;
    code = take_enrolment(gateway, bytes, len);
    device_connection_end(gateway);
    return code;
}

static larch_exit keep(const device_connection *gateway, const device_asking *asking, const char *name, int fd,
                       larch_bytes bytes)
{
    char identity[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_enrolment enrolment;
    if (larch_enrolment_parse(bytes, &enrolment, NULL) != LARCH_OK)
        return device_connection_complain(gateway);
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, enrolment.identity, identity);
    larch_wipe(&enrolment, sizeof enrolment);
    if (!write_all(fd, bytes) || !sync_folder_of(asking->out))
        return larch_app_fail(NAME,
                              "%s: %s; '%s' was added, and nobody has its key: 'larch device revoke %s', then add it "
                              "again",
                              asking->out, strerror(errno), name, name);
    fprintf(
        stderr,
        "larch device: %s was added, to shake hands with %s. %s holds its key, which is not shown again: bring it to "
        "the device by a way that nobody else can read, and delete it here\n",
        name, identity, asking->out);
    return LARCH_EXIT_DONE;
}

larch_exit device_add(device_connection *gateway, const device_asking *asking, const char *name)
{
    uint8_t bytes[LARCH_ENROLMENT_MAX];
    size_t len;
    int fd;
    if (asking->out[0] == '\0')
        return larch_app_usage(NAME, "add: where to write the enrolment? Give --out FILE");
    const larch_lake_suite *suite = device_suite(asking);
    if (suite == NULL)
        return larch_app_usage(NAME, "--suite: " LARCH_APP_SUITE_WANTS);
    if (!larch_enrolment_is_pair(device_method(asking), suite))
        return larch_app_usage(NAME, "--method %s cannot be had with --suite %s", device_methods[asking->method],
                               larch_app_suite_name(suite->number));
    if (device_method(asking) == LARCH_LAKE_METHOD_PSK && asking->reference != DEVICE_BY_KID)
        return larch_app_usage(NAME, "--by %s is for --method 0", device_references[asking->reference]);
    larch_exit code = create(asking->out, &fd);
    if (code != LARCH_EXIT_DONE)
        return code;
    if ((code = ask_gateway(gateway, asking, name, bytes, &len)) == LARCH_EXIT_DONE)
        code = keep(gateway, asking, name, fd, (larch_bytes){bytes, len});
    larch_wipe(bytes, sizeof bytes);
    (void)close(fd);
    if (code != LARCH_EXIT_DONE)
        (void)unlink(asking->out);
    return code;
}

/* ---- revoking ---------------------------------------------------------------------- */

larch_exit device_revoke(device_connection *gateway, const char *name)
{
    const larch_bytes words[] = {LARCH_TEXT("revoke-device"), larch_bytes_of_text(name)};
    bool is_there;
    larch_exit code = device_connection_try(gateway, words, sizeof words / sizeof words[0], &is_there);
    if (!is_there) {
        code = device_revoke_alone(gateway->state, gateway->store, name);
    } else if (code == LARCH_EXIT_DONE) {
        code = take_last(gateway, larch_posix_now_ms() + REPLY_MS);
        device_connection_end(gateway);
    }
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr, "larch device: %s was revoked: its keys and sessions are deleted\n", name);
    return code;
}
