/* SPDX-License-Identifier: Apache-2.0 */
/* An Initiator and a Responder in one process, with credentials as programs have them. */
#include <stdlib.h>
#include <string.h>

#include "bench/handshake.h"
#include "larch/contexts.h"
#include "larch/ecc.h"
#include "larch/enrolment.h"
#include "system.h"

#define RUNS_MIN    5
#define RUNS_MAX    100000
#define MESSAGE_MAX 8192
#define CRED_MAX    (LARCH_SIG_PK_MAX + 128)

/* One party, and the public half of its credential as the other knows it. */
typedef struct end {
    larch_lake_session session;
    larch_lake_party party;
    larch_lake_credential own, known; /* known: of the peer */
    uint8_t seed[LARCH_SIG_SEED_LEN], pk[LARCH_SIG_PK_MAX], point[LARCH_P256_PUBLIC_LEN];
    uint8_t cred[CRED_MAX], id_cred[16];
    uint8_t id[LARCH_LAKE_ID_MAX];
    uint8_t scratch[LARCH_LAKE_SCRATCH];
} end;

typedef struct pair {
    unsigned method;
    const larch_lake_suite *suite;
    size_t id_len;
    end ends[LARCH_BENCH_PARTIES];
    uint8_t enrolled[LARCH_ENROLMENT_CREDENTIAL_MAX];
    larch_enrolment enrolment;
    uint8_t bytes[LARCH_BENCH_MESSAGES][MESSAGE_MAX];
    larch_writer messages[LARCH_BENCH_MESSAGES];
    uint64_t spent_ns[LARCH_BENCH_PARTIES];
} pair;

/* ---- credentials --------------------------------------------------------------- */

static larch_error find(void *context, const larch_lake_reference *reference, unsigned attempt,
                        larch_lake_credential *out)
{
    const end *e = context;
    if (attempt > 0 || reference->kind != LARCH_LAKE_BY_KID)
        return LARCH_AUTH;
    *out = e->known;
    return LARCH_OK;
}

/* A key pair for signatures, or for static Diffie-Hellman. */
static larch_error make_key(end *e, const larch_lake_suite *suite, larch_cose_key *key)
{
    static uint8_t sk[LARCH_SIG_SK_MAX];
    const larch_sig *sig = larch_sig_find(suite->signature);
    if (sig != NULL) {
        *key = (larch_cose_key){.kty = LARCH_COSE_AKP,
                                .alg = sig->cose_algorithm,
                                .pub = {e->pk, sig->pk_len},
                                .priv = LARCH_BYTES(e->seed)};
        const larch_error error = larch_sig_keygen(sig, e->seed, e->pk, sk);
        larch_wipe(sk, sizeof sk);
        return error;
    }
#if LARCH_ECC
    *key = (larch_cose_key){.kty = LARCH_COSE_EC2,
                            .crv = LARCH_COSE_P256,
                            .x = {e->point, LARCH_P256_LEN},
                            .y = {e->point + LARCH_P256_LEN, LARCH_P256_LEN},
                            .d = {e->seed, LARCH_P256_LEN}};
    return larch_p256_public(e->seed, e->point);
#else
    return LARCH_STATE;
#endif
}

/* A CCS by a kid of two bytes. */
static larch_error make_public(end *e, const larch_lake_suite *suite, const char *sub, uint8_t kid)
{
    const uint8_t kid_bytes[2] = {kid, kid};
    larch_cose_key key;
    const larch_error error = make_key(e, suite, &key);
    if (error != LARCH_OK)
        return error;
    larch_lake_claims claims = {.sub = larch_bytes_of_text(sub), .key = key};
    claims.key.priv = claims.key.d = (larch_bytes){0};
    claims.key.kid = LARCH_BYTES(kid_bytes);
    larch_writer w = larch_writer_to(e->cred, sizeof e->cred), id = larch_writer_to(e->id_cred, sizeof e->id_cred);
    larch_lake_put_ccs(&w, &claims);
    larch_lake_put_id_cred(&id, LARCH_LAKE_BY_KID, LARCH_BYTES(kid_bytes));
    e->own = (larch_lake_credential){
        .id_cred = {e->id_cred, id.len}, .cred_i = {e->cred, w.len}, .cred_r = {e->cred, w.len}, .key = key};
    return w.len <= w.cap && id.len <= id.cap ? LARCH_OK : LARCH_SPACE;
}

/* That of an enrolment, which both have. */
static larch_error make_psk(pair *p)
{
    p->enrolment = (larch_enrolment){.name = LARCH_TEXT("bench"),
                                     .kid = {0xee, 1, 2, 3, 4, 5, 6, 7},
                                     .psk = {9},
                                     .hash = p->suite->hash,
                                     .method = LARCH_LAKE_METHOD_PSK,
                                     .suite = p->suite->number};
    const larch_error e = larch_enrolment_credential(&p->enrolment, NULL, p->enrolled, &p->ends[0].own);
    p->ends[1].own = p->ends[0].own;
    return e;
}

static larch_error make_credentials(pair *p)
{
    const larch_random random = larch_posix_random();
    end *i = &p->ends[LARCH_BENCH_INITIATOR], *r = &p->ends[LARCH_BENCH_RESPONDER];
    larch_error e;
    if (p->method == LARCH_LAKE_METHOD_PSK)
        e = make_psk(p);
    else if ((e = larch_random_fill(&random, i->seed, sizeof i->seed)) == LARCH_OK &&
             (e = larch_random_fill(&random, r->seed, sizeof r->seed)) == LARCH_OK &&
             (e = make_public(i, p->suite, "bench", 0xe1)) == LARCH_OK)
        e = make_public(r, p->suite, "larch2:bench", 0xe2);
    i->known = r->own;
    r->known = i->own;
    return e;
}

static bool begin(pair *p, unsigned method, const larch_lake_suite *suite)
{
    p->method = method;
    p->suite = suite;
    const size_t room = larch_cose_aead_find(suite->application_aead)->nonce_len - 6u;
    p->id_len = LARCH_LAKE_ID_MAX < room ? LARCH_LAKE_ID_MAX : room;
    for (unsigned n = 0; n < LARCH_BENCH_PARTIES; n++) {
        end *e = &p->ends[n];
        memset(e->id, 0xa0 + (int)n, sizeof e->id);
        e->party = (larch_lake_party){.suites = &p->suite,
                                      .suite_count = 1,
                                      .methods = (uint8_t)(1u << method),
                                      .find = find,
                                      .context = e,
                                      .random = larch_posix_random(),
                                      .scratch = e->scratch,
                                      .scratch_size =
                                          method == LARCH_LAKE_METHOD_PSK ? LARCH_LAKE_SCRATCH_PSK : sizeof e->scratch};
    }
    return make_credentials(p) == LARCH_OK;
}

/* ---- a handshake ------------------------------------------------------------------ */

/* What follows from the keys: an OSCORE context, and the next rPSK. */
static larch_error use_keys(const larch_lake_session *s)
{
    const larch_lake_keys *keys = larch_lake_keys_of(s);
    larch_lake_oscore o;
    larch_lake_resumption next;
    larch_oscore_context context;
    const larch_error e = larch_lake_derive(keys, LARCH_LAKE_KID_LEN, &o, &next);
    const larch_oscore_parameters parameters = {.aead = o.aead,
                                                .hash = o.hash,
                                                .master_secret = {o.master_secret, o.master_secret_len},
                                                .master_salt = LARCH_BYTES(o.master_salt),
                                                .sender_id = {o.sender_id.bytes, o.sender_id.len},
                                                .recipient_id = {o.recipient_id.bytes, o.recipient_id.len}};
    return e == LARCH_OK ? larch_oscore_context_init(&context, &parameters) : e;
}

static larch_bytes message(const pair *p, unsigned number)
{
    return (larch_bytes){p->messages[number - 1].data, p->messages[number - 1].len};
}

/* message_1 up to message_2, then both parties' second message. */
static larch_error respond_1(pair *p)
{
    end *r = &p->ends[LARCH_BENCH_RESPONDER];
    larch_lake_message_1 m;
    const larch_error e = larch_lake_process_message_1(&r->session, &r->party, message(p, 1), &m);
    const larch_lake_answer answer = {.c_r = {r->id, p->id_len},
                                      .own = p->method == LARCH_LAKE_METHOD_PSK ? NULL : &r->own};
    return e == LARCH_OK ? larch_lake_compose_message_2(&r->session, &r->party, &m, &answer, &p->messages[1]) : e;
}

/* A device that may have no clock gets the time. */
static larch_error respond_3(pair *p)
{
    static const uint8_t seconds[8] = {0};
    end *r = &p->ends[LARCH_BENCH_RESPONDER];
    uint8_t time[16];
    larch_writer ead = larch_writer_to(time, sizeof time);
    larch_lake_received received;
    larch_error e = larch_lake_process_message_3(&r->session, &r->party, message(p, 3), &received);
    larch_lake_put_ead(
        &ead, &(larch_lake_ead){.label = LARCH_LAKE_EAD_TIME, .has_value = true, .value = LARCH_BYTES(seconds)});
    if (e == LARCH_OK && (e = use_keys(&r->session)) == LARCH_OK)
        e = larch_lake_compose_message_4(&r->session, &r->party, (larch_bytes){time, ead.len}, &p->messages[3]);
    return e;
}

static larch_error initiate_2(pair *p)
{
    end *i = &p->ends[LARCH_BENCH_INITIATOR];
    larch_lake_received received;
    const larch_error e = larch_lake_process_message_2(&i->session, &i->party, message(p, 2), &received);
    return e == LARCH_OK
               ? larch_lake_compose_message_3(&i->session, &i->party, &i->own, (larch_bytes){0}, &p->messages[2])
               : e;
}

static larch_error initiate_4(pair *p)
{
    end *i = &p->ends[LARCH_BENCH_INITIATOR];
    larch_lake_received received;
    const larch_error e = larch_lake_process_message_4(&i->session, &i->party, message(p, 4), &received);
    return e == LARCH_OK ? use_keys(&i->session) : e;
}

static larch_error initiate_1(pair *p)
{
    end *i = &p->ends[LARCH_BENCH_INITIATOR];
    return larch_lake_compose_message_1(&i->session, &i->party, p->method, 0, (larch_bytes){i->id, p->id_len},
                                        (larch_bytes){0}, &p->messages[0]);
}

static bool shake(pair *p)
{
    static larch_error (*const steps[])(pair *) = {initiate_1, respond_1, initiate_2, respond_3, initiate_4};
    larch_error e = LARCH_OK;
    for (unsigned n = 0; n < LARCH_BENCH_MESSAGES; n++)
        p->messages[n] = larch_writer_to(p->bytes[n], sizeof p->bytes[n]);
    larch_lake_init(&p->ends[LARCH_BENCH_INITIATOR].session, LARCH_LAKE_INITIATOR);
    larch_lake_init(&p->ends[LARCH_BENCH_RESPONDER].session, LARCH_LAKE_RESPONDER);
    p->spent_ns[0] = p->spent_ns[1] = 0;
    for (unsigned step = 0; e == LARCH_OK && step < sizeof steps / sizeof steps[0]; step++) {
        const uint64_t begin_ns = larch_measure_now_ns();
        e = steps[step](p);
        p->spent_ns[step % LARCH_BENCH_PARTIES] += larch_measure_now_ns() - begin_ns;
    }
    return e == LARCH_OK && p->ends[0].session.state == LARCH_LAKE_COMPLETED &&
           p->ends[1].session.state == LARCH_LAKE_COMPLETED &&
           memcmp(&p->ends[0].session.keys.prk_out, &p->ends[1].session.keys.prk_out, p->suite->hash_len) == 0;
}

/* ---- measuring ---------------------------------------------------------------------- */

/* The smallest place that method and suite fit. */
static size_t place_of(unsigned method, const larch_lake_suite *suite)
{
    const larch_sig *sig = larch_sig_find(suite->signature);
    if (method == LARCH_LAKE_METHOD_PSK || sig == NULL)
        return sizeof(larch_lake_place_psk);
    return sig->cose_algorithm == LARCH_COSE_ML_DSA_44 ? sizeof(larch_lake_place_44) : sizeof(larch_lake_place_87);
}

static bool run(pair *p, larch_bench_handshake *h, double seconds)
{
    const uint64_t end_ns = larch_measure_now_ns() + (uint64_t)(seconds * 1e9);
    uint64_t *samples = malloc(sizeof *samples * LARCH_BENCH_PARTIES * RUNS_MAX);
    bool ok = samples != NULL && shake(p); /* warms up */
    size_t n = 0;
    for (; ok && n < RUNS_MAX && (n < RUNS_MIN || larch_measure_now_ns() < end_ns); n++) {
        ok = shake(p);
        samples[n] = p->spent_ns[0];
        samples[RUNS_MAX + n] = p->spent_ns[1];
    }
    for (unsigned party = 0; ok && party < LARCH_BENCH_PARTIES; party++)
        h->cpu_us[party] = (double)larch_measure_percentile(samples + (size_t)party * RUNS_MAX, n, 500) / 1e3;
    h->runs = n;
    free(samples);
    return ok;
}

bool larch_bench_run_pair(larch_bench_handshake *h, unsigned method, const larch_lake_suite *suite, double seconds)
{
    pair *p = calloc(1, sizeof *p);
    *h = (larch_bench_handshake){.method = method, .suite = suite, .place_len = place_of(method, suite)};
    const bool ok = p != NULL && begin(p, method, suite) && run(p, h, seconds);
    for (unsigned n = 0; ok && n < LARCH_BENCH_MESSAGES; n++)
        h->message_len[n] = p->messages[n].len;
    if (ok) {
        h->prefix_len[0] = 1;             /* true */
        h->prefix_len[1] = 1 + p->id_len; /* C_R, a byte string */
    }
    if (p != NULL)
        larch_wipe(p, sizeof *p);
    free(p);
    return ok;
}
