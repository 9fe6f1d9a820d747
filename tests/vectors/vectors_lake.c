/* SPDX-License-Identifier: Apache-2.0 */
/* LAKE against the traces of RFC 9529 and of edhoc-psk, and against traces that other libraries computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lake/lake_int.h"
#include "larch/crypto.h"
#include "vectors/vectors.h"

static vectors v;
static uint8_t scratch[LARCH_LAKE_SCRATCH];

/* ---- what a record says ------------------------------------------------------ */

/* A value that stays until the next record. */
static larch_bytes value(const char *key)
{
    static uint8_t memory[1 << 18];
    static size_t at;
    static unsigned long record;
    if (record != v.records || at > sizeof memory - (1 << 14))
        at = 0;
    record = v.records;
    const larch_bytes bytes = vectors_hex(&v, key, memory + at, sizeof memory - at);
    at += bytes.len;
    return bytes;
}

static void assert_is(const char *key, const uint8_t *bytes, size_t len)
{
    const larch_bytes expected = value(key);
    assert_int_equal(len, expected.len);
    assert_memory_equal(bytes, expected.data, len);
}

static void assert_written(const char *key, const larch_writer *w) { assert_is(key, w->data, w->len); }

/* ---- parties ------------------------------------------------------------------ */

/* Gives these bytes, one piece a call, then zeros: the deterministic variant of ML-DSA. */
typedef struct script {
    larch_bytes pieces[2];
    size_t next;
} script;

static larch_error play(void *context, uint8_t *out, size_t len)
{
    script *s = context;
    memset(out, 0, len);
    if (s->next < 2 && s->pieces[s->next].len > 0) {
        assert_int_equal(len, s->pieces[s->next].len);
        memcpy(out, s->pieces[s->next].data, len);
    }
    s->next++;
    return LARCH_OK;
}

static larch_lake_credential known; /* whatever the reference says */

static larch_error find_known(void *context, const larch_lake_reference *reference, unsigned attempt,
                              larch_lake_credential *out)
{
    (void)context, (void)reference;
    *out = known;
    return attempt == 0 ? LARCH_OK : LARCH_AUTH;
}

static larch_lake_party party_of(const larch_lake_suite *const *suites, size_t count, script *random)
{
    return (larch_lake_party){.suites = suites,
                              .suite_count = count,
                              .methods = 0xff,
                              .find = find_known,
                              .random = {play, random},
                              .scratch = scratch,
                              .scratch_size = sizeof scratch};
}

static larch_lake_session initiator, responder;
static uint8_t bytes_1[2048], bytes_2[4096], bytes_3[4096], bytes_4[64];
static larch_writer message_1, message_2, message_3, message_4;
static larch_lake_message_1 parsed_1;
static larch_lake_received received;

static larch_bytes written(const larch_writer *w) { return (larch_bytes){w->data, w->len}; }

static void begin(void)
{
    larch_lake_init(&initiator, LARCH_LAKE_INITIATOR);
    larch_lake_init(&responder, LARCH_LAKE_RESPONDER);
    message_1 = larch_writer_to(bytes_1, sizeof bytes_1);
    message_2 = larch_writer_to(bytes_2, sizeof bytes_2);
    message_3 = larch_writer_to(bytes_3, sizeof bytes_3);
    message_4 = larch_writer_to(bytes_4, sizeof bytes_4);
}

/* The handshake, which must have the record's messages. own_i and own_r: of method 4 both the same. */
static void shake(const larch_lake_party *i, const larch_lake_party *r, unsigned method, size_t suite, larch_bytes c_i,
                  larch_bytes c_r, const larch_lake_credential *own_i, const larch_lake_credential *own_r)
{
    const larch_lake_answer answer = {.c_r = c_r, .own = own_r};
    const larch_bytes none = {0};
    begin();
    assert_int_equal(larch_lake_compose_message_1(&initiator, i, method, suite, c_i, none, &message_1), LARCH_OK);
    assert_written("message_1", &message_1);
    assert_int_equal(larch_lake_process_message_1(&responder, r, written(&message_1), &parsed_1), LARCH_OK);
    assert_is("H_message_1", responder.th, responder.keys.suite->hash_len);
    assert_int_equal(larch_lake_compose_message_2(&responder, r, &parsed_1, &answer, &message_2), LARCH_OK);
    assert_written("message_2", &message_2);
    assert_is("TH_3", responder.th, responder.keys.suite->hash_len);
    known = *own_r;
    assert_int_equal(larch_lake_process_message_2(&initiator, i, written(&message_2), &received), LARCH_OK);
    assert_is("TH_3", initiator.th, initiator.keys.suite->hash_len);
    assert_is(vectors_has(&v, "PRK_3e2m") ? "PRK_3e2m" : "PRK_2e", initiator.prk, initiator.keys.suite->hash_len);
    assert_int_equal(larch_lake_compose_message_3(&initiator, i, own_i, none, &message_3), LARCH_OK);
    assert_written("message_3", &message_3);
    known = *own_i;
    assert_int_equal(larch_lake_process_message_3(&responder, r, written(&message_3), &received), LARCH_OK);
    assert_is("TH_4", responder.th, responder.keys.suite->hash_len);
    assert_is("PRK_4e3m", responder.prk, responder.keys.suite->hash_len);
    assert_int_equal(larch_lake_compose_message_4(&responder, r, none, &message_4), LARCH_OK);
    assert_written("message_4", &message_4);
    assert_int_equal(larch_lake_process_message_4(&initiator, i, written(&message_4), &received), LARCH_OK);
}

static void check_keys(const larch_lake_session *s)
{
    const larch_lake_keys *keys = larch_lake_keys_of(s);
    assert_non_null(keys);
    assert_is("PRK_out", keys->prk_out, keys->suite->hash_len);
    assert_is("PRK_exporter", keys->prk_exporter, keys->suite->hash_len);
}

static void check_export(const larch_lake_keys *keys, unsigned label, const char *key)
{
    uint8_t out[64];
    const size_t len = value(key).len;
    assert_int_equal(larch_lake_export(keys, (uint16_t)label, (larch_bytes){0}, out, len), LARCH_OK);
    assert_is(key, out, len);
}

static bool has_x_only(void)
{
    static const uint8_t one[32] = {[31] = 1};
    uint8_t point[64], shared[32];
    return larch_p256_public(one, point) == LARCH_OK &&
           larch_p256_ecdh(one, (larch_bytes){point, 32}, shared) == LARCH_OK;
}

static const larch_lake_suite unknown_6 = {.number = 6, .key_exchange = LARCH_LAKE_P256, .supports_dh = true};

/* ---- RFC 9529, trace 2: negotiation, static Diffie-Hellman ---------------------- */

static void test_trace_2(void **state)
{
    script random_i = {0}, random_r = {0};
    const larch_lake_suite *const suites[] = {&unknown_6, larch_lake_suite_find(2)};
    const larch_lake_party i = party_of(suites, 2, &random_i), r = party_of(suites + 1, 1, &random_r);
    larch_lake_error error;
    larch_lake_oscore oscore;
    size_t chosen = 0;
    (void)state;
    if (!has_x_only()) {
        print_message("skipped: vectors.lake: this provider needs both coordinates of a point\n");
        skip();
    }
    vectors_open(&v, "rfc/rfc9529_trace2_method3_suite2.txt");
    assert_true(vectors_next(&v));
    begin();
    assert_int_equal(larch_lake_process_message_1(&responder, &r, value("first_message_1"), &parsed_1), LARCH_STATE);
    assert_int_equal(larch_lake_compose_error(&responder, &r, &message_2), LARCH_OK);
    assert_written("error", &message_2);
    assert_int_equal(larch_lake_parse_error(written(&message_2), &error), LARCH_OK);
    assert_int_equal(larch_lake_choose_suite(&i, &error, 0, &chosen), LARCH_OK);
    assert_int_equal(chosen, 1);

    const larch_lake_credential own_i = {.id_cred = value("ID_CRED_I_cbor"),
                                         .cred_i = value("CRED_I_cbor"),
                                         .key = {.kty = LARCH_COSE_EC2,
                                                 .crv = LARCH_COSE_P256,
                                                 .x = value("PK_I"),
                                                 .y = value("PK_I_y"),
                                                 .d = value("SK_I")}};
    const larch_lake_credential own_r = {.id_cred = value("ID_CRED_R_cbor"),
                                         .cred_r = value("CRED_R_cbor"),
                                         .key = {.kty = LARCH_COSE_EC2,
                                                 .crv = LARCH_COSE_P256,
                                                 .x = value("PK_R"),
                                                 .y = value("PK_R_y"),
                                                 .d = value("SK_R")}};
    random_i.pieces[0] = value("X");
    random_r.pieces[0] = value("Y");
    shake(&i, &r, LARCH_LAKE_METHOD_STATIC_DH, chosen, value("C_I"), value("C_R"), &own_i, &own_r);
    check_keys(&initiator);
    check_keys(&responder);
    assert_int_equal(larch_lake_derive_oscore(larch_lake_keys_of(&initiator), &oscore), LARCH_OK);
    assert_int_equal(oscore.aead->number, 10);
    assert_int_equal(oscore.hash, LARCH_COSE_SHA_256);
    assert_is("OSCORE_Master_Secret", oscore.master_secret, oscore.master_secret_len);
    assert_is("OSCORE_Master_Salt", oscore.master_salt, sizeof oscore.master_salt);
    assert_is("Client_OSCORE_Sender_ID", oscore.sender_id.bytes, oscore.sender_id.len);
    assert_is("Server_OSCORE_Sender_ID", oscore.recipient_id.bytes, oscore.recipient_id.len);
    assert_int_equal(larch_lake_derive_oscore(larch_lake_keys_of(&responder), &oscore), LARCH_OK);
    assert_is("Server_OSCORE_Sender_ID", oscore.sender_id.bytes, oscore.sender_id.len);
    larch_lake_keys keys = *larch_lake_keys_of(&responder);
    assert_int_equal(larch_lake_update_keys(&keys, value("context_for_KeyUpdate")), LARCH_OK);
    assert_is("PRK_out_after_KeyUpdate", keys.prk_out, 32);
    assert_is("PRK_exporter_after_KeyUpdate", keys.prk_exporter, 32);
    check_export(&keys, 0, "OSCORE_Master_Secret_after_KeyUpdate");
    check_export(&keys, 1, "OSCORE_Master_Salt_after_KeyUpdate");
    assert_false(vectors_next(&v));
    vectors_close(&v);
}

/* ---- RFC 9529, trace 1: X25519 and EdDSA, which larch's LAKE lacks: its key schedule ---- */

static void check_kdf(const larch_lake_suite *suite, const char *prk, unsigned label, const char *context,
                      const char *out_key)
{
    uint8_t out[256];
    const larch_bytes c = value(context);
    const size_t len = value(out_key).len;
    assert_true(len <= sizeof out);
    assert_int_equal(larch_lake_kdf(suite, value(prk).data, label, &c, 1, out, len), LARCH_OK);
    assert_is(out_key, out, len);
}

static void check_th(const larch_lake_suite *suite, const char *before, const char *plaintext, const char *cred,
                     const char *out_key)
{
    uint8_t out[LAKE_HASH_MAX];
    const larch_bytes pieces[] = {value(plaintext), value(cred)};
    assert_int_equal(larch_lake_th(suite, value(before), pieces, 2, out), LARCH_OK);
    assert_is(out_key, out, suite->hash_len);
}

static void check_seal(const larch_lake_suite *suite, unsigned label, const char *th, const char *plaintext,
                       const char *ciphertext)
{
    uint8_t aad[LAKE_AAD_MAX], out[1024], plain[1024];
    const larch_bytes in = value(plaintext), sealed = value(ciphertext);
    const larch_bytes a = larch_lake_aad(suite, value(th).data, aad);
    const uint8_t *prk = value("PRK_4e3m").data; /* of method 0 it is PRK_3e2m too */
    assert_int_equal(larch_lake_seal(suite, prk, label, value(th).data, a, in, out, sizeof out), LARCH_OK);
    assert_is(ciphertext, out, in.len + lake_tag_len(suite));
    assert_int_equal(larch_lake_open(suite, prk, label, value(th).data, a, sealed, plain, sizeof plain), LARCH_OK);
    assert_is(plaintext, plain, in.len);
}

static void test_trace_1(void **state)
{
    const larch_lake_suite suite_0 = {
        .number = 0, .aead = 10, .hash = LARCH_COSE_SHA_256, .hash_len = 32, .mac_len = 8, .application_aead = 10};
    uint8_t out[LAKE_HASH_MAX];
    (void)state;
    vectors_open(&v, "rfc/rfc9529_trace1_method0_suite0.txt");
    assert_true(vectors_next(&v));
    assert_int_equal(larch_lake_parse_message_1(value("message_1"), &parsed_1), LARCH_OK);
    assert_int_equal(parsed_1.method, 0);
    assert_int_equal(parsed_1.selected, 0);
    assert_is("G_X", parsed_1.g_x.data, parsed_1.g_x.len);
    assert_is("C_I", parsed_1.c_i.data, parsed_1.c_i.len);
    assert_int_equal(larch_x25519(value("X").data, value("G_Y").data, out), LARCH_OK);
    assert_is("G_XY", out, 32);
    assert_int_equal(larch_lake_hash(&suite_0, value("message_1"), out), LARCH_OK);
    assert_is("H_message_1", out, 32);
    assert_int_equal(larch_lake_hash(&suite_0, value("input_TH_2"), out), LARCH_OK);
    assert_is("TH_2", out, 32);
    assert_int_equal(larch_lake_extract(&suite_0, value("TH_2").data, value("G_XY"), out), LARCH_OK);
    assert_is("PRK_2e", out, 32);
    check_kdf(&suite_0, "PRK_3e2m", LAKE_MAC_2, "context_2", "MAC_2");
    check_kdf(&suite_0, "PRK_2e", LAKE_KEYSTREAM_2, "TH_2", "KEYSTREAM_2");
    check_th(&suite_0, "TH_2", "PLAINTEXT_2", "CRED_R_cbor", "TH_3");
    check_kdf(&suite_0, "PRK_4e3m", LAKE_MAC_3, "context_3", "MAC_3");
    check_kdf(&suite_0, "PRK_3e2m", LAKE_K_3, "TH_3", "K_3");
    check_kdf(&suite_0, "PRK_3e2m", LAKE_IV_3, "TH_3", "IV_3");
    check_seal(&suite_0, LAKE_K_3, "TH_3", "PLAINTEXT_3", "CIPHERTEXT_3");
    check_th(&suite_0, "TH_3", "PLAINTEXT_3", "CRED_I_cbor", "TH_4");
    check_seal(&suite_0, LAKE_K_4, "TH_4", "EAD_4", "CIPHERTEXT_4");
    larch_lake_keys keys = {.suite = &suite_0};
    assert_int_equal(larch_lake_finish_keys(&keys, value("PRK_4e3m").data, value("TH_4").data), LARCH_OK);
    assert_is("PRK_out", keys.prk_out, 32);
    assert_is("PRK_exporter", keys.prk_exporter, 32);
    check_export(&keys, 0, "OSCORE_Master_Secret");
    check_export(&keys, 1, "OSCORE_Master_Salt");
    vectors_close(&v);
}

/* ---- RFC 9529, invalid messages ---------------------------------------------------- */

static larch_error refuse_message_1(const larch_lake_party *r)
{
    const larch_lake_answer answer = {.c_r = LARCH_TEXT("\x01"), .own = &known};
    const larch_error e = larch_lake_process_message_1(&responder, r, value("value"), &parsed_1);
    return e == LARCH_OK ? larch_lake_compose_message_2(&responder, r, &parsed_1, &answer, &message_2) : e;
}

/* As the Initiator of trace 2 would read it, after it has decrypted it. */
static larch_error refuse_plaintext_2(void)
{
    uint8_t map[LAKE_KID_MAP_MAX];
    larch_reader r = larch_reader_of(value("value"));
    larch_lake_reference reference = {0};
    larch_bytes c_r, mac;
    larch_error e;
    if ((e = larch_lake_take_identifier(&r, &c_r)) != LARCH_OK ||
        (e = larch_lake_take_id_cred(&r, map, &reference)) != LARCH_OK ||
        (e = larch_cbor_take_bytes(&r, &mac)) != LARCH_OK)
        return e;
    const lake_proof proof = {.suite = larch_lake_suite_find(2), .label = LAKE_MAC_2, .th = map};
    return larch_lake_check_proof(&proof, map, &known.key, mac);
}

static void test_invalid(void **state)
{
    static const uint8_t d[32] = {[31] = 9};
    script random_r = {0};
    const larch_lake_suite *const suites[] = {larch_lake_suite_find(2)};
    const larch_lake_party r = party_of(suites, 1, &random_r);
    size_t refused = 0;
    (void)state;
    known = (larch_lake_credential){.id_cred = LARCH_TEXT("\xa1\x04\x41\x32"),
                                    .cred_r = LARCH_TEXT("\xa0"),
                                    .key = {.kty = LARCH_COSE_EC2, .crv = LARCH_COSE_P256, .d = LARCH_BYTES(d)}};
    vectors_open(&v, "rfc/rfc9529_invalid.txt");
    for (; vectors_next(&v); refused++) {
        larch_error e;
        begin();
        random_r = (script){.pieces = {LARCH_BYTES(d)}};
        if (vectors_is(&v, "kind", "message_1")) {
            e = refuse_message_1(&r);
            /* of suites 0 and 24 their number is refused */
            assert_true(e == LARCH_MALFORMED ||
                        (e == LARCH_STATE && (responder.error == LARCH_LAKE_ERROR_SUITE || !has_x_only())));
            assert_int_equal(responder.state, LARCH_LAKE_ABORTED);
        } else if (vectors_is(&v, "kind", "message_2")) {
            larch_bytes only;
            e = larch_lake_take_only(value("value"), &only);
            assert_int_equal(e, LARCH_MALFORMED);
        } else {
            assert_int_equal(refuse_plaintext_2(), LARCH_MALFORMED);
        }
    }
    assert_int_equal(refused, 15);
    vectors_close(&v);
}

/* ---- edhoc-psk -------------------------------------------------------------------------- */

static void check_psk(const char *file, size_t rpsk_len)
{
    script random_i = {0}, random_r = {0};
    const larch_lake_suite *const suites[] = {larch_lake_suite_find(2)};
    larch_lake_party i = party_of(suites, 1, &random_i), r = party_of(suites, 1, &random_r);
    uint8_t map[LAKE_KID_MAP_MAX];
    larch_writer id = larch_writer_to(map, sizeof map);
    larch_bytes kid;
    vectors_open(&v, file);
    assert_true(vectors_next(&v));
    larch_reader sent = larch_reader_of(value("ID_CRED_PSK_cbor"));
    if (sent.left.len == 1 ? larch_lake_take_identifier(&sent, &kid) != LARCH_OK : (kid = sent.left, false))
        fail();
    larch_lake_put_id_cred(&id, LARCH_LAKE_BY_KID, kid);
    const larch_lake_credential own = {.id_cred = written(&id),
                                       .cred_i = value("CRED_I"),
                                       .cred_r = value("CRED_R"),
                                       .key = {.kty = LARCH_COSE_SYMMETRIC, .k = value("PSK")},
                                       .psk_hash = LARCH_COSE_SHA_256};
    random_i.pieces[0] = value("X");
    random_r.pieces[0] = value("Y");
    i.psk_id_is_compact = r.psk_id_is_compact = true;
    shake(&i, &r, LARCH_LAKE_METHOD_PSK, 0, value("C_I_cbor"), value("C_R_cbor"), &own, &own);
    check_keys(&initiator);
    check_keys(&responder);
    assert_int_equal(value("rPSK").len, rpsk_len);
    check_export(larch_lake_keys_of(&responder), LARCH_LAKE_EXPORTER_RPSK, "rPSK");
    check_export(larch_lake_keys_of(&responder), LARCH_LAKE_EXPORTER_RKID, "rKID");
    vectors_close(&v);
}

static void test_psk_drafts(void **state)
{
    (void)state;
    if (!has_x_only()) {
        print_message("skipped: vectors.lake: this provider needs both coordinates of a point\n");
        skip();
    }
    check_psk("rfc/edhoc_psk_draft08.txt", 16);
    check_psk("rfc/edhoc_psk_editor.txt", 32);
}

/* ---- KEM suites, computed elsewhere ------------------------------------------------------- */

/* The numbers that those traces use for pqsuites' TBD1, and for the suite that authkem suggests. */
static larch_lake_suite their_suite(void)
{
    larch_lake_suite suite = *larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    suite.number = vectors_is(&v, "hash", "sha256") ? 7 : -21;
    if (suite.number == 7) {
        suite.hash = LARCH_COSE_SHA_256;
        suite.hash_len = 32;
    }
    return suite;
}

static void check_derived(void)
{
    larch_lake_oscore oscore;
    larch_lake_resumption resumption;
    const larch_lake_keys *keys = larch_lake_keys_of(&initiator);
    check_keys(&initiator);
    check_keys(&responder);
    assert_int_equal(larch_lake_derive_oscore(keys, &oscore), LARCH_OK);
    assert_is("OSCORE_Master_Secret", oscore.master_secret, oscore.master_secret_len);
    assert_is("OSCORE_Master_Salt", oscore.master_salt, sizeof oscore.master_salt);
    assert_is("Initiator_OSCORE_Sender_ID", oscore.sender_id.bytes, oscore.sender_id.len);
    assert_is("Initiator_OSCORE_Recipient_ID", oscore.recipient_id.bytes, oscore.recipient_id.len);
    assert_int_equal(larch_lake_derive_resumption(keys, 2, &resumption), LARCH_OK);
    assert_is("rPSK", resumption.psk, resumption.psk_len);
    assert_is("rKID", resumption.kid, resumption.kid_len);
}

static larch_lake_credential signer(const char *seed_key, larch_bytes cred, bool is_initiator, larch_bytes id_cred,
                                    uint8_t *pk)
{
    static uint8_t sk[LARCH_SIG_SK_MAX];
    const larch_sig *sig = larch_sig_find(LARCH_COSE_ML_DSA_44);
    larch_lake_credential c = {.id_cred = id_cred};
    const larch_bytes seed = value(seed_key);
    assert_int_equal(larch_sig_keygen(sig, seed.data, pk, sk), LARCH_OK);
    *(is_initiator ? &c.cred_i : &c.cred_r) = cred;
    c.key =
        (larch_cose_key){.kty = LARCH_COSE_AKP, .alg = LARCH_COSE_ML_DSA_44, .pub = {pk, sig->pk_len}, .priv = seed};
    return c;
}

static void test_method_0(void **state)
{
    static uint8_t pk_i[LARCH_SIG_PK_MAX], pk_r[LARCH_SIG_PK_MAX];
    size_t records = 0;
    (void)state;
    vectors_open(&v, "gen/edhoc_pq_method0.txt");
    for (; vectors_next(&v); records++) {
        script random_i = {.pieces = {value("kem_seed_d_z")}}, random_r = {.pieces = {value("kem_m")}};
        const larch_lake_suite suite = their_suite(), *const suites[] = {&suite};
        const larch_lake_party i = party_of(suites, 1, &random_i), r = party_of(suites, 1, &random_r);
        const larch_lake_credential own_i = signer("SK_I_seed", value("CRED_I"), true, value("ID_CRED_I"), pk_i);
        const larch_lake_credential own_r = signer("SK_R_seed", value("CRED_R"), false, value("ID_CRED_R"), pk_r);
        shake(&i, &r, LARCH_LAKE_METHOD_SIGNATURES, 0, value("C_I"), value("C_R"), &own_i, &own_r);
        check_derived();
    }
    assert_int_equal(records, 2);
    vectors_close(&v);
}

static void test_psk_kem(void **state)
{
    size_t records = 0;
    (void)state;
    vectors_open(&v, "gen/edhoc_pq_psk.txt");
    for (; vectors_next(&v); records++) {
        script random_i = {.pieces = {value("kem_seed_d_z")}}, random_r = {.pieces = {value("kem_m")}};
        const larch_lake_suite suite = their_suite(), *const suites[] = {&suite};
        larch_lake_party i = party_of(suites, 1, &random_i), r = party_of(suites, 1, &random_r);
        const larch_lake_credential own = {.id_cred = value("ID_CRED_PSK_map"),
                                           .cred_i = value("CRED_I"),
                                           .cred_r = value("CRED_R"),
                                           .key = {.kty = LARCH_COSE_SYMMETRIC, .k = value("PSK")},
                                           .psk_hash = suite.hash};
        i.psk_id_is_compact = r.psk_id_is_compact = vectors_is(&v, "id_cred_psk_form", "compact");
        shake(&i, &r, LARCH_LAKE_METHOD_PSK, 0, value("C_I"), value("C_R"), &own, &own);
        check_derived();
    }
    assert_int_equal(records, 4);
    vectors_close(&v);
}

static void test_kdf(void **state)
{
    static uint8_t out[1 << 14];
    larch_lake_suite suite = *larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    size_t records = 0;
    (void)state;
    vectors_open(&v, "gen/edhoc_kmac256_kdf.txt");
    while (vectors_next(&v)) {
        const size_t len = vectors_number(&v, "len");
        const larch_bytes key = value("key");
        suite.hash_len = (uint8_t)key.len;
        if (vectors_is(&v, "op", "extract") && key.len == 64) {
            assert_int_equal(larch_lake_extract(&suite, key.data, value("msg"), out), LARCH_OK);
        } else if (vectors_is(&v, "op", "kdf") && vectors_text(&v, "label")[0] != '-') { /* those are for SHA-2 alone */
            const larch_bytes context = value("context");
            const unsigned label = (unsigned)vectors_number(&v, "label");
            assert_true(len <= sizeof out);
            assert_int_equal(larch_lake_kdf(&suite, key.data, label, &context, 1, out, len), LARCH_OK);
        } else {
            continue;
        }
        assert_is("out", out, len);
        records++;
    }
    assert_true(records >= 10);
    vectors_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_2),    cmocka_unit_test(test_trace_1),  cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_psk_drafts), cmocka_unit_test(test_method_0), cmocka_unit_test(test_psk_kem),
        cmocka_unit_test(test_kdf),
    };
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests_name("vectors_lake", tests, NULL, NULL) : 1;
}
