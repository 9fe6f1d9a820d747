/* SPDX-License-Identifier: Apache-2.0 */
/* The schemes of larch, as rows. Keys are bytes before and after each operation. */
#include <stdlib.h>
#include <string.h>

#include "bench/rows.h"
#include "common/app.h"
#include "larch/crypto.h"
#include "larch/sig.h"
#include "system.h"

#define LIBRARY LARCH_APP_VERSION
#define BATCH   8

typedef struct kem_state {
    const larch_kem *kem;
    larch_random random;
    uint8_t seed[LARCH_KEM_SEED_LEN];
    uint8_t ek[LARCH_KEM_EK_MAX];
    uint8_t dk[LARCH_KEM_DK_MAX];
    uint8_t ct[LARCH_KEM_CT_MAX];
    uint8_t ss[LARCH_KEM_SS_LEN];
} kem_state;

typedef struct batch_state {
    const larch_kem *kem;
    larch_random random;
    bool one_key; /* all to the first key, as at a gateway; else each has its own */
    kem_state each[BATCH];
} batch_state;

typedef struct sig_state {
    const larch_sig *sig;
    larch_random random;
    uint8_t seed[LARCH_SIG_SEED_LEN];
    uint8_t pk[LARCH_SIG_PK_MAX];
    uint8_t sk[LARCH_SIG_SK_MAX];
    uint8_t signature[LARCH_SIG_SIG_MAX];
} sig_state;

static bool run_kem(void *state, unsigned op)
{
    kem_state *s = state;
    const larch_kem *kem = s->kem;
    uint8_t ss[LARCH_KEM_SS_LEN];
    switch (op) {
    case 0:
        return larch_random_fill(&s->random, s->seed, kem->seed_len) == LARCH_OK &&
               larch_kem_keygen(kem, s->seed, s->ek, s->dk) == LARCH_OK;
    case 1:
        return larch_kem_encaps(kem, &s->random, (larch_bytes){s->ek, kem->ek_len}, s->ct, s->ss) == LARCH_OK;
    default:
        return larch_kem_decaps(kem, s->dk, (larch_bytes){s->ct, kem->ct_len}, ss) == LARCH_OK &&
               memcmp(ss, s->ss, sizeof ss) == 0;
    }
}

static bool run_batch(void *state, unsigned op)
{
    batch_state *s = state;
    const larch_kem *kem = s->kem;
    larch_kem_keygen_item keygen[BATCH];
    larch_kem_encaps_item encaps[BATCH];
    larch_kem_decaps_item decaps[BATCH];
    uint8_t ss[BATCH][LARCH_KEM_SS_LEN];
    bool ok = true;
    for (size_t i = 0; i < BATCH; i++) {
        kem_state *mine = &s->each[i], *receiver = &s->each[s->one_key ? 0 : i];
        keygen[i] = (larch_kem_keygen_item){.seed = mine->seed, .ek = mine->ek, .dk = mine->dk};
        encaps[i] = (larch_kem_encaps_item){.ek = {receiver->ek, kem->ek_len}, .ct = mine->ct, .ss = mine->ss};
        decaps[i] = (larch_kem_decaps_item){.dk = receiver->dk, .ct = {mine->ct, kem->ct_len}, .ss = ss[i]};
        if (op == 0)
            ok = ok && larch_random_fill(&s->random, mine->seed, kem->seed_len) == LARCH_OK;
    }
    if (op == 0)
        return ok && larch_kem_keygen_batch(kem, keygen, BATCH) == LARCH_OK;
    if (op == 1)
        return larch_kem_encaps_batch(kem, &s->random, encaps, BATCH) == LARCH_OK;
    ok = larch_kem_decaps_batch(kem, decaps, BATCH) == LARCH_OK;
    for (size_t i = 0; i < BATCH; i++)
        ok = ok && memcmp(ss[i], s->each[i].ss, sizeof ss[i]) == 0;
    return ok;
}

static bool run_sig(void *state, unsigned op)
{
    static const uint8_t text[32] = {1};
    const larch_bytes message = {text, sizeof text}, context = {NULL, 0};
    sig_state *s = state;
    const larch_sig *sig = s->sig;
    switch (op) {
    case 0:
        return larch_random_fill(&s->random, s->seed, sig->seed_len) == LARCH_OK &&
               larch_sig_keygen(sig, s->seed, s->pk, s->sk) == LARCH_OK;
    case 1:
        return larch_sig_sign(sig, &s->random, s->sk, context, message, s->signature) == LARCH_OK;
    default:
        return larch_sig_verify(sig, (larch_bytes){s->pk, sig->pk_len}, context, message,
                                (larch_bytes){s->signature, sig->sig_len}) == LARCH_OK;
    }
}

static bool add(larch_bench_rows *rows, const larch_scheme *scheme)
{
    for (unsigned op = 0; op < LARCH_SCHEME_OPS; op++)
        if (!scheme->run(scheme->state, op))
            return false;
    larch_bench_add(rows, scheme, NULL, 0);
    return true;
}

/* States live as long as the program, which ends with the command. */
static bool add_kem(larch_bench_rows *rows, const larch_kem *kem)
{
    kem_state *s = calloc(1, sizeof *s);
    if (s == NULL)
        return false;
    s->kem = kem;
    s->random = larch_posix_random();
    return add(rows,
               &(larch_scheme){LARCH_SCHEME_KEM, LIBRARY, kem->name, "", kem->ek_len, kem->ct_len, 1, run_kem, s});
}

static bool add_batch(larch_bench_rows *rows, const larch_kem *kem, bool one_key)
{
    batch_state *s = calloc(1, sizeof *s);
    if (s == NULL)
        return false;
    s->kem = kem;
    s->random = larch_posix_random();
    s->one_key = one_key;
    return add(rows, &(larch_scheme){LARCH_SCHEME_KEM, LIBRARY, kem->name,
                                     one_key ? "batch of 8, one key" : "batch of 8, a key each", kem->ek_len,
                                     kem->ct_len, BATCH, run_batch, s});
}

static bool add_sig(larch_bench_rows *rows, const larch_sig *sig)
{
    sig_state *s = calloc(1, sizeof *s);
    if (s == NULL)
        return false;
    s->sig = sig;
    s->random = larch_posix_random();
    return add(rows, &(larch_scheme){LARCH_SCHEME_SIGNATURE, LIBRARY, sig->name, "", sig->pk_len, sig->sig_len, 1,
                                     run_sig, s});
}

bool larch_bench_add_ours(larch_bench_rows *rows, bool batches)
{
    const larch_kem *kem;
    const larch_sig *sig;
    bool ok = true;
    for (size_t i = 0; ok && (kem = larch_kem_at(i)) != NULL; i++)
        ok = add_kem(rows, kem) && (!batches || (add_batch(rows, kem, false) && add_batch(rows, kem, true)));
    if (ok && larch_kem_xwing() != NULL)
        ok = add_kem(rows, larch_kem_xwing());
    for (size_t i = 0; ok && (sig = larch_sig_at(i)) != NULL; i++)
        ok = add_sig(rows, sig);
    return ok;
}
