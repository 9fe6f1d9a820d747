/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health tests of a source of entropy, over its raw bytes [SP800-90B 4.4]: the repetition count test, and the adaptive
 * proportion test with a window of 512 samples. A sample is a byte, of which one bit of entropy is claimed; a source as
 * good as that fails one test of 2^30.
 */
#ifndef LARCH_SECRETS_HEALTH_H
#define LARCH_SECRETS_HEALTH_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_HEALTH_REPEATS 31   /* 1 + 30 / H [SP800-90B 4.4.1] */
#define LARCH_HEALTH_WINDOW  512  /* [SP800-90B 4.4.2] */
#define LARCH_HEALTH_SAME    325  /* 1 + critbinom(512, 2^-H, 1 - 2^-30) */
#define LARCH_HEALTH_BLOCK   1024 /* samples that a start has to pass [SP800-90B 4.3, 10] */

typedef enum larch_health_fault { LARCH_HEALTH_SOUND, LARCH_HEALTH_STUCK, LARCH_HEALTH_BIASED } larch_health_fault;

/* Private. Zeroed: nothing was seen. */
typedef struct larch_health {
    unsigned repeats, seen, same;
    uint8_t last, first;
} larch_health;

/* Takes further samples. The first fault is returned; start anew with a zeroed struct then. */
larch_health_fault larch_health_take(larch_health *h, larch_bytes samples);

#ifdef __cplusplus
}
#endif

#endif
