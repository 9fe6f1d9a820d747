/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oled/png.h"

/* Lengths are in pixels of the panel. */
#define GLASS  4 /* between the pixels and the bezel */
#define BEZEL  4
#define BORDER (GLASS + BEZEL)
#define WIDTH  (LARCH_OLED_WIDTH + 2 * BORDER)
#define HEIGHT (LARCH_OLED_HEIGHT + 2 * BORDER)
#define RADIUS 4.0f

typedef struct colour {
    float r, g, b;
} colour;

static const colour lit_colour = {150, 216, 255};
static const colour unlit_colour = {7, 13, 20};
static const colour glass_colour = {3, 6, 10};
static const colour bezel_colour = {20, 22, 26};
static const colour edge_colour = {62, 67, 75};

static colour mix(colour from, colour to, float share)
{
    return (colour){from.r + (to.r - from.r) * share, from.g + (to.g - from.g) * share,
                    from.b + (to.b - from.b) * share};
}

static float clamp(float value) { return value < 0 ? 0 : value > 1 ? 1 : value; }

static bool lit_at(const larch_oled_picture *p, int x, int y)
{
    return x >= 0 && x < LARCH_OLED_WIDTH && y >= 0 && y < LARCH_OLED_HEIGHT && p->lit[y][x];
}

/* The light that the lit pixels around a point of the glass throw on it. */
static float halo(const larch_oled_picture *p, float x, float y)
{
    int column = (int)x - (x < 0), row = (int)y - (y < 0);
    float light = 0;

    for (int i = row - 2; i <= row + 2; i++)
        for (int k = column - 2; k <= column + 2; k++)
            if (lit_at(p, k, i)) {
                float dx = x - (float)k - 0.5f, dy = y - (float)i - 0.5f;
                light += 0.10f / (0.35f + dx * dx + dy * dy);
            }
    return clamp(light);
}

/* How far inside a rectangle with round corners a point is, negative outside; measured from its edge. */
static float inside(float x, float y, float inset, float radius)
{
    float dx = x < WIDTH / 2.0f ? x - inset : WIDTH - inset - x;
    float dy = y < HEIGHT / 2.0f ? y - inset : HEIGHT - inset - y;
    float cx = radius - dx, cy = radius - dy;

    if (cx <= 0 || cy <= 0)
        return dx < dy ? dx : dy;
    return radius - sqrtf(cx * cx + cy * cy);
}

/* The middle of an image dot; scale dots are one pixel. */
static colour colour_at(const larch_oled_picture *p, unsigned scale, unsigned across, unsigned down)
{
    float x = ((float)across + 0.5f) / (float)scale, y = ((float)down + 0.5f) / (float)scale;
    unsigned gap = scale < 3 ? 0 : (scale + 2) / 5; /* dark between pixels, at their right and lower side */
    int column = (int)(across / scale) - BORDER, row = (int)(down / scale) - BORDER;
    float brightness = 0.45f + 0.55f * (float)p->contrast / 255.0f;
    float edge = inside(x, y, 0, RADIUS);

    float glass = clamp(inside(x, y, BEZEL, 1.5f) * (float)scale + 0.5f);
    float rim = clamp(1 - edge / 0.75f);
    colour around = mix(bezel_colour, edge_colour, rim);
    if (glass <= 0)
        return around;
    bool on_pixel = column >= 0 && column < LARCH_OLED_WIDTH && row >= 0 && row < LARCH_OLED_HEIGHT &&
                    across % scale < scale - gap && down % scale < scale - gap;
    colour below = on_pixel ? unlit_colour : glass_colour;
    if (on_pixel && lit_at(p, column, row))
        return mix(below, lit_colour, brightness);
    /* It fills the gaps between pixels rather than the dark pixels, or dark text on light ground would drown. */
    below = mix(below, lit_colour, halo(p, x - BORDER, y - BORDER) * brightness * (on_pixel ? 0.10f : 0.45f));
    return mix(around, below, glass);
}

static uint8_t byte_of(float value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5f); }

static void paint(const larch_oled_picture *p, unsigned scale, uint8_t *out)
{
    for (unsigned down = 0; down < HEIGHT * scale; down++)
        for (unsigned across = 0; across < WIDTH * scale; across++) {
            colour c = colour_at(p, scale, across, down);
            float x = ((float)across + 0.5f) / (float)scale, y = ((float)down + 0.5f) / (float)scale;
            *out++ = byte_of(c.r);
            *out++ = byte_of(c.g);
            *out++ = byte_of(c.b);
            *out++ = byte_of(255 * clamp(inside(x, y, 0, RADIUS) * (float)scale + 0.5f));
        }
}

static const char *write_image(png_image *image, const uint8_t *dots, const char *path)
{
    static char why[256], partial[4096];

    if (strcmp(path, "-") == 0) {
        if (png_image_write_to_stdio(image, stdout, 0, dots, 0, NULL) && fflush(stdout) == 0)
            return NULL;
        snprintf(why, sizeof why, "%s", image->message[0] != 0 ? image->message : strerror(errno));
        return why;
    }
    if ((size_t)snprintf(partial, sizeof partial, "%s.part", path) >= sizeof partial)
        return "the name is too long";
    if (png_image_write_to_file(image, partial, 0, dots, 0, NULL) == 0)
        snprintf(why, sizeof why, "%s", image->message);
    else if (rename(partial, path) != 0)
        snprintf(why, sizeof why, "%s", strerror(errno));
    else
        return NULL;
    (void)unlink(partial);
    return why;
}

const char *larch_oled_write_png(const larch_oled_picture *p, unsigned scale, const char *path)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = WIDTH * scale, .height = HEIGHT * scale, .format = PNG_FORMAT_RGBA};
    uint8_t *dots = malloc(PNG_IMAGE_SIZE(image));
    if (dots == NULL)
        return "no memory";
    paint(p, scale, dots);
    const char *why = write_image(&image, dots, path);
    png_image_free(&image);
    free(dots);
    return why;
}
