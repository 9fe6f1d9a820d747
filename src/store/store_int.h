/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARCH_STORE_INT_H
#define LARCH_STORE_INT_H

#include "larch/store.h"

/* The error that stands for a fault of a file. */
larch_error larch_store_error(larch_store_fault fault);

/* Puts a number into a file name. */
void larch_store_put_decimal(larch_writer *w, uint32_t number);

#endif
