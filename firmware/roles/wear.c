/* SPDX-License-Identifier: Apache-2.0 */
#include "wear.h"

uint32_t larch_wear_marks(const larch_nor *nor)
{
    const uint64_t bytes = (uint64_t)nor->sector_size * nor->sector_count * LARCH_WEAR_ERASES;
    const uint64_t hourly = bytes / (LARCH_WEAR_HOURS * LARCH_WEAR_BYTES_A_MARK);
    const uint64_t marks = hourly > 4 ? (hourly - 2) * 8 / 17 : 1;
    return marks < UINT32_MAX ? (uint32_t)marks : UINT32_MAX;
}
