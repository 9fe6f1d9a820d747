/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the blocks of a body together [RFC7959]. */
#include <string.h>

#include "sniff/dissect/dissect_int.h"

static larch_sniff_body *find(larch_sniff_flow *flow, const larch_sniff_packet *packet, const larch_peer *client,
                              const larch_peer *server)
{
    bool response = packet->kind == LARCH_SNIFF_RESPONSE;
    larch_sniff_body *oldest = &flow->bodies[0];
    for (size_t i = 0; i < LARCH_SNIFF_BODIES; i++) {
        larch_sniff_body *b = &flow->bodies[i];
        if (b->used && b->response == response && larch_peer_equal(&b->client, client) &&
            larch_peer_equal(&b->server, server) && strcmp(b->path, packet->path) == 0)
            return b;
        if (oldest->used && (!b->used || b->time_ns < oldest->time_ns))
            oldest = b;
    }
    oldest->client = *client;
    oldest->server = *server;
    oldest->response = response;
    oldest->len = 0;
    oldest->used = true;
    memcpy(oldest->path, packet->path, sizeof oldest->path);
    return oldest;
}

bool larch_sniff_body_take(larch_sniff_flow *flow, larch_sniff_packet *packet, const larch_peer *client,
                           const larch_peer *server)
{
    bool response = packet->kind == LARCH_SNIFF_RESPONSE;
    bool blockwise = response ? packet->has_block2 : packet->has_block1;
    larch_coap_block block = response ? packet->block2 : packet->block1;
    larch_bytes payload = packet->coap.payload;

    if (packet->datagram.payload.len < packet->datagram.payload_len)
        return false;
    if (!blockwise || (block.num == 0 && !block.more)) {
        packet->body = payload;
        return true;
    }
    larch_sniff_body *b = find(flow, packet, client, server);
    size_t offset = (size_t)block.num * larch_coap_block_size(block.szx);
    if (block.num == 0)
        b->len = 0;
    if (offset != b->len || payload.len > sizeof b->bytes - b->len ||
        (block.more && payload.len != larch_coap_block_size(block.szx))) {
        b->used = false; /* a block was missed, or the body is larger than any that a dissector reads */
        return false;
    }
    if (payload.len > 0)
        memcpy(b->bytes + b->len, payload.data, payload.len);
    b->len += (uint32_t)payload.len;
    b->time_ns = packet->time_ns;
    if (block.more)
        return false;
    b->used = false; /* the bytes stay until the next packet */
    packet->body = (larch_bytes){b->bytes, b->len};
    return true;
}
