/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices there are, and who serves which interrupt. */
#include "board/line.h"

#include "drivers.h"
#include "virt.h"

void larch_virt_devices_init(void)
{
    larch_virt_uart_start();
    larch_virt_flash_start();
    /* Of each kind the one in the lowest slot counts. */
    uint32_t seen = 0;
    for (uint32_t slot = 0; slot < LARCH_VIRT_VIRTIO_SLOTS; slot++) {
        larch_virtio device = {LARCH_VIRT_VIRTIO + slot * LARCH_VIRT_VIRTIO_STRIDE, LARCH_VIRT_VIRTIO_IRQ + slot};
        uint32_t kind = larch_virtio_kind(device.at);
        if (kind == LARCH_VIRTIO_NONE || kind >= 32 || (seen >> kind & 1) != 0)
            continue;
        seen |= 1u << kind;
        switch (kind) {
        case LARCH_VIRTIO_NET:
            larch_virt_net_found(device);
            break;
        case LARCH_VIRTIO_CONSOLE:
            larch_virt_console_start(device);
            break;
        case LARCH_VIRTIO_RNG:
            larch_virt_rng_start(device);
            break;
        default:
            break;
        }
    }
}

uint32_t larch_virt_irq_mask(void) { return 1u << LARCH_VIRT_UART_IRQ | larch_virt_net_irq_mask(); }

void larch_virt_irq(uint32_t irq)
{
    if (irq == LARCH_VIRT_UART_IRQ)
        larch_virt_uart_irq();
    else if (irq < 32 && (larch_virt_net_irq_mask() >> irq & 1) != 0)
        larch_virt_net_irq();
}

void larch_virt_tick(void)
{
    larch_line_serve();
    larch_virt_console_tick();
    larch_virt_net_tick();
}
