/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/base.h"

static const uint8_t ipv4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool larch_peer_equal(const larch_peer *a, const larch_peer *b)
{
    return a->port == b->port && a->scope == b->scope && memcmp(a->address, b->address, sizeof a->address) == 0;
}

bool larch_peer_is_ipv4(const larch_peer *peer) { return memcmp(peer->address, ipv4_mapped, sizeof ipv4_mapped) == 0; }

larch_peer larch_peer_prefix(const larch_peer *peer)
{
    larch_peer prefix = {.port = 0};
    size_t keep = larch_peer_is_ipv4(peer) ? sizeof ipv4_mapped + 3 : 8;
    memcpy(prefix.address, peer->address, keep);
    return prefix;
}
