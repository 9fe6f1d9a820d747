/* SPDX-License-Identifier: Apache-2.0 */
/* Last words: what makes the firmware stop is told on the serial line, then the board restarts. */
#ifndef LARCH_REPORT_H
#define LARCH_REPORT_H

#include <stddef.h>
#include <stdint.h>

typedef struct larch_report_number {
    const char *name;
    uint32_t value; /* printed in hexadecimal */
} larch_report_number;

/* "fault: mcause 0x00000005 mepc 0x2000012a, task gateway". From anywhere, interrupts too. */
_Noreturn void larch_report_fatal(const char *what, const larch_report_number *numbers, size_t count);

/* Of configASSERT and lwIP's assertions: the address it is called from is what addr2line wants. */
_Noreturn void larch_report_assertion(void);

#endif
