/* SPDX-License-Identifier: Apache-2.0 */
#include "text/text.h"

#include <stdarg.h>
#include <string.h>

void larch_text_put(larch_writer *w, const char *text)
{
    larch_writer_put(w, (larch_bytes){(const uint8_t *)text, strlen(text)});
}

void larch_text_put_format(larch_writer *w, const char *format, ...)
{
    char text[LARCH_TEXT_FORMAT_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    const int len = vsnprintf(text, sizeof text, format, arguments); /* NOLINT(clang-analyzer-valist.Uninitialized) */
    va_end(arguments);
    if (len > 0)
        larch_text_put(w, text);
}

void larch_text_put_digits(larch_writer *w, uint64_t value, unsigned base, unsigned min_digits)
{
    uint8_t digits[20]; /* of 2^64 - 1 */
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t) "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0 || sizeof digits - at < min_digits);
    larch_writer_put(w, (larch_bytes){digits + at, sizeof digits - at});
}

void larch_text_put_number(larch_writer *w, uint64_t value) { larch_text_put_digits(w, value, 10, 1); }

void larch_text_put_hex(larch_writer *w, larch_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        larch_text_put_digits(w, bytes.data[i], 16, 2);
}

char *larch_text_of_code(uint8_t code, char out[LARCH_TEXT_CODE_MAX])
{
    (void)snprintf(out, LARCH_TEXT_CODE_MAX, "%u.%02u", (unsigned)code >> 5, (unsigned)code & 31);
    return out;
}

void larch_text_print(const larch_writer *w, FILE *file)
{
    larch_bytes text;
    if (larch_writer_finish(w, &text) == LARCH_OK)
        (void)fwrite(text.data, 1, text.len, file);
}
