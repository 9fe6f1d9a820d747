/* SPDX-License-Identifier: Apache-2.0 */
/* What devices may use; and several changes as one. */
#include "registry/policy.h"

#include <string.h>

#include "registry/sessions_int.h"

larch_error larch_sessions_begin_changes(larch_sessions *s)
{
    return s->failed ? LARCH_PLATFORM : larch_sessions_wrote(s, larch_sessions_db_begin_changes(s->db, &s->why));
}

larch_error larch_sessions_end_changes(larch_sessions *s, bool keep)
{
    return larch_sessions_wrote(s, larch_sessions_db_end_changes(s->db, keep, &s->why));
}

larch_error larch_sessions_set_policy(larch_sessions *s, uint64_t device, const larch_policy_entry *entries,
                                      size_t count)
{
    if (s->failed)
        return LARCH_PLATFORM;
    if (count > LARCH_POLICY_MAX)
        return larch_registry_fail(&s->why, "the policy of a device", LARCH_REGISTRY_INVALID, "has too many entries");
    const larch_error e = larch_sessions_wrote(s, larch_sessions_db_set_policy(s->db, device, entries, count, &s->why));
    s->has_policies = s->has_policies || (e == LARCH_OK && count > 0);
    return e;
}

bool larch_sessions_allows(larch_sessions *s, uint64_t device, larch_bytes name, unsigned right)
{
    bool allows = false;
    if (!s->has_policies)
        return true;
    return larch_sessions_db_allows(s->db, device, name, right, &allows, &s->why) == LARCH_OK && allows;
}

larch_error larch_sessions_next_policy(larch_sessions *s, uint64_t device, larch_policy_entry *entry)
{
    const larch_error e = larch_sessions_db_next_policy(s->db, device, entry, &s->why);
    return e == LARCH_OK || e == LARCH_AGAIN ? e : LARCH_PLATFORM;
}
