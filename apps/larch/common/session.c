/* SPDX-License-Identifier: Apache-2.0 */
#include "common/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/credential.h"
#include "common/keylog.h"
#include "common/secret_file.h"
#include "system.h"

#define RENEW_S        (LARCH_SESSION_LIFE_S - 12 * 3600) /* age at which a session is renewed */
#define MESSAGE_3_REST 64                                 /* bytes beside credential and signature */
#define RENEW_MESSAGES (LARCH_CONTEXT_MESSAGES_MAX / 8 * 7)

larch_exit larch_app_session_open(larch_app_session *s, const char *command, const char *path)
{
    bool is_new;
    memset(s, 0, sizeof *s);
    s->command = command;
    s->state.file = -1;
    larch_exit code = larch_context_file_read(command, path, &s->file);
    if (code != LARCH_EXIT_DONE)
        return code;
    s->parameters = larch_context_file_parameters(&s->file);
    code = larch_context_state_open(&s->state, command, path, &s->parameters, &is_new);
    s->before = s->state.messages;
#if LARCH_KEYLOG
    if (code == LARCH_EXIT_DONE)
        code = larch_app_keylog(command, &s->parameters);
#endif
    if (code == LARCH_EXIT_DONE)
        code = larch_context_state_grant(&s->state, &s->first, &s->end);
    if (code != LARCH_EXIT_DONE)
        (void)larch_app_session_close(s, UINT64_MAX);
    return code;
}

/* ---- enrolments ------------------------------------------------------------ */

static larch_exit read_enrolment(larch_app_session *s, const char *path)
{
    larch_enrolment_fault fault;
    size_t len;
    const larch_exit code = larch_app_secret_read(s->command, path, s->bytes, LARCH_ENROLMENT_MAX, &len);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (larch_enrolment_parse((larch_bytes){s->bytes, len}, &s->enrolment, &fault) == LARCH_OK)
        return LARCH_EXIT_DONE;
    (void)larch_app_fail(s->command, "%s %s; 'larch device add' on the gateway makes another", path,
                         larch_enrolment_fault_text(fault));
    return LARCH_EXIT_USAGE;
}

/* The name beside which the state stands. */
static larch_exit name_state(larch_app_session *s, const larch_app_enrolled *enrolled)
{
    const char *slash = strrchr(enrolled->path, '/');
    const bool is_beside = enrolled->state[0] == '\0';
    const char *name = is_beside || slash == NULL ? enrolled->path : slash + 1;
    if (!is_beside && mkdir(enrolled->state, 0700) != 0 && errno != EEXIST)
        return larch_app_fail(s->command, "%s: %s", enrolled->state, strerror(errno));
    const int len = snprintf(s->beside, sizeof s->beside, "%s%s%s", enrolled->state, is_beside ? "" : "/", name);
    return len > 0 && (size_t)len < sizeof s->beside
               ? LARCH_EXIT_DONE
               : larch_app_usage(s->command, "%s: the name is too long", enrolled->path);
}

/* By value it goes into one message, with a signature of the device. */
static larch_exit check_length(const larch_app_session *s, int64_t alg)
{
    const larch_sig *sig = larch_sig_find((int)alg);
    if (s->enrolment.reference == LARCH_LAKE_BY_CWT_HASH ||
        (sig != NULL && s->cwt.len + sig->sig_len + MESSAGE_3_REST <= LARCH_COAP_UPLOAD_MAX))
        return LARCH_EXIT_DONE;
    return larch_app_refuse(s->command,
                            "%s is too long to be sent by value: make the enrolment with 'larch device "
                            "request --by hash', and 'larch device accept' the credential on the gateway",
                            s->cwt_path);
}

larch_exit larch_app_session_read_credential(larch_app_session *s)
{
    larch_cose_message m;
    larch_lake_claims claims;
    size_t len;
    if (s->enrolment.method != LARCH_LAKE_METHOD_SIGNATURES || s->enrolment.reference < LARCH_LAKE_BY_CWT)
        return LARCH_EXIT_DONE;
    if (access(s->cwt_path, F_OK) != 0)
        return larch_app_fail(s->command,
                              "%s: %s; have the authority sign the request of this device ('larch ca sign'), and put "
                              "its credential there",
                              s->cwt_path, strerror(errno));
    const larch_exit code = larch_app_file_read(s->command, s->cwt_path, s->cwt_bytes, sizeof s->cwt_bytes, &len);
    if (code != LARCH_EXIT_DONE)
        return code;
    s->cwt = (larch_bytes){s->cwt_bytes, len};
    if (larch_cose_parse_sign1(s->cwt, &m) == LARCH_OK && larch_lake_parse_ccs(m.content, &claims) == LARCH_OK &&
        larch_bytes_equal(claims.sub, s->enrolment.name) &&
        larch_bytes_equal(claims.key.kid, LARCH_BYTES(s->enrolment.kid)))
        return check_length(s, claims.key.alg);
    return larch_app_refuse(s->command, "%s is no credential for the key of this enrolment", s->cwt_path);
}

larch_exit larch_app_session_open_enrolled(larch_app_session *s, const char *command,
                                           const larch_app_enrolled *enrolled)
{
    bool is_new;
    memset(s, 0, sizeof *s);
    s->command = command;
    s->state.file = -1;
    s->is_enrolled = true;
    s->has_no_clock = enrolled->has_no_clock;
    larch_exit code = read_enrolment(s, enrolled->path);
    (void)snprintf(s->cwt_path, sizeof s->cwt_path, "%.1000s" LARCH_APP_CWT_SUFFIX, enrolled->path);
    if (code == LARCH_EXIT_DONE && (code = larch_app_session_read_credential(s)) == LARCH_EXIT_DONE &&
        (code = name_state(s, enrolled)) == LARCH_EXIT_DONE)
        code = larch_context_state_open_enrolled(&s->state, command, s->beside, LARCH_BYTES(s->enrolment.psk), &is_new);
    if (code != LARCH_EXIT_DONE)
        (void)larch_app_session_close(s, UINT64_MAX);
    return code;
}

uint64_t larch_app_session_unix_s(const larch_app_session *s)
{
    if (!s->has_no_clock)
        return larch_posix_unix_ns() / 1000000000;
    return s->clock_s > 0 ? s->clock_s + (larch_posix_now_ms() - s->clock_at_ms) / 1000 : 0;
}

/* Without a clock nobody knows how old a session is that an earlier run made. */
bool larch_app_session_needs_handshake(const larch_app_session *s)
{
    const larch_context_record *r = &s->state.stored;
    const uint64_t unix_s = larch_app_session_unix_s(s);
    return r->made.session.aead == NULL || s->state.messages >= RENEW_MESSAGES ||
           r->next + 2 * LARCH_CONTEXT_GRANT > LARCH_OSCORE_NUMBER_MAX || unix_s == 0 ||
           (unix_s > r->made.made_s && unix_s - r->made.made_s >= RENEW_S);
}

larch_exit larch_app_session_take_up(larch_app_session *s)
{
    const larch_lake_oscore *o = &s->state.stored.made.session;
    s->parameters = (larch_oscore_parameters){.aead = o->aead,
                                              .hash = o->hash,
                                              .master_secret = {o->master_secret, o->master_secret_len},
                                              .master_salt = LARCH_BYTES(o->master_salt),
                                              .sender_id = {o->sender_id.bytes, o->sender_id.len},
                                              .recipient_id = {o->recipient_id.bytes, o->recipient_id.len}};
    s->before = s->state.messages;
    s->counted = 0;
    s->failure = LARCH_EXIT_DONE;
#if LARCH_KEYLOG
    const larch_exit logged = larch_app_keylog(s->command, &s->parameters);
    if (logged != LARCH_EXIT_DONE)
        return logged;
#endif
    return larch_context_state_grant(&s->state, &s->first, &s->end);
}

/* ---- a run ----------------------------------------------------------------- */

/* What the state returned, as the library takes it. */
static larch_error result(larch_app_session *s, larch_exit code)
{
    if (code == LARCH_EXIT_DONE)
        return LARCH_OK;
    s->failure = code;
    return code == LARCH_EXIT_REFUSED ? LARCH_SPENT : LARCH_PLATFORM;
}

larch_error larch_app_session_grant(larch_app_session *s, uint64_t end)
{
    uint64_t first;
    larch_exit code = LARCH_EXIT_DONE;
    if (end > LARCH_OSCORE_NUMBER_MAX + 1)
        end = LARCH_OSCORE_NUMBER_MAX + 1;
    while (code == LARCH_EXIT_DONE && s->end < end)
        code = larch_context_state_grant(&s->state, &first, &s->end);
    return result(s, code);
}

larch_error larch_app_session_count(larch_app_session *s, uint64_t messages)
{
    if (messages <= s->counted)
        return LARCH_OK;
    const uint64_t more = messages - s->counted;
    const larch_error e =
        result(s, larch_context_state_count(&s->state, more < UINT32_MAX ? (uint32_t)more : UINT32_MAX));
    if (e == LARCH_OK)
        s->counted = messages;
    return e;
}

larch_exit larch_app_session_begin(const larch_app_session *s, larch_session *out)
{
    memset(out, 0, sizeof *out);
    const larch_error e = larch_oscore_context_init(&out->oscore, &s->parameters);
    if (e != LARCH_OK)
        return larch_app_fail(s->command, "the context: %s",
                              e == LARCH_STATE ? "this larch has no such algorithm" : larch_error_text(e));
    out->number = out->device = 1; /* the only one */
    out->own_used = (uint32_t)s->before;
    return LARCH_EXIT_DONE;
}

larch_exit larch_app_session_close(larch_app_session *s, uint64_t next)
{
    const larch_exit code = s->command != NULL ? larch_context_state_close(&s->state, next) : LARCH_EXIT_DONE;
    larch_wipe(s, sizeof *s);
    return code;
}

bool larch_app_is_reading_path(const char *path)
{
    return strncmp(path, "r/", 2) == 0 && path[2] != '\0' && strchr(path + 2, '/') == NULL;
}
