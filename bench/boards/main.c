/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pq room on a bare RV32IMAC processor (QEMU's virt): for each operation the
 * instructions it takes and the stack it needs, by painting. Prints one line each:
 * operation, instructions, bytes of stack.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "larch/kem.h"
#include "pq/pq.h"

enum { STACK = 12 * 1024, PAINT = 0xa5 };

static uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX], ss[2][LARCH_KEM_SS_LEN], seed[64];

static void keygen(void) { larch_mlkem_512.keygen(seed, ek, dk); }
static void encaps(void) { larch_mlkem_512.encaps(ek, seed, ct, ss[0]); }
static void decaps(void) { larch_mlkem_512.decaps(dk, ct, ss[1]); }

static uint32_t instructions(void)
{
    uint32_t n;
    __asm__ volatile("csrr %0, minstret" : "=r"(n));
    return n;
}

/* Paints the stack below this frame, and tells how much of the paint is gone. */
static __attribute__((noinline)) uint32_t paint(int check)
{
    volatile uint8_t below[STACK];
    uint32_t clean = 0;
    if (!check)
        for (uint32_t i = 0; i < STACK; i++)
            below[i] = PAINT;
    else
        while (clean < STACK && below[clean] == PAINT)
            clean++;
    return STACK - clean;
}

static void measure(const char *name, void (*f)(void))
{
    (void)paint(0);
    uint32_t n = instructions();
    f();
    n = instructions() - n;
    printf("%s %lu %lu\n", name, (unsigned long)n, (unsigned long)paint(1));
}

static int put(char c, FILE *file)
{
    (void)file;
    *(volatile uint8_t *)0x10000000 = (uint8_t)c;
    return c;
}
static FILE out = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &out;

int main(void)
{
    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    measure("keygen", keygen);
    measure("encaps", encaps);
    measure("decaps", decaps);
    printf("agree %d\n", memcmp(ss[0], ss[1], sizeof ss[0]) == 0);
    *(volatile uint32_t *)0x100000 = 0x5555;
    return 0;
}
