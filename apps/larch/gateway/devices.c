/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/device_name.h"

#define LINES_MAX 64 /* of a reply: each has fewer than 160 bytes */

#define FAIL(why, ...) (snprintf(why, LARCH_CONTROL_WHY_MAX, __VA_ARGS__), false)

static bool take_name(larch_bytes word, char name[LARCH_SESSIONS_NAME_MAX + 1], char why[LARCH_CONTROL_WHY_MAX])
{
    if (word.len > LARCH_SESSIONS_NAME_MAX)
        return FAIL(why, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
    memcpy(name, word.data, word.len);
    name[word.len] = '\0';
    return larch_app_is_device_name(name) || FAIL(why, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
}

static bool add_device(void *context, const larch_control_request *request, larch_writer *data,
                       char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    char name[LARCH_SESSIONS_NAME_MAX + 1], line[2 * LARCH_ENROLMENT_MAX + 1];
    uint8_t bytes[LARCH_ENROLMENT_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes), hex = larch_writer_to((uint8_t *)line, sizeof line - 1);
    larch_bytes authority = request->word[2];
    const char *reason;
    if (!take_name(request->word[1], name, why))
        return false;
    if (larch_bytes_equal(authority, LARCH_TEXT("-")))
        authority.len = 0;
    if (authority.len > LARCH_ENROLMENT_AUTHORITY_MAX)
        return FAIL(why, "an address has at most %d bytes", LARCH_ENROLMENT_AUTHORITY_MAX);
    if (!gateway_lake_enrol(d->lake, name, authority, &w, &reason))
        return FAIL(why, "%s", reason);
    larch_control_put_hex(&hex, (larch_bytes){bytes, w.len});
    line[hex.len] = '\0';
    larch_control_put_data(data, line);
    larch_wipe(bytes, sizeof bytes);
    larch_wipe(line, sizeof line);
    return true;
}

static bool revoke_device(void *context, const larch_control_request *request, larch_writer *data,
                          char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    const char *reason;
    (void)data;
    if (!take_name(request->word[1], name, why))
        return false;
    return gateway_sessions_revoke(d->lake->sessions, d->gateway, name, &reason) || FAIL(why, "%s", reason);
}

static bool take_position(larch_bytes word, uint64_t *at)
{
    *at = 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9' || *at > INT64_MAX / 10)
            return false;
        *at = 10 * *at + (uint64_t)(word.data[i] - '0');
    }
    return true;
}

static bool list_enrolled(void *context, const larch_control_request *request, larch_writer *data,
                          char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    larch_sessions *registry = d->lake->sessions->registry;
    char name[LARCH_SESSIONS_NAME_MAX + 1], line[64];
    uint64_t at;
    bool is_enrolled;
    larch_error e = LARCH_OK;
    if (!take_position(request->word[1], &at))
        return FAIL(why, "this is no position in the list");
    for (unsigned lines = 0; lines < LINES_MAX;) {
        if ((e = larch_sessions_next_device(registry, &at, name, &is_enrolled)) != LARCH_OK)
            break;
        if (!is_enrolled)
            continue;
        (void)snprintf(line, sizeof line, "%s %zu", name, gateway_sessions_count(d->lake->sessions, at));
        larch_control_put_data(data, line);
        lines++;
    }
    if (e == LARCH_PLATFORM)
        return FAIL(why, "%.200s", larch_sessions_error(registry)->text);
    if (e == LARCH_OK) {
        (void)snprintf(line, sizeof line, "next %" PRIu64, at);
        larch_control_put_data(data, line);
    }
    return true;
}

void gateway_devices_verbs(gateway_devices *d, gateway_control_verb verbs[GATEWAY_DEVICES_VERBS])
{
    verbs[0] = (gateway_control_verb){.name = "add-device", .arguments = 2, .context = d, .run = add_device};
    verbs[1] = (gateway_control_verb){.name = "enrolled", .arguments = 1, .context = d, .run = list_enrolled};
    verbs[2] = (gateway_control_verb){.name = "revoke-device", .arguments = 1, .context = d, .run = revoke_device};
}
