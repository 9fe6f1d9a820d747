/* SPDX-License-Identifier: Apache-2.0 */
/*
 * larch device qkd: a pre-shared key of a key delivery service [ETSI GS QKD 014 V1.1.1]. Each side asks the service beside it, so
 * larch carries the key from neither to the other:
 *
 *     gateway's machine -> enc_keys -> key, key_ID          key_ID -> (operator) -> device -> dec_keys -> key
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/credential.h"
#include "common/suite_name.h"
#include "device/alone.h"
#include "device/qkd_answer.h"
#include "device/qkd_fetch.h"
#include "system.h"

#define NAME    "device"
#define REQUEST "enc_keys?number=1&size=256"
_Static_assert(DEVICE_QKD_KEY_LEN == LARCH_ENROLMENT_PSK_LEN, "the service's key is the PSK");

/* ---- asking the service ------------------------------------------------------------- */

static larch_exit check_service(const device_qkd_service *s)
{
    if (s->url[0] == '\0' || s->sae[0] == '\0' || s->cert[0] == '\0' || s->key[0] == '\0' || s->cacert[0] == '\0')
        return larch_app_usage(NAME, "qkd: give --url, --sae, --cert, --key and --cacert");
    if (strncmp(s->url, "https://", 8) != 0 || strpbrk(s->url, "?#@ ") != NULL)
        return larch_app_usage(NAME, "--url: it takes https://HOST[:PORT][/PATH]");
    for (const char *c = s->sae; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return larch_app_usage(NAME, "--sae: an ID is printable ASCII without spaces");
    if (device_qkd_missing() != NULL)
        return larch_app_fail(NAME, "%s", device_qkd_missing());
    return LARCH_EXIT_DONE;
}

/* An answer that is no 200. */
static larch_exit complain_of(const device_qkd_service *s, const device_qkd_reply *reply)
{
    uint8_t message[160];
    char text[700];
    larch_writer w = larch_writer_to((uint8_t *)text, sizeof text - 1);
    const size_t len = device_qkd_take_message((larch_bytes){reply->body, reply->len}, message, sizeof message);
    larch_text_put_plain(&w, (larch_bytes){message, len});
    text[w.len] = '\0';
    const char *what = reply->status == 400   ? "refuses the request"
                       : reply->status == 401 ? "does not let this side have keys with that one"
                       : reply->status == 503 ? "cannot give a key now, try again later"
                                              : "gave no key";
    return larch_app_fail(NAME, "the key delivery service at %s %s (status %ld)%s%s", s->url, what, reply->status,
                          len > 0 ? ": " : "", text);
}

static larch_exit fetch_key(const device_asking *asking, const char *what, device_qkd_key *key)
{
    static device_qkd_reply reply;
    const device_qkd_service *s = &asking->qkd;
    larch_exit code = device_qkd_fetch(s, asking->timeout, what, &reply);
    if (code == LARCH_EXIT_DONE && reply.status != 200)
        code = complain_of(s, &reply);
    if (code == LARCH_EXIT_DONE) {
        const device_qkd_fault fault = device_qkd_take_key((larch_bytes){reply.body, reply.len}, key);
        if (fault != DEVICE_QKD_FAULT_NONE)
            code = larch_app_fail(NAME, "the answer of the key delivery service at %s %s", s->url,
                                  device_qkd_fault_text(fault));
    }
    larch_wipe(&reply, sizeof reply);
    return code;
}

/* ---- files ---------------------------------------------------------------------------- */

static void close_file(const char *path, int fd, bool is_kept)
{
    if (fd < 0)
        return;
    (void)close(fd);
    if (!is_kept)
        (void)unlink(path);
}

/* ---- on the gateway's machine ------------------------------------------------------------ */

static larch_exit print_key_id(const device_asking *asking, const char *name, const device_qkd_key *key)
{
    uint8_t line[256];
    larch_writer w = larch_writer_to(line, sizeof line);
    if (asking->json) {
        larch_json j = larch_json_begin_line(&w);
        larch_json_put_text(&j, "device", name);
        larch_json_put_text(&j, "key_id", key->id);
        larch_json_put_hex(&j, "kid", (larch_bytes){key->uuid, LARCH_LAKE_KID_LEN});
        larch_json_end_line(&j);
    } else {
        larch_text_put(&w, key->id);
        larch_text_put(&w, "\n");
    }
    (void)fwrite(line, 1, w.len, stdout);
    return larch_app_end_output(NAME);
}

static larch_exit add(device_connection *gateway, const device_asking *asking, const char *name, int fd)
{
    static device_enrolled result;
    static device_qkd_key key;
    larch_policy_entry policy[LARCH_POLICY_MAX];
    device_enrolling enrolling;
    larch_exit code = device_take_enrolling(asking, &enrolling);
    if (code != LARCH_EXIT_DONE || (code = device_take_policy(asking, policy)) != LARCH_EXIT_DONE ||
        (code = fetch_key(asking, REQUEST, &key)) != LARCH_EXIT_DONE)
        return code;
    const larch_app_newcomer newcomer = {.name = larch_bytes_of_text(name),
                                         .policy = policy,
                                         .policy_count = asking->allow_count,
                                         .kid = key.uuid,
                                         .psk = key.key};
    code = device_enrol(gateway, &enrolling, &newcomer, 1, &result);
    if (code == LARCH_EXIT_DONE && result.len == 0)
        code = larch_app_fail(NAME, "%s", result.why);
    if (code == LARCH_EXIT_DONE && fd >= 0 &&
        !device_write_file(asking->out, fd, (larch_bytes){result.bytes, result.len}, true))
        code = larch_app_fail(NAME, "%s: %s; '%s' was added: 'larch device revoke %s', then add it again", asking->out,
                              strerror(errno), name, name);
    if (code == LARCH_EXIT_DONE)
        code = print_key_id(asking, name, &key);
    larch_wipe(&result, sizeof result);
    larch_wipe(&key, sizeof key);
    return device_end_alone(code);
}

static larch_exit add_here(device_connection *gateway, const device_asking *asking, const char *name)
{
    int fd = -1;
    if (asking->card[0] != '\0')
        return larch_app_usage(NAME, "qkd: --card goes with --key-id, on the device");
    larch_exit code = asking->out[0] != '\0' ? device_create_file(asking->out, &fd) : LARCH_EXIT_DONE;
    if (code == LARCH_EXIT_DONE)
        code = add(gateway, asking, name, fd);
    close_file(asking->out, fd, code == LARCH_EXIT_DONE);
    if (code == LARCH_EXIT_DONE)
        fprintf(
            stderr,
            "larch device: %s was added with a key of %s. %s%sOn the device, 'larch device qkd %s --key-id' and this "
            "key ID fetch the key from the service there, once\n",
            name, asking->qkd.url, asking->out,
            fd >= 0 ? " holds the key too: delete it if the device needs it not. " : "", name);
    return code;
}

/* ---- on the device ----------------------------------------------------------------------- */

static larch_exit write_enrolment(const device_asking *asking, larch_enrolment *e, const device_qkd_key *key, int fd)
{
    uint8_t bytes[LARCH_ENROLMENT_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    memcpy(e->kid, key->uuid, sizeof e->kid);
    memcpy(e->psk, key->key, sizeof e->psk);
    larch_enrolment_put(&w, e);
    const bool is_written = device_write_file(asking->out, fd, (larch_bytes){bytes, w.len}, true);
    larch_wipe(bytes, sizeof bytes);
    return is_written ? LARCH_EXIT_DONE : larch_app_fail(NAME, "%s: %s", asking->out, strerror(errno));
}

static larch_exit fetch_into(const device_asking *asking, const uint8_t uuid[DEVICE_QKD_UUID_LEN], larch_enrolment *e,
                             int fd)
{
    static device_qkd_key key;
    char what[96];
    (void)snprintf(what, sizeof what, "dec_keys?key_ID=%s", asking->qkd.key_id);
    larch_exit code = fetch_key(asking, what, &key);
    if (code == LARCH_EXIT_DONE && memcmp(key.uuid, uuid, sizeof key.uuid) != 0)
        code = larch_app_fail(NAME, "the key delivery service at %s gave another key than %s", asking->qkd.url,
                              asking->qkd.key_id);
    if (code == LARCH_EXIT_DONE)
        code = write_enrolment(asking, e, &key, fd);
    larch_wipe(&key, sizeof key);
    return code;
}

static larch_exit fetch_there(const device_asking *asking, const char *name)
{
    static uint8_t card[LARCH_ENROLMENT_CCS_MAX + 1];
    uint8_t uuid[DEVICE_QKD_UUID_LEN];
    device_enrolling enrolling;
    larch_cose_key key;
    int fd;
    larch_enrolment e = {.name = larch_bytes_of_text(name)};
    if (!device_qkd_take_uuid(larch_bytes_of_text(asking->qkd.key_id), uuid))
        return larch_app_usage(NAME, "--key-id: it takes a UUID");
    if (asking->card[0] == '\0' || asking->out[0] == '\0')
        return larch_app_usage(NAME,
                               "qkd --key-id: give --card FILE, of the gateway, and --out FILE, for the enrolment");
    if (asking->allow_count > 0 || asking->state[0] != '\0')
        return larch_app_usage(NAME, "qkd --key-id: --allow and --state are for the gateway's machine");
    larch_exit code = device_take_enrolling(asking, &enrolling);
    if (code != LARCH_EXIT_DONE || (code = larch_app_start_crypto(NAME)) != LARCH_EXIT_DONE ||
        (code = larch_app_card_read(NAME, asking->card, card, sizeof card, e.identity, &key)) != LARCH_EXIT_DONE)
        return code;
    e.authority = enrolling.authority;
    e.method = LARCH_LAKE_METHOD_PSK;
    e.suite = enrolling.suite->number;
    e.hash = enrolling.suite->hash;
    e.reference = LARCH_LAKE_BY_KID;
    if ((code = device_create_file(asking->out, &fd)) != LARCH_EXIT_DONE)
        return code;
    code = fetch_into(asking, uuid, &e, fd);
    larch_wipe(&e, sizeof e);
    close_file(asking->out, fd, code == LARCH_EXIT_DONE);
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr, "larch device: %s holds the key of %s: keep it where nobody else can read it\n", asking->out,
                name);
    return code;
}

larch_exit device_qkd(device_connection *gateway, const device_asking *asking, const char *name)
{
    const larch_exit code = check_service(&asking->qkd);
    if (code != LARCH_EXIT_DONE)
        return code;
    return asking->qkd.key_id[0] != '\0' ? fetch_there(asking, name) : add_here(gateway, asking, name);
}
