/* SPDX-License-Identifier: Apache-2.0 */
#include "cose/cose_int.h"

void larch_cose_put_enc_structure(larch_writer *w, const char *context, larch_bytes body_protected,
                                  larch_bytes external_aad)
{
    larch_cbor_put_array(w, 3);
    larch_cbor_put_text(w, context);
    larch_cbor_put_bytes(w, body_protected);
    larch_cbor_put_bytes(w, external_aad);
}

void larch_cose_make_sig_structure(cose_sig_structure *s, larch_bytes body_protected, larch_bytes external_aad,
                                   larch_bytes payload)
{
    const larch_bytes strings[] = {body_protected, external_aad, payload};
    larch_writer w = larch_writer_to(s->heads, sizeof s->heads);
    larch_cbor_put_array(&w, 4);
    larch_cbor_put_text(&w, "Signature1");
    for (size_t i = 0, begin = 0; i < 3; i++, begin = w.len) {
        larch_cbor_put_bytes_head(&w, strings[i].len);
        s->pieces[2 * i] = (larch_bytes){s->heads + begin, w.len - begin};
        s->pieces[2 * i + 1] = strings[i];
    }
}

void larch_cose_put_sig_structure(larch_writer *w, larch_bytes body_protected, larch_bytes external_aad,
                                  larch_bytes payload)
{
    cose_sig_structure s;
    larch_cose_make_sig_structure(&s, body_protected, external_aad, payload);
    for (size_t i = 0; i < COSE_SIG_PIECES; i++)
        larch_writer_put(w, s.pieces[i]);
}
