/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "oled_png.h"
#include "oled_view.h"
#include "sniff/oled_stream.h"
#include "text.h"

/* Followed, a stream that is silent so long has said what it had to say; a file that ended is looked at as often. */
#define PAUSE_MS 50

static const char usage[] =
    "Usage: larch oled [FILE] [OPTION]...\n"
    "Shows what a board's SSD1306 display shows, from the I2C bytes that an emulated board sends\n"
    "to its second channel; FILE is that channel or a record of it, - or none for standard input.\n"
    "\n"
    "      --follow       go on as the stream grows, and draw each picture; Ctrl-C ends\n"
    "      --led          the LED's state below the picture, and draw again when it changes\n"
    "      --as STYLE     ascii, blocks or braille; else what suits the terminal, and ascii\n"
    "                     where there is none\n"
    "      --png FILE     the picture as PNG; - for standard output, which then carries\n"
    "                     nothing else\n"
    "      --frames DIR   each picture as DIR/0001.png, 0002.png, ...\n"
    "      --scale N      dots a pixel in PNG, 1 to 16; 4\n"
    "      --json         one JSON object a line: each picture with its text, each LED change\n"
    "      --help         print this help\n"
    "\n"
    "A picture is one that stands: the LED changes, pixels go to an earlier place than the last,\n"
    "the stream pauses (--follow) or ends. Without --follow the last one alone is drawn.\n"
    "\n"
    "Exit status: 0 done, 1 failed, or the stream held what no SSD1306 understands, 2 usage.\n";

typedef struct options {
    const char *file; /* NULL: standard input */
    const char *png;
    const char *frames;
    unsigned long scale;
    bool follow, led, json, has_style;
    larch_oled_style style;
} options;

typedef struct viewer {
    options options;
    int fd;
    larch_oled_stream stream;
    larch_ssd1306_model model;
    larch_oled_picture shown; /* the last picture that was told */
    bool led;
    bool stale;  /* not drawn since it changed */
    bool drawn;  /* there is one to draw over */
    bool failed; /* output did not work; said already */
    uint64_t pictures, led_changes, breaks;
} viewer;

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

/* ---- output ------------------------------------------------------------- */

static void print(const larch_writer *w)
{
    (void)fwrite(w->data, 1, w->len < w->cap ? w->len : w->cap, stdout); /* looked at in the end, with ferror */
}

static void put_member(larch_writer *w, const char *name, bool value)
{
    larch_text_put(w, ",\"");
    larch_text_put(w, name);
    larch_text_put(w, value ? "\":true" : "\":false");
}

static void put_count(larch_writer *w, const char *name, uint64_t value)
{
    larch_text_put(w, ",\"");
    larch_text_put(w, name);
    larch_text_put(w, "\":");
    larch_text_put_number(w, value);
}

static void print_json_picture(const viewer *v)
{
    uint8_t line[1024];
    larch_writer w = larch_writer_to(line, sizeof line);
    const larch_oled_picture *p = &v->shown;
    larch_screen text;

    larch_oled_read(p, &text);
    larch_text_put(&w, "{\"event\":\"picture\"");
    put_count(&w, "number", v->pictures);
    put_member(&w, "on", p->on);
    put_count(&w, "contrast", p->contrast);
    put_member(&w, "inverse", p->inverse);
    put_member(&w, "scrolling", p->scrolling);
    put_count(&w, "lit", larch_oled_count_lit(p));
    larch_text_put(&w, ",\"text\":[");
    for (size_t row = 0; row < LARCH_SCREEN_ROWS; row++) {
        if (row > 0)
            larch_text_put(&w, ",");
        larch_text_put_json(&w, (larch_bytes){(const uint8_t *)text.rows[row], LARCH_SCREEN_COLUMNS});
    }
    larch_text_put(&w, "]}\n");
    print(&w);
}

static void print_json_end(const viewer *v)
{
    uint8_t line[256];
    larch_writer w = larch_writer_to(line, sizeof line);

    larch_text_put(&w, "{\"event\":\"end\"");
    put_count(&w, "pictures", v->pictures);
    put_count(&w, "led_changes", v->led_changes);
    put_count(&w, "faults", v->model.faults);
    put_count(&w, "breaks", v->breaks);
    put_count(&w, "skipped", v->stream.skipped);
    put_member(&w, "cut", larch_oled_stream_is_cut(&v->stream));
    larch_text_put(&w, "}\n");
    print(&w);
}

static void draw(viewer *v)
{
    static uint8_t out[LARCH_OLED_DRAW_MAX + 256];
    larch_writer w = larch_writer_to(out, sizeof out);
    const larch_oled_picture *p = &v->shown;

    if (v->drawn && isatty(STDOUT_FILENO)) { /* back to its first line, and clear from there */
        larch_text_put(&w, "\x1b[");
        larch_text_put_number(&w, larch_oled_lines(v->options.style) + 1);
        larch_text_put(&w, "A\x1b[J");
    }
    larch_oled_draw(&w, p, v->options.style);
    larch_text_put(&w, p->on ? "panel on, contrast " : "panel off, contrast ");
    larch_text_put_number(&w, p->contrast);
    if (p->inverse)
        larch_text_put(&w, ", inverse");
    if (p->scrolling)
        larch_text_put(&w, ", asked to scroll");
    if (v->options.led)
        larch_text_put(&w, v->led ? "; LED lit" : "; LED dark");
    larch_text_put(&w, "\n");
    print(&w);
    v->drawn = true;
}

static void write_png(viewer *v, const char *path)
{
    const char *why = larch_oled_write_png(&v->shown, (unsigned)v->options.scale, path);
    if (why == NULL || v->failed)
        return;
    (void)larch_app_fail("oled", "%s: %s", path, why);
    v->failed = true;
}

static void tell_picture(viewer *v)
{
    char path[4096];

    v->pictures++;
    v->stale = true;
    if (v->options.json)
        print_json_picture(v);
    if (v->options.frames == NULL)
        return;
    if ((size_t)snprintf(path, sizeof path, "%s/%04" PRIu64 ".png", v->options.frames, v->pictures) < sizeof path)
        write_png(v, path);
}

/* Once for what came together: on a terminal in place, the PNG file anew. */
static void draw_stale(viewer *v)
{
    const char *png = v->options.png;

    if (!v->stale)
        return;
    v->stale = false;
    if (png != NULL)
        write_png(v, png);
    if (!v->options.json && (png == NULL || strcmp(png, "-") != 0))
        draw(v);
}

/* ---- input -------------------------------------------------------------- */

/* What the model shows stands; it is told unless it was. */
static void settle(viewer *v, const larch_ssd1306_model *model)
{
    larch_oled_picture picture = {0};

    larch_oled_look(model, &picture);
    if (larch_oled_equal(&picture, &v->shown))
        return;
    v->shown = picture;
    tell_picture(v);
    if (v->options.follow)
        draw_stale(v);
}

static void take_led(viewer *v, bool lit)
{
    settle(v, &v->model);
    if (lit == v->led)
        return;
    v->led = lit;
    v->led_changes++;
    if (v->options.json)
        printf("{\"event\":\"led\",\"lit\":%s}\n", lit ? "true" : "false");
    v->stale |= v->options.led;
    if (v->options.follow)
        draw_stale(v);
}

static void take_transfer(viewer *v, larch_bytes bytes)
{
    larch_ssd1306_model before = v->model;

    if (larch_ssd1306_model_transfer(&v->model, bytes) != LARCH_OK && v->options.json)
        printf("{\"event\":\"fault\",\"text\":\"%s\"}\n", larch_ssd1306_fault_text(v->model.fault));
    if (v->model.backward != before.backward)
        settle(v, &before);
}

static void take(viewer *v, larch_bytes bytes)
{
    larch_oled_frame frame;

    for (larch_error r; (r = larch_oled_stream_next(&v->stream, &bytes, &frame)) != LARCH_AGAIN;) {
        if (r != LARCH_OK) {
            v->breaks++;
            if (v->options.json)
                printf("{\"event\":\"break\"}\n");
        } else if (frame.led) {
            take_led(v, frame.bytes.data[0] == 1);
        } else if (frame.address == LARCH_SSD1306_MODEL_ADDRESS) {
            take_transfer(v, frame.bytes);
        }
    }
}

static void pause_stream(viewer *v)
{
    settle(v, &v->model);
    draw_stale(v);
    (void)fflush(stdout); /* who watches wants each line at once */
}

/* Waits until bytes, or the end, are there; false: not yet. A pause settles the picture of a stream that is followed. */
static bool wait_input(viewer *v)
{
    struct pollfd ready = {.fd = v->fd, .events = POLLIN};
    int found = poll(&ready, 1, v->options.follow ? PAUSE_MS : -1);

    if (found == 0)
        pause_stream(v);
    return found > 0;
}

static int run(viewer *v)
{
    static uint8_t bytes[4096];
    struct stat about;
    bool grows = v->options.follow && fstat(v->fd, &about) == 0 && S_ISREG(about.st_mode);

    while (stopped == 0 && !v->failed && !ferror(stdout)) {
        if (!wait_input(v))
            continue;
        ssize_t len = read(v->fd, bytes, sizeof bytes);
        if (len < 0 && errno != EINTR && errno != EAGAIN)
            return larch_app_fail("oled", "%s: %s", v->options.file != NULL ? v->options.file : "standard input",
                                  strerror(errno));
        if (len > 0)
            take(v, (larch_bytes){bytes, (size_t)len});
        if (v->options.follow)
            (void)fflush(stdout);
        if (len != 0)
            continue;
        if (!grows)
            break;
        pause_stream(v);
        (void)poll(NULL, 0, PAUSE_MS);
    }
    settle(v, &v->model);
    return LARCH_EXIT_DONE;
}

/* ---- the start and the end ---------------------------------------------- */

static larch_oled_style suitable_style(void)
{
    struct winsize size = {0};

    if (!isatty(STDOUT_FILENO))
        return LARCH_OLED_ASCII;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= larch_oled_columns(LARCH_OLED_BLOCKS))
        return LARCH_OLED_BLOCKS;
    return LARCH_OLED_BRAILLE;
}

static bool parse_style(const char *text, options *o)
{
    static const char *const names[] = {
        [LARCH_OLED_ASCII] = "ascii", [LARCH_OLED_BLOCKS] = "blocks", [LARCH_OLED_BRAILLE] = "braille"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], text) == 0) {
            o->style = (larch_oled_style)i;
            o->has_style = true;
            return true;
        }
    return false;
}

/* LARCH_EXIT_DONE: go on; -1: help was shown. */
static int parse_options(int argc, char **argv, options *o)
{
    enum { FOLLOW = 256, LED, AS, PNG, FRAMES, SCALE, JSON, HELP };
    static const struct option known[] = {{"follow", no_argument, NULL, FOLLOW},
                                          {"led", no_argument, NULL, LED},
                                          {"as", required_argument, NULL, AS},
                                          {"png", required_argument, NULL, PNG},
                                          {"frames", required_argument, NULL, FRAMES},
                                          {"scale", required_argument, NULL, SCALE},
                                          {"json", no_argument, NULL, JSON},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};

    optind = 1;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":", known, NULL)) != -1;) {
        switch (c) {
        case FOLLOW:
            o->follow = true;
            break;
        case LED:
            o->led = true;
            break;
        case AS:
            if (!parse_style(optarg, o))
                return larch_app_usage("oled", "a style is ascii, blocks or braille, not %s", optarg);
            break;
        case PNG:
            o->png = optarg;
            break;
        case FRAMES:
            o->frames = optarg;
            break;
        case SCALE:
            if (!larch_app_number(optarg, 1, LARCH_OLED_SCALE_MAX, &o->scale))
                return larch_app_usage("oled", "a scale is a number from 1 to %d, not %s", LARCH_OLED_SCALE_MAX,
                                       optarg);
            break;
        case JSON:
            o->json = true;
            break;
        case HELP:
            return larch_app_help(usage) == LARCH_EXIT_DONE ? -1 : LARCH_EXIT_FAILED;
        case ':':
            return larch_app_usage("oled", "an argument is missing after %s", argv[optind - 1]);
        default:
            return larch_app_usage("oled", "unknown option %s", argv[optind - 1]);
        }
    }
    if (optind < argc && strcmp(argv[optind], "-") != 0)
        o->file = argv[optind];
    if (optind + 1 < argc)
        return larch_app_usage("oled", "unexpected argument %s", argv[optind + 1]);
    if (o->png != NULL && strcmp(o->png, "-") == 0) {
        if (o->json || o->follow)
            return larch_app_usage("oled", "--png - is one picture, without --json and --follow");
        if (isatty(STDOUT_FILENO))
            return larch_app_usage("oled", "a PNG is not for a terminal; pipe it on, or name a file");
    }
    if (!o->has_style)
        o->style = suitable_style();
    return LARCH_EXIT_DONE;
}

static int finish(viewer *v, int result)
{
    v->stale |= v->pictures == 0; /* a dark panel is a picture too */
    draw_stale(v);
    if (v->options.json)
        print_json_end(v);
    if (ferror(stdout) || fflush(stdout) != 0)
        result = larch_app_fail("oled", "standard output: %s", strerror(errno));
    if (larch_oled_stream_is_cut(&v->stream))
        fprintf(stderr, "larch oled: the stream ends inside a transfer\n");
    if (v->breaks > 0)
        result = larch_app_fail("oled", "the stream broke its format %" PRIu64 " times; %" PRIu64 " bytes were skipped",
                                v->breaks, v->stream.skipped);
    if (v->model.faults > 0)
        result =
            larch_app_fail("oled", "%" PRIu64 " times the display was sent what it does not understand; the last: %s",
                           v->model.faults, larch_ssd1306_fault_text(v->model.fault));
    return v->failed ? LARCH_EXIT_FAILED : result;
}

int larch_oled_main(int argc, char **argv)
{
    static viewer v;
    struct sigaction action = {.sa_handler = stop};

    v.options.scale = 4;
    int result = parse_options(argc, argv, &v.options);
    if (result != LARCH_EXIT_DONE)
        return result < 0 ? LARCH_EXIT_DONE : result;
    larch_oled_stream_init(&v.stream);
    larch_ssd1306_model_reset(&v.model);
    larch_oled_look(&v.model, &v.shown);
    v.fd = v.options.file != NULL ? open(v.options.file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (v.fd < 0)
        return larch_app_fail("oled", "%s: %s", v.options.file, strerror(errno));
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    result = finish(&v, run(&v));
    if (v.fd != STDIN_FILENO)
        (void)close(v.fd);
    return result;
}
