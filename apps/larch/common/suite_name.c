/* SPDX-License-Identifier: Apache-2.0 */
#include "common/suite_name.h"

#include <stdlib.h>
#include <string.h>

#define ROW(name, number) {(name), (number)},
static const struct {
    const char *name;
    int number;
} suites[LARCH_APP_SUITE_COUNT] = {LARCH_APP_SUITES(ROW)};
#undef ROW

const larch_lake_suite *larch_app_suite_find(const char *text)
{
    char *end;
    const long number = strtol(text, &end, 10);
    for (size_t i = 0; i < LARCH_APP_SUITE_COUNT; i++)
        if (strcmp(text, suites[i].name) == 0 || (end != text && *end == '\0' && number == suites[i].number))
            return larch_lake_suite_find(suites[i].number);
    return NULL;
}

const char *larch_app_suite_name(int number)
{
    for (size_t i = 0; i < LARCH_APP_SUITE_COUNT; i++)
        if (suites[i].number == number)
            return suites[i].name;
    return "?";
}
