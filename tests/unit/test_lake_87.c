/* SPDX-License-Identifier: Apache-2.0 */
/* Suite -22 through the service: ML-KEM-1024 and ML-DSA-87, with the largest messages and places that there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "lake_world.h"
#include "larch/enrolment.h"

#define LONG_MS (2u * 60 * 1000)

static const larch_sim_faults sound = {.delay_min_ms = 10, .delay_max_ms = 10};
static lake_world w;
static larch_lake_place_87 places[LW_PLACES];
static uint8_t request[LARCH_COAP_UPLOAD_MAX], answer[sizeof places->answer];

/* One party's key and CCS. */
typedef struct party {
    uint8_t seed[LARCH_SIG_SEED_LEN], pk[LARCH_SIG_PK_MAX];
    uint8_t kid[LARCH_LAKE_KID_LEN], id[32], cred[LARCH_ENROLMENT_CCS_MAX];
    size_t id_len, cred_len;
} party;

static party device, gateway;

static void make_party(party *p, const char *sub, uint8_t number)
{
    static uint8_t sk[LARCH_SIG_SK_MAX];
    const larch_sig *sig = larch_sig_find(LARCH_COSE_ML_DSA_87);
    larch_writer w_cred = larch_writer_to(p->cred, sizeof p->cred);
    memset(p->seed, number, sizeof p->seed);
    memset(p->kid, number, sizeof p->kid);
    assert_int_equal(larch_sig_keygen(sig, p->seed, p->pk, sk), LARCH_OK);
    larch_enrolment_put_public(&w_cred, larch_bytes_of_text(sub), LARCH_BYTES(p->kid), sig->cose_algorithm,
                               (larch_bytes){p->pk, sig->pk_len});
    p->cred_len = w_cred.len;
    p->id_len = lw_put_id(p->id, LARCH_BYTES(p->kid));
}

static larch_lake_credential credential_of(const party *p)
{
    const larch_sig *sig = larch_sig_find(LARCH_COSE_ML_DSA_87);
    return (larch_lake_credential){.id_cred = {p->id, p->id_len},
                                   .cred_i = {p->cred, p->cred_len},
                                   .cred_r = {p->cred, p->cred_len},
                                   .key = {.kty = LARCH_COSE_AKP,
                                           .alg = sig->cose_algorithm,
                                           .pub = {p->pk, sig->pk_len},
                                           .priv = LARCH_BYTES(p->seed)}};
}

static larch_error find(void *context, const larch_lake_reference *reference, unsigned attempt,
                        larch_lake_credential *out)
{
    const party *p = reference->owner == LARCH_LAKE_INITIATOR ? &device : &gateway;
    (void)context;
    w.found_device = 0;
    w.found_key = -1;
    if (attempt > 0 || !larch_bytes_equal(reference->value, LARCH_BYTES(p->kid)))
        return LARCH_AUTH;
    *out = credential_of(p);
    return LARCH_OK;
}

static const larch_lake_credential *own(void *context, unsigned method, const larch_lake_suite *suite)
{
    static larch_lake_credential credential;
    (void)context;
    assert_int_equal(method, LARCH_LAKE_METHOD_SIGNATURES);
    assert_int_equal(suite->number, LARCH_LAKE_SUITE_PQ_3);
    credential = credential_of(&gateway);
    return &credential;
}

static void begin(const larch_sim_faults *faults)
{
    lw_begin(&w, 3, faults);
    w.unix_s = LW_UNIX_S;
    larch_server_wipe(&w.g.srv);
    w.suites[0] = w.device_suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_3);
    assert_non_null(w.suites[0]);
    w.party.find = w.device_party.find = find;
    w.lake_config.own = own;
    w.lake_config.places = places;
    w.lake_config.place_size = sizeof places[0];
    w.lake_config.answer_size = sizeof places[0].answer;
    w.config.request = request;
    w.config.request_cap = sizeof request;
    w.config.answer = answer;
    w.config.answer_cap = sizeof answer;
    sessions_start(&w.g);
}

static void shake_hands(void)
{
    w.own = credential_of(&device);
    w.config.method = LARCH_LAKE_METHOD_SIGNATURES;
    w.outcome = LARCH_AGAIN;
    assert_int_equal(larch_lake_client_begin(&w.client, &w.config, larch_sim_now_ms(w.sim)), LARCH_OK);
    lw_run(&w, LONG_MS);
    assert_int_equal(w.outcome, LARCH_OK);
    assert_int_equal(w.reported, LARCH_OK);
    assert_int_equal(w.reported_code, LARCH_COAP_CHANGED);
    assert_int_equal(w.learned_s, LW_UNIX_S);
    assert_int_equal(w.stores, 1);
    assert_int_equal(w.g.stored_count, 1);
}

/* message_1, 2 and 3 in blocks, and a report under the new keys. */
static void test_sound(void **state)
{
    (void)state;
    begin(&sound);
    shake_hands();
    print_message("suite -22: %u datagrams with the report, %u bytes up, %u down\n", w.datagrams, w.bytes_up,
                  w.bytes_down);
    assert_true(w.bytes_down > 1568 + 4627 && w.bytes_up > 1568 + 4627);
    lw_end(&w);
    assert_true(all_are((const uint8_t *)places, sizeof places, 0)); /* nothing secret is left */
}

/* Every tenth datagram is lost, and others come in another order. */
static void test_lossy(void **state)
{
    static const larch_sim_faults lossy = {.delay_min_ms = 5, .delay_max_ms = 60, .loss = 100, .duplication = 50};
    (void)state;
    begin(&lossy);
    shake_hands();
    lw_end(&w);
}

/* A gateway that does not allow the suite names what it allows, and keeps nothing. */
static void test_not_allowed(void **state)
{
    (void)state;
    begin(&sound);
    w.suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    w.own = credential_of(&device);
    w.config.method = LARCH_LAKE_METHOD_SIGNATURES;
    w.outcome = LARCH_AGAIN;
    assert_int_equal(larch_lake_client_begin(&w.client, &w.config, larch_sim_now_ms(w.sim)), LARCH_OK);
    lw_run(&w, LONG_MS);
    assert_int_equal(w.outcome, LARCH_AUTH);
    assert_int_equal(larch_lake_client_error_code(&w.client), LARCH_LAKE_ERROR_SUITE);
    assert_int_equal(w.stores, 0);
    lw_end(&w);
}

static int set_up(void **state)
{
    (void)state;
    if (larch_crypto_init() != LARCH_OK)
        return -1;
    make_party(&device, "kitchen", 1);
    make_party(&gateway, "larch2:gateway", 2);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_lossy),
        cmocka_unit_test(test_not_allowed),
    };
    return cmocka_run_group_tests_name("lake 87", tests, set_up, NULL);
}
