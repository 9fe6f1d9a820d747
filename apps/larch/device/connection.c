/* SPDX-License-Identifier: Apache-2.0 */
#include "device/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/value.h"

#define NAME "device"

larch_exit device_connection_try(device_connection *c, const larch_bytes *words, size_t count, bool *is_there)
{
    *is_there = true;
    const larch_exit code = larch_app_default_state(NAME, c->state, sizeof c->state);
    if (code != LARCH_EXIT_DONE)
        return code;
    const int folder = open(c->state, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return larch_app_fail(NAME, "%s: %s; --state DIR names the folder of the gateway that runs", c->state,
                              strerror(errno));
    const larch_error e = larch_control_begin(&c->client, folder, words, count);
    const int reason = errno;
    (void)close(folder);
    if (e == LARCH_OK)
        return LARCH_EXIT_DONE;
    *is_there = e != LARCH_STATE;
    if (!*is_there)
        return LARCH_EXIT_FAILED;
    if (e == LARCH_MALFORMED || e == LARCH_SPACE)
        return larch_app_usage(NAME, "a path is printable ASCII without spaces, and shorter than 256 bytes");
    return larch_app_fail(NAME, "the gateway over %s cannot be asked: %s", c->state, strerror(reason));
}

larch_exit device_connection_begin(device_connection *c, const larch_bytes *words, size_t count)
{
    bool is_there;
    const larch_exit code = device_connection_try(c, words, count, &is_there);
    return is_there
               ? code
               : larch_app_fail(
                     NAME, "no gateway runs over %s: start it, or name the folder of the one that runs by --state DIR",
                     c->state);
}

larch_exit device_connection_wait(device_connection *c, uint64_t until_ms, larch_bytes *text, bool *is_end,
                                  bool *is_late)
{
    larch_control_reply reply;
    *is_late = false;
    switch (larch_control_next(&c->client, until_ms, &reply)) {
    case LARCH_OK:
        break;
    case LARCH_TIMEOUT:
        *is_late = true;
        return LARCH_EXIT_FAILED;
    case LARCH_PLATFORM:
        return larch_app_fail(NAME, "the gateway over %s: %s", c->state, strerror(errno));
    default:
        return larch_app_fail(NAME, "the gateway over %s has ended, or is of another version than this program",
                              c->state);
    }
    if (reply.kind == LARCH_CONTROL_REFUSED)
        return larch_app_fail(NAME, "%.*s", (int)reply.text.len, (const char *)reply.text.data);
    *text = reply.text;
    *is_end = reply.kind == LARCH_CONTROL_DONE;
    return LARCH_EXIT_DONE;
}

larch_exit device_connection_next(device_connection *c, uint64_t until_ms, const char *late, larch_bytes *text,
                                  bool *is_end)
{
    bool is_late;
    const larch_exit code = device_connection_wait(c, until_ms, text, is_end, &is_late);
    return is_late ? larch_app_fail(NAME, "%s", late) : code;
}

larch_exit device_connection_complain(const device_connection *c)
{
    return larch_app_fail(
        NAME, "the reply of the gateway over %s cannot be read: is it of another version than this program?", c->state);
}

void device_connection_end(device_connection *c) { larch_control_end(&c->client); }
