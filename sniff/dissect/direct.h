/* SPDX-License-Identifier: Apache-2.0 */
/* What the dissector of the direct exchange finds in a packet. */
#ifndef LARCH_SNIFF_DIRECT_H
#define LARCH_SNIFF_DIRECT_H

#include "larch/crypto.h"
#include "larch/direct.h"
#include "larch/identity.h"

typedef enum larch_sniff_direct_message {
    LARCH_SNIFF_DIRECT_NONE,
    LARCH_SNIFF_DIRECT_SEALED,      /* kem, sealed */
    LARCH_SNIFF_DIRECT_KEY,         /* kem, hash */
    LARCH_SNIFF_DIRECT_ANSWER,      /* answer, receipt */
    LARCH_SNIFF_DIRECT_NEXT_ASK,    /* kem, hint in hash[0..4) */
    LARCH_SNIFF_DIRECT_NEXT_ANSWER, /* hash */
    LARCH_SNIFF_DIRECT_DOCUMENT,    /* identity in hash[0..20) */
    LARCH_SNIFF_DIRECT_ROOT_KEY,    /* kem, hash */
    LARCH_SNIFF_DIRECT_ROOT_ASK,    /* kem, hint in hash[0..4) */
    LARCH_SNIFF_DIRECT_ROOT_ANSWER  /* hash, of the document */
} larch_sniff_direct_message;

typedef struct larch_sniff_direct {
    larch_sniff_direct_message message; /* names the members that hold something */
    const larch_kem *kem;
    larch_direct_sealed sealed; /* views into packet->body */
    larch_direct_answer answer;
    larch_bytes receipt; /* empty: the answer has none */
    uint8_t hash[LARCH_SHA256_LEN];
} larch_sniff_direct;

#endif
