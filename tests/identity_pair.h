/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway's identity with one root key. A program that includes this has included cmocka.h. */
#ifndef TESTS_IDENTITY_PAIR_H
#define TESTS_IDENTITY_PAIR_H

#include "key_pair.h"
#include "larch/crypto.h"

typedef struct identity_pair {
    key_pair root;
    uint8_t document[LARCH_IDENTITY_DOCUMENT_MAX];
    size_t document_len;
    uint8_t document_hash[32];
    larch_fingerprint pin;
} identity_pair;

static inline larch_bytes document_of(const identity_pair *p) { return (larch_bytes){p->document, p->document_len}; }

static inline identity_pair identity_pair_of(const larch_kem *kem, uint8_t seed_byte)
{
    identity_pair p = {.root = key_pair_of(kem, seed_byte), .pin = {.kind = LARCH_FINGERPRINT_IDENTITY}};
    larch_identity_document d = {.founding = 2, .count = 2};
    d.entries[0] = (larch_identity_entry){.kind = LARCH_IDENTITY_SIGNATURE, .algorithm = 44};
    d.entries[1] = (larch_identity_entry){.kind = LARCH_IDENTITY_ROOT, .algorithm = kem->set};
    memset(d.entries[0].hash, seed_byte, sizeof d.entries[0].hash);
    memcpy(d.entries[1].hash, p.root.hash, sizeof d.entries[1].hash);
    larch_writer w = larch_writer_to(p.document, sizeof p.document);
    larch_identity_compose(&w, &d);
    p.document_len = w.len;
    const larch_bytes whole = document_of(&p);
    assert_int_equal(larch_sha256(&whole, 1, p.document_hash), LARCH_OK);
    assert_int_equal(larch_identity_of(&d, p.pin.bytes), LARCH_OK);
    return p;
}

#endif
