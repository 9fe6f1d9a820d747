/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets and alerts as lines: aligned text for people, JSON for programs. Bytes
 * of strangers are escaped: no control character ever comes out.
 *
 * Text: number, time (UTC), source > destination, type and code, message ID, token, path,
 * what the direct exchange says, and in brackets what it belongs to. An alert's line has "!" or "*"
 * and its severity where a packet's has addresses.
 *
 * JSON: one object a line. A member stands only where it has a meaning:
 *   "event"      "packet" or "alert"
 *   "number"     of the frame in the capture, from 1
 *   "time"       "2026-11-20T15:00:00.123456Z", the capture's
 *   packet: "source", "destination" ("192.0.2.1:5683", "[2001:db8::1]:5683"), "length" (UDP payload),
 *     "checksum" ("good", "bad", "none", "offloaded", "unknown"), "reassembled" (from IP fragments, true),
 *     "kind" ("request", "response", "empty", "broken", "cut"), "type" ("CON", "NON", "ACK", "RST"),
 *     "code" ("0.02"), "code_text", "mid", "token" (hex), "path" (percent-encoded, with query),
 *     "block1", "block2" ({"num", "more", "size"}), "format" (Content-Format), "payload_length",
 *     "duplicate_of", "refers_to", "answers" (packet numbers), "rtt_ms" (since the request),
 *     "why" (what is malformed), "direct" ("sealed", "key", "answer", "next-ask", "next-answer"),
 *     "kem" ("ML-KEM-512"), "text_length", "fingerprint" ("larch1:..."), "answer" ("AUTH_FAIL"),
 *     "diagnostic" (payload of an error), "alerts" (names)
 *   alert: "alert" (name), "severity" ("notice", "warning", "alarm"), "text"
 * New members may come; none changes its meaning.
 */
#ifndef LARCH_SNIFF_TEXT_H
#define LARCH_SNIFF_TEXT_H

#include "sniff/alert.h"
#include "sniff/flow.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_PEER_TEXT 56   /* "[" IPv6 "]:65535" and the end */
#define LARCH_SNIFF_LINE_MAX  2048 /* always enough for one line and its end */

/* "192.0.2.1:5683", "[2001:db8::1]:5683"; without the port. Into text, which is returned. */
char *larch_sniff_peer_text(const larch_peer *peer, char text[LARCH_SNIFF_PEER_TEXT]);
char *larch_sniff_host_text(const larch_peer *peer, char text[LARCH_SNIFF_PEER_TEXT]);

typedef struct larch_sniff_style {
    bool colour;       /* ANSI colours */
    int address_width; /* private: of the widest address so far */
} larch_sniff_style;

/* Each writes one line with its line feed, into a writer of at least LARCH_SNIFF_LINE_MAX
 * bytes that is empty. Nothing for a packet that is not CoAP. */
void larch_sniff_text_packet(larch_writer *w, larch_sniff_style *style, const larch_sniff_packet *packet,
                             const larch_sniff_alert *alerts, size_t alert_count);
void larch_sniff_text_alert(larch_writer *w, larch_sniff_style *style, const larch_sniff_alert *alert);
void larch_sniff_json_packet(larch_writer *w, const larch_sniff_packet *packet, const larch_sniff_alert *alerts,
                             size_t alert_count);
void larch_sniff_json_alert(larch_writer *w, const larch_sniff_alert *alert);

#ifdef __cplusplus
}
#endif

#endif
