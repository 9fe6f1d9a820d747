/* SPDX-License-Identifier: Apache-2.0 */
/* larch device card, request, accept: a device that makes its own key, which a fleet's authority vouches for. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/credential.h"
#include "common/signer.h"
#include "common/suite_name.h"
#include "device/ask.h"
#include "system.h"

#define NAME     "device"
#define REPLY_MS 30000
#define LATE     "the gateway did not reply within 30 s"

unsigned device_method(const device_asking *asking)
{
    return asking->method == DEVICE_METHOD_SIGNATURES ? LARCH_LAKE_METHOD_SIGNATURES : LARCH_LAKE_METHOD_PSK;
}

const larch_lake_suite *device_suite(const device_asking *asking)
{
    return larch_app_suite_find(asking->suite[0] != '\0' ? asking->suite : "ml-kem-512");
}

/* ---- on the gateway ---------------------------------------------------------------- */

/* One data line, and the end. */
static larch_exit ask_one(device_connection *gateway, const larch_bytes *words, size_t count, uint8_t *out, size_t cap,
                          size_t *len, bool is_hex)
{
    const uint64_t until_ms = larch_posix_now_ms() + REPLY_MS;
    larch_bytes text;
    bool is_end;
    larch_exit code = device_connection_begin(gateway, words, count);
    if (code != LARCH_EXIT_DONE)
        return code;
    if ((code = device_connection_next(gateway, until_ms, LATE, &text, &is_end)) == LARCH_EXIT_DONE) {
        if (is_end || (is_hex && !larch_control_take_hex(text, out, cap, len)) || (!is_hex && text.len > cap)) {
            code = device_connection_complain(gateway);
        } else {
            if (!is_hex) {
                memcpy(out, text.data, text.len);
                *len = text.len;
            }
            code = device_connection_next(gateway, until_ms, LATE, &text, &is_end);
        }
    }
    device_connection_end(gateway);
    return code;
}

larch_exit device_card(device_connection *gateway, const device_asking *asking)
{
    static uint8_t card[LARCH_ENROLMENT_CCS_MAX];
    const larch_lake_suite *suite = device_suite(asking);
    size_t len = 0;
    if (asking->out[0] == '\0')
        return larch_app_usage(NAME, "card: where to write it? Give --out FILE");
    if (suite == NULL)
        return larch_app_usage(NAME, "--suite: " LARCH_APP_SUITE_WANTS);
    const larch_bytes words[] = {LARCH_TEXT("card"), larch_bytes_of_text(larch_app_suite_name(suite->number))};
    const larch_exit code = ask_one(gateway, words, 2, card, sizeof card, &len, true);
    return code == LARCH_EXIT_DONE ? larch_app_file_write(NAME, asking->out, (larch_bytes){card, len}, 0644) : code;
}

larch_exit device_accept(device_connection *gateway, const char *path)
{
    static uint8_t cwt[LARCH_LAKE_CWT_MAX + 1], hex[2 * LARCH_LAKE_CWT_MAX];
    uint8_t name[LARCH_ENROLMENT_NAME_MAX];
    larch_writer w = larch_writer_to(hex, sizeof hex);
    size_t len, name_len = 0;
    larch_exit code = larch_app_file_read(NAME, path, cwt, sizeof cwt, &len);
    if (code != LARCH_EXIT_DONE)
        return code;
    larch_control_put_hex(&w, (larch_bytes){cwt, len});
    const larch_bytes words[] = {LARCH_TEXT("accept"), {hex, w.len}};
    code = ask_one(gateway, words, 2, name, sizeof name, &name_len, false);
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr, "larch device: the credential of %.*s is on record\n", (int)name_len, (const char *)name);
    return code;
}

/* ---- on the device ----------------------------------------------------------------- */

static larch_exit write_request(const char *out, const larch_enrolment *e, const larch_app_signer *signer,
                                const larch_random *random)
{
    static uint8_t ccs[LARCH_ENROLMENT_CCS_MAX], cwt[LARCH_LAKE_CWT_MAX];
    const larch_cose_key key = larch_app_signer_key(signer);
    larch_writer payload = larch_writer_to(ccs, sizeof ccs), w = larch_writer_to(cwt, sizeof cwt);
    char path[PATH_MAX];
    larch_enrolment_put_public(&payload, e->name, LARCH_BYTES(e->kid), signer->sig->cose_algorithm,
                               larch_app_signer_pub(signer));
    const larch_error error = larch_lake_put_cwt(&w, (larch_bytes){ccs, payload.len}, &key, random);
    if (error != LARCH_OK)
        return larch_app_fail(NAME, "signing the request: %s", larch_error_text(error));
    if (snprintf(path, sizeof path, "%s" LARCH_APP_REQUEST_SUFFIX, out) >= (int)sizeof path)
        return larch_app_usage(NAME, "--out: the name is too long");
    return larch_app_file_write(NAME, path, (larch_bytes){cwt, w.len}, 0644);
}

static larch_exit write_both(const device_asking *asking, larch_enrolment *e, const larch_lake_suite *suite)
{
    uint8_t bytes[LARCH_ENROLMENT_MAX];
    const larch_random random = larch_posix_random();
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_app_signer signer;
    larch_error error = larch_random_fill(&random, e->kid, sizeof e->kid);
    if (error == LARCH_OK)
        error = larch_app_signer_make(&signer, suite->signature, &random);
    if (error != LARCH_OK)
        return larch_app_fail(NAME, "the device's key: %s", larch_error_text(error));
    memcpy(e->psk, signer.seed, sizeof e->psk);
    larch_enrolment_put(&w, e);
    larch_exit code = larch_app_file_write(NAME, asking->out, (larch_bytes){bytes, w.len}, 0600);
    if (code == LARCH_EXIT_DONE)
        code = write_request(asking->out, e, &signer, &random);
    larch_wipe(bytes, sizeof bytes);
    larch_wipe(&signer, sizeof signer);
    return code;
}

larch_exit device_request(const device_asking *asking, const char *name)
{
    static uint8_t card[LARCH_ENROLMENT_CCS_MAX + 1];
    const larch_lake_suite *suite = device_suite(asking);
    larch_cose_key key;
    larch_enrolment e = {.name = larch_bytes_of_text(name),
                         .authority = larch_bytes_of_text(asking->authority),
                         .method = LARCH_LAKE_METHOD_SIGNATURES,
                         .reference = asking->reference == DEVICE_BY_HASH ? LARCH_LAKE_BY_CWT_HASH : LARCH_LAKE_BY_CWT};
    if (asking->out[0] == '\0' || asking->card[0] == '\0')
        return larch_app_usage(NAME, "request: give --card FILE, of the gateway, and --out FILE, for the enrolment");
    if (suite == NULL || !larch_enrolment_is_pair(e.method, suite))
        return larch_app_usage(NAME, "--suite: " LARCH_APP_SUITE_WANTS ", of which the last two do not sign by ML-DSA");
    larch_exit code = larch_app_start_crypto(NAME);
    if (code != LARCH_EXIT_DONE ||
        (code = larch_app_card_read(NAME, asking->card, card, sizeof card, e.identity, &key)) != LARCH_EXIT_DONE)
        return code;
    if (key.alg != suite->signature)
        return larch_app_usage(NAME, "%s is for another cipher suite than %s: name it, as for the card, by --suite",
                               asking->card, larch_app_suite_name(suite->number));
    if (e.reference == LARCH_LAKE_BY_CWT && suite->signature != LARCH_COSE_ML_DSA_44)
        return larch_app_usage(NAME, "a credential of %s is too long to be sent by value: give --by hash",
                               larch_app_suite_name(suite->number));
    e.key = key.pub;
    e.suite = suite->number;
    e.hash = suite->hash;
    code = write_both(asking, &e, suite);
    larch_wipe(&e, sizeof e);
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr,
                "larch device: made the key of %s. Have the authority sign %s" LARCH_APP_REQUEST_SUFFIX
                " ('larch ca sign'), and put the credential here as %s" LARCH_APP_CWT_SUFFIX "\n",
                name, asking->out, asking->out);
    return code;
}
