/* SPDX-License-Identifier: Apache-2.0 */
/* A fresh folder for a test. The includer asks for mkdtemp (_DEFAULT_SOURCE) before its first include. */
#ifndef TESTS_TEMP_FOLDER_H
#define TESTS_TEMP_FOLDER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define TEMP_FOLDER_MAX 64

static inline bool temp_folder_make(char path[TEMP_FOLDER_MAX])
{
    const char *temp = getenv("TMPDIR");
    snprintf(path, TEMP_FOLDER_MAX, "%.40s/larch-XXXXXX", temp != NULL ? temp : "/tmp");
    return mkdtemp(path) != NULL;
}

/* With all that is in it; 0 if that worked. */
static inline int temp_folder_remove(const char *path)
{
    char command[TEMP_FOLDER_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command); /* NOLINT(cert-env33-c): the path is this program's own */
}

#endif
