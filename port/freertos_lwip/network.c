/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/netif.h"
#include "lwip/tcpip.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"

#include "FreeRTOS.h"
#include "board/board.h"
#include "ethernet_netif.h"
#include "larch/config.h"
#include "queue.h"
#include "semphr.h"

enum { LOOK_MS = 250, UNANSWERED_MS = 10000, WAIT_MS = 50 };

/* lwippools.h: a datagram that waits for a hardware address, behind its headers and lwIP's own. */
_Static_assert(LARCH_COAP_DATAGRAM_MAX + 80 <= 1104, "the largest pool is too small");

typedef struct {
    struct pbuf *bytes;
    ip_addr_t from;
    u16_t port;
    bool multicast;
} datagram;

/* All of it is touched with lwIP's core locked, or before its task runs. */
static struct {
    struct netif netif;
    struct dhcp dhcp;
    struct udp_pcb *udp;
    larch_network_state state;
    uint64_t asking_since_ms;
    larch_network_counters counters;

    QueueHandle_t waiting; /* datagrams for the role */
    StaticQueue_t waiting_memory;
    datagram waiting_slots[LARCH_NETWORK_WAITING];

    SemaphoreHandle_t event; /* a datagram came, or larch_network_wake was called */
    StaticSemaphore_t event_memory;
    bool woken;
} net;

const char *larch_network_state_text(larch_network_state state)
{
#define STATE_TEXT(name, text) [LARCH_NETWORK_##name] = text,
    static const char *const texts[] = {LARCH_NETWORK_STATES(STATE_TEXT)};
#undef STATE_TEXT
    return (size_t)state < sizeof texts / sizeof *texts ? texts[state] : "?";
}

/* ---- link and address ---------------------------------------------------- */

static void update_state(void)
{
    if (!netif_is_link_up(&net.netif))
        net.state = LARCH_NETWORK_DOWN;
    else if (dhcp_supplied_address(&net.netif))
        net.state = LARCH_NETWORK_READY;
    else {
        if (net.state == LARCH_NETWORK_DOWN || net.state == LARCH_NETWORK_READY) {
            net.state = LARCH_NETWORK_ASKING;
            net.asking_since_ms = larch_board_now_ms();
        }
        if (larch_board_now_ms() - net.asking_since_ms >= UNANSWERED_MS)
            net.state = LARCH_NETWORK_UNANSWERED;
    }
}

static void on_netif(struct netif *netif)
{
    (void)netif;
    update_state();
}

/* An address is asked for anew whenever the link comes back: it may be another network. */
static void look(void *unused)
{
    (void)unused;
    const bool link = larch_board_ethernet_link();
    if (link && !netif_is_link_up(&net.netif)) {
        netif_set_link_up(&net.netif);
        (void)dhcp_start(&net.netif);
    } else if (!link && netif_is_link_up(&net.netif)) {
        netif_set_link_down(&net.netif);
        dhcp_stop(&net.netif);
        netif_set_addr(&net.netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4);
    }
    update_state();
    larch_ethernet_netif_drain(&net.netif);
    sys_timeout(LOOK_MS, look, NULL);
}

larch_error larch_network_start(void)
{
    net.waiting =
        xQueueCreateStatic(LARCH_NETWORK_WAITING, sizeof(datagram), (uint8_t *)net.waiting_slots, &net.waiting_memory);
    net.event = xSemaphoreCreateBinaryStatic(&net.event_memory);
    tcpip_init(NULL, NULL);

    LOCK_TCPIP_CORE();
    const larch_error r = larch_ethernet_netif_start(&net.netif);
    if (r == LARCH_OK) {
        netif_set_status_callback(&net.netif, on_netif);
        dhcp_set_struct(&net.netif, &net.dhcp);
        look(NULL);
    }
    UNLOCK_TCPIP_CORE();
    return r;
}

larch_network_state larch_network_state_of(void)
{
    LOCK_TCPIP_CORE();
    const larch_network_state state = net.state;
    UNLOCK_TCPIP_CORE();
    return state;
}

/* States last for seconds: to look now and then is simpler than to keep a list of who waits. */
larch_network_state larch_network_wait_change(larch_network_state from, uint32_t timeout_ms)
{
    larch_network_state state = larch_network_state_of();
    for (uint32_t waited = 0; state == from && waited < timeout_ms; waited += WAIT_MS) {
        vTaskDelay(WAIT_MS);
        state = larch_network_state_of();
    }
    return state;
}

static larch_peer peer_of(const ip4_addr_t *address, uint16_t port)
{
    larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff}, .port = port};
    memcpy(peer.address + 12, &address->addr, 4);
    return peer;
}

larch_peer larch_network_address(void)
{
    larch_peer peer = {0};
    LOCK_TCPIP_CORE();
    if (net.state == LARCH_NETWORK_READY)
        peer = peer_of(netif_ip4_addr(&net.netif), net.udp == NULL ? 0 : net.udp->local_port);
    UNLOCK_TCPIP_CORE();
    return peer;
}

larch_peer larch_network_broadcast(uint16_t port)
{
    larch_peer peer = {0};
    LOCK_TCPIP_CORE();
    if (net.state == LARCH_NETWORK_READY) {
        const ip4_addr_t all = {netif_ip4_addr(&net.netif)->addr | ~netif_ip4_netmask(&net.netif)->addr};
        peer = peer_of(&all, port);
    }
    UNLOCK_TCPIP_CORE();
    return peer;
}

/* ---- datagrams ----------------------------------------------------------- */

static void on_datagram(void *unused, struct udp_pcb *udp, struct pbuf *bytes, const ip_addr_t *from, u16_t port)
{
    (void)unused;
    (void)udp;
    const ip4_addr_t *to = ip4_current_dest_addr();
    const datagram d = {bytes, *from, port, ip4_addr_isbroadcast(to, &net.netif) || ip4_addr_ismulticast(to)};
    if (xQueueSend(net.waiting, &d, 0) != pdTRUE) {
        net.counters.dropped++;
        pbuf_free(bytes);
    }
    (void)xSemaphoreGive(net.event);
}

larch_error larch_network_open(uint16_t port)
{
    larch_error r = LARCH_PLATFORM;
    LOCK_TCPIP_CORE();
    if (net.udp == NULL)
        net.udp = udp_new();
    if (net.udp != NULL && udp_bind(net.udp, IP4_ADDR_ANY, port) == ERR_OK) {
        udp_recv(net.udp, on_datagram, NULL);
        r = LARCH_OK;
    }
    UNLOCK_TCPIP_CORE();
    return r;
}

/* LARCH_AGAIN: none waits. LARCH_SPACE: one was dropped. */
static larch_error take(larch_peer *peer, bool *multicast, uint8_t *out, size_t cap, size_t *len)
{
    datagram d;
    if (xQueueReceive(net.waiting, &d, 0) != pdTRUE)
        return LARCH_AGAIN;
    const bool fits = d.bytes->tot_len <= cap;
    if (fits) {
        *peer = peer_of(ip_2_ip4(&d.from), d.port);
        *multicast = d.multicast;
        *len = pbuf_copy_partial(d.bytes, out, d.bytes->tot_len, 0);
        net.counters.received++;
    } else {
        net.counters.dropped++;
    }
    pbuf_free(d.bytes);
    return fits ? LARCH_OK : LARCH_SPACE;
}

larch_error larch_network_receive(uint64_t until_ms, larch_peer *peer, bool *multicast, uint8_t *out, size_t cap,
                                  size_t *len)
{
    for (;;) {
        larch_error r;
        LOCK_TCPIP_CORE();
        do
            r = take(peer, multicast, out, cap, len);
        while (r == LARCH_SPACE);
        const bool woken = net.woken;
        net.woken = false;
        UNLOCK_TCPIP_CORE();

        const uint64_t now_ms = larch_board_now_ms();
        if (r == LARCH_OK || woken || now_ms >= until_ms)
            return r;
        const uint64_t left_ms = until_ms - now_ms;
        (void)xSemaphoreTake(net.event, left_ms < portMAX_DELAY ? (TickType_t)left_ms : portMAX_DELAY);
    }
}

void larch_network_wake(void)
{
    LOCK_TCPIP_CORE();
    net.woken = true;
    UNLOCK_TCPIP_CORE();
    (void)xSemaphoreGive(net.event);
}

/* The datagram is not copied: the board does so, or, while its receiver's hardware address is asked for, lwIP. */
static err_t send(const larch_peer *peer, larch_bytes bytes)
{
    if (net.udp == NULL || net.state != LARCH_NETWORK_READY || !larch_peer_is_ipv4(peer) || bytes.len > UINT16_MAX)
        return ERR_CONN;
    ip_addr_t to;
    memcpy(&to.addr, peer->address + 12, 4);
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)bytes.len, PBUF_REF);
    if (p == NULL)
        return ERR_MEM;
    p->payload = (void *)(uintptr_t)bytes.data; /* lwIP only reads it */
    const err_t error = udp_sendto(net.udp, p, &to, peer->port);
    pbuf_free(p);
    return error;
}

larch_error larch_network_send(const larch_peer *peer, larch_bytes bytes)
{
    LOCK_TCPIP_CORE();
    const bool taken = send(peer, bytes) == ERR_OK;
    if (taken)
        net.counters.sent++;
    else
        net.counters.dropped++;
    UNLOCK_TCPIP_CORE();
    return taken ? LARCH_OK : LARCH_AGAIN;
}

larch_network_counters larch_network_counters_of(void)
{
    LOCK_TCPIP_CORE();
    const larch_network_counters counters = net.counters;
    UNLOCK_TCPIP_CORE();
    return counters;
}
