/* SPDX-License-Identifier: Apache-2.0 */
#include "device/enrol.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/policy_word.h"
#include "common/suite_name.h"
#include "device/alone.h"
#include "system.h"
#include "text/text.h"

#define NAME     "device"
#define REPLY_MS 30000
#define LATE     "the gateway did not reply within 30 s"

/* ---- files ------------------------------------------------------------------------ */

larch_exit device_create_file(const char *path, int *fd)
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

bool device_write_file(const char *path, int fd, larch_bytes bytes, bool sync)
{
    while (bytes.len > 0) {
        const ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno != EINTR)
            return false;
        bytes.data += n > 0 ? n : 0;
        bytes.len -= n > 0 ? (size_t)n : 0;
    }
    return !sync || (fsync(fd) == 0 && sync_folder_of(path));
}

/* ---- adding ------------------------------------------------------------------------- */

/* "NAME HEX", or "NAME - WHY". */
static bool take_result(larch_bytes text, larch_bytes name, device_enrolled *result)
{
    if (!larch_bytes_equal(larch_control_take_word(&text), name))
        return false;
    const larch_bytes hex = larch_control_take_word(&text);
    if (!larch_control_take_hex(hex, result->bytes, sizeof result->bytes, &result->len))
        return false;
    (void)snprintf(result->why, sizeof result->why, "%.*s", (int)text.len, (const char *)text.data);
    return result->len > 0 || text.len > 0;
}

static larch_exit take_results(device_connection *gateway, const larch_app_newcomer *newcomers, size_t count,
                               device_enrolled *results)
{
    const uint64_t until_ms = larch_posix_now_ms() + REPLY_MS;
    larch_bytes text;
    bool is_end;
    for (size_t i = 0; i <= count; i++) {
        const larch_exit code = device_connection_next(gateway, until_ms, LATE, &text, &is_end);
        if (code != LARCH_EXIT_DONE)
            return code;
        if (is_end != (i == count) || (!is_end && !take_result(text, newcomers[i].name, &results[i])))
            return device_connection_complain(gateway);
    }
    return LARCH_EXIT_DONE;
}

static void put_newcomer(larch_writer *w, const larch_app_newcomer *n)
{
    larch_writer_put(w, n->name);
    if (n->policy_count == 0)
        return;
    larch_text_put(w, "/");
    larch_app_policy_put_word(w, n->policy, n->policy_count);
}

size_t device_newcomer_len(const larch_app_newcomer *newcomer)
{
    larch_writer w = larch_writer_to(NULL, 0); /* measures */
    put_newcomer(&w, newcomer);
    return w.len + 2;
}

/* One device with a key that comes from elsewhere. */
static larch_exit enrol_given(device_connection *gateway, const device_enrolling *e, const larch_app_newcomer *newcomer,
                              device_enrolled *result)
{
    static uint8_t device[LARCH_CONTROL_LINE_MAX / 2];
    uint8_t hex[2 * (LARCH_LAKE_KID_LEN + LARCH_ENROLMENT_PSK_LEN)];
    const size_t kid_len = 2 * LARCH_LAKE_KID_LEN;
    larch_writer w = larch_writer_to(device, sizeof device), key = larch_writer_to(hex, sizeof hex);
    bool is_there;
    put_newcomer(&w, newcomer);
    larch_control_put_hex(&key, (larch_bytes){newcomer->kid, LARCH_LAKE_KID_LEN});
    larch_control_put_hex(&key, (larch_bytes){newcomer->psk, LARCH_ENROLMENT_PSK_LEN});
    const larch_bytes words[] = {LARCH_TEXT("enrol-key"),
                                 e->authority.len > 0 ? e->authority : LARCH_TEXT("-"),
                                 larch_bytes_of_text(larch_app_suite_name(e->suite->number)),
                                 {hex, kid_len},
                                 {hex + kid_len, sizeof hex - kid_len},
                                 {device, w.len}};
    larch_exit code = device_connection_try(gateway, words, sizeof words / sizeof words[0], &is_there);
    larch_wipe(hex, sizeof hex);
    if (!is_there)
        return device_enrol_alone(gateway->state, gateway->store, e, newcomer, 1, result);
    if (code != LARCH_EXIT_DONE)
        return code;
    code = take_results(gateway, newcomer, 1, result);
    device_connection_end(gateway);
    return code;
}

larch_exit device_enrol(device_connection *gateway, const device_enrolling *e, const larch_app_newcomer *newcomers,
                        size_t count, device_enrolled *results)
{
    static uint8_t joined[LARCH_CONTROL_LINE_MAX];
    larch_writer w = larch_writer_to(joined, sizeof joined);
    bool is_there;
    for (size_t i = 0; i < count; i++) {
        larch_text_put(&w, i > 0 ? "//" : "");
        put_newcomer(&w, &newcomers[i]);
    }
    if (newcomers->psk != NULL)
        return enrol_given(gateway, e, newcomers, results);
    const larch_bytes words[] = {LARCH_TEXT("enrol-devices"),
                                 e->authority.len > 0 ? e->authority : LARCH_TEXT("-"),
                                 e->method == LARCH_LAKE_METHOD_PSK ? LARCH_TEXT("4") : LARCH_TEXT("0"),
                                 larch_bytes_of_text(larch_app_suite_name(e->suite->number)),
                                 e->reference == LARCH_LAKE_BY_KID ? LARCH_TEXT("kid") : LARCH_TEXT("ccs"),
                                 {joined, w.len}};
    larch_exit code = device_connection_try(gateway, words, sizeof words / sizeof words[0], &is_there);
    if (!is_there)
        return device_enrol_alone(gateway->state, gateway->store, e, newcomers, count, results);
    if (code != LARCH_EXIT_DONE)
        return code;
    code = take_results(gateway, newcomers, count, results);
    device_connection_end(gateway);
    return code;
}
