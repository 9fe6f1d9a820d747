/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of ML-DSA with untrusted key, context and signature: never
 * accepted, unless it is the genuine one, and never crashes.
 *
 *     byte 0: bits 0 and 1 the set; bit 2: foreign public key, else a genuine one;
 *             bit 3: the input says how a genuine signature is changed, else it is
 *             the signature
 *     then    changes: 4 bytes each: place (2, big-endian), kept bits, added bits;
 *             or the signature, after it the key if foreign
 */
#include <string.h>

#include "fuzz.h"
#include "larch/sig.h"

static larch_bytes take(larch_bytes *in, size_t len)
{
    larch_bytes out = {in->data, len < in->len ? len : in->len};
    *in = (larch_bytes){in->data + out.len, in->len - out.len};
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { SETS = 4 };
    static uint8_t pk[SETS][LARCH_SIG_PK_MAX], genuine[SETS][LARCH_SIG_SIG_MAX];
    static bool made[SETS];
    static const uint8_t seed[LARCH_SIG_SEED_LEN] = {1};
    const larch_bytes text = LARCH_TEXT("text"), none = {NULL, 0};
    larch_bytes in = {data, size}, head = take(&in, 1);
    const unsigned set = head.len > 0 ? head.data[0] & 3 : 0, flags = head.len > 0 ? head.data[0] >> 2 : 0;
    const larch_sig *sig = larch_sig_at(set);
    if (sig == NULL)
        return 0;
    if (!made[set]) {
        uint8_t sk[LARCH_SIG_SK_MAX];
        require(larch_sig_keygen(sig, seed, pk[set], sk) == LARCH_OK);
        require(larch_sig_sign(sig, NULL, sk, none, text, genuine[set]) == LARCH_OK);
        made[set] = true;
    }

    static uint8_t changed[LARCH_SIG_SIG_MAX];
    larch_bytes signature, key = {pk[set], sig->pk_len};
    if (flags & 2) {
        memcpy(changed, genuine[set], sig->sig_len);
        while (in.len >= 4) {
            larch_bytes change = take(&in, 4);
            uint8_t *at = &changed[(change.data[0] << 8 | change.data[1]) % sig->sig_len];
            *at = (uint8_t)((*at & change.data[2]) ^ change.data[3]);
        }
        signature = (larch_bytes){changed, sig->sig_len};
    } else {
        signature = take(&in, sig->sig_len);
    }
    if (flags & 1)
        key = take(&in, sig->pk_len);

    const bool is_genuine = larch_bytes_equal(signature, (larch_bytes){genuine[set], sig->sig_len}) &&
                            larch_bytes_equal(key, (larch_bytes){pk[set], sig->pk_len});
    const larch_error e = larch_sig_verify(sig, key, none, text, signature);
    if (key.len != sig->pk_len)
        require(e == LARCH_MALFORMED);
    else
        require(e == (is_genuine ? LARCH_OK : LARCH_AUTH));
    require(larch_sig_verify(sig, key, text, text, signature) != LARCH_OK);
    return 0;
}
