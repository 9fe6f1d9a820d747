/* SPDX-License-Identifier: Apache-2.0 */
/* The program as data: its own help, and its commands in their order. */
#ifndef LARCH_APP_PROGRAM_H
#define LARCH_APP_PROGRAM_H

#include "common/command.h"

typedef struct larch_program_options {
    bool version;
} larch_program_options;

extern const larch_command larch_program; /* fills larch_program_options */
extern const larch_command *const larch_program_commands[];
extern const size_t larch_program_command_count;

#endif
