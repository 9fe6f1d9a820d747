/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/interrupt.h"
#include "common/same_file.h"
#include "firmware/model/oled_stream.h"
#include "oled/options.h"
#include "oled/png.h"
#include "oled/view.h"
#include "system.h"
#include "text/json.h"
#include "text/text.h"

/* Followed, a stream that is silent so long has said what it had to say; a file that ended is looked at as often. */
#define PAUSE_MS 50

typedef struct viewer {
    oled_options options;
    int fd;
    bool grows; /* a file whose end may be followed by more */
    larch_loop loop;
    larch_loop_watch input;
    larch_loop_watch interrupt;
    larch_loop_timer pause;
    larch_oled_stream stream;
    larch_ssd1306_model model;
    larch_oled_picture shown; /* the last picture that was told */
    bool led;
    bool stale;  /* not drawn since it changed */
    bool drawn;  /* there is one to draw over */
    bool failed; /* output did not work; said already */
    uint64_t pictures, led_changes, breaks;
    uint64_t bytes, frames; /* that came; frames: of a display or LED */
} viewer;

static const char *name_of(const viewer *v) { return v->options.file != NULL ? v->options.file : "standard input"; }

/* ---- output ------------------------------------------------------------- */

static void print_json_picture(const viewer *v)
{
    uint8_t line[1024];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    const larch_oled_picture *p = &v->shown;
    larch_screen text;

    larch_oled_read(p, &text);
    larch_json_put_text(&j, "event", "picture");
    larch_json_put_number(&j, "number", v->pictures);
    larch_json_put_bool(&j, "on", p->on);
    larch_json_put_number(&j, "contrast", p->contrast);
    larch_json_put_bool(&j, "inverse", p->inverse);
    larch_json_put_bool(&j, "scrolling", p->scrolling);
    larch_json_put_number(&j, "lit", larch_oled_count_lit(p));
    larch_json_begin_array(&j, "text");
    for (size_t row = 0; row < LARCH_SCREEN_ROWS; row++)
        larch_json_put_bytes(&j, NULL, (larch_bytes){(const uint8_t *)text.rows[row], LARCH_SCREEN_COLUMNS});
    larch_json_end_array(&j);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout); /* looked at in the end, with ferror */
}

static void print_json_led(bool lit)
{
    uint8_t line[64];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "event", "led");
    larch_json_put_bool(&j, "lit", lit);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

/* fault: of the display, NULL if the stream broke its format. */
static void print_json_mishap(const char *fault)
{
    uint8_t line[256];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "event", fault != NULL ? "fault" : "break");
    if (fault != NULL)
        larch_json_put_text(&j, "text", fault);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

static void print_json_end(const viewer *v)
{
    uint8_t line[256];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "event", "end");
    larch_json_put_number(&j, "pictures", v->pictures);
    larch_json_put_number(&j, "led_changes", v->led_changes);
    larch_json_put_number(&j, "faults", v->model.faults);
    larch_json_put_number(&j, "breaks", v->breaks);
    larch_json_put_number(&j, "skipped", v->stream.skipped);
    larch_json_put_bool(&j, "cut", larch_oled_stream_is_cut(&v->stream));
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
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
    larch_text_print(&w, stdout);
    v->drawn = true;
}

static void write_png(viewer *v, const char *path)
{
    const char *why = larch_oled_write_png(&v->shown, (unsigned)v->options.scale, path);
    if (why == NULL || v->failed)
        return;
    (void)larch_app_fail(OLED_NAME, "%s: %s", path, why);
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
        print_json_led(lit);
    v->stale |= v->options.led;
    if (v->options.follow)
        draw_stale(v);
}

static void take_transfer(viewer *v, larch_bytes bytes)
{
    larch_ssd1306_model before = v->model;

    if (larch_ssd1306_model_transfer(&v->model, bytes) != LARCH_OK && v->options.json)
        print_json_mishap(larch_ssd1306_fault_text(v->model.fault));
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
                print_json_mishap(NULL);
        } else if (frame.led) {
            v->frames++;
            take_led(v, frame.bytes.data[0] == 1);
        } else if (frame.address == LARCH_SSD1306_MODEL_ADDRESS) {
            v->frames++;
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

static void take_input(larch_loop_watch *watch, unsigned events)
{
    static uint8_t bytes[4096];
    viewer *v = watch->context;
    (void)events;
    const ssize_t len = read(v->fd, bytes, sizeof bytes);
    if (len < 0 && errno != EINTR && errno != EAGAIN) {
        larch_loop_stop(&v->loop, larch_app_fail(OLED_NAME, "%s: %s", name_of(v), strerror(errno)));
        return;
    }
    v->bytes += len > 0 ? (uint64_t)len : 0;
    if (len > 0)
        take(v, (larch_bytes){bytes, (size_t)len});
    if (v->options.follow) {
        (void)fflush(stdout);
        larch_loop_arm_timer(&v->loop, &v->pause, larch_posix_now_ms() + PAUSE_MS);
    }
    if (len != 0)
        return;
    if (!v->grows) {
        larch_loop_stop(&v->loop, LARCH_EXIT_DONE);
        return;
    }
    pause_stream(v);
    larch_loop_change_watch(&v->loop, watch, 0); /* until the pause is over */
}

/* A pause settles the picture of a stream that is followed. */
static void end_pause(larch_loop_timer *timer)
{
    viewer *v = timer->context;
    pause_stream(v);
    larch_loop_change_watch(&v->loop, &v->input, LARCH_LOOP_READ);
}

/* Before each wait. */
static uint64_t check_output(void *context)
{
    viewer *v = context;
    if (v->failed || ferror(stdout))
        larch_loop_stop(&v->loop, LARCH_EXIT_DONE);
    return UINT64_MAX;
}

static larch_exit run(viewer *v)
{
    struct stat about;
    v->grows = v->options.follow && fstat(v->fd, &about) == 0 && S_ISREG(about.st_mode);
    v->input = (larch_loop_watch){.fd = v->fd, .ready = take_input, .context = v};
    v->pause = (larch_loop_timer){.due = end_pause, .context = v};
    larch_loop_init(&v->loop, check_output, v);
    int code = LARCH_LOOP_FAILED;
    if (larch_interrupt_watch(&v->loop, &v->interrupt) == LARCH_OK &&
        larch_loop_add_watch(&v->loop, &v->input, LARCH_LOOP_READ) == LARCH_OK)
        code = larch_loop_run(&v->loop);
    if (code < 0)
        return larch_app_fail(OLED_NAME, "poll: %s", strerror(errno));
    if (code == LARCH_EXIT_DONE)
        settle(v, &v->model);
    return code;
}

/* ---- the start and the end ---------------------------------------------- */

/* Nothing came of a display: no panel is drawn, for it would look as a dark one does. */
static larch_exit explain_nothing(const viewer *v)
{
    if (larch_interrupt_came()) /* before anything came */
        return LARCH_EXIT_DONE;
    if (v->bytes == 0)
        return larch_app_fail(OLED_NAME, "%s: it is empty: no board has written anything to it", name_of(v));
    return larch_app_fail(
        OLED_NAME,
        "%s: it holds nothing that a board sends to its display; it must be the board's second channel "
        "or a record of it",
        name_of(v));
}

static larch_exit finish(viewer *v, larch_exit result)
{
    v->stale |= v->pictures == 0 && v->frames > 0; /* a dark panel is a picture too */
    draw_stale(v);
    if (v->options.json)
        print_json_end(v);
    if (ferror(stdout) || fflush(stdout) != 0)
        result = larch_app_fail(OLED_NAME, "standard output: %s", strerror(errno));
    if (v->frames == 0 && result == LARCH_EXIT_DONE)
        return explain_nothing(v);
    if (larch_oled_stream_is_cut(&v->stream))
        fprintf(stderr, "larch oled: the stream ends inside a transfer\n");
    if (v->breaks > 0)
        result =
            larch_app_fail(OLED_NAME, "the stream broke its format %" PRIu64 " times; %" PRIu64 " bytes were skipped",
                           v->breaks, v->stream.skipped);
    if (v->model.faults > 0)
        result = larch_app_fail(OLED_NAME,
                                "%" PRIu64 " times the display was sent what it does not understand; the last: %s",
                                v->model.faults, larch_ssd1306_fault_text(v->model.fault));
    return v->failed ? LARCH_EXIT_FAILED : result;
}

/* Whether what is read is what is written. */
static bool is_output(const viewer *v)
{
    struct stat input, output;
    const char *png = v->options.png;
    if (fstat(v->fd, &input) != 0)
        return false;
    return (png != NULL && strcmp(png, "-") != 0 && stat(png, &output) == 0 &&
            larch_app_is_same_file(&input, &output)) ||
           (fstat(STDOUT_FILENO, &output) == 0 && larch_app_is_same_file(&input, &output));
}

int larch_oled_main(int argc, char **argv)
{
    static viewer v;

    larch_exit result = oled_options_take(&v.options, argc, argv);
    if (result != LARCH_EXIT_DONE)
        return result;
    larch_oled_stream_init(&v.stream);
    larch_ssd1306_model_reset(&v.model);
    larch_oled_look(&v.model, &v.shown);
    v.fd = v.options.file != NULL ? open(v.options.file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (v.fd < 0)
        return larch_app_fail(OLED_NAME, "%s: %s", v.options.file, strerror(errno));
    if (is_output(&v))
        return larch_app_fail(OLED_NAME, "%s: it would be overwritten; send the output elsewhere", name_of(&v));
    if (larch_interrupt_catch(NULL) != 0)
        return larch_app_fail(OLED_NAME, "signals: %s", strerror(errno));
    result = finish(&v, run(&v));
    if (v.fd != STDIN_FILENO)
        (void)close(v.fd);
    return result;
}
