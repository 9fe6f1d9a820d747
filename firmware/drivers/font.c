/* SPDX-License-Identifier: Apache-2.0 */
#include "font.h"

/* One row of a glyph, as it looks. */
/* clang-format off */
enum {
    p_____, p____X, p___X_, p___XX, p__X__, p__X_X, p__XX_, p__XXX,
    p_X___, p_X__X, p_X_X_, p_X_XX, p_XX__, p_XX_X, p_XXX_, p_XXXX,
    pX____, pX___X, pX__X_, pX__XX, pX_X__, pX_X_X, pX_XX_, pX_XXX,
    pXX___, pXX__X, pXX_X_, pXX_XX, pXXX__, pXXX_X, pXXXX_, pXXXXX
};

/* The display takes columns, the upper pixel in the low bit; seven rows turned by the compiler. */
#define COLUMN(bit, r0, r1, r2, r3, r4, r5, r6)                                                 \
    (((r0) >> (bit) & 1) | ((r1) >> (bit) & 1) << 1 | ((r2) >> (bit) & 1) << 2 |                \
     ((r3) >> (bit) & 1) << 3 | ((r4) >> (bit) & 1) << 4 | ((r5) >> (bit) & 1) << 5 | ((r6) >> (bit) & 1) << 6)
#define GLYPH(...) {COLUMN(4, __VA_ARGS__), COLUMN(3, __VA_ARGS__), COLUMN(2, __VA_ARGS__), \
                    COLUMN(1, __VA_ARGS__), COLUMN(0, __VA_ARGS__)}

/* Eight glyphs side by side. */
#define LINE(a0, b0, c0, d0, e0, f0, g0, h0, a1, b1, c1, d1, e1, f1, g1, h1, a2, b2, c2, d2, e2, f2, g2, h2, \
             a3, b3, c3, d3, e3, f3, g3, h3, a4, b4, c4, d4, e4, f4, g4, h4, a5, b5, c5, d5, e5, f5, g5, h5, \
             a6, b6, c6, d6, e6, f6, g6, h6)                                                                  \
    GLYPH(a0, a1, a2, a3, a4, a5, a6), GLYPH(b0, b1, b2, b3, b4, b5, b6), \
    GLYPH(c0, c1, c2, c3, c4, c5, c6), GLYPH(d0, d1, d2, d3, d4, d5, d6), \
    GLYPH(e0, e1, e2, e3, e4, e5, e6), GLYPH(f0, f1, f2, f3, f4, f5, f6), \
    GLYPH(g0, g1, g2, g3, g4, g5, g6), GLYPH(h0, h1, h2, h3, h4, h5, h6)

static const uint8_t glyphs[LARCH_FONT_COUNT + 1][LARCH_FONT_WIDTH] = {
    /*           !       "       #       $       %       &       ' */
    LINE(p_____, p__X__, p_X_X_, p_X_X_, p__X__, pXX___, p_XX__, p__X__,
         p_____, p__X__, p_X_X_, p_X_X_, p_XXXX, pXX__X, pX__X_, p__X__,
         p_____, p__X__, p_____, pXXXXX, pX_X__, p___X_, pX_X__, p_____,
         p_____, p__X__, p_____, p_X_X_, p_XXX_, p__X__, p_X___, p_____,
         p_____, p__X__, p_____, pXXXXX, p__X_X, p_X___, pX_X_X, p_____,
         p_____, p_____, p_____, p_X_X_, pXXXX_, pX__XX, pX__X_, p_____,
         p_____, p__X__, p_____, p_X_X_, p__X__, p___XX, p_XX_X, p_____),
    /*   (       )       *       +       ,       -       .       / */
    LINE(p___X_, p_X___, p_____, p_____, p_____, p_____, p_____, p_____,
         p__X__, p__X__, p__X__, p__X__, p_____, p_____, p_____, p____X,
         p_X___, p___X_, pX_X_X, p__X__, p_____, p_____, p_____, p___X_,
         p_X___, p___X_, p_XXX_, pXXXXX, p_____, p_XXX_, p_____, p__X__,
         p_X___, p___X_, pX_X_X, p__X__, p_XX__, p_____, p_____, p_X___,
         p__X__, p__X__, p__X__, p__X__, p__X__, p_____, p_XX__, pX____,
         p___X_, p_X___, p_____, p_____, p_X___, p_____, p_XX__, p_____),
    /*   0       1       2       3       4       5       6       7 */
    LINE(p_XXX_, p__X__, p_XXX_, p_XXX_, p___X_, pXXXXX, p__XX_, pXXXXX,
         pX___X, p_XX__, pX___X, pX___X, p__XX_, pX____, p_X___, p____X,
         pX__XX, p__X__, p____X, p____X, p_X_X_, pXXXX_, pX____, p___X_,
         pX_X_X, p__X__, p___X_, p__XX_, pX__X_, p____X, pXXXX_, p___X_,
         pXX__X, p__X__, p__X__, p____X, pXXXXX, p____X, pX___X, p__X__,
         pX___X, p__X__, p_X___, pX___X, p___X_, pX___X, pX___X, p__X__,
         p_XXX_, p_XXX_, pXXXXX, p_XXX_, p___X_, p_XXX_, p_XXX_, p__X__),
    /*   8       9       :       ;       <       =       >       ? */
    LINE(p_XXX_, p_XXX_, p_____, p_____, p___X_, p_____, p_X___, p_XXX_,
         pX___X, pX___X, p_XX__, p_XX__, p__X__, p_____, p__X__, pX___X,
         pX___X, pX___X, p_XX__, p_XX__, p_X___, pXXXXX, p___X_, p____X,
         p_XXX_, p_XXXX, p_____, p_____, pX____, p_____, p____X, p___X_,
         pX___X, p____X, p_XX__, p_XX__, p_X___, pXXXXX, p___X_, p__X__,
         pX___X, p___X_, p_XX__, p__X__, p__X__, p_____, p__X__, p_____,
         p_XXX_, p_XX__, p_____, p_X___, p___X_, p_____, p_X___, p__X__),
    /*   @       A       B       C       D       E       F       G */
    LINE(p_XXX_, p__X__, pXXXX_, p_XXX_, pXXX__, pXXXXX, pXXXXX, p_XXX_,
         pX___X, p_X_X_, pX___X, pX___X, pX__X_, pX____, pX____, pX___X,
         pX_XXX, pX___X, pX___X, pX____, pX___X, pX____, pX____, pX____,
         pX_X_X, pX___X, pXXXX_, pX____, pX___X, pXXXX_, pXXXX_, pX_XXX,
         pX_XXX, pXXXXX, pX___X, pX____, pX___X, pX____, pX____, pX___X,
         pX____, pX___X, pX___X, pX___X, pX__X_, pX____, pX____, pX___X,
         p_XXXX, pX___X, pXXXX_, p_XXX_, pXXX__, pXXXXX, pX____, p_XXXX),
    /*   H       I       J       K       L       M       N       O */
    LINE(pX___X, p_XXX_, p__XXX, pX___X, pX____, pX___X, pX___X, p_XXX_,
         pX___X, p__X__, p___X_, pX__X_, pX____, pXX_XX, pX___X, pX___X,
         pX___X, p__X__, p___X_, pX_X__, pX____, pX_X_X, pXX__X, pX___X,
         pXXXXX, p__X__, p___X_, pXX___, pX____, pX_X_X, pX_X_X, pX___X,
         pX___X, p__X__, p___X_, pX_X__, pX____, pX___X, pX__XX, pX___X,
         pX___X, p__X__, pX__X_, pX__X_, pX____, pX___X, pX___X, pX___X,
         pX___X, p_XXX_, p_XX__, pX___X, pXXXXX, pX___X, pX___X, p_XXX_),
    /*   P       Q       R       S       T       U       V       W */
    LINE(pXXXX_, p_XXX_, pXXXX_, p_XXXX, pXXXXX, pX___X, pX___X, pX___X,
         pX___X, pX___X, pX___X, pX____, p__X__, pX___X, pX___X, pX___X,
         pX___X, pX___X, pX___X, pX____, p__X__, pX___X, pX___X, pX___X,
         pXXXX_, pX___X, pXXXX_, p_XXX_, p__X__, pX___X, pX___X, pX_X_X,
         pX____, pX_X_X, pX_X__, p____X, p__X__, pX___X, pX___X, pX_X_X,
         pX____, pX__X_, pX__X_, p____X, p__X__, pX___X, p_X_X_, pX_X_X,
         pX____, p_XX_X, pX___X, pXXXX_, p__X__, p_XXX_, p__X__, p_X_X_),
    /*   X       Y       Z       [       \       ]       ^       _ */
    LINE(pX___X, pX___X, pXXXXX, p_XXX_, p_____, p_XXX_, p__X__, p_____,
         pX___X, pX___X, p____X, p_X___, pX____, p___X_, p_X_X_, p_____,
         p_X_X_, p_X_X_, p___X_, p_X___, p_X___, p___X_, pX___X, p_____,
         p__X__, p__X__, p__X__, p_X___, p__X__, p___X_, p_____, p_____,
         p_X_X_, p__X__, p_X___, p_X___, p___X_, p___X_, p_____, p_____,
         pX___X, p__X__, pX____, p_X___, p____X, p___X_, p_____, p_____,
         pX___X, p__X__, pXXXXX, p_XXX_, p_____, p_XXX_, p_____, pXXXXX),
    /*   `       a       b       c       d       e       f       g */
    LINE(p_X___, p_____, pX____, p_____, p____X, p_____, p__XX_, p_____,
         p__X__, p_____, pX____, p_____, p____X, p_____, p_X___, p_____,
         p_____, p_XXX_, pXXXX_, p_XXX_, p_XXXX, p_XXX_, pXXXX_, p_XXXX,
         p_____, p____X, pX___X, pX___X, pX___X, pX___X, p_X___, pX___X,
         p_____, p_XXXX, pX___X, pX____, pX___X, pXXXXX, p_X___, p_XXXX,
         p_____, pX___X, pX___X, pX___X, pX___X, pX____, p_X___, p____X,
         p_____, p_XXXX, pXXXX_, p_XXX_, p_XXXX, p_XXX_, p_X___, p_XXX_),
    /*   h       i       j       k       l       m       n       o */
    LINE(pX____, p__X__, p___X_, pX____, p_XX__, p_____, p_____, p_____,
         pX____, p_____, p_____, pX____, p__X__, p_____, p_____, p_____,
         pXXXX_, p_XX__, p__XX_, pX__X_, p__X__, pXX_X_, pXXXX_, p_XXX_,
         pX___X, p__X__, p___X_, pX_X__, p__X__, pX_X_X, pX___X, pX___X,
         pX___X, p__X__, p___X_, pXX___, p__X__, pX_X_X, pX___X, pX___X,
         pX___X, p__X__, pX__X_, pX_X__, p__X__, pX_X_X, pX___X, pX___X,
         pX___X, p_XXX_, p_XX__, pX__X_, p_XXX_, pX_X_X, pX___X, p_XXX_),
    /*   p       q       r       s       t       u       v       w */
    LINE(p_____, p_____, p_____, p_____, p_X___, p_____, p_____, p_____,
         p_____, p_____, p_____, p_____, p_X___, p_____, p_____, p_____,
         pXXXX_, p_XXXX, pX_XX_, p_XXXX, pXXXX_, pX___X, pX___X, pX___X,
         pX___X, pX___X, pXX___, pX____, p_X___, pX___X, pX___X, pX___X,
         pXXXX_, p_XXXX, pX____, p_XXX_, p_X___, pX___X, pX___X, pX_X_X,
         pX____, p____X, pX____, p____X, p_X___, pX___X, p_X_X_, pX_X_X,
         pX____, p____X, pX____, pXXXX_, p__XX_, p_XXXX, p__X__, p_X_X_),
    /*   x       y       z       {       |       }       ~       box */
    LINE(p_____, p_____, p_____, p___X_, p__X__, p_X___, p_____, pXXXXX,
         p_____, p_____, p_____, p__X__, p__X__, p__X__, p_____, pX___X,
         pX___X, pX___X, pXXXXX, p__X__, p__X__, p__X__, p_X___, pX___X,
         p_X_X_, pX___X, p___X_, p_X___, p__X__, p___X_, pX_X_X, pX___X,
         p__X__, p_XXXX, p__X__, p__X__, p__X__, p__X__, p___X_, pX___X,
         p_X_X_, p____X, p_X___, p__X__, p__X__, p__X__, p_____, pX___X,
         pX___X, p_XXX_, pXXXXX, p___X_, p__X__, p_X___, p_____, pXXXXX),
};
/* clang-format on */

const uint8_t *larch_font_glyph(uint8_t character)
{
    if (character < LARCH_FONT_FIRST || character > LARCH_FONT_LAST)
        return glyphs[LARCH_FONT_COUNT];
    return glyphs[character - LARCH_FONT_FIRST];
}
