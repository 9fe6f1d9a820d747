/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The display controller SSD1306 as its data sheet (revision 1.1) describes it, with the panel of the common module of
 * 128x64 pixels around it: I2C transfers in, lit pixels out. It knows no driver. Every byte is untrusted; what the data
 * sheet leaves undefined changes nothing and counts as a fault.
 *
 * Not modelled: scrolling, which is parsed and told, but moves nothing; clocks and voltages, which no picture shows.
 */
#ifndef LARCH_SSD1306_MODEL_H
#define LARCH_SSD1306_MODEL_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SSD1306_MODEL_ADDRESS 0x3c
#define LARCH_SSD1306_MODEL_WIDTH   128
#define LARCH_SSD1306_MODEL_HEIGHT  64
#define LARCH_SSD1306_MODEL_PAGES   8

/* X(NAME, text) */
#define LARCH_SSD1306_FAULTS(X)                                            \
    X(NONE, "none")                                                        \
    X(CONTROL, "a control byte with bits that have no meaning")            \
    X(CUT, "a transfer that ends after a control byte")                    \
    X(COMMAND, "a command that the data sheet does not have")              \
    X(PARAMETER, "a parameter that the data sheet rules out")              \
    X(MODE, "a command that has no meaning in this addressing mode")       \
    X(UNFINISHED, "pixels where a command still waited for its parameter") \
    X(EMPTY, "a transfer without a byte")

#define LARCH_SSD1306_FAULT_ENUM(name, text) LARCH_SSD1306_FAULT_##name,
typedef enum larch_ssd1306_fault { LARCH_SSD1306_FAULTS(LARCH_SSD1306_FAULT_ENUM) } larch_ssd1306_fault;
#undef LARCH_SSD1306_FAULT_ENUM

const char *larch_ssd1306_fault_text(larch_ssd1306_fault fault);

typedef enum larch_ssd1306_mode {
    LARCH_SSD1306_HORIZONTAL,
    LARCH_SSD1306_VERTICAL,
    LARCH_SSD1306_PAGE
} larch_ssd1306_mode;

/* To be read; larch_ssd1306_model_transfer alone writes. */
typedef struct larch_ssd1306_model {
    uint8_t ram[LARCH_SSD1306_MODEL_PAGES][LARCH_SSD1306_MODEL_WIDTH]; /* by segment, the upper pixel in the low bit */

    larch_ssd1306_mode mode;
    uint8_t column, page;             /* where the next pixels go */
    uint8_t page_mode_column;         /* where a line begins in page mode */
    uint8_t column_start, column_end; /* the window of the other modes */
    uint8_t page_start, page_end;

    uint8_t start_line, multiplex, offset; /* multiplex: lines, 16 to 64 */
    bool segment_remap, com_remap;
    bool com_alternative, com_exchanged;
    uint8_t contrast;
    bool inverse, all_on, on, charge_pump;
    bool scrolling;

    uint8_t command[7]; /* begun, with its parameters so far */
    size_t command_len;

    uint64_t backward; /* how often pixels went to a place before the last, in reading order */
    uint16_t last_place;
    uint64_t faults;
    larch_ssd1306_fault fault; /* the last one */
} larch_ssd1306_model;

/* After power on: memory holds noise, always the same; the panel is dark. */
void larch_ssd1306_model_reset(larch_ssd1306_model *model);

/* One write transfer, the bytes after the address. LARCH_MALFORMED: it held a fault, see model->fault; whatever else it
 * held has been done. */
LARCH_MUST_USE larch_error larch_ssd1306_model_transfer(larch_ssd1306_model *model, larch_bytes bytes);

/* Whether a pixel is lit, as seen by a person who holds the module with its pins at the top. Outside: false. */
bool larch_ssd1306_model_lit(const larch_ssd1306_model *model, size_t x, size_t y);

#ifdef __cplusplus
}
#endif

#endif
