/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constant time of LAKE, seen by valgrind: whole handshakes of methods 0 and 4 over ML-KEM-512, ML-DSA-44 and KMAC256. Secret
 * are the PSK, the seeds of signature keys and all that is drawn. Public are the messages, once they are sent; what the
 * library itself declares public, and why, stands where it does (LARCH_CT_PUBLIC): plaintexts of messages, which hold names
 * and signatures, and what is signed.
 *
 * The provider's primitives are not ours to check, and their comparison of tags ends in a branch: in their place stand ones
 * of the same shape, made of KMAC256.
 *
 * usage: valgrind --error-exitcode=1 -q ct_lake signatures | psk
 */
#include <string.h>

#include "larch/crypto.h"
#include "larch/lake.h"
#include "secrets.h"

static const char usage[] = "usage: ct_lake signatures | psk";

/* ---- a provider -------------------------------------------------------------------- */

larch_error larch_sha256(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN])
{
    larch_shake256_of(pieces, count, out, LARCH_SHA256_LEN);
    return LARCH_OK;
}

larch_error larch_sha384(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA384_LEN])
{
    larch_shake256_of(pieces, count, out, LARCH_SHA384_LEN);
    return LARCH_OK;
}

larch_error larch_hmac_sha256(larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN])
{
    larch_kmac256(key, (larch_bytes){0}, pieces, count, out, LARCH_SHA256_LEN);
    return LARCH_OK;
}

larch_error larch_hmac_sha384(larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA384_LEN])
{
    larch_kmac256(key, (larch_bytes){0}, pieces, count, out, LARCH_SHA384_LEN);
    return LARCH_OK;
}

larch_error larch_hkdf_sha256(larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t out_len)
{
    (void)salt, (void)ikm, (void)info;
    memset(out, 0, out_len);
    return LARCH_STATE; /* no handshake asks for it */
}

larch_error larch_hkdf_sha384(larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t out_len)
{
    return larch_hkdf_sha256(salt, ikm, info, out, out_len);
}

static void xor_stream(const uint8_t *key, larch_bytes nonce, larch_bytes in, uint8_t *out)
{
    static uint8_t stream[1 << 13];
    require(in.len <= sizeof stream, "a longer stream");
    larch_kmac256((larch_bytes){key, 16}, LARCH_TEXT("stream"), &nonce, 1, stream, in.len);
    for (size_t i = 0; i < in.len; i++)
        out[i] = in.data[i] ^ stream[i];
}

static void make_tag(const uint8_t *key, larch_bytes nonce, larch_bytes aad, larch_bytes ciphertext, uint8_t *tag,
                     size_t tag_len)
{
    const larch_bytes pieces[] = {nonce, aad, ciphertext};
    larch_kmac256((larch_bytes){key, 16}, LARCH_TEXT("tag"), pieces, 3, tag, tag_len);
}

larch_error larch_ccm_seal(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad, larch_bytes in,
                           size_t tag_len, uint8_t *out, size_t out_cap)
{
    require(out_cap >= in.len + tag_len, "room for a ciphertext");
    xor_stream(key, nonce, in, out);
    make_tag(key, nonce, aad, (larch_bytes){out, in.len}, out + in.len, tag_len);
    return LARCH_OK;
}

larch_error larch_ccm_open(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad, larch_bytes in,
                           size_t tag_len, uint8_t *out, size_t out_cap)
{
    uint8_t tag[LARCH_CCM_TAG_LEN];
    require(in.len >= tag_len && out_cap >= in.len - tag_len, "room for a plaintext");
    in.len -= tag_len;
    make_tag(key, nonce, aad, in, tag, tag_len);
    bool is_genuine = larch_ct_equal(tag, in.data + in.len, tag_len);
    public(&is_genuine, sizeof is_genuine);
    if (!is_genuine)
        return LARCH_AUTH;
    xor_stream(key, nonce, in, out);
    return LARCH_OK;
}

larch_error larch_gcm_seal(larch_bytes key, const uint8_t nonce[LARCH_GCM_NONCE_LEN], larch_bytes aad, larch_bytes in,
                           uint8_t *out, size_t out_cap)
{
    return larch_ccm_seal(key.data, (larch_bytes){nonce, LARCH_GCM_NONCE_LEN}, aad, in, LARCH_GCM_TAG_LEN, out,
                          out_cap);
}

larch_error larch_gcm_open(larch_bytes key, const uint8_t nonce[LARCH_GCM_NONCE_LEN], larch_bytes aad, larch_bytes in,
                           uint8_t *out, size_t out_cap)
{
    return larch_ccm_open(key.data, (larch_bytes){nonce, LARCH_GCM_NONCE_LEN}, aad, in, LARCH_GCM_TAG_LEN, out,
                          out_cap);
}

static larch_error secret_random(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0x5a, len);
    secret(out, len);
    return LARCH_OK;
}

/* ---- the parties --------------------------------------------------------------------- */

static larch_lake_credential owned[2];

static larch_error find(void *context, const larch_lake_reference *reference, unsigned attempt,
                        larch_lake_credential *out)
{
    (void)context;
    *out = owned[reference->owner];
    return attempt == 0 ? LARCH_OK : LARCH_AUTH;
}

/* A wrong tag goes the same way as a right one, up to the answer. */
static void expect_refusal(const larch_lake_session *before, const larch_lake_party *party, larch_bytes message)
{
    static uint8_t changed[1 << 13];
    larch_lake_session s = *before;
    larch_lake_received received;
    memcpy(changed, message.data, message.len);
    changed[message.len - 1] ^= 1;
    require(larch_lake_process_message_3(&s, party, (larch_bytes){changed, message.len}, &received) != LARCH_OK,
            "a wrong tag");
}

static void shake(unsigned method)
{
    static uint8_t message[1 << 13], scratch[LARCH_LAKE_SCRATCH];
    const larch_lake_suite *const suites[] = {larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1)};
    const larch_lake_party party = {.suites = suites,
                                    .suite_count = 1,
                                    .methods = 0xff,
                                    .find = find,
                                    .random = {secret_random, NULL},
                                    .scratch = scratch,
                                    .scratch_size = sizeof scratch};
    const larch_lake_answer answer = {.c_r = LARCH_TEXT("r"), .own = &owned[LARCH_LAKE_RESPONDER]};
    const larch_bytes none = {0};
    larch_lake_session i, r;
    larch_lake_message_1 message_1;
    larch_lake_received received;
    larch_lake_oscore oscore;
    larch_lake_init(&i, LARCH_LAKE_INITIATOR);
    larch_lake_init(&r, LARCH_LAKE_RESPONDER);

    larch_writer w = larch_writer_to(message, sizeof message);
    require(larch_lake_compose_message_1(&i, &party, method, 0, LARCH_TEXT("i"), none, &w) == LARCH_OK, "compose 1");
    public(message, w.len); /* each is sent */
    require(larch_lake_process_message_1(&r, &party, (larch_bytes){message, w.len}, &message_1) == LARCH_OK,
            "process 1");

    static uint8_t message_2[1 << 13];
    w = larch_writer_to(message_2, sizeof message_2);
    require(larch_lake_compose_message_2(&r, &party, &message_1, &answer, &w) == LARCH_OK, "compose 2");
    expect_secret(r.prk, sizeof r.prk, "PRK_3e2m");
    public(message_2, w.len);
    require(larch_lake_process_message_2(&i, &party, (larch_bytes){message_2, w.len}, &received) == LARCH_OK,
            "process 2");

    w = larch_writer_to(message, sizeof message);
    require(larch_lake_compose_message_3(&i, &party, &owned[LARCH_LAKE_INITIATOR], none, &w) == LARCH_OK, "compose 3");
    public(message, w.len);
    expect_refusal(&r, &party, (larch_bytes){message, w.len});
    require(larch_lake_process_message_3(&r, &party, (larch_bytes){message, w.len}, &received) == LARCH_OK,
            "process 3");

    w = larch_writer_to(message, sizeof message);
    require(larch_lake_compose_message_4(&r, &party, none, &w) == LARCH_OK, "compose 4");
    public(message, w.len);
    require(larch_lake_process_message_4(&i, &party, (larch_bytes){message, w.len}, &received) == LARCH_OK,
            "process 4");

    expect_secret(i.keys.prk_out, sizeof i.keys.prk_out, "PRK_out");
    require(larch_lake_derive_oscore(larch_lake_keys_of(&i), &oscore) == LARCH_OK, "OSCORE");
    expect_secret(oscore.master_secret, oscore.master_secret_len, "OSCORE's master secret");
}

static void make_signer(larch_lake_credential *c, uint8_t *seed, uint8_t *pk)
{
    static uint8_t sk[LARCH_SIG_SK_MAX];
    const larch_sig *sig = larch_sig_find(LARCH_COSE_ML_DSA_44);
    require(larch_sig_keygen(sig, seed, pk, sk) == LARCH_OK, "keygen");
    secret(seed, LARCH_SIG_SEED_LEN);
    c->id_cred = LARCH_TEXT("\xa1\x04\x41k");
    c->cred_i = LARCH_TEXT("\x61i");
    c->cred_r = LARCH_TEXT("\x61r");
    c->key = (larch_cose_key){.kty = LARCH_COSE_AKP,
                              .alg = LARCH_COSE_ML_DSA_44,
                              .pub = {pk, sig->pk_len},
                              .priv = {seed, LARCH_SIG_SEED_LEN}};
}

int main(int argc, char **argv)
{
    static uint8_t seeds[2][LARCH_SIG_SEED_LEN] = {{1}, {2}}, pks[2][LARCH_SIG_PK_MAX], psk[32] = {3};
    require(argc == 2, usage);
    require(RUNNING_ON_VALGRIND != 0, "run this under valgrind");
    if (strcmp(argv[1], "signatures") == 0) {
        for (size_t n = 0; n < 2; n++)
            make_signer(&owned[n], seeds[n], pks[n]);
        shake(LARCH_LAKE_METHOD_SIGNATURES);
    } else {
        require(strcmp(argv[1], "psk") == 0, usage);
        secret(psk, sizeof psk);
        for (size_t n = 0; n < 2; n++)
            owned[n] = (larch_lake_credential){.id_cred = LARCH_TEXT("\xa1\x04\x41k"),
                                               .cred_i = LARCH_TEXT("\x61i"),
                                               .cred_r = LARCH_TEXT("\x61r"),
                                               .key = {.kty = LARCH_COSE_SYMMETRIC, .k = LARCH_BYTES(psk)},
                                               .psk_hash = LARCH_COSE_SHAKE256};
        shake(LARCH_LAKE_METHOD_PSK);
    }
    return 0;
}
