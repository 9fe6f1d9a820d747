/* SPDX-License-Identifier: Apache-2.0 */
/* I2C in that loop. */
#ifndef LARCH_SDK_LOOPSET_I2C_H
#define LARCH_SDK_LOOPSET_I2C_H

int loopset_i2c_hook_on_looprt(void);

#endif
