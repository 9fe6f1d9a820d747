/* SPDX-License-Identifier: Apache-2.0 */
#include "larch/crypto.h"
#include "larch/direct.h"

static const struct {
    uint16_t set;
    char name[6];
} names[] = {{512, "512"}, {768, "768"}, {1024, "1024"}, {LARCH_XWING_SET, "xwing"}};

#define NAMES (sizeof names / sizeof names[0])

const larch_kem *larch_direct_kem_at(size_t index)
{
    const larch_kem *kem = larch_kem_at(index);
    return kem != NULL || index != LARCH_DIRECT_SETS - 1 ? kem : larch_kem_xwing();
}

const larch_kem *larch_direct_kem_find(unsigned set)
{
    return set == LARCH_XWING_SET ? larch_kem_xwing() : larch_kem_find(set);
}

const larch_kem *larch_direct_kem_by_ct_len(size_t ct_len)
{
    const larch_kem *kem;
    size_t i = 0;
    while ((kem = larch_direct_kem_at(i)) != NULL && kem->ct_len != ct_len)
        i++;
    return kem;
}

const char *larch_direct_kem_name(const larch_kem *kem)
{
    size_t i = 0;
    while (i < NAMES - 1 && names[i].set != kem->set)
        i++;
    return names[i].name;
}

const larch_kem *larch_direct_kem_named(larch_bytes name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (larch_bytes_equal(name, larch_bytes_of_text(names[i].name)))
            return larch_direct_kem_find(names[i].set);
    return NULL;
}

larch_error larch_direct_key_hash(larch_bytes ek, uint8_t hash[32]) { return larch_sha256(&ek, 1, hash); }
