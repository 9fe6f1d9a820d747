/* SPDX-License-Identifier: Apache-2.0 */
#include "text/peer.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "text/text.h"

static void put_host(larch_writer *w, const larch_peer *peer)
{
    const bool ipv4 = larch_peer_is_ipv4(peer);
    char address[INET6_ADDRSTRLEN], zone[IF_NAMESIZE];
    larch_text_put(w, inet_ntop(ipv4 ? AF_INET : AF_INET6, peer->address + (ipv4 ? 12 : 0), address, sizeof address));
    if (ipv4 || peer->scope == 0)
        return;
    larch_writer_put_u8(w, '%');
    if (if_indextoname(peer->scope, zone) != NULL)
        larch_text_put(w, zone);
    else /* the interface is gone: its number still tells two peers apart */
        larch_text_put_number(w, peer->scope);
}

void larch_text_put_peer(larch_writer *w, const larch_peer *peer)
{
    const bool brackets = !larch_peer_is_ipv4(peer);
    larch_text_put(w, brackets ? "[" : "");
    put_host(w, peer);
    larch_text_put(w, brackets ? "]:" : ":");
    larch_text_put_number(w, peer->port);
}

static char *text_of(const larch_peer *peer, void (*put)(larch_writer *w, const larch_peer *peer), char *out)
{
    larch_writer w = larch_writer_to((uint8_t *)out, LARCH_TEXT_PEER_MAX);
    put(&w, peer);
    larch_writer_put_u8(&w, '\0');
    return out;
}

char *larch_text_of_peer(const larch_peer *peer, char out[LARCH_TEXT_PEER_MAX])
{
    return text_of(peer, larch_text_put_peer, out);
}

char *larch_text_of_host(const larch_peer *peer, char out[LARCH_TEXT_PEER_MAX]) { return text_of(peer, put_host, out); }
