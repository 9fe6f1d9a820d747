/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that wait for their devices. */
#include "registry/commands.h"
#include "registry/sessions_int.h"

const char *larch_command_state_text(unsigned state)
{
#define STATE_TEXT(name, value, text) \
    case (value):                     \
        return (text);
    switch (state) {
        LARCH_COMMAND_STATES(STATE_TEXT)
    default:
        return "?";
    }
#undef STATE_TEXT
}

larch_error larch_sessions_queue(larch_sessions *s, const larch_command_record *command, uint64_t *number)
{
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    if (s->failed)
        return LARCH_PLATFORM;
    if (!larch_sessions_name(s, command->device, name))
        return larch_registry_fail(&s->why, s->path, LARCH_REGISTRY_TAKEN, "holds no device of this number");
    const larch_error e = larch_sessions_db_queue(s->db, command, number, &s->why);
    return e == LARCH_BUSY && s->why.fault == LARCH_REGISTRY_CROWDED ? LARCH_BUSY : larch_sessions_wrote(s, e);
}

static larch_error set(larch_sessions *s, const larch_command_record *command, bool is_sent)
{
    return s->failed ? LARCH_PLATFORM
                     : larch_sessions_wrote(s, larch_sessions_db_set_command(s->db, command, is_sent, &s->why));
}

larch_error larch_sessions_command_sent(larch_sessions *s, const larch_command_record *command)
{
    larch_command_record sent = *command;
    sent.state = LARCH_COMMAND_SENT;
    const larch_error e = set(s, &sent, true);
    larch_wipe(&sent, sizeof sent);
    return e;
}

larch_error larch_sessions_command_changed(larch_sessions *s, const larch_command_record *command)
{
    return set(s, command, false);
}

larch_error larch_sessions_resume_commands(larch_sessions *s, uint64_t unix_s)
{
    return s->failed ? LARCH_PLATFORM
                     : larch_sessions_wrote(s, larch_sessions_db_resume_commands(s->db, unix_s, &s->why));
}

larch_error larch_sessions_next_command(larch_sessions *s, uint64_t device, uint64_t *at, larch_command_record *command)
{
    const larch_error e = larch_sessions_db_next_command(s->db, device, at, command, &s->why);
    return e == LARCH_OK || e == LARCH_AGAIN ? e : LARCH_PLATFORM;
}
