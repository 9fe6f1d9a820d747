/* SPDX-License-Identifier: Apache-2.0 */
/* What `larch oled` is asked for. */
#ifndef LARCH_APP_OLED_OPTIONS_H
#define LARCH_APP_OLED_OPTIONS_H

#include "common/app.h"
#include "oled/view.h"

#define OLED_NAME "oled"

typedef struct oled_options {
    const char *file; /* NULL: standard input */
    const char *png;
    const char *frames;
    unsigned long scale;
    bool follow, led, json;
    larch_oled_style style;
} oled_options;

larch_exit oled_options_take(oled_options *o, int argc, char **argv);

#endif
