/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pq room on a board: known answers first, then instructions and the
 * deepest stack of each operation, a line each (measure.h). Nothing depends on
 * the run: seeds are fixed, and signing is the deterministic variant.
 */
#include <string.h>

#include "measure.h"
#include "pq/pq.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- output ------------------------------------------------------------ */

static void put_hex(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        board_put("0123456789abcdef"[bytes[i] >> 4]);
        board_put("0123456789abcdef"[bytes[i] & 15]);
    }
}

/* ---- what is measured -------------------------------------------------- */

/* The inputs and outputs of what is measured. */
static const struct larch_kem_functions *kem;
static const struct larch_sig_functions *sig;
static uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX], ss[32], ss_again[32];
static uint8_t pk[LARCH_SIG_PK_MAX], sk[LARCH_SIG_SK_MAX], signature[LARCH_SIG_SIG_MAX];
static uint8_t seed[64], mu[64], rnd[32], sponge_out[1];
static larch_keccak sponge;
static bool ok;

static void nothing(void) {}
static void run_permutation(void) { larch_shake_squeeze(&sponge, sponge_out, 1); }
static void run_kem_keygen(void) { ok = kem->keygen(seed, ek, dk) == LARCH_OK; }
static void run_encaps(void) { ok = kem->encaps(ek, seed, ct, ss) == LARCH_OK; }
static void run_decaps(void) { ok = kem->decaps(dk, ct, ss_again) == LARCH_OK; }
static void run_sig_keygen(void) { sig->keygen(seed, pk, sk); }
static void run_sign(void) { ok = sig->sign(sk, mu, rnd, signature); }
static void run_verify(void) { ok = sig->verify(pk, mu, signature); }

/* ---- what is run ------------------------------------------------------- */

/* answer: 32 bytes of SHAKE256 of all outputs; of ML-KEM ek, dk, ct, ss, and what decapsulation
 * makes of a ct whose first bit is wrong; of ML-DSA pk, sk, signature. */
static const struct kem_row {
    const struct larch_kem_functions *functions;
    const char *name;
    size_t ek_len, dk_len, ct_len;
    const char *answer;
} kems[] = {
#if LARCH_MLKEM_512
    {&larch_mlkem_512, "mlkem512.", 800, 1632, 768, "34cc5484838c22ecf8772389fca02ff66765ee39181f6b4d0400ad00c8fcdd60"},
#endif
#if LARCH_MLKEM_768
    {&larch_mlkem_768, "mlkem768.", 1184, 2400, 1088,
     "4bbc41d4d17c01d7c16d32d635c4be25cc61701143c3479fd3408e0502c17c0f"},
#endif
#if LARCH_MLKEM_1024
    {&larch_mlkem_1024, "mlkem1024.", 1568, 3168, 1568,
     "f6c2b7e9e42ea2c579ef770eb70246596d4e05e9f84cd9eee08821aac597b865"},
#endif
};

static const struct sig_row {
    const struct larch_sig_functions *functions;
    const char *name;
    size_t pk_len, sk_len, sig_len;
    const char *answer;
} sigs[] = {
#if LARCH_MLDSA_44
    {&larch_mldsa_44, "mldsa44.", 1312, 2560, 2420, "337f1b2ac845614cfc8a4eb23ecf49d08557bc06f5f9b82c1615e9a1fd82f3bb"},
#endif
};

/* Ends the run unless bytes are the answer. */
static void check(const char *name, const char *answer, const uint8_t bytes[32])
{
    bool equal = true;
    for (unsigned i = 0; i < 32; i++)
        equal = equal && answer[2 * i] == "0123456789abcdef"[bytes[i] >> 4] &&
                answer[2 * i + 1] == "0123456789abcdef"[bytes[i] & 15];
    if (ok && equal)
        return;
    board_put_text("WRONG ");
    board_put_text(name);
    board_put(' ');
    put_hex(bytes, 32);
    board_put('\n');
    board_exit(1);
}

static void hash_end(larch_keccak *h, uint8_t out[32])
{
    larch_shake_finalize(h);
    larch_shake_squeeze(h, out, 32);
}

static void run_kem(const struct kem_row *row)
{
    larch_keccak h;
    uint8_t hash[32];
    kem = row->functions;
    larch_shake256_init(&h);
    board_measure(row->name, "keygen", run_kem_keygen);
    larch_shake_absorb(&h, (larch_bytes){ek, row->ek_len});
    larch_shake_absorb(&h, (larch_bytes){dk, row->dk_len});
    board_measure(row->name, "encaps", run_encaps);
    larch_shake_absorb(&h, (larch_bytes){ct, row->ct_len});
    larch_shake_absorb(&h, LARCH_BYTES(ss));
    board_measure(row->name, "decaps", run_decaps);
    ok = ok && larch_ct_equal(ss, ss_again, sizeof ss);
    ct[0] ^= 1;
    ok = ok && kem->decaps(dk, ct, ss_again) == LARCH_OK && !larch_ct_equal(ss, ss_again, sizeof ss);
    larch_shake_absorb(&h, LARCH_BYTES(ss_again));
    hash_end(&h, hash);
    check(row->name, row->answer, hash);
}

static void run_sig(const struct sig_row *row)
{
    larch_keccak h;
    uint8_t hash[32];
    sig = row->functions;
    larch_shake256_init(&h);
    board_measure(row->name, "keygen", run_sig_keygen);
    larch_shake_absorb(&h, (larch_bytes){pk, row->pk_len});
    larch_shake_absorb(&h, (larch_bytes){sk, row->sk_len});
    board_measure(row->name, "sign", run_sign);
    larch_shake_absorb(&h, (larch_bytes){signature, row->sig_len});
    board_measure(row->name, "verify", run_verify);
    signature[100] ^= 1;
    ok = ok && !sig->verify(pk, mu, signature);
    hash_end(&h, hash);
    check(row->name, row->answer, hash);
}

int main(void)
{
    uint8_t hash[32];
    /* "abc" [FIPS202, example values of SHA3-256] */
    ok = true;
    larch_sha3_256(LARCH_TEXT("abc"), hash);
    check("sha3_256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532", hash);
    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = mu[i] = (uint8_t)i;

    board_measure("nothing", "", nothing); /* what measuring itself adds */
    larch_shake256_init(&sponge);
    larch_shake_finalize(&sponge);
    board_measure("keccak", ".permutation", run_permutation);
    for (unsigned i = 0; i < COUNT(kems); i++)
        run_kem(&kems[i]);
    for (unsigned i = 0; i < COUNT(sigs); i++)
        run_sig(&sigs[i]);
    board_put_text("done\n");
    board_exit(0);
}
