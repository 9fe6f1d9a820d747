/* SPDX-License-Identifier: Apache-2.0 */
#include "oled/options.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/command.h"
#include "oled/png.h"

static larch_oled_style suitable_style(void)
{
    struct winsize size = {0};

    if (!isatty(STDOUT_FILENO))
        return LARCH_OLED_ASCII;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= larch_oled_columns(LARCH_OLED_BLOCKS))
        return LARCH_OLED_BLOCKS;
    return LARCH_OLED_BRAILLE;
}

static const char *const styles[] = {
    [LARCH_OLED_ASCII] = "ascii", [LARCH_OLED_BLOCKS] = "blocks", [LARCH_OLED_BRAILLE] = "braille", NULL};

static const larch_option rows[] = {
    {.name = "follow",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(oled_options, follow),
     .text = "go on as the stream grows, and draw each picture; Ctrl-C ends"},
    {.name = "led",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(oled_options, led),
     .text = "the LED's state below the picture, and draw again when it changes"},
    {.name = "as",
     .kind = LARCH_OPTION_CHOICE,
     .value = "STYLE",
     .choices = styles,
     LARCH_OPTION_AT(oled_options, style),
     .text = "ascii, blocks or braille; else what suits the terminal, and ascii where there is none"},
    {.name = "png",
     .kind = LARCH_OPTION_TEXT,
     .value = "FILE",
     LARCH_OPTION_AT(oled_options, png),
     .text = "the picture as PNG; - for standard output, which then carries nothing else"},
    {.name = "frames",
     .kind = LARCH_OPTION_TEXT,
     .value = "DIR",
     LARCH_OPTION_AT(oled_options, frames),
     .text = "each picture as DIR/0001.png, 0002.png, ..."},
    {.name = "scale",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = LARCH_OLED_SCALE_MAX,
     LARCH_OPTION_AT(oled_options, scale),
     .text = "dots a pixel in PNG, 1 to 16; 4"},
    {.name = "json",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(oled_options, json),
     .text = "one JSON object a line: each picture with its text, each LED change"},
};

const larch_command larch_oled_command = {
    .name = OLED_NAME,
    .text = "show what a board's display shows, from its I2C bus",
    .usage = "[FILE] [OPTION]...",
    .about = "Shows what a board's SSD1306 display shows, from the I2C bytes that an emulated board sends\n"
             "to its second channel; FILE is that channel or a record of it, - or none for standard input.\n",
    LARCH_COMMAND_OPTIONS(rows),
    .more = "A picture is one that stands: the LED changes, pixels go to an earlier place than the last,\n"
            "the stream pauses (--follow) or ends. Without --follow the last one alone is drawn.\n"
            "\n"
            "Exit status: 0 done, 1 failed, or the stream held what no SSD1306 understands, 2 usage.\n",
    .operand_max = 1,
};

larch_exit oled_options_take(oled_options *o, int argc, char **argv)
{
    larch_operands operands;
    *o = (oled_options){.scale = 4, .style = suitable_style()};
    const larch_exit code = larch_command_parse(&larch_oled_command, o, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (operands.count > 0 && strcmp(operands.words[0], "-") != 0)
        o->file = operands.words[0];
    if (o->png == NULL || strcmp(o->png, "-") != 0)
        return LARCH_EXIT_DONE;
    if (o->json || o->follow)
        return larch_app_usage(OLED_NAME, "--png - is one picture, without --json and --follow");
    if (isatty(STDOUT_FILENO))
        return larch_app_usage(OLED_NAME, "a PNG is not for a terminal; pipe it on, or name a file");
    return LARCH_EXIT_DONE;
}
