/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SDK says goes nowhere: it prints the passphrase when it joins a network, and its talk would stand between the
 * sniffer's records. The project's Makefile has its linker put these in the place of printf and its like (--wrap).
 */
#include <stdarg.h>

int __wrap_printf(const char *format, ...);
int __wrap_vprintf(const char *format, va_list arguments);
int __wrap_puts(const char *text);
int __wrap_putchar(int byte);

int __wrap_printf(const char *format, ...)
{
    (void)format;
    return 0;
}

int __wrap_vprintf(const char *format, va_list arguments)
{
    (void)format;
    (void)arguments;
    return 0;
}

int __wrap_puts(const char *text)
{
    (void)text;
    return 0;
}

int __wrap_putchar(int byte) { return byte; }
