/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app.h"
#include "larch/crypto.h"
#include "larch/kem.h"

static void complain(const char *command, const char *format, va_list arguments)
{
    fprintf(stderr, "larch%s%s: ", command[0] != '\0' ? " " : "", command);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

larch_exit larch_app_fail(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(command, format, arguments);
    va_end(arguments);
    return LARCH_EXIT_FAILED;
}

larch_exit larch_app_refuse(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(command, format, arguments);
    va_end(arguments);
    return LARCH_EXIT_REFUSED;
}

larch_exit larch_app_start_crypto(const char *command)
{
    if (larch_crypto_init() != LARCH_OK)
        return larch_app_fail(command, "the cryptography provider does not start");
    if (larch_pq_self_test() != LARCH_OK)
        return larch_app_fail(command, "the post-quantum code fails its self-test: a known answer comes out wrong; "
                                       "do not use this build on this processor");
    return LARCH_EXIT_DONE;
}

larch_exit larch_app_usage(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(command, format, arguments);
    va_end(arguments);
    fprintf(stderr, "Try 'larch%s%s --help'.\n", command[0] != '\0' ? " " : "", command);
    return LARCH_EXIT_USAGE;
}

larch_exit larch_app_end_output(const char *command)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return larch_app_fail(command, "standard output: %s", strerror(errno));
    return LARCH_EXIT_DONE;
}

bool larch_app_number(const char *text, unsigned long min, unsigned long max, unsigned long *out)
{
    char *end;
    unsigned long value;

    if (text[0] < '0' || text[0] > '9') /* strtoul takes signs and spaces */
        return false;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool larch_app_copy(const char *text, char *out, size_t cap)
{
    size_t len = text != NULL ? strlen(text) : 0;
    if (len == 0 || len >= cap)
        return false;
    memcpy(out, text, len + 1);
    return true;
}
