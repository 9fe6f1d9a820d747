/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flash with any content. The first byte chooses what is made right before it is mounted, so that the fuzzer gets
 * past the checksums: bit 0 the heads of the sectors, bit 1 those of the entries, bit 2 the cells; bit 3 makes marks
 * whole. The upper bits say how often a file is written then. What does not mount is not written to; what mounts keeps its files, also when others are written.
 */
#include <string.h>

#include "fuzz.h"
#include "nor.h"
#include "seal.h"

enum { SECTOR = 1024, SECTORS = 3, SIZE = SECTOR * SECTORS, HEAD = 32, ENTRY = 60, CELL = 24, NAMES = 4 };

static const char *const names[NAMES] = {"direct-512.key", "replay-512-1.log", "a", "b"};

static void repair(uint8_t *sector, uint8_t what)
{
    static const uint8_t front[8] = {'L', 'N', 'O', 'R', 1, 10, 0, SECTORS};
    if ((what & 1) != 0) {
        memcpy(sector, front, sizeof front);
        seal_crc(sector, 12);
        if ((what & 8) != 0)
            seal_put_u32(sector + 16, 0);
    }
    for (size_t at = HEAD; (what & 2) != 0 && at + ENTRY <= SECTOR && (sector[at] == 'F' || sector[at] == 'E');) {
        const size_t cells = (size_t)sector[at + 4] << 8 | sector[at + 5];
        sector[at + 47] = '\0';
        seal_crc(sector + at, 48);
        if ((what & 8) != 0)
            seal_put_u32(sector + at + 52, 0);
        at += ENTRY;
        for (size_t i = 0; i < cells && at + CELL <= SECTOR; i++, at += CELL)
            if ((what & 4) != 0 && sector[at] != LARCH_STORAGE_ERASED)
                seal_crc(sector + at, 16);
    }
}

typedef struct content {
    uint32_t size;
    uint8_t bytes[SIZE];
} content;

static void load(const larch_storage *f, const char *name, content *c)
{
    memset(c, 0, sizeof *c);
    require(f->size(f->context, name, &c->size) == LARCH_OK);
    if (c->size == LARCH_STORAGE_NONE)
        return;
    require(c->size <= SIZE && f->read(f->context, name, 0, c->bytes, c->size) == LARCH_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t before[SIZE];
    static content found[NAMES], again;
    static larch_nor_files files;
    larch_nor_files_fault fault;
    larch_sim_nor sim;
    if (size == 0 || size - 1 > SIZE)
        return 0;
    larch_sim_nor_init(&sim, size, SECTOR, SECTORS);
    if (size > 1)
        memcpy(sim.bytes, data + 1, size - 1);
    for (size_t s = 0; s < SECTORS; s++)
        repair(sim.bytes + s * SECTOR, data[0]);
    sim.refuses = true;
    memcpy(before, sim.bytes, SIZE);

    larch_error e = larch_nor_files_mount(&files, &sim.nor, &fault);
    const larch_storage f = larch_nor_files_storage(&files);
    require((e == LARCH_OK) == (fault == LARCH_NOR_FILES_NONE));
    if (e != LARCH_OK) {
        require(e == LARCH_MALFORMED);
        require(sim.operations == 0 && memcmp(before, sim.bytes, SIZE) == 0);
        require(larch_nor_files_format(&files, &sim.nor, &fault) == LARCH_OK);
    }
    for (size_t i = 0; i < NAMES; i++)
        load(&f, names[i], &found[i]);
    /* Often enough that sectors are emptied for it. */
    const larch_bytes news = LARCH_TEXT("news");
    bool written = true;
    for (int i = 0; i < 1 + (data[0] >> 4) && written; i++)
        if ((written = f.replace(f.context, "new", news, 180) == LARCH_OK))
            require(f.write(f.context, "new", 16, news) == LARCH_OK);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < NAMES; i++) {
            load(&f, names[i], &again);
            require(again.size == found[i].size && memcmp(again.bytes, found[i].bytes, SIZE) == 0);
        }
        if (written) {
            load(&f, "new", &again);
            require(again.size == 184 && memcmp(again.bytes, "news", 4) == 0 &&
                    memcmp(again.bytes + 16, "news", 4) == 0);
        }
        if (round == 0)
            require(larch_nor_files_mount(&files, &sim.nor, &fault) == LARCH_OK);
    }
    larch_sim_nor_free(&sim);
    return 0;
}
