/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hardware source of entropy, read by a thread of its own: however slow or broken it is, nobody waits for it. The thread
 * hands over blocks of raw bytes that passed the health tests, and faults, through a socket.
 */
#ifndef LARCH_SECRETS_ENTROPY_H
#define LARCH_SECRETS_ENTROPY_H

#include <pthread.h>

#include "secrets/health.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_ENTROPY_SEED_LEN 32
#define LARCH_ENTROPY_SALT_LEN 64
#define LARCH_ENTROPY_WHY_MAX  160

typedef struct larch_entropy_config {
    const char *device; /* shorter than 1024 bytes; copied */
    uint64_t wait_ms;   /* for a block; 0: 60 seconds */
    uint64_t pause_ms;  /* between blocks, and after a fault; 0: 10 minutes */
} larch_entropy_config;

typedef struct larch_entropy {
    int fd;           /* to be watched for reading; -1: not started */
    pthread_t thread; /* private */
} larch_entropy;

typedef enum larch_entropy_event {
    LARCH_ENTROPY_NOTHING, /* none is there */
    LARCH_ENTROPY_SEED,    /* a seed */
    LARCH_ENTROPY_FAULT    /* the source failed, and helps nothing until it gives a seed again */
} larch_entropy_event;

/* LARCH_PLATFORM: no thread or socket. */
LARCH_MUST_USE larch_error larch_entropy_start(larch_entropy *e, const larch_entropy_config *config);
/* The next event, without waiting. seed: HKDF-Extract(salt = 64 bytes of random, IKM = the block), of a SEED; else zeros.
 * why: of a FAULT, what is wrong, as a predicate of the device. random: the kernel's. */
larch_entropy_event larch_entropy_take(larch_entropy *e, const larch_random *random,
                                       uint8_t seed[LARCH_ENTROPY_SEED_LEN], char why[LARCH_ENTROPY_WHY_MAX]);
/* Ends the thread. */
void larch_entropy_stop(larch_entropy *e);

#ifdef __cplusplus
}
#endif

#endif
