/* SPDX-License-Identifier: Apache-2.0 */
/* The classical primitives: published answers, and every way to be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/crypto.h"
#include "pq/pq.h"

/* Bytes from lower-case hex. */
static larch_bytes hex(const char *text, uint8_t *out)
{
    size_t len = strlen(text) / 2;
    for (size_t i = 0; i < 2 * len; i++) {
        uint8_t digit = (uint8_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
        out[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
    }
    return (larch_bytes){out, len};
}

/* ---- SHA-256 [FIPS180-4], HMAC [RFC4231] -------------------------------- */

static void check_sha256(const larch_bytes *pieces, size_t count, const char *expected)
{
    uint8_t want[LARCH_SHA256_LEN], got[LARCH_SHA256_LEN];
    (void)hex(expected, want);
    assert_int_equal(larch_sha256(pieces, count, got), LARCH_OK);
    assert_memory_equal(got, want, sizeof got);
}

static void test_sha256(void **state)
{
    (void)state;
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const char none[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const larch_bytes whole[] = {LARCH_TEXT("abc")};
    const larch_bytes cut[] = {LARCH_TEXT("a"), {NULL, 0}, LARCH_TEXT("bc"), {NULL, 0}};
    const larch_bytes empty[] = {{NULL, 0}};
    check_sha256(whole, 1, abc);
    check_sha256(cut, 4, abc);
    check_sha256(empty, 1, none);
    check_sha256(NULL, 0, none);
}

typedef struct hmac_row {
    const char *key, *data, *mac;
} hmac_row;

static void test_hmac(void **state)
{
    (void)state;
    static const hmac_row rows[] = {
        /* test cases 1, 2, 4 */
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"0102030405060708090a0b0c0d0e0f10111213141516171819",
         "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t key_bytes[64], data_bytes[64], want[LARCH_SHA256_LEN], got[LARCH_SHA256_LEN];
        larch_bytes key = hex(rows[i].key, key_bytes), data = hex(rows[i].data, data_bytes);
        (void)hex(rows[i].mac, want);
        for (size_t cut = 0; cut <= data.len; cut++) {
            const larch_bytes pieces[] = {{data.data, cut}, {data.data + cut, data.len - cut}};
            assert_int_equal(larch_hmac_sha256(key, pieces, 2, got), LARCH_OK);
            assert_memory_equal(got, want, sizeof got);
        }
    }
}

/* ---- HKDF [RFC5869 A.1 to A.3] ------------------------------------------ */

typedef struct hkdf_row {
    const char *what, *ikm, *salt, *info, *okm;
} hkdf_row;

static void test_hkdf(void **state)
{
    (void)state;
    static const hkdf_row rows[] = {
        {"A.1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
        {"A.2",
         "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
         "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",

         "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
         "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",

         "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
         "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",

         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
         "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
        {"A.3", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t ikm[128], salt[128], info[128], want[128], got[128];
        larch_bytes okm = hex(rows[i].okm, want);
        assert_int_equal(
            larch_hkdf_sha256(hex(rows[i].salt, salt), hex(rows[i].ikm, ikm), hex(rows[i].info, info), got, okm.len),
            LARCH_OK);
        assert_memory_equal(got, want, okm.len);
    }
}

/* Its two halves, for every length that one block of the hash gives. */
static void test_hkdf_halves(void **state)
{
    (void)state;
    const larch_bytes salts[] = {{NULL, 0}, LARCH_TEXT("salt")}, ikm = LARCH_TEXT("secret"), info = LARCH_TEXT("info");
    uint8_t prk[LARCH_SHA256_LEN], whole[LARCH_SHA256_LEN], out[LARCH_SHA256_LEN];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(larch_hkdf_sha256_extract(salts[i], ikm, prk), LARCH_OK);
        for (size_t len = 1; len <= sizeof out; len++) {
            assert_int_equal(larch_hkdf_sha256(salts[i], ikm, info, whole, len), LARCH_OK);
            assert_int_equal(larch_hkdf_sha256_expand(prk, info, out, len), LARCH_OK);
            assert_memory_equal(out, whole, len);
        }
    }
    assert_int_equal(larch_hkdf_sha256_expand(prk, info, out, 0), LARCH_SPACE);
    assert_int_equal(larch_hkdf_sha256_expand(prk, info, out, sizeof out + 1), LARCH_SPACE);
}

static void test_hkdf_lengths(void **state)
{
    (void)state;
    static uint8_t out[255 * LARCH_SHA256_LEN + 1];
    const larch_bytes none = {NULL, 0};
    memset(out, 0xaa, sizeof out);
    assert_int_equal(larch_hkdf_sha256(none, LARCH_TEXT("k"), none, out, 0), LARCH_SPACE);
    assert_int_equal(larch_hkdf_sha256(none, LARCH_TEXT("k"), none, out, sizeof out), LARCH_SPACE);
    assert_int_equal(larch_hkdf_sha256(none, LARCH_TEXT("k"), none, out, SIZE_MAX), LARCH_SPACE);
    assert_true(all_are(out, sizeof out, 0xaa));
    assert_int_equal(larch_hkdf_sha256(none, LARCH_TEXT("k"), none, out, sizeof out - 1), LARCH_OK);
    assert_int_equal(out[sizeof out - 1], 0xaa);
    assert_false(all_are(out + sizeof out - 33, 32, 0xaa));
}

/* ---- SHA-384 and what stands on it ---------------------------------------- */

static void check_sha384(const larch_bytes *pieces, size_t count, const char *expected)
{
    uint8_t want[LARCH_SHA384_LEN], got[LARCH_SHA384_LEN];
    (void)hex(expected, want);
    assert_int_equal(larch_sha384(pieces, count, got), LARCH_OK);
    assert_memory_equal(got, want, sizeof got);
}

static void test_sha384(void **state)
{
    (void)state;
    const larch_bytes cut[] = {LARCH_TEXT("a"), {NULL, 0}, LARCH_TEXT("bc")};
    check_sha384(cut, 3,
                 "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                 "8086072ba1e7cc2358baeca134c825a7");
    check_sha384(NULL, 0,
                 "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
                 "274edebfe76f65fbd51ad2f14898b95b");
}

/* [RFC4231], test cases 1, 2 and 6 */
static void test_hmac_sha384(void **state)
{
    (void)state;
    static uint8_t long_key[131], short_key[20];
    const struct {
        larch_bytes key, data;
        const char *mac;
    } rows[] = {
        {LARCH_BYTES(short_key), LARCH_TEXT("Hi There"),
         "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
         "faea9ea9076ede7f4af152e8b2fa9cb6"},
        {LARCH_TEXT("Jefe"), LARCH_TEXT("what do ya want for nothing?"),
         "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
         "8e2240ca5e69e2c78b3239ecfab21649"},
        {LARCH_BYTES(long_key), LARCH_TEXT("Test Using Larger Than Block-Size Key - Hash Key First"),
         "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
         "0c2ef6ab4030fe8296248df163f44952"},
    };
    memset(short_key, 0x0b, sizeof short_key);
    memset(long_key, 0xaa, sizeof long_key);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t want[LARCH_SHA384_LEN], got[LARCH_SHA384_LEN];
        (void)hex(rows[i].mac, want);
        assert_int_equal(larch_hmac_sha384(rows[i].key, &rows[i].data, 1, got), LARCH_OK);
        assert_memory_equal(got, want, sizeof got);
    }
}

/* No RFC has vectors: these come from Python's hmac. */
static void test_hkdf_sha384(void **state)
{
    (void)state;
    static const hkdf_row rows[] = {
        {"A.1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
         "9b5097a86038b805309076a44b3a9f38063e25b516dcbf369f394cfab43685f7"
         "48b6457763e4f0204fc5"},
        {"A.3", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
         "c8c96e710f89b0d7990bca68bcdec8cf854062e54c73a7abc743fade9b242daa"
         "cc1cea5670415b52849c97c4e787c1f2130fdaaed2efee2fd43ab373b705464f"
         "fbc36e70ca2a61a5ebf44d1bf8217df59cbe9dcf94a5a4546503e7f9c02e97b0"
         "fac5cb8f"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t ikm[32], salt[32], info[32], want[128], got[128];
        larch_bytes okm = hex(rows[i].okm, want);
        assert_int_equal(
            larch_hkdf_sha384(hex(rows[i].salt, salt), hex(rows[i].ikm, ikm), hex(rows[i].info, info), got, okm.len),
            LARCH_OK);
        assert_memory_equal(got, want, okm.len);
    }
    static uint8_t out[255 * LARCH_SHA384_LEN + 1];
    const larch_bytes none = {NULL, 0};
    assert_int_equal(larch_hkdf_sha384(none, LARCH_TEXT("k"), none, out, 0), LARCH_SPACE);
    assert_int_equal(larch_hkdf_sha384(none, LARCH_TEXT("k"), none, out, sizeof out), LARCH_SPACE);
    assert_int_equal(larch_hkdf_sha384(none, LARCH_TEXT("k"), none, out, sizeof out - 1), LARCH_OK);
}

/* ---- AES-CCM [RFC3610 8] ------------------------------------------------ */

typedef struct ccm_row {
    unsigned number;
    const char *key, *nonce, *aad, *text, *sealed, *tag;
} ccm_row;

static const ccm_row ccm_rows[] = {
    {1, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000003020100a0a1a2a3a4a5", "0001020304050607",
     "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e", "588c979a61c663d2f066d0c2c0f989806d5f6b61dac384",
     "17e8d12cfdf926e0"},
    {2, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000004030201a0a1a2a3a4a5", "0001020304050607",
     "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3b",
     "a091d56e10400916"},
    {7, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000009080706a0a1a2a3a4a5", "0001020304050607",
     "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e", "0135d1b2c95f41d5d1d4fec185d166b8094e999dfed96c",
     "048c56602c97acbb7490"},
    {13, "d7828d13b2b0bdc325a76236df93cc6b", "00412b4ea9cdbe3c9696766cfa", "0be1a88bace018b1",
     "08e8cf97d820ea258460e96ad9cf5289054d895ceac47c", "4cb97f86a2a4689a877947ab8091ef5386a6ffbdd080f8",
     "e78cf7cb0cddd7b3"},
    {19, "d7828d13b2b0bdc325a76236df93cc6b", "0042fff8f1951c3c9696766cfa", "d85bc7e69f944fb8",
     "8a19b950bcf71a018e5e6701c91787659809d67dbedd18", "bc218daa947427b6db386a99ac1aef23ade0b52939cb6a",
     "637cf9bec2408897c6ba"},
    {24, "d7828d13b2b0bdc325a76236df93cc6b", "008d493b30ae8b3c9696766cfa", "6e37a6ef546d955d34ab6059",
     "abf21c0b02feb88f856df4a37381bce3cc128517d4", "f32905b88a641b04b9c9ffb58cc390900f3da12ab1",
     "6dce9e82efa16da62059"},
};

static void test_ccm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ccm_rows / sizeof ccm_rows[0]; i++) {
        const ccm_row *row = &ccm_rows[i];
        uint8_t key[16], nonce_bytes[13], aad_bytes[32], text_bytes[64], want[64], got[64], again[64];
        (void)hex(row->key, key);
        larch_bytes nonce = hex(row->nonce, nonce_bytes), aad = hex(row->aad, aad_bytes);
        larch_bytes text = hex(row->text, text_bytes), sealed = hex(row->sealed, want);
        size_t tag_len = hex(row->tag, want + sealed.len).len;
        sealed.len += tag_len;

        assert_int_equal(larch_ccm_seal(key, nonce, aad, text, tag_len, got, sealed.len), LARCH_OK);
        assert_memory_equal(got, want, sealed.len);
        assert_int_equal(larch_ccm_open(key, nonce, aad, sealed, tag_len, again, text.len), LARCH_OK);
        assert_memory_equal(again, text.data, text.len);

        memset(got, 0xaa, sizeof got);
        assert_int_equal(larch_ccm_seal(key, nonce, aad, text, tag_len, got, sealed.len - 1), LARCH_SPACE);
        assert_int_equal(larch_ccm_open(key, nonce, aad, sealed, tag_len, got, text.len - 1), LARCH_SPACE);
        assert_true(all_are(got, sizeof got, 0xaa));

        /* Any bit of what is sealed, of the nonce, the data or the key. */
        for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
            want[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(got, 0xaa, sizeof got);
            assert_int_equal(larch_ccm_open(key, nonce, aad, sealed, tag_len, got, sizeof got), LARCH_AUTH);
            assert_true(all_are(got, text.len, 0));
            assert_true(all_are(got + text.len, sizeof got - text.len, 0xaa));
            want[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        nonce_bytes[3] ^= 1;
        assert_int_equal(larch_ccm_open(key, nonce, aad, sealed, tag_len, got, sizeof got), LARCH_AUTH);
        nonce_bytes[3] ^= 1;
        aad_bytes[0] ^= 1;
        assert_int_equal(larch_ccm_open(key, nonce, aad, sealed, tag_len, got, sizeof got), LARCH_AUTH);
        aad_bytes[0] ^= 1;
        key[15] ^= 1;
        assert_int_equal(larch_ccm_open(key, nonce, aad, sealed, tag_len, got, sizeof got), LARCH_AUTH);
    }
}

static void test_ccm_lengths(void **state)
{
    (void)state;
    const uint8_t key[16] = {1};
    static const uint8_t zeros[32];
    const larch_bytes none = {NULL, 0};
    for (size_t nonce_len = 0; nonce_len <= 16; nonce_len++)
        for (size_t tag_len = 0; tag_len <= 18; tag_len++) {
            bool valid = nonce_len >= 7 && nonce_len <= 13 && tag_len >= 4 && tag_len <= 16 && tag_len % 2 == 0;
            const larch_bytes nonce = {zeros, nonce_len};
            uint8_t out[32], text[1];
            memset(out, 0xaa, sizeof out);
            assert_int_equal(larch_ccm_seal(key, nonce, none, none, tag_len, out, sizeof out),
                             valid ? LARCH_OK : LARCH_STATE);
            assert_true(all_are(out + (valid ? tag_len : 0), sizeof out - (valid ? tag_len : 0), 0xaa));
            larch_error e = larch_ccm_open(key, nonce, none, (larch_bytes){out, tag_len}, tag_len, text, 0);
            assert_int_equal(e, valid ? LARCH_OK : LARCH_STATE);
            if (valid)
                assert_int_equal(
                    larch_ccm_open(key, nonce, none, (larch_bytes){out, tag_len - 1}, tag_len, text, sizeof text),
                    LARCH_MALFORMED);
        }
}

/* ---- AES-GCM [McGrew, Viega: test cases 1, 4 and 16] ---------------------- */

static const ccm_row gcm_rows[] = {
    {1, "00000000000000000000000000000000", "000000000000000000000000", "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {4, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {16, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void test_gcm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gcm_rows / sizeof gcm_rows[0]; i++) {
        const ccm_row *row = &gcm_rows[i];
        uint8_t key_bytes[32], nonce[12], aad_bytes[32], text_bytes[64], want[80], got[80], again[64];
        larch_bytes key = hex(row->key, key_bytes), aad = hex(row->aad, aad_bytes), text = hex(row->text, text_bytes);
        larch_bytes sealed = hex(row->sealed, want);
        (void)hex(row->nonce, nonce);
        sealed.len += hex(row->tag, want + sealed.len).len;

        assert_int_equal(larch_gcm_seal(key, nonce, aad, text, got, sealed.len), LARCH_OK);
        assert_memory_equal(got, want, sealed.len);
        assert_int_equal(larch_gcm_open(key, nonce, aad, sealed, again, text.len), LARCH_OK);
        assert_memory_equal(again, text.data, text.len);

        memset(got, 0xaa, sizeof got);
        assert_int_equal(larch_gcm_seal(key, nonce, aad, text, got, sealed.len - 1), LARCH_SPACE);
        assert_int_equal(larch_gcm_open(key, nonce, aad, (larch_bytes){want, 15}, got, sizeof got), LARCH_MALFORMED);
        assert_int_equal(larch_gcm_seal((larch_bytes){key_bytes, 24}, nonce, aad, text, got, sizeof got), LARCH_STATE);
        assert_int_equal(larch_gcm_open((larch_bytes){NULL, 0}, nonce, aad, sealed, got, sizeof got), LARCH_STATE);
        if (text.len > 0)
            assert_int_equal(larch_gcm_open(key, nonce, aad, sealed, got, text.len - 1), LARCH_SPACE);
        assert_true(all_are(got, sizeof got, 0xaa));

        for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
            want[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(got, 0xaa, sizeof got);
            assert_int_equal(larch_gcm_open(key, nonce, aad, sealed, got, sizeof got), LARCH_AUTH);
            assert_true(all_are(got, text.len, 0));
            assert_true(all_are(got + text.len, sizeof got - text.len, 0xaa));
            want[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        nonce[3] ^= 1;
        assert_int_equal(larch_gcm_open(key, nonce, aad, sealed, got, sizeof got), LARCH_AUTH);
        nonce[3] ^= 1;
        key_bytes[15] ^= 1;
        assert_int_equal(larch_gcm_open(key, nonce, aad, sealed, got, sizeof got), LARCH_AUTH);
    }
}

/* A text that the nonce's counter cannot number. */
static void test_ccm_long_text(void **state)
{
    (void)state;
    static uint8_t text[1 << 16], out[(1 << 16) + 16];
    const uint8_t key[16] = {1}, nonce[13] = {2};
    const larch_bytes none = {NULL, 0};
    assert_int_equal(larch_ccm_seal(key, LARCH_BYTES(nonce), none, LARCH_BYTES(text), 8, out, sizeof out),
                     LARCH_PLATFORM);
    assert_true(all_are(out, sizeof text + 8, 0));
    assert_int_equal(
        larch_ccm_seal(key, LARCH_BYTES(nonce), none, (larch_bytes){text, sizeof text - 1}, 8, out, sizeof out),
        LARCH_OK);
    assert_int_equal(larch_ccm_open(key, LARCH_BYTES(nonce), none, LARCH_BYTES(out), 16, text, sizeof text),
                     LARCH_PLATFORM);
    assert_int_equal(
        larch_ccm_open(key, LARCH_BYTES(nonce), none, (larch_bytes){out, sizeof text + 7}, 8, text, sizeof text),
        LARCH_OK);
    assert_true(all_are(text, sizeof text, 0));
}

/* ---- random, tags ------------------------------------------------------- */

static void test_random(void **state)
{
    (void)state;
    uint8_t a[64] = {0}, b[64] = {0};
    const larch_random random = larch_crypto_random();
    assert_int_equal(larch_random_fill(&random, a, sizeof a), LARCH_OK);
    assert_int_equal(larch_random_fill(&random, b, sizeof b), LARCH_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_false(all_are(a + 56, 8, 0));
}

static void test_tag64(void **state)
{
    (void)state;
    uint8_t key[LARCH_TAG64_KEY_LEN], out[8];
    for (uint8_t i = 0; i < sizeof key; i++)
        key[i] = i;
    const larch_bytes pieces[] = {LARCH_TEXT("abc"), {NULL, 0}, LARCH_TEXT("defg")};
    /* hashlib.shake_128(bytes(range(16)) + b"abcdefg").hexdigest(8) */
    assert_true(larch_tag64(key, pieces, 3) == UINT64_C(0x45fbadbeb36e6778));

    larch_keccak k;
    uint64_t tag = 0;
    larch_shake128_init(&k);
    larch_shake_absorb(&k, LARCH_BYTES(key));
    larch_shake_finalize(&k);
    larch_shake_squeeze(&k, out, sizeof out);
    for (size_t i = 0; i < sizeof out; i++)
        tag = tag << 8 | out[i];
    assert_true(larch_tag64(key, NULL, 0) == tag);
    key[15] ^= 1;
    assert_true(larch_tag64(key, NULL, 0) != tag);
}

#if LARCH_SERVER_GROUP > 1
/* Side by side, they are what they are one by one: of any number, and of unlike lengths. */
static void test_tag64_many(void **state)
{
    (void)state;
    static const uint8_t text[200] = "what the tags are made of";
    uint8_t keys[20][LARCH_TAG64_KEY_LEN];
    larch_bytes pieces[20][3] = {{{NULL, 0}}};
    uint64_t tags[20];
    for (size_t count = 0; count <= 20; count++) {
        for (size_t i = 0; i < count; i++) {
            memset(keys[i], (int)(count + i), sizeof keys[i]);
            pieces[i][0] = LARCH_BYTES(keys[i]);
            pieces[i][1] = (larch_bytes){text, i % 7 == 6 ? sizeof text : 32};
            pieces[i][2] = (larch_bytes){text + i, 13};
        }
        larch_tag64_many(tags, pieces[0], 3, count);
        for (size_t i = 0; i < count; i++)
            assert_true(tags[i] == larch_tag64(keys[i], pieces[i] + 1, 2));
    }
}
#endif

static int setup(void **state)
{
    (void)state;
    return larch_crypto_init() == LARCH_OK && larch_crypto_init() == LARCH_OK ? 0 : -1;
}

/* ---- KMAC ------------------------------------------------------------------------- */

/* Several messages under one key give what each gives by itself, whatever their lengths and those of the outputs. */
static void test_kmac_many(void **state)
{
    enum { MESSAGES = 9, OUT = 300 };
    static const uint8_t key[225] = {1, 2, 3}, text[300] = {4, 5, 6};
    static uint8_t got[MESSAGES][OUT], alone[OUT];
    larch_bytes pieces[MESSAGES][2];
    larch_kmac_message messages[MESSAGES] = {0};
    (void)state;
    for (size_t count = 0; count <= MESSAGES; count++) {
        const larch_bytes k = {key, 25 * count};
        memset(got, 0xaa, sizeof got);
        for (size_t i = 0; i < count; i++) {
            pieces[i][0] = (larch_bytes){text, 37 * i};
            pieces[i][1] = (larch_bytes){text, i};
            messages[i] = (larch_kmac_message){pieces[i], 2, got[i], 1 + 33 * i};
        }
        larch_kmac256_many(k, messages, count);
        for (size_t i = 0; i < count; i++) {
            larch_kmac256(k, (larch_bytes){0}, pieces[i], 2, alone, messages[i].out_len);
            assert_memory_equal(got[i], alone, messages[i].out_len);
            assert_int_equal(got[i][messages[i].out_len], 0xaa);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kmac_many),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_hkdf),
        cmocka_unit_test(test_hkdf_halves),
        cmocka_unit_test(test_hkdf_lengths),
        cmocka_unit_test(test_ccm),
        cmocka_unit_test(test_ccm_lengths),
        cmocka_unit_test(test_sha384),
        cmocka_unit_test(test_hmac_sha384),
        cmocka_unit_test(test_hkdf_sha384),
        cmocka_unit_test(test_gcm),
        cmocka_unit_test(test_ccm_long_text),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_tag64),
#if LARCH_SERVER_GROUP > 1
        cmocka_unit_test(test_tag64_many),
#endif
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
