/* SPDX-License-Identifier: Apache-2.0 */
/* Where frames come from: files (pcap, pcapng), and live interfaces through libpcap. */
#ifndef LARCH_SNIFF_CAPTURE_H
#define LARCH_SNIFF_CAPTURE_H

#include "sniff/capture/frame.h"
#include "sniff/capture/trouble.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_SNAPLEN 65535

typedef struct larch_sniff_capture larch_sniff_capture;

/* Opens a file, "-" for standard input; or an interface, which may need a privilege. NULL: *trouble says
 * why; a file of another format is named as that. Close it with larch_sniff_capture_close. */
larch_sniff_capture *larch_sniff_capture_open_file(const char *path, larch_sniff_trouble *trouble);
larch_sniff_capture *larch_sniff_capture_open_live(const char *interface, larch_sniff_trouble *trouble);

/* The link type of an interface's frames. Those of a file may differ from frame to frame: UINT32_MAX. */
uint32_t larch_sniff_capture_linktype(const larch_sniff_capture *capture);
/* No frame holds more bytes; 0: there is no such limit, as in pcapng, where each interface has its own. */
uint32_t larch_sniff_capture_snaplen(const larch_sniff_capture *capture);
/* The file that is read, for whoever must not write to it; -1 for an interface. */
int larch_sniff_capture_fd(const larch_sniff_capture *capture);

/* Waits for the next frame. LARCH_OK: *frame, valid until the next call; larch_sniff_link_text says whether its link
 * type can be read. LARCH_AGAIN: none for a moment. LARCH_SPENT: the file is at its end, or larch_sniff_capture_stop
 * was called. LARCH_MALFORMED: the file is damaged, or no frame in it can be read. LARCH_PLATFORM: reading or the
 * interface failed. For the last two, *trouble. */
LARCH_MUST_USE larch_error larch_sniff_capture_next(larch_sniff_capture *capture, larch_sniff_frame *frame,
                                                    larch_sniff_trouble *trouble);

/* Makes _next return. May be called from a signal handler. */
void larch_sniff_capture_stop(larch_sniff_capture *capture);

/* Frames that the system saw and could not hand over; 0 for files. */
uint64_t larch_sniff_capture_drops(larch_sniff_capture *capture);

void larch_sniff_capture_close(larch_sniff_capture *capture);

/* "USB with padded Linux header": what libpcap calls any link type; "unknown" if it has no name for it. */
const char *larch_sniff_capture_describe_link(uint32_t linktype);

#ifdef __cplusplus
}
#endif

#endif
