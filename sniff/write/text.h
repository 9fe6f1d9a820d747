/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets and alerts as aligned lines for people. Bytes of strangers are escaped: no control character ever comes out.
 *
 * A line: number, time (UTC), source > destination, then the columns of the dissectors (type and code, message ID, token,
 * path, what the protocol in the payload says, and in brackets what the message belongs to), remarks about the datagram,
 * and the names of alerts. An alert's line has its severity where a packet's has addresses.
 */
#ifndef LARCH_SNIFF_TEXT_H
#define LARCH_SNIFF_TEXT_H

#include "sniff/dissect/packet.h"
#include "sniff/judge/alert.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_LINE_MAX 4096 /* always enough for one line of text or JSON, and its end */

typedef struct larch_sniff_style {
    bool colour;       /* ANSI colours */
    int address_width; /* private: of the widest address so far */
} larch_sniff_style;

/* Each writes one line with its line feed, into a writer of at least LARCH_SNIFF_LINE_MAX
 * bytes that is empty. Nothing for a packet that is not CoAP. */
void larch_sniff_text_packet(larch_writer *w, larch_sniff_style *style, const larch_sniff_packet *packet,
                             const larch_sniff_alert *alerts, size_t alert_count);
void larch_sniff_text_alert(larch_writer *w, larch_sniff_style *style, const larch_sniff_alert *alert);

#ifdef __cplusplus
}
#endif

#endif
