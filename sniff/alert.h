/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges packets: attacks, and faults that help attackers. Each kind has one
 * detector in the table of sniff/detect.c. An alert is told once for each cause
 * and counted from then on; more than LARCH_SNIFF_ALERTS_PER_S new causes of one
 * kind within a second are counted without being told, so that nobody can flood
 * the analyst's screen. Memory is fixed, the oldest entries make room.
 */
#ifndef LARCH_SNIFF_ALERT_H
#define LARCH_SNIFF_ALERT_H

#include "sniff/flow.h"

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
    X(REPLAY, "replay", ALARM, "a sealed message was sent again, as a new one or from another address")                \
    X(KEY_CHANGED, "key-changed", ALARM, "a gateway shows another public key than before")                             \
    X(KEY_ENDORSED, "key-endorsed", NOTICE, "a gateway's changed key is named by its old one (tag not verified here)") \
    X(FORGED_ANSWER, "forged-answer", ALARM, "one request has two answers that differ")                                \
    X(NOT_RANDOM, "not-random", ALARM, "what should look random does not")                                             \
    X(AUTH_FAILURES, "many-auth-failures", WARNING, "a gateway refuses many sealed messages: somebody probes")         \
    X(FLOOD, "flood", WARNING, "more requests a second than a gateway should see")                                     \
    X(RESET_STORM, "reset-storm", WARNING, "many Resets from one host: it is sent what it never asked for")            \
    X(MALFORMED, "malformed", WARNING, "breaks IP, UDP, CoAP or the direct exchange")                                  \
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

/* Thresholds: more than so many in a sliding window. */
#define LARCH_SNIFF_FLOOD_GATEWAY 200 /* requests to one gateway in a second */
#define LARCH_SNIFF_FLOOD_PREFIX  100 /* requests from one /24 or /64 in a second */
#define LARCH_SNIFF_AUTH_FAILURES 10  /* AUTH_FAIL answers of one gateway in ten seconds */
#define LARCH_SNIFF_RESETS        20  /* Resets from one host in ten seconds */
#define LARCH_SNIFF_ALERTS_PER_S  10  /* new causes told, of each kind */

#define LARCH_SNIFF_SEALED_MESSAGES 32768 /* remembered, to find replays */
#define LARCH_SNIFF_GATEWAY_KEYS    1024
#define LARCH_SNIFF_RATES           2048
#define LARCH_SNIFF_CAUSES          1024
#define LARCH_SNIFF_ALERT_TEXT      256
#define LARCH_SNIFF_ALERTS_MAX      4 /* for one packet */

/* One judgement of one packet. text: ASCII, safe to print, ended by 0. */
typedef struct larch_sniff_alert {
    larch_sniff_alert_kind kind;
    bool told;      /* the first of its cause, and not too many of late: show it */
    uint64_t count; /* of this cause, with this one */
    uint64_t number;
    uint64_t time_ns;
    char text[LARCH_SNIFF_ALERT_TEXT];
} larch_sniff_alert;

/* About 4 MiB: put it on the heap. */
typedef struct larch_sniff_alerts {
    struct larch_sniff_sealed_seen { /* private, all of it */
        uint8_t identity[LARCH_SNIFF_DIGEST_LEN];
        uint8_t digest[LARCH_SNIFF_DIGEST_LEN];
        larch_peer client;
        uint64_t number; /* 0: an empty entry */
        uint64_t time_ns;
        bool challenged; /* the gateway asked for an Echo: the same message may come once more */
    } sealed[LARCH_SNIFF_SEALED_MESSAGES];
    struct larch_sniff_gateway_key {
        larch_peer gateway;
        uint64_t number; /* 0: an empty entry */
        uint16_t set;
        bool changed; /* and not endorsed yet */
        uint8_t hash[LARCH_SHA256_LEN];
        uint8_t endorsed[LARCH_SHA256_LEN]; /* last named by an old key; zero: none */
    } keys[LARCH_SNIFF_GATEWAY_KEYS];
    struct larch_sniff_rate {
        larch_peer subject;
        uint64_t slot; /* of the newest bucket */
        uint32_t buckets[10];
        uint8_t purpose; /* 0: an empty entry */
    } rates[LARCH_SNIFF_RATES];
    struct larch_sniff_cause {
        uint64_t hash;
        uint64_t count; /* 0: an empty entry */
        uint64_t last;
        larch_sniff_alert_kind kind;
        char text[LARCH_SNIFF_ALERT_TEXT];
    } causes[LARCH_SNIFF_CAUSES];
    struct larch_sniff_tally {
        uint64_t alerts; /* public: all */
        uint64_t causes; /* public: different ones */
        uint64_t untold; /* public: causes that were not told */
        uint64_t second; /* private */
        uint32_t told;   /* private: in that second */
    } tallies[LARCH_SNIFF_ALERT_COUNT];
    larch_sniff_alert now[LARCH_SNIFF_ALERTS_MAX];
    size_t now_count;
} larch_sniff_alerts;

void larch_sniff_alerts_init(larch_sniff_alerts *alerts);

/* Judges a packet. Returns how many alerts it raised, at most LARCH_SNIFF_ALERTS_MAX;
 * *out is at them until the next call. */
size_t larch_sniff_alerts_take(larch_sniff_alerts *alerts, const larch_sniff_packet *packet,
                               const larch_sniff_alert **out);

/* The same for a frame that is malformed below CoAP. */
size_t larch_sniff_alerts_take_frame(larch_sniff_alerts *alerts, uint64_t number, uint64_t time_ns,
                                     const larch_sniff_datagram *datagram, const larch_sniff_alert **out);

/* What a capture lost before the frame of that number. */
typedef enum larch_sniff_loss {
    LARCH_SNIFF_LOSS_DROPPED, /* by the board, whose line was full */
    LARCH_SNIFF_LOSS_LINE,    /* between board and here */
    LARCH_SNIFF_LOSS_DAMAGED, /* a record that does not check out, whatever it was */
    LARCH_SNIFF_LOSS_RESTART  /* the board started anew */
} larch_sniff_loss;

/* The same for a loss of count frames (of DAMAGED and RESTART: times). */
size_t larch_sniff_alerts_take_loss(larch_sniff_alerts *alerts, uint64_t number, uint64_t time_ns,
                                    larch_sniff_loss loss, uint64_t count, const larch_sniff_alert **out);

#ifdef __cplusplus
}
#endif

#endif
