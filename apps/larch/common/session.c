/* SPDX-License-Identifier: Apache-2.0 */
#include "common/session.h"

#include <string.h>

#include "common/keylog.h"
#include "common/secret_file.h"

#define RENEW_S        (LARCH_SESSION_LIFE_S - 12 * 3600) /* age at which a session is renewed */
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

larch_exit larch_app_session_open_enrolled(larch_app_session *s, const char *command, const char *path)
{
    bool is_new;
    memset(s, 0, sizeof *s);
    s->command = command;
    s->state.file = -1;
    s->is_enrolled = true;
    larch_exit code = read_enrolment(s, path);
    if (code == LARCH_EXIT_DONE)
        code = larch_context_state_open_enrolled(&s->state, command, path, LARCH_BYTES(s->enrolment.psk), &is_new);
    if (code != LARCH_EXIT_DONE)
        (void)larch_app_session_close(s, UINT64_MAX);
    return code;
}

bool larch_app_session_needs_handshake(const larch_app_session *s, uint64_t unix_s)
{
    const larch_context_record *r = &s->state.stored;
    return r->made.session.aead == NULL || s->state.messages >= RENEW_MESSAGES ||
           r->next + 2 * LARCH_CONTEXT_GRANT > LARCH_OSCORE_NUMBER_MAX ||
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
