/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What larch bench handshake prints without measuring it: operations against the calls that are made, datagrams and bytes
 * against what crosses the simulated network. And the sizes that a handshake may have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench/handshake.h"
#include "lake_world.h"
#include "larch/crypto.h"
#include "larch/ecc.h"

/* ---- calls ------------------------------------------------------------------------- */

static larch_bench_operations counted[LARCH_BENCH_PARTIES];
static larch_bench_operations *counts; /* of who is at work; NULL: nobody */

#define COUNT(name, n)           \
    do {                         \
        if (counts != NULL)      \
            counts->name += (n); \
    } while (0)

/* WRAP(result, function, counter, how many, parameters, arguments): the linker puts each between its callers and the library. */
#define WRAP(type, function, counter, n, parameters, arguments) \
    type __real_##function parameters;                          \
    type __wrap_##function parameters;                          \
    type __wrap_##function parameters                           \
    {                                                           \
        COUNT(counter, n);                                      \
        larch_bench_operations *const before = counts;          \
        counts = NULL; /* what is made of it does not count */  \
        const type result = __real_##function arguments;        \
        counts = before;                                        \
        return result;                                          \
    }

#define WRAP_VOID(function, counter, n, parameters, arguments) \
    void __real_##function parameters;                         \
    void __wrap_##function parameters;                         \
    void __wrap_##function parameters                          \
    {                                                          \
        COUNT(counter, n);                                     \
        __real_##function arguments;                           \
    }

WRAP(larch_error, larch_kem_keygen, keygen, 1, (const larch_kem *kem, const uint8_t *seed, uint8_t *ek, uint8_t *dk),
     (kem, seed, ek, dk))
WRAP(larch_error, larch_kem_encaps, encaps, 1,
     (const larch_kem *kem, const larch_random *random, larch_bytes ek, uint8_t *ct, uint8_t *ss),
     (kem, random, ek, ct, ss))
WRAP(larch_error, larch_kem_decaps, decaps, 1,
     (const larch_kem *kem, const uint8_t *dk, larch_bytes ct, uint8_t ss[LARCH_KEM_SS_LEN]), (kem, dk, ct, ss))
WRAP(larch_error, larch_p256_public, dh, 1, (const uint8_t *private_key, uint8_t *point), (private_key, point))
WRAP(larch_error, larch_p256_ecdh, dh, 1, (const uint8_t *private_key, larch_bytes peer, uint8_t *shared),
     (private_key, peer, shared))
WRAP(larch_error, larch_sig_keygen, expand, 1, (const larch_sig *sig, const uint8_t *seed, uint8_t *pk, uint8_t *sk),
     (sig, seed, pk, sk))
WRAP(larch_error, larch_sig_sign_mu, sign, 1,
     (const larch_sig *sig, const larch_random *random, const uint8_t *sk, const uint8_t *mu, uint8_t *signature),
     (sig, random, sk, mu, signature))
WRAP(larch_error, larch_sig_verify_mu, verify, 1,
     (const larch_sig *sig, larch_bytes pk, const uint8_t *mu, larch_bytes signature), (sig, pk, mu, signature))
WRAP(larch_error, larch_es256_sign, sign, 1,
     (const uint8_t *key, const larch_bytes *pieces, size_t count, uint8_t *signature), (key, pieces, count, signature))
WRAP(larch_error, larch_es256_verify, verify, 1,
     (const uint8_t *key, const larch_bytes *pieces, size_t count, larch_bytes signature),
     (key, pieces, count, signature))
WRAP_VOID(larch_kmac256, mac, 1,
          (larch_bytes key, larch_bytes customization, const larch_bytes *pieces, size_t count, uint8_t *out,
           size_t len),
          (key, customization, pieces, count, out, len))
WRAP_VOID(larch_kmac256_many, mac, (unsigned)count, (larch_bytes key, const larch_kmac_message *messages, size_t count),
          (key, messages, count))
WRAP(larch_error, larch_hmac_sha256, mac, 1, (larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t *out),
     (key, pieces, count, out))
WRAP(larch_error, larch_hmac_sha384, mac, 1, (larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t *out),
     (key, pieces, count, out))
WRAP(larch_error, larch_sha256, hash, 1, (const larch_bytes *pieces, size_t count, uint8_t *out), (pieces, count, out))
WRAP(larch_error, larch_sha384, hash, 1, (const larch_bytes *pieces, size_t count, uint8_t *out), (pieces, count, out))
WRAP_VOID(larch_shake256_of, hash, 1, (const larch_bytes *pieces, size_t count, uint8_t *out, size_t len),
          (pieces, count, out, len))
WRAP(larch_error, larch_hkdf_sha256, hkdf, 1,
     (larch_bytes salt, larch_bytes ikm, larch_bytes in, uint8_t *out, size_t len), (salt, ikm, in, out, len))
WRAP(larch_error, larch_hkdf_sha384, hkdf, 1,
     (larch_bytes salt, larch_bytes ikm, larch_bytes in, uint8_t *out, size_t len), (salt, ikm, in, out, len))
WRAP(larch_error, larch_cose_aead_seal, aead, 1,
     (const larch_cose_aead *aead, const uint8_t *key, const uint8_t *nonce, larch_bytes aad, larch_bytes in,
      uint8_t *out, size_t cap),
     (aead, key, nonce, aad, in, out, cap))
WRAP(larch_error, larch_cose_aead_open, aead, 1,
     (const larch_cose_aead *aead, const uint8_t *key, const uint8_t *nonce, larch_bytes aad, larch_bytes in,
      uint8_t *out, size_t cap),
     (aead, key, nonce, aad, in, out, cap))

/* Each step of a party begins with one of these. */
#define WRAP_STEP(function, parameters, arguments)                                                               \
    larch_error __real_##function parameters;                                                                    \
    larch_error __wrap_##function parameters;                                                                    \
    larch_error __wrap_##function parameters                                                                     \
    {                                                                                                            \
        counts = &counted[s->keys.role == LARCH_LAKE_INITIATOR ? LARCH_BENCH_INITIATOR : LARCH_BENCH_RESPONDER]; \
        return __real_##function arguments;                                                                      \
    }

WRAP_STEP(larch_lake_compose_message_1,
          (larch_lake_session * s, const larch_lake_party *party, unsigned method, size_t suite, larch_bytes c_i,
           larch_bytes ead, larch_writer *w),
          (s, party, method, suite, c_i, ead, w))
WRAP_STEP(larch_lake_process_message_1,
          (larch_lake_session * s, const larch_lake_party *party, larch_bytes message, larch_lake_message_1 *out),
          (s, party, message, out))
WRAP_STEP(larch_lake_process_message_2,
          (larch_lake_session * s, const larch_lake_party *party, larch_bytes message, larch_lake_received *out),
          (s, party, message, out))
WRAP_STEP(larch_lake_process_message_3,
          (larch_lake_session * s, const larch_lake_party *party, larch_bytes message, larch_lake_received *out),
          (s, party, message, out))
WRAP_STEP(larch_lake_process_message_4,
          (larch_lake_session * s, const larch_lake_party *party, larch_bytes message, larch_lake_received *out),
          (s, party, message, out))

/* ---- operations ---------------------------------------------------------------------- */

static const unsigned methods[] = {LARCH_LAKE_METHOD_PSK, LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_METHOD_STATIC_DH};
static const int suites[] = {
    LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_SUITE_PQ_2, LARCH_LAKE_SUITE_PQ_3, LARCH_LAKE_SUITE_X_WING, 2, 3};

static void check_operations(const larch_bench_handshake *h)
{
    for (unsigned party = 0; party < LARCH_BENCH_PARTIES; party++) {
        const larch_bench_operations o = larch_bench_operations_of(h, (larch_bench_party)party);
        const unsigned runs = (unsigned)h->runs + 1; /* one warms up */
        print_message("method %u, suite %d, party %u\n", h->method, h->suite->number, party);
#define SAME(name) assert_int_equal(counted[party].name, runs *o.name);
        LARCH_BENCH_OPERATIONS(SAME)
#undef SAME
    }
}

static void test_operations(void **state)
{
    unsigned tried = 0;
    (void)state;
    for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++)
        for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
            const larch_lake_suite *suite = larch_lake_suite_find(suites[i]);
            larch_bench_handshake h;
            if (suite == NULL || !larch_lake_method_fits(methods[m], suite))
                continue;
            memset(counted, 0, sizeof counted);
            counts = NULL; /* making keys is no part of a handshake */
            assert_true(larch_bench_run_pair(&h, methods[m], suite, 0));
            counts = NULL;
            check_operations(&h);
            tried++;
        }
    assert_int_equal(tried, 14);
}

/* ---- the network ------------------------------------------------------------------------ */

static lake_world w;
static unsigned datagrams;
static size_t bytes_up, bytes_down;

/* Up to the end of the handshake. */
static void tap(void *context, uint64_t now_ms, const larch_peer *from, const larch_peer *to, larch_bytes datagram,
                bool lost)
{
    (void)context, (void)now_ms, (void)to, (void)lost;
    if (w.outcome != LARCH_AGAIN)
        return;
    datagrams++;
    *(larch_peer_equal(from, &w.address) ? &bytes_up : &bytes_down) += datagram.len;
}

static void test_network(void **state)
{
    static const larch_sim_faults sound = {.delay_min_ms = 10, .delay_max_ms = 10};
    static const unsigned tried[] = {LARCH_LAKE_METHOD_PSK, LARCH_LAKE_METHOD_SIGNATURES};
    (void)state;
    for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
        larch_bench_handshake h;
        larch_bench_wire wire;
        assert_true(larch_bench_run_pair(&h, tried[i], larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1), 0));
        larch_bench_count_wire(&h, LARCH_COAP_BLOCK_SZX, &wire);
        datagrams = 0;
        bytes_up = bytes_down = 0;
        lw_begin(&w, i, &sound);
        w.unix_s = LW_UNIX_S;
        w.config.c_i_len = LARCH_LAKE_ID_MAX; /* as programs have them */
        w.lake_config.kid_len = LARCH_LAKE_ID_MAX;
        lw_gateway_restart(&w);
        larch_sim_set_tap(w.sim, tap, NULL);
        lw_shake(&w, larch_sim_now_ms(w.sim), tried[i]);
        lw_run(&w, 60000);
        assert_int_equal(w.outcome, LARCH_OK);
        lw_end(&w);
        assert_int_equal(wire.up.datagrams + wire.down.datagrams, datagrams);
        assert_int_equal(2 * wire.round_trips, datagrams);
        assert_int_equal(wire.up.bytes, bytes_up);
        assert_int_equal(wire.down.bytes, bytes_down);
    }
}

/* Blocks of 64 bytes: no program has them, so that they are held against what must be true of them. */
static void test_small_blocks(void **state)
{
    larch_bench_handshake h;
    larch_bench_wire wire;
    (void)state;
    assert_true(larch_bench_run_pair(&h, LARCH_LAKE_METHOD_PSK, larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1), 0));
    larch_bench_count_wire(&h, 2, &wire);
    assert_int_equal(wire.block, 64);
    assert_int_equal(wire.blocks[0], (h.message_len[0] + 1 + 63) / 64);
    assert_int_equal(wire.blocks[1], (h.message_len[1] + 63) / 64);
    assert_int_equal(wire.blocks[2], 1);
    assert_int_equal(wire.blocks[3], 1);
    assert_int_equal(wire.round_trips, 1 + wire.blocks[0] + wire.blocks[1] - 1 + 1);
    assert_true(wire.air_ms > 8.0 * (double)(wire.up.bytes + wire.down.bytes) / 250 && wire.device_mj > 0);
}

/* ---- sizes -------------------------------------------------------------------------------- */

static size_t all_of(const larch_bench_handshake *h)
{
    return h->message_len[0] + h->message_len[1] + h->message_len[2] + h->message_len[3];
}

static void test_sizes(void **state)
{
    larch_bench_handshake h;
    (void)state;
    assert_true(larch_bench_run_pair(&h, LARCH_LAKE_METHOD_PSK, larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1), 0));
    assert_in_range(all_of(&h), 800 + 768, 1650); /* the key and the ciphertext are most of it */
    assert_in_range(h.place_len, sizeof(larch_lake_session), 2048);
    assert_true(
        larch_bench_run_pair(&h, LARCH_LAKE_METHOD_SIGNATURES, larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1), 0));
    assert_in_range(h.place_len, h.message_len[1], 5120);
    assert_true(
        larch_bench_run_pair(&h, LARCH_LAKE_METHOD_SIGNATURES, larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_3), 0));
    assert_in_range(h.place_len, h.message_len[1], 8192);
    assert_in_range(sizeof(larch_session), 1, 256); /* what is kept */
    assert_in_range(sizeof(larch_lake_keys), 1, 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_small_blocks),
        cmocka_unit_test(test_sizes),
    };
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
