/* SPDX-License-Identifier: Apache-2.0 */
/* Reads pcap files [draft-ietf-opsawg-pcap], in either byte order. libpcap could, but takes the seconds for signed. */
#include "sniff/capture/file_int.h"

#define HEAD_LEN 24

/*  magic 4 | major 2 | minor 2 | reserved 8 | snap length 4 | FCS length and flags 6 bits, link type 26  */
larch_error larch_sniff_pcap_begin(larch_sniff_pcap *pcap, larch_sniff_input *in, const char **why)
{
    uint8_t head[HEAD_LEN];
    *why = "it ends inside its header";
    const larch_error r = larch_sniff_input_go_on(in, head, sizeof head);
    if (r != LARCH_OK)
        return r;
    in->big_endian = head[0] == 0xa1;
    const uint32_t magic = larch_sniff_input_u32(in, head);
    *pcap = (larch_sniff_pcap){.linktype = larch_sniff_input_u32(in, head + 20) & 0x03ffffff,
                               .snaplen = larch_sniff_input_u32(in, head + 16),
                               .ns_per_tick = magic == LARCH_SNIFF_PCAP_NANOSECONDS ? 1 : 1000,
                               .surplus = magic == LARCH_SNIFF_PCAP_MODIFIED ? 8 : 0,
                               .minor = larch_sniff_input_u16(in, head + 6)};
    *why = "it is of a version other than 2";
    return larch_sniff_input_u16(in, head + 4) == 2 ? LARCH_OK : LARCH_MALFORMED;
}

/*  seconds 4, ticks 4 | captured length 4 | length 4 | of the modified kind: interface 4, protocol 2, type 1, 0 | bytes
 * Seconds are unsigned: the format ends in 2106, not in 2038. Up to version 2.2 the lengths stand the other way
 * around; of 2.3 there are files of either kind. */
larch_error larch_sniff_pcap_next(const larch_sniff_pcap *pcap, larch_sniff_input *in, larch_sniff_frame *frame,
                                  const char **why)
{
    uint8_t head[16];
    larch_error r;
    *why = "it ends inside a frame";
    if ((r = larch_sniff_input_read(in, head, sizeof head)) != LARCH_OK ||
        (r = larch_sniff_input_skip(in, pcap->surplus)) != LARCH_OK)
        return r;
    uint32_t captured = larch_sniff_input_u32(in, head + 8), wire = larch_sniff_input_u32(in, head + 12);
    if (pcap->minor < 3 || (pcap->minor == 3 && captured > wire)) {
        const uint32_t other = captured;
        captured = wire;
        wire = other;
    }
    if (captured > LARCH_SNIFF_FRAME_MAX) {
        *why = "a frame is longer than any can be";
        return LARCH_MALFORMED;
    }
    if ((r = larch_sniff_input_hold(in, captured)) != LARCH_OK)
        return r;
    *frame = (larch_sniff_frame){.time_ns = larch_sniff_input_u32(in, head) * UINT64_C(1000000000) +
                                            larch_sniff_input_u32(in, head + 4) * pcap->ns_per_tick,
                                 .linktype = pcap->linktype,
                                 .bytes = {in->bytes, captured},
                                 .wire_len = wire > captured ? wire : captured};
    return LARCH_OK;
}
