/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time and stack of one operation. The program larch and its peers are measured
 * by this same code, so that a ratio compares the operations alone.
 */
#ifndef LARCH_MEASURE_H
#define LARCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define LARCH_SCHEME_OPS 3

typedef enum larch_scheme_kind {
    LARCH_SCHEME_KEM,      /* operations: keygen, encaps, decaps */
    LARCH_SCHEME_SIGNATURE /* operations: keygen, sign, verify */
} larch_scheme_kind;

/* One algorithm of one library. Diffie-Hellman and RSA count as a KEM: encaps makes an ephemeral key and agrees
 * (encrypts 32 random bytes), decaps agrees (decrypts). */
typedef struct larch_scheme {
    larch_scheme_kind kind;
    const char *library;   /* "OpenSSL 3.5.7" */
    const char *algorithm; /* "ML-KEM-512" */
    const char *how;       /* what sets this row apart from another with the same two; may be empty */
    unsigned key_len;      /* public key on the wire, bytes */
    unsigned out_len;      /* ciphertext or signature, bytes */
    unsigned batch;        /* how often one run does the operation */
    /* Operation op on state; each finds what the one before left. False: it failed, or its result is wrong. */
    bool (*run)(void *state, unsigned op);
    void *state;
} larch_scheme;

typedef struct larch_figures {
    double us;     /* median of one operation */
    double cycles; /* the same by the time-stamp counter; 0: this machine has none we read */
    unsigned long runs;
} larch_figures;

/* Runs the operation for so long, at least once. False if a run fails. */
bool larch_measure_time(const larch_scheme *scheme, unsigned op, double seconds, larch_figures *out);

/* The deepest stack of one run, in a thread of its own that has run it once before, in bytes; 0 if it failed. */
size_t larch_measure_stack(const larch_scheme *scheme, unsigned op);

/* Sorts the samples; permille 500 is the median. 0 without samples. */
uint64_t larch_measure_percentile(uint64_t *samples, size_t count, unsigned permille);

static inline uint64_t larch_measure_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
