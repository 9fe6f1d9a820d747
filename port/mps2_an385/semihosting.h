/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EMULATION, not hardware: files of the host, through ARM's semihosting [Semihosting for AArch32 and AArch64, 2.0]. The
 * processor stands still meanwhile. Without an emulator or debugger that serves it, each call is a fault.
 */
#ifndef LARCH_MPS2_SEMIHOSTING_H
#define LARCH_MPS2_SEMIHOSTING_H

#include "larch/base.h"

#define LARCH_SEMIHOSTING_NONE (-1)

/* For reading, or for both. LARCH_SEMIHOSTING_NONE: it does not open. */
int larch_semihosting_open(const char *name, bool writable);
void larch_semihosting_close(int file);
/* 0 if it cannot be told. */
uint32_t larch_semihosting_len(int file);
/* All of it. LARCH_PLATFORM: less was read. */
LARCH_MUST_USE larch_error larch_semihosting_read(int file, uint8_t *out, size_t len);
/* At that place of the file. LARCH_PLATFORM: not all of it was read, or written. */
LARCH_MUST_USE larch_error larch_semihosting_read_at(int file, uint32_t at, uint8_t *out, size_t len);
LARCH_MUST_USE larch_error larch_semihosting_write_at(int file, uint32_t at, larch_bytes bytes);

#endif
