/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture file, pcap or pcapng. Whatever is in it: reading ends, every frame is there as far as it says, and what
 * was read is the same again after it was written as pcapng.
 */
#include "file.h"
#include "sniff/capture/capture.h"
#include "sniff/write/pcapng.h"

enum { FRAMES = 64, FRAME_MIN = 16 }; /* bytes that a frame takes at least, in either format */

typedef struct kept {
    uint64_t time_ns;
    uint32_t linktype;
    uint8_t *bytes;
    size_t len, wire_len;
} kept;

static kept frames[FRAMES];
static size_t kept_count;
static uint8_t out[1 << 25]; /* as many frames of the greatest length */

static larch_bytes bytes_of(const kept *k) { return (larch_bytes){k->bytes, k->len}; }

static void keep(const larch_sniff_frame *frame)
{
    if (kept_count == FRAMES)
        return;
    kept *k = &frames[kept_count++];
    *k = (kept){.time_ns = frame->time_ns,
                .linktype = frame->linktype,
                .bytes = malloc(frame->bytes.len > 0 ? frame->bytes.len : 1),
                .len = frame->bytes.len,
                .wire_len = frame->wire_len};
    require(k->bytes != NULL);
    if (k->len > 0)
        memcpy(k->bytes, frame->bytes.data, k->len); /* every byte is there */
}

static void forget(void)
{
    while (kept_count > 0)
        free(frames[--kept_count].bytes);
}

/* Reads the file to its end, or to where it is damaged. */
static void read_all(const char *path, size_t size, void (*take)(const larch_sniff_frame *frame))
{
    larch_sniff_trouble trouble = {{0}, NULL};
    larch_sniff_frame frame;
    larch_sniff_capture *capture = larch_sniff_capture_open_file(path, &trouble);
    if (capture == NULL) {
        require(trouble.text[0] != '\0' && trouble.hint != NULL);
        return;
    }
    larch_error e;
    for (size_t count = 0; (e = larch_sniff_capture_next(capture, &frame, &trouble)) == LARCH_OK; count++) {
        require(count <= size / FRAME_MIN);
        require(frame.wire_len >= frame.bytes.len);
        take(&frame);
    }
    require(e == LARCH_SPENT || (e == LARCH_MALFORMED && trouble.text[0] != '\0' && trouble.hint != NULL));
    larch_sniff_capture_close(capture);
}

/* ---- again ----------------------------------------------------------------- */

static size_t compared;

static void compare(const larch_sniff_frame *frame)
{
    require(compared < kept_count);
    const kept *k = &frames[compared++];
    require(larch_bytes_equal(frame->bytes, bytes_of(k)) && frame->wire_len == k->wire_len);
    require(frame->time_ns == k->time_ns && frame->linktype == k->linktype);
}

static void write_again(void)
{
    larch_sniff_pcapng p;
    FILE *file = fmemopen(out, sizeof out, "wb");
    size_t written = 0;
    require(file != NULL && larch_sniff_pcapng_begin(&p, file, 0) == LARCH_OK);
    for (; written < kept_count; written++) {
        const kept *k = &frames[written];
        const larch_sniff_frame frame = {k->time_ns, k->linktype, bytes_of(k), k->wire_len};
        const larch_error e = larch_sniff_pcapng_frame(&p, &frame, written, written % 2 == 0 ? "comment" : NULL);
        if (e == LARCH_SPACE)
            break; /* more link types than the writer takes */
        require(e == LARCH_OK);
    }
    const long len = ftell(file);
    require(len > 0 && fclose(file) == 0);
    compared = 0;
    read_all(file_with((larch_bytes){out, (size_t)len}), (size_t)len, compare);
    require(compared == written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_all(file_with((larch_bytes){data, size}), size, keep);
    if (kept_count > 0)
        write_again();
    forget();
    return 0;
}
