/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ethernet through virtio-net [VIRTIO1.1 5.1].
 *
 * The control queue is not asked for, so the device stays as it starts: it hands over every frame, and what is not for
 * this station is dropped here. So are frames that carry our own address as sender: a virtual wire with many ends
 * gives each its own frames back.
 */
#include <string.h>

#include "board/board.h"
#include "board/lock.h"

#include "drivers.h"
#include "virt.h"

#define FEATURE_MAC    (1u << 5)
#define FEATURE_STATUS (1u << 16)
#define CONFIG_MAC     0
#define CONFIG_STATUS  6
#define LINK_UP        1

enum { RECEIVE, TRANSMIT }; /* queues */

#define HEADER_LEN   12 /* of struct virtio_net_hdr; all zeros ask for nothing special */
#define ETHERNET_LEN 14
#define RX_BUFFERS   3
#define TX_BUFFERS   2
_Static_assert(RX_BUFFERS <= LARCH_VIRTQ_LEN && TX_BUFFERS <= LARCH_VIRTQ_LEN, "a descriptor a buffer");

static larch_virtio device;
static larch_virtq rx_queue, tx_queue;
static uint8_t rx[RX_BUFFERS][HEADER_LEN + LARCH_BOARD_FRAME_MAX];
static uint8_t tx[TX_BUFFERS][HEADER_LEN + LARCH_BOARD_FRAME_MAX];
static uint32_t tx_filling; /* bit id: a task copies into it */
static uint8_t own[6];
static void (*on_wake)(void);
static bool started, promiscuous, has_status;

/* ---- start and interrupts --------------------------------------------------- */

void larch_virt_net_found(larch_virtio found)
{
    device = found;
    started = false;
}

uint32_t larch_virt_net_irq_mask(void) { return device.at == 0 ? 0 : 1u << device.irq; }

void larch_virt_net_irq(void)
{
    larch_virtio_acknowledge(device);
    if (started)
        on_wake();
}

void larch_virt_net_tick(void)
{
    if (started && larch_virtq_done(&rx_queue))
        on_wake();
}

larch_error larch_virt_net_start(bool all, uint8_t mac[6], void (*wake)(void))
{
    if (started)
        return LARCH_STATE;
    uint32_t accepted;
    if (device.at == 0 || larch_virtio_start(device, FEATURE_MAC | FEATURE_STATUS, &accepted) != LARCH_OK ||
        (accepted & FEATURE_MAC) == 0 || larch_virtio_read_config(device, CONFIG_MAC, own, sizeof own) != LARCH_OK ||
        larch_virtio_add_queue(device, RECEIVE, &rx_queue) != LARCH_OK ||
        larch_virtio_add_queue(device, TRANSMIT, &tx_queue) != LARCH_OK)
        return LARCH_PLATFORM;
    has_status = (accepted & FEATURE_STATUS) != 0;
    promiscuous = all;
    on_wake = wake;
    tx_filling = 0;
    memcpy(mac, own, sizeof own);
    larch_virtq_want_interrupt(&tx_queue, false);
    for (uint16_t id = 0; id < RX_BUFFERS; id++)
        larch_virtq_offer_room(&rx_queue, id, rx[id], sizeof rx[id]);
    started = true;
    larch_virtio_go(device);
    larch_virtio_notify(device, RECEIVE);
    return LARCH_OK;
}

larch_error larch_board_ethernet_start(uint8_t mac[6], void (*wake)(void))
{
    return larch_virt_net_start(false, mac, wake);
}

bool larch_board_ethernet_link(void)
{
    uint8_t status[2];
    if (!started)
        return false;
    if (!has_status)
        return true;
    return larch_virtio_read_config(device, CONFIG_STATUS, status, sizeof status) == LARCH_OK &&
           (status[0] & LINK_UP) != 0;
}

/* ---- receiving --------------------------------------------------------------- */

static bool for_us(larch_bytes frame)
{
    if (frame.len < ETHERNET_LEN || memcmp(frame.data + 6, own, 6) == 0)
        return false;
    bool group = (frame.data[0] & 1) != 0;
    return promiscuous || group || memcmp(frame.data, own, 6) == 0;
}

/* Locked. */
static void offer_again(uint16_t slot)
{
    larch_virtq_offer_room(&rx_queue, slot, rx[slot], sizeof rx[slot]);
    larch_virtio_notify(device, RECEIVE);
}

larch_error larch_virt_net_take(uint16_t *slot, larch_bytes *frame)
{
    if (!started)
        return LARCH_PLATFORM;
    uint32_t before = larch_interrupts_off();
    larch_error r;
    size_t len;
    bool found = false;
    while (!found && (r = larch_virtq_take(&rx_queue, slot, &len)) == LARCH_OK) {
        *frame = (larch_bytes){rx[*slot] + HEADER_LEN, len < HEADER_LEN ? 0 : len - HEADER_LEN};
        found = for_us(*frame);
        if (!found)
            offer_again(*slot);
    }
    larch_interrupts_back(before);
    return r;
}

void larch_virt_net_release(uint16_t slot)
{
    uint32_t before = larch_interrupts_off();
    offer_again(slot);
    larch_interrupts_back(before);
}

size_t larch_board_ethernet_receive(uint8_t *out, size_t cap)
{
    uint16_t slot;
    larch_bytes frame;
    size_t len = 0;
    while (len == 0 && larch_virt_net_take(&slot, &frame) == LARCH_OK) {
        if (frame.len <= cap) {
            memcpy(out, frame.data, frame.len);
            len = frame.len;
        }
        larch_virt_net_release(slot);
    }
    return len;
}

/* ---- sending ------------------------------------------------------------------ */

/* Locked: a buffer that neither the device nor another task has. */
static larch_error claim(uint16_t *slot)
{
    larch_error r;
    size_t written;
    while ((r = larch_virtq_take(&tx_queue, slot, &written)) == LARCH_OK)
        ;
    if (r != LARCH_AGAIN)
        return r;
    for (*slot = 0; *slot < TX_BUFFERS; (*slot)++) {
        if (!larch_virtq_has(&tx_queue, *slot) && (tx_filling >> *slot & 1) == 0) {
            tx_filling |= 1u << *slot;
            return LARCH_OK;
        }
    }
    return LARCH_AGAIN;
}

larch_error larch_board_ethernet_send(const larch_bytes *pieces, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].len > LARCH_BOARD_FRAME_MAX - len)
            return LARCH_SPACE;
        len += pieces[i].len;
    }
    if (!started)
        return LARCH_PLATFORM;

    uint16_t slot;
    uint32_t before = larch_interrupts_off();
    larch_error r = claim(&slot);
    larch_virtq_want_interrupt(&tx_queue, r == LARCH_AGAIN);
    if (r == LARCH_AGAIN) /* once more: the device may have been done before it saw that an interrupt is wanted */
        r = claim(&slot);
    larch_interrupts_back(before);
    if (r != LARCH_OK)
        return r;

    uint8_t *at = tx[slot] + HEADER_LEN;
    memset(tx[slot], 0, HEADER_LEN);
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].len > 0)
            memcpy(at, pieces[i].data, pieces[i].len);
        at += pieces[i].len;
    }

    before = larch_interrupts_off();
    tx_filling &= ~(1u << slot);
    larch_virtq_offer_bytes(&tx_queue, slot, (larch_bytes){tx[slot], HEADER_LEN + len});
    larch_virtio_notify(device, TRANSMIT);
    larch_interrupts_back(before);
    return LARCH_OK;
}
