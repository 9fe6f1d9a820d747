/* SPDX-License-Identifier: Apache-2.0 */
/* What COSE messages and keys are refused, and that what is composed is read again. The published examples are in
 * tests/vectors/vectors_cose.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/cbor.h"
#include "larch/cose.h"
#include "larch/crypto.h"
#include "larch/ecc.h"

typedef larch_error parser(larch_bytes in, larch_cose_message *out);

/* The bytes of hex digits, among which blanks are skipped. */
static larch_bytes from_hex(const char *hex, uint8_t *out, size_t cap)
{
    size_t len = 0;
    unsigned value;
    for (; *hex != '\0'; hex += 2) {
        while (*hex == ' ')
            hex++;
        assert_true(len < cap && sscanf(hex, "%2x", &value) == 1);
        out[len++] = (uint8_t)value;
    }
    return (larch_bytes){out, len};
}

/* ---- messages -------------------------------------------------------------------- */

typedef struct message_row {
    const char *what;
    parser *parse;
    const char *hex;
    larch_error error;
} message_row;

static void test_messages(void **state)
{
    (void)state;
    static const message_row rows[] = {
        {"sound", larch_cose_parse_encrypt0, "d0 83 43a1010a a10541aa 41bb", LARCH_OK},
        {"without its tag", larch_cose_parse_encrypt0, "83 43a1010a a10541aa 41bb", LARCH_OK},
        {"content elsewhere", larch_cose_parse_encrypt0, "83 43a1010a a10541aa f6", LARCH_OK},
        {"an empty map protected", larch_cose_parse_encrypt0, "83 41a0 a1010a 41bb", LARCH_OK},
        {"nothing in the headers", larch_cose_parse_encrypt0, "83 40 a0 41bb", LARCH_OK},
        {"unknown labels, a text among them", larch_cose_parse_encrypt0, "83 40 a2 1863f4 6161f5 41bb", LARCH_OK},
        {"content type as number and text", larch_cose_parse_encrypt0, "83 43a10300 a0 41bb", LARCH_OK},
        {"content type as text", larch_cose_parse_encrypt0, "83 44a1036161 a0 41bb", LARCH_OK},
        {"tag of COSE_Sign1", larch_cose_parse_encrypt0, "d2 83 43a1010a a0 41bb", LARCH_MALFORMED},
        {"two tags", larch_cose_parse_encrypt0, "d0d0 83 43a1010a a0 41bb", LARCH_MALFORMED},
        {"a tag in the long form", larch_cose_parse_encrypt0, "d810 83 43a1010a a0 41bb", LARCH_MALFORMED},
        {"a byte behind it", larch_cose_parse_encrypt0, "83 43a1010a a0 41bb 00", LARCH_MALFORMED},
        {"two items", larch_cose_parse_encrypt0, "82 43a1010a a0", LARCH_MALFORMED},
        {"four items", larch_cose_parse_encrypt0, "84 43a1010a a0 41bb 40", LARCH_MALFORMED},
        {"indefinite array", larch_cose_parse_encrypt0, "9f 43a1010a a0 41bb ff", LARCH_MALFORMED},
        {"protected as a map", larch_cose_parse_encrypt0, "83 a1010a a0 41bb", LARCH_MALFORMED},
        {"protected is no map", larch_cose_parse_encrypt0, "83 4101 a0 41bb", LARCH_MALFORMED},
        {"a byte behind the protected map", larch_cose_parse_encrypt0, "83 44a1010a00 a0 41bb", LARCH_MALFORMED},
        {"protected map cut short", larch_cose_parse_encrypt0, "83 42a101 a0 41bb", LARCH_MALFORMED},
        {"protected labels out of order", larch_cose_parse_encrypt0, "83 46a204410a010a a0 41bb", LARCH_MALFORMED},
        {"a label twice", larch_cose_parse_encrypt0, "83 45a2010a010a a0 41bb", LARCH_MALFORMED},
        {"a label in both maps", larch_cose_parse_encrypt0, "83 43a1010a a1010a 41bb", LARCH_MALFORMED},
        {"an unknown label in both maps", larch_cose_parse_encrypt0, "83 44a1186300 a1186300 41bb", LARCH_MALFORMED},
        {"a text label in both maps", larch_cose_parse_encrypt0, "83 44a1616100 a2 0400 616100 41bb", LARCH_MALFORMED},
        {"a label of another type", larch_cose_parse_encrypt0, "83 40 a1 410000 41bb", LARCH_MALFORMED},
        {"a label that is too large", larch_cose_parse_encrypt0, "83 40 a1 1bffffffffffffffff00 41bb", LARCH_MALFORMED},
        {"kid as text", larch_cose_parse_encrypt0, "83 40 a1 046161 41bb", LARCH_MALFORMED},
        {"content type as bytes", larch_cose_parse_encrypt0, "83 40 a1 034161 41bb", LARCH_MALFORMED},
        {"content type below 0", larch_cose_parse_encrypt0, "83 40 a1 0320 41bb", LARCH_MALFORMED},
        {"algorithm as bytes", larch_cose_parse_encrypt0, "83 40 a1 014101 41bb", LARCH_MALFORMED},
        {"algorithm as text", larch_cose_parse_encrypt0, "83 44a1016161 a0 41bb", LARCH_STATE},
        {"algorithm 0", larch_cose_parse_encrypt0, "83 43a10100 a0 41bb", LARCH_STATE},
        {"IV beside Partial IV", larch_cose_parse_encrypt0, "83 40 a2 054100 064100 41bb", LARCH_MALFORMED},
        {"IV beside a protected Partial IV", larch_cose_parse_encrypt0, "83 44a1064100 a1 054100 41bb",
         LARCH_MALFORMED},
        {"a byte behind a map with crit", larch_cose_parse_encrypt0, "83 47a2010a028101 00 a0 41bb", LARCH_MALFORMED},
        {"ciphertext as text", larch_cose_parse_encrypt0, "83 43a1010a a0 6161", LARCH_MALFORMED},
        {"content undefined", larch_cose_parse_encrypt0, "83 43a1010a a0 f7", LARCH_MALFORMED},

        {"crit names the algorithm", larch_cose_parse_encrypt0, "83 46a2010a028101 a0 41bb", LARCH_OK},
        {"crit names an unprotected kid", larch_cose_parse_encrypt0, "83 46a2010a028104 a1044100 41bb",
         LARCH_MALFORMED},
        {"crit names an absent label", larch_cose_parse_encrypt0, "83 46a2010a028105 a0 41bb", LARCH_MALFORMED},
        {"crit names a label of nobody", larch_cose_parse_encrypt0, "83 4aa3010a02811863186300 a0 41bb", LARCH_STATE},
        {"crit names a text label", larch_cose_parse_encrypt0, "83 4aa3010a02816161616100 a0 41bb", LARCH_STATE},
        {"crit is empty", larch_cose_parse_encrypt0, "83 45a2010a0280 a0 41bb", LARCH_MALFORMED},
        {"crit is no array", larch_cose_parse_encrypt0, "83 45a2010a0201 a0 41bb", LARCH_MALFORMED},
        {"crit is not protected", larch_cose_parse_encrypt0, "83 43a1010a a1028101 41bb", LARCH_MALFORMED},

        {"signature", larch_cose_parse_sign1, "d2 84 43a10126 a0 41aa 41bb", LARCH_OK},
        {"signature nil", larch_cose_parse_sign1, "d2 84 43a10126 a0 41aa f6", LARCH_MALFORMED},
        {"signature missing", larch_cose_parse_sign1, "d2 83 43a10126 a0 41aa", LARCH_MALFORMED},

        {"one recipient", larch_cose_parse_encrypt, "d860 84 40 a0 41aa 81 83 40 a0 40", LARCH_OK},
        {"no recipient", larch_cose_parse_encrypt, "d860 84 40 a0 41aa 80", LARCH_MALFORMED},
        {"recipients are no array", larch_cose_parse_encrypt, "d860 84 40 a0 41aa 40", LARCH_MALFORMED},
        {"tag of COSE_Encrypt0", larch_cose_parse_encrypt, "d0 84 40 a0 41aa 81 83 40 a0 40", LARCH_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static const larch_cose_message nothing;
        uint8_t bytes[64];
        larch_cose_message m;
        memset(&m, 0xaa, sizeof m);
        const larch_error e = rows[i].parse(from_hex(rows[i].hex, bytes, sizeof bytes), &m);
        if (e != rows[i].error)
            fail_msg("%s: %d", rows[i].what, (int)e);
        if (e != LARCH_OK)
            assert_memory_equal(&m, &nothing, sizeof m);
    }
}

static void test_recipients(void **state)
{
    (void)state;
    static const message_row rows[] = {
        {"sound", NULL, "83 40 a1 044107 41aa", LARCH_OK},
        {"encrypted key elsewhere", NULL, "83 40 a0 f6", LARCH_OK},
        {"recipients of its own", NULL, "84 40 a0 40 81 83 40 a0 40", LARCH_STATE},
        {"two items", NULL, "82 40 a0", LARCH_MALFORMED},
        {"tagged", NULL, "d0 83 40 a0 40", LARCH_MALFORMED},
        {"no array", NULL, "40", LARCH_MALFORMED},
        {"nothing", NULL, "", LARCH_MALFORMED},
        {"unknown critical", NULL, "83 48a202811863186300 a0 40", LARCH_STATE},
        {"text as algorithm", NULL, "83 40 a1 016161 40", LARCH_STATE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[64];
        larch_cose_message m;
        larch_reader r = larch_reader_of(from_hex(rows[i].hex, bytes, sizeof bytes));
        const size_t before = r.left.len;
        const larch_error e = larch_cose_take_recipient(&r, &m);
        if (e != rows[i].error || r.left.len != (e == LARCH_OK ? 0 : before))
            fail_msg("%s: %d", rows[i].what, (int)e);
    }
}

/* ---- encryption -------------------------------------------------------------------- */

static const uint8_t key[32] = {1, 2, 3, 4};
static const uint8_t iv[13] = {9, 8, 7};

/* A message to two recipients, of every parameter that is composed. */
static larch_error put_message(larch_writer *w, int64_t alg, bool encrypt0, const larch_cose_secrets *secrets)
{
    const larch_cose_aead *aead = larch_cose_aead_find(alg);
    const larch_cose_header header = {.present = LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_IV | LARCH_COSE_HAS_KID,
                                      .protects = LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_KID,
                                      .alg = alg,
                                      .iv = {iv, aead != NULL ? aead->nonce_len : 13},
                                      .kid = LARCH_TEXT("kid")};
    const larch_cose_message recipients[] = {
        {.header = {.present = LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_EK,
                    .protects = LARCH_COSE_HAS_ALG,
                    .alg = LARCH_COSE_ML_KEM_512,
                    .ek = LARCH_TEXT("ciphertext")}},
        {.header = {.present = LARCH_COSE_HAS_ALG, .alg = -3}, .content = LARCH_TEXT("wrapped")}};
    return encrypt0 ? larch_cose_put_encrypt0(w, true, &header, secrets, LARCH_TEXT("Hello"))
                    : larch_cose_put_encrypt(w, true, &header, secrets, LARCH_TEXT("Hello"), recipients, 2);
}

static void test_encrypted_is_opened(void **state)
{
    (void)state;
    static const int64_t algs[] = {LARCH_COSE_AES_CCM_16_64_128, LARCH_COSE_AES_CCM_16_128_128, LARCH_COSE_A128GCM,
                                   LARCH_COSE_A256GCM};
    for (size_t i = 0; i < 2 * sizeof algs / sizeof algs[0]; i++) {
        const bool encrypt0 = i % 2 == 0;
        const larch_cose_aead *aead = larch_cose_aead_find(algs[i / 2]);
        const larch_cose_secrets secrets = {.key = {key, aead->key_len}, .external_aad = LARCH_TEXT("aad")};
        uint8_t out[256], text[16];
        larch_cose_message m, recipient;
        size_t len = 0;
        larch_writer w = larch_writer_to(out, sizeof out);
        const larch_error e = put_message(&w, algs[i / 2], encrypt0, &secrets);
        if (e == LARCH_STATE) { /* a provider without AES-GCM */
            assert_true(i >= 4);
            print_message("skipped: %s: the provider does not have it\n", aead->name);
            continue;
        }
        assert_int_equal(e, LARCH_OK);
        const larch_bytes whole = {out, w.len};
        parser *parse = encrypt0 ? larch_cose_parse_encrypt0 : larch_cose_parse_encrypt;
        const char *context = encrypt0 ? "Encrypt0" : "Encrypt";
        assert_int_equal(parse(whole, &m), LARCH_OK);
        assert_true(m.is_tagged && !m.is_detached && m.header.alg == algs[i / 2]);
        assert_int_equal(larch_cose_open(&m, context, &secrets, text, sizeof text, &len), LARCH_OK);
        assert_int_equal(len, 5);
        assert_memory_equal(text, "Hello", 5);
        assert_int_equal(larch_cose_open(&m, context, &secrets, text, 4, &len), LARCH_SPACE);
        memset(text, 0xaa, sizeof text);
        assert_int_equal(larch_cose_open(&m, encrypt0 ? "Encrypt" : "Encrypt0", &secrets, text, sizeof text, &len),
                         LARCH_AUTH);
        assert_true(all_are(text, 5, 0) && all_are(text + 5, sizeof text - 5, 0xaa));
        if (!encrypt0) {
            assert_int_equal(m.recipient_count, 2);
            assert_int_equal(larch_cose_take_recipient(&m.recipients, &recipient), LARCH_OK);
            assert_int_equal(recipient.header.alg, LARCH_COSE_ML_KEM_512);
            assert_true(larch_bytes_equal(recipient.header.ek, LARCH_TEXT("ciphertext")) && recipient.content.len == 0);
            assert_int_equal(larch_cose_take_recipient(&m.recipients, &recipient), LARCH_OK);
            assert_true(recipient.header.alg == -3 && larch_bytes_equal(recipient.content, LARCH_TEXT("wrapped")));
            assert_int_equal(m.recipients.left.len, 0);
        }
        /* every length but its own, and every bit: refused, or not genuine; but recipients are the caller's to check */
        const size_t own = encrypt0 ? whole.len : (size_t)(m.content.data - out) + m.content.len;
        for (size_t cut = 0; cut < whole.len; cut++)
            assert_int_equal(parse((larch_bytes){out, cut}, &m), LARCH_MALFORMED);
        for (size_t bit = 0; bit < 8 * own; bit++) {
            out[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (parse(whole, &m) == LARCH_OK)
                assert_int_not_equal(larch_cose_open(&m, context, &secrets, text, sizeof text, &len), LARCH_OK);
            out[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t cap = 0; cap < whole.len; cap++) { /* and no space too small */
            uint8_t small[256];
            memset(small, 0xaa, sizeof small);
            w = larch_writer_to(small, cap);
            assert_int_equal(put_message(&w, algs[i / 2], encrypt0, &secrets), LARCH_SPACE);
            assert_int_equal(w.len, 0);
            assert_true(all_are(small + cap, sizeof small - cap, 0xaa));
        }
    }
}

static void test_secrets_must_fit(void **state)
{
    (void)state;
    uint8_t out[1024], long_aad[LARCH_COSE_AAD_MAX] = {0};
    larch_writer w = larch_writer_to(out, sizeof out);
    const larch_cose_secrets sound = {.key = {key, 16}}, short_key = {.key = {key, 15}},
                             long_aads = {.key = {key, 16}, .external_aad = LARCH_BYTES(long_aad)};
    assert_int_equal(put_message(&w, LARCH_COSE_AES_CCM_16_64_128, true, &short_key), LARCH_MALFORMED);
    assert_int_equal(put_message(&w, LARCH_COSE_AES_CCM_16_64_128, true, &long_aads), LARCH_SPACE);
    assert_int_equal(put_message(&w, 12, true, &sound), LARCH_STATE);
    assert_int_equal(w.len, 0);
    /* nonces: none, too short, and a Partial IV longer than the nonce */
    static const uint8_t partial[14] = {0};
    larch_cose_header header = {.present = LARCH_COSE_HAS_ALG, .alg = LARCH_COSE_AES_CCM_16_64_128};
    assert_int_equal(larch_cose_put_encrypt0(&w, true, &header, &sound, LARCH_TEXT("x")), LARCH_MALFORMED);
    header.present |= LARCH_COSE_HAS_IV;
    header.iv = (larch_bytes){iv, 12};
    assert_int_equal(larch_cose_put_encrypt0(&w, true, &header, &sound, LARCH_TEXT("x")), LARCH_MALFORMED);
    const larch_cose_secrets with_base = {.key = {key, 16}, .base_iv = LARCH_BYTES(iv)};
    header = (larch_cose_header){.present = LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_PARTIAL_IV,
                                 .alg = LARCH_COSE_AES_CCM_16_64_128,
                                 .partial_iv = LARCH_BYTES(partial)};
    assert_int_equal(larch_cose_put_encrypt0(&w, true, &header, &with_base, LARCH_TEXT("x")), LARCH_MALFORMED);
    header.partial_iv.len = 13;
    assert_int_equal(larch_cose_put_encrypt0(&w, true, &header, &with_base, LARCH_TEXT("x")), LARCH_OK);
    /* a protected map beyond its bound */
    static const uint8_t kid[LARCH_COSE_PROTECTED_MAX] = {0};
    header.present |= LARCH_COSE_HAS_KID;
    header.protects = LARCH_COSE_HAS_KID;
    header.kid = LARCH_BYTES(kid);
    assert_int_equal(larch_cose_put_encrypt0(&w, true, &header, &with_base, LARCH_TEXT("x")), LARCH_SPACE);
}

/* A Partial IV is padded on the left and exclusive-ored into the Context IV. */
static void test_partial_iv(void **state)
{
    (void)state;
    static const uint8_t base[13] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x0c, 0xff}, partial[] = {0x0f, 0x81};
    static const uint8_t whole[13] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x03, 0x7e};
    uint8_t one[64], other[64];
    larch_writer w1 = larch_writer_to(one, sizeof one), w2 = larch_writer_to(other, sizeof other);
    const larch_cose_secrets secrets = {.key = {key, 16}, .base_iv = LARCH_BYTES(base)};
    const larch_cose_header by_part = {.present = LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_PARTIAL_IV,
                                       .protects = LARCH_COSE_HAS_ALG,
                                       .alg = LARCH_COSE_AES_CCM_16_64_128,
                                       .partial_iv = LARCH_BYTES(partial)};
    const larch_cose_header by_whole = {.present = LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_IV,
                                        .protects = LARCH_COSE_HAS_ALG,
                                        .alg = LARCH_COSE_AES_CCM_16_64_128,
                                        .iv = LARCH_BYTES(whole)};
    assert_int_equal(larch_cose_put_encrypt0(&w1, false, &by_part, &secrets, LARCH_TEXT("Hello")), LARCH_OK);
    assert_int_equal(larch_cose_put_encrypt0(&w2, false, &by_whole, &secrets, LARCH_TEXT("Hello")), LARCH_OK);
    assert_memory_equal(one + w1.len - 13, other + w2.len - 13, 13); /* text and tag */
}

/* ---- keys -------------------------------------------------------------------------- */

#define X32 "5820 0101010101010101010101010101010101010101010101010101010101010101"
#define X31 "581f 01010101010101010101010101010101010101010101010101010101010101"

typedef struct key_row {
    const char *what;
    const char *hex;
    larch_error error;
    bool is_same; /* written again, it has the same bytes */
} key_row;

static void test_keys(void **state)
{
    (void)state;
    static const key_row rows[] = {
        {"Symmetric", "a2 0104 20 41aa", LARCH_OK, true},
        {"Symmetric with all common members", "a5 0104 024161 030a 0543010203 20 41aa", LARCH_OK, true},
        {"Symmetric with operations", "a3 0104 04 820102 20 41aa", LARCH_OK, false},
        {"Symmetric with an unknown operation", "a3 0104 04 816161 20 41aa", LARCH_OK, false},
        {"Symmetric with unknown members", "a4 0104 20 41aa 2100 616100", LARCH_OK, false},
        {"P-256", "a4 0102 2001 21" X32 "22" X32, LARCH_OK, true},
        {"P-256, compressed", "a4 0102 2001 21" X32 "22 f5", LARCH_OK, true},
        {"P-256, private alone", "a3 0102 2001 23" X32, LARCH_OK, true},
        {"X25519", "a3 0101 2004 21" X32, LARCH_OK, true},
        {"Ed25519, private", "a4 0101 2006 21" X32 "23" X32, LARCH_OK, true},
        {"no kty", "a1 20 41aa", LARCH_MALFORMED, false},
        {"kty alone", "a1 0104", LARCH_MALFORMED, false},
        {"no map", "82 01 04", LARCH_MALFORMED, false},
        {"an empty map", "a0", LARCH_MALFORMED, false},
        {"a byte behind it", "a2 0104 20 41aa 00", LARCH_MALFORMED, false},
        {"members out of order", "a2 20 41aa 0104", LARCH_MALFORMED, false},
        {"kty twice", "a3 0104 0104 20 41aa", LARCH_MALFORMED, false},
        {"kty 0", "a2 0100 20 41aa", LARCH_STATE, false},
        {"kty RSA", "a2 0103 20 41aa", LARCH_STATE, false},
        {"kty as text", "a2 016161 20 41aa", LARCH_STATE, false},
        {"kty as bytes", "a2 014104 20 41aa", LARCH_MALFORMED, false},
        {"kid as text", "a3 0104 026161 20 41aa", LARCH_MALFORMED, false},
        {"alg as text", "a3 0104 036161 20 41aa", LARCH_STATE, false},
        {"no operations", "a3 0104 0480 20 41aa", LARCH_MALFORMED, false},
        {"operation as bytes", "a3 0104 04814101 20 41aa", LARCH_MALFORMED, false},
        {"empty k", "a2 0104 20 40", LARCH_MALFORMED, false},
        {"k as text", "a2 0104 20 6161", LARCH_MALFORMED, false},
        {"P-256 without y", "a3 0102 2001 21" X32, LARCH_MALFORMED, false},
        {"P-256 without x", "a3 0102 2001 22" X32, LARCH_MALFORMED, false},
        {"P-256, x too short", "a4 0102 2001 21" X31 "22" X32, LARCH_MALFORMED, false},
        {"P-256, y too short", "a4 0102 2001 21" X32 "22" X31, LARCH_MALFORMED, false},
        {"P-256, d too short", "a3 0102 2001 23" X31, LARCH_MALFORMED, false},
        {"P-256, y nil", "a4 0102 2001 21" X32 "22 f6", LARCH_MALFORMED, false},
        {"P-384", "a4 0102 2002 21" X32 "22" X32, LARCH_STATE, false},
        {"no curve", "a3 0102 21" X32 "22" X32, LARCH_MALFORMED, false},
        {"curve as text", "a4 0102 206161 21" X32 "22" X32, LARCH_STATE, false},
        {"X25519 as EC2", "a4 0102 2004 21" X32 "22" X32, LARCH_STATE, false},
        {"P-256 as OKP", "a3 0101 2001 21" X32, LARCH_STATE, false},
        {"X25519, nothing", "a2 0101 2004", LARCH_MALFORMED, false},
        {"AKP without alg", "a2 0107 20 41aa", LARCH_MALFORMED, false},
        {"AKP without pub", "a2 0107 03382f", LARCH_MALFORMED, false},
        {"AKP of an unknown algorithm", "a3 0107 0326 20 41aa", LARCH_STATE, false},
        {"AKP, pub too short", "a3 0107 03382f 20 41aa", LARCH_MALFORMED, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static const larch_cose_key nothing;
        uint8_t bytes[128], out[128];
        larch_cose_key k;
        const larch_bytes in = from_hex(rows[i].hex, bytes, sizeof bytes);
        const larch_error e = larch_cose_parse_key(in, &k);
        if (e != rows[i].error)
            fail_msg("%s: %d", rows[i].what, (int)e);
        if (e != LARCH_OK) {
            assert_memory_equal(&k, &nothing, sizeof k);
            continue;
        }
        larch_writer w = larch_writer_to(out, sizeof out);
        larch_cose_put_key(&w, &k);
        if ((w.len == in.len && memcmp(out, in.data, in.len) == 0) != rows[i].is_same)
            fail_msg("%s: written again", rows[i].what);
        for (size_t cut = 0; cut < in.len; cut++)
            assert_int_equal(larch_cose_parse_key((larch_bytes){bytes, cut}, &k), LARCH_MALFORMED);
    }
}

/* An AKP key of every algorithm: public, and with its seed. */
static void test_akp(void **state)
{
    (void)state;
    static uint8_t pub[3000], out[3200];
    static const struct {
        int64_t alg;
        size_t pub_len, priv_len;
    } rows[] = {{LARCH_COSE_ML_DSA_44, 1312, 32}, {LARCH_COSE_ML_DSA_65, 1952, 32},  {LARCH_COSE_ML_DSA_87, 2592, 32},
                {LARCH_COSE_ML_KEM_512, 800, 64}, {LARCH_COSE_ML_KEM_768, 1184, 64}, {LARCH_COSE_ML_KEM_1024, 1568, 64},
                {LARCH_COSE_X_WING, 1216, 32}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t wrong = 0; wrong < 4; wrong++) {
            larch_cose_key k = {.kty = LARCH_COSE_AKP,
                                .alg = rows[i].alg,
                                .pub = {pub, rows[i].pub_len + (wrong == 1)},
                                .priv = {pub, wrong == 3 ? 0 : rows[i].priv_len - (wrong == 2)}},
                           read;
            larch_writer w = larch_writer_to(out, sizeof out);
            larch_cose_put_key(&w, &k);
            assert_int_equal(larch_cose_parse_key((larch_bytes){out, w.len}, &read),
                             wrong == 0 || wrong == 3 ? LARCH_OK : LARCH_MALFORMED);
            assert_int_equal(read.priv.len, wrong == 0 ? rows[i].priv_len : 0);
        }
}

/* ---- signatures -------------------------------------------------------------------- */

#if LARCH_ECC
static void test_es256(void **state)
{
    (void)state;
    static const uint8_t d[LARCH_P256_LEN] = {7};
    uint8_t point[LARCH_P256_PUBLIC_LEN], out[160];
    larch_cose_message m;
    assert_int_equal(larch_p256_public(d, point), LARCH_OK);
    const larch_cose_header header = {
        .present = LARCH_COSE_HAS_ALG, .protects = LARCH_COSE_HAS_ALG, .alg = LARCH_COSE_ES256};
    const larch_cose_key signer = {
        .kty = LARCH_COSE_EC2, .crv = LARCH_COSE_P256, .x = {point, 32}, .y = {point + 32, 32}, .d = LARCH_BYTES(d)};
    larch_writer w = larch_writer_to(out, sizeof out);
    assert_int_equal(larch_cose_put_sign1(&w, true, &header, &signer, NULL, LARCH_TEXT("aad"), LARCH_TEXT("Hello")),
                     LARCH_OK);
    const larch_bytes whole = {out, w.len};
    assert_int_equal(larch_cose_parse_sign1(whole, &m), LARCH_OK);
    assert_int_equal(larch_cose_verify_sign1(&m, &signer, LARCH_TEXT("aad")), LARCH_OK);
    assert_int_equal(larch_cose_verify_sign1(&m, &signer, LARCH_TEXT("aae")), LARCH_AUTH);

    larch_cose_key other = signer; /* keys that do not fit */
    other.alg = -9;
    assert_int_equal(larch_cose_verify_sign1(&m, &other, LARCH_TEXT("aad")), LARCH_STATE);
    other = signer;
    other.ops = 1 | 1 << LARCH_COSE_OP_SIGN;
    assert_int_equal(larch_cose_verify_sign1(&m, &other, LARCH_TEXT("aad")), LARCH_STATE);
    other.ops = 1 | 1 << LARCH_COSE_OP_VERIFY;
    assert_int_equal(larch_cose_verify_sign1(&m, &other, LARCH_TEXT("aad")), LARCH_OK);
    other.has_y_sign = true;
    other.y.len = 0;
    assert_int_equal(larch_cose_verify_sign1(&m, &other, LARCH_TEXT("aad")), LARCH_STATE);
    other = signer;
    other.y = other.x;
    assert_int_equal(larch_cose_verify_sign1(&m, &other, LARCH_TEXT("aad")), LARCH_MALFORMED);
    other.d.len = 0;
    w = larch_writer_to(out + 120, 40);
    assert_int_equal(larch_cose_put_sign1(&w, true, &header, &other, NULL, (larch_bytes){0}, LARCH_TEXT("x")),
                     LARCH_SPACE);
    assert_int_equal(w.len, 0);

    for (size_t cut = 0; cut < whole.len; cut++)
        assert_int_equal(larch_cose_parse_sign1((larch_bytes){out, cut}, &m), LARCH_MALFORMED);
    for (size_t at = 0; at < whole.len; at++) {
        out[at] ^= (uint8_t)(1u << at % 8);
        if (larch_cose_parse_sign1(whole, &m) == LARCH_OK)
            assert_int_not_equal(larch_cose_verify_sign1(&m, &signer, LARCH_TEXT("aad")), LARCH_OK);
        out[at] ^= (uint8_t)(1u << at % 8);
    }
}
#endif

static void test_kem_numbers(void **state)
{
    (void)state;
    assert_ptr_equal(larch_cose_kem_find(LARCH_COSE_ML_KEM_768), larch_kem_find(768));
    assert_ptr_equal(larch_cose_kem_find(LARCH_COSE_X_WING), larch_kem_xwing());
    assert_null(larch_cose_kem_find(0));
    for (size_t i = 0; larch_kem_at(i) != NULL; i++)
        assert_ptr_equal(larch_cose_kem_find(larch_cose_kem_number(larch_kem_at(i))), larch_kem_at(i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_recipients),
        cmocka_unit_test(test_encrypted_is_opened),
        cmocka_unit_test(test_secrets_must_fit),
        cmocka_unit_test(test_partial_iv),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_akp),
#if LARCH_ECC
        cmocka_unit_test(test_es256),
#endif
        cmocka_unit_test(test_kem_numbers),
    };
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests_name("cose", tests, NULL, NULL);
}
