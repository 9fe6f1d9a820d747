/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the COSE room share. */
#ifndef LARCH_COSE_INT_H
#define LARCH_COSE_INT_H

#include "larch/cbor.h"
#include "larch/cose.h"

/* Tags. [RFC9052 2] */
enum { COSE_TAG_ENCRYPT0 = 16, COSE_TAG_SIGN1 = 18, COSE_TAG_ENCRYPT = 96 };

/* ---- headers (header.c) ---------------------------------------------------- */

/* Takes both maps of a structure that larch_cbor_take_whole has checked. */
LARCH_MUST_USE larch_error larch_cose_take_header(larch_reader *r, larch_cose_header *header);
/* Fills protected_map of a header that is composed, in LARCH_COSE_PROTECTED_MAX bytes that must outlive it; leaves that
 * of a header that was parsed. LARCH_SPACE. */
LARCH_MUST_USE larch_error larch_cose_protect(larch_cose_header *header, uint8_t map[LARCH_COSE_PROTECTED_MAX]);

/* ---- structures (structure.c) ---------------------------------------------- */

#define COSE_SIG_PIECES 6

/* A Sig_structure in pieces, so that a payload of any length is signed where it lies. */
typedef struct cose_sig_structure {
    larch_bytes pieces[COSE_SIG_PIECES];
    uint8_t heads[1 + 11 + 3 * 9];
} cose_sig_structure;

void larch_cose_make_sig_structure(cose_sig_structure *s, larch_bytes body_protected, larch_bytes external_aad,
                                   larch_bytes payload);

#endif
