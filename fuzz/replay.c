/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for libFuzzer's main: runs the harness over every file of a folder. */
#include <dirent.h>
#include <stdio.h>

#include "fuzz.h"

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    /* A heap block of exactly the input's size, so that a sanitizer sees a read past its end. */
    fseek(file, 0, SEEK_END);
    long end = ftell(file);
    size_t size = end > 0 ? (size_t)end : 0;
    uint8_t *data = malloc(size > 0 ? size : 1);
    rewind(file);
    int bad = data == NULL || fread(data, 1, size, file) != size;
    fclose(file);
    if (!bad)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    return bad;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    if (folder == NULL) {
        perror(argv[1]);
        return 1;
    }
    unsigned inputs = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (replay(path) != 0)
            return 1;
        inputs++;
    }
    closedir(folder);
    printf("%u inputs replayed\n", inputs);
    return inputs == 0; /* an empty corpus tests nothing */
}
