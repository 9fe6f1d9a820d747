/* SPDX-License-Identifier: Apache-2.0 */
/* Makes stored bytes that a test forged or a fuzzer altered pass their checksum. */
#ifndef TESTS_SEAL_H
#define TESTS_SEAL_H

#include "larch/base.h"

static inline void seal_put_u32(uint8_t out[4], uint32_t value)
{
    larch_writer w = larch_writer_to(out, 4);
    larch_writer_put_u32(&w, value);
}

/* The CRC-32 of the first len bytes, behind them. */
static inline void seal_crc(uint8_t *bytes, size_t len)
{
    seal_put_u32(bytes + len, larch_crc32(0, (larch_bytes){bytes, len}));
}

#endif
