/* SPDX-License-Identifier: Apache-2.0 */
/* larch ca: a fleet's authority, which signs credentials of devices. It works offline; its private key never is on a
 * gateway. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/command.h"
#include "common/credential.h"
#include "common/secret_file.h"
#include "common/signer.h"
#include "system.h"

#define NAME      "ca"
#define KEY_NAME  "ca.key"
#define PUB_NAME  "ca.pub"
#define DAYS      365
#define DAY_S     86400u
#define SKEW_S    300u /* that the clocks of authority and gateway may differ by */
#define KEY_BYTES (LARCH_SIG_PK_MAX + 128)

static const char *const algorithms[] = {"ml-dsa-44", "ml-dsa-87", NULL};

typedef struct ca_options {
    unsigned algorithm;
    unsigned long days;
    char out[PATH_MAX];
} ca_options;

static const larch_option rows[] = {
    {.name = "algorithm",
     .kind = LARCH_OPTION_CHOICE,
     .value = "NAME",
     .choices = algorithms,
     LARCH_OPTION_AT(ca_options, algorithm),
     .text = "init: what the authority signs by: ml-dsa-44 (default) or ml-dsa-87"},
    {.name = "days",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = 36500,
     LARCH_OPTION_AT(ca_options, days),
     .text = "sign: days for which the credential is valid (default 365)"},
    {.name = "out",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(ca_options, out),
     .text = "sign: write the credential to this new file; default: the request's name, with .cwt for .request"},
};

const larch_command larch_ca_command = {
    .name = NAME,
    .text = "be a fleet's authority, offline: sign credentials of devices",
    .usage = "init DIR [OPTION]...\n"
             "sign DIR REQUEST [OPTION]...",
    .about = "A fleet's authority signs credentials, so that a gateway need not be told of each device. It works\n"
             "offline, and best on a machine of its own.\n"
             "\n"
             "  init   makes the authority's key in a new folder: ca.key, which is secret and has no copy,\n"
             "         and ca.pub, which each gateway gets ('larch gateway --ca ca.pub')\n"
             "  sign   checks a request of 'larch device request', and signs its credential (a CWT). Check\n"
             "         first that the name in it, which is printed, is the device's from which it came\n",
    LARCH_COMMAND_OPTIONS(rows),
    .operand_max = 3,
};

/* ---- init ------------------------------------------------------------------------ */

static larch_exit name_file(const char *folder, const char *name, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX
               ? LARCH_EXIT_DONE
               : larch_app_usage(NAME, "%s: the name is too long", folder);
}

static larch_exit write_key(const char *folder, const char *name, const larch_cose_key *key, unsigned mode)
{
    uint8_t bytes[KEY_BYTES];
    char path[PATH_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_cose_put_key(&w, key);
    larch_exit code = name_file(folder, name, path);
    if (code == LARCH_EXIT_DONE)
        code = larch_app_file_write(NAME, path, (larch_bytes){bytes, w.len}, mode);
    larch_wipe(bytes, sizeof bytes);
    return code;
}

static larch_exit init(const char *folder, const ca_options *options)
{
    const larch_random random = larch_posix_random();
    larch_app_signer signer;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return larch_app_fail(NAME, "%s: %s", folder, strerror(errno));
    const larch_error e =
        larch_app_signer_make(&signer, options->algorithm == 0 ? LARCH_COSE_ML_DSA_44 : LARCH_COSE_ML_DSA_87, &random);
    if (e != LARCH_OK)
        return larch_app_fail(NAME, "%s: %s", algorithms[options->algorithm], larch_error_text(e));
    larch_cose_key key = larch_app_signer_key(&signer);
    larch_exit code = write_key(folder, KEY_NAME, &key, 0600);
    key.priv.len = 0;
    if (code == LARCH_EXIT_DONE)
        code = write_key(folder, PUB_NAME, &key, 0644);
    larch_wipe(&signer, sizeof signer);
    if (code == LARCH_EXIT_DONE)
        fprintf(stderr,
                "larch ca: made %s/" KEY_NAME ", which is secret, and %s/" PUB_NAME ", which each gateway gets: "
                "larch gateway --ca " PUB_NAME "\n",
                folder, folder);
    return code;
}

/* ---- sign ------------------------------------------------------------------------ */

static larch_exit read_key(const char *folder, larch_app_signer *signer)
{
    uint8_t bytes[KEY_BYTES + 1];
    char path[PATH_MAX];
    size_t len;
    larch_cose_key key;
    larch_exit code = name_file(folder, KEY_NAME, path);
    if (code != LARCH_EXIT_DONE ||
        (code = larch_app_secret_read(NAME, path, bytes, KEY_BYTES, &len)) != LARCH_EXIT_DONE)
        return code;
    larch_error e = larch_cose_parse_key((larch_bytes){bytes, len}, &key);
    if (e == LARCH_OK && (key.kty != LARCH_COSE_AKP || key.priv.len != sizeof signer->seed))
        e = LARCH_MALFORMED;
    if (e == LARCH_OK)
        e = larch_app_signer_of(signer, (int)key.alg, key.priv.data);
    if (e == LARCH_OK && !larch_bytes_equal(larch_app_signer_pub(signer), key.pub))
        e = LARCH_MALFORMED;
    larch_wipe(bytes, sizeof bytes);
    return e == LARCH_OK ? LARCH_EXIT_DONE
                         : larch_app_refuse(NAME, "%s is damaged, or is no key of 'larch ca init'", path);
}

/* ".cwt" in the place of ".request". */
static larch_exit choose_out(const char *request, ca_options *options)
{
    const size_t len = strlen(request), suffix = strlen(LARCH_APP_REQUEST_SUFFIX);
    if (options->out[0] != '\0')
        return LARCH_EXIT_DONE;
    if (len <= suffix || strcmp(request + len - suffix, LARCH_APP_REQUEST_SUFFIX) != 0)
        return larch_app_usage(NAME, "where to write the credential? Give --out FILE");
    (void)snprintf(options->out, sizeof options->out, "%.*s" LARCH_APP_CWT_SUFFIX, (int)(len - suffix), request);
    return LARCH_EXIT_DONE;
}

static larch_exit write_credential(const larch_lake_claims *claims, const larch_app_signer *signer,
                                   const ca_options *options)
{
    static uint8_t ccs[LARCH_ENROLMENT_CCS_MAX + 64], cwt[LARCH_LAKE_CWT_MAX];
    const larch_random random = larch_posix_random();
    const larch_cose_key key = larch_app_signer_key(signer);
    larch_writer payload = larch_writer_to(ccs, sizeof ccs), w = larch_writer_to(cwt, sizeof cwt);
    larch_lake_put_ccs(&payload, claims);
    const larch_error e = larch_lake_put_cwt(&w, (larch_bytes){ccs, payload.len}, &key, &random);
    if (e != LARCH_OK)
        return larch_app_fail(NAME, "signing: %s", larch_error_text(e));
    return larch_app_file_write(NAME, options->out, (larch_bytes){cwt, w.len}, 0644);
}

static larch_exit sign(const char *folder, const char *request, ca_options *options)
{
    static uint8_t bytes[LARCH_LAKE_CWT_MAX + 1];
    const uint64_t now_s = larch_posix_unix_ns() / 1000000000;
    larch_app_signer signer;
    larch_lake_claims claims;
    char end[32] = "";
    size_t len;
    larch_exit code = choose_out(request, options);
    if (code != LARCH_EXIT_DONE || (code = read_key(folder, &signer)) != LARCH_EXIT_DONE)
        return code;
    if ((code = larch_app_file_read(NAME, request, bytes, sizeof bytes, &len)) == LARCH_EXIT_DONE &&
        larch_app_credential_verify((larch_bytes){bytes, len}, NULL, &claims) != LARCH_OK)
        code = larch_app_refuse(NAME, "%s is no request that a device has signed; 'larch device request' makes one",
                                request);
    if (code == LARCH_EXIT_DONE) {
        claims.iss = LARCH_TEXT("larch-ca");
        claims.nbf = now_s - SKEW_S;
        claims.exp = now_s + options->days * DAY_S;
        code = write_credential(&claims, &signer, options);
    }
    larch_wipe(&signer, sizeof signer);
    if (code != LARCH_EXIT_DONE)
        return code;
    const time_t end_s = (time_t)claims.exp;
    (void)strftime(end, sizeof end, "%Y-%m-%d", gmtime(&end_s));
    fprintf(stderr, "larch ca: signed for '%.*s', valid until %s: %s\n", (int)claims.sub.len,
            (const char *)claims.sub.data, end, options->out);
    return LARCH_EXIT_DONE;
}

/* ---- the command ------------------------------------------------------------------ */

int larch_ca_main(int argc, char **argv)
{
    static ca_options options = {.days = DAYS};
    larch_operands operands;
    larch_exit code = larch_command_parse(&larch_ca_command, &options, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    const char *action = operands.count > 0 ? operands.words[0] : "";
    const bool inits = strcmp(action, "init") == 0;
    if (!inits && strcmp(action, "sign") != 0)
        return larch_app_usage(NAME, "say what to do: init or sign");
    if (operands.count != (inits ? 2u : 3u))
        return larch_app_usage(NAME, inits ? "init takes a folder" : "sign takes the authority's folder and a request");
    if ((code = larch_app_start_crypto(NAME)) != LARCH_EXIT_DONE)
        return code;
    return inits ? init(operands.words[1], &options) : sign(operands.words[1], operands.words[2], &options);
}
