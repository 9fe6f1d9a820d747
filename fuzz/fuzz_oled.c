/* SPDX-License-Identifier: Apache-2.0 */
/* A board's second channel: first byte how it is cut into pieces; then the stream, into the model of the display. */
#include <string.h>

#include "firmware/model/oled_stream.h"
#include "firmware/model/ssd1306_model.h"
#include "fuzz.h"

typedef struct result {
    larch_ssd1306_model model;
    uint64_t frames, breaks, skipped;
} result;

static void check_model(const larch_ssd1306_model *m)
{
    require(m->column < LARCH_SSD1306_MODEL_WIDTH && m->page < LARCH_SSD1306_MODEL_PAGES);
    require(m->column_start <= m->column_end && m->column_end < LARCH_SSD1306_MODEL_WIDTH);
    require(m->page_start <= m->page_end && m->page_end < LARCH_SSD1306_MODEL_PAGES);
    require(m->multiplex >= 16 && m->multiplex <= LARCH_SSD1306_MODEL_HEIGHT);
    require(m->start_line < LARCH_SSD1306_MODEL_HEIGHT && m->offset < LARCH_SSD1306_MODEL_HEIGHT);
    require(m->command_len < sizeof m->command);
}

/* Every line that is driven is seen once: as many pixels as memory has, or none. */
static void check_panel(const larch_ssd1306_model *m)
{
    size_t lit = 0, held = 0;
    for (size_t y = 0; y < LARCH_SSD1306_MODEL_HEIGHT; y++)
        for (size_t x = 0; x < LARCH_SSD1306_MODEL_WIDTH; x++) {
            lit += larch_ssd1306_model_lit(m, x, y);
            held += m->ram[y / 8][x] >> y % 8 & 1;
        }
    size_t most = (size_t)m->multiplex * LARCH_SSD1306_MODEL_WIDTH;
    require(lit <= most);
    if (!m->on || !m->charge_pump)
        require(lit == 0);
    else if (m->all_on)
        require(lit == most);
    else if (m->multiplex == LARCH_SSD1306_MODEL_HEIGHT)
        require(lit == (m->inverse ? most - held : held));
}

static void run(const uint8_t *data, size_t size, size_t piece, result *out)
{
    larch_oled_stream stream;
    larch_oled_frame frame;

    memset(out, 0, sizeof *out);
    larch_oled_stream_init(&stream);
    larch_ssd1306_model_reset(&out->model);
    while (size > 0) {
        larch_bytes part = {data, size < piece ? size : piece};
        data += part.len;
        size -= part.len;
        for (larch_error r; (r = larch_oled_stream_next(&stream, &part, &frame)) != LARCH_AGAIN;) {
            if (r != LARCH_OK) {
                require(r == LARCH_MALFORMED);
                out->breaks++;
                continue;
            }
            out->frames++;
            require(frame.bytes.len > 0 && frame.address < 0x80);
            require(!frame.led || (frame.bytes.len == 1 && frame.bytes.data[0] <= 1));
            if (frame.led || frame.address != LARCH_SSD1306_MODEL_ADDRESS)
                continue;
            uint64_t faults = out->model.faults;
            r = larch_ssd1306_model_transfer(&out->model, frame.bytes);
            require((r == LARCH_OK) == (out->model.faults == faults));
            check_model(&out->model);
        }
        require(part.len == 0);
    }
    require(out->breaks <= stream.skipped);
    out->skipped = stream.skipped;
    check_panel(&out->model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static result whole, pieces; /* static: padding compares equal, as both are zeroed first */

    if (size < 1)
        return 0;
    run(data + 1, size - 1, SIZE_MAX, &whole);
    run(data + 1, size - 1, 1 + (size_t)data[0] % 37, &pieces);
    /* How it is cut changes nothing. NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c) */
    require(memcmp(&whole, &pieces, sizeof whole) == 0);
    return 0;
}
