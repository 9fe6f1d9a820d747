/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partition for keys, over the SDK's calls. Those say that all went well whatever the chip did, and program what a chip
 * cannot: so every byte is looked at before and after. While they work the processor reads no code from flash and serves no
 * interrupts.
 */
#include <string.h>

#include "bl602.h"
#include "bl_mtd.h"
#include "board/board.h"
#include "board/nor_files.h"

#define SECTOR_SIZE 4096u
#define CHUNK       128u /* at a time, of RAM: the chip's own flash cannot be read while it is programmed */

static bl_mtd_handle_t partition;

static larch_error read(void *context, uint32_t at, uint8_t *out, size_t len);
static larch_error program(void *context, uint32_t at, larch_bytes bytes);
static larch_error erase(void *context, uint32_t sector);
static larch_nor nor = {NULL, SECTOR_SIZE, 0, read, program, erase};

static bool inside(uint32_t at, size_t len)
{
    const uint32_t size = nor.sector_size * nor.sector_count;
    return at <= size && len <= size - at;
}

static larch_error read(void *context, uint32_t at, uint8_t *out, size_t len)
{
    (void)context;
    if (!inside(at, len))
        return LARCH_PLATFORM;
    return len == 0 || bl_mtd_read(partition, at, (unsigned)len, out) == 0 ? LARCH_OK : LARCH_PLATFORM;
}

/* Whether all of it reads as that. */
static bool reads_as(uint32_t at, const uint8_t *wanted, size_t len)
{
    uint8_t found[CHUNK];
    return bl_mtd_read(partition, at, (unsigned)len, found) == 0 && memcmp(found, wanted, len) == 0;
}

/* At most CHUNK. */
static larch_error program_chunk(uint32_t at, larch_bytes bytes)
{
    uint8_t chunk[CHUNK];
    if (bl_mtd_read(partition, at, (unsigned)bytes.len, chunk) != 0)
        return LARCH_PLATFORM;
    for (size_t i = 0; i < bytes.len; i++)
        if ((bytes.data[i] & ~chunk[i]) != 0)
            return LARCH_PLATFORM;
    if (memcmp(chunk, bytes.data, bytes.len) == 0)
        return LARCH_OK;
    memcpy(chunk, bytes.data, bytes.len);
    if (bl_mtd_write(partition, at, (unsigned)bytes.len, chunk) != 0)
        return LARCH_PLATFORM;
    return reads_as(at, chunk, bytes.len) ? LARCH_OK : LARCH_PLATFORM;
}

static larch_error program(void *context, uint32_t at, larch_bytes bytes)
{
    larch_error r = LARCH_OK;
    (void)context;
    if (!inside(at, bytes.len))
        return LARCH_PLATFORM;
    for (size_t done = 0, len; done < bytes.len && r == LARCH_OK; done += len) {
        len = bytes.len - done < CHUNK ? bytes.len - done : CHUNK;
        r = program_chunk(at + (uint32_t)done, (larch_bytes){bytes.data + done, len});
    }
    return r;
}

static larch_error erase(void *context, uint32_t sector)
{
    uint8_t erased[CHUNK];
    (void)context;
    if (sector >= nor.sector_count || bl_mtd_erase(partition, sector * SECTOR_SIZE, SECTOR_SIZE) != 0)
        return LARCH_PLATFORM;
    memset(erased, 0xff, sizeof erased);
    for (uint32_t at = 0; at < SECTOR_SIZE; at += CHUNK)
        if (!reads_as(sector * SECTOR_SIZE + at, erased, CHUNK))
            return LARCH_PLATFORM;
    return LARCH_OK;
}

const larch_nor *larch_board_flash(void) { return &nor; }

/* Without a partition there are no sectors, which is what the files say then. */
void larch_bl602_flash_start(void)
{
    bl_mtd_info_t info;
    nor.sector_count = 0;
    if (bl_mtd_open(LARCH_BL602_PARTITION, &partition, BL_MTD_OPEN_FLAG_NONE) != 0 ||
        bl_mtd_info(partition, &info) != 0 || info.offset % SECTOR_SIZE != 0)
        return;
    const uint32_t count = info.size / SECTOR_SIZE;
    nor.sector_count = count < LARCH_NOR_FILES_SECTORS ? count : LARCH_NOR_FILES_SECTORS;
}
