/* SPDX-License-Identifier: Apache-2.0 */
/* Included before src/pq/x86/dispatch.c: every processor has AVX-512, by avx512_emulated.h. */
#ifndef CT_X86_FEATURES_EMULATED_H
#define CT_X86_FEATURES_EMULATED_H

#include <string.h>

#define __builtin_cpu_supports(feature) (strncmp(feature, "avx512", 6) == 0 || __builtin_cpu_supports(feature))

#endif
