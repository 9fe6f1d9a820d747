/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/device_name.h"
#include "common/suite_name.h"

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

static bool take_enrolling(const larch_control_request *request, gateway_lake_enrolling *e,
                           char why[LARCH_CONTROL_WHY_MAX])
{
    char suite[32] = "";
    const larch_bytes method = request->word[3], reference = request->word[5];
    e->authority = request->word[2];
    if (larch_bytes_equal(e->authority, LARCH_TEXT("-")))
        e->authority.len = 0;
    if (e->authority.len > LARCH_ENROLMENT_AUTHORITY_MAX)
        return FAIL(why, "an address has at most %d bytes", LARCH_ENROLMENT_AUTHORITY_MAX);
    if (request->word[4].len < sizeof suite)
        memcpy(suite, request->word[4].data, request->word[4].len);
    if ((e->suite = larch_app_suite_find(suite)) == NULL)
        return FAIL(why, "the gateway has no such cipher suite");
    if (!larch_bytes_equal(method, LARCH_TEXT("0")) && !larch_bytes_equal(method, LARCH_TEXT("4")))
        return FAIL(why, "a method is 0 or 4");
    e->method = method.data[0] == '0' ? LARCH_LAKE_METHOD_SIGNATURES : LARCH_LAKE_METHOD_PSK;
    if (!larch_bytes_equal(reference, LARCH_TEXT("kid")) && !larch_bytes_equal(reference, LARCH_TEXT("ccs")))
        return FAIL(why, "a reference is kid or ccs");
    e->reference = reference.data[0] == 'k' ? LARCH_LAKE_BY_KID : LARCH_LAKE_BY_CCS;
    return true;
}

static bool enrol_device(void *context, const larch_control_request *request, larch_writer *data,
                         char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    char name[LARCH_SESSIONS_NAME_MAX + 1], line[2 * LARCH_ENROLMENT_MAX + 1];
    uint8_t bytes[LARCH_ENROLMENT_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes), hex = larch_writer_to((uint8_t *)line, sizeof line - 1);
    gateway_lake_enrolling enrolling = {.name = name};
    const char *reason;
    if (!take_name(request->word[1], name, why) || !take_enrolling(request, &enrolling, why))
        return false;
    if (!gateway_lake_enrol(d->lake, &enrolling, &w, &reason))
        return FAIL(why, "%s", reason);
    larch_control_put_hex(&hex, (larch_bytes){bytes, w.len});
    line[hex.len] = '\0';
    larch_control_put_data(data, line);
    larch_wipe(bytes, sizeof bytes);
    larch_wipe(line, sizeof line);
    return true;
}

static bool accept_credential(void *context, const larch_control_request *request, larch_writer *data,
                              char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    static uint8_t cwt[LARCH_LAKE_CWT_MAX];
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    const char *reason;
    size_t len;
    if (!larch_control_take_hex(request->word[1], cwt, sizeof cwt, &len))
        return FAIL(why, "this is no credential, or is longer than any");
    if (!gateway_lake_accept(d->lake, (larch_bytes){cwt, len}, name, &reason))
        return FAIL(why, "%s", reason);
    larch_control_put_data(data, name);
    return true;
}

/* What a device that makes its own key has to know of the gateway; public. */
static bool show_card(void *context, const larch_control_request *request, larch_writer *data,
                      char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    char suite_name[32] = "", line[2 * LARCH_ENROLMENT_CCS_MAX + 1];
    larch_writer hex = larch_writer_to((uint8_t *)line, sizeof line - 1);
    if (request->word[1].len < sizeof suite_name)
        memcpy(suite_name, request->word[1].data, request->word[1].len);
    const larch_lake_suite *suite = larch_app_suite_find(suite_name);
    const gateway_lake_own *own = suite != NULL ? gateway_lake_own_of(d->lake, suite) : NULL;
    if (own == NULL)
        return FAIL(why, "the gateway has no key that signs for this cipher suite");
    larch_control_put_hex(&hex, own->credential.cred_r);
    line[hex.len] = '\0';
    larch_control_put_data(data, line);
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
    verbs[0] = (gateway_control_verb){.name = "enrol", .arguments = 5, .context = d, .run = enrol_device};
    verbs[1] = (gateway_control_verb){.name = "enrolled", .arguments = 1, .context = d, .run = list_enrolled};
    verbs[2] = (gateway_control_verb){.name = "revoke-device", .arguments = 1, .context = d, .run = revoke_device};
    verbs[3] = (gateway_control_verb){.name = "accept", .arguments = 1, .context = d, .run = accept_credential};
    verbs[4] = (gateway_control_verb){.name = "card", .arguments = 1, .context = d, .run = show_card};
}
