/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by file.c, input.c, format.c, pcap.c and pcapng.c alone. */
#ifndef LARCH_SNIFF_FILE_INT_H
#define LARCH_SNIFF_FILE_INT_H

#include <signal.h>
#include <stdio.h>

#include "sniff/capture/frame.h"

/* ---- bytes of a file or pipe, from its start to its end ------------------ */

#define LARCH_SNIFF_INPUT_HEAD 16        /* bytes by which a format is known */
#define LARCH_SNIFF_INPUT_MAX  (1 << 24) /* bytes of one record; libpcap has the same limit */

typedef struct larch_sniff_input {
    FILE *stream;
    uint8_t head[LARCH_SNIFF_INPUT_HEAD]; /* read first; given out once more */
    size_t head_len, head_at;
    bool big_endian; /* the numbers in it */
    volatile sig_atomic_t stopped;
    uint8_t *bytes; /* of larch_sniff_input_hold */
    size_t cap;
} larch_sniff_input;

/* Reads the head, which may be shorter in a short file. Errors as larch_sniff_input_read. */
LARCH_MUST_USE larch_error larch_sniff_input_begin(larch_sniff_input *in, FILE *stream);

/* Reads len bytes. LARCH_SPENT: the file ends before the first of them, or the reading was stopped; LARCH_MALFORMED: it
 * ends later; LARCH_PLATFORM: errno. */
LARCH_MUST_USE larch_error larch_sniff_input_read(larch_sniff_input *in, uint8_t *out, size_t len);
/* As _read, inside a record, where no file may end. */
LARCH_MUST_USE larch_error larch_sniff_input_go_on(larch_sniff_input *in, uint8_t *out, size_t len);
/* As _go_on, into in->bytes, which hold until the next call. LARCH_SPACE: more than LARCH_SNIFF_INPUT_MAX;
 * LARCH_PLATFORM also without memory. */
LARCH_MUST_USE larch_error larch_sniff_input_hold(larch_sniff_input *in, size_t len);
/* As _go_on, of bytes that nobody wants. */
LARCH_MUST_USE larch_error larch_sniff_input_skip(larch_sniff_input *in, size_t len);

/* Numbers in the byte order of the input. */
uint16_t larch_sniff_input_u16(const larch_sniff_input *in, const uint8_t *p);
uint32_t larch_sniff_input_u32(const larch_sniff_input *in, const uint8_t *p);
uint64_t larch_sniff_input_u64(const larch_sniff_input *in, const uint8_t *p);

/* ---- formats ------------------------------------------------------------- */

typedef enum larch_sniff_format_kind {
    LARCH_SNIFF_FORMAT_UNKNOWN,
    LARCH_SNIFF_FORMAT_PCAP,
    LARCH_SNIFF_FORMAT_PCAPNG,
    LARCH_SNIFF_FORMAT_FOREIGN /* named, and not read */
} larch_sniff_format_kind;

typedef struct larch_sniff_format {
    larch_sniff_format_kind kind;
    const char *name; /* of FOREIGN: "a snoop capture" */
    const char *hint; /* of FOREIGN: how it becomes one that is read */
} larch_sniff_format;

/* What a file is, by its first bytes. */
larch_sniff_format larch_sniff_format_find(larch_bytes head);

/* No frame has more bytes; as in Wireshark and libpcap. */
#define LARCH_SNIFF_FRAME_MAX 262144

/* The variants of pcap that are read, by their magic numbers. */
#define LARCH_SNIFF_PCAP_MICROSECONDS UINT32_C(0xa1b2c3d4)
#define LARCH_SNIFF_PCAP_NANOSECONDS  UINT32_C(0xa1b23c4d)
#define LARCH_SNIFF_PCAP_MODIFIED     UINT32_C(0xa1b2cd34) /* with more in each frame's header */

typedef struct larch_sniff_pcap {
    uint32_t linktype, snaplen;
    uint64_t ns_per_tick;
    size_t surplus; /* bytes behind each frame's header */
    uint16_t minor;
} larch_sniff_pcap;

/* Both readers: _begin reads what stands before the first frame. LARCH_OK; LARCH_SPENT: the end, or stopped;
 * LARCH_MALFORMED: *why; LARCH_PLATFORM: errno. Views in *frame hold until the next call. */
LARCH_MUST_USE larch_error larch_sniff_pcap_begin(larch_sniff_pcap *pcap, larch_sniff_input *in, const char **why);
LARCH_MUST_USE larch_error larch_sniff_pcap_next(const larch_sniff_pcap *pcap, larch_sniff_input *in,
                                                 larch_sniff_frame *frame, const char **why);

/* An interface of the present section of a pcapng file. */
typedef struct larch_sniff_pcapng_interface {
    uint32_t linktype;
    uint32_t snaplen;
    uint8_t resolution; /* if_tsresol */
    int64_t offset_s;   /* if_tsoffset */
} larch_sniff_pcapng_interface;

typedef struct larch_sniff_pcapng_reader {
    larch_sniff_pcapng_interface *interfaces;
    size_t count, cap;
} larch_sniff_pcapng_reader;

LARCH_MUST_USE larch_error larch_sniff_pcapng_next(larch_sniff_pcapng_reader *pcapng, larch_sniff_input *in,
                                                   larch_sniff_frame *frame, const char **why);

#endif
