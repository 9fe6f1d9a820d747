/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a captured frame to the UDP datagrams in it: link layer, IP, fragments,
 * UDP. Every byte is untrusted; nothing past the captured length is read, and
 * what the snap length cut off is told apart from what breaks a format.
 */
#ifndef LARCH_SNIFF_LINK_H
#define LARCH_SNIFF_LINK_H

#include "sniff/capture/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a step through a frame found. X(NAME, text) */
#define LARCH_SNIFF_FOUNDS(X)              \
    X(END, "nothing more")                 \
    X(DATAGRAM, "UDP datagram")            \
    X(OTHER, "not UDP")                    \
    X(FRAGMENT, "fragment kept")           \
    X(PROTECTED, "encrypted by the link")  \
    X(TRUNCATED, "cut by the snap length") \
    X(MALFORMED, "malformed below CoAP")

#define LARCH_SNIFF_FOUND_ENUM(name, text) LARCH_SNIFF_##name,
typedef enum larch_sniff_found { LARCH_SNIFF_FOUNDS(LARCH_SNIFF_FOUND_ENUM) LARCH_SNIFF_FOUND_COUNT } larch_sniff_found;
#undef LARCH_SNIFF_FOUND_ENUM

const char *larch_sniff_found_text(larch_sniff_found found);

typedef enum larch_sniff_checksum {
    LARCH_SNIFF_CHECKSUM_GOOD,
    LARCH_SNIFF_CHECKSUM_BAD,
    LARCH_SNIFF_CHECKSUM_NONE,      /* the sender sent none */
    LARCH_SNIFF_CHECKSUM_OFFLOADED, /* holds the pseudo-header's sum: captured before the network card filled it in */
    LARCH_SNIFF_CHECKSUM_UNKNOWN    /* not all bytes were captured, or the last address is not known */
} larch_sniff_checksum;

/* One UDP datagram. Addresses are known too for FRAGMENT, TRUNCATED and MALFORMED once the IP
 * header could be read (has_addresses). */
typedef struct larch_sniff_datagram {
    larch_peer source;
    larch_peer destination;
    bool has_addresses;
    larch_bytes payload; /* captured part; valid until the next call on the same larch_sniff_links */
    size_t payload_len;  /* by the UDP header */
    larch_sniff_checksum checksum;
    bool reassembled; /* from IP fragments */
    uint8_t hop_limit;
    const char *why; /* for MALFORMED, OTHER, FRAGMENT, TRUNCATED: a constant text; else NULL */
} larch_sniff_datagram;

/* IP datagrams being put together from fragments. */
#define LARCH_SNIFF_FRAGMENTED     16    /* at one time; the oldest makes room */
#define LARCH_SNIFF_FRAGMENTED_MAX 16384 /* bytes of IP payload; larger ones are not followed */
#define LARCH_SNIFF_FRAGMENTED_S   30 /* seconds until an incomplete one is dropped [RFC8200 4.5 says 60, RFC791 15] */

typedef struct larch_sniff_fragmented {
    uint8_t source[16]; /* private, all of it */
    uint8_t destination[16];
    uint64_t began_ns;
    uint32_t identification;
    uint32_t total; /* 0: the last fragment has not been seen */
    uint32_t received;
    uint8_t protocol;
    bool used;
    uint8_t units[LARCH_SNIFF_FRAGMENTED_MAX / 8 / 8]; /* a bit for 8 bytes */
    uint8_t bytes[LARCH_SNIFF_FRAGMENTED_MAX];
} larch_sniff_fragmented;

/* State over frames, and the place in the present frame. About 270 KiB: put it on the heap. */
typedef struct larch_sniff_links {
    larch_sniff_fragmented fragmented[LARCH_SNIFF_FRAGMENTED]; /* private, all of it */
    uint64_t now_ns;
    struct larch_sniff_cursor {
        const uint8_t *data;
        size_t captured;
        size_t wire;
    } left;
    uint32_t linktype;
    bool begun;
    bool in_amsdu;
} larch_sniff_links;

void larch_sniff_links_init(larch_sniff_links *links);

/* Starts on a frame, whose bytes must stay until the last call of _next. */
void larch_sniff_links_begin(larch_sniff_links *links, const larch_sniff_frame *frame);

/* The next thing in the frame: one for most, several for an aggregated 802.11 frame, then
 * LARCH_SNIFF_END for ever. *out is zeroed but for what the result promises. */
larch_sniff_found larch_sniff_links_next(larch_sniff_links *links, larch_sniff_datagram *out);

#ifdef __cplusplus
}
#endif

#endif
