/* SPDX-License-Identifier: Apache-2.0 */
/* larch device add, revoke: a device that shakes hands comes, and any device goes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/confirm.h"
#include "common/policy_word.h"
#include "common/suite_name.h"
#include "device/alone.h"
#include "device/ask.h"
#include "device/qr.h"
#include "larch/enrolment.h"
#include "system.h"

#define NAME     "device"
#define REPLY_MS 30000
#define LATE     "the gateway did not reply within 30 s"

/* ---- adding ------------------------------------------------------------------------ */

/* Where an enrolment goes; -1: not there. */
typedef struct targets {
    int out, picture;
} targets;

static larch_exit open_target(const char *path, int *fd)
{
    return path[0] != '\0' ? device_create_file(path, fd) : LARCH_EXIT_DONE;
}

static void close_target(const char *path, int fd, bool is_kept)
{
    if (fd < 0)
        return;
    (void)close(fd);
    if (!is_kept)
        (void)unlink(path);
}

static larch_exit fail_kept(const char *where, const char *why, const char *name)
{
    return larch_app_fail(NAME,
                          "%s: %s; '%s' was added, and nobody has its key: 'larch device revoke %s', then add it again",
                          where, why, name, name);
}

/* A code that is wider than the terminal cannot be read; the device was added, and the file, if there is one, has it. */
static bool is_too_wide(larch_bytes bytes)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_col < device_qr_width(bytes);
}

static larch_exit draw(const device_asking *asking, const char *name, larch_bytes bytes)
{
    const bool colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    if (is_too_wide(bytes))
        return asking->out[0] != '\0' || asking->picture[0] != '\0'
                   ? larch_app_fail(NAME, "the terminal has fewer than the %u columns of the QR code: it was not shown",
                                    device_qr_width(bytes))
                   : fail_kept("the QR code", "it is wider than the terminal", name);
    return device_qr_print(stdout, bytes, colour) ? LARCH_EXIT_DONE
                                                  : fail_kept("the QR code", "it cannot be shown", name);
}

static larch_exit keep(const device_connection *gateway, const device_asking *asking, const char *name,
                       const targets *t, larch_bytes bytes)
{
    char identity[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_enrolment enrolment;
    const char *why;
    if (larch_enrolment_parse(bytes, &enrolment, NULL) != LARCH_OK)
        return device_connection_complain(gateway);
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, enrolment.identity, identity);
    larch_wipe(&enrolment, sizeof enrolment);
    if (t->out >= 0 && !device_write_file(asking->out, t->out, bytes, true))
        return fail_kept(asking->out, strerror(errno), name);
    if (t->picture >= 0 && (why = device_qr_write_png(t->picture, bytes)) != NULL)
        return fail_kept(asking->picture, why, name);
    const larch_exit code = asking->draws ? draw(asking, name, bytes) : LARCH_EXIT_DONE;
    if (code != LARCH_EXIT_DONE)
        return code;
    fprintf(stderr,
            "larch device: %s was added, to shake hands with %s. %s%s its key, which is not shown again: bring it to "
            "the device by a way that nobody else can read, and delete it here\n",
            name, identity,
            t->out >= 0       ? asking->out
            : t->picture >= 0 ? asking->picture
                              : "The QR code",
            t->out >= 0 || t->picture >= 0 ? " holds" : " is");
    return LARCH_EXIT_DONE;
}

larch_exit device_take_enrolling(const device_asking *asking, device_enrolling *e)
{
    *e = (device_enrolling){.authority = larch_bytes_of_text(asking->authority),
                            .method = device_method(asking),
                            .suite = device_suite(asking),
                            .reference = asking->reference == DEVICE_BY_KID ? LARCH_LAKE_BY_KID : LARCH_LAKE_BY_CCS};
    if (e->suite == NULL)
        return larch_app_usage(NAME, "--suite: " LARCH_APP_SUITE_WANTS);
    if (!larch_enrolment_is_pair(e->method, e->suite))
        return larch_app_usage(NAME, "--method %s cannot be had with --suite %s", device_methods[asking->method],
                               larch_app_suite_name(e->suite->number));
    if (e->method == LARCH_LAKE_METHOD_PSK && e->reference != LARCH_LAKE_BY_KID)
        return larch_app_usage(NAME, "--by %s is for --method 0", device_references[asking->reference]);
    return LARCH_EXIT_DONE;
}

larch_exit device_take_policy(const device_asking *asking, larch_policy_entry policy[LARCH_POLICY_MAX])
{
    for (size_t i = 0; i < asking->allow_count; i++)
        if (!larch_app_policy_parse(larch_bytes_of_text(asking->allow[i]), &policy[i]))
            return larch_app_usage(NAME, "--allow %s: it takes " LARCH_APP_POLICY_WANTS, asking->allow[i]);
    return LARCH_EXIT_DONE;
}

static larch_exit add(device_connection *gateway, const device_asking *asking, const char *name,
                      const device_enrolling *enrolling, const larch_policy_entry *policy, const targets *t)
{
    static device_enrolled result;
    const larch_app_newcomer newcomer = {
        .name = larch_bytes_of_text(name), .policy = policy, .policy_count = asking->allow_count};
    larch_exit code = device_enrol(gateway, enrolling, &newcomer, 1, &result);
    if (code == LARCH_EXIT_DONE && result.len == 0)
        code = larch_app_fail(NAME, "%s", result.why);
    if (code == LARCH_EXIT_DONE)
        code = keep(gateway, asking, name, t, (larch_bytes){result.bytes, result.len});
    larch_wipe(&result, sizeof result);
    return device_end_alone(code);
}

larch_exit device_add(device_connection *gateway, const device_asking *asking, const char *name)
{
    larch_policy_entry policy[LARCH_POLICY_MAX];
    device_enrolling enrolling;
    targets t = {-1, -1};
    const bool wants_code = asking->draws || asking->picture[0] != '\0';
    if (asking->out[0] == '\0' && !wants_code)
        return larch_app_usage(NAME, "add: where to write the enrolment? Give --out FILE, --qr or --qr-png FILE");
    if (wants_code && device_qr_fault() != NULL)
        return larch_app_fail(NAME, "%s", device_qr_fault());
    larch_exit code = device_take_enrolling(asking, &enrolling);
    if (code != LARCH_EXIT_DONE || (code = device_take_policy(asking, policy)) != LARCH_EXIT_DONE)
        return code;
    code = open_target(asking->out, &t.out);
    if (code == LARCH_EXIT_DONE && (code = open_target(asking->picture, &t.picture)) == LARCH_EXIT_DONE)
        code = add(gateway, asking, name, &enrolling, policy, &t);
    close_target(asking->out, t.out, code == LARCH_EXIT_DONE);
    close_target(asking->picture, t.picture, code == LARCH_EXIT_DONE);
    return code;
}

/* ---- revoking ---------------------------------------------------------------------- */

static larch_exit take_last(device_connection *gateway, uint64_t until_ms)
{
    larch_bytes text;
    bool is_end;
    const larch_exit code = device_connection_next(gateway, until_ms, LATE, &text, &is_end);
    return code != LARCH_EXIT_DONE || is_end ? code : device_connection_complain(gateway);
}

larch_exit device_ask_revoke(device_connection *gateway, const char *name)
{
    const larch_bytes words[] = {LARCH_TEXT("revoke-device"), larch_bytes_of_text(name)};
    bool is_there;
    larch_exit code = device_connection_try(gateway, words, sizeof words / sizeof words[0], &is_there);
    if (!is_there)
        return device_revoke_alone(gateway->state, gateway->store, name);
    if (code == LARCH_EXIT_DONE) {
        code = take_last(gateway, larch_posix_now_ms() + REPLY_MS);
        device_connection_end(gateway);
    }
    return code;
}

larch_exit device_revoke(device_connection *gateway, const char *name)
{
    const larch_exit code = device_end_alone(device_ask_revoke(gateway, name));
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr, "larch device: %s was revoked: its keys and sessions are deleted\n", name);
    return code;
}

/* ---- forgetting -------------------------------------------------------------------- */

larch_exit device_forget(device_connection *gateway, const device_asking *asking, const char *name)
{
    char what[200];
    const larch_bytes words[] = {LARCH_TEXT("forget-device"), larch_bytes_of_text(name)};
    const uint64_t until_ms = larch_posix_now_ms() + REPLY_MS;
    larch_bytes text;
    bool is_end;
    (void)snprintf(
        what, sizeof what,
        "%s, its keys, its sessions, its commands and its last readings will be erased. This cannot be undone.\n",
        name);
    larch_exit code = larch_app_confirm(NAME, what, asking->is_sure);
    if (code != LARCH_EXIT_DONE ||
        (code = device_connection_begin(gateway, words, sizeof words / sizeof words[0])) != LARCH_EXIT_DONE)
        return code;
    code = device_connection_next(gateway, until_ms, LATE, &text, &is_end);
    char readings[16] = "";
    if (code == LARCH_EXIT_DONE && (is_end || text.len >= sizeof readings))
        code = device_connection_complain(gateway);
    if (code == LARCH_EXIT_DONE) {
        memcpy(readings, text.data, text.len);
        code = take_last(gateway, until_ms);
    }
    device_connection_end(gateway);
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr, "larch device: %s was forgotten, with the last readings of %s resources\n", name, readings);
    return code;
}
