/* SPDX-License-Identifier: Apache-2.0 */
/* The controls: functions that leak on purpose. A check that does not report them sees nothing. */
#ifndef CT_LEAKS_H
#define CT_LEAKS_H

#include <stdint.h>

unsigned leak_by_branch(const uint8_t key[64]);
unsigned leak_by_index(const uint8_t key[64]);
unsigned leak_avx512_by_branch(const uint8_t key[64]);
unsigned leak_avx512_by_index(const uint8_t key[64]);

#endif
