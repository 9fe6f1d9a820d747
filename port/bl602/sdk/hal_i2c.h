/* SPDX-License-Identifier: Apache-2.0 */
/* I2C; frequency in kHz. 0: done. */
#ifndef LARCH_SDK_HAL_I2C_H
#define LARCH_SDK_HAL_I2C_H

int hal_i2c_init(int i2cx, int freq);
int hal_i2c_write_block(int address, const char *data, int length, int subaddr_len, int subaddr);

#endif
