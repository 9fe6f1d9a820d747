/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a board lends the firmware. Each port/BOARD implements all of it; the roles in firmware/ use
 * nothing else of a board. Calls are made from tasks unless said otherwise, and none allocates.
 */
#ifndef LARCH_BOARD_H
#define LARCH_BOARD_H

#include "larch/base.h"
#include "nor.h"

/* "qemu-virt rv32imfc" */
extern const char *const larch_board_name;

/* Before the scheduler runs: clocks, serial line, random source, flash. Does not return if the board is unusable. */
void larch_board_init(void);

/* ---- time and life ------------------------------------------------------ */

/* Since power on. Also from interrupts. */
uint64_t larch_board_now_ms(void);
uint64_t larch_board_now_us(void);
/* Instructions (or cycles, where a board counts those) since some start, modulo 2^32; 0 always: not counted. */
uint32_t larch_board_instructions(void);
/* As a watchdog does it: at once, flash keeps what is in it. */
_Noreturn void larch_board_restart(void);

/* The first call starts the watchdog: from then on the board restarts if no call came for so long. */
#define LARCH_BOARD_WATCHDOG_MS 10000
void larch_board_watchdog_feed(void);

/* ---- random ------------------------------------------------------------- */

/* From the true random generator. LARCH_PLATFORM: it failed; out is zeroed. The context is not used. */
larch_error larch_board_random(void *context, uint8_t *out, size_t len);

/* ---- serial line -------------------------------------------------------- */

#define LARCH_BOARD_BAUD 2000000

/* Hands bytes to the line's transmit buffer and returns how many it took; never waits. The buffer drains at
 * LARCH_BOARD_BAUD, ten bits a byte. */
size_t larch_board_line_write(larch_bytes bytes);
/* Free bytes of the transmit buffer. */
size_t larch_board_line_room(void);
/* Takes what arrived, at most cap bytes; never waits. */
size_t larch_board_line_read(uint8_t *out, size_t cap);
/* As larch_board_line_write, but waits until all bytes left, or the line took nothing for a second; also where no
 * scheduler runs (a fault, an assertion). */
void larch_board_line_flush(larch_bytes bytes);

/* ---- lights and display ------------------------------------------------- */

/* The one LED of the prototype board. */
void larch_board_led(bool on);
/* One I2C write transfer to a 7-bit address, from one task at a time. LARCH_PLATFORM: nobody acknowledged; LARCH_SPACE: no
 * such address, no byte, or more than the board's bus takes at a time: at least a row of 128 pixels and its control byte. */
larch_error larch_board_i2c_write(uint8_t address, larch_bytes bytes);

/* ---- flash -------------------------------------------------------------- */

/* The partition for keys; good for the whole run. */
const larch_nor *larch_board_flash(void);

/* ---- Ethernet, of boards that have one ---------------------------------- */

#define LARCH_BOARD_FRAME_MAX 1514 /* header to payload, without the check sequence */

/* Starts it, once, and tells the address. wake is called, from an interrupt, when frames arrived or room to send came back. */
larch_error larch_board_ethernet_start(uint8_t mac[6], void (*wake)(void));
/* One received frame; 0: none. Longer ones than cap were dropped. */
size_t larch_board_ethernet_receive(uint8_t *out, size_t cap);
/* Copies a frame, gathered from pieces, to the device. LARCH_AGAIN: no room, nothing was taken; LARCH_SPACE: too long. */
larch_error larch_board_ethernet_send(const larch_bytes *pieces, size_t count);
/* Whether the cable is in, or the station associated. */
bool larch_board_ethernet_link(void);

/* ---- radio, of the sniffer ---------------------------------------------- */

#define LARCH_BOARD_CHANNEL_MIN    1
#define LARCH_BOARD_CHANNEL_MAX    14
/* From radios that do not tell: below the noise of any receiver, so it is none's measurement. */
#define LARCH_BOARD_SIGNAL_UNKNOWN INT8_MIN

/* One 802.11 frame from its header on, without the check sequence. */
typedef struct larch_board_frame {
    uint64_t time_us; /* larch_board_now_us at its end */
    uint8_t channel;
    int8_t signal_dbm; /* or LARCH_BOARD_SIGNAL_UNKNOWN */
    larch_bytes bytes; /* untrusted; good during the call alone */
} larch_board_frame;

/* Puts the radio in monitor mode. on_frame is called for each frame, from a task or an interrupt of the driver's, and
 * returns soon. A radio that stands on larch_board_ethernet takes it over. */
larch_error larch_board_radio_start(void (*on_frame)(void *context, const larch_board_frame *frame), void *context);
/* LARCH_SPACE: no such channel. */
larch_error larch_board_radio_channel(uint8_t channel);

#endif
