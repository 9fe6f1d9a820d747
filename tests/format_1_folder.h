/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state folder of format 1, as the last larch that wrote that format left it: tests/format_1/NAME.hex. Its gateway, of
 * 16 replay_slots, accepted three messages, rotated all keys, and accepted two more.
 */
#ifndef LARCH_TESTS_FORMAT_1_FOLDER_H
#define LARCH_TESTS_FORMAT_1_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "larch/base.h"

enum { FORMAT_1_FILES = 9, FORMAT_1_FILE_MAX = 752, FORMAT_1_MARKS_START = 512, FORMAT_1_SLOTS = 16 };

typedef struct format_1_file {
    const char *name;
    size_t len;
    uint8_t bytes[FORMAT_1_FILE_MAX];
} format_1_file;

/* folder: tests/format_1. */
static inline void format_1_load(const char *folder, format_1_file files[FORMAT_1_FILES])
{
    static const char *const names[FORMAT_1_FILES] = {
        "direct-512.key",   "direct-768.key",   "direct-1024.key",   "replay-512-1.log",  "replay-512-2.log",
        "replay-768-1.log", "replay-768-2.log", "replay-1024-1.log", "replay-1024-2.log",
    };
    for (size_t i = 0; i < FORMAT_1_FILES; i++) {
        char path[512];
        unsigned byte;
        snprintf(path, sizeof path, "%s/%s.hex", folder, names[i]);
        FILE *f = fopen(path, "re");
        if (f == NULL)
            abort();
        files[i] = (format_1_file){.name = names[i]};
        while (files[i].len < FORMAT_1_FILE_MAX && fscanf(f, "%2x", &byte) == 1)
            files[i].bytes[files[i].len++] = (uint8_t)byte;
        fclose(f);
    }
}

/* What a larch of format 1 looks at first in every file that it opens: anything else it refuses, and names the file. */
static inline bool format_1_takes(larch_bytes file)
{
    return file.len > 4 && memcmp(file.data, "LRCH", 4) == 0 && file.data[4] == 1;
}

#endif
