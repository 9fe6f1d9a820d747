/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device may use (registry/policy.h), as an operator writes it and as the control socket carries it.
 *
 *     r/level    report:/r/level    read:r/level       one entry, of which the name may be "*"; /r/level is r/level
 *     3level/1temp                                     all of them in one word: rights and name; "-": none
 */
#ifndef LARCH_APP_POLICY_WORD_H
#define LARCH_APP_POLICY_WORD_H

#include "larch/base.h"
#include "registry/policy.h"

#define LARCH_APP_POLICY_WANTS                                                                                 \
    "a resource as r/NAME, of 1 to 32 printable bytes, or r/* for all; report: or read: before it allows one " \
    "direction"
#define LARCH_APP_POLICY_WORD_MAX (LARCH_POLICY_MAX * (LARCH_READING_NAME_MAX + 2))

/* text is untrusted. false: it is none, and *entry is unchanged. */
bool larch_app_policy_parse(larch_bytes text, larch_policy_entry *entry);
/* What larch_app_policy_parse takes. */
void larch_app_policy_put(larch_writer *w, const larch_policy_entry *entry);
void larch_app_policy_put_word(larch_writer *w, const larch_policy_entry *entries, size_t count);
/* word is untrusted. false: it is none, or has more than LARCH_POLICY_MAX entries. */
bool larch_app_policy_take_word(larch_bytes word, larch_policy_entry entries[LARCH_POLICY_MAX], size_t *count);

#endif
