/* SPDX-License-Identifier: Apache-2.0 */
#include "common/confirm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

larch_exit larch_app_confirm(const char *command, const char *what, bool is_sure)
{
    char answer[16] = "";
    if (is_sure)
        return LARCH_EXIT_DONE;
    if (!isatty(STDIN_FILENO))
        return larch_app_usage(command, "standard input is no terminal to ask at; --yes says that it shall be done");
    fprintf(stderr, "%sType 'yes' to go on: ", what);
    if (fgets(answer, sizeof answer, stdin) == NULL)
        fputc('\n', stderr);
    return strcmp(answer, "yes\n") == 0 ? LARCH_EXIT_DONE : larch_app_fail(command, "nothing was changed");
}
