/* SPDX-License-Identifier: Apache-2.0 */
/* What a handshake computes, as the protocol has it. A test holds it against the calls that are made. */
#include "bench/handshake.h"

#define HASHES      6 /* H(message_1), TH_2 to TH_4; SHA-256 of the two messages that a party receives */
#define EXPORTED    4 /* of OSCORE the secret and the salt; rPSK and rKID */
#define OSCORE_KEYS 3

/* Blocks of HKDF-Expand that KEYSTREAM_2 has; of SHAKE256 it is one call. */
static unsigned keystream_blocks(const larch_bench_handshake *h)
{
    const larch_lake_suite *suite = h->suite;
    const larch_kem *kem =
        suite->key_exchange == LARCH_XWING_SET ? larch_kem_xwing() : larch_kem_find(suite->key_exchange);
    const size_t g_y_len = kem != NULL ? kem->ct_len : 32;
    const size_t head = h->message_len[1] < 24 + 1 ? 1 : h->message_len[1] < 256 + 2 ? 2 : 3;
    const size_t len = h->message_len[1] - head - g_y_len;
    return suite->hash == LARCH_COSE_SHAKE256 ? 1 : (unsigned)((len + suite->hash_len - 1) / suite->hash_len);
}

/* PRK_2e and KEYSTREAM_2; K_3, IV_3, K_4 and IV_4; PRK_out and PRK_exporter; what is exported; and of each method what
 * proves the parties. */
static unsigned macs(const larch_bench_handshake *h)
{
    const unsigned common = 1 + keystream_blocks(h) + 4 + 2 + EXPORTED;
    switch (h->method) {
    case LARCH_LAKE_METHOD_PSK:
        return common + 3; /* KEYSTREAM_3A, SALT_4e3m, PRK_4e3m */
    case LARCH_LAKE_METHOD_STATIC_DH:
        return common + 2 + 4; /* MAC_2, MAC_3; SALT_3e2m, PRK_3e2m, SALT_4e3m, PRK_4e3m */
    default:
        return common + 2; /* MAC_2, MAC_3 */
    }
}

larch_bench_operations larch_bench_operations_of(const larch_bench_handshake *h, larch_bench_party party)
{
    const bool is_initiator = party == LARCH_BENCH_INITIATOR;
    const bool signs = h->method == LARCH_LAKE_METHOD_SIGNATURES;
    larch_bench_operations o = {.mac = macs(h), .hash = HASHES, .aead = 2, .hkdf = OSCORE_KEYS};
    if (h->suite->key_exchange == LARCH_LAKE_P256) {
        o.dh = h->method == LARCH_LAKE_METHOD_STATIC_DH ? 4 : 2;
    } else if (is_initiator) {
        o.keygen = 2; /* its seed alone is kept between messages 1 and 2 */
        o.decaps = 1;
    } else {
        o.encaps = 1;
    }
    o.sign = o.verify = signs;
    o.expand = signs && larch_sig_find(h->suite->signature) != NULL; /* a private key of ML-DSA is its seed */
    return o;
}
