/* SPDX-License-Identifier: Apache-2.0 */
/* For harnesses of code that opens files: a file of the process's own. Its folder stands in $TMPDIR, which tools/fuzz.sh
 * removes, for libFuzzer may end without any farewell; without $TMPDIR in memory, where syncing costs nothing. */
#ifndef LARCH_FUZZ_FILE_H
#define LARCH_FUZZ_FILE_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "larch/base.h"

static char file_folder[200];
static char file_path[256];

static inline void file_remove(void)
{
    (void)unlink(file_path);
    (void)rmdir(file_folder);
}

/* Writes the file anew and returns its path. */
static inline const char *file_with(larch_bytes content)
{
    if (file_path[0] == '\0') {
        const char *parent = getenv("TMPDIR");
        if (parent == NULL)
            parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        const int len = snprintf(file_folder, sizeof file_folder, "%s/larch-fuzz-XXXXXX", parent);
        require(len > 0 && (size_t)len < sizeof file_folder && mkdtemp(file_folder) != NULL);
        (void)snprintf(file_path, sizeof file_path, "%s/file", file_folder);
        require(atexit(file_remove) == 0);
    }
    FILE *f = fopen(file_path, "wb");
    require(f != NULL);
    const size_t written = fwrite(content.data, 1, content.len, f);
    require(fclose(f) == 0 && written == content.len);
    return file_path;
}

/* What stands in it now, at most cap bytes of out. */
static inline size_t file_read(uint8_t *out, size_t cap)
{
    FILE *f = fopen(file_path, "rb");
    require(f != NULL);
    const size_t len = fread(out, 1, cap, f);
    require(fclose(f) == 0);
    return len;
}

#endif
