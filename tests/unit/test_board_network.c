/* SPDX-License-Identifier: Apache-2.0 */
/* The boards' datagrams over a lwIP made of arrays, whose driver sends later, and whose interface comes and goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "board/board.h"
#include "freertos_lwip/core.h"
#include "freertos_lwip/join.h"
#include "freertos_lwip/neighbours.h"
#include "freertos_lwip/network.h"
#include "lwip/netif.h"

/* ---- lwIP, and the way to a network ------------------------------------------ */

static struct {
    struct pbuf pbufs[4];
    struct pbuf *kept; /* what the driver has not sent yet */
    uint8_t aim;
    bool aimed, waits, sent_aimed, sent_waits;
    uint8_t sent_aim, heard;
    udp_recv_fn receive;
    struct udp_pcb udp;
    struct netif netif;
    struct netif *joined; /* NULL: it lost its address */
    void (*look)(void *);
} stack;

const bool larch_join_sends_at_once = false;

larch_error larch_join_start(const larch_storage *storage, void (*changed)(void))
{
    (void)storage;
    (void)changed;
    return LARCH_OK;
}
larch_join_state larch_join_look(void) { return LARCH_JOIN_ADDRESSED; }
larch_join_state larch_join_state_of(void) { return LARCH_JOIN_ADDRESSED; }
struct netif *larch_join_netif(void) { return stack.joined; }
void larch_core_call(void (*call)(void *argument), void *argument) { call(argument); }
uint64_t larch_board_now_ms(void) { return 0; }
void sys_timeout(uint32_t ms, void (*call)(void *context), void *context)
{
    (void)ms;
    (void)context;
    stack.look = call;
}

uint8_t larch_neighbours_heard(void) { return stack.heard; }
void larch_neighbours_aim(uint8_t mark, bool waits)
{
    stack.aim = mark;
    stack.waits = waits;
    stack.aimed = true;
}
void larch_neighbours_aim_nowhere(void) { stack.aimed = false; }

const ip4_addr_t *ip4_current_dest_addr(void) { return &stack.netif.address; }
struct netif *ip_current_netif(void) { return &stack.netif; }

struct pbuf *pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type)
{
    (void)layer;
    for (struct pbuf *p = stack.pbufs; p < stack.pbufs + 4; p++) {
        if (p->references > 0)
            continue;
        *p = (struct pbuf){.tot_len = len, .references = 1};
        p->payload = type == PBUF_RAM ? p->own : NULL;
        return p;
    }
    return NULL;
}
void pbuf_free(struct pbuf *p)
{
    assert_true(p->references > 0);
    p->references--;
}
u16_t pbuf_copy_partial(const struct pbuf *p, void *out, u16_t len, u16_t at)
{
    memcpy(out, (const uint8_t *)p->payload + at, len);
    return len;
}
err_t pbuf_take(struct pbuf *p, const void *bytes, u16_t len)
{
    memcpy(p->payload, bytes, len);
    return ERR_OK;
}

struct udp_pcb *udp_new(void) { return &stack.udp; }
err_t udp_bind(struct udp_pcb *udp, const ip_addr_t *address, u16_t port)
{
    (void)address;
    udp->local_port = port;
    return ERR_OK;
}
void udp_recv(struct udp_pcb *udp, udp_recv_fn receive, void *context)
{
    (void)udp;
    (void)context;
    stack.receive = receive;
}
err_t udp_sendto(struct udp_pcb *udp, struct pbuf *p, const ip_addr_t *to, u16_t port)
{
    (void)udp;
    (void)to;
    (void)port;
    stack.sent_aimed = stack.aimed;
    stack.sent_aim = stack.aim;
    stack.sent_waits = stack.waits;
    p->references++;
    stack.kept = p;
    return ERR_OK;
}

static int start(void **state)
{
    (void)state;
    memset(&stack, 0, sizeof stack);
    stack.netif = (struct netif){{0x0100070au}, {0x00ffffffu}, NULL};
    stack.joined = &stack.netif;
    assert_int_equal(larch_network_start(NULL), LARCH_OK);
    assert_int_equal(larch_network_state_of(), LARCH_NETWORK_READY);
    return 0;
}

static const larch_peer peer = {
    .address = {[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 7, [15] = 9}, .port = 40000, .via = 17};

/* ---- tests -------------------------------------------------------------------- */

/* What the role writes into its buffer next does not leave in the place of what it sent. */
static void test_sent_later(void **state)
{
    (void)state;
    uint8_t buffer[] = "for one sender";
    assert_int_equal(larch_network_open(5683), LARCH_OK);
    assert_int_equal(larch_network_send(&peer, LARCH_BYTES(buffer)), LARCH_OK);
    memset(buffer, 'x', sizeof buffer);
    assert_memory_equal(stack.kept->payload, "for one sender", sizeof buffer);
    pbuf_free(stack.kept);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(stack.pbufs[i].references, 0);
}

/* The state is still "ready" when the interface has just lost its address. */
static void test_no_interface(void **state)
{
    (void)state;
    static const larch_peer none;
    uint8_t byte = 1;
    assert_int_equal(larch_network_open(0), LARCH_OK);
    stack.joined = NULL;
    larch_peer got = larch_network_address();
    assert_true(larch_peer_equal(&got, &none));
    got = larch_network_broadcast(5683);
    assert_true(larch_peer_equal(&got, &none));
    assert_int_equal(larch_network_send(&peer, (larch_bytes){&byte, 1}), LARCH_AGAIN);
    assert_null(stack.kept);
}

/* The neighbour's mark goes with the peer, there and back; who serves keeps nothing while ARP asks, who asks does. */
static void test_neighbours(void **state)
{
    (void)state;
    for (int serves = 0; serves < 2; serves++) {
        (void)start(NULL);
        assert_int_equal(larch_network_open(serves ? 5683 : 0), LARCH_OK);
        struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, 2, PBUF_RAM);
        const ip_addr_t from = {0x0900070au};
        memcpy(p->payload, "hi", 2);
        stack.heard = 42;
        stack.receive(NULL, &stack.udp, p, &from, 40000);
        larch_peer got;
        bool multicast;
        uint8_t bytes[8];
        size_t len;
        assert_int_equal(larch_network_receive(0, &got, &multicast, bytes, sizeof bytes, &len), LARCH_OK);
        assert_int_equal(got.via, 42);
        assert_int_equal(larch_network_send(&got, (larch_bytes){bytes, len}), LARCH_OK);
        assert_true(stack.sent_aimed);
        assert_int_equal(stack.sent_aim, 42);
        assert_int_equal(stack.sent_waits, !serves);
        assert_false(stack.aimed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_sent_later, start),
                                       cmocka_unit_test_setup(test_no_interface, start),
                                       cmocka_unit_test_setup(test_neighbours, start)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
