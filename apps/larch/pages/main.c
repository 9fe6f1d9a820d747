/* SPDX-License-Identifier: Apache-2.0 */
/* usage: larch-pages FOLDER GATEWAY.INI: writes larch*.1, gateway.ini.5 and larch.bash into the folder. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/program.h"
#include "pages/pages.h"

#define PAGE_MAX 65536
#define PATH_LEN 4096

static uint8_t page[PAGE_MAX];

static bool complain(const char *path, const char *what)
{
    fprintf(stderr, "larch-pages: %s: %s\n", path, what);
    return false;
}

static bool save(const char *folder, const char *name, const larch_writer *w)
{
    char path[PATH_LEN];
    larch_bytes bytes;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (larch_writer_finish(w, &bytes) != LARCH_OK)
        return complain(path, "the page is too long");
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return complain(path, strerror(errno));
    const bool is_whole = fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    return (fclose(file) == 0 && is_whole) || complain(path, "it could not be written");
}

static bool save_man(const char *folder, const larch_command *command)
{
    char name[64];
    larch_writer w = larch_writer_to(page, sizeof page);
    snprintf(name, sizeof name, "larch%s%s.1", command->name[0] != '\0' ? "-" : "", command->name);
    return page_put_man(&w, command) ? save(folder, name, &w) : complain(name, "pages/notes.c has no notes of it");
}

static bool save_ini(const char *folder, const char *path)
{
    static uint8_t sample[PAGE_MAX];
    larch_writer w = larch_writer_to(page, sizeof page);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return complain(path, strerror(errno));
    const size_t len = fread(sample, 1, sizeof sample, file);
    (void)fclose(file);
    page_put_ini(&w, (larch_bytes){sample, len});
    return save(folder, "gateway.ini.5", &w);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: larch-pages FOLDER GATEWAY.INI\n", stderr);
        return 2;
    }
    bool is_done = save_man(argv[1], &larch_program) && save_ini(argv[1], argv[2]);
    for (size_t i = 0; is_done && i < larch_program_command_count; i++)
        is_done = save_man(argv[1], larch_program_commands[i]);
    larch_writer w = larch_writer_to(page, sizeof page);
    page_put_completion(&w, larch_program_commands, larch_program_command_count);
    return is_done && save(argv[1], "larch.bash", &w) ? 0 : 1;
}
