/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust decides whether a sender may seal messages to a gateway's direct key. Bytes in, bytes and verdicts out; it
 * knows no CoAP and no peer. A pin has a kind, and a pin of one kind never stands for another:
 *
 *   KEY       trusts the key with this fingerprint, and a key that it endorses while the gateway still holds it. If the
 *             basis says identify, the pinned key is asked about the gateway's identity. That identity takes the pin's
 *             place if the pinned key vouches for it and its root endorses the present key.
 *   IDENTITY  trusts any key that the identity's root endorses, for 24 hours after the endorsement, and no other.
 *   none      leaves the decision to the caller: about the key, or about the identity whose root endorses it.
 *
 * larch_trust_need_of names what is missing. The caller fetches that, hands it over and asks again, until the need is
 * NOTHING, DECISION or REFUSED.
 */
#ifndef LARCH_TRUST_H
#define LARCH_TRUST_H

#include "larch/direct.h"
#include "larch/identity.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_TRUST_RENEW_MS ((uint64_t)12 * 3600 * 1000) /* an endorsement is renewed from this age on */
#define LARCH_TRUST_HOLDS_MS ((uint64_t)24 * 3600 * 1000) /* and counts for nothing from this age on */

typedef enum larch_trust_need {
    LARCH_TRUST_NOTHING,  /* the key is trusted */
    LARCH_TRUST_KEY,      /* the gateway's present direct key */
    LARCH_TRUST_DOCUMENT, /* its identity document */
    LARCH_TRUST_VOUCHER,  /* the pinned key's statement about that document: a question and its answer */
    LARCH_TRUST_ROOT,     /* the root key of this parameter set */
    LARCH_TRUST_NEXT,     /* which direct key is present, from the root or the pinned key: a question and its answer */
    LARCH_TRUST_DECISION, /* the caller must decide, because nothing is pinned */
    LARCH_TRUST_REFUSED   /* nothing that is pinned endorses this gateway */
} larch_trust_need;

/* Why trust is refused. */
typedef enum larch_trust_fault {
    LARCH_TRUST_FAULT_NONE,
    LARCH_TRUST_FAULT_KEY,         /* another key than the pinned one, and nothing pinned endorses it */
    LARCH_TRUST_FAULT_IDENTITY,    /* another identity than the pinned one */
    LARCH_TRUST_FAULT_NO_IDENTITY, /* the gateway serves no identity, though one is pinned */
    LARCH_TRUST_FAULT_DOCUMENT,    /* its document is not sound */
    LARCH_TRUST_FAULT_NO_ROOT,     /* its document names no root of this parameter set */
    LARCH_TRUST_FAULT_ROOT         /* its root differs from the document's, or is served as a direct key */
} larch_trust_fault;

/* What trust begins with, and what a caller keeps on record. */
typedef struct larch_trust_basis {
    bool pinned;           /* pin is given */
    bool identify;         /* ask for the gateway's identity, as above; no effect if one is pinned */
    larch_fingerprint pin; /* if pinned is false and ek is given, ek is pinned */
    larch_bytes root_ek;   /* IDENTITY: its root of this parameter set; may be empty */
    larch_bytes ek;        /* KEY: the pinned key itself; IDENTITY: the key that the root endorsed; may be empty */
    uint64_t age_ms;       /* of that endorsement */
} larch_trust_basis;

typedef struct larch_trust {
    const larch_kem *kem; /* private, all of it */
    uint8_t kind;         /* larch_fingerprint_kind; 0: nothing is pinned */
    uint8_t fault;        /* larch_trust_fault; not NONE: refused */
    uint8_t asked;        /* larch_trust_need: the question under way, or NOTHING */
    uint8_t changes;      /* how often another direct key became the trusted one */
    bool identify;        /* as asked */
    bool identifying;     /* under way */
    bool has_document, vouched, has_root, has_direct, has_fetched, has_named;
    bool confirmed; /* without a pin: the root endorses the fetched key */
    bool doubted;   /* the gateway cannot open what was sealed to the trusted key */
    bool refreshed; /* what was fetched or named first was asked for once more */
    bool rotated;
    uint64_t asked_ms;    /* when the root was asked */
    uint64_t endorsed_ms; /* when it was asked about the trusted key; differences count, modulo 2^64 */
    uint8_t pin[LARCH_FINGERPRINT_LEN];
    uint8_t identity[LARCH_FINGERPRINT_LEN]; /* of the document */
    uint8_t document_hash[32];
    uint8_t root_hash[32];
    uint8_t direct_hash[32];
    uint8_t fetched_hash[32];
    uint8_t named[32];
    uint8_t ss[LARCH_KEM_SS_LEN]; /* of the question under way */
    uint8_t root_ek[LARCH_KEM_EK_MAX];
    uint8_t direct_ek[LARCH_KEM_EK_MAX]; /* pinned or trusted */
    uint8_t fetched_ek[LARCH_KEM_EK_MAX];
} larch_trust;

/* Copies basis. LARCH_MALFORMED: a key in it does not belong to this parameter set. LARCH_STATE: ek is not the key that
 * the pin names, or equals the root, or root_ek is given without an identity. LARCH_PLATFORM: hashing failed. t must
 * not be used after an error. */
LARCH_MUST_USE larch_error larch_trust_init(larch_trust *t, const larch_kem *kem, const larch_trust_basis *basis,
                                            uint64_t now_ms);
/* Wipes *t. */
void larch_trust_wipe(larch_trust *t);

/* Begins again: drops what was fetched or refused, and keeps what is pinned. */
void larch_trust_begin(larch_trust *t);
/* As larch_trust_begin, for a caller whose message the holder of the trusted key could not open: the key is usable
 * again only after it was fetched or endorsed once more. */
void larch_trust_doubt(larch_trust *t);

/* What is missing at this time. now_ms: a clock that does not go back; all calls use the same clock. */
larch_trust_need larch_trust_need_of(const larch_trust *t, uint64_t now_ms);
/* Whether messages may be sealed to the key at this time, even if its endorsement should be renewed. */
bool larch_trust_is_usable(const larch_trust *t, uint64_t now_ms);
larch_trust_fault larch_trust_fault_of(const larch_trust *t);

/* ---- what was missing -------------------------------------------------- */

/* Each of these three takes untrusted bytes for the need of the same name, and drops a question under way. LARCH_OK:
 * ask for the next need, which may be REFUSED. LARCH_PLATFORM: the provider failed; nothing changed. */

/* LARCH_MALFORMED: the bytes are no key of this set, and no key counts as fetched. trace may be NULL. */
LARCH_MUST_USE larch_error larch_trust_process_key(larch_trust *t, const larch_trace *trace, larch_bytes ek);
LARCH_MUST_USE larch_error larch_trust_process_document(larch_trust *t, larch_bytes document);
LARCH_MUST_USE larch_error larch_trust_process_root(larch_trust *t, larch_bytes ek);

/* Composes the question of the need VOUCHER or NEXT: LARCH_DIRECT_HINT_LEN + ct_len bytes into out. LARCH_STATE: the
 * need is another one, or a question is under way. LARCH_SPACE, LARCH_PLATFORM: no question is under way. */
LARCH_MUST_USE larch_error larch_trust_compose_question(larch_trust *t, const larch_random *random, uint64_t now_ms,
                                                        uint8_t *out, size_t cap, size_t *len);
/* Takes the untrusted answer to that question. LARCH_STATE: no question is under way. Otherwise as the three above. */
LARCH_MUST_USE larch_error larch_trust_process_answer(larch_trust *t, larch_bytes answer);
/* The gateway does not have what is needed. A pinned key continues without an identity; without a pin a missing
 * document means a gateway without one. In all other cases trust is refused. */
void larch_trust_process_absence(larch_trust *t, uint64_t now_ms);
/* The gateway cannot be asked for its identity now: continues with the pinned key alone. Returns false if no key is
 * pinned, or its identity was not being asked for; nothing changed then. */
bool larch_trust_stop_identifying(larch_trust *t);
/* Wipes the secret of the question under way, if there is one: no answer to it will be taken. */
void larch_trust_drop_question(larch_trust *t);

/* In the need DECISION: the caller trusts the identity, or the key, which is pinned from now on. LARCH_STATE: the need
 * is another one. */
LARCH_MUST_USE larch_error larch_trust_accept(larch_trust *t, uint64_t now_ms);

/* ---- what came of it --------------------------------------------------- */

/* The key to seal to; empty if larch_trust_is_usable is false. */
larch_bytes larch_trust_trusted_key(const larch_trust *t, uint64_t now_ms);
/* The direct key that is pinned, or else the one that became trusted last, usable or not; empty if there is none. hash:
 * its SHA-256; may be NULL. */
larch_bytes larch_trust_direct_key(const larch_trust *t, const uint8_t **hash);
/* The key that was fetched last, trusted or not; empty if there is none. hash: its SHA-256; may be NULL. */
larch_bytes larch_trust_fetched_key(const larch_trust *t, const uint8_t **hash);
/* The identity that the gateway showed last, or else the pinned one; NULL: none. */
const uint8_t *larch_trust_identity(const larch_trust *t);
/* Whether an identity is pinned. */
bool larch_trust_has_identity(const larch_trust *t);
/* Whether another key took the place of a trusted one, by endorsement. */
bool larch_trust_rotated(const larch_trust *t);
/* A number that changes whenever another key becomes the trusted one. */
uint8_t larch_trust_changes(const larch_trust *t);
/* What a caller keeps on record; the views in it hold until the next call that changes *t. */
larch_trust_basis larch_trust_record(const larch_trust *t, uint64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif
