/* SPDX-License-Identifier: Apache-2.0 */
/* The sender board's pin: kept whole through power cuts, with the key that belongs to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash.h"
#include "larch/crypto.h"
#include "roles/pin.h"

static const larch_kem *kem;
/* Two pins with their keys. */
static larch_pin pins[2];

static int setup(void **state)
{
    static uint8_t dk[LARCH_KEM_DK_MAX];
    (void)state;
    kem = larch_kem_at(0);
    if (larch_crypto_init() != LARCH_OK)
        return -1;
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t seed[LARCH_KEM_SEED_LEN], hash[32];
        memset(seed, i + 1, sizeof seed);
        pins[i] = (larch_pin){.known = true, .ek_len = kem->ek_len};
        if (larch_kem_keygen(kem, seed, pins[i].ek, dk) != LARCH_OK ||
            larch_direct_key_hash((larch_bytes){pins[i].ek, kem->ek_len}, hash) != LARCH_OK)
            return -1;
        memcpy(pins[i].fingerprint, hash, sizeof pins[i].fingerprint);
        pins[i].gateway = (larch_peer){{[10] = 0xff, [11] = 0xff, 10, 0, 0, i}, 0, 5683, 0};
    }
    return 0;
}

static bool same(const larch_pin *a, const larch_pin *b)
{
    return a->known == b->known && memcmp(a->fingerprint, b->fingerprint, sizeof a->fingerprint) == 0 &&
           larch_peer_equal(&a->gateway, &b->gateway) && a->ek_len == b->ek_len && memcmp(a->ek, b->ek, a->ek_len) == 0;
}

/* What is saved comes back: with and without a key, twice over, and after forgetting nothing. */
static void test_round_trip(void **state)
{
    (void)state;
    larch_flash flash;
    larch_flash_init(&flash, 1);
    larch_storage storage = larch_flash_storage(&flash);
    larch_store_fault fault;
    larch_pin pin, none = {0};
    assert_int_equal(larch_pin_load(&storage, kem, &pin, &fault), LARCH_OK);
    assert_true(same(&pin, &none));
    for (unsigned i = 0; i < 6; i++) {
        larch_pin want = pins[i % 2];
        want.place = pin.place;
        if (i >= 4)
            want.ek_len = 0;
        assert_int_equal(larch_pin_save(&storage, &want), LARCH_OK);
        assert_int_equal(larch_pin_load(&storage, kem, &pin, &fault), LARCH_OK);
        assert_true(same(&pin, &want));
    }
    assert_int_equal(larch_pin_forget(&storage, &pin), LARCH_OK);
    assert_true(same(&pin, &none));
    assert_int_equal(larch_pin_load(&storage, kem, &pin, &fault), LARCH_OK);
    assert_true(same(&pin, &none));
    larch_flash_free(&flash);
}

/* The power goes during each operation of a change: the old pin stands with its key, or the new one with its own. */
static void test_power_cuts(void **state)
{
    (void)state;
    unsigned old = 0, new = 0;
    for (uint32_t seed = 0; seed < 64; seed++)
        for (uint32_t cut = 0; cut < 4; cut++) {
            larch_flash flash;
            larch_flash_init(&flash, seed);
            larch_storage storage = larch_flash_storage(&flash);
            larch_store_fault fault;
            larch_pin pin = pins[0], found;
            assert_int_equal(larch_pin_save(&storage, &pin), LARCH_OK);
            const uint8_t place = pin.place;
            pin = pins[1];
            pin.place = place;
            flash.cut_at = flash.operations + cut;
            larch_error e = larch_pin_save(&storage, &pin);
            larch_flash_power_on(&flash);
            assert_int_equal(larch_pin_load(&storage, kem, &found, &fault), LARCH_OK);
            assert_true(same(&found, &pins[0]) || same(&found, &pins[1]));
            if (e == LARCH_OK)
                assert_true(same(&found, &pins[1]));
            old += same(&found, &pins[0]);
            new += same(&found, &pins[1]);
            larch_flash_free(&flash);
        }
    assert_true(old > 0 && new > 0);
}

/* A damaged record is named and left as it is; a damaged key counts as not seen. */
static void test_damage(void **state)
{
    (void)state;
    larch_flash flash;
    larch_flash_init(&flash, 1);
    larch_storage storage = larch_flash_storage(&flash);
    larch_store_fault fault;
    larch_pin pin = pins[0], found;
    uint8_t copy[LARCH_KEM_EK_MAX];
    assert_int_equal(larch_pin_save(&storage, &pin), LARCH_OK);
    larch_bytes file = larch_flash_look(&flash, pin.place == 0 ? "gateway-0.ek" : "gateway-1.ek");
    memcpy(copy, file.data, file.len);
    copy[100] ^= 1;
    larch_flash_put(&flash, pin.place == 0 ? "gateway-0.ek" : "gateway-1.ek", (larch_bytes){copy, file.len});
    assert_int_equal(larch_pin_load(&storage, kem, &found, &fault), LARCH_OK);
    assert_true(found.known && found.ek_len == 0);

    file = larch_flash_look(&flash, "gateway.pin");
    const size_t len = file.len;
    for (size_t i = 0; i < len; i++) {
        memcpy(copy, larch_flash_look(&flash, "gateway.pin").data, len);
        copy[i] ^= 0x10;
        larch_flash_put(&flash, "gateway.pin", (larch_bytes){copy, len});
        assert_int_not_equal(larch_pin_load(&storage, kem, &found, &fault), LARCH_OK);
        assert_int_not_equal(fault, LARCH_STORE_NONE);
        assert_false(found.known);
        assert_true(larch_bytes_equal(larch_flash_look(&flash, "gateway.pin"), (larch_bytes){copy, len}));
        copy[i] ^= 0x10;
        larch_flash_put(&flash, "gateway.pin", (larch_bytes){copy, len});
    }
    larch_flash_free(&flash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_power_cuts),
                                       cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
