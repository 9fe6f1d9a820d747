/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes that are under way, and the sessions that they made: which suite the keys of an OSCORE message come from.
 * Memory is fixed. A session counts when its responder has answered under its keys, or with message_4, so that nobody can
 * claim one by a message of his own.
 */
#ifndef LARCH_SNIFF_HANDSHAKE_H
#define LARCH_SNIFF_HANDSHAKE_H

#include "sniff/dissect/packet.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_HANDSHAKES 1024
#define LARCH_SNIFF_SESSIONS   4096

typedef struct larch_sniff_handshake {
    larch_peer client, server;
    uint64_t first;  /* the packet that began it; 0: an empty entry */
    uint64_t newest; /* of its packets */
    bool has_message_1;
    bool was_echoed;                  /* message_1 came again with an Echo, as it should once */
    larch_sniff_lake_message message; /* the last that was seen */
    bool is_completed;
    uint8_t digest[LARCH_SNIFF_DIGEST_LEN]; /* of message_1 */
    uint8_t method;
    int64_t suite; /* that message_1 selected */
    larch_sniff_suites offered;
    uint8_t h_message_1[LARCH_LAKE_HASH_MAX];
    larch_lake_id c_i, c_r;    /* len above the longest of OSCORE: not known */
    uint16_t after_2, after_3; /* secrets of the key log: index and 1; 0: none */
} larch_sniff_handshake;

#define LARCH_SNIFF_NO_ID (LARCH_LAKE_ID_MAX + 1)

typedef struct larch_sniff_handshakes {
    larch_sniff_handshake entries[LARCH_SNIFF_HANDSHAKES]; /* private, down to totals */
    struct larch_sniff_session {
        larch_peer holder; /* who takes messages with this kid: a server, or the host of a client, with port 0 */
        larch_lake_id kid;
        uint64_t number; /* of the packet; 0: an empty entry */
        larch_sniff_strength strength;
    } sessions[LARCH_SNIFF_SESSIONS];
    struct larch_sniff_handshake_totals {
        uint64_t begun, completed;
        uint64_t sessions[LARCH_SNIFF_STRENGTHS];
    } totals;
} larch_sniff_handshakes;

/* id->len: LARCH_SNIFF_NO_ID if they are too many. */
void larch_sniff_id_set(larch_lake_id *id, larch_bytes bytes);

/* The handshake that this message_1 belongs to: a new one, or the newest if the client sends it once more. p->lake holds
 * message_1; p->claims.agreement gets the step that it is. */
larch_sniff_handshake *larch_sniff_handshake_begin(larch_sniff_packet *p);
/* A new entry for a handshake whose message_1 was not seen, or is to be noted in it. */
larch_sniff_handshake *larch_sniff_handshake_place(larch_sniff_packet *p);
/* The newest one between a client and a server; NULL: none. */
larch_sniff_handshake *larch_sniff_handshake_find(larch_sniff_handshakes *handshakes, const larch_peer *client,
                                                  const larch_peer *server);
/* The one that began with this packet; NULL: forgotten. */
larch_sniff_handshake *larch_sniff_handshake_of(larch_sniff_handshakes *handshakes, const larch_peer *client,
                                                const larch_peer *server, uint64_t first);
/* Ends it well: its session counts. */
void larch_sniff_handshake_complete(larch_sniff_packet *p, larch_sniff_handshake *h);

/* What keys a message to holder with this kid is under. */
larch_sniff_strength larch_sniff_session_find(larch_sniff_handshakes *handshakes, const larch_peer *holder,
                                              larch_bytes kid);
/* A session is in use whose handshake was not seen. */
void larch_sniff_session_note_unknown(larch_sniff_handshakes *handshakes, const larch_peer *holder, larch_bytes kid,
                                      uint64_t number);

#ifdef __cplusplus
}
#endif

#endif
