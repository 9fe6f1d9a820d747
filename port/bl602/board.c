/* SPDX-License-Identifier: Apache-2.0 */
/* The LED, the display's bus, and the start of the rest. */
#include "board/board.h"

#include "bl602.h"
#include "bl_gpio.h"
#include "bl_sys.h"
#include "hal_i2c.h"

/* The chip counts the bytes of a transfer in 8 bits, less one. */
#define I2C_MAX 256

const char *const larch_board_name = "pinecone bl602";

void larch_board_init(void)
{
    larch_bl602_line_start();
    larch_bl602_flash_start();
    (void)bl_gpio_enable_output(LARCH_BL602_PIN_LED, 0, 0);
    larch_board_led(false);
    (void)hal_i2c_init(LARCH_BL602_I2C, LARCH_BL602_I2C_KHZ);
}

_Noreturn void larch_board_restart(void)
{
    for (;;)
        (void)bl_sys_reset_por();
}

void larch_board_led(bool on)
{
    (void)bl_gpio_output_set(LARCH_BL602_PIN_LED, on ? LARCH_BL602_LED_LIT : !LARCH_BL602_LED_LIT);
}

larch_error larch_board_i2c_write(uint8_t address, larch_bytes bytes)
{
    if (address > 0x7f || bytes.len == 0 || bytes.len > I2C_MAX)
        return LARCH_SPACE;
    return hal_i2c_write_block(address, (const char *)bytes.data, (int)bytes.len, 0, 0) == 0 ? LARCH_OK
                                                                                             : LARCH_PLATFORM;
}
