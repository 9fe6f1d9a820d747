/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/device_name.h"
#include "common/policy_word.h"
#include "common/suite_name.h"
#include "registry/listing.h"
#include "text/peer.h"
#include "text/text.h"

#define FAIL(why, ...) (snprintf(why, LARCH_CONTROL_WHY_MAX, __VA_ARGS__), false)

static bool take_name(larch_bytes word, char name[LARCH_SESSIONS_NAME_MAX + 1], char why[LARCH_CONTROL_WHY_MAX])
{
    if (word.len > LARCH_SESSIONS_NAME_MAX)
        return FAIL(why, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
    memcpy(name, word.data, word.len);
    name[word.len] = '\0';
    return larch_app_is_device_name(name) || FAIL(why, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
}

static bool take_where(larch_bytes authority, larch_bytes suite_word, gateway_lake_enrolling *e,
                       char why[LARCH_CONTROL_WHY_MAX])
{
    char suite[32] = "";
    e->authority = authority;
    if (larch_bytes_equal(e->authority, LARCH_TEXT("-")))
        e->authority.len = 0;
    if (e->authority.len > LARCH_ENROLMENT_AUTHORITY_MAX)
        return FAIL(why, "an address has at most %d bytes", LARCH_ENROLMENT_AUTHORITY_MAX);
    if (suite_word.len < sizeof suite)
        memcpy(suite, suite_word.data, suite_word.len);
    if ((e->suite = larch_app_suite_find(suite)) == NULL)
        return FAIL(why, "the gateway has no such cipher suite");
    return true;
}

static bool take_enrolling(const larch_control_request *request, gateway_lake_enrolling *e,
                           char why[LARCH_CONTROL_WHY_MAX])
{
    const larch_bytes method = request->word[2], reference = request->word[4];
    if (!take_where(request->word[1], request->word[3], e, why))
        return false;
    if (!larch_bytes_equal(method, LARCH_TEXT("0")) && !larch_bytes_equal(method, LARCH_TEXT("4")))
        return FAIL(why, "a method is 0 or 4");
    e->method = method.data[0] == '0' ? LARCH_LAKE_METHOD_SIGNATURES : LARCH_LAKE_METHOD_PSK;
    if (!larch_bytes_equal(reference, LARCH_TEXT("kid")) && !larch_bytes_equal(reference, LARCH_TEXT("ccs")))
        return FAIL(why, "a reference is kid or ccs");
    e->reference = reference.data[0] == 'k' ? LARCH_LAKE_BY_KID : LARCH_LAKE_BY_CCS;
    return true;
}

/* "+NAME HEX", or "+NAME - WHY". */
static void put_enrolled(void *context, larch_bytes name, larch_bytes enrolment, const char *why)
{
    char line[LARCH_SESSIONS_NAME_MAX + 2 * LARCH_ENROLMENT_MAX + 4];
    larch_writer w = larch_writer_to((uint8_t *)line, sizeof line - 1);
    larch_writer_put(&w, name);
    larch_text_put(&w, " ");
    larch_control_put_hex(&w, enrolment);
    if (enrolment.len == 0)
        larch_text_put_format(&w, " %.200s", why);
    line[w.len] = '\0';
    larch_control_put_data(context, line);
    larch_wipe(line, sizeof line);
}

/* "NAME/POLICY//NAME//NAME/POLICY" */
static bool take_newcomers(larch_bytes word, larch_app_newcomer newcomers[LARCH_APP_ENROL_MAX], size_t *count)
{
    static larch_policy_entry policies[LARCH_APP_ENROL_MAX][LARCH_POLICY_MAX];
    for (*count = 0; *count < LARCH_APP_ENROL_MAX;) {
        const uint8_t *end = memmem(word.data, word.len, "//", 2);
        larch_bytes item = {word.data, end != NULL ? (size_t)(end - word.data) : word.len}, policy = LARCH_TEXT("-");
        const uint8_t *slash = item.len > 0 ? memchr(item.data, '/', item.len) : NULL;
        if (slash != NULL) {
            policy = (larch_bytes){slash + 1, item.len - (size_t)(slash + 1 - item.data)};
            item.len = (size_t)(slash - item.data);
        }
        larch_app_newcomer *n = &newcomers[*count];
        *n = (larch_app_newcomer){.name = item, .policy = policies[*count]};
        if (item.len == 0 || item.len > LARCH_SESSIONS_NAME_MAX ||
            !larch_app_policy_take_word(policy, policies[*count], &n->policy_count))
            return false;
        ++*count;
        if (end == NULL)
            return true;
        word = (larch_bytes){end + 2, word.len - (size_t)(end + 2 - word.data)};
    }
    return false;
}

static bool enrol_devices(void *context, const larch_control_request *request, larch_writer *data,
                          char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    larch_app_newcomer newcomers[LARCH_APP_ENROL_MAX];
    gateway_lake_enrolling enrolling = {.method = 0};
    const size_t before = data->len;
    const char *reason;
    size_t count;
    if (!take_enrolling(request, &enrolling, why))
        return false;
    if (!take_newcomers(request->word[5], newcomers, &count))
        return FAIL(why, "these are no names of at most %u bytes, with policies of at most %u entries",
                    LARCH_SESSIONS_NAME_MAX, (unsigned)LARCH_POLICY_MAX);
    if (gateway_lake_enrol(d->lake, &enrolling, newcomers, count, put_enrolled, data, &reason))
        return true;
    data->len = before; /* what stands there was not kept */
    return FAIL(why, "%.240s", reason);
}

static bool enrol_key(void *context, const larch_control_request *request, larch_writer *data,
                      char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    larch_app_newcomer newcomers[LARCH_APP_ENROL_MAX];
    gateway_lake_enrolling enrolling = {.method = LARCH_LAKE_METHOD_PSK, .reference = LARCH_LAKE_BY_KID};
    uint8_t kid[LARCH_LAKE_KID_LEN], psk[LARCH_ENROLMENT_PSK_LEN];
    const size_t before = data->len;
    const char *reason;
    size_t count, kid_len, psk_len;
    if (!take_where(request->word[1], request->word[2], &enrolling, why))
        return false;
    if (!take_newcomers(request->word[5], newcomers, &count) || count != 1)
        return FAIL(why, "this is no name of at most %u bytes, with a policy of at most %u entries",
                    LARCH_SESSIONS_NAME_MAX, (unsigned)LARCH_POLICY_MAX);
    bool is_done = larch_control_take_hex(request->word[3], kid, sizeof kid, &kid_len) && kid_len == sizeof kid &&
                   larch_control_take_hex(request->word[4], psk, sizeof psk, &psk_len) && psk_len == sizeof psk;
    if (!is_done) {
        (void)FAIL(why, "a key has %d bytes, and its kid %d", LARCH_ENROLMENT_PSK_LEN, LARCH_LAKE_KID_LEN);
    } else {
        newcomers[0].kid = kid;
        newcomers[0].psk = psk;
        is_done = gateway_lake_enrol(d->lake, &enrolling, newcomers, 1, put_enrolled, data, &reason);
        if (!is_done) {
            data->len = before; /* what stands there was not kept */
            (void)FAIL(why, "%.240s", reason);
        }
    }
    larch_wipe(psk, sizeof psk);
    return is_done;
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
    return gateway_sessions_revoke(d->lake->sessions, d->gateway, name, &reason) || FAIL(why, "%.240s", reason);
}

/* Also what a device left that was revoked before. */
static bool forget_device(void *context, const larch_control_request *request, larch_writer *data,
                          char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    gateway_sessions *s = d->lake->sessions;
    char name[LARCH_SESSIONS_NAME_MAX + 1], line[64];
    const char *reason;
    if (!take_name(request->word[1], name, why))
        return false;
    const bool is_there = larch_sessions_device(s->registry, name) != 0;
    if (is_there && !gateway_sessions_revoke(s, d->gateway, name, &reason))
        return FAIL(why, "%.240s", reason);
    const size_t readings = larch_outbox_forget_device(s->outbox, larch_bytes_of_text(name));
    if (!is_there && readings == 0)
        return FAIL(why, "there is no device of this name, and no reading of it");
    if (larch_outbox_tidy(s->outbox) != LARCH_OK)
        return FAIL(why, "its readings are still in the file, and leave it with the next message: %.150s",
                    larch_outbox_error(s->outbox)->text);
    (void)snprintf(line, sizeof line, "%zu", readings);
    larch_control_put_data(data, line);
    return true;
}

/* ---- the list ------------------------------------------------------------------ */

#define LINE_BYTES 224                                       /* of a session, at most */
#define DEVICE_MAX (LARCH_LISTING_SESSIONS_MAX * LINE_BYTES) /* of a device */

/* "NAME KID ADDRESS OWN LEFT RECEIVED FAILED EXPIRES HEARD METHOD SUITE", of one session; KID "none": of none. */
static void put_session(larch_writer *data, const larch_listed_device *device, const larch_session *session)
{
    char line[LINE_BYTES];
    larch_writer w = larch_writer_to((uint8_t *)line, sizeof line - 1);
    larch_text_put(&w, device->name);
    larch_text_put(&w, " ");
    if (session == NULL) {
        larch_text_put(&w, "none - 0 0 0 0 0");
    } else {
        larch_control_put_hex(&w, (larch_bytes){session->oscore.recipient_id, session->oscore.recipient_id_len});
        larch_text_put(&w, " ");
        if (session->last.port != 0)
            larch_text_put_peer(&w, &session->last);
        else
            larch_text_put(&w, "-");
        larch_text_put_format(&w, " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRIu32, session->own_used,
                              larch_session_left(session), larch_oscore_received(&session->oscore), session->failed,
                              session->expires_s);
    }
    larch_text_put_format(&w, " %" PRIu32, device->heard_s);
    if (device->is_enrolled)
        larch_text_put_format(&w, " %u %s", device->method, larch_app_suite_name(device->suite));
    else
        larch_text_put(&w, " - -");
    line[w.len] = '\0';
    larch_control_put_data(data, line);
}

static void put_device(larch_writer *data, const larch_listed_device *device)
{
    for (size_t i = 0; i < device->session_count; i++)
        put_session(data, device, device->sessions[i]);
    if (device->session_count == 0)
        put_session(data, device, NULL);
}

typedef struct listing {
    larch_writer *data;
    char last[LARCH_SESSIONS_NAME_MAX + 1];
} listing;

static bool take_listed(void *context, const larch_listed_device *device)
{
    listing *l = context;
    if (l->data->len > LARCH_CONTROL_REPLY_MAX - DEVICE_MAX - LARCH_CONTROL_WHY_MAX)
        return false;
    put_device(l->data, device);
    memcpy(l->last, device->name, sizeof l->last);
    return true;
}

static bool list_devices(void *context, const larch_control_request *request, larch_writer *data,
                         char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    larch_sessions *registry = d->lake->sessions->registry;
    listing l = {.data = data};
    char after[LARCH_SESSIONS_NAME_MAX + 1] = "", line[64];
    bool more;
    if (!larch_bytes_equal(request->word[1], LARCH_TEXT(":")) && !take_name(request->word[1], after, why))
        return false;
    if (larch_sessions_list(registry, after, take_listed, &l, &more) != LARCH_OK)
        return FAIL(why, "%.240s", larch_sessions_error(registry)->text);
    if (more) {
        (void)snprintf(line, sizeof line, "next %s", l.last);
        larch_control_put_data(data, line);
    }
    return true;
}

static bool show_device(void *context, const larch_control_request *request, larch_writer *data,
                        char why[LARCH_CONTROL_WHY_MAX])
{
    const gateway_devices *d = context;
    gateway_sessions *s = d->lake->sessions;
    larch_listed_device device;
    larch_policy_entry entry = {.rights = 0};
    char name[LARCH_SESSIONS_NAME_MAX + 1], line[128];
    larch_error e;
    if (!take_name(request->word[1], name, why))
        return false;
    if ((e = larch_sessions_show(s->registry, name, &device)) == LARCH_AGAIN)
        return FAIL(why, "there is no device '%s'", name);
    if (e == LARCH_OK)
        put_device(data, &device);
    while (e == LARCH_OK && (e = larch_sessions_next_policy(s->registry, device.number, &entry)) == LARCH_OK) {
        larch_writer w = larch_writer_to((uint8_t *)line, sizeof line - 1);
        larch_text_put(&w, "allow ");
        larch_app_policy_put(&w, &entry);
        line[w.len] = '\0';
        larch_control_put_data(data, line);
    }
    if (e != LARCH_AGAIN)
        return FAIL(why, "%.240s", larch_sessions_error(s->registry)->text);
    (void)snprintf(line, sizeof line, "waiting %zu", gateway_queue_waiting(d->queue, device.number));
    larch_control_put_data(data, line);
    return true;
}

void gateway_devices_verbs(gateway_devices *d, gateway_control_verb verbs[GATEWAY_DEVICES_VERBS])
{
    verbs[0] = (gateway_control_verb){.name = "enrol-devices", .arguments = 5, .context = d, .run = enrol_devices};
    verbs[7] = (gateway_control_verb){.name = "enrol-key", .arguments = 5, .context = d, .run = enrol_key};
    verbs[1] = (gateway_control_verb){.name = "list", .arguments = 1, .context = d, .run = list_devices};
    verbs[2] = (gateway_control_verb){.name = "revoke-device", .arguments = 1, .context = d, .run = revoke_device};
    verbs[3] = (gateway_control_verb){.name = "accept", .arguments = 1, .context = d, .run = accept_credential};
    verbs[5] = (gateway_control_verb){.name = "show", .arguments = 1, .context = d, .run = show_device};
    verbs[6] = (gateway_control_verb){.name = "forget-device", .arguments = 1, .context = d, .run = forget_device};
    verbs[4] = (gateway_control_verb){.name = "card", .arguments = 1, .context = d, .run = show_card};
}
