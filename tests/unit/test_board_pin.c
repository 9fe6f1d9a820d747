/* SPDX-License-Identifier: Apache-2.0 */
/* The sender board's pin: kept whole through power cuts, with the key that belongs to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash.h"
#include "larch/crypto.h"
#include "roles/pin_old.h"

static const larch_kem *kem;
/* Two pins with their keys: of a key, and of an identity with its root key. */
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
        larch_pin *pin = &pins[i];
        for (uint8_t n = 0; n <= i; n++) {
            memset(seed, 2 * i + n + 1, sizeof seed);
            if (larch_kem_keygen(kem, seed, pin->keys + n * kem->ek_len, dk) != LARCH_OK)
                return -1;
        }
        const larch_bytes ek = {pin->keys, kem->ek_len};
        if (larch_sha256(&ek, 1, hash) != LARCH_OK)
            return -1;
        pin->known = true;
        pin->keys_len = (1u + i) * kem->ek_len;
        pin->fingerprint.kind = i == 0 ? LARCH_FINGERPRINT_KEY : LARCH_FINGERPRINT_IDENTITY;
        memcpy(pin->fingerprint.bytes, hash, sizeof pin->fingerprint.bytes);
        pin->gateway = (larch_peer){.address = {[10] = 0xff, [11] = 0xff, 10, 0, 0, i}, .port = 5683};
    }
    return 0;
}

static bool same(const larch_pin *a, const larch_pin *b)
{
    return a->known == b->known && a->fingerprint.kind == b->fingerprint.kind &&
           memcmp(a->fingerprint.bytes, b->fingerprint.bytes, sizeof a->fingerprint.bytes) == 0 &&
           larch_peer_equal(&a->gateway, &b->gateway) && a->keys_len == b->keys_len &&
           memcmp(a->keys, b->keys, a->keys_len) == 0;
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
            want.keys_len = 0;
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

/* A damaged record is named and left as it is; damaged keys count as not seen. */
static void test_damage(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        larch_flash flash;
        larch_flash_init(&flash, 1);
        larch_storage storage = larch_flash_storage(&flash);
        larch_store_fault fault;
        larch_pin pin = pins[n], found;
        uint8_t copy[2 * LARCH_KEM_EK_MAX];
        assert_int_equal(larch_pin_save(&storage, &pin), LARCH_OK);
        const char *name = pin.place == 0 ? "gateway-0.keys" : "gateway-1.keys";
        larch_bytes file = larch_flash_look(&flash, name);
        assert_int_equal(file.len, pin.keys_len);
        memcpy(copy, file.data, file.len);
        copy[file.len - 100] ^= 1;
        larch_flash_put(&flash, name, (larch_bytes){copy, file.len});
        assert_int_equal(larch_pin_load(&storage, kem, &found, &fault), LARCH_OK);
        assert_true(found.known && found.keys_len == 0);
        /* Keys of the other kind of pin. */
        larch_flash_put(&flash, name, (larch_bytes){pins[1 - n].keys, pins[1 - n].keys_len});
        assert_int_equal(larch_pin_load(&storage, kem, &found, &fault), LARCH_OK);
        assert_true(found.known && found.keys_len == 0);

        file = larch_flash_look(&flash, "gateway.trust");
        const size_t len = file.len;
        for (size_t i = 0; i < len; i++) {
            memcpy(copy, larch_flash_look(&flash, "gateway.trust").data, len);
            copy[i] ^= 0x10;
            larch_flash_put(&flash, "gateway.trust", (larch_bytes){copy, len});
            assert_int_not_equal(larch_pin_load(&storage, kem, &found, &fault), LARCH_OK);
            assert_int_not_equal(fault, LARCH_STORE_NONE);
            assert_false(found.known);
            assert_true(larch_bytes_equal(larch_flash_look(&flash, "gateway.trust"), (larch_bytes){copy, len}));
            copy[i] ^= 0x10;
            larch_flash_put(&flash, "gateway.trust", (larch_bytes){copy, len});
        }
        larch_flash_free(&flash);
    }
}

/* A sound record of what nobody wrote: another kind or place, too short, too long. */
static void test_unsound(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint8_t kind, place;
        larch_error error;
    } payloads[] = {{72, 1, 0, LARCH_OK},        {72, 2, 1, LARCH_OK},        {72, 0, 0, LARCH_MALFORMED},
                    {72, 3, 0, LARCH_MALFORMED}, {72, 1, 2, LARCH_MALFORMED}, {71, 1, 0, LARCH_MALFORMED},
                    {39, 1, 0, LARCH_MALFORMED}, {0, 0, 0, LARCH_MALFORMED},  {73, 1, 0, LARCH_SPACE}};
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        larch_flash flash;
        larch_flash_init(&flash, 1);
        larch_storage storage = larch_flash_storage(&flash);
        larch_store_fault fault;
        larch_pin found;
        uint8_t payload[80] = {payloads[i].kind, [39] = payloads[i].place};
        assert_int_equal(larch_record_write(&storage, "gateway.trust", LARCH_RECORD_TRUST,
                                            (larch_bytes){payload, payloads[i].len}, 0),
                         LARCH_OK);
        assert_int_equal(larch_pin_load(&storage, kem, &found, &fault), payloads[i].error);
        assert_int_equal(found.known, payloads[i].error == LARCH_OK);
        larch_flash_free(&flash);
    }
}

/* ---- of an older larch --------------------------------------------------------- */

/* As it wrote them: the pin of a key, with the key itself in place 1. */
static void put_old(const larch_storage *storage, const larch_pin *pin)
{
    uint8_t payload[39] = {[38] = 1};
    memcpy(payload, pin->fingerprint.bytes, 20);
    memcpy(payload + 20, pin->gateway.address, 16);
    payload[36] = (uint8_t)(pin->gateway.port >> 8);
    payload[37] = (uint8_t)pin->gateway.port;
    assert_int_equal(storage->replace(storage->context, "gateway-1.ek", (larch_bytes){pin->keys, kem->ek_len}, 0),
                     LARCH_OK);
    assert_int_equal(larch_record_write(storage, "gateway.pin", LARCH_RECORD_PIN, LARCH_BYTES(payload), 0), LARCH_OK);
}

static larch_error load_both(const larch_storage *storage, larch_pin *pin)
{
    larch_store_fault fault;
    const larch_error e = larch_pin_load(storage, kem, pin, &fault);
    return e == LARCH_OK ? larch_pin_old_take_over(storage, kem, pin, &fault) : e;
}

/* It is read once: then it is a pin like any other, and nothing of the old one is left. */
static void test_old(void **state)
{
    (void)state;
    for (unsigned damaged = 0; damaged < 2; damaged++) {
        larch_flash flash;
        larch_flash_init(&flash, 1);
        larch_storage storage = larch_flash_storage(&flash);
        larch_store_fault fault;
        larch_pin pin, want = pins[0];
        put_old(&storage, &pins[0]);
        if (damaged) { /* another key than the pinned one counts as not seen */
            larch_flash_put(&flash, "gateway-1.ek", (larch_bytes){pins[1].keys + kem->ek_len, kem->ek_len});
            want.keys_len = 0;
        }
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(load_both(&storage, &pin), LARCH_OK);
            assert_true(same(&pin, &want));
            assert_null(larch_flash_look(&flash, "gateway.pin").data);
            assert_null(larch_flash_look(&flash, "gateway-1.ek").data);
        }
        assert_int_equal(larch_pin_load(&storage, kem, &pin, &fault), LARCH_OK);
        assert_true(same(&pin, &want));
        assert_int_equal(larch_pin_forget(&storage, &pin), LARCH_OK);
        assert_int_equal(load_both(&storage, &pin), LARCH_OK);
        assert_false(pin.known);
        larch_flash_free(&flash);
    }
}

/* An old pin beside a new one counts for nothing, and goes. */
static void test_old_beside_new(void **state)
{
    (void)state;
    larch_flash flash;
    larch_flash_init(&flash, 1);
    larch_storage storage = larch_flash_storage(&flash);
    larch_pin pin = pins[1];
    put_old(&storage, &pins[0]);
    assert_int_equal(larch_pin_save(&storage, &pin), LARCH_OK);
    assert_int_equal(load_both(&storage, &pin), LARCH_OK);
    assert_true(same(&pin, &pins[1]));
    assert_null(larch_flash_look(&flash, "gateway.pin").data);
    larch_flash_free(&flash);
}

/* The power goes during each operation of the move: the next start has the pin all the same. */
static void test_old_power_cuts(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 16; seed++)
        for (uint32_t cut = 0; cut < 24; cut++) {
            larch_flash flash;
            larch_flash_init(&flash, seed);
            larch_storage storage = larch_flash_storage(&flash);
            larch_pin pin;
            put_old(&storage, &pins[0]);
            flash.cut_at = flash.operations + cut;
            (void)!load_both(&storage, &pin);
            larch_flash_power_on(&flash);
            assert_int_equal(load_both(&storage, &pin), LARCH_OK);
            assert_true(same(&pin, &pins[0]));
            larch_flash_free(&flash);
        }
}

/* A damaged old record is named and left as it is. */
static void test_old_damage(void **state)
{
    (void)state;
    larch_flash flash;
    larch_flash_init(&flash, 1);
    larch_storage storage = larch_flash_storage(&flash);
    larch_pin pin;
    uint8_t copy[128];
    put_old(&storage, &pins[0]);
    const larch_bytes file = larch_flash_look(&flash, "gateway.pin");
    const size_t len = file.len;
    memcpy(copy, file.data, len);
    for (size_t i = 0; i < len; i++) {
        copy[i] ^= 0x10;
        larch_flash_put(&flash, "gateway.pin", (larch_bytes){copy, len});
        assert_int_not_equal(load_both(&storage, &pin), LARCH_OK);
        assert_false(pin.known);
        assert_true(larch_bytes_equal(larch_flash_look(&flash, "gateway.pin"), (larch_bytes){copy, len}));
        assert_null(larch_flash_look(&flash, "gateway.trust").data);
        copy[i] ^= 0x10;
    }
    larch_flash_free(&flash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_power_cuts), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_unsound),        cmocka_unit_test(test_old),        cmocka_unit_test(test_old_beside_new),
        cmocka_unit_test(test_old_power_cuts), cmocka_unit_test(test_old_damage)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
