/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads pcapng [draft-ietf-opsawg-pcapng]. A file is sections, each with a byte order and interfaces of its own, and
 * each interface has a link type, a snap length and a clock of its own; libpcap reads only files in which all agree.
 *
 *     type 4 | total length 4 | body, padded to 4 | total length 4
 */
#include <stdlib.h>
#include <string.h>

#include "sniff/capture/file_int.h"

#define BLOCK_SECTION   0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET    2u /* obsolete */
#define BLOCK_SIMPLE    3u
#define BLOCK_ENHANCED  6u
#define BLOCK_MIN       12u
#define OPT_END         0u
#define IF_TSRESOL      9u
#define IF_TSOFFSET     14u
#define INTERFACES_MAX  65536 /* of a section; what BLOCK_PACKET can name */
#define MICROSECONDS    6     /* the resolution of an interface that names none */

#define SECOND_NS UINT64_C(1000000000)

/* ---- time ---------------------------------------------------------------- */

/* if_tsresol is n or 0x80 | n: units of 10^-n or 2^-n seconds. Time past the year 2554 stops there, which is where
 * nanoseconds since 1970 do. */
static uint64_t time_of(const larch_sniff_pcapng_interface *i, uint64_t units)
{
    const unsigned n = i->resolution & 0x7f;
    uint64_t seconds, rest, ns;
    if ((i->resolution & 0x80) != 0) {
        seconds = n < 64 ? units >> n : 0;
        rest = n < 64 ? units & ((UINT64_C(1) << n) - 1) : units;
        const unsigned kept = n < 34 ? n : 34; /* bits of the rest: times a second, they fit 64 */
        ns = n - kept < 64 ? (rest >> (n - kept)) * SECOND_NS >> kept : 0;
    } else {
        uint64_t per_second = 1, per_ns = 1;
        for (unsigned k = 0; k < n && k < 19; k++)
            per_second *= 10;
        for (unsigned k = 9; k < n && k < 28; k++)
            per_ns *= 10;
        seconds = n < 20 ? units / per_second : 0;
        rest = n < 20 ? units % per_second : units;
        ns = n <= 9 ? rest * (SECOND_NS / per_second) : rest / per_ns;
    }
    if (i->offset_s < 0 && seconds < 0 - (uint64_t)i->offset_s)
        return 0; /* before 1970 */
    if (i->offset_s > 0 && seconds + (uint64_t)i->offset_s < seconds)
        return UINT64_MAX;
    seconds += (uint64_t)i->offset_s;
    return seconds <= (UINT64_MAX - ns) / SECOND_NS ? seconds * SECOND_NS + ns : UINT64_MAX;
}

/* ---- what stands before frames ------------------------------------------- */

/* A section's length is in its own byte order, which its first field tells:
 *     0a0d0d0a 4 | total length 4 | magic 4 | major 2 | minor 2 | section length 8 | options  */
static larch_error begin_section(larch_sniff_pcapng_reader *pcapng, larch_sniff_input *in, const uint8_t *length,
                                 uint32_t *body_len, const char **why)
{
    uint8_t magic[4];
    const larch_error r = larch_sniff_input_go_on(in, magic, sizeof magic);
    if (r != LARCH_OK)
        return r;
    in->big_endian = magic[0] == 0x1a;
    *why = "a section's byte order is neither of the two";
    if (larch_sniff_input_u32(in, magic) != 0x1a2b3c4d)
        return LARCH_MALFORMED;
    const uint32_t total = larch_sniff_input_u32(in, length);
    *why = "a section's header has a wrong length";
    if (total < BLOCK_MIN + 16 || total % 4 != 0)
        return LARCH_MALFORMED;
    *body_len = total - BLOCK_MIN - (uint32_t)sizeof magic;
    pcapng->count = 0;
    return LARCH_OK;
}

/* Wireshark takes 1.2 for 1.0 as well. */
static larch_error take_section(const larch_sniff_input *in, const char **why)
{
    const uint16_t major = larch_sniff_input_u16(in, in->bytes), minor = larch_sniff_input_u16(in, in->bytes + 2);
    *why = "a section is of a version other than 1.0";
    return major == 1 && (minor == 0 || minor == 2) ? LARCH_OK : LARCH_MALFORMED;
}

/*  code 2 | length 2 | value, padded to 4  */
static void take_options(const larch_sniff_input *in, const uint8_t *p, size_t len, larch_sniff_pcapng_interface *out)
{
    while (len >= 4) {
        const uint16_t code = larch_sniff_input_u16(in, p), value_len = larch_sniff_input_u16(in, p + 2);
        const size_t padded = ((size_t)value_len + 3) / 4 * 4;
        if (code == OPT_END || padded > len - 4)
            return;
        if (code == IF_TSRESOL && value_len == 1)
            out->resolution = p[4];
        if (code == IF_TSOFFSET && value_len == 8)
            out->offset_s = (int64_t)larch_sniff_input_u64(in, p + 4);
        p += 4 + padded;
        len -= 4 + padded;
    }
}

/*  link type 2 | reserved 2 | snap length 4 | options  */
static larch_error take_interface(larch_sniff_pcapng_reader *pcapng, const larch_sniff_input *in, size_t len,
                                  const char **why)
{
    *why = "an interface's description is too short";
    if (len < 8)
        return LARCH_MALFORMED;
    *why = "a section has too many interfaces";
    if (pcapng->count == INTERFACES_MAX)
        return LARCH_MALFORMED;
    if (pcapng->count == pcapng->cap) {
        const size_t cap = pcapng->cap > 0 ? 2 * pcapng->cap : 8;
        larch_sniff_pcapng_interface *more = realloc(pcapng->interfaces, cap * sizeof *more);
        if (more == NULL)
            return LARCH_PLATFORM;
        pcapng->interfaces = more;
        pcapng->cap = cap;
    }
    larch_sniff_pcapng_interface *i = &pcapng->interfaces[pcapng->count++];
    *i = (larch_sniff_pcapng_interface){larch_sniff_input_u16(in, in->bytes), larch_sniff_input_u32(in, in->bytes + 4),
                                        MICROSECONDS, 0};
    take_options(in, in->bytes + 8, len - 8, i);
    return LARCH_OK;
}

/* ---- frames -------------------------------------------------------------- */

/*  enhanced: interface 4          | time, high 4, low 4 | captured length 4 | length 4 | bytes | options
 *  obsolete: interface 2, drops 2 | the same
 *  simple:   length 4 | bytes: as many as the first interface's snap length allows; its time is not known  */
static larch_error take_frame(const larch_sniff_pcapng_reader *pcapng, const larch_sniff_input *in, uint32_t type,
                              size_t len, larch_sniff_frame *frame, const char **why)
{
    const uint8_t *p = in->bytes;
    const size_t head_len = type == BLOCK_SIMPLE ? 4 : 20;
    *why = "a frame's block is too short";
    if (len < head_len)
        return LARCH_MALFORMED;
    const uint32_t which = type == BLOCK_SIMPLE   ? 0
                           : type == BLOCK_PACKET ? larch_sniff_input_u16(in, p)
                                                  : larch_sniff_input_u32(in, p);
    *why = "a frame is of an interface that nothing describes";
    if (which >= pcapng->count)
        return LARCH_MALFORMED;
    const larch_sniff_pcapng_interface *interface = &pcapng->interfaces[which];
    const uint32_t wire = larch_sniff_input_u32(in, p + head_len - 4);
    size_t captured;
    if (type == BLOCK_SIMPLE) {
        captured = interface->snaplen != 0 && interface->snaplen < wire ? interface->snaplen : wire;
        if (captured > len - head_len)
            captured = len - head_len;
    } else {
        captured = larch_sniff_input_u32(in, p + 12);
    }
    *why = "a frame is longer than its block";
    if (captured > len - head_len)
        return LARCH_MALFORMED;
    *why = "a frame is longer than any can be";
    if (captured > LARCH_SNIFF_FRAME_MAX)
        return LARCH_MALFORMED;
    const uint64_t units =
        type == BLOCK_SIMPLE ? 0 : (uint64_t)larch_sniff_input_u32(in, p + 4) << 32 | larch_sniff_input_u32(in, p + 8);
    *frame = (larch_sniff_frame){.time_ns = type == BLOCK_SIMPLE ? 0 : time_of(interface, units),
                                 .linktype = interface->linktype,
                                 .bytes = {p + head_len, captured},
                                 .wire_len = wire > captured ? wire : captured};
    return LARCH_OK;
}

/* ---- blocks -------------------------------------------------------------- */

/* One block up to its end: a body that is wanted is in in->bytes, any other is passed over. */
static larch_error take_block(larch_sniff_pcapng_reader *pcapng, larch_sniff_input *in, uint32_t *type, size_t *len,
                              const char **why)
{
    uint8_t head[8], end[4];
    larch_error r;
    *why = "it ends inside a block";
    if ((r = larch_sniff_input_read(in, head, sizeof head)) != LARCH_OK)
        return r;
    *type = larch_sniff_input_u32(in, head);
    uint32_t body_len, total = larch_sniff_input_u32(in, head + 4);
    if (*type == BLOCK_SECTION) {
        if ((r = begin_section(pcapng, in, head + 4, &body_len, why)) != LARCH_OK)
            return r;
        total = larch_sniff_input_u32(in, head + 4);
    } else {
        *why = "a block's length is too small, or no multiple of 4";
        if (total < BLOCK_MIN || total % 4 != 0)
            return LARCH_MALFORMED;
        body_len = total - BLOCK_MIN;
    }
    const bool wanted = *type == BLOCK_SECTION || *type == BLOCK_INTERFACE || *type == BLOCK_PACKET ||
                        *type == BLOCK_SIMPLE || *type == BLOCK_ENHANCED;
    *why = "it ends inside a block";
    r = wanted ? larch_sniff_input_hold(in, body_len) : larch_sniff_input_skip(in, body_len);
    if (r == LARCH_OK)
        r = larch_sniff_input_go_on(in, end, sizeof end);
    if (r == LARCH_SPACE) {
        *why = "a block is longer than any can be";
        return LARCH_MALFORMED;
    }
    if (r != LARCH_OK)
        return r;
    *len = body_len;
    *why = "a block's two lengths differ";
    return larch_sniff_input_u32(in, end) == total ? LARCH_OK : LARCH_MALFORMED;
}

larch_error larch_sniff_pcapng_next(larch_sniff_pcapng_reader *pcapng, larch_sniff_input *in, larch_sniff_frame *frame,
                                    const char **why)
{
    for (;;) {
        uint32_t type;
        size_t len;
        larch_error r = take_block(pcapng, in, &type, &len, why);
        if (r != LARCH_OK)
            return r;
        if (type == BLOCK_ENHANCED || type == BLOCK_SIMPLE || type == BLOCK_PACKET)
            return take_frame(pcapng, in, type, len, frame, why);
        if (type == BLOCK_SECTION)
            r = take_section(in, why);
        else if (type == BLOCK_INTERFACE)
            r = take_interface(pcapng, in, len, why);
        if (r != LARCH_OK)
            return r;
    }
}
