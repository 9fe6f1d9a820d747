/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A NOR flash in memory that tears, fails and wears on demand, for tests.
 *
 * Every program and every erase is one operation, counted from 0; reads count by themselves. The operation that a
 * power cut hits is torn as a seed decides: of a program's zeros any are there, of an erased sector's bits any are
 * anything. Wrong use (a bit that would have to turn into a one, a range outside) ends the program: a driver would
 * refuse it, but nothing of ours should ask.
 */
#ifndef LARCH_SIM_NOR_H
#define LARCH_SIM_NOR_H

#include "board/nor_files.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SIM_NOR_SECTORS 64
#define LARCH_SIM_NOR_NEVER   UINT32_MAX

typedef struct larch_sim_nor {
    larch_nor nor; /* hand this out */
    uint8_t *bytes;
    uint64_t seed;
    uint32_t operations; /* number of the next one */
    uint32_t cut_at;     /* the power goes during this operation; set freely */
    uint32_t cut_read;   /* or so many reads from now; set freely */
    uint32_t fail_at;    /* this one fails with LARCH_PLATFORM, in part; set freely */
    uint32_t fail_count; /* and so many in all, 1 by default; set freely */
    bool off;            /* everything fails until larch_sim_nor_power_on */
    bool refuses;        /* wrong use is LARCH_PLATFORM instead: for images that nobody wrote */

    /* set freely */
    bool erase_fails[LARCH_SIM_NOR_SECTORS];
    bool program_fails[LARCH_SIM_NOR_SECTORS];

    uint32_t erases[LARCH_SIM_NOR_SECTORS];
    uint64_t programmed; /* bytes */
} larch_sim_nor;

/* Erased. Freed by larch_sim_nor_free. */
void larch_sim_nor_init(larch_sim_nor *sim, uint64_t seed, uint32_t sector_size, uint32_t sector_count);
void larch_sim_nor_free(larch_sim_nor *sim);
/* Nothing is cut or fails by number any more; bad sectors stay bad. */
void larch_sim_nor_power_on(larch_sim_nor *sim);

#ifdef __cplusplus
}
#endif

#endif
