/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sniff/write/pcapng.h"

#define BLOCK_SECTION    0x0a0d0d0au
#define BLOCK_INTERFACE  1u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET     6u
#define OPT_END          0
#define OPT_COMMENT      1
#define SHB_USERAPPL     4
#define IF_TSRESOL       9
#define EPB_DROPCOUNT    4
#define ISB_IFRECV       4
#define ISB_IFDROP       5
#define COMMENT_MAX      1024

static size_t padding(size_t len) { return (4 - len % 4) % 4; }

static void put_padding(larch_writer *w, size_t len)
{
    for (size_t i = padding(len); i > 0; i--)
        larch_writer_put_u8(w, 0);
}

/*  code 2 | length 2 | value, padded to 4  */
static void put_option(larch_writer *w, uint16_t code, larch_bytes value)
{
    larch_writer_put_u16le(w, code);
    larch_writer_put_u16le(w, (uint16_t)value.len);
    larch_writer_put(w, value);
    put_padding(w, value.len);
}

static void put_u64_option(larch_writer *w, uint16_t code, uint64_t value)
{
    uint8_t bytes[8];
    larch_writer b = larch_writer_to(bytes, sizeof bytes);
    larch_writer_put_u32le(&b, (uint32_t)value);
    larch_writer_put_u32le(&b, (uint32_t)(value >> 32));
    put_option(w, code, LARCH_BYTES(bytes));
}

/*  interface 4 | time, high 4, low 4  */
static void put_place(larch_writer *w, uint32_t interface, uint64_t time_ns)
{
    larch_writer_put_u32le(w, interface);
    larch_writer_put_u32le(w, (uint32_t)(time_ns >> 32));
    larch_writer_put_u32le(w, (uint32_t)time_ns);
}

static larch_error write_bytes(FILE *file, larch_bytes bytes)
{
    return bytes.len == 0 || fwrite(bytes.data, 1, bytes.len, file) == bytes.len ? LARCH_OK : LARCH_PLATFORM;
}

/*  type 4 | total length 4 | head | data, padded to 4 | options | total length 4  */
static larch_error write_block(FILE *file, uint32_t type, larch_bytes head, larch_bytes data, larch_bytes options)
{
    uint8_t start[8], end[8];
    larch_writer s = larch_writer_to(start, sizeof start), e = larch_writer_to(end, sizeof end);
    uint32_t total = (uint32_t)(12 + head.len + data.len + padding(data.len) + options.len);
    larch_writer_put_u32le(&s, type);
    larch_writer_put_u32le(&s, total);
    put_padding(&e, data.len);
    larch_bytes pad = {end, e.len};
    larch_error r = LARCH_OK;
    if ((r = write_bytes(file, (larch_bytes){start, s.len})) != LARCH_OK || (r = write_bytes(file, head)) != LARCH_OK ||
        (r = write_bytes(file, data)) != LARCH_OK || (r = write_bytes(file, pad)) != LARCH_OK ||
        (r = write_bytes(file, options)) != LARCH_OK)
        return r;
    e = larch_writer_to(end, sizeof end);
    larch_writer_put_u32le(&e, total);
    return write_bytes(file, (larch_bytes){end, e.len});
}

/*  byte order magic 4 | major 2 | minor 2 | section length 8 (-1: not known)  */
larch_error larch_sniff_pcapng_begin(larch_sniff_pcapng *p, FILE *file, uint32_t snaplen)
{
    uint8_t head[16], options[32];
    larch_writer h = larch_writer_to(head, sizeof head), o = larch_writer_to(options, sizeof options);
    *p = (larch_sniff_pcapng){.file = file, .snaplen = snaplen};
    larch_writer_put_u32le(&h, 0x1a2b3c4d);
    larch_writer_put_u16le(&h, 1);
    larch_writer_put_u16le(&h, 0);
    larch_writer_put_u32le(&h, UINT32_MAX);
    larch_writer_put_u32le(&h, UINT32_MAX);
    put_option(&o, SHB_USERAPPL, LARCH_TEXT("larch sniff"));
    put_option(&o, OPT_END, (larch_bytes){NULL, 0});
    return write_block(file, BLOCK_SECTION, (larch_bytes){head, h.len}, (larch_bytes){NULL, 0},
                       (larch_bytes){options, o.len});
}

/*  link type 2 | reserved 2 | snap length 4  */
static larch_error write_interface(const larch_sniff_pcapng *p, uint32_t linktype)
{
    static const uint8_t nanoseconds[] = {9};
    uint8_t head[8], options[16];
    larch_writer h = larch_writer_to(head, sizeof head), o = larch_writer_to(options, sizeof options);
    larch_writer_put_u16le(&h, (uint16_t)linktype);
    larch_writer_put_u16le(&h, 0);
    larch_writer_put_u32le(&h, p->snaplen);
    put_option(&o, IF_TSRESOL, LARCH_BYTES(nanoseconds));
    put_option(&o, OPT_END, (larch_bytes){NULL, 0});
    return write_block(p->file, BLOCK_INTERFACE, (larch_bytes){head, h.len}, (larch_bytes){NULL, 0},
                       (larch_bytes){options, o.len});
}

/*  place 12 | captured length 4 | original length 4  */
larch_error larch_sniff_pcapng_frame(larch_sniff_pcapng *p, const larch_sniff_frame *frame, uint64_t missing,
                                     const char *comment)
{
    uint8_t head[20], options[COMMENT_MAX + 24];
    larch_writer h = larch_writer_to(head, sizeof head), o = larch_writer_to(options, sizeof options);
    uint32_t interface = 0;
    while (interface < p->interfaces && p->linktypes[interface] != frame->linktype)
        interface++;
    if (interface == p->interfaces) {
        if (interface == LARCH_SNIFF_PCAPNG_INTERFACES)
            return LARCH_SPACE;
        larch_error r = write_interface(p, frame->linktype);
        if (r != LARCH_OK)
            return r;
        p->linktypes[p->interfaces++] = frame->linktype;
    }
    put_place(&h, interface, frame->time_ns);
    larch_writer_put_u32le(&h, (uint32_t)frame->bytes.len);
    larch_writer_put_u32le(&h, (uint32_t)frame->wire_len);
    if (comment != NULL) {
        size_t len = strlen(comment);
        put_option(&o, OPT_COMMENT, (larch_bytes){(const uint8_t *)comment, len < COMMENT_MAX ? len : COMMENT_MAX});
    }
    if (missing > 0)
        put_u64_option(&o, EPB_DROPCOUNT, missing);
    if (o.len > 0)
        put_option(&o, OPT_END, (larch_bytes){NULL, 0});
    return write_block(p->file, BLOCK_PACKET, (larch_bytes){head, h.len}, frame->bytes, (larch_bytes){options, o.len});
}

/*  place 12  */
larch_error larch_sniff_pcapng_statistics(larch_sniff_pcapng *p, uint64_t time_ns, uint64_t received, uint64_t dropped)
{
    uint8_t head[12], options[32];
    larch_writer h = larch_writer_to(head, sizeof head), o = larch_writer_to(options, sizeof options);
    if (p->interfaces == 0)
        return LARCH_OK;
    put_place(&h, 0, time_ns);
    put_u64_option(&o, ISB_IFRECV, received);
    put_u64_option(&o, ISB_IFDROP, dropped);
    put_option(&o, OPT_END, (larch_bytes){NULL, 0});
    return write_block(p->file, BLOCK_STATISTICS, (larch_bytes){head, h.len}, (larch_bytes){NULL, 0},
                       (larch_bytes){options, o.len});
}
