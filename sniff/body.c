/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: puts blocks together [RFC7959] and reads the direct exchange in them. */
#include <string.h>

#include "sniff/flow_int.h"

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
        b->used = false; /* a block was missed, or the body is larger than any of direct */
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

static void read_sealed(larch_sniff_packet *packet)
{
    static const char *const why[LARCH_DIRECT_ANSWER_COUNT] = {
        [LARCH_DIRECT_BAD_LEN] = "sealed message: its lengths do not add up",
        [LARCH_DIRECT_BAD_TYPE] = "sealed message: its type is not 3",
        [LARCH_DIRECT_BAD_CT] = "sealed message: its KEM ciphertext fits no parameter set",
        [LARCH_DIRECT_BAD_TEXTLEN] = "sealed message: its text length is out of range"};
    larch_direct_answer refused = larch_direct_parse(packet->body, &packet->sealed);
    if (refused != LARCH_DIRECT_OK) {
        packet->why = why[refused] != NULL ? why[refused] : "sealed message breaks its format";
        return;
    }
    larch_bytes identity[] = {packet->sealed.nonce, packet->sealed.kem_ct};
    packet->direct = LARCH_SNIFF_DIRECT_SEALED;
    packet->kem = packet->sealed.kem;
    larch_sniff_digest(identity, 2, packet->identity);
    larch_sniff_digest(&packet->body, 1, packet->digest);
}

static void read_key(larch_sniff_packet *packet)
{
    for (size_t i = 0; larch_kem_at(i) != NULL; i++)
        if (larch_kem_at(i)->ek_len == packet->body.len)
            packet->kem = larch_kem_at(i);
    if (packet->kem == NULL || larch_direct_key_hash(packet->body, packet->hash) != LARCH_OK) {
        packet->kem = NULL;
        packet->why = "public key has the length of no parameter set";
        return;
    }
    packet->direct = LARCH_SNIFF_DIRECT_KEY;
    /* [FIPS203 7.2] modulus check: 12-bit numbers below q, then 32 bytes of seed */
    for (const uint8_t *p = packet->body.data; p < packet->body.data + packet->body.len - 32; p += 3)
        if ((unsigned)(p[0] | (p[1] & 15) << 8) >= 3329 || (unsigned)(p[1] >> 4 | p[2] << 4) >= 3329)
            packet->why = "public key holds a number that is not below q (FIPS 203, 7.2)";
}

static void read_next(larch_sniff_packet *packet)
{
    larch_bytes hint, kem_ct;
    if (packet->kind == LARCH_SNIFF_REQUEST) {
        if (larch_direct_next_parse(packet->body, &packet->kem, &hint, &kem_ct) != LARCH_OK) {
            packet->why = "question for the next key has the length of no parameter set";
            return;
        }
        packet->direct = LARCH_SNIFF_DIRECT_NEXT_ASK;
        memcpy(packet->hash, hint.data, hint.len);
    } else if (packet->coap.code == LARCH_COAP_CHANGED) {
        if (packet->body.len != LARCH_DIRECT_NEXT_LEN) {
            packet->why = "endorsement of the next key has a wrong length";
            return;
        }
        packet->direct = LARCH_SNIFF_DIRECT_NEXT_ANSWER;
        memcpy(packet->hash, packet->body.data, sizeof packet->hash);
    }
}

void larch_sniff_body_read(larch_sniff_packet *packet)
{
    bool response = packet->kind == LARCH_SNIFF_RESPONSE, post = packet->coap.code == LARCH_COAP_POST;
    bool success = response && LARCH_COAP_CLASS(packet->coap.code) == 2;
    switch (packet->resource) {
    case LARCH_SNIFF_RESOURCE_DATA:
        if (post)
            read_sealed(packet);
        else if (response && packet->body.len > 0) {
            packet->answer = larch_direct_answer_find(packet->body);
            if (packet->answer != LARCH_DIRECT_ANSWER_COUNT)
                packet->direct = LARCH_SNIFF_DIRECT_ANSWER;
        }
        break;
    case LARCH_SNIFF_RESOURCE_KEY:
        if (success && packet->body.len > 0)
            read_key(packet);
        break;
    case LARCH_SNIFF_RESOURCE_NEXT:
        if (post || success)
            read_next(packet);
        break;
    case LARCH_SNIFF_RESOURCE_EDHOC:
    case LARCH_SNIFF_RESOURCE_OTHER:
        break;
    }
}
