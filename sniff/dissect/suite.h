/* SPDX-License-Identifier: Apache-2.0 */
/* Cipher suites and methods of LAKE (EDHOC), by their numbers: larch's own and those that RFC 9528 registered. */
#ifndef LARCH_SNIFF_SUITE_H
#define LARCH_SNIFF_SUITE_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether keys stay secret from a quantum computer, by the key exchange that made them. */
typedef enum larch_sniff_strength {
    LARCH_SNIFF_STRENGTH_UNKNOWN, /* nothing was seen of how they were made, or nobody knows its suite */
    LARCH_SNIFF_STRENGTH_CLASSICAL,
    LARCH_SNIFF_STRENGTH_POST_QUANTUM,
    LARCH_SNIFF_STRENGTHS
} larch_sniff_strength;

/* "unknown", "no", "yes": is it post-quantum? */
const char *larch_sniff_strength_text(larch_sniff_strength strength);
larch_sniff_strength larch_sniff_suite_strength(int64_t suite);
/* Its algorithms as text; NULL: nobody assigned this number. */
const char *larch_sniff_suite_name(int64_t suite);
/* The same of a method. */
const char *larch_sniff_method_name(int64_t method);

/* A list of suites. */
#define LARCH_SNIFF_SUITES_MAX 16

typedef struct larch_sniff_suites {
    size_t count; /* the first so many of them, */
    bool more;    /* and there are more */
    int64_t numbers[LARCH_SNIFF_SUITES_MAX];
} larch_sniff_suites;

bool larch_sniff_suites_hold(const larch_sniff_suites *suites, int64_t suite);
/* suites = [ 2* int ] / int [RFC9528 5.2.1]. in: untrusted; its format was checked. */
void larch_sniff_suites_read(larch_sniff_suites *suites, larch_bytes in);
/* "-24, 2", cut with "...". */
#define LARCH_SNIFF_SUITES_TEXT 64
const char *larch_sniff_suites_text(const larch_sniff_suites *suites, char out[LARCH_SNIFF_SUITES_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
