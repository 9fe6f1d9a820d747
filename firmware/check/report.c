/* SPDX-License-Identifier: Apache-2.0 */
/* What the image prints, and whether anything failed. */
#include <string.h>

#include "board/board.h"

#include "check.h"

static bool all_passed = true;

void larch_check_say(const char *text) { larch_board_line_flush((larch_bytes){(const uint8_t *)text, strlen(text)}); }

const char *larch_check_digits(uint32_t value, char digits[LARCH_CHECK_DIGITS])
{
    size_t at = LARCH_CHECK_DIGITS - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return digits + at;
}

void larch_check(const char *name, bool passed)
{
    larch_check_say(passed ? "ok " : "FAILED ");
    larch_check_say(name);
    larch_check_say("\n");
    all_passed = all_passed && passed;
}

bool larch_check_all_passed(void) { return all_passed; }
