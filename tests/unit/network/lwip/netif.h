/* SPDX-License-Identifier: Apache-2.0 */
/* The little of lwIP that port/freertos_lwip/network.c uses, with lwIP's names; the test defines its functions. udp.h and
 * timeouts.h are this file. What the BL602's way to a network asks of it is here too. */
#ifndef LARCH_TEST_NETWORK_LWIP_H
#define LARCH_TEST_NETWORK_LWIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint16_t u16_t;
typedef int err_t;
enum { ERR_OK = 0, ERR_MEM = -1, ERR_CONN = -11 };

typedef struct {
    uint32_t addr;
} ip4_addr_t;
typedef ip4_addr_t ip_addr_t;
#define ip_2_ip4(address) (address)
#define IP4_ADDR_ANY      NULL

struct netif {
    ip4_addr_t address, netmask;
    struct netif *next;
};
extern struct netif *netif_list;
#define NETIF_FOREACH(netif) for ((netif) = netif_list; (netif) != NULL; (netif) = (netif)->next)
static inline bool netif_is_up(const struct netif *netif) { return netif != NULL; }
static inline const ip4_addr_t *netif_ip4_addr(const struct netif *netif) { return &netif->address; }
static inline const ip4_addr_t *netif_ip4_netmask(const struct netif *netif) { return &netif->netmask; }

/* Of the datagram at hand. */
const ip4_addr_t *ip4_current_dest_addr(void);
struct netif *ip_current_netif(void);
static inline bool ip4_addr_isbroadcast(const ip4_addr_t *address, const struct netif *netif)
{
    (void)netif;
    return address->addr == 0xffffffffu;
}
static inline bool ip4_addr_netcmp(const ip4_addr_t *a, const ip4_addr_t *b, const ip4_addr_t *mask)
{
    return ((a->addr ^ b->addr) & mask->addr) == 0;
}
static inline bool ip4_addr_ismulticast(const ip4_addr_t *address) { return (address->addr & 0xf0u) == 0xe0u; }

typedef enum { PBUF_TRANSPORT } pbuf_layer;
typedef enum { PBUF_RAM, PBUF_REF } pbuf_type;
struct pbuf {
    void *payload;
    u16_t tot_len;
    unsigned references;
    uint8_t own[64]; /* of PBUF_RAM */
};
struct pbuf *pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type);
void pbuf_free(struct pbuf *p);
u16_t pbuf_copy_partial(const struct pbuf *p, void *out, u16_t len, u16_t at);
err_t pbuf_take(struct pbuf *p, const void *bytes, u16_t len);

struct udp_pcb {
    u16_t local_port;
};
typedef void (*udp_recv_fn)(void *context, struct udp_pcb *udp, struct pbuf *p, const ip_addr_t *from, u16_t port);
struct udp_pcb *udp_new(void);
err_t udp_bind(struct udp_pcb *udp, const ip_addr_t *address, u16_t port);
void udp_recv(struct udp_pcb *udp, udp_recv_fn receive, void *context);
err_t udp_sendto(struct udp_pcb *udp, struct pbuf *p, const ip_addr_t *to, u16_t port);

void sys_timeout(uint32_t ms, void (*call)(void *context), void *context);

#endif
