/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nor.h"

/* SplitMix64: every seed, 0 too, gives an even stream. */
static uint64_t draw(larch_sim_nor *s)
{
    uint64_t z = s->seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static larch_error wrong(const larch_sim_nor *s, const char *what)
{
    if (s->refuses)
        return LARCH_PLATFORM;
    fprintf(stderr, "NOR simulation: %s\n", what);
    abort();
}

/* A tear has a way of its own: nothing, all, the front, or each bit by its own chance. */
typedef struct tear {
    uint64_t way;
    uint64_t chance; /* of 256 */
    size_t front;
} tear;

static tear draw_tear(larch_sim_nor *s, size_t len)
{
    return (tear){draw(s) % 5, draw(s) % 257, len > 0 ? draw(s) % (len + 1) : 0};
}

/* Which bits of byte i the operation reached. */
static uint8_t reached(larch_sim_nor *s, const tear *t, size_t i)
{
    uint8_t mask = 0;
    if (t->way == 0)
        return 0;
    if (t->way == 1)
        return 0xff;
    if (t->way == 2 && i != t->front)
        return i < t->front ? 0xff : 0;
    for (int bit = 0; bit < 8; bit++)
        mask = (uint8_t)(mask << 1 | (draw(s) % 256 < t->chance));
    return mask;
}

/* Whether the operation is done whole; if not it is torn. */
static bool begin(larch_sim_nor *s, bool sector_fails)
{
    const uint32_t number = s->operations++;
    if (number == s->cut_at)
        s->off = true;
    return !s->off && !sector_fails && !(number >= s->fail_at && number - s->fail_at < s->fail_count);
}

static bool is_outside(const larch_sim_nor *s, uint32_t at, size_t len)
{
    const size_t size = (size_t)s->nor.sector_size * s->nor.sector_count;
    return at > size || len > size - at;
}

static larch_error sim_read(void *context, uint32_t at, uint8_t *out, size_t len)
{
    larch_sim_nor *s = context;
    if (is_outside(s, at, len))
        return wrong(s, "a read outside");
    if (s->cut_read != LARCH_SIM_NOR_NEVER && s->cut_read-- == 0)
        s->off = true;
    if (s->off)
        return LARCH_PLATFORM;
    memcpy(out, s->bytes + at, len);
    return LARCH_OK;
}

static larch_error sim_program(void *context, uint32_t at, larch_bytes bytes)
{
    larch_sim_nor *s = context;
    if (is_outside(s, at, bytes.len))
        return wrong(s, "a program outside");
    if (s->off)
        return LARCH_PLATFORM;
    for (size_t i = 0; i < bytes.len; i++)
        if ((s->bytes[at + i] & bytes.data[i]) != bytes.data[i])
            return wrong(s, "a program that would turn a zero into a one");
    s->programmed += bytes.len;
    if (begin(s, s->program_fails[at / s->nor.sector_size])) {
        for (size_t i = 0; i < bytes.len; i++)
            s->bytes[at + i] &= bytes.data[i];
        return LARCH_OK;
    }
    const tear t = draw_tear(s, bytes.len);
    for (size_t i = 0; i < bytes.len; i++)
        s->bytes[at + i] &= (uint8_t)(bytes.data[i] | ~reached(s, &t, i));
    return LARCH_PLATFORM;
}

static larch_error sim_erase(void *context, uint32_t sector)
{
    larch_sim_nor *s = context;
    if (sector >= s->nor.sector_count)
        return wrong(s, "an erase outside");
    if (s->off)
        return LARCH_PLATFORM;
    uint8_t *bytes = s->bytes + (size_t)sector * s->nor.sector_size;
    s->erases[sector]++;
    if (begin(s, s->erase_fails[sector])) {
        memset(bytes, 0xff, s->nor.sector_size);
        return LARCH_OK;
    }
    const tear t = draw_tear(s, s->nor.sector_size);
    const bool noise = draw(s) % 2 == 0;
    for (size_t i = 0; i < s->nor.sector_size; i++) {
        const uint8_t mask = reached(s, &t, i);
        bytes[i] = (uint8_t)((bytes[i] & ~mask) | (mask & (noise ? (uint8_t)draw(s) : 0xff)));
    }
    return LARCH_PLATFORM;
}

void larch_sim_nor_init(larch_sim_nor *sim, uint64_t seed, uint32_t sector_size, uint32_t sector_count)
{
    memset(sim, 0, sizeof *sim);
    sim->nor = (larch_nor){sim, sector_size, sector_count, sim_read, sim_program, sim_erase};
    sim->bytes = malloc((size_t)sector_size * sector_count);
    if (sim->bytes == NULL || sector_count > LARCH_SIM_NOR_SECTORS)
        abort();
    memset(sim->bytes, 0xff, (size_t)sector_size * sector_count);
    sim->seed = seed;
    larch_sim_nor_power_on(sim);
}

void larch_sim_nor_free(larch_sim_nor *sim) { free(sim->bytes); }

void larch_sim_nor_power_on(larch_sim_nor *sim)
{
    sim->off = false;
    sim->cut_at = LARCH_SIM_NOR_NEVER;
    sim->cut_read = LARCH_SIM_NOR_NEVER;
    sim->fail_at = LARCH_SIM_NOR_NEVER;
    sim->fail_count = 1;
}
