/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EMULATION, not hardware: the board has no flash that could be programmed, so a file of the emulator's host, keys.flash in
 * its current folder, stands for a chip with the small sectors of a BL602's. Where a file would overwrite, the driver
 * refuses what a chip cannot do.
 */
#include <string.h>

#include "board/board.h"

#include "mps2.h"
#include "semihosting.h"

#define SECTOR_SIZE  0x1000u
#define SECTOR_COUNT 8u
#define SIZE         (SECTOR_SIZE * SECTOR_COUNT)

/* Handled at one go; a power cut may fall between two. */
#define GO_LEN 128u

static int file = LARCH_SEMIHOSTING_NONE;

static bool inside(uint32_t at, size_t len) { return file != LARCH_SEMIHOSTING_NONE && at <= SIZE && len <= SIZE - at; }

static size_t go_len(size_t left) { return left < GO_LEN ? left : GO_LEN; }

static larch_error read(void *context, uint32_t at, uint8_t *out, size_t len)
{
    (void)context;
    if (!inside(at, len))
        return LARCH_PLATFORM;
    return len == 0 ? LARCH_OK : larch_semihosting_read_at(file, at, out, len);
}

/* Whether all of bytes can be had by turning ones into zeros. */
static larch_error check(uint32_t at, larch_bytes bytes)
{
    uint8_t old[GO_LEN];
    for (size_t done = 0; done < bytes.len; done += go_len(bytes.len - done)) {
        const size_t len = go_len(bytes.len - done);
        const larch_error r = larch_semihosting_read_at(file, at + (uint32_t)done, old, len);
        if (r != LARCH_OK)
            return r;
        for (size_t i = 0; i < len; i++)
            if ((bytes.data[done + i] & ~old[i]) != 0)
                return LARCH_PLATFORM;
    }
    return LARCH_OK;
}

static larch_error program(void *context, uint32_t at, larch_bytes bytes)
{
    (void)context;
    if (!inside(at, bytes.len))
        return LARCH_PLATFORM;
    larch_error r = check(at, bytes);
    while (r == LARCH_OK && bytes.len > 0) {
        const size_t len = go_len(bytes.len);
        r = larch_semihosting_write_at(file, at, (larch_bytes){bytes.data, len});
        at += (uint32_t)len;
        bytes.data += len;
        bytes.len -= len;
    }
    return r;
}

static larch_error erase(void *context, uint32_t sector)
{
    (void)context;
    if (sector >= SECTOR_COUNT || !inside(0, 0))
        return LARCH_PLATFORM;
    uint8_t ones[GO_LEN];
    memset(ones, 0xff, sizeof ones);
    larch_error r = LARCH_OK;
    for (uint32_t at = 0; at < SECTOR_SIZE && r == LARCH_OK; at += GO_LEN)
        r = larch_semihosting_write_at(file, sector * SECTOR_SIZE + at, LARCH_BYTES(ones));
    return r;
}

static const larch_nor nor = {NULL, SECTOR_SIZE, SECTOR_COUNT, read, program, erase};

const larch_nor *larch_board_flash(void) { return &nor; }

void larch_mps2_flash_start(void)
{
    file = larch_semihosting_open("keys.flash", true);
    if (file != LARCH_SEMIHOSTING_NONE && larch_semihosting_len(file) < SIZE) {
        larch_semihosting_close(file);
        file = LARCH_SEMIHOSTING_NONE;
    }
}

void larch_mps2_flash_stop(void) { larch_semihosting_close(file); }
