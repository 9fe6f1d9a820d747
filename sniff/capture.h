/* SPDX-License-Identifier: Apache-2.0 */
/* Where frames come from: files (pcap, pcapng) and live interfaces, through libpcap. */
#ifndef LARCH_SNIFF_CAPTURE_H
#define LARCH_SNIFF_CAPTURE_H

#include "sniff/link.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_SNAPLEN 65535

typedef struct larch_sniff_capture larch_sniff_capture;

/* What went wrong, for people. hint: what to do about it, or "". */
typedef struct larch_sniff_trouble {
    char text[512];
    const char *hint;
} larch_sniff_trouble;

/* Opens a file, "-" for standard input; or an interface, which may need a privilege. NULL: *trouble says
 * why. Close it with larch_sniff_capture_close. */
larch_sniff_capture *larch_sniff_capture_open_file(const char *path, larch_sniff_trouble *trouble);
larch_sniff_capture *larch_sniff_capture_open_live(const char *interface, larch_sniff_trouble *trouble);

uint32_t larch_sniff_capture_linktype(const larch_sniff_capture *capture);
uint32_t larch_sniff_capture_snaplen(const larch_sniff_capture *capture);

/* Waits for the next frame. LARCH_OK: *frame, valid until the next call. LARCH_AGAIN: none for a moment.
 * LARCH_SPENT: the file is at its end, or larch_sniff_capture_stop was called. LARCH_MALFORMED, LARCH_PLATFORM: the
 * file is damaged, the interface failed: *trouble. */
LARCH_MUST_USE larch_error larch_sniff_capture_next(larch_sniff_capture *capture, larch_sniff_frame *frame,
                                                    larch_sniff_trouble *trouble);

/* Makes _next return. May be called from a signal handler. */
void larch_sniff_capture_stop(larch_sniff_capture *capture);

/* Frames that the system saw and could not hand over; 0 for files. */
uint64_t larch_sniff_capture_drops(larch_sniff_capture *capture);

void larch_sniff_capture_close(larch_sniff_capture *capture);

#ifdef __cplusplus
}
#endif

#endif
