/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed message to the byte, its refusals, fingerprints and endorsements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "key_pair.h"
#include "larch/crypto.h"
#include "larch/direct.h"
#include "pq/pq.h"
#include "sim.h"

/* A message of the right lengths; what it holds does not matter to the parser. */
static larch_bytes frame(uint8_t *out, size_t ct_len, size_t text_len)
{
    size_t len = LARCH_DIRECT_OVERHEAD + ct_len + text_len;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(i * 31 + 7);
    out[0] = 3;
    out[1] = 0;
    out[2] = (uint8_t)ct_len;
    out[3] = (uint8_t)(ct_len >> 8);
    out[4] = (uint8_t)text_len;
    out[5] = (uint8_t)(text_len >> 8);
    return (larch_bytes){out, len};
}

/* ---- answers ----------------------------------------------------------- */

typedef struct answer_row {
    larch_direct_answer answer;
    const char *text;
    uint8_t code;
} answer_row;

static void test_answers(void **state)
{
    (void)state;
    static const answer_row rows[] = {
        {LARCH_DIRECT_OK, "OK", 0x44},
        {LARCH_DIRECT_REPLAY, "REPLAY", 0x81},
        {LARCH_DIRECT_BAD_LEN, "BAD_LEN", 0x80},
        {LARCH_DIRECT_BAD_TYPE, "BAD_TYPE", 0x80},
        {LARCH_DIRECT_BAD_CT, "BAD_CT", 0x80},
        {LARCH_DIRECT_BAD_TEXTLEN, "BAD_TEXTLEN", 0x80},
        {LARCH_DIRECT_BAD_COSE, "BAD_COSE", 0x80},
        {LARCH_DIRECT_BAD_ALG, "BAD_ALG", 0x80},
        {LARCH_DIRECT_AUTH_FAIL, "AUTH_FAIL", 0x80},
    };
    assert_int_equal(sizeof rows / sizeof rows[0], LARCH_DIRECT_ANSWER_COUNT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint8_t *text = (const uint8_t *)rows[i].text;
        size_t len = strlen(rows[i].text);
        assert_string_equal(larch_direct_answer_text(rows[i].answer), rows[i].text);
        assert_int_equal(larch_direct_answer_code(rows[i].answer), rows[i].code);
        assert_int_equal(larch_direct_answer_find((larch_bytes){text, len}), rows[i].answer);
        assert_int_equal(larch_direct_answer_find((larch_bytes){text, len - 1}), LARCH_DIRECT_ANSWER_COUNT);
        assert_int_equal(larch_direct_answer_find((larch_bytes){text, len + 1}), LARCH_DIRECT_ANSWER_COUNT);
    }
    assert_int_equal(larch_direct_answer_find((larch_bytes){NULL, 0}), LARCH_DIRECT_ANSWER_COUNT);
    assert_string_equal(larch_direct_answer_text(LARCH_DIRECT_ANSWER_COUNT), "?");
    assert_int_equal(larch_direct_answer_code(LARCH_DIRECT_ANSWER_COUNT), 0);
}

/* ---- parse ------------------------------------------------------------- */

typedef struct parse_row {
    const char *what;
    size_t at;
    uint8_t value;
    larch_direct_answer answer;
} parse_row;

static void test_parse_header(void **state)
{
    (void)state;
    static const parse_row rows[] = {
        {"sound", 0, 3, LARCH_DIRECT_OK},
        {"type 0", 0, 0, LARCH_DIRECT_BAD_TYPE},
        {"type 2", 0, 2, LARCH_DIRECT_BAD_TYPE},
        {"type 4", 0, 4, LARCH_DIRECT_BAD_TYPE},
        {"type 131", 0, 131, LARCH_DIRECT_BAD_TYPE},
        {"reserved", 1, 1, LARCH_DIRECT_BAD_TYPE},
        {"ct 769", 2, 1, LARCH_DIRECT_BAD_CT},
        {"ct 1024", 3, 4, LARCH_DIRECT_BAD_CT},
        {"ct 0", 3, 0, LARCH_DIRECT_BAD_CT},
        {"text one longer than there is", 4, 6, LARCH_DIRECT_BAD_LEN},
        {"text one shorter than there is", 4, 4, LARCH_DIRECT_BAD_LEN},
        {"text 261", 5, 1, LARCH_DIRECT_BAD_LEN},
        {"text 65285", 5, 0xff, LARCH_DIRECT_BAD_TEXTLEN},
    };
    uint8_t bytes[2048];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_direct_sealed s;
        larch_bytes payload = frame(bytes, 768, 5);
        bytes[rows[i].at] = rows[i].value;
        larch_direct_answer answer = larch_direct_parse(payload, &s);
        if (answer != rows[i].answer)
            print_error("row: %s\n", rows[i].what);
        assert_int_equal(answer, rows[i].answer);
        if (answer != LARCH_DIRECT_OK)
            assert_true(s.kem == NULL && s.nonce.len == 0 && s.kem_ct.len == 0 && s.sealed.len == 0);
    }
}

/* A set's ciphertext length with another set's bytes. */
static void test_parse_sets(void **state)
{
    (void)state;
    static uint8_t bytes[LARCH_COAP_BODY_MAX + LARCH_DIRECT_TEXT_MAX];
    const larch_kem *kem;
    larch_direct_sealed s;
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        size_t most = larch_direct_text_max(kem);
        assert_true(larch_direct_sealed_len(kem, most) <= LARCH_COAP_BODY_MAX && most <= LARCH_DIRECT_TEXT_MAX);
        const size_t texts[] = {0, 1, 64, most};
        for (size_t t = 0; t < 4; t++) {
            larch_bytes payload = frame(bytes, kem->ct_len, texts[t]);
            assert_int_equal(payload.len, larch_direct_sealed_len(kem, texts[t]));
            assert_int_equal(larch_direct_parse(payload, &s), LARCH_DIRECT_OK);
            assert_ptr_equal(s.kem, kem);
            assert_ptr_equal(s.nonce.data, bytes + 6);
            assert_int_equal(s.nonce.len, 12);
            assert_ptr_equal(s.kem_ct.data, bytes + 18);
            assert_int_equal(s.kem_ct.len, kem->ct_len);
            assert_ptr_equal(s.sealed.data, bytes + 18 + kem->ct_len);
            assert_int_equal(s.sealed.len, texts[t] + 16);
        }
        (void)frame(bytes, kem->ct_len, most + 1);
        assert_int_equal(larch_direct_parse((larch_bytes){bytes, larch_direct_sealed_len(kem, most + 1)}, &s),
                         LARCH_DIRECT_BAD_TEXTLEN);
    }
}

/* Every length but the one that C and L say. */
static void test_parse_lengths(void **state)
{
    (void)state;
    static uint8_t bytes[2048];
    larch_direct_sealed s;
    size_t exact = frame(bytes, 768, 9).len;
    for (size_t len = 0; len <= sizeof bytes; len++)
        assert_int_equal(larch_direct_parse((larch_bytes){bytes, len}, &s),
                         len == exact ? LARCH_DIRECT_OK : LARCH_DIRECT_BAD_LEN);
    assert_int_equal(larch_direct_parse((larch_bytes){NULL, 0}, &s), LARCH_DIRECT_BAD_LEN);
}

/* ---- seal and open ----------------------------------------------------- */

static void test_round_trip(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        const key_pair p = key_pair_of(kem, 1), other = key_pair_of(kem, 2);
        larch_sim_random seed = {.state = i};
        const larch_random random = larch_sim_random_of(&seed);
        const size_t texts[] = {0, 1, 64, larch_direct_text_max(kem)};
        for (size_t t = 0; t < 4; t++) {
            uint8_t text[LARCH_DIRECT_TEXT_MAX + 1], out[LARCH_COAP_BODY_MAX], again[LARCH_DIRECT_TEXT_MAX];
            size_t len = 0, text_len = 77;
            larch_direct_sealed s;
            memset(text, 0x41 + (int)t, sizeof text);
            const larch_bytes said = {text, texts[t]};
            size_t exact = larch_direct_sealed_len(kem, texts[t]);

            memset(out, 0xaa, sizeof out);
            assert_int_equal(larch_direct_seal(kem, &random, NULL, ek_of(&p), said, out, exact - 1, &len, NULL),
                             LARCH_SPACE);
            assert_true(all_are((const uint8_t *)&out, sizeof out, 0xaa));
            assert_int_equal(len, 0);
            assert_int_equal(larch_direct_seal(kem, &random, NULL, ek_of(&p), said, out, exact, &len, NULL), LARCH_OK);
            assert_int_equal(len, exact);
            assert_true(all_are(out + exact, sizeof out - exact, 0xaa));
            assert_int_equal(larch_direct_parse((larch_bytes){out, len}, &s), LARCH_DIRECT_OK);
            if (texts[t] > 0)
                assert_int_equal(larch_direct_open(&s, NULL, p.dk, again, texts[t] - 1, &text_len, NULL), LARCH_SPACE);
            assert_int_equal(larch_direct_open(&s, NULL, p.dk, again, texts[t], &text_len, NULL), LARCH_OK);
            assert_int_equal(text_len, texts[t]);
            assert_memory_equal(again, text, text_len);
            memset(again, 0xaa, sizeof again);
            assert_int_equal(larch_direct_open(&s, NULL, other.dk, again, sizeof again, &text_len, NULL), LARCH_AUTH);
            assert_true(all_are(again, texts[t], 0));

            /* Each message encapsulates anew, under a nonce of its own. */
            uint8_t second[LARCH_COAP_BODY_MAX];
            assert_int_equal(larch_direct_seal(kem, &random, NULL, ek_of(&p), said, second, sizeof second, &len, NULL),
                             LARCH_OK);
            assert_memory_not_equal(out + 6, second + 6, 12);
            assert_memory_not_equal(out + 18, second + 18, kem->ct_len);
        }
    }
}

/* A bit of every byte: refused by the parser where it sees it, else indistinguishably. */
static void test_every_byte_counts(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        const key_pair p = key_pair_of(kem, 3);
        larch_sim_random seed = {.state = 9};
        const larch_random random = larch_sim_random_of(&seed);
        uint8_t out[LARCH_COAP_BODY_MAX], text[64];
        size_t len, text_len;
        assert_int_equal(larch_direct_seal(kem, &random, NULL, ek_of(&p), LARCH_TEXT("temperature 21.5"), out,
                                           sizeof out, &len, NULL),
                         LARCH_OK);
        for (size_t at = 0; at < len; at++) {
            larch_direct_sealed s;
            out[at] ^= (uint8_t)(1u << at % 8);
            larch_direct_answer answer = larch_direct_parse((larch_bytes){out, len}, &s);
            if (at < 6) {
                assert_int_not_equal(answer, LARCH_DIRECT_OK);
            } else {
                assert_int_equal(answer, LARCH_DIRECT_OK);
                memset(text, 0xaa, sizeof text);
                assert_int_equal(larch_direct_open(&s, NULL, p.dk, text, sizeof text, &text_len, NULL), LARCH_AUTH);
                assert_true(all_are(text, 16, 0));
                assert_true(all_are(text + 16, sizeof text - 16, 0xaa));
            }
            out[at] ^= (uint8_t)(1u << at % 8);
        }
    }
}

static void test_seal_refuses(void **state)
{
    (void)state;
    const larch_kem *kem = larch_direct_kem_at(0);
    key_pair p = key_pair_of(kem, 1);
    uint8_t out[LARCH_COAP_BODY_MAX + 64], ss[LARCH_KEM_SS_LEN];
    static const uint8_t long_text[LARCH_DIRECT_TEXT_MAX + 1];
    larch_sim_random seed = {.state = 1};
    const larch_random random = larch_sim_random_of(&seed);
    size_t len = 0;

    memset(out, 0xaa, sizeof out);
    assert_int_equal(
        larch_direct_seal(kem, &random, NULL, ek_of(&p), LARCH_BYTES(long_text), out, sizeof out, &len, NULL),
        LARCH_SPACE);
    assert_true(all_are((const uint8_t *)&out, sizeof out, 0xaa));
    for (unsigned call = 1; call <= 2; call++) {
        seed = (larch_sim_random){.state = 1, .fails_at = call};
        memset(out, 0xaa, sizeof out);
        assert_int_equal(larch_direct_seal(kem, &random, NULL, ek_of(&p), LARCH_TEXT("x"), out, sizeof out, &len, NULL),
                         LARCH_PLATFORM);
        size_t touched = larch_direct_sealed_len(kem, 1);
        assert_true(all_are(out, touched, 0) && all_are(out + touched, sizeof out - touched, 0xaa));
    }
    seed = (larch_sim_random){.state = 1, .fails_at = 1};
    assert_int_equal(larch_direct_next_ask(kem, &random, ek_of(&p), out, sizeof out, &len, ss), LARCH_PLATFORM);
    assert_true(all_are(ss, sizeof ss, 0));
    assert_int_equal(len, 0);
    seed = (larch_sim_random){.state = 1};
    assert_int_equal(larch_direct_seal(kem, &random, NULL, ek_of(&p), LARCH_TEXT("x"), out, sizeof out, &len, NULL),
                     LARCH_OK);
    assert_int_equal(seed.calls, 2); /* so the sweep above saw all */

    /* A coefficient of q or more: not a key. [FIPS203 7.2] */
    p.ek[0] = 0xff;
    p.ek[1] |= 0x0f;
    len = 0;
    memset(out, 0xaa, sizeof out);
    assert_int_equal(larch_direct_seal(kem, &random, NULL, ek_of(&p), LARCH_TEXT("x"), out, sizeof out, &len, NULL),
                     LARCH_MALFORMED);
    assert_true(all_are(out, larch_direct_sealed_len(kem, 1), 0));
    assert_int_equal(len, 0);
}

/* As a prototype board puts it together: layout and derivation from the primitives alone. */
static void test_prototype_message(void **state)
{
    (void)state;
    const larch_kem *kem = larch_kem_find(512);
    const key_pair p = key_pair_of(kem, 5);
    uint8_t m[32], ss[32], key[16], message[18 + 768 + 5 + 16], text[64];
    size_t text_len;
    larch_direct_sealed s;
    memset(m, 0x11, sizeof m);
    const uint8_t header[] = {3, 0, 0x00, 0x03, 5, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    memcpy(message, header, sizeof header);
    kem->functions->encaps(p.ek, m, message + 18, ss);
    assert_int_equal(larch_hkdf_sha256((larch_bytes){NULL, 0}, LARCH_BYTES(ss), LARCH_TEXT("ML-KEM-AEAD"), key, 16),
                     LARCH_OK);
    assert_int_equal(larch_ccm_seal(key, (larch_bytes){message + 6, 12}, (larch_bytes){NULL, 0}, LARCH_TEXT("Hello"),
                                    16, message + 18 + 768, 5 + 16),
                     LARCH_OK);
    assert_int_equal(larch_direct_parse(LARCH_BYTES(message), &s), LARCH_DIRECT_OK);
    assert_int_equal(larch_direct_open(&s, NULL, p.dk, text, sizeof text, &text_len, NULL), LARCH_OK);
    assert_int_equal(text_len, 5);
    assert_memory_equal(text, "Hello", 5);
}

/* Of the key derivations, computed with Python's hashlib and hmac. */
static void test_derivations(void **state)
{
    (void)state;
    static const uint8_t direct_key[] = {0xd0, 0xe8, 0x58, 0x9b, 0x35, 0x43, 0xbe, 0x71,
                                         0xec, 0x2f, 0xea, 0xaa, 0xd7, 0x27, 0xe0, 0x98};
    static const uint8_t next_tag[] = {0x1e, 0xc7, 0x2f, 0x98, 0xe1, 0xd0, 0xb8, 0x9f,
                                       0x10, 0xa3, 0x10, 0xea, 0x31, 0x41, 0xe5, 0xf6};
    static const uint8_t root_tag[] = {0x71, 0x7c, 0x21, 0x67, 0x34, 0xa8, 0x97, 0xdc,
                                       0x98, 0x15, 0x85, 0x0c, 0xf1, 0x38, 0xc3, 0x36};
    uint8_t ss[32], key[16], old_hash[32], answer[48], new_hash[32];
    memset(ss, 0x42, sizeof ss);
    assert_int_equal(larch_hkdf_sha256((larch_bytes){NULL, 0}, LARCH_BYTES(ss), LARCH_TEXT("ML-KEM-AEAD"), key, 16),
                     LARCH_OK);
    assert_memory_equal(key, direct_key, 16);
    memset(old_hash, 1, sizeof old_hash);
    memset(answer, 2, 32);
    memcpy(answer + 32, next_tag, 16);
    assert_int_equal(larch_direct_next_check(ss, old_hash, LARCH_BYTES(answer), new_hash), LARCH_OK);
    assert_memory_equal(new_hash, answer, 32);
    assert_int_equal(larch_direct_root_check(ss, old_hash, LARCH_BYTES(answer), new_hash), LARCH_AUTH);
    memcpy(answer + 32, root_tag, 16);
    assert_int_equal(larch_direct_root_check(ss, old_hash, LARCH_BYTES(answer), new_hash), LARCH_OK);
    assert_memory_equal(new_hash, answer, 32);
    assert_int_equal(larch_direct_next_check(ss, old_hash, LARCH_BYTES(answer), new_hash), LARCH_AUTH);
}

typedef struct steps {
    unsigned begun[LARCH_STEP_COUNT], ended[LARCH_STEP_COUNT];
} steps;

static void count_step(void *context, larch_step step, bool begin, size_t bytes)
{
    steps *s = context;
    (void)bytes;
    (begin ? s->begun : s->ended)[step]++;
}

static void test_trace(void **state)
{
    (void)state;
    const larch_kem *kem = larch_direct_kem_at(0);
    const key_pair p = key_pair_of(kem, 1);
    steps seen = {{0}, {0}};
    const larch_trace trace = {count_step, &seen};
    larch_sim_random seed = {.state = 1};
    const larch_random random = larch_sim_random_of(&seed);
    uint8_t out[LARCH_COAP_BODY_MAX], text[8];
    size_t len, text_len;
    larch_direct_sealed s;
    assert_int_equal(larch_direct_seal(kem, &random, &trace, ek_of(&p), LARCH_TEXT("x"), out, sizeof out, &len, NULL),
                     LARCH_OK);
    out[20] ^= 1;
    assert_int_equal(larch_direct_parse((larch_bytes){out, len}, &s), LARCH_DIRECT_OK);
    assert_int_equal(larch_direct_open(&s, &trace, p.dk, text, sizeof text, &text_len, NULL), LARCH_AUTH);
    assert_memory_equal(seen.begun, seen.ended, sizeof seen.begun);
    assert_int_equal(seen.begun[LARCH_STEP_KEM_ENCAPS], 1);
    assert_int_equal(seen.begun[LARCH_STEP_KEM_DECAPS], 1);
    assert_int_equal(seen.begun[LARCH_STEP_KDF], 2);
    assert_int_equal(seen.begun[LARCH_STEP_OPEN], 1); /* a wrong ciphertext goes the whole way */
}

/* ---- fingerprint ------------------------------------------------------- */

static void test_fingerprint(void **state)
{
    (void)state;
    uint8_t ek[800], hash[32];
    larch_fingerprint again;
    char text[LARCH_FINGERPRINT_TEXT_LEN + 1];
    static const uint8_t expected[32] = {0x7c, 0x8c, 0xee, 0x42, 0xfd, 0xab, 0xf9, 0xdb, 0x56, 0x18, 0x60,
                                         0x8d, 0x59, 0xe3, 0x41, 0x29, 0xe2, 0x9f, 0xa6, 0xf9, 0xe9, 0x4c,
                                         0x84, 0xcc, 0xdb, 0xd0, 0xa1, 0xe1, 0x55, 0x94, 0x1c, 0xaf};
    for (size_t i = 0; i < sizeof ek; i++)
        ek[i] = (uint8_t)(i * 7 + 3);
    assert_int_equal(larch_direct_key_hash(LARCH_BYTES(ek), hash), LARCH_OK);
    assert_memory_equal(hash, expected, sizeof hash);
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, hash, text);
    assert_string_equal(text, "larch1:psgo4qx5vp45wvqymcgvty2bfhrj7jxz");
    assert_int_equal(strlen(text), LARCH_FINGERPRINT_TEXT_LEN);
    assert_int_equal(larch_fingerprint_parse((larch_bytes){(uint8_t *)text, strlen(text)}, &again), LARCH_OK);
    assert_memory_equal(again.bytes, hash, sizeof again.bytes);
    assert_int_equal(larch_fingerprint_parse(LARCH_TEXT("larch1:PSGO4QX5VP45WVQYMCGVTY2BFHRJ7JXZ"), &again), LARCH_OK);
    assert_memory_equal(again.bytes, hash, sizeof again.bytes);

    for (uint8_t i = 0; i < LARCH_FINGERPRINT_LEN; i++)
        again.bytes[i] = i;
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, again.bytes, text);
    assert_string_equal(text, "larch1:aaaqeayeaudaocajbifqydiob4ibceqt");
    memset(again.bytes, 0xff, sizeof again.bytes);
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, again.bytes, text);
    assert_string_equal(text, "larch1:77777777777777777777777777777777");
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, again.bytes, text);
    assert_string_equal(text, "larch2:77777777777777777777777777777777");
    assert_int_equal(larch_fingerprint_parse(LARCH_TEXT("larch2:77777777777777777777777777777777"), &again), LARCH_OK);
    assert_int_equal(again.kind, LARCH_FINGERPRINT_IDENTITY);
}

static void test_fingerprint_refused(void **state)
{
    (void)state;
    static const char sound[] = "larch1:aaaqeayeaudaocajbifqydiob4ibceqt";
    char text[LARCH_FINGERPRINT_TEXT_LEN + 2] = {0};
    larch_fingerprint out;
    memset(&out, 0xaa, sizeof out);
    for (size_t len = 0; len <= LARCH_FINGERPRINT_TEXT_LEN + 1; len++) {
        memcpy(text, sound, sizeof sound);
        if (len != LARCH_FINGERPRINT_TEXT_LEN)
            assert_int_equal(larch_fingerprint_parse((larch_bytes){(uint8_t *)text, len}, &out), LARCH_MALFORMED);
    }
    for (size_t at = 0; at < LARCH_FINGERPRINT_TEXT_LEN; at++) {
        static const char wrong[] = {'\0', ' ', '0', '1', '8', '9', '=', '@', '[', '`', '{', '-', '\x80', '\xff'};
        for (size_t i = 0; i < sizeof wrong; i++) {
            memcpy(text, sound, sizeof sound);
            if (text[at] == wrong[i])
                continue;
            text[at] = wrong[i];
            assert_int_equal(larch_fingerprint_parse((larch_bytes){(uint8_t *)text, sizeof sound - 1}, &out),
                             LARCH_MALFORMED);
        }
    }
    assert_true(all_are((const uint8_t *)&out, sizeof out, 0xaa));
}

/* ---- receipts ----------------------------------------------------------- */

/* Computed with Python's hashlib and hmac, for a shared secret of 32 bytes 0x42 and a message hash of 32 bytes 7. */
static const uint8_t receipt_key[32] = {0x5c, 0xab, 0x68, 0xb7, 0xff, 0x41, 0x0f, 0x9d, 0xd7, 0x4a, 0x96,
                                        0x32, 0x1e, 0xbf, 0x3c, 0xbd, 0x5d, 0x3c, 0x86, 0x23, 0xbc, 0x24,
                                        0x11, 0xc7, 0x5b, 0x4d, 0x29, 0xc9, 0x40, 0xfd, 0x87, 0xf9};

static void test_receipt_tags(void **state)
{
    (void)state;
    static const struct {
        uint8_t code, tag[16];
    } rows[] = {
        {0x44, {0x84, 0x36, 0x26, 0x53, 0x07, 0x7b, 0x9e, 0xcf, 0xa2, 0xaa, 0x65, 0x41, 0xf1, 0x7e, 0x1b, 0xed}},
        {0x81, {0xba, 0x8d, 0x0e, 0xca, 0xcc, 0xb3, 0xf5, 0x9a, 0x9b, 0xd1, 0x95, 0xff, 0x30, 0xc5, 0x82, 0x9e}}};
    larch_direct_receipt receipt;
    memcpy(receipt.key, receipt_key, sizeof receipt.key);
    memset(receipt.message_hash, 7, sizeof receipt.message_hash);
    for (size_t i = 0; i < 2; i++) {
        uint8_t tag[LARCH_DIRECT_TAG_LEN + 1] = {0};
        const larch_bytes whole = {tag, LARCH_DIRECT_TAG_LEN};
        assert_int_equal(larch_direct_receipt_make(&receipt, rows[i].code, tag), LARCH_OK);
        assert_memory_equal(tag, rows[i].tag, LARCH_DIRECT_TAG_LEN);
        for (size_t len = 0; len <= sizeof tag; len++)
            assert_int_equal(larch_direct_receipt_check(&receipt, rows[i].code, (larch_bytes){tag, len}),
                             len == LARCH_DIRECT_TAG_LEN ? LARCH_OK : LARCH_MALFORMED);
        assert_int_equal(larch_direct_receipt_check(&receipt, rows[i].code ^ 1, whole), LARCH_AUTH);
        assert_int_equal(larch_direct_receipt_check(&receipt, rows[1 - i].code, whole), LARCH_AUTH);
        for (size_t at = 0; at < LARCH_DIRECT_TAG_LEN; at++) {
            tag[at] ^= 0x04;
            assert_int_equal(larch_direct_receipt_check(&receipt, rows[i].code, whole), LARCH_AUTH);
            tag[at] ^= 0x04;
        }
    }
}

/* Sender and gateway come to one receipt, which names the message to the byte; without a genuine message there is
 * none. */
static void test_receipts(void **state)
{
    (void)state;
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        const key_pair p = key_pair_of(kem, 1);
        larch_sim_random seed = {.state = i};
        const larch_random random = larch_sim_random_of(&seed);
        uint8_t out[LARCH_COAP_BODY_MAX], text[8], hash[32], ss[LARCH_KEM_SS_LEN], key[32];
        larch_direct_receipt sent, got;
        larch_direct_sealed s;
        size_t len, text_len;
        assert_int_equal(
            larch_direct_seal(kem, &random, NULL, ek_of(&p), LARCH_TEXT("Hello"), out, sizeof out, &len, &sent),
            LARCH_OK);
        const larch_bytes message = {out, len};
        assert_int_equal(larch_direct_parse(message, &s), LARCH_DIRECT_OK);
        assert_int_equal(larch_direct_open(&s, NULL, p.dk, text, sizeof text, &text_len, &got), LARCH_OK);
        assert_memory_equal(&sent, &got, sizeof sent);
        assert_int_equal(larch_sha256(&message, 1, hash), LARCH_OK);
        assert_memory_equal(got.message_hash, hash, sizeof hash);
        assert_int_equal(larch_kem_decaps(kem, p.dk, s.kem_ct, ss), LARCH_OK);
        assert_int_equal(
            larch_hkdf_sha256((larch_bytes){0}, LARCH_BYTES(ss), LARCH_TEXT("larch-receipt"), key, sizeof key),
            LARCH_OK);
        assert_memory_equal(got.key, key, sizeof key);
        memset(&got, 0xaa, sizeof got);
        assert_int_equal(larch_direct_open_with(&s, NULL, ss, text, sizeof text, &text_len, &got), LARCH_OK);
        assert_memory_equal(&sent, &got, sizeof sent);

        memset(&got, 0xaa, sizeof got);
        assert_int_equal(larch_direct_open(&s, NULL, p.dk, text, 4, &text_len, &got), LARCH_SPACE);
        assert_true(all_are((const uint8_t *)&got, sizeof got, 0));
        out[len - 1] ^= 1;
        memset(&got, 0xaa, sizeof got);
        assert_int_equal(larch_direct_open(&s, NULL, p.dk, text, sizeof text, &text_len, &got), LARCH_AUTH);
        assert_true(all_are((const uint8_t *)&got, sizeof got, 0));

        memset(&sent, 0xaa, sizeof sent);
        assert_int_equal(
            larch_direct_seal(kem, &random, NULL, ek_of(&p), LARCH_TEXT("Hello"), out, len - 1, &len, &sent),
            LARCH_SPACE);
        assert_true(all_are((const uint8_t *)&sent, sizeof sent, 0));
        seed = (larch_sim_random){.state = 1, .fails_at = 2};
        memset(&sent, 0xaa, sizeof sent);
        assert_int_equal(
            larch_direct_seal(kem, &random, NULL, ek_of(&p), LARCH_TEXT("Hello"), out, sizeof out, &len, &sent),
            LARCH_PLATFORM);
        assert_true(all_are((const uint8_t *)&sent, sizeof sent, 0));
    }
}

/* ---- endorsement ------------------------------------------------------- */

/* A key says one of two things; neither answer passes for the other. */
typedef struct statement {
    larch_error (*answer)(const larch_kem *kem, const uint8_t *dk, larch_bytes kem_ct, const uint8_t asked_hash[32],
                          const uint8_t said_hash[32], uint8_t out[LARCH_DIRECT_NEXT_LEN]);
    larch_error (*check)(const uint8_t ss[LARCH_KEM_SS_LEN], const uint8_t asked_hash[32], larch_bytes answer,
                         uint8_t said_hash[32]);
} statement;

static void try_statement(const statement *says, const statement *other)
{
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        const key_pair old = key_pair_of(kem, 6), fresh = key_pair_of(kem, 7), stranger = key_pair_of(kem, 8);
        larch_sim_random seed = {.state = 3};
        const larch_random random = larch_sim_random_of(&seed);
        uint8_t question[LARCH_DIRECT_HINT_LEN + LARCH_KEM_CT_MAX], ss[32], old_hash[32], new_hash[32], got[32];
        uint8_t answer[LARCH_DIRECT_NEXT_LEN + 1];
        const larch_kem *asked;
        larch_bytes hint, kem_ct;
        size_t len = 0, exact = LARCH_DIRECT_HINT_LEN + (size_t)kem->ct_len;
        assert_int_equal(larch_direct_key_hash(ek_of(&old), old_hash), LARCH_OK);
        assert_int_equal(larch_direct_key_hash(ek_of(&fresh), new_hash), LARCH_OK);

        assert_int_equal(larch_direct_next_ask(kem, &random, ek_of(&old), question, exact - 1, &len, ss), LARCH_SPACE);
        assert_int_equal(len, 0);
        assert_int_equal(larch_direct_next_ask(kem, &random, ek_of(&old), question, exact, &len, ss), LARCH_OK);
        assert_int_equal(len, exact);
        for (size_t n = 0; n <= sizeof question; n++) {
            larch_error e = larch_direct_next_parse((larch_bytes){question, n}, &asked, &hint, &kem_ct);
            assert_int_equal(e, n == 4 + 768 || n == 4 + 1088 || n == 4 + 1120 || n == 4 + 1568 ? LARCH_OK
                                                                                                : LARCH_MALFORMED);
        }
        assert_int_equal(larch_direct_next_parse((larch_bytes){question, len}, &asked, &hint, &kem_ct), LARCH_OK);
        assert_ptr_equal(asked, kem);
        assert_int_equal(hint.len, 4);
        assert_memory_equal(hint.data, old_hash, 4);
        assert_ptr_equal(kem_ct.data, question + 4);
        assert_int_equal(kem_ct.len, kem->ct_len);

        assert_int_equal(says->answer(kem, old.dk, kem_ct, old_hash, new_hash, answer), LARCH_OK);
        const larch_bytes genuine = {answer, LARCH_DIRECT_NEXT_LEN};
        assert_int_equal(says->check(ss, old_hash, genuine, got), LARCH_OK);
        assert_memory_equal(got, new_hash, 32);
        assert_int_equal(other->check(ss, old_hash, genuine, got), LARCH_AUTH);
        assert_true(all_are(got, 32, 0));

        for (size_t at = 0; at < LARCH_DIRECT_NEXT_LEN; at++) {
            answer[at] ^= 0x10;
            memset(got, 0xaa, sizeof got);
            assert_int_equal(says->check(ss, old_hash, genuine, got), LARCH_AUTH);
            assert_true(all_are(got, 32, 0));
            answer[at] ^= 0x10;
        }
        for (size_t n = 0; n <= sizeof answer; n++)
            if (n != LARCH_DIRECT_NEXT_LEN)
                assert_int_equal(says->check(ss, old_hash, (larch_bytes){answer, n}, got), LARCH_MALFORMED);
        assert_int_equal(says->check(ss, new_hash, genuine, got), LARCH_AUTH);

        /* Who does not hold the old key, or answers another question. */
        assert_int_equal(says->answer(kem, stranger.dk, kem_ct, old_hash, new_hash, answer), LARCH_OK);
        assert_int_equal(says->check(ss, old_hash, genuine, got), LARCH_AUTH);
        question[4] ^= 1;
        assert_int_equal(says->answer(kem, old.dk, kem_ct, old_hash, new_hash, answer), LARCH_OK);
        assert_int_equal(says->check(ss, old_hash, genuine, got), LARCH_AUTH);
        kem_ct.len--;
        memset(answer, 0xaa, sizeof answer);
        assert_int_equal(says->answer(kem, old.dk, kem_ct, old_hash, new_hash, answer), LARCH_MALFORMED);
        assert_true(all_are(answer, sizeof answer, 0xaa));
    }
}

static void test_endorsement(void **state)
{
    (void)state;
    static const statement next = {larch_direct_next_answer, larch_direct_next_check},
                           root = {larch_direct_root_answer, larch_direct_root_check};
    try_statement(&next, &root);
    try_statement(&root, &next);
}

static int setup(void **state)
{
    (void)state;
    return larch_crypto_init() == LARCH_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),      cmocka_unit_test(test_parse_header),
        cmocka_unit_test(test_parse_sets),   cmocka_unit_test(test_parse_lengths),
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_seal_refuses), cmocka_unit_test(test_prototype_message),
        cmocka_unit_test(test_derivations),  cmocka_unit_test(test_trace),
        cmocka_unit_test(test_fingerprint),  cmocka_unit_test(test_fingerprint_refused),
        cmocka_unit_test(test_endorsement),  cmocka_unit_test(test_receipt_tags),
        cmocka_unit_test(test_receipts),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
