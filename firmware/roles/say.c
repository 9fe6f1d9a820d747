/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "FreeRTOS.h"
#include "semphr.h"

#include "board/board.h"
#include "say.h"
#include "sleep.h"

static void put_string(larch_writer *w, const char *text)
{
    while (*text != '\0')
        larch_writer_put_u8(w, (uint8_t)*text++);
}

static void put_number(larch_writer *w, uint64_t n)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (uint8_t)('0' + n % 10);
    while ((n /= 10) > 0);
    larch_writer_put(w, (larch_bytes){digits + at, sizeof digits - at});
}

static void put_hex(larch_writer *w, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    larch_writer_put_u8(w, (uint8_t)digits[byte >> 4]);
    larch_writer_put_u8(w, (uint8_t)digits[byte & 15]);
}

static void put_plain(larch_writer *w, larch_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t byte = bytes.data[i];
        if (byte == '\\')
            put_string(w, "\\\\");
        else if (byte >= 0x20 && byte <= 0x7e)
            larch_writer_put_u8(w, byte);
        else {
            put_string(w, "\\x");
            put_hex(w, byte);
        }
    }
}

static void put_peer(larch_writer *w, const larch_peer *peer)
{
    if (larch_peer_is_ipv4(peer)) {
        for (unsigned i = 12; i < 16; i++) {
            put_number(w, peer->address[i]);
            larch_writer_put_u8(w, i < 15 ? '.' : ':');
        }
    } else {
        for (unsigned i = 0; i < 16; i++) {
            if (i % 2 == 0)
                larch_writer_put_u8(w, i == 0 ? '[' : ':');
            put_hex(w, peer->address[i]);
        }
        put_string(w, "]:");
    }
    put_number(w, peer->port);
}

static void put(larch_writer *w, const char *format, va_list arguments)
{
    for (const char *c = format; *c != '\0'; c++) {
        if (*c != '%') {
            larch_writer_put_u8(w, (uint8_t)*c);
            continue;
        }
        switch (*++c) {
        case 's':
            put_string(w, va_arg(arguments, const char *));
            break;
        case 'u':
            put_number(w, va_arg(arguments, uint32_t));
            break;
        case 'U':
            put_number(w, va_arg(arguments, uint64_t));
            break;
        case 'q':
            put_plain(w, *va_arg(arguments, const larch_bytes *));
            break;
        case 'a':
            put_peer(w, va_arg(arguments, const larch_peer *));
            break;
        default:
            larch_writer_put_u8(w, '%');
            break;
        }
    }
}

void larch_say_put(larch_writer *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put(w, format, arguments);
    va_end(arguments);
}

/* ---- lines ----------------------------------------------------------------- */

#define PATIENCE_MS 1000

static bool to_line(larch_bytes line)
{
    if (larch_board_line_room() < line.len)
        return false;
    (void)larch_board_line_write(line);
    return true;
}

static bool (*through)(larch_bytes line) = to_line;

void larch_say_through(bool (*sink)(larch_bytes line)) { through = sink; }

/* The bytes as a line: with its end, and cut to what a line may have. */
static larch_bytes line_of(larch_writer *w)
{
    size_t len = w->len < LARCH_SAY_MAX ? w->len : LARCH_SAY_MAX;
    w->data[len++] = '\n';
    return (larch_bytes){w->data, len};
}

/* Locked. Who has waited in vain waits no more until there is room again. */
static void say(larch_bytes line)
{
    static uint32_t lost;
    uint8_t bytes[40];
    larch_writer w = larch_writer_to(bytes, sizeof bytes - 1);
    const uint64_t until = larch_board_now_ms() + (lost == 0 ? PATIENCE_MS : 0);
    if (lost > 0) {
        larch_say_put(&w, "line: %u lines were lost", lost);
        if (!through(line_of(&w))) {
            lost++;
            return;
        }
        lost = 0;
    }
    while (!through(line)) {
        if (larch_board_now_ms() >= until) {
            lost++;
            return;
        }
        larch_sleep_ms(1);
    }
}

void larch_say(const char *format, ...)
{
    static StaticSemaphore_t memory;
    static SemaphoreHandle_t mutex;
    uint8_t bytes[LARCH_SAY_MAX + 1];
    larch_writer w = larch_writer_to(bytes, LARCH_SAY_MAX);
    va_list arguments;
    va_start(arguments, format);
    put(&w, format, arguments);
    va_end(arguments);

    portENTER_CRITICAL();
    if (mutex == NULL)
        mutex = xSemaphoreCreateMutexStatic(&memory);
    portEXIT_CRITICAL();
    (void)xSemaphoreTake(mutex, portMAX_DELAY);
    say(line_of(&w));
    (void)xSemaphoreGive(mutex);
}
