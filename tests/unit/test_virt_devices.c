/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers of random source, second channel and Ethernet, each against a device that answers, is silent, or lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "board/board.h"
#include "board/i2c_stream.h"
#include "qemu_virt/drivers.h"

/* ---- the fake device ----------------------------------------------------------- */

enum { QUEUES = 2 };
static const larch_virtio here = {1, 1};

static struct {
    larch_virtq *queues[QUEUES];
    uint16_t served[QUEUES]; /* of available.index */
    unsigned notified[QUEUES], acknowledged;
    void (*on_notify)(uint32_t queue);
    uint32_t features;
    bool no_queue;
    uint8_t config[8];
} fake;

static uint64_t now;

uint64_t larch_virt_time(void) { return now += LARCH_VIRT_MTIME_HZ / 1000; }
uint64_t larch_board_now_us(void) { return now; }

larch_error larch_virtio_start(larch_virtio device, uint32_t wanted, uint32_t *accepted)
{
    assert_int_equal(device.at, here.at);
    *accepted = wanted & fake.features;
    return LARCH_OK;
}

larch_error larch_virtio_add_queue(larch_virtio device, uint32_t index, larch_virtq *q)
{
    (void)device;
    assert_true(index < QUEUES);
    if (fake.no_queue)
        return LARCH_PLATFORM;
    memset(q, 0, sizeof *q);
    fake.queues[index] = q;
    return LARCH_OK;
}

void larch_virtio_go(larch_virtio device) { (void)device; }
void larch_virtio_acknowledge(larch_virtio device)
{
    (void)device;
    fake.acknowledged++;
}

uint32_t larch_virtio_kind(uintptr_t at) { return at == here.at ? LARCH_VIRTIO_RNG : LARCH_VIRTIO_NONE; }

void larch_virtio_notify(larch_virtio device, uint32_t index)
{
    (void)device;
    fake.notified[index]++;
    if (fake.on_notify != NULL)
        fake.on_notify(index);
}

larch_error larch_virtio_read_config(larch_virtio device, uint32_t at, uint8_t *out, size_t len)
{
    (void)device;
    memcpy(out, fake.config + at, len);
    return LARCH_OK;
}

static int fresh(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.features = UINT32_MAX;
    return 0;
}

/* The next buffer that the driver offers; LARCH_VIRTQ_LEN: none. */
static uint16_t next(uint32_t index)
{
    larch_virtq *q = fake.queues[index];
    return fake.served[index] == q->available.index ? LARCH_VIRTQ_LEN
                                                    : q->available.ring[fake.served[index]++ % LARCH_VIRTQ_LEN];
}

static uint8_t *memory_of(uint32_t index, uint16_t id)
{
    return (uint8_t *)(uintptr_t)fake.queues[index]->descriptors[id].address;
}

static void use(uint32_t index, uint32_t id, size_t len)
{
    larch_virtq *q = fake.queues[index];
    q->used.ring[q->used.index % LARCH_VIRTQ_LEN].id = id;
    q->used.ring[q->used.index % LARCH_VIRTQ_LEN].len = (uint32_t)len;
    q->used.index++;
}

/* ---- random ---------------------------------------------------------------------- */

static uint8_t counter;
static size_t most; /* bytes a buffer */

static void give_random(uint32_t index)
{
    uint16_t id;
    while ((id = next(index)) < LARCH_VIRTQ_LEN) {
        size_t len = fake.queues[index]->descriptors[id].len;
        len = len < most ? len : most;
        for (size_t i = 0; i < len; i++)
            memory_of(index, id)[i] = ++counter;
        use(index, id, len);
    }
}

static void random_draws_all_bytes(void **state)
{
    (void)state;
    larch_virt_rng_start(here);
    fake.on_notify = give_random;
    static const size_t portions[] = {1000, 32, 5, 1};
    for (size_t i = 0; i < sizeof portions / sizeof portions[0]; i++) {
        uint8_t out[101] = {0};
        most = portions[i];
        counter = 0;
        assert_int_equal(larch_board_random(NULL, out, 100), LARCH_OK);
        for (uint8_t k = 0; k < 100; k++)
            assert_int_equal(out[k], k + 1);
        assert_int_equal(out[100], 0);
    }
    assert_int_equal(larch_board_random(NULL, NULL, 0), LARCH_OK);
    most = 0;
    uint8_t out[4] = {1, 2, 3, 4};
    assert_int_equal(larch_board_random(NULL, out, 4), LARCH_PLATFORM);
    assert_memory_equal(out, "\0\0\0\0", 4);
}

static void random_does_not_wait_for_ever(void **state)
{
    (void)state;
    uint8_t out[8];
    larch_virt_rng_start(here);
    for (unsigned i = 0; i < 6; i++) {
        memset(out, 0xee, sizeof out);
        assert_int_equal(larch_board_random(NULL, out, sizeof out), LARCH_PLATFORM);
        assert_memory_equal(out, "\0\0\0\0\0\0\0\0", sizeof out);
    }
    assert_int_equal(fake.notified[0], 4); /* no place is lent twice */
    /* All four come late: their bytes are for nobody, their places are free again. */
    counter = 0x50;
    most = 32;
    give_random(0);
    counter = 0;
    fake.on_notify = give_random;
    assert_int_equal(larch_board_random(NULL, out, sizeof out), LARCH_OK);
    assert_memory_equal(out, "\1\2\3\4\5\6\7\10", sizeof out);
}

static uint32_t lie_id;
static size_t lie_len;
static void lie(uint32_t index) { use(index, lie_id, lie_len); }

static void random_takes_no_lies(void **state)
{
    (void)state;
    static const struct {
        uint32_t id;
        size_t len;
    } rows[] = {{0, 9}, {1, 8}, {7, 8}, {8, 8}, {UINT32_MAX, UINT32_MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[8] = {1};
        larch_virt_rng_start(here);
        lie_id = rows[i].id;
        lie_len = rows[i].len;
        fake.on_notify = lie;
        assert_int_equal(larch_board_random(NULL, out, sizeof out), LARCH_PLATFORM);
        assert_memory_equal(out, "\0\0\0\0\0\0\0\0", sizeof out);
        fake.on_notify = give_random;
        assert_int_equal(larch_board_random(NULL, out, sizeof out), LARCH_PLATFORM);
    }
    uint8_t out[8];
    fake.no_queue = true;
    larch_virt_rng_start(here);
    assert_int_equal(larch_board_random(NULL, out, sizeof out), LARCH_PLATFORM);
}

/* ---- second channel ---------------------------------------------------------------- */

enum { TRANSMIT = 1 };

static void expect_frame(const char *bytes, size_t len)
{
    uint16_t id = next(TRANSMIT);
    assert_true(id < LARCH_VIRTQ_LEN);
    assert_int_equal(fake.queues[TRANSMIT]->descriptors[id].len, len);
    assert_memory_equal(memory_of(TRANSMIT, id), bytes, len);
    use(TRANSMIT, id, 0);
}

static void channel_frames_transfers(void **state)
{
    (void)state;
    static uint8_t picture[LARCH_I2C_STREAM_MAX + 1];
    larch_virt_console_start(here);
    assert_int_equal(larch_board_i2c_write(0x3c, LARCH_TEXT("\x40\xff")), LARCH_OK);
    expect_frame("\x78\0\2\x40\xff", 5);
    assert_int_equal(larch_board_i2c_write(0x3c, LARCH_BYTES(picture)), LARCH_SPACE);
    assert_int_equal(larch_board_i2c_write(0x3c, (larch_bytes){NULL, 0}), LARCH_SPACE);
    assert_int_equal(larch_board_i2c_write(0x80, LARCH_TEXT("x")), LARCH_SPACE);
    assert_int_equal(larch_board_i2c_write(0x7f, (larch_bytes){picture, LARCH_I2C_STREAM_MAX}), LARCH_OK);
    /* The host has not taken it: the next one waits, then fails, and what is under way stays as it is. */
    assert_int_equal(larch_board_i2c_write(0x3c, LARCH_TEXT("\x40\xff")), LARCH_PLATFORM);
    assert_int_equal(fake.notified[TRANSMIT], 2);
    uint16_t id = next(TRANSMIT);
    assert_memory_equal(memory_of(TRANSMIT, id), "\xfe\x04\x01\0", 4);
    use(TRANSMIT, id, 0);
    assert_int_equal(larch_board_i2c_write(0x3c, LARCH_TEXT("\x00\xaf")), LARCH_OK);
    expect_frame("\x78\0\2\x00\xaf", 5);
}

static void channel_keeps_the_newest_light(void **state)
{
    (void)state;
    larch_virt_console_start(here);
    larch_board_led(false); /* as it is */
    assert_int_equal(fake.notified[TRANSMIT], 0);
    larch_board_led(true);
    larch_board_led(false);
    larch_board_led(true); /* as the host was told */
    larch_virt_console_tick();
    assert_int_equal(fake.notified[TRANSMIT], 1);
    larch_board_led(false);
    assert_int_equal(fake.notified[TRANSMIT], 1);
    expect_frame("\1\0\1\1", 4);
    larch_virt_console_tick();
    assert_int_equal(fake.notified[TRANSMIT], 2);
    expect_frame("\1\0\1\0", 4);
    larch_virt_console_tick();
    assert_int_equal(fake.notified[TRANSMIT], 2);
}

static void channel_takes_no_lies(void **state)
{
    (void)state;
    larch_virt_console_start(here);
    assert_int_equal(larch_board_i2c_write(0x3c, LARCH_TEXT("a")), LARCH_OK);
    use(TRANSMIT, 0, 1); /* it wrote where it may only read */
    assert_int_equal(larch_board_i2c_write(0x3c, LARCH_TEXT("a")), LARCH_PLATFORM);
    larch_board_led(true);
    assert_int_equal(fake.notified[TRANSMIT], 1);
}

/* ---- Ethernet ------------------------------------------------------------------------ */

enum { RECEIVE = 0, HEADER = 12 };
#define OWN   "\2\0\0\0\0\1"
#define PEER  "\2\0\0\0\0\2"
#define GROUP "\1\0\x5e\0\0\1"

static unsigned wakes;
static void wake(void) { wakes++; }

static void start_net(bool all)
{
    uint8_t mac[6];
    memcpy(fake.config, OWN "\1\0", 8);
    larch_virt_net_found(here);
    assert_int_equal(all ? larch_virt_net_start(true, mac, wake) : larch_board_ethernet_start(mac, wake), LARCH_OK);
    assert_memory_equal(mac, OWN, 6);
    wakes = 0;
}

/* A frame of len bytes comes in. */
static void arrive(const char *to, const char *from, size_t len)
{
    uint8_t frame[1600] = {0};
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    frame[len - 1] = 0x77;
    uint16_t id = next(RECEIVE);
    assert_true(id < LARCH_VIRTQ_LEN);
    assert_int_equal(fake.queues[RECEIVE]->descriptors[id].len, HEADER + LARCH_BOARD_FRAME_MAX);
    memcpy(memory_of(RECEIVE, id) + HEADER, frame, len);
    use(RECEIVE, id, HEADER + len);
}

static void ethernet_receives_what_is_for_us(void **state)
{
    (void)state;
    static uint8_t out[LARCH_BOARD_FRAME_MAX];
    start_net(false);
    assert_true(larch_board_ethernet_link());
    for (unsigned i = 0; i < 50; i++) {
        arrive(PEER, PEER, 60);
        arrive(GROUP, OWN, 60);
        assert_int_equal(larch_board_ethernet_receive(out, sizeof out), 0);
        arrive(OWN, PEER, LARCH_BOARD_FRAME_MAX);
        arrive(OWN, PEER, 13);
        arrive(GROUP, PEER, 14);
        assert_int_equal(larch_board_ethernet_receive(out, sizeof out), LARCH_BOARD_FRAME_MAX);
        assert_int_equal(out[LARCH_BOARD_FRAME_MAX - 1], 0x77);
        larch_virt_net_tick(); /* one is still there */
        assert_int_equal(wakes, i + 1);
        assert_int_equal(larch_board_ethernet_receive(out, 14), 14);
        assert_memory_equal(out, GROUP, 6);
        assert_int_equal(larch_board_ethernet_receive(out, sizeof out), 0);
        larch_virt_net_tick();
        assert_int_equal(wakes, i + 1);
    }
    arrive(OWN, PEER, 101);
    arrive(OWN, PEER, 100);
    assert_int_equal(larch_board_ethernet_receive(out, 100), 100);
    use(RECEIVE, next(RECEIVE), 3); /* not even a header */
    assert_int_equal(larch_board_ethernet_receive(out, sizeof out), 0);
    larch_virt_net_irq();
    assert_int_equal(fake.acknowledged, 1);
    assert_int_equal(wakes, 51);
    fake.config[6] = 0;
    assert_false(larch_board_ethernet_link());
}

static void ethernet_of_the_radio_receives_all(void **state)
{
    (void)state;
    uint16_t slot;
    larch_bytes frame;
    start_net(true);
    arrive(PEER, PEER, 60);
    arrive(PEER, OWN, 60);                   /* but not what we sent */
    use(RECEIVE, next(RECEIVE), HEADER - 1); /* nor half a header */
    assert_int_equal(larch_virt_net_take(&slot, &frame), LARCH_OK);
    assert_int_equal(frame.len, 60);
    larch_virt_net_release(slot);
    assert_int_equal(larch_virt_net_take(&slot, &frame), LARCH_AGAIN);
}

static void ethernet_sends(void **state)
{
    (void)state;
    static const uint8_t data[LARCH_BOARD_FRAME_MAX] = {1, 2, 3};
    const larch_bytes pieces[] = {{data, 3}, {NULL, 0}, {data, LARCH_BOARD_FRAME_MAX - 3}};
    const larch_bytes too_long[] = {{data, LARCH_BOARD_FRAME_MAX}, {data, 1}}, huge[] = {{data, 1}, {data, SIZE_MAX}};
    assert_int_equal(larch_board_ethernet_send(pieces, 3), LARCH_PLATFORM);
    start_net(false);
    larch_virtq *q = fake.queues[TRANSMIT];
    assert_int_equal(q->available.flags, 1); /* no interrupt as long as there is room */
    assert_int_equal(larch_board_ethernet_send(too_long, 2), LARCH_SPACE);
    assert_int_equal(larch_board_ethernet_send(huge, 2), LARCH_SPACE);
    assert_int_equal(larch_board_ethernet_send(pieces, 3), LARCH_OK);
    assert_int_equal(larch_board_ethernet_send(pieces, 1), LARCH_OK);
    assert_int_equal(q->available.flags, 1);
    assert_int_equal(larch_board_ethernet_send(pieces, 1), LARCH_AGAIN);
    assert_int_equal(q->available.flags, 0);
    uint16_t first = next(TRANSMIT), second = next(TRANSMIT);
    assert_int_equal(q->descriptors[first].len, HEADER + LARCH_BOARD_FRAME_MAX);
    assert_int_equal(q->descriptors[second].len, HEADER + 3);
    assert_memory_equal(memory_of(TRANSMIT, first), "\0\0\0\0\0\0\0\0\0\0\0\0\1\2\3\1\2\3", HEADER + 6);
    use(TRANSMIT, second, 0);
    assert_int_equal(larch_board_ethernet_send(pieces, 1), LARCH_OK);
    assert_int_equal(q->available.flags, 1);
    assert_int_equal(next(TRANSMIT), second);
}

static void ethernet_takes_no_lies(void **state)
{
    (void)state;
    static uint8_t out[LARCH_BOARD_FRAME_MAX];
    const larch_bytes piece = {out, 60};
    start_net(false);
    use(RECEIVE, next(RECEIVE), HEADER + LARCH_BOARD_FRAME_MAX + 1);
    arrive(OWN, PEER, 60);
    assert_int_equal(larch_board_ethernet_receive(out, sizeof out), 0);
    assert_int_equal(larch_board_ethernet_receive(out, sizeof out), 0);
    start_net(false);
    use(TRANSMIT, 0, 0); /* nothing was sent */
    assert_int_equal(larch_board_ethernet_send(&piece, 1), LARCH_PLATFORM);
    assert_int_equal(larch_board_ethernet_send(&piece, 1), LARCH_PLATFORM);
    assert_int_equal(fake.notified[TRANSMIT], 0);
}

static void ethernet_needs_an_address(void **state)
{
    (void)state;
    uint8_t mac[6];
    fake.features = ~(1u << 5);
    larch_virt_net_found(here);
    assert_int_equal(larch_board_ethernet_start(mac, wake), LARCH_PLATFORM);
    assert_false(larch_board_ethernet_link());
    fake.features = 1u << 5; /* no state of the link: it counts as up */
    assert_int_equal(larch_board_ethernet_start(mac, wake), LARCH_OK);
    assert_true(larch_board_ethernet_link());
    assert_int_equal(larch_board_ethernet_start(mac, wake), LARCH_STATE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(random_draws_all_bytes, fresh),
        cmocka_unit_test_setup(random_does_not_wait_for_ever, fresh),
        cmocka_unit_test_setup(random_takes_no_lies, fresh),
        cmocka_unit_test_setup(channel_frames_transfers, fresh),
        cmocka_unit_test_setup(channel_keeps_the_newest_light, fresh),
        cmocka_unit_test_setup(channel_takes_no_lies, fresh),
        cmocka_unit_test_setup(ethernet_sends, fresh), /* first of its kind: not yet started */
        cmocka_unit_test_setup(ethernet_receives_what_is_for_us, fresh),
        cmocka_unit_test_setup(ethernet_of_the_radio_receives_all, fresh),
        cmocka_unit_test_setup(ethernet_takes_no_lies, fresh),
        cmocka_unit_test_setup(ethernet_needs_an_address, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
