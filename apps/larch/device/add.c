/* SPDX-License-Identifier: Apache-2.0 */
/* larch device add, revoke: a device that shakes hands comes, and any device goes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/confirm.h"
#include "common/policy_word.h"
#include "common/suite_name.h"
#include "device/alone.h"
#include "device/ask.h"
#include "larch/enrolment.h"
#include "system.h"

#define NAME     "device"
#define REPLY_MS 30000
#define LATE     "the gateway did not reply within 30 s"

/* ---- adding ------------------------------------------------------------------------ */

static larch_exit keep(const device_connection *gateway, const device_asking *asking, const char *name, int fd,
                       larch_bytes bytes)
{
    char identity[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_enrolment enrolment;
    if (larch_enrolment_parse(bytes, &enrolment, NULL) != LARCH_OK)
        return device_connection_complain(gateway);
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, enrolment.identity, identity);
    larch_wipe(&enrolment, sizeof enrolment);
    if (!device_write_file(asking->out, fd, bytes, true))
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

larch_exit device_add(device_connection *gateway, const device_asking *asking, const char *name)
{
    static device_enrolled result;
    device_enrolling enrolling;
    larch_policy_entry policy[LARCH_POLICY_MAX];
    const larch_app_newcomer newcomer = {larch_bytes_of_text(name), policy, asking->allow_count};
    int fd;
    if (asking->out[0] == '\0')
        return larch_app_usage(NAME, "add: where to write the enrolment? Give --out FILE");
    larch_exit code = device_take_enrolling(asking, &enrolling);
    if (code != LARCH_EXIT_DONE || (code = device_take_policy(asking, policy)) != LARCH_EXIT_DONE ||
        (code = device_create_file(asking->out, &fd)) != LARCH_EXIT_DONE)
        return code;
    code = device_enrol(gateway, &enrolling, &newcomer, 1, &result);
    if (code == LARCH_EXIT_DONE && result.len == 0)
        code = larch_app_fail(NAME, "%s", result.why);
    if (code == LARCH_EXIT_DONE)
        code = keep(gateway, asking, name, fd, (larch_bytes){result.bytes, result.len});
    code = device_end_alone(code);
    larch_wipe(&result, sizeof result);
    (void)close(fd);
    if (code != LARCH_EXIT_DONE)
        (void)unlink(asking->out);
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
        return device_revoke_alone(gateway->state, name);
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
