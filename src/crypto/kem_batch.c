/* SPDX-License-Identifier: Apache-2.0 */
/* Many operations at once: items are checked and gathered here, and computed side
 * by side where the algorithm can. */
#include "larch/kem.h"
#include "pq/pq.h"

/* Whether this KEM computes several at a time, which takes the levels of x86. */
#if LARCH_X86
#define HAS(kem, many) ((kem)->functions->many != NULL)
#else
#define HAS(kem, many) false
#endif

/* Items that are handed on together. */
#define GROUP 8

/* The error of a batch: that of the first item that has one. */
static larch_error first_of(larch_error all, larch_error item) { return all == LARCH_OK ? item : all; }

larch_error larch_kem_keygen_batch(const larch_kem *kem, larch_kem_keygen_item *items, size_t count)
{
    larch_error all = LARCH_OK;
    const bool singly = !HAS(kem, keygen_many) || LARCH_KEM_PAIRWISE_TEST;
    for (size_t i = 0; singly && i < count; i++) {
        items[i].error = larch_kem_keygen(kem, items[i].seed, items[i].ek, items[i].dk);
        all = first_of(all, items[i].error);
    }
    for (size_t i = 0; !singly && i < count;) {
        const uint8_t *seed[GROUP];
        uint8_t *ek[GROUP], *dk[GROUP];
        size_t n = 0;
        for (; n < GROUP && i < count; n++, i++) {
            seed[n] = items[i].seed;
            ek[n] = items[i].ek;
            dk[n] = items[i].dk;
            items[i].error = LARCH_OK;
        }
        kem->functions->keygen_many(seed, ek, dk, n);
    }
    return all;
}

static void refuse(const larch_kem *kem, larch_kem_encaps_item *item, larch_error e)
{
    larch_wipe(item->ct, kem->ct_len);
    larch_wipe(item->ss, LARCH_KEM_SS_LEN);
    item->error = e;
}

/* Encapsulates for up to GROUP of the items; *done is how many were gone through. */
static larch_error encaps_group(const larch_kem *kem, const larch_random *random, larch_kem_encaps_item *items,
                                size_t count, size_t *done)
{
    const uint8_t *ek[GROUP], *m[GROUP];
    uint8_t *ct[GROUP], *ss[GROUP], seeds[GROUP][32];
    size_t n = 0, i = 0;
    for (; n < GROUP && i < count; i++) {
        const larch_error e = larch_kem_check_ek(kem, items[i].ek);
        if (e != LARCH_OK) {
            refuse(kem, &items[i], e);
            continue;
        }
        items[i].error = LARCH_OK;
        ek[n] = items[i].ek.data;
        ct[n] = items[i].ct;
        ss[n] = items[i].ss;
        m[n] = seeds[n];
        n++;
    }
    *done = i;
    if (n == 0)
        return LARCH_OK;
    const larch_error e = larch_random_fill(random, seeds[0], n * sizeof seeds[0]);
    if (e == LARCH_OK)
        kem->functions->encaps_many(ek, m, ct, ss, n);
    larch_wipe(seeds, sizeof seeds);
    return e;
}

larch_error larch_kem_encaps_batch(const larch_kem *kem, const larch_random *random, larch_kem_encaps_item *items,
                                   size_t count)
{
    larch_error all = LARCH_OK, e = LARCH_OK;
    for (size_t i = 0, n = 1; i < count && e == LARCH_OK; i += n) {
        if (HAS(kem, encaps_many)) {
            e = encaps_group(kem, random, items + i, count - i, &n);
        } else {
            items[i].error = larch_kem_encaps(kem, random, items[i].ek, items[i].ct, items[i].ss);
            if (items[i].error != LARCH_MALFORMED)
                e = items[i].error;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (e != LARCH_OK)
            refuse(kem, &items[i], e);
        all = first_of(all, items[i].error);
    }
    return all;
}

/* Decapsulates up to GROUP of the items; returns how many were gone through. */
static size_t decaps_group(const larch_kem *kem, larch_kem_decaps_item *items, size_t count)
{
    const uint8_t *dk[GROUP], *ct[GROUP];
    uint8_t *ss[GROUP];
    size_t n = 0, i = 0;
    for (; n < GROUP && i < count; i++) {
        items[i].error = items[i].ct.len == kem->ct_len ? LARCH_OK : LARCH_MALFORMED;
        if (items[i].error != LARCH_OK) {
            larch_wipe(items[i].ss, LARCH_KEM_SS_LEN);
            continue;
        }
        dk[n] = items[i].dk;
        ct[n] = items[i].ct.data;
        ss[n] = items[i].ss;
        n++;
    }
    if (n > 0)
        kem->functions->decaps_many(dk, ct, ss, n);
    return i;
}

larch_error larch_kem_decaps_batch(const larch_kem *kem, larch_kem_decaps_item *items, size_t count)
{
    larch_error all = LARCH_OK;
    for (size_t i = 0, n = 1; HAS(kem, decaps_many) && i < count; i += n)
        n = decaps_group(kem, items + i, count - i);
    for (size_t i = 0; i < count; i++) {
        if (!HAS(kem, decaps_many))
            items[i].error = larch_kem_decaps(kem, items[i].dk, items[i].ct, items[i].ss);
        all = first_of(all, items[i].error);
    }
    return all;
}
