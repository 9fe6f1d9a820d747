/* SPDX-License-Identifier: Apache-2.0 */
/* A captured frame, as every source of frames delivers it: files, interfaces and a board's serial line. */
#ifndef LARCH_SNIFF_FRAME_H
#define LARCH_SNIFF_FRAME_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Link types, by their number in capture files (LINKTYPE_ of the pcap format). X(NAME, number, text) */
#define LARCH_SNIFF_LINKS(X)                 \
    X(NULL, 0, "BSD loopback")               \
    X(ETHERNET, 1, "Ethernet")               \
    X(PPP, 9, "PPP")                         \
    X(PPP_HDLC, 50, "PPP over HDLC")         \
    X(PPPOE, 51, "PPP over Ethernet")        \
    X(RAW, 101, "raw IP")                    \
    X(CISCO_HDLC, 104, "Cisco HDLC")         \
    X(WIFI, 105, "802.11")                   \
    X(LOOP, 108, "OpenBSD loopback")         \
    X(SLL, 113, "Linux cooked v1")           \
    X(RADIOTAP, 127, "802.11 with radiotap") \
    X(PPP_PPPD, 166, "PPP of pppd")          \
    X(PPP_DIR, 204, "PPP with direction")    \
    X(IPV4, 228, "raw IPv4")                 \
    X(IPV6, 229, "raw IPv6")                 \
    X(SLL2, 276, "Linux cooked v2")

#define LARCH_SNIFF_LINK_ENUM(name, number, text) LARCH_SNIFF_LINK_##name = (number),
typedef enum larch_sniff_linktype { LARCH_SNIFF_LINKS(LARCH_SNIFF_LINK_ENUM) } larch_sniff_linktype;
#undef LARCH_SNIFF_LINK_ENUM

/* "Ethernet", ...; NULL for a link type that cannot be read. */
const char *larch_sniff_link_text(uint32_t linktype);

/* One frame as captured. */
typedef struct larch_sniff_frame {
    uint64_t time_ns; /* since 1970, UTC */
    uint32_t linktype;
    larch_bytes bytes; /* what was captured */
    size_t wire_len;   /* what was on the wire; at least bytes.len */
} larch_sniff_frame;

#ifdef __cplusplus
}
#endif

#endif
