/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed message in the form of COSE: to the byte, its refusals, and that it is opened as the other form is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "key_pair.h"
#include "larch/cose.h"
#include "larch/crypto.h"
#include "larch/direct.h"
#include "sim.h"

static larch_direct_answer parse(const uint8_t *bytes, size_t len, larch_direct_sealed *s)
{
    return larch_direct_parse_cose((larch_bytes){bytes, len}, s);
}

static size_t seal(const key_pair *p, larch_bytes text, uint8_t *out, size_t cap, larch_direct_receipt *receipt)
{
    larch_sim_random seed = {.state = 9};
    const larch_random random = larch_sim_random_of(&seed);
    size_t len = 0;
    assert_int_equal(larch_direct_seal_cose(p->kem, &random, NULL, ek_of(p), text, out, cap, &len, receipt), LARCH_OK);
    return len;
}

/* ---- to the byte ------------------------------------------------------------- */

/* What the COSE room composes of the same fields, with a content key that is derived here by hand. */
static size_t compose(const key_pair *p, const larch_direct_sealed *s, larch_bytes text, uint8_t *out, size_t cap)
{
    uint8_t ss[LARCH_KEM_SS_LEN], key[16], context[21] = {0x82, 0x18, 30, 0x82, 0x18, 128, 0x4d, 0xa2, 1, 0x3a, 0, 1};
    assert_int_equal(larch_kem_decaps(p->kem, p->dk, s->kem_ct, ss), LARCH_OK);
    const uint32_t number = p->kem->set + 65535u; /* -1 - n of -65536 - set */
    const uint8_t tail[] = {0x3a, 0, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number, 4, 0x44};
    memcpy(context + 9, tail, sizeof tail);
    memcpy(context + 16, p->hash, 4);
    larch_kmac256(LARCH_BYTES(ss), (larch_bytes){0}, &(larch_bytes){context, 20}, 1, key, sizeof key);
    const larch_cose_header header = {.present = LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_IV,
                                      .protects = LARCH_COSE_HAS_ALG,
                                      .alg = LARCH_COSE_AES_CCM_16_128_128,
                                      .iv = s->nonce};
    const larch_cose_message to = {.header = {.present = LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_KID | LARCH_COSE_HAS_EK,
                                              .protects = LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_KID,
                                              .alg = larch_cose_kem_number(p->kem),
                                              .kid = {p->hash, 4},
                                              .ek = s->kem_ct}};
    larch_writer w = larch_writer_to(out, cap);
    assert_int_equal(
        larch_cose_put_encrypt(&w, true, &header, &(larch_cose_secrets){.key = LARCH_BYTES(key)}, text, &to, 1),
        LARCH_OK);
    return w.len;
}

/* The example of PROTOCOL.md, section 1.8, but for the middle of its KEM ciphertext. */
static void test_example(void **state)
{
    (void)state;
    static const uint8_t front[] = {0xd8, 0x60, 0x84, 0x44, 0xa1, 0x01, 0x18, 0x1e, 0xa1, 0x05, 0x4d, 0x64,
                                    0x62, 0xb6, 0x60, 0xa1, 0xfe, 0xcc, 0x3d, 0x69, 0x73, 0xa0, 0x99, 0x5d,
                                    0x55, 0xc8, 0x3e, 0x5a, 0xad, 0xfb, 0x32, 0xd0, 0x2e, 0x74, 0xca, 0xf9,
                                    0xc1, 0xa3, 0xf1, 0xe6, 0x68, 0x87, 0xd0, 0x1a, 0x88, 0x41, 0x81, 0x83,
                                    0x4d, 0xa2, 0x01, 0x3a, 0x00, 0x01, 0x01, 0xff, 0x04, 0x44, 0x74, 0x6b,
                                    0x2b, 0x6a, 0xa1, 0x23, 0x59, 0x03, 0x00, 0xe0, 0x8b, 0xfe, 0xb5},
                         end[] = {0x8b, 0x55, 0x93, 0x62, 0x40};
    const key_pair p = key_pair_of(larch_kem_find(512), 3);
    uint8_t out[LARCH_COAP_BODY_MAX];
    const size_t len = seal(&p, LARCH_TEXT("Hello"), out, sizeof out, NULL);
    assert_int_equal(len, 836);
    assert_memory_equal(out, front, sizeof front);
    assert_memory_equal(out + len - sizeof end, end, sizeof end);
}

/* Every set and text length at which the frame changes; no buffer of another length is written to or taken. */
static void test_round_trip(void **state)
{
    (void)state;
    static uint8_t said[LARCH_DIRECT_TEXT_MAX + 1];
    const larch_kem *kem;
    for (size_t i = 0; i < sizeof said; i++)
        said[i] = (uint8_t)(i * 7);
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        const key_pair p = key_pair_of(kem, 3);
        const size_t most = larch_direct_cose_text_max(kem);
        const size_t texts[] = {0, 7, 8, 64, 239, 240, most};
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
            uint8_t out[LARCH_COAP_BODY_MAX + 1], again[LARCH_COAP_BODY_MAX], text[LARCH_DIRECT_TEXT_MAX];
            const larch_bytes in = {said, texts[t]};
            larch_sim_random seed = {.state = 9};
            const larch_random random = larch_sim_random_of(&seed);
            larch_direct_receipt sent, got;
            larch_direct_sealed s;
            size_t len, text_len;
            memset(out, 0xaa, sizeof out);
            len = seal(&p, in, out, LARCH_COAP_BODY_MAX, &sent);
            assert_int_equal(len, kem->ct_len + in.len + LARCH_DIRECT_COSE_OVERHEAD - (in.len < 8) - (in.len < 240));
            assert_true(len <= LARCH_COAP_BODY_MAX && all_are(out + len, sizeof out - len, 0xaa));
            assert_int_equal(parse(out, len, &s), LARCH_DIRECT_OK);
            assert_true(s.kem == kem && s.form == LARCH_DIRECT_FORM_COSE && s.nonce.len == 13);
            assert_memory_equal(s.kid.data, p.hash, LARCH_DIRECT_HINT_LEN);
            assert_int_equal(compose(&p, &s, in, again, sizeof again), len);
            assert_memory_equal(again, out, len);
            assert_int_equal(larch_direct_open(&s, NULL, p.dk, text, sizeof text, &text_len, &got), LARCH_OK);
            assert_int_equal(text_len, in.len);
            assert_memory_equal(text, said, text_len);
            assert_memory_equal(&sent, &got, sizeof sent);
            if (in.len > 0)
                assert_int_equal(larch_direct_open(&s, NULL, p.dk, text, in.len - 1, &text_len, NULL), LARCH_SPACE);
            memset(again, 0xaa, sizeof again);
            assert_int_equal(larch_direct_seal_cose(kem, &random, NULL, ek_of(&p), in, again, len - 1, &len, NULL),
                             LARCH_SPACE);
            assert_true(all_are(again, sizeof again, 0xaa));
        }
        uint8_t out[LARCH_COAP_BODY_MAX + 64];
        larch_sim_random seed = {.state = 9};
        const larch_random random = larch_sim_random_of(&seed);
        size_t len;
        assert_int_equal(larch_direct_seal_cose(kem, &random, NULL, ek_of(&p), (larch_bytes){said, most + 1}, out,
                                                sizeof out, &len, NULL),
                         LARCH_SPACE);
    }
}

/* ---- what is refused ----------------------------------------------------------- */

/* Every bit of every byte, and every length. */
static void test_every_byte_counts(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        const key_pair p = key_pair_of(kem, 3);
        uint8_t out[LARCH_COAP_BODY_MAX], text[64];
        larch_direct_sealed s;
        unsigned opened = 0;
        size_t text_len;
        const size_t len = seal(&p, LARCH_TEXT("temperature 21.5"), out, sizeof out, NULL);
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(parse(out, cut, &s), LARCH_DIRECT_BAD_COSE);
        out[len] = 0;
        assert_int_equal(parse(out, len + 1, &s), LARCH_DIRECT_BAD_COSE);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            const size_t at = bit / 8;
            const bool is_ct = at > 100 && at < len - 8; /* of these, one bit a byte will do */
            if (is_ct && bit % 8 != at % 8)
                continue;
            out[at] ^= (uint8_t)(1u << bit % 8);
            const larch_direct_answer answer = parse(out, len, &s);
            if (answer == LARCH_DIRECT_OK) {
                memset(text, 0xaa, sizeof text);
                assert_int_equal(larch_direct_open(&s, NULL, p.dk, text, sizeof text, &text_len, NULL), LARCH_AUTH);
                assert_true(all_are(text, 16, 0) && all_are(text + 16, sizeof text - 16, 0xaa));
                opened++;
            } else {
                assert_true(answer == LARCH_DIRECT_BAD_COSE || answer == LARCH_DIRECT_BAD_ALG ||
                            answer == LARCH_DIRECT_BAD_CT);
                assert_true(s.kem == NULL && s.message.data == NULL);
            }
            out[at] ^= (uint8_t)(1u << bit % 8);
        }
        assert_true(opened > kem->ct_len); /* the parser alone did not refuse them all */
    }
}

typedef struct row {
    const char *what;
    larch_direct_answer answer;
    larch_cose_header body, to;
    bool untagged, key; /* the recipient has an encrypted key */
    size_t count;       /* of recipients; 0: one */
} row;

#define ALG LARCH_COSE_HAS_ALG
#define KID LARCH_COSE_HAS_KID
#define IV  LARCH_COSE_HAS_IV
#define EK  LARCH_COSE_HAS_EK

/* Sound COSE that is no sealed message. */
static void test_other_cose(void **state)
{
    (void)state;
    static const uint8_t ct[LARCH_KEM_CT_MAX] = {1}, bytes[32] = {2}, key[32] = {0};
#define BODY                                                                 \
    {                                                                        \
        .present = ALG | IV, .protects = ALG, .alg = 30, .iv = { bytes, 13 } \
    }
#define TO                                                                                                         \
    {                                                                                                              \
        .present = ALG | KID | EK, .protects = ALG | KID, .alg = LARCH_COSE_ML_KEM_512, .kid = {bytes, 4}, .ek = { \
            ct,                                                                                                    \
            768                                                                                                    \
        }                                                                                                          \
    }
    const row rows[] = {
        {"sound", LARCH_DIRECT_OK, BODY, TO, 0, 0, 0},
        {"untagged", LARCH_DIRECT_BAD_COSE, BODY, TO, true, 0, 0},
        {"an encrypted key", LARCH_DIRECT_BAD_COSE, BODY, TO, 0, true, 0},
        {"two recipients", LARCH_DIRECT_BAD_COSE, BODY, TO, 0, 0, 2},
        {"another AEAD",
         LARCH_DIRECT_BAD_ALG,
         {.present = ALG | IV, .protects = ALG, .alg = 1, .iv = {bytes, 12}},
         TO,
         0,
         0,
         0},
        {"the algorithm is not protected",
         LARCH_DIRECT_BAD_COSE,
         {.present = ALG | IV, .alg = 30, .iv = {bytes, 13}},
         TO,
         0,
         0,
         0},
        {"the nonce is protected",
         LARCH_DIRECT_BAD_COSE,
         {.present = ALG | IV, .protects = ALG | IV, .alg = 30, .iv = {bytes, 13}},
         TO,
         0,
         0,
         0},
        {"a kid beside the nonce",
         LARCH_DIRECT_BAD_COSE,
         {.present = ALG | IV | KID, .protects = ALG, .alg = 30, .iv = {bytes, 13}, .kid = {bytes, 4}},
         TO,
         0,
         0,
         0},
        {"no kid",
         LARCH_DIRECT_BAD_COSE,
         BODY,
         {.present = ALG | EK, .protects = ALG, .alg = LARCH_COSE_ML_KEM_512, .ek = {ct, 768}},
         0,
         0,
         0},
        {"a kid that is not protected",
         LARCH_DIRECT_BAD_COSE,
         BODY,
         {.present = ALG | KID | EK, .protects = ALG, .alg = LARCH_COSE_ML_KEM_512, .kid = {bytes, 4}, .ek = {ct, 768}},
         0,
         0,
         0},
        {"a kid of 5 bytes",
         LARCH_DIRECT_BAD_COSE,
         BODY,
         {.present = ALG | KID | EK,
          .protects = ALG | KID,
          .alg = LARCH_COSE_ML_KEM_512,
          .kid = {bytes, 5},
          .ek = {ct, 768}},
         0,
         0,
         0},
        {"no ek",
         LARCH_DIRECT_BAD_COSE,
         BODY,
         {.present = ALG | KID, .protects = ALG | KID, .alg = LARCH_COSE_ML_KEM_512, .kid = {bytes, 4}},
         0,
         0,
         0},
        {"an ek of another set",
         LARCH_DIRECT_BAD_CT,
         BODY,
         {.present = ALG | KID | EK,
          .protects = ALG | KID,
          .alg = LARCH_COSE_ML_KEM_768,
          .kid = {bytes, 4},
          .ek = {ct, 768}},
         0,
         0,
         0},
        {"ECDH-ES + HKDF-256",
         LARCH_DIRECT_BAD_ALG,
         BODY,
         {.present = ALG | KID | EK, .protects = ALG | KID, .alg = -25, .kid = {bytes, 4}, .ek = {ct, 768}},
         0,
         0,
         0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static uint8_t out[LARCH_COAP_BODY_MAX * 2];
        const larch_cose_message to = {.header = rows[i].to, .content = {key, rows[i].key}}, both[] = {to, to};
        larch_writer w = larch_writer_to(out, sizeof out);
        larch_direct_sealed s;
        assert_int_equal(larch_cose_put_encrypt(&w, !rows[i].untagged, &rows[i].body,
                                                &(larch_cose_secrets){.key = {key, 16}}, LARCH_TEXT("x"), both,
                                                rows[i].count == 0 ? 1 : rows[i].count),
                         LARCH_OK);
        const larch_direct_answer answer = parse(out, w.len, &s);
        if (answer != rows[i].answer)
            fail_msg("%s: %s", rows[i].what, larch_direct_answer_text(answer));
    }
}

static void test_too_long_a_text(void **state)
{
    (void)state;
    static uint8_t text[LARCH_DIRECT_TEXT_MAX + 1], out[2 * LARCH_COAP_BODY_MAX];
    static const uint8_t ct[768], bytes[16];
    const larch_cose_header body = BODY;
    const larch_cose_message to = {.header = TO};
    for (size_t more = 0; more < 2; more++) {
        larch_writer w = larch_writer_to(out, sizeof out);
        larch_direct_sealed s;
        assert_int_equal(larch_cose_put_encrypt(&w, true, &body, &(larch_cose_secrets){.key = {bytes, 16}},
                                                (larch_bytes){text, LARCH_DIRECT_TEXT_MAX + more}, &to, 1),
                         LARCH_OK);
        assert_int_equal(parse(out, w.len, &s), more ? LARCH_DIRECT_BAD_TEXTLEN : LARCH_DIRECT_OK);
    }
}

/* ---- beside the other form -------------------------------------------------------- */

/* One secret gives each form a content key of its own: fields that are put into the other frame do not open. */
static void test_forms_are_apart(void **state)
{
    (void)state;
    const key_pair p = key_pair_of(larch_direct_kem_at(0), 5);
    uint8_t out[LARCH_COAP_BODY_MAX], text[64];
    larch_direct_sealed s;
    size_t text_len;
    const size_t len = seal(&p, LARCH_TEXT("Hello"), out, sizeof out, NULL);
    assert_int_equal(larch_direct_parse((larch_bytes){out, len}, &s), LARCH_DIRECT_BAD_TYPE);
    assert_int_equal(parse(out, len, &s), LARCH_DIRECT_OK);
    s.form = LARCH_DIRECT_FORM_FIELDS;
    assert_int_equal(larch_direct_open(&s, NULL, p.dk, text, sizeof text, &text_len, NULL), LARCH_AUTH);

    larch_sim_random seed = {.state = 9};
    const larch_random random = larch_sim_random_of(&seed);
    size_t fields_len;
    assert_int_equal(
        larch_direct_seal(p.kem, &random, NULL, ek_of(&p), LARCH_TEXT("Hello"), out, sizeof out, &fields_len, NULL),
        LARCH_OK);
    assert_int_equal(parse(out, fields_len, &s), LARCH_DIRECT_BAD_COSE);
    assert_int_equal(larch_direct_parse((larch_bytes){out, fields_len}, &s), LARCH_DIRECT_OK);
    s.form = LARCH_DIRECT_FORM_COSE;
    assert_int_equal(larch_direct_open(&s, NULL, p.dk, text, sizeof text, &text_len, NULL), LARCH_AUTH);
}

static void test_seal_refuses(void **state)
{
    (void)state;
    key_pair p = key_pair_of(larch_direct_kem_at(0), 1);
    uint8_t out[LARCH_COAP_BODY_MAX];
    larch_direct_receipt receipt;
    size_t len = 0;
    for (unsigned call = 1; call <= 3; call++) { /* the third: a key with a coefficient of q or more [FIPS203 7.2] */
        larch_sim_random seed = {.state = 1, .fails_at = call};
        const larch_random random = larch_sim_random_of(&seed);
        if (call == 3)
            memset(p.ek, 0xff, 3);
        memset(out, 0xaa, sizeof out);
        assert_int_equal(
            larch_direct_seal_cose(p.kem, &random, NULL, ek_of(&p), LARCH_TEXT("x"), out, sizeof out, &len, &receipt),
            call == 3 ? LARCH_MALFORMED : LARCH_PLATFORM);
        const size_t touched = p.kem->ct_len + 1 + LARCH_DIRECT_COSE_OVERHEAD - 2;
        assert_true(all_are(out, touched, 0) && all_are(out + touched, sizeof out - touched, 0xaa));
        assert_true(len == 0 && all_are((const uint8_t *)&receipt, sizeof receipt, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),           cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_byte_counts), cmocka_unit_test(test_other_cose),
        cmocka_unit_test(test_too_long_a_text),   cmocka_unit_test(test_forms_are_apart),
        cmocka_unit_test(test_seal_refuses),
    };
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests_name("direct_cose", tests, NULL, NULL);
}
