/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <string.h>

#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"

#include "FreeRTOS.h"
#include "board/board.h"
#include "core.h"
#include "join.h"
#include "larch/config.h"
#include "neighbours.h"
#include "queue.h"
#include "semphr.h"
#include "task.h"

#ifndef LARCH_NETWORK_WAITING /* of our lwipopts.h; an SDK brings its own */
#define LARCH_NETWORK_WAITING 3
#endif

enum { UNANSWERED_MS = 10000, WAIT_MS = 50 };

typedef struct {
    struct pbuf *bytes;
    ip_addr_t from;
    u16_t port;
    bool multicast;
    bool is_on_link;
    uint8_t neighbour; /* its mark */
} datagram;

/* It is touched within lwIP's core, or before its task runs, but for what says otherwise. */
static struct {
    struct udp_pcb *udp;
    bool serves;                        /* a port of its own, so strangers ask */
    volatile larch_network_state state; /* one word: read at any time */
    uint64_t asking_since_ms;
    larch_network_counters counters;

    QueueHandle_t waiting; /* datagrams for the role, which takes them by itself */
    StaticQueue_t waiting_memory;
    datagram waiting_slots[LARCH_NETWORK_WAITING];

    SemaphoreHandle_t event; /* a datagram came, or larch_network_wake was called */
    StaticSemaphore_t event_memory;
    bool woken; /* in a critical section of FreeRTOS */
} net;

const char *larch_network_state_text(larch_network_state state)
{
#define STATE_TEXT(name, text) [LARCH_NETWORK_##name] = (text),
    static const char *const texts[] = {LARCH_NETWORK_STATES(STATE_TEXT)};
#undef STATE_TEXT
    return (size_t)state < sizeof texts / sizeof *texts ? texts[state] : "?";
}

/* ---- link and address ---------------------------------------------------- */

static void update_state(larch_join_state join)
{
    switch (join) {
    case LARCH_JOIN_UNSET:
        net.state = LARCH_NETWORK_UNSET;
        return;
    case LARCH_JOIN_NO_LINK:
        net.state = LARCH_NETWORK_DOWN;
        return;
    case LARCH_JOIN_ADDRESSED:
        net.state = LARCH_NETWORK_READY;
        return;
    case LARCH_JOIN_ASKING:
        break;
    }
    if (net.state != LARCH_NETWORK_ASKING && net.state != LARCH_NETWORK_UNANSWERED) {
        net.state = LARCH_NETWORK_ASKING;
        net.asking_since_ms = larch_board_now_ms();
    }
    if (larch_board_now_ms() - net.asking_since_ms >= UNANSWERED_MS)
        net.state = LARCH_NETWORK_UNANSWERED;
}

static void on_change(void) { update_state(larch_join_state_of()); }

static void look(void *unused)
{
    (void)unused;
    update_state(larch_join_look());
    sys_timeout(LARCH_JOIN_LOOK_MS, look, NULL);
}

larch_error larch_network_start(const larch_storage *storage)
{
    net.waiting =
        xQueueCreateStatic(LARCH_NETWORK_WAITING, sizeof(datagram), (uint8_t *)net.waiting_slots, &net.waiting_memory);
    net.event = xSemaphoreCreateBinaryStatic(&net.event_memory);
    const larch_error r = larch_join_start(storage, on_change);
    if (r == LARCH_OK)
        larch_core_call(look, NULL);
    return r;
}

larch_network_state larch_network_state_of(void) { return net.state; }

/* States last for seconds: to look now and then is simpler than to keep a list of who waits. */
larch_network_state larch_network_wait_change(larch_network_state from, uint32_t timeout_ms)
{
    larch_network_state state = larch_network_state_of();
    for (uint32_t waited = 0; state == from && waited < timeout_ms; waited += WAIT_MS) {
        vTaskDelay(pdMS_TO_TICKS(WAIT_MS));
        state = larch_network_state_of();
    }
    return state;
}

static larch_peer peer_of(const ip4_addr_t *address, uint16_t port, uint8_t neighbour)
{
    larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff}, .port = port, .via = neighbour};
    memcpy(peer.address + 12, &address->addr, 4);
    return peer;
}

/* NULL: none that has an address. The state may be a moment older than the interface. */
static struct netif *ready_netif(void) { return net.state == LARCH_NETWORK_READY ? larch_join_netif() : NULL; }

static void tell_address(void *context)
{
    const struct netif *netif = ready_netif();
    if (netif != NULL)
        *(larch_peer *)context = peer_of(netif_ip4_addr(netif), net.udp == NULL ? 0 : net.udp->local_port, 0);
}

larch_peer larch_network_address(void)
{
    larch_peer peer = {0};
    larch_core_call(tell_address, &peer);
    return peer;
}

static void tell_broadcast(void *context)
{
    const struct netif *netif = ready_netif();
    if (netif == NULL)
        return;
    const ip4_addr_t all = {netif_ip4_addr(netif)->addr | ~netif_ip4_netmask(netif)->addr};
    *(larch_peer *)context = peer_of(&all, 0, 0);
}

larch_peer larch_network_broadcast(uint16_t port)
{
    const larch_peer none = {0};
    larch_peer peer = none;
    larch_core_call(tell_broadcast, &peer);
    if (!larch_peer_equal(&peer, &none))
        peer.port = port;
    return peer;
}

/* ---- datagrams ----------------------------------------------------------- */

static void on_datagram(void *unused, struct udp_pcb *udp, struct pbuf *bytes, const ip_addr_t *from, u16_t port)
{
    (void)unused;
    (void)udp;
    const ip4_addr_t *to = ip4_current_dest_addr();
    const struct netif *netif = ip_current_netif();
    const datagram d = {bytes,
                        *from,
                        port,
                        ip4_addr_isbroadcast(to, netif) || ip4_addr_ismulticast(to),
                        ip4_addr_netcmp(ip_2_ip4(from), netif_ip4_addr(netif), netif_ip4_netmask(netif)),
                        larch_neighbours_heard()};
    if (xQueueSend(net.waiting, &d, 0) != pdTRUE) {
        net.counters.dropped++;
        pbuf_free(bytes);
    }
    (void)xSemaphoreGive(net.event);
}

typedef struct {
    uint16_t port;
    larch_error result;
} opening;

static void open_port(void *context)
{
    opening *o = context;
    if (net.udp == NULL)
        net.udp = udp_new();
    if (net.udp != NULL && udp_bind(net.udp, IP4_ADDR_ANY, o->port) == ERR_OK) {
        udp_recv(net.udp, on_datagram, NULL);
        net.serves = o->port != 0;
        o->result = LARCH_OK;
    }
}

larch_error larch_network_open(uint16_t port)
{
    opening o = {port, LARCH_PLATFORM};
    larch_core_call(open_port, &o);
    return o.result;
}

typedef struct {
    struct pbuf *bytes;
    uint32_t *counter; /* that counts it */
} release;

static void release_bytes(void *context)
{
    const release *r = context;
    pbuf_free(r->bytes);
    ++*r->counter;
}

/* LARCH_AGAIN: none waits. LARCH_SPACE: one was dropped. */
static larch_error take(larch_peer *peer, bool *multicast, uint8_t *out, size_t cap, size_t *len)
{
    datagram d;
    if (xQueueReceive(net.waiting, &d, 0) != pdTRUE)
        return LARCH_AGAIN;
    const bool fits = d.bytes->tot_len <= cap;
    release r = {d.bytes, fits ? &net.counters.received : &net.counters.dropped};
    if (fits) {
        *peer = peer_of(ip_2_ip4(&d.from), d.port, d.neighbour);
        peer->is_on_link = d.is_on_link;
        *multicast = d.multicast;
        *len = pbuf_copy_partial(d.bytes, out, d.bytes->tot_len, 0);
    }
    larch_core_call(release_bytes, &r);
    return fits ? LARCH_OK : LARCH_SPACE;
}

static bool was_woken(void)
{
    taskENTER_CRITICAL();
    const bool woken = net.woken;
    net.woken = false;
    taskEXIT_CRITICAL();
    return woken;
}

larch_error larch_network_receive(uint64_t until_ms, larch_peer *peer, bool *multicast, uint8_t *out, size_t cap,
                                  size_t *len)
{
    for (;;) {
        larch_error r;
        do
            r = take(peer, multicast, out, cap, len);
        while (r == LARCH_SPACE);
        const bool woken = was_woken();
        const uint64_t now_ms = larch_board_now_ms();
        if (r == LARCH_OK || woken || now_ms >= until_ms)
            return r;
        const uint64_t left_ms = until_ms - now_ms;
        (void)xSemaphoreTake(net.event, left_ms < portMAX_DELAY ? (TickType_t)left_ms : portMAX_DELAY);
    }
}

void larch_network_wake(void)
{
    taskENTER_CRITICAL();
    net.woken = true;
    taskEXIT_CRITICAL();
    (void)xSemaphoreGive(net.event);
}

typedef struct {
    const larch_peer *peer;
    larch_bytes bytes;
    bool taken;
} sending;

/* Of an interface that is done with the bytes when it returns, lwIP only reads them, and copies what has to wait for ARP. Any
 * other may read them when the role has long written the next datagram there. */
static struct pbuf *wrap(larch_bytes bytes)
{
    const bool copy = !larch_join_sends_at_once;
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)bytes.len, copy ? PBUF_RAM : PBUF_REF);
    if (p != NULL && !copy)
        p->payload = (void *)(uintptr_t)bytes.data;
    else if (p != NULL && pbuf_take(p, bytes.data, (u16_t)bytes.len) != ERR_OK) {
        pbuf_free(p);
        return NULL;
    }
    return p;
}

static err_t send(const larch_peer *peer, larch_bytes bytes)
{
    if (net.udp == NULL || ready_netif() == NULL || !larch_peer_is_ipv4(peer) || bytes.len > UINT16_MAX)
        return ERR_CONN;
    ip_addr_t to;
    memset(&to, 0, sizeof to);
    memcpy(&ip_2_ip4(&to)->addr, peer->address + 12, 4);
    struct pbuf *p = wrap(bytes);
    if (p == NULL)
        return ERR_MEM;
    /* Who serves is asked by strangers, and keeps no answer for them while ARP asks where they are. */
    larch_neighbours_aim(peer->via, !net.serves);
    const err_t error = udp_sendto(net.udp, p, &to, peer->port);
    larch_neighbours_aim_nowhere();
    pbuf_free(p);
    return error;
}

static void send_and_count(void *context)
{
    sending *s = context;
    s->taken = send(s->peer, s->bytes) == ERR_OK;
    if (s->taken)
        net.counters.sent++;
    else
        net.counters.dropped++;
}

larch_error larch_network_send(const larch_peer *peer, larch_bytes bytes)
{
    sending s = {peer, bytes, false};
    larch_core_call(send_and_count, &s);
    return s.taken ? LARCH_OK : LARCH_AGAIN;
}

static void tell_counters(void *context) { *(larch_network_counters *)context = net.counters; }

larch_network_counters larch_network_counters_of(void)
{
    larch_network_counters counters;
    larch_core_call(tell_counters, &counters);
    return counters;
}
