/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Untrusted bytes as a sealed message in the form of COSE: what is taken is the one encoding of its fields, so nobody can
 * alter a message and leave its fields; what is refused leaves nothing behind.
 */
#include <string.h>

#include "all_are.h"
#include "fuzz.h"
#include "larch/cbor.h"
#include "larch/cose.h"
#include "larch/direct.h"

/* The encoding, from the picture in PROTOCOL.md. */
static void put(larch_writer *w, const larch_direct_sealed *s)
{
    static const uint8_t front[] = {0xd8, 0x60, 0x84, 0x44, 0xa1, 0x01, 0x18, 0x1e, 0xa1, 0x05};
    larch_writer_put(w, LARCH_BYTES(front));
    larch_cbor_put_bytes(w, s->nonce);
    larch_cbor_put_bytes(w, s->sealed);
    larch_cbor_put_array(w, 1);
    larch_cbor_put_array(w, 3);
    larch_cbor_put_bytes_head(w, 13);
    larch_writer_put_u8(w, 0xa2);
    larch_cbor_put_int(w, 1);
    larch_cbor_put_int(w, larch_cose_kem_number(s->kem));
    larch_cbor_put_int(w, 4);
    larch_cbor_put_bytes(w, s->kid);
    larch_cbor_put_map(w, 1);
    larch_cbor_put_int(w, -4);
    larch_cbor_put_bytes(w, s->kem_ct);
    larch_cbor_put_bytes_head(w, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[LARCH_COAP_BODY_MAX];
    const larch_bytes payload = {data, size};
    larch_direct_sealed s;
    const larch_direct_answer answer = larch_direct_parse_cose(payload, &s);
    if (answer != LARCH_DIRECT_OK) {
        require(answer == LARCH_DIRECT_BAD_COSE || answer == LARCH_DIRECT_BAD_ALG || answer == LARCH_DIRECT_BAD_CT ||
                answer == LARCH_DIRECT_BAD_TEXTLEN);
        require(all_are((const uint8_t *)&s, sizeof s, 0));
        return 0;
    }
    require(s.form == LARCH_DIRECT_FORM_COSE && s.message.data == data && s.message.len == size);
    require(s.kem_ct.len == s.kem->ct_len && s.nonce.len == LARCH_DIRECT_COSE_NONCE_LEN);
    require(s.kid.len == LARCH_DIRECT_HINT_LEN && s.recipient_protected.len == 13);
    require(s.sealed.len >= LARCH_DIRECT_TAG_LEN &&
            s.sealed.len - LARCH_DIRECT_TAG_LEN <= larch_direct_cose_text_max(s.kem));
    larch_writer w = larch_writer_to(out, sizeof out);
    put(&w, &s);
    require(w.len == size && memcmp(out, data, size) == 0);
    return 0;
}
