/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ethernet: an SMSC LAN9118 [LAN9118 5], or the LAN9220 of the real board, whose FIFOs are reached word by word, the first
 * byte lowest. It filters by address and adds padding and check sequence itself; a received length has both in it.
 *
 * Frames that carry our own address as sender are dropped: a virtual wire with many ends gives each its own frames back.
 */
#include <string.h>

#include "board/board.h"
#include "board/lock.h"
#include "board/mmio.h"

#include "mps2.h"

#define REGISTER(offset) (LARCH_MPS2_ETHERNET + (offset))
#define RX_DATA          REGISTER(0x00)
#define TX_DATA          REGISTER(0x20)
#define RX_STATUS        REGISTER(0x40)
#define TX_STATUS        REGISTER(0x48)
#define IRQ_CFG          REGISTER(0x54)
#define INT_STS          REGISTER(0x58)
#define INT_EN           REGISTER(0x5c)
#define BYTE_TEST        REGISTER(0x64)
#define FIFO_INT         REGISTER(0x68)
#define TX_CFG           REGISTER(0x70)
#define HW_CFG           REGISTER(0x74)
#define RX_FIFO_INF      REGISTER(0x7c)
#define TX_FIFO_INF      REGISTER(0x80)
#define MAC_CSR_CMD      REGISTER(0xa4)
#define MAC_CSR_DATA     REGISTER(0xa8)

#define BYTES_AS_SENT 0x87654321u

#define IRQ_CFG_ON       0x00000111u /* enabled; active high, push-pull */
#define INT_TX_ROOM      0x00000200u /* TDFA */
#define INT_RX_FRAME     0x00000008u /* RSFL */
#define FIFO_INT_LEVELS  (24u << 24) /* room for 24 times 64 bytes; more than 0 frames */
#define TX_CFG_ON        0x00000002u
#define HW_CFG_RESET     0x00000001u
#define HW_CFG_SIZES     0x00150000u /* must be one; 5 KiB to send, 10 KiB to receive */
#define RX_STATUS_BROKEN 0x00008000u

#define CSR_BUSY 0x80000000u
#define CSR_READ 0x40000000u
enum { MAC_CR = 1, MAC_ADDRH = 2, MAC_ADDRL = 3, MAC_MII_ACC = 6, MAC_MII_DATA = 7 };
#define MAC_CR_FULL_DUPLEX 0x00100000u
#define MAC_CR_PROMISCUOUS 0x00040000u
#define MAC_CR_ON          0x0000000cu /* both ways */

#define MII(reg)  (1u << 11 | (uint32_t)(reg) << 6 | MII_BUSY) /* of the chip's own PHY */
#define MII_BUSY  1u
#define MII_WRITE 2u
enum { PHY_CONTROL = 0, PHY_STATUS = 1 };
#define PHY_CONTROL_NEGOTIATE 0x1200u
#define PHY_STATUS_LINK       0x0004u

#define TX_FIRST_AND_LAST 0x00003000u
#define TX_COMMANDS_LEN   8u

#define ETHERNET_LEN 14u
#define CRC_LEN      4u

static uint8_t own[6];
static void (*on_wake)(void);
static bool started;

/* ---- the MAC's own registers, and the PHY's behind them ------------------------- */

static larch_error wait_clear(uintptr_t at, uint32_t bit)
{
    const uint64_t until = larch_board_now_ms() + LARCH_MPS2_PATIENCE_MS;
    while ((larch_mmio_read32(at) & bit) != 0)
        if (larch_board_now_ms() > until)
            return LARCH_PLATFORM;
    return LARCH_OK;
}

static larch_error mac_read(uint32_t which, uint32_t *value)
{
    larch_mmio_write32(MAC_CSR_CMD, CSR_BUSY | CSR_READ | which);
    const larch_error r = wait_clear(MAC_CSR_CMD, CSR_BUSY);
    *value = larch_mmio_read32(MAC_CSR_DATA);
    return r;
}

static larch_error mac_write(uint32_t which, uint32_t value)
{
    larch_mmio_write32(MAC_CSR_DATA, value);
    larch_mmio_write32(MAC_CSR_CMD, CSR_BUSY | which);
    return wait_clear(MAC_CSR_CMD, CSR_BUSY);
}

static larch_error mii(uint32_t command)
{
    larch_error r = mac_write(MAC_MII_ACC, command);
    const uint64_t until = larch_board_now_ms() + LARCH_MPS2_PATIENCE_MS;
    for (uint32_t state = MII_BUSY; r == LARCH_OK && (state & MII_BUSY) != 0;) {
        r = mac_read(MAC_MII_ACC, &state);
        if (r == LARCH_OK && (state & MII_BUSY) != 0 && larch_board_now_ms() > until)
            r = LARCH_PLATFORM;
    }
    return r;
}

/* ---- start and interrupts --------------------------------------------------------- */

static larch_error reset(void)
{
    if (larch_mmio_read32(BYTE_TEST) != BYTES_AS_SENT)
        return LARCH_PLATFORM;
    larch_mmio_write32(HW_CFG, HW_CFG_RESET);
    return wait_clear(HW_CFG, HW_CFG_RESET);
}

/* What the chip took from its EEPROM. */
static larch_error read_address(void)
{
    uint32_t low, high;
    larch_error r;
    if ((r = mac_read(MAC_ADDRL, &low)) != LARCH_OK || (r = mac_read(MAC_ADDRH, &high)) != LARCH_OK)
        return r;
    for (unsigned i = 0; i < 6; i++)
        own[i] = (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
    return (own[0] & 1) == 0 ? LARCH_OK : LARCH_PLATFORM; /* a group, all ones: there was none */
}

larch_error larch_mps2_ethernet_start(bool all, uint8_t mac[6], void (*wake)(void))
{
    if (started)
        return LARCH_STATE;
    larch_error r;
    if ((r = reset()) != LARCH_OK || (r = read_address()) != LARCH_OK ||
        (r = mac_write(MAC_MII_DATA, PHY_CONTROL_NEGOTIATE)) != LARCH_OK ||
        (r = mii(MII(PHY_CONTROL) | MII_WRITE)) != LARCH_OK)
        return r;
    on_wake = wake;
    memcpy(mac, own, sizeof own);
    larch_mmio_write32(HW_CFG, HW_CFG_SIZES);
    larch_mmio_write32(FIFO_INT, FIFO_INT_LEVELS);
    larch_mmio_write32(TX_CFG, TX_CFG_ON);
    larch_mmio_write32(INT_STS, UINT32_MAX);
    larch_mmio_write32(INT_EN, INT_RX_FRAME);
    larch_mmio_write32(IRQ_CFG, IRQ_CFG_ON);
    r = mac_write(MAC_CR, MAC_CR_FULL_DUPLEX | MAC_CR_ON | (all ? MAC_CR_PROMISCUOUS : 0));
    started = r == LARCH_OK;
    if (started)
        larch_mps2_irq_enable(LARCH_MPS2_IRQ_ETHERNET);
    return r;
}

larch_error larch_board_ethernet_start(uint8_t mac[6], void (*wake)(void))
{
    return larch_mps2_ethernet_start(false, mac, wake);
}

void larch_mps2_ethernet_irq(void)
{
    larch_mmio_write32(INT_EN, INT_RX_FRAME);
    larch_mmio_write32(INT_STS, INT_RX_FRAME | INT_TX_ROOM);
    on_wake();
}

static bool frame_waits(void) { return (larch_mmio_read32(RX_FIFO_INF) >> 16 & 0xff) != 0; }

void larch_mps2_ethernet_tick(void)
{
    if (started && frame_waits())
        on_wake();
}

/* Asked by one task alone. */
bool larch_board_ethernet_link(void)
{
    uint32_t status;
    return started && mii(MII(PHY_STATUS)) == LARCH_OK && mac_read(MAC_MII_DATA, &status) == LARCH_OK &&
           (status & PHY_STATUS_LINK) != 0;
}

/* ---- receiving ---------------------------------------------------------------------- */

/* Also of a frame that nobody wants every word is read: only then the next one comes. */
size_t larch_board_ethernet_receive(uint8_t *out, size_t cap)
{
    while (started && frame_waits()) {
        const uint32_t status = larch_mmio_read32(RX_STATUS);
        const size_t all = status >> 16 & 0x3fff, len = all < CRC_LEN ? 0 : all - CRC_LEN;
        const bool good = (status & RX_STATUS_BROKEN) == 0 && len >= ETHERNET_LEN && len <= cap;
        for (size_t at = 0; at < all; at += 4) {
            const uint32_t word = larch_mmio_read32(RX_DATA);
            if (good && at < len)
                memcpy(out + at, &word, len - at < 4 ? len - at : 4);
        }
        if (good && memcmp(out + sizeof own, own, sizeof own) != 0)
            return len;
    }
    return 0;
}

/* ---- sending -------------------------------------------------------------------------- */

/* With interrupts off. Of frames that were sent there is nothing to learn, but their status must be taken. */
static bool has_room(size_t len)
{
    while ((larch_mmio_read32(TX_FIFO_INF) >> 16 & 0xff) != 0)
        (void)larch_mmio_read32(TX_STATUS);
    return (larch_mmio_read32(TX_FIFO_INF) & 0xffff) >= TX_COMMANDS_LEN + (len + 3) / 4 * 4;
}

static void put_pieces(const larch_bytes *pieces, size_t count)
{
    uint32_t word = 0;
    unsigned filled = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < pieces[i].len; j++) {
            word |= (uint32_t)pieces[i].data[j] << 8 * filled;
            if (++filled == 4) {
                larch_mmio_write32(TX_DATA, word);
                word = filled = 0;
            }
        }
    }
    if (filled > 0)
        larch_mmio_write32(TX_DATA, word);
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
    if (len == 0) /* the chip would wait for a byte */
        return LARCH_OK;

    larch_error r = LARCH_AGAIN;
    const uint32_t before = larch_interrupts_off();
    if (has_room(len)) {
        larch_mmio_write32(TX_DATA, TX_FIRST_AND_LAST | (uint32_t)len);
        larch_mmio_write32(TX_DATA, (uint32_t)len);
        put_pieces(pieces, count);
        r = LARCH_OK;
    } else {
        larch_mmio_write32(INT_EN, INT_RX_FRAME | INT_TX_ROOM);
    }
    larch_interrupts_back(before);
    return r;
}
