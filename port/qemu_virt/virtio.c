/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "board/mmio.h"
#include "virtio.h"

/* Registers [VIRTIO1.1 4.2.2] */
#define MAGIC               0x000
#define VERSION             0x004
#define DEVICE_ID           0x008
#define DEVICE_FEATURES     0x010
#define DEVICE_FEATURES_SEL 0x014
#define DRIVER_FEATURES     0x020
#define DRIVER_FEATURES_SEL 0x024
#define QUEUE_SEL           0x030
#define QUEUE_NUM_MAX       0x034
#define QUEUE_NUM           0x038
#define QUEUE_READY         0x044
#define QUEUE_NOTIFY        0x050
#define INTERRUPT_STATUS    0x060
#define INTERRUPT_ACK       0x064
#define STATUS              0x070
#define QUEUE_DESC          0x080 /* low, high */
#define QUEUE_DRIVER        0x090
#define QUEUE_DEVICE        0x0a0
#define CONFIG_GENERATION   0x0fc
#define CONFIG              0x100

#define MAGIC_VALUE 0x74726976u /* "virt" */

/* Device status [VIRTIO1.1 2.1] */
#define ACKNOWLEDGE 1u
#define DRIVER      2u
#define DRIVER_OK   4u
#define FEATURES_OK 8u
#define FAILED      128u

#define VERSION_1_WORD 1u /* VIRTIO_F_VERSION_1, feature 32 */
#define VERSION_1_BIT  1u

/* Reads of a register before the device counts as stuck. */
#define POLLS 1000u

static uint32_t get(larch_virtio device, uint32_t at) { return larch_mmio_read32(device.at + at); }
static void set(larch_virtio device, uint32_t at, uint32_t value) { larch_mmio_write32(device.at + at, value); }
static void add_status(larch_virtio device, uint32_t bit) { set(device, STATUS, get(device, STATUS) | bit); }

static larch_error give_up(larch_virtio device)
{
    add_status(device, FAILED);
    return LARCH_PLATFORM;
}

uint32_t larch_virtio_kind(uintptr_t at)
{
    larch_virtio device = {at, 0};
    bool known = get(device, MAGIC) == MAGIC_VALUE && get(device, VERSION) == 2;
    return known ? get(device, DEVICE_ID) : LARCH_VIRTIO_NONE;
}

larch_error larch_virtio_start(larch_virtio device, uint32_t wanted, uint32_t *accepted)
{
    /* The order is that of [VIRTIO1.1 3.1.1]. */
    set(device, STATUS, 0);
    for (unsigned i = 0; get(device, STATUS) != 0; i++)
        if (i == POLLS)
            return give_up(device);
    add_status(device, ACKNOWLEDGE);
    add_status(device, DRIVER);

    set(device, DEVICE_FEATURES_SEL, VERSION_1_WORD);
    if ((get(device, DEVICE_FEATURES) & VERSION_1_BIT) == 0)
        return give_up(device);
    set(device, DEVICE_FEATURES_SEL, 0);
    uint32_t both = get(device, DEVICE_FEATURES) & wanted;
    set(device, DRIVER_FEATURES_SEL, 0);
    set(device, DRIVER_FEATURES, both);
    set(device, DRIVER_FEATURES_SEL, VERSION_1_WORD);
    set(device, DRIVER_FEATURES, VERSION_1_BIT);
    add_status(device, FEATURES_OK);
    if ((get(device, STATUS) & FEATURES_OK) == 0)
        return give_up(device);
    *accepted = both;
    return LARCH_OK;
}

static void set_address(larch_virtio device, uint32_t at, const volatile void *memory)
{
    uint64_t address = (uintptr_t)memory;
    set(device, at, (uint32_t)address);
    set(device, at + 4, (uint32_t)(address >> 32));
}

larch_error larch_virtio_add_queue(larch_virtio device, uint32_t index, larch_virtq *q)
{
    set(device, QUEUE_SEL, index);
    if (get(device, QUEUE_READY) != 0 || get(device, QUEUE_NUM_MAX) < LARCH_VIRTQ_LEN)
        return give_up(device);
    memset(q, 0, sizeof *q);
    set(device, QUEUE_NUM, LARCH_VIRTQ_LEN);
    set_address(device, QUEUE_DESC, q->descriptors);
    set_address(device, QUEUE_DRIVER, &q->available);
    set_address(device, QUEUE_DEVICE, &q->used);
    set(device, QUEUE_READY, 1);
    return LARCH_OK;
}

void larch_virtio_go(larch_virtio device) { add_status(device, DRIVER_OK); }

void larch_virtio_notify(larch_virtio device, uint32_t queue) { set(device, QUEUE_NOTIFY, queue); }

void larch_virtio_acknowledge(larch_virtio device) { set(device, INTERRUPT_ACK, get(device, INTERRUPT_STATUS)); }

larch_error larch_virtio_read_config(larch_virtio device, uint32_t at, uint8_t *out, size_t len)
{
    for (unsigned i = 0; i < POLLS; i++) {
        uint32_t generation = get(device, CONFIG_GENERATION);
        for (size_t k = 0; k < len; k++)
            out[k] = larch_mmio_read8(device.at + CONFIG + at + k);
        if (get(device, CONFIG_GENERATION) == generation)
            return LARCH_OK;
    }
    memset(out, 0, len);
    return LARCH_PLATFORM;
}
