/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drivers of port/qemu_virt without an operating system, moved by run.py: reads commands from the line, one a line
 * of text with its arguments in decimal or hexadecimal digits, and answers with any number of lines and then "ok" or
 * "error NAME"; first it says "ready MILLISECONDS". A trap that is no interrupt ends the emulation with code 2.
 */
#include <string.h>

#include "board/board.h"
#include "board/mmio.h"
#include "qemu_virt/virt.h"

#define MIE_TIMER    0x080u
#define MIE_EXTERNAL 0x800u
#define MIE          8u
#define CAUSE_TIMER  0x80000007u
#define CAUSE_PLIC   0x8000000bu

#define LINE_MAX 4096
#define DATA_MAX 2048

/* What board.h's users expect of the kernel's side. */
static volatile uint32_t ticks, wakes;

/* ---- output -------------------------------------------------------------------- */

static void put(larch_bytes bytes) { larch_board_line_flush(bytes); }

static void put_text(const char *text) { put((larch_bytes){(const uint8_t *)text, strlen(text)}); }

static void put_number(uint64_t value)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (uint8_t)('0' + value % 10);
    while ((value /= 10) > 0);
    put((larch_bytes){digits + at, sizeof digits - at});
}

static void put_hex(larch_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t pair[2] = {(uint8_t) "0123456789abcdef"[bytes.data[i] >> 4],
                           (uint8_t) "0123456789abcdef"[bytes.data[i] & 15]};
        put(LARCH_BYTES(pair));
    }
}

static _Noreturn void leave(uint32_t code)
{
    larch_mmio_write32(LARCH_VIRT_FINISHER,
                       code == 0 ? LARCH_VIRT_FINISHER_PASS : code << 16 | LARCH_VIRT_FINISHER_FAIL);
    for (;;)
        ;
}

/* ---- interrupts ------------------------------------------------------------------ */

static void set_alarm(uint64_t at)
{
    larch_mmio_write32(LARCH_VIRT_MTIMECMP + 4, UINT32_MAX);
    larch_mmio_write32(LARCH_VIRT_MTIMECMP, (uint32_t)at);
    larch_mmio_write32(LARCH_VIRT_MTIMECMP + 4, (uint32_t)(at >> 32));
}

__attribute__((interrupt("machine"), aligned(4))) static void trap(void)
{
    static uint64_t alarm;
    uint32_t cause;
    __asm__ volatile("csrr %0, mcause" : "=r"(cause));
    if (cause == CAUSE_TIMER) {
        if (alarm == 0)
            alarm = larch_board_now_us() * 10;
        set_alarm(alarm += LARCH_VIRT_MTIME_HZ / 1000);
        ticks++;
        larch_virt_tick();
    } else if (cause == CAUSE_PLIC) {
        uint32_t irq;
        while ((irq = larch_mmio_read32(LARCH_VIRT_PLIC_CLAIM)) != 0) {
            larch_virt_irq(irq);
            larch_mmio_write32(LARCH_VIRT_PLIC_CLAIM, irq);
        }
    } else {
        put_text("trap\n");
        leave(2);
    }
}

static void start_interrupts(void)
{
    uint32_t mask = larch_virt_irq_mask();
    for (uint32_t irq = 1; irq < 32; irq++)
        if ((mask >> irq & 1) != 0)
            larch_mmio_write32(LARCH_VIRT_PLIC_PRIORITY + 4 * irq, 1);
    larch_mmio_write32(LARCH_VIRT_PLIC_ENABLE, mask);
    larch_mmio_write32(LARCH_VIRT_PLIC_THRESHOLD, 0);
    set_alarm(0);
    __asm__ volatile("csrw mtvec, %0" : : "r"(trap));
    __asm__ volatile("csrw mie, %0" : : "r"(MIE_TIMER | MIE_EXTERNAL));
    __asm__ volatile("csrs mstatus, %0" : : "r"(MIE));
}

static void on_wake(void) { wakes++; }

/* ---- radio ------------------------------------------------------------------------- */

/* The frames heard last, as they came. */
static struct heard {
    larch_board_frame frame;
    uint8_t bytes[1600];
} heard[4];
static volatile uint32_t heard_count;

static void on_frame(void *context, const larch_board_frame *frame)
{
    struct heard *slot = &heard[heard_count % 4];
    if (context != heard || heard_count >= 4)
        leave(3);
    slot->frame = *frame;
    memcpy(slot->bytes, frame->bytes.data, frame->bytes.len);
    slot->frame.bytes.data = slot->bytes;
    heard_count++;
}

/* ---- input --------------------------------------------------------------------------- */

static char line[LINE_MAX];
static const char *rest; /* of the line: the arguments not taken yet */
static uint8_t data[DATA_MAX];

static void read_line(void)
{
    size_t len = 0;
    uint8_t c = 0;
    while (c != '\n') {
        if (larch_board_line_read(&c, 1) == 0)
            continue;
        if (len < LINE_MAX - 1)
            line[len++] = (char)c;
    }
    line[len - 1] = '\0';
    rest = line + strcspn(line, " ");
    if (*rest == ' ')
        line[rest++ - line] = '\0';
}

static uint32_t number(void)
{
    uint32_t value = 0;
    for (; *rest >= '0' && *rest <= '9'; rest++)
        value = 10 * value + (uint32_t)(*rest - '0');
    if (*rest == ' ')
        rest++;
    return value;
}

static uint8_t digit(char c) { return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10); }

static larch_bytes hex(void)
{
    size_t len = 0;
    for (; rest[0] > ' ' && rest[1] > ' ' && len < DATA_MAX; rest += 2)
        data[len++] = (uint8_t)(digit(rest[0]) << 4 | digit(rest[1]));
    return (larch_bytes){data, len};
}

/* ---- commands: the line ---------------------------------------------------------------- */

static void wait_ms(uint32_t ms)
{
    uint64_t until = larch_board_now_ms() + ms;
    while (larch_board_now_ms() < until)
        ;
}

/* Writes N bytes as the line takes them. "rate MICROSECONDS REFUSED EXCESS": until all had left; how often the line
 * was full; by how many bytes more had left at any moment than it can have carried. */
static larch_error rate(void)
{
    uint32_t total = number(), written = 0, refused = 0, excess = 0;
    size_t empty = larch_board_line_room();
    wait_ms(20); /* what an idle line saves up is bounded, too */
    uint64_t start = larch_board_now_us();
    while (written < total || larch_board_line_room() < empty) {
        uint8_t c = (uint8_t)('a' + written % 26);
        if (written < total && larch_board_line_write((larch_bytes){&c, 1}) == 1)
            written++;
        else if (written < total)
            refused++;
        uint32_t left = written - (uint32_t)(empty - larch_board_line_room());
        /* One tick's worth of time may be made up for. */
        uint32_t carried = (uint32_t)(larch_board_now_us() - start) * (LARCH_BOARD_BAUD / 10 / 1000) / 1000 +
                           LARCH_BOARD_BAUD / 10 / 1000 + 1;
        if (left > carried && left - carried > excess)
            excess = left - carried;
    }
    uint64_t time = larch_board_now_us() - start;
    put_text("\nrate ");
    put_number(time);
    put_text(" ");
    put_number(refused);
    put_text(" ");
    put_number(excess);
    put_text("\n");
    return LARCH_OK;
}

/* Takes N bytes, later and slower than they come, and tells their checksum. */
static larch_error sink(void)
{
    uint32_t crc = 0, left = number();
    wait_ms(200);
    while (left > 0) {
        wait_ms(1);
        size_t len = larch_board_line_read(data, left < 7 ? left : 7);
        crc = larch_crc32(crc, (larch_bytes){data, len});
        left -= (uint32_t)len;
    }
    put_text("sink ");
    put_number(crc);
    put_text("\n");
    return LARCH_OK;
}

/* As a fault does it: interrupts off for good, and more text than the ring holds. */
static larch_error fault(void)
{
    __asm__ volatile("csrc mstatus, %0" : : "r"(MIE));
    for (uint32_t i = 0; i < 1000; i++)
        put_text("fault\n");
    leave(7);
}

static larch_error tell_time(void)
{
    uint64_t us = larch_board_now_us(), ms = larch_board_now_ms();
    uint32_t instructions = larch_board_instructions(), passed = ticks;
    wait_ms(20);
    uint64_t later = larch_board_now_us();
    instructions = larch_board_instructions() - instructions;
    passed = ticks - passed;
    put_text("time ");
    put_number(us / 1000);
    put_text(" ");
    put_number(ms);
    put_text(" ");
    put_number(later - us);
    put_text(" ");
    put_number(passed);
    put_text(" ");
    put_number(instructions);
    put_text("\n");
    return LARCH_OK;
}

static larch_error restart(void) { larch_board_restart(); }
static larch_error end(void) { leave(0); }

/* ---- commands: random, second channel, flash ------------------------------------------------ */

static larch_error draw(void)
{
    uint32_t len = number();
    memset(data, 0xee, sizeof data);
    larch_error r = larch_board_random(NULL, data, len);
    put_text("random ");
    put_hex((larch_bytes){data, len});
    put_text("\n");
    return r;
}

static larch_error led(void)
{
    larch_board_led(number() != 0);
    return LARCH_OK;
}

static larch_error i2c(void)
{
    uint32_t address = number();
    return larch_board_i2c_write((uint8_t)address, hex());
}

/* N bytes 0, 1, 2, ... */
static larch_error i2c_long(void)
{
    uint32_t address = number(), len = number();
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    return larch_board_i2c_write((uint8_t)address, (larch_bytes){data, len});
}

static larch_error flash_read(void)
{
    const larch_nor *nor = larch_board_flash();
    uint32_t at = number(), len = number();
    larch_error r = nor->read(nor->context, at, data, len);
    if (r == LARCH_OK) {
        put_text("flash ");
        put_hex((larch_bytes){data, len});
        put_text("\n");
    }
    return r;
}

static larch_error flash_program(void)
{
    const larch_nor *nor = larch_board_flash();
    uint32_t at = number();
    return nor->program(nor->context, at, hex());
}

static larch_error flash_erase(void)
{
    const larch_nor *nor = larch_board_flash();
    return nor->erase(nor->context, number());
}

static larch_error flash_size(void)
{
    put_text("size ");
    put_number(larch_board_flash()->sector_size);
    put_text(" ");
    put_number(larch_board_flash()->sector_count);
    put_text("\n");
    return LARCH_OK;
}

/* ---- commands: Ethernet and radio ------------------------------------------------------------- */

static larch_error net(void)
{
    uint8_t mac[6] = {0};
    larch_error r = larch_board_ethernet_start(mac, on_wake);
    put_text("mac ");
    put_hex(LARCH_BYTES(mac));
    put_text("\n");
    return r;
}

static larch_error send(void)
{
    /* In three pieces, as a stack's header and payload come. */
    larch_bytes all = hex();
    larch_bytes pieces[3] = {{all.data, 6}, {NULL, 0}, {all.data + 6, all.len - 6}};
    return larch_board_ethernet_send(pieces, 3);
}

/* N frames at once, numbered in their last two bytes; "sent AGAIN" tells how often there was no room, each of which waits
 * for its wake. */
static larch_error burst(void)
{
    uint32_t count = number(), again = 0;
    memset(data, 0xff, 6);
    for (uint32_t i = 0; i < count;) {
        data[14] = (uint8_t)(i >> 8);
        data[15] = (uint8_t)i;
        uint32_t before = wakes;
        larch_error r = larch_board_ethernet_send(&(larch_bytes){data, 1000}, 1);
        if (r == LARCH_OK) {
            i++;
        } else if (r == LARCH_AGAIN) {
            again++;
            uint64_t until = larch_board_now_ms() + 2000;
            while (wakes == before)
                if (larch_board_now_ms() > until)
                    return LARCH_STATE;
        } else {
            return r;
        }
    }
    put_text("again ");
    put_number(again);
    put_text("\n");
    return LARCH_OK;
}

/* Too long by one. */
static larch_error send_long(void)
{
    return larch_board_ethernet_send(&(larch_bytes){data, LARCH_BOARD_FRAME_MAX + 1}, 1);
}

static larch_error receive(void)
{
    size_t len;
    uint32_t cap = number();
    while ((len = larch_board_ethernet_receive(data, cap)) > 0) {
        put_text("frame ");
        put_hex((larch_bytes){data, len});
        put_text("\n");
    }
    return LARCH_OK;
}

static larch_error tell_wakes(void)
{
    put_text("wakes ");
    put_number(wakes);
    put_text("\n");
    return LARCH_OK;
}

static larch_error link(void)
{
    put_text(larch_board_ethernet_link() ? "link 1\n" : "link 0\n");
    return LARCH_OK;
}

static larch_error radio(void) { return larch_board_radio_start(on_frame, heard); }
static larch_error channel(void) { return larch_board_radio_channel((uint8_t)number()); }

static larch_error tell_heard(void)
{
    for (uint32_t i = 0; i < heard_count; i++) {
        put_text("heard ");
        put_number(heard[i].frame.channel);
        put_text(" -");
        put_number((uint64_t)-heard[i].frame.signal_dbm);
        put_text(" ");
        put_hex(heard[i].frame.bytes);
        put_text("\n");
    }
    heard_count = 0;
    return LARCH_OK;
}

/* ---- main ------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    larch_error (*run)(void);
} commands[] = {
    {"rate", rate},
    {"sink", sink},
    {"fault", fault},
    {"time", tell_time},
    {"restart", restart},
    {"end", end},
    {"random", draw},
    {"led", led},
    {"i2c", i2c},
    {"i2c_long", i2c_long},
    {"flash_read", flash_read},
    {"flash_program", flash_program},
    {"flash_erase", flash_erase},
    {"flash_size", flash_size},
    {"net", net},
    {"send", send},
    {"send_long", send_long},
    {"burst", burst},
    {"receive", receive},
    {"wakes", tell_wakes},
    {"link", link},
    {"radio", radio},
    {"channel", channel},
    {"heard", tell_heard},
};

int main(void)
{
    larch_virt_devices_init();
    start_interrupts();
    put_text("ready ");
    put_number(larch_board_now_ms());
    put_text("\n");
    for (;;) {
        read_line();
        larch_error r = LARCH_MALFORMED;
        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
            if (strcmp(line, commands[i].name) == 0)
                r = commands[i].run();
        if (r == LARCH_OK) {
            put_text("ok\n");
        } else {
            put_text("error ");
            put_text(larch_error_name(r));
            put_text("\n");
        }
    }
}
