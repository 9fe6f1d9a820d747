/* SPDX-License-Identifier: Apache-2.0 */
#include "larch/base.h"

#define ERROR_NAME(name, value, text) [value] = #name,
#define ERROR_TEXT(name, value, text) [value] = (text),
#define STEP_TEXT(name, text)         [LARCH_STEP_##name] = (text),

static const char *const error_names[] = {LARCH_ERRORS(ERROR_NAME)};
static const char *const error_texts[] = {LARCH_ERRORS(ERROR_TEXT)};
static const char *const step_texts[] = {LARCH_STEPS(STEP_TEXT)};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *pick(const char *const *names, size_t count, size_t index)
{
    return index < count && names[index] != NULL ? names[index] : "?";
}

const char *larch_error_name(larch_error error) { return pick(error_names, COUNT(error_names), (size_t)error); }
const char *larch_error_text(larch_error error) { return pick(error_texts, COUNT(error_texts), (size_t)error); }
const char *larch_step_text(larch_step step) { return pick(step_texts, COUNT(step_texts), (size_t)step); }
