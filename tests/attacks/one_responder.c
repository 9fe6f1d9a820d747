/* SPDX-License-Identifier: Apache-2.0 */
#include "one_responder.h"

#include "gateway_bench.h"

static larch_error find(void *context, const larch_lake_reference *reference, unsigned attempt,
                        larch_lake_credential *out)
{
    (void)context;
    (void)reference;
    (void)attempt;
    (void)out;
    return LARCH_AUTH;
}

static const larch_lake_credential *own(void *context, unsigned method, const larch_lake_suite *suite)
{
    (void)context;
    (void)method;
    (void)suite;
    return NULL;
}

static larch_error store(void *context, uint64_t now_ms, const larch_lake_made *made, larch_session *session)
{
    (void)context;
    (void)now_ms;
    (void)made;
    (void)session;
    return LARCH_PLATFORM;
}

static larch_error confirm(void *context, uint64_t now_ms, const larch_session *session)
{
    (void)context;
    (void)now_ms;
    (void)session;
    return LARCH_PLATFORM;
}

void one_responder_begin(one_responder *r, const one_session *o, const larch_random *random)
{
    r->suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    r->party = (larch_lake_party){.suites = r->suites,
                                  .suite_count = 1,
                                  .methods = 1u << LARCH_LAKE_METHOD_PSK,
                                  .find = find,
                                  .random = *random,
                                  .scratch = r->scratch,
                                  .scratch_size = sizeof r->scratch};
    r->config = (larch_lake_service_config){.party = &r->party,
                                            .contexts = &o->contexts,
                                            .epochs = &o->epochs,
                                            LARCH_LAKE_POOL(r->places),
                                            .halves = r->halves,
                                            .kid_len = 2,
                                            .rkid_len = LARCH_LAKE_KID_LEN,
                                            .credentials = ";ed-cred-t=1;ed-idcred-t=4",
                                            .own = own,
                                            .store = store,
                                            .confirm = confirm};
    bench_require(larch_lake_service_init(&r->lake, &r->config) == LARCH_OK);
}
