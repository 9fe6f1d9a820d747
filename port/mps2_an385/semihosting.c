/* SPDX-License-Identifier: Apache-2.0 */
#include "semihosting.h"

#include <string.h>

#include "board/lock.h"

/* Operations, and modes of SYS_OPEN as fopen's. */
enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_SEEK = 0x0a, SYS_FLEN = 0x0c };
enum { MODE_RB = 1, MODE_RB_PLUS = 3 };

static int32_t call(uint32_t operation, const uint32_t *arguments)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const uint32_t *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

int larch_semihosting_open(const char *name, bool writable)
{
    const uint32_t arguments[] = {(uint32_t)(uintptr_t)name, writable ? MODE_RB_PLUS : MODE_RB, strlen(name)};
    return call(SYS_OPEN, arguments);
}

void larch_semihosting_close(int file)
{
    const uint32_t arguments[] = {(uint32_t)file};
    (void)call(SYS_CLOSE, arguments);
}

uint32_t larch_semihosting_len(int file)
{
    const uint32_t arguments[] = {(uint32_t)file};
    const int32_t len = call(SYS_FLEN, arguments);
    return len < 0 ? 0 : (uint32_t)len;
}

/* Both answer with the bytes that are left. */
larch_error larch_semihosting_read(int file, uint8_t *out, size_t len)
{
    const uint32_t arguments[] = {(uint32_t)file, (uint32_t)(uintptr_t)out, len};
    return call(SYS_READ, arguments) == 0 ? LARCH_OK : LARCH_PLATFORM;
}

static larch_error write(int file, larch_bytes bytes)
{
    const uint32_t arguments[] = {(uint32_t)file, (uint32_t)(uintptr_t)bytes.data, bytes.len};
    return call(SYS_WRITE, arguments) == 0 ? LARCH_OK : LARCH_PLATFORM;
}

static larch_error seek(int file, uint32_t at)
{
    const uint32_t arguments[] = {(uint32_t)file, at};
    return call(SYS_SEEK, arguments) == 0 ? LARCH_OK : LARCH_PLATFORM;
}

larch_error larch_semihosting_read_at(int file, uint32_t at, uint8_t *out, size_t len)
{
    const uint32_t before = larch_interrupts_off(); /* nobody seeks elsewhere in between */
    larch_error r = seek(file, at);
    if (r == LARCH_OK)
        r = larch_semihosting_read(file, out, len);
    larch_interrupts_back(before);
    return r;
}

larch_error larch_semihosting_write_at(int file, uint32_t at, larch_bytes bytes)
{
    const uint32_t before = larch_interrupts_off();
    larch_error r = seek(file, at);
    if (r == LARCH_OK)
        r = write(file, bytes);
    larch_interrupts_back(before);
    return r;
}
