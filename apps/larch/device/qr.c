/* SPDX-License-Identifier: Apache-2.0 */
#include "device/qr.h"

#define QUIET 4 /* light modules around it [ISO 18004 6.3.8] */

#if LARCH_HAS_QR

#include <errno.h>
#include <png.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE 8 /* dots of a module in a picture */

const char *device_qr_fault(void) { return NULL; }

/* Its bytes are secret. */
static void give(QRcode *code)
{
    if (code == NULL)
        return;
    larch_wipe(code->data, (size_t)code->width * (size_t)code->width);
    QRcode_free(code);
}

/* The least version with error correction L: the code is read from a screen or from paper that nobody keeps. */
static QRcode *make(larch_bytes bytes) { return QRcode_encodeData((int)bytes.len, bytes.data, 0, QR_ECLEVEL_L); }

static bool is_dark(const QRcode *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width && (code->data[y * code->width + x] & 1) != 0;
}

unsigned device_qr_width(larch_bytes bytes)
{
    QRcode *code = make(bytes);
    const unsigned width = code != NULL ? (unsigned)code->width + 2 * QUIET : 0;
    give(code);
    return width;
}

/* ---- on a terminal ---------------------------------------------------------------- */

/* Light modules are blocks. */
static const char *half_block(bool upper_is_dark, bool lower_is_dark)
{
    static const char *const blocks[2][2] = {{"\u2588", "\u2580"}, {"\u2584", " "}};
    return blocks[upper_is_dark][lower_is_dark];
}

bool device_qr_print(FILE *out, larch_bytes bytes, bool colour)
{
    QRcode *code = make(bytes);
    if (code == NULL)
        return false;
    for (int y = -QUIET; y < code->width + QUIET; y += 2) {
        fputs(colour ? "\033[38;5;231;48;5;16m" : "", out); /* white blocks on black, whatever the terminal has */
        for (int x = -QUIET; x < code->width + QUIET; x++)
            fputs(half_block(is_dark(code, x, y), y + 1 < code->width + QUIET && is_dark(code, x, y + 1)), out);
        fputs(colour ? "\033[0m\n" : "\n", out);
    }
    give(code);
    return fflush(out) == 0;
}

/* ---- as a picture ------------------------------------------------------------------ */

/* Returns by setjmp: nothing that it changes is looked at after that. */
static bool put_picture(png_structp png, png_infop info, FILE *file, const QRcode *code, png_bytep row)
{
    const int modules = code->width + 2 * QUIET;
    const png_uint_32 size = (png_uint_32)(modules * MODULE);
    if (setjmp(png_jmpbuf(png)) != 0)
        return false;
    png_init_io(png, file);
    png_set_IHDR(png, info, size, size, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < modules * MODULE; y++) {
        for (int x = 0; x < modules * MODULE; x++)
            row[x] = is_dark(code, x / MODULE - QUIET, y / MODULE - QUIET) ? 0 : 255;
        png_write_row(png, row);
    }
    png_write_end(png, info);
    return true;
}

static const char *write_code(FILE *file, const QRcode *code)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    const size_t len = (size_t)(code->width + 2 * QUIET) * MODULE;
    png_bytep row = malloc(len);
    const bool is_put = info != NULL && row != NULL && put_picture(png, info, file, code, row);
    const bool is_written = is_put && fflush(file) == 0 && fsync(fileno(file)) == 0;
    const int reason = errno;
    png_destroy_write_struct(&png, &info);
    if (row != NULL)
        larch_wipe(row, len);
    free(row);
    return is_written ? NULL : reason != 0 ? strerror(reason) : "the picture cannot be made";
}

const char *device_qr_write_png(int fd, larch_bytes bytes)
{
    const int copy = dup(fd);
    FILE *file = copy >= 0 ? fdopen(copy, "wb") : NULL;
    QRcode *code = make(bytes);
    errno = 0;
    const char *why = file == NULL || code == NULL ? "the picture cannot be made" : write_code(file, code);
    give(code);
    if (file != NULL)
        (void)fclose(file);
    else if (copy >= 0)
        (void)close(copy);
    return why;
}

#else

const char *device_qr_fault(void)
{
    return "this larch was built without libqrencode and makes no QR codes: install libqrencode-dev and build it again";
}

unsigned device_qr_width(larch_bytes bytes)
{
    (void)bytes;
    return 0;
}

bool device_qr_print(FILE *out, larch_bytes bytes, bool colour)
{
    (void)out;
    (void)bytes;
    (void)colour;
    return false;
}

const char *device_qr_write_png(int fd, larch_bytes bytes)
{
    (void)fd;
    (void)bytes;
    return device_qr_fault();
}

#endif
