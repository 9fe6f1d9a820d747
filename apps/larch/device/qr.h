/* SPDX-License-Identifier: Apache-2.0 */
/* An enrolment as a QR code. A build without libqrencode makes none, and says so. */
#ifndef LARCH_APP_DEVICE_QR_H
#define LARCH_APP_DEVICE_QR_H

#include <stdio.h>

#include "larch/base.h"

/* NULL, or why this build makes no QR codes and what to do. */
const char *device_qr_fault(void);
/* Prints it in half blocks, two modules above one another in a character; in black on white where colour says so, else with light
 * modules as blocks, for a dark background. bytes: secret. False: it cannot be made, or not written. */
bool device_qr_print(FILE *out, larch_bytes bytes, bool colour);
/* Columns that it takes on a terminal. 0: it cannot be made. */
unsigned device_qr_width(larch_bytes bytes);
/* Writes it as a PNG into an open file. NULL, or why it was not written. */
const char *device_qr_write_png(int fd, larch_bytes bytes);

#endif
