/* SPDX-License-Identifier: Apache-2.0 */
/* The sender's states and failures, and what a user can do about these. */
#include "larch/sender.h"

#define TEXT(name, text) [LARCH_SENDER_##name] = (text),
static const char *const state_texts[] = {LARCH_SENDER_STATES(TEXT)};
#undef TEXT
#define TEXT(name, text, advice) [LARCH_SENDER_FAIL_##name] = (text),
static const char *const failure_texts[] = {LARCH_SENDER_FAILURES(TEXT)};
#undef TEXT
#define ADVICE(name, text, advice) [LARCH_SENDER_FAIL_##name] = (advice),
static const char *const failure_advices[] = {LARCH_SENDER_FAILURES(ADVICE)};
#undef ADVICE

const char *larch_sender_state_text(larch_sender_state state)
{
    return state < sizeof state_texts / sizeof state_texts[0] ? state_texts[state] : "?";
}

const char *larch_sender_failure_text(larch_sender_failure failure)
{
    return failure < sizeof failure_texts / sizeof failure_texts[0] ? failure_texts[failure] : "?";
}

const char *larch_sender_failure_advice(larch_sender_failure failure)
{
    return failure < sizeof failure_advices / sizeof failure_advices[0] ? failure_advices[failure] : "?";
}
