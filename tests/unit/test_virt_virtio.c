/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of virtio devices, and queues whose devices break the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "qemu_virt/virtio.h"

/* Registers as plain memory: what is written is read back, so the device accepts whatever it is asked. */
enum {
    MAGIC = 0x000 / 4,
    VERSION = 0x004 / 4,
    DEVICE_ID = 0x008 / 4,
    DEVICE_FEATURES = 0x010 / 4,
    DRIVER_FEATURES = 0x020 / 4,
    QUEUE_NUM_MAX = 0x034 / 4,
    QUEUE_NUM = 0x038 / 4,
    QUEUE_READY = 0x044 / 4,
    INTERRUPT_STATUS = 0x060 / 4,
    INTERRUPT_ACK = 0x064 / 4,
    STATUS = 0x070 / 4,
    QUEUE_DESC = 0x080 / 4,
    CONFIG = 0x100 / 4
};
enum { FAILED = 128 };

static uint32_t registers[0x200 / 4];
static larch_virtq queue;

static larch_virtio fresh(void)
{
    memset(registers, 0, sizeof registers);
    memset(&queue, 0xa5, sizeof queue);
    registers[MAGIC] = 0x74726976;
    registers[VERSION] = 2;
    registers[DEVICE_ID] = LARCH_VIRTIO_RNG;
    registers[DEVICE_FEATURES] = 0xffffffff;
    registers[QUEUE_NUM_MAX] = 1024;
    return (larch_virtio){(uintptr_t)registers, 1};
}

static void tells_what_stands_there(void **state)
{
    (void)state;
    larch_virtio device = fresh();
    assert_int_equal(larch_virtio_kind(device.at), LARCH_VIRTIO_RNG);
    registers[VERSION] = 1;
    assert_int_equal(larch_virtio_kind(device.at), LARCH_VIRTIO_NONE);
    registers[VERSION] = 2;
    registers[MAGIC]++;
    assert_int_equal(larch_virtio_kind(device.at), LARCH_VIRTIO_NONE);
}

static void starts(void **state)
{
    (void)state;
    larch_virtio device = fresh();
    uint32_t accepted = 0;
    registers[STATUS] = 0x4f;
    assert_int_equal(larch_virtio_start(device, 0x21, &accepted), LARCH_OK);
    assert_int_equal(accepted, 0x21);
    assert_int_equal(registers[STATUS], 1 | 2 | 8);
    assert_int_equal(larch_virtio_add_queue(device, 0, &queue), LARCH_OK);
    assert_int_equal(registers[QUEUE_NUM], LARCH_VIRTQ_LEN);
    assert_int_equal(registers[QUEUE_READY], 1);
    assert_int_equal(registers[QUEUE_DESC], (uint32_t)(uintptr_t)queue.descriptors);
    assert_false(larch_virtq_done(&queue));
    larch_virtio_go(device);
    assert_int_equal(registers[STATUS], 1 | 2 | 4 | 8);
    registers[INTERRUPT_STATUS] = 3;
    larch_virtio_acknowledge(device);
    assert_int_equal(registers[INTERRUPT_ACK], 3);
}

static void gives_up_an_unusable_device(void **state)
{
    (void)state;
    larch_virtio device = fresh();
    uint32_t accepted = 77;
    registers[DEVICE_FEATURES] = 0xfffffffe; /* of both words: no VERSION_1 */
    assert_int_equal(larch_virtio_start(device, 0, &accepted), LARCH_PLATFORM);
    assert_int_equal(accepted, 77);
    assert_true(registers[STATUS] & FAILED);

    static const uint32_t too_short[] = {0, 1, LARCH_VIRTQ_LEN - 1};
    for (size_t i = 0; i < sizeof too_short / sizeof too_short[0]; i++) {
        device = fresh();
        registers[QUEUE_NUM_MAX] = too_short[i];
        assert_int_equal(larch_virtio_add_queue(device, 0, &queue), LARCH_PLATFORM);
        assert_true(registers[STATUS] & FAILED);
        assert_int_equal(registers[QUEUE_READY], 0);
    }
    device = fresh();
    registers[QUEUE_READY] = 1; /* somebody else's */
    assert_int_equal(larch_virtio_add_queue(device, 0, &queue), LARCH_PLATFORM);
}

static void reads_configuration(void **state)
{
    (void)state;
    larch_virtio device = fresh();
    uint8_t out[3];
    memcpy(&registers[CONFIG], "\1\2\3\4\5\6\7\10", 8); /* bytes, whatever order the host's integers have */
    assert_int_equal(larch_virtio_read_config(device, 3, out, 3), LARCH_OK);
    assert_memory_equal(out, "\4\5\6", 3);
}

/* ---- queues ---------------------------------------------------------------- */

static uint8_t memory[LARCH_VIRTQ_LEN][16];

static void use(uint32_t id, uint32_t len)
{
    queue.used.ring[queue.used.index % LARCH_VIRTQ_LEN].id = id;
    queue.used.ring[queue.used.index % LARCH_VIRTQ_LEN].len = len;
    queue.used.index++;
}

static void goes_round(void **state)
{
    (void)state;
    uint16_t id;
    size_t written;
    memset(&queue, 0, sizeof queue);
    queue.available.index = queue.used.index = queue.seen = 0xfff0; /* the indices run over */
    for (unsigned round = 0; round < 100; round++) {
        for (uint16_t i = 0; i < 3; i++) {
            larch_virtq_offer_room(&queue, i, memory[i], 16);
            assert_true(larch_virtq_has(&queue, i));
            assert_int_equal(queue.available.ring[(queue.available.index + LARCH_VIRTQ_LEN - 1u) % LARCH_VIRTQ_LEN], i);
            assert_int_equal(queue.descriptors[i].flags, 2);
        }
        assert_int_equal(larch_virtq_take(&queue, &id, &written), LARCH_AGAIN);
        for (unsigned i = 0; i < 3; i++)
            use(2 - i, 14 + i);
        for (unsigned i = 0; i < 3; i++) {
            assert_true(larch_virtq_done(&queue));
            assert_int_equal(larch_virtq_take(&queue, &id, &written), LARCH_OK);
            assert_int_equal(id, 2 - i);
            assert_int_equal(written, 14 + i);
            assert_false(larch_virtq_has(&queue, id));
        }
    }
}

static void stops_at_a_lie(void **state)
{
    (void)state;
    static const struct {
        const char *lie;
        uint32_t id, len;
    } rows[] = {
        {"more bytes than there is room", 0, 17},
        {"very many", 0, UINT32_MAX},
        {"bytes written to what is only read", 1, 1},
        {"a buffer that it does not have", 2, 0},
        {"no buffer", LARCH_VIRTQ_LEN, 0},
        {"nor this", UINT32_MAX, 0},
        {"nor this, whose lower half is one", 0x10000, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint16_t id = 99;
        size_t written = 99;
        memset(&queue, 0, sizeof queue);
        larch_virtq_offer_room(&queue, 0, memory[0], 16);
        larch_virtq_offer_bytes(&queue, 1, (larch_bytes){memory[1], 16});
        assert_int_equal(queue.descriptors[1].flags, 0);
        use(rows[i].id, rows[i].len);
        use(0, 16);
        for (unsigned again = 0; again < 2; again++)
            if (larch_virtq_take(&queue, &id, &written) != LARCH_PLATFORM)
                fail_msg("took %s", rows[i].lie);
        assert_int_equal(id, 99);
        assert_int_equal(written, 99);
        assert_false(larch_virtq_done(&queue));
    }
    /* The index alone runs ahead: what then lies in the ring was used once already. */
    uint16_t id;
    size_t written;
    memset(&queue, 0, sizeof queue);
    larch_virtq_offer_room(&queue, 0, memory[0], 16);
    use(0, 16);
    queue.used.index = 0x8000;
    assert_int_equal(larch_virtq_take(&queue, &id, &written), LARCH_OK);
    assert_int_equal(larch_virtq_take(&queue, &id, &written), LARCH_PLATFORM);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_stands_there),
        cmocka_unit_test(starts),
        cmocka_unit_test(gives_up_an_unusable_device),
        cmocka_unit_test(reads_configuration),
        cmocka_unit_test(goes_round),
        cmocka_unit_test(stops_at_a_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
