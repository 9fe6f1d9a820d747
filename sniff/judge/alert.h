/* SPDX-License-Identifier: Apache-2.0 */
/* What an alert is: its kinds, how severe each is, and one judgement of one packet. */
#ifndef LARCH_SNIFF_ALERT_H
#define LARCH_SNIFF_ALERT_H

#include "larch/identity.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_SEVERITIES(X) \
    X(NOTICE, "notice")           \
    X(WARNING, "warning")         \
    X(ALARM, "alarm")

#define LARCH_SNIFF_SEVERITY_ENUM(name, text) LARCH_SNIFF_##name,
typedef enum larch_sniff_severity { LARCH_SNIFF_SEVERITIES(LARCH_SNIFF_SEVERITY_ENUM) } larch_sniff_severity;
#undef LARCH_SNIFF_SEVERITY_ENUM

/* X(NAME, name, severity, what it means) */
#define LARCH_SNIFF_ALERTS(X)                                                                                          \
    X(REPLAY, "replay", ALARM, "a message to be accepted once came again, as a new one or from another address")       \
    X(NONCE_REUSE, "nonce-reuse", ALARM,                                                                               \
      "two messages that differ stand under one number, so under one nonce and key")                                   \
    X(NUMBER_FELL, "number-fell", WARNING, "a sender's number is far below those that it used before")                 \
    X(KEY_CHANGED, "key-changed", ALARM, "a gateway shows another public key than before")                             \
    X(KEY_ENDORSED, "key-endorsed", NOTICE, "a gateway's changed key is named by its old one (tag not verified here)") \
    X(FORGED_ANSWER, "forged-answer", ALARM, "one request has two answers that differ")                                \
    X(NOT_RANDOM, "not-random", ALARM, "what should look random does not")                                             \
    X(AUTH_FAILURES, "many-auth-failures", WARNING, "a gateway refuses many sealed messages: somebody probes")         \
    X(FLOOD, "flood", WARNING, "more requests a second than a gateway should see")                                     \
    X(RESET_STORM, "reset-storm", WARNING, "many Resets from one host: it is sent what it never asked for")            \
    X(DOWNGRADE, "downgrade", ALARM, "a handshake ends on less than both ends can, or SUITES_R is not credible")       \
    X(FALLBACK, "fallback", WARNING, "a host with post-quantum sessions sends a sealed message without one")           \
    X(UNKNOWN_SUITE, "unknown-suite", WARNING, "a handshake asks for a cipher suite or a method that nobody assigned") \
    X(HANDSHAKE_FLOOD, "handshake-flood", WARNING, "many handshakes are begun and not completed")                      \
    X(MALFORMED, "malformed", WARNING, "breaks IP, UDP, CoAP or what it carries")                                      \
    X(FRAMES_MISSING, "frames-missing", NOTICE, "the sniffer board or its line lost frames: this capture has holes")

#define LARCH_SNIFF_ALERT_ENUM(id, name, severity, text) LARCH_SNIFF_ALERT_##id,
typedef enum larch_sniff_alert_kind {
    LARCH_SNIFF_ALERTS(LARCH_SNIFF_ALERT_ENUM) LARCH_SNIFF_ALERT_COUNT
} larch_sniff_alert_kind;
#undef LARCH_SNIFF_ALERT_ENUM

const char *larch_sniff_alert_name(larch_sniff_alert_kind kind);
larch_sniff_severity larch_sniff_alert_severity(larch_sniff_alert_kind kind);
const char *larch_sniff_alert_meaning(larch_sniff_alert_kind kind);
const char *larch_sniff_severity_text(larch_sniff_severity severity);

#define LARCH_SNIFF_ALERT_TEXT 256

/* One judgement of one packet: what the text says, once more for programs. */
typedef struct larch_sniff_alert {
    larch_sniff_alert_kind kind;
    bool told;       /* the first of its cause, and not too many of late: show it */
    uint64_t count;  /* of this cause, with this one */
    uint64_t number; /* of the frame that raised it */
    uint64_t time_ns;
    bool has_addresses; /* of that frame; a port of 0 could not be read */
    larch_peer source, destination;
    uint64_t before;        /* the earlier frame that this one repeats or contradicts; 0: none */
    bool has_before_source; /* who sent that */
    larch_peer before_source;
    uint64_t request; /* the frame whose answer this is about; 0: none */
    bool has_key, has_key_before;
    uint8_t key[LARCH_FINGERPRINT_LEN]; /* the key that a gateway shows now; its fingerprint's bytes */
    uint8_t key_before[LARCH_FINGERPRINT_LEN];
    char text[LARCH_SNIFF_ALERT_TEXT]; /* ASCII, safe to print, ended by 0 */
} larch_sniff_alert;

#ifdef __cplusplus
}
#endif

#endif
