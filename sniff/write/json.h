/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets and alerts for programs.
 *
 * JSON: one object a line. A member stands only where it has a meaning:
 *   "event"      "packet" or "alert"
 *   "number"     of the frame in the capture, from 1
 *   "time"       "2026-11-20T15:00:00.123456Z", the capture's
 *   packet: "source", "destination" ("192.0.2.1:5683", "[2001:db8::1]:5683"), "length" (UDP payload),
 *     "checksum" ("good", "bad", "none", "offloaded", "unknown"), "reassembled" (from IP fragments, true),
 *     "kind" ("request", "response", "empty", "broken", "cut"), "type" ("CON", "NON", "ACK", "RST"),
 *     "code" ("0.02"), "code_text", "mid", "token" (hex; not if it was not captured), "path" (percent-encoded, with query),
 *     "block1", "block2" ({"num", "more", "size"}), "format" (Content-Format), "payload_length",
 *     "duplicate_of", "refers_to", "answers" (packet numbers), "rtt_ms" (since the request),
 *     "why" (what is malformed), "direct" ("sealed", "sealed (COSE)", "key", "answer", "next-ask", "next-answer", "identity",
 *     "root-key", "root-ask", "root-answer"), "kem" ("ML-KEM-512"), "text_length", "fingerprint" ("larch1:...", or
 *     "larch2:..." of an identity), "document" (SHA-256, hex), "answer" ("AUTH_FAIL"), "receipt" (hex),
 *     "lake" (a message of LAKE, EDHOC; an object: "message" ("message_1" to "message_4", "error"), "length" (of the message
 *     itself), "method", "method_name" ("PSK"), "suites_i" (numbers), "suite" (the selected one), "suite_name", "g_x_length",
 *     "c_i" (hex, as all IDs), "eads" (labels, negative if critical), "c_r" (before message_3), "g_y_length",
 *     "ciphertext_length" (behind G_Y; with its tag), "error_code", "error_text", "suites_r", "handshake" (number of the
 *     packet that began it), "post_quantum" ("yes", "no", "unknown": by the suite's key exchange), and with a key log
 *     "outcome" ("opened", "no secrets", "not authentic") and "inner": "c_r", "kid" or "id_cred" (hex, its first 64 bytes),
 *     "proof_length" (of a signature or MAC), "eads", "time" (of larch's EAD_4, seconds since 1970)),
 *     "oscore" (an object: "unsupported" ("Group OSCORE, not supported"), or "kid", "kid_context", "piv" (Partial IV; all
 *     three hex, and only if the message has them), "number" (the Partial IV), "ciphertext_length" (with the tag; if the
 *     message is whole), "post_quantum" (as of the handshake that made its keys; "unknown" if that was not seen), and with
 *     a key log "outcome" ("opened", "no context", "not authentic", "too long") and "inner", what was protected: "code",
 *     "code_text", "path", "block1", "block2", "format", "payload_length", "payload" (its first 128 bytes as text)),
 *     "diagnostic" (payload of an error), "alerts" (names)
 *   alert: "alert" (name), "severity" ("notice", "warning", "alarm"), "text", "source", "destination" (of the frame, as
 *     of a packet; without a port if that could not be read), "before" (number of the earlier frame that this one repeats
 *     or contradicts), "before_source" (who sent that), "request" (number of the frame whose answer this is about),
 *     "fingerprint" (of the key that the gateway shows now), "fingerprint_before"
 * New members may come; none changes its meaning.
 */
#ifndef LARCH_SNIFF_JSON_H
#define LARCH_SNIFF_JSON_H

#include "sniff/dissect/packet.h"
#include "sniff/judge/alert.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Each writes one line with its line feed, into a writer of at least LARCH_SNIFF_LINE_MAX (sniff/write/text.h)
 * bytes that is empty. Nothing for a packet that is not CoAP. */
void larch_sniff_json_packet(larch_writer *w, const larch_sniff_packet *packet, const larch_sniff_alert *alerts,
                             size_t alert_count);
void larch_sniff_json_alert(larch_writer *w, const larch_sniff_alert *alert);

#ifdef __cplusplus
}
#endif

#endif
