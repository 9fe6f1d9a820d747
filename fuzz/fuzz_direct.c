/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Untrusted bytes as a sealed message, an endorsement question and a fingerprint: what is
 * taken is exactly what its fields say, what is refused leaves nothing behind.
 */
#include <string.h>

#include "fuzz.h"
#include "larch/direct.h"

static void parse_sealed(larch_bytes payload)
{
    larch_direct_sealed s;
    larch_direct_answer answer = larch_direct_parse(payload, &s);
    require(answer < LARCH_DIRECT_ANSWER_COUNT && answer != LARCH_DIRECT_REPLAY && answer != LARCH_DIRECT_AUTH_FAIL);
    if (answer != LARCH_DIRECT_OK) {
        require(s.kem == NULL && s.nonce.data == NULL && s.kem_ct.data == NULL && s.sealed.data == NULL);
        return;
    }
    require(payload.data[0] == 3 && payload.data[1] == 0);
    require(s.nonce.data == payload.data + 6 && s.nonce.len == LARCH_DIRECT_NONCE_LEN);
    require(s.kem_ct.data == payload.data + LARCH_DIRECT_HEADER_LEN && s.kem_ct.len == s.kem->ct_len);
    require(s.kem_ct.len == (size_t)(payload.data[2] | payload.data[3] << 8));
    require(s.sealed.data == s.kem_ct.data + s.kem_ct.len && s.sealed.len >= LARCH_DIRECT_TAG_LEN);
    size_t text_len = s.sealed.len - LARCH_DIRECT_TAG_LEN;
    require(text_len == (size_t)(payload.data[4] | payload.data[5] << 8));
    require(text_len <= larch_direct_text_max(s.kem));
    require(payload.len == larch_direct_sealed_len(s.kem, text_len));
}

static void parse_next(larch_bytes payload)
{
    const larch_kem *kem = NULL;
    larch_bytes hint, kem_ct;
    if (larch_direct_next_parse(payload, &kem, &hint, &kem_ct) != LARCH_OK) {
        require(kem == NULL);
        return;
    }
    require(hint.data == payload.data && hint.len == LARCH_DIRECT_HINT_LEN);
    require(kem_ct.data == payload.data + hint.len && kem_ct.len == kem->ct_len);
    require(hint.len + kem_ct.len == payload.len);
}

static void parse_fingerprint(larch_bytes text)
{
    uint8_t fingerprint[LARCH_FINGERPRINT_LEN];
    char again[LARCH_FINGERPRINT_TEXT_LEN + 1];
    memset(fingerprint, 0xaa, sizeof fingerprint);
    if (larch_fingerprint_parse(text, fingerprint) != LARCH_OK) {
        for (size_t i = 0; i < sizeof fingerprint; i++)
            require(fingerprint[i] == 0xaa);
        return;
    }
    /* One text for a fingerprint, but for its case. */
    larch_fingerprint_format(fingerprint, again);
    require(text.len == LARCH_FINGERPRINT_TEXT_LEN);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        require((c >= 'A' && c <= 'Z' ? c + 32 : c) == (uint8_t)again[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const larch_bytes input = {data, size};
    parse_sealed(input);
    parse_next(input);
    parse_fingerprint(input);
    (void)larch_direct_answer_find(input);
    return 0;
}
