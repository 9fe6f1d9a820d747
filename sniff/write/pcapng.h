/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes captures with comments on packets [draft-ietf-opsawg-pcapng]: one Section Header, an
 * Interface Description for each link type as it comes, an Enhanced Packet for each frame, and
 * Interface Statistics at the end of a live capture.
 * Little-endian; time in nanoseconds.
 */
#ifndef LARCH_SNIFF_PCAPNG_H
#define LARCH_SNIFF_PCAPNG_H

#include <stdio.h>

#include "sniff/capture/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_PCAPNG_INTERFACES 16

typedef struct larch_sniff_pcapng {
    FILE *file; /* private, all of it */
    uint32_t linktypes[LARCH_SNIFF_PCAPNG_INTERFACES];
    uint32_t interfaces;
    uint32_t snaplen;
} larch_sniff_pcapng;

/* Writes the section header. file: stays open and the caller's. snaplen: of the capture; 0: no limit.
 * LARCH_PLATFORM: a write failed (errno says why). */
LARCH_MUST_USE larch_error larch_sniff_pcapng_begin(larch_sniff_pcapng *p, FILE *file, uint32_t snaplen);

/* Writes a frame. missing: frames lost between the one before and this one (epb_dropcount). comment: ASCII or UTF-8,
 * cut at 1024 bytes; NULL: none. LARCH_PLATFORM as above; LARCH_SPACE: more link types than
 * LARCH_SNIFF_PCAPNG_INTERFACES. */
LARCH_MUST_USE larch_error larch_sniff_pcapng_frame(larch_sniff_pcapng *p, const larch_sniff_frame *frame,
                                                    uint64_t missing, const char *comment);

/* Writes what the capture as a whole saw, at its end: on the first link type that came, if one did. Errors as above. */
LARCH_MUST_USE larch_error larch_sniff_pcapng_statistics(larch_sniff_pcapng *p, uint64_t time_ns, uint64_t received,
                                                         uint64_t dropped);

#ifdef __cplusplus
}
#endif

#endif
