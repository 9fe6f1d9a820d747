/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partition for keys: the first sectors of pflash unit 1, two 16-bit chips with Intel's command set side by side, so
 * that each command and each status is there twice in a 32-bit word.
 *
 * The emulated chips overwrite where real ones can only turn ones into zeros; the driver refuses what real ones cannot.
 * Commands are given with interrupts off and the chips are left reading, so nobody ever reads a status for data.
 */
#include <string.h>

#include "board/board.h"
#include "board/lock.h"
#include "board/mmio.h"

#include "drivers.h"
#include "virt.h"

#define BOTH(command) ((uint32_t)(command) << 16 | (command))

#define READ_ARRAY    BOTH(0xff)
#define READ_QUERY    BOTH(0x98)
#define CLEAR_STATUS  BOTH(0x50)
#define PROGRAM       BOTH(0x40)
#define ERASE         BOTH(0x20)
#define ERASE_CONFIRM BOTH(0xd0)

#define STATUS_READY  BOTH(0x80)
#define STATUS_ERRORS BOTH(0x3a) /* erase, program, voltage, protection */

#define QUERY_AT 0x55u /* words */
#define ID_AT    0x10u /* "QRY" [JESD68.01 2.1] */

#define SECTOR_SIZE  0x40000u
#define SECTOR_COUNT 8u
#define SIZE         (SECTOR_SIZE * SECTOR_COUNT)

/* Words programmed with interrupts off at one go. */
#define GO_WORDS 16u
/* Status reads before a chip counts as dead. */
#define POLLS    1000000u

static bool present;

static uintptr_t address(uint32_t at) { return (uintptr_t)LARCH_VIRT_FLASH_KEYS + at; }
static void command(uint32_t at, uint32_t value) { larch_mmio_write32(address(at), value); }
static bool inside(uint32_t at, size_t len) { return at <= SIZE && len <= SIZE - at; }

/* Both chips are done and neither complains. */
static larch_error wait(uint32_t at)
{
    uint32_t status = 0;
    for (unsigned i = 0; i < POLLS && (status & STATUS_READY) != STATUS_READY; i++)
        status = larch_mmio_read32(address(at));
    if ((status & STATUS_READY) == STATUS_READY && (status & STATUS_ERRORS) == 0)
        return LARCH_OK;
    command(at, CLEAR_STATUS);
    return LARCH_PLATFORM;
}

/* ---- larch_nor --------------------------------------------------------------- */

static larch_error read(void *context, uint32_t at, uint8_t *out, size_t len)
{
    (void)context;
    if (!present || !inside(at, len))
        return LARCH_PLATFORM;
    if (len > 0)
        memcpy(out, (const void *)address(at), len);
    return LARCH_OK;
}

/* The word at `at`, with those of bytes that belong into it; first is where bytes[0] goes. */
static uint32_t merge(uint32_t at, uint32_t first, larch_bytes bytes)
{
    uint8_t word[4];
    memcpy(word, (const void *)address(at), 4);
    for (uint32_t i = 0; i < 4; i++)
        if (at + i >= first && at + i - first < bytes.len)
            word[i] = bytes.data[at + i - first];
    uint32_t value;
    memcpy(&value, word, 4);
    return value;
}

static larch_error program(void *context, uint32_t first, larch_bytes bytes)
{
    (void)context;
    if (!present || !inside(first, bytes.len))
        return LARCH_PLATFORM;
    for (uint32_t i = 0; i < bytes.len; i++)
        if ((bytes.data[i] & ~larch_mmio_read8(address(first + i))) != 0)
            return LARCH_PLATFORM;

    uint32_t end = first + (uint32_t)bytes.len;
    larch_error r = LARCH_OK;
    for (uint32_t at = first & ~3u; at < end && r == LARCH_OK;) {
        uint32_t words[GO_WORDS];
        uint32_t count = 0;
        for (; count < GO_WORDS && at + 4 * count < end; count++)
            words[count] = merge(at + 4 * count, first, bytes);
        uint32_t before = larch_interrupts_off();
        for (uint32_t i = 0; i < count && r == LARCH_OK; i++, at += 4) {
            command(at, PROGRAM);
            command(at, words[i]);
            r = wait(at);
        }
        command(0, READ_ARRAY);
        larch_interrupts_back(before);
    }
    return r;
}

static larch_error erase(void *context, uint32_t sector)
{
    (void)context;
    if (!present || sector >= SECTOR_COUNT)
        return LARCH_PLATFORM;
    uint32_t at = sector * SECTOR_SIZE;
    uint32_t before = larch_interrupts_off();
    command(at, ERASE);
    command(at, ERASE_CONFIRM);
    larch_error r = wait(at);
    command(0, READ_ARRAY);
    larch_interrupts_back(before);
    return r;
}

static const larch_nor nor = {NULL, SECTOR_SIZE, SECTOR_COUNT, read, program, erase};

const larch_nor *larch_board_flash(void) { return &nor; }

/* Memory that is no flash does not answer the query. */
void larch_virt_flash_start(void)
{
    uint32_t before = larch_interrupts_off();
    command(4 * QUERY_AT, READ_QUERY);
    present = larch_mmio_read32(address(4 * ID_AT)) == BOTH('Q') &&
              larch_mmio_read32(address(4 * (ID_AT + 1))) == BOTH('R') &&
              larch_mmio_read32(address(4 * (ID_AT + 2))) == BOTH('Y');
    command(0, READ_ARRAY);
    larch_interrupts_back(before);
}
