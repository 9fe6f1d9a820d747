/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

/* ---- output ------------------------------------------------------------ */

void board_put_text(const char *s)
{
    while (*s != '\0')
        board_put(*s++);
}

static void put_number(uint32_t n)
{
    char digits[10];
    unsigned len = 0;
    do
        digits[len++] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    while (len > 0)
        board_put(digits[--len]);
}

/* ---- measuring --------------------------------------------------------- */

#define PAINT_WORDS 0x8000u /* 128 KiB, more than any operation's stack */
#define PAINT       0x5aa5c33cu

__attribute__((noinline)) void board_measure(const char *name, const char *operation, void (*what)(void))
{
    volatile uint32_t *top;
#if defined(__riscv)
    __asm__ volatile("mv %0, sp" : "=r"(top));
#else
    __asm__ volatile("mov %0, sp" : "=r"(top));
#endif
    for (unsigned i = 1; i <= PAINT_WORDS; i++)
        *(top - i) = PAINT;
    uint32_t before = board_instructions();
    what();
    uint32_t after = board_instructions();
    unsigned depth = PAINT_WORDS;
    while (depth > 0 && *(top - depth) == PAINT)
        depth--;
    board_put_text(name);
    board_put_text(operation);
    board_put(' ');
    put_number(after - before);
    board_put(' ');
    put_number(4 * depth);
    board_put('\n');
}
