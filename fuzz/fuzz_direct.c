/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Untrusted bytes as a sealed message, a question to a key, its answers, a receipt and a fingerprint: what is
 * taken is exactly what its fields say, what is refused leaves nothing behind.
 */
#include <string.h>

#include "fuzz.h"
#include "larch/crypto.h"
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
    require(s.message.data == payload.data && s.message.len == payload.len);
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

/* Nothing that the fuzzer finds carries a tag of this secret, so each answer is of another length or forged. */
static void check_answers(larch_bytes payload)
{
    static const uint8_t ss[LARCH_KEM_SS_LEN] = {1}, asked[32] = {2};
    const larch_direct_receipt receipt = {.key = {3}};
    const larch_error wanted = payload.len == LARCH_DIRECT_NEXT_LEN ? LARCH_AUTH : LARCH_MALFORMED;
    uint8_t said[2][32];
    memset(said, 0xaa, sizeof said);
    require(larch_direct_next_check(ss, asked, payload, said[0]) == wanted);
    require(larch_direct_root_check(ss, asked, payload, said[1]) == wanted);
    for (size_t i = 0; i < 32; i++)
        require(said[0][i] == 0 && said[1][i] == 0);
    require(larch_direct_receipt_check(&receipt, 0x44, payload) ==
            (payload.len == LARCH_DIRECT_TAG_LEN ? LARCH_AUTH : LARCH_MALFORMED));
}

static void parse_fingerprint(larch_bytes text)
{
    larch_fingerprint fingerprint;
    const uint8_t *raw = (const uint8_t *)&fingerprint;
    char again[LARCH_FINGERPRINT_TEXT_LEN + 1];
    memset(&fingerprint, 0xaa, sizeof fingerprint);
    if (larch_fingerprint_parse(text, &fingerprint) != LARCH_OK) {
        for (size_t i = 0; i < sizeof fingerprint; i++)
            require(raw[i] == 0xaa);
        return;
    }
    /* One text for a fingerprint, but for its case. */
    larch_fingerprint_format(fingerprint.kind, fingerprint.bytes, again);
    require(text.len == LARCH_FINGERPRINT_TEXT_LEN);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        require((c >= 'A' && c <= 'Z' ? c + 32 : c) == (uint8_t)again[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const larch_bytes input = {data, size};
    require(larch_crypto_init() == LARCH_OK);
    parse_sealed(input);
    parse_next(input);
    check_answers(input);
    parse_fingerprint(input);
    (void)larch_direct_answer_find(input);
    return 0;
}
