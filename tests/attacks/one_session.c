/* SPDX-License-Identifier: Apache-2.0 */
#include "one_session.h"

#include "gateway_bench.h"

static larch_session *find(void *context, larch_bytes kid, larch_bytes kid_context)
{
    one_session *o = context;
    return larch_bytes_equal(kid, LARCH_TEXT("d")) && kid_context.data == NULL ? &o->session : NULL;
}

static larch_session *find_number(void *context, uint64_t number)
{
    one_session *o = context;
    return number == o->session.number ? &o->session : NULL;
}

static larch_error raise(void *context, uint64_t epoch)
{
    (void)context;
    (void)epoch;
    return LARCH_OK;
}

static larch_error no_observation(void *context, const larch_observation *observation)
{
    (void)context;
    (void)observation;
    return LARCH_SPACE;
}

static larch_recall recall(void *context, const larch_accepted_id *identity,
                           const uint8_t hash[LARCH_ACCEPTED_HASH_LEN], uint64_t *highest)
{
    (void)context;
    (void)identity;
    (void)hash;
    (void)highest;
    return LARCH_RECALL_UNKNOWN;
}

static larch_error no_reading(void *context, larch_bytes name, uint8_t *out, size_t cap, size_t *len, uint16_t *format)
{
    (void)context;
    (void)name;
    (void)out;
    (void)cap;
    (void)len;
    (void)format;
    return LARCH_AGAIN;
}

void one_session_begin(one_session *o, uint64_t now_ms, const larch_random *random,
                       const larch_oscore_handshakes *handshakes)
{
    static const uint8_t secret[16] = {1, 2, 3};
    const larch_oscore_parameters p = {.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                       .hash = LARCH_COSE_SHA_256,
                                       .master_secret = LARCH_BYTES(secret),
                                       .sender_id = LARCH_TEXT("g"),
                                       .recipient_id = LARCH_TEXT("d")};
    *o = (one_session){.session = {.number = 1, .device = 1}};
    o->contexts = (larch_contexts){.context = o,
                                   .find = find,
                                   .find_number = find_number,
                                   .raise = raise,
                                   .add_observation = no_observation,
                                   .end_observation = no_observation};
    o->readings = (larch_readings){.context = o, .recall = recall, .last = no_reading};
    o->config = (larch_oscore_config){.contexts = &o->contexts,
                                      .readings = &o->readings,
                                      .epochs = &o->epochs,
                                      .handshakes = handshakes,
                                      .kept = o->kept,
                                      .kept_count = ONE_SESSION_KEPT,
                                      .kept_bytes = o->kept_bytes,
                                      .kept_bytes_len = sizeof o->kept_bytes};
    bench_require(larch_oscore_context_init(&o->session.oscore, &p) == LARCH_OK);
    bench_require(larch_epochs_start(&o->epochs, &o->contexts, now_ms, 0, 0) == LARCH_OK);
    larch_epochs_begin(&o->epochs, &o->session);
    bench_require(larch_oscore_service_init(&o->oscore, &o->config, random) == LARCH_OK);
}
