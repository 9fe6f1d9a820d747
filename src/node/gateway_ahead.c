/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several datagrams at once. A look ahead, which changes nothing, finds the sealed messages that will be
 * decapsulated in any case; that is done for all of them side by side. Then each datagram takes the way of
 * larch_gateway_receive, where its secret lies ready. So a look that was mistaken costs time and
 * changes nothing: what is not ready, or ready for another key, is decapsulated in its turn.
 *
 * Nor may it cost time that nobody was granted: known replays and copies are left alone, and no more is
 * decapsulated than the buckets then grant, each datagram before it in the group taken to spend from them.
 * (But an address that proves itself within the group may push another one out of a full table.)
 */
#include <string.h>

#include "node/gateway_int.h"

/* Datagrams looked at together: as many as larch_kem_decaps_batch computes side by side. */
#define GROUP 8

/* A second datagram with this message ID is a copy, if the first is remembered. [RFC7252 4.5] */
static bool repeats_id(const larch_gateway_datagram *group, size_t at)
{
    const larch_gateway_datagram *d = &group[at];
    for (size_t i = 0; i < at; i++)
        if (group[i].bytes.len >= 4 && memcmp(group[i].bytes.data + 2, d->bytes.data + 2, 2) == 0 &&
            larch_peer_equal(&group[i].peer, &d->peer))
            return true;
    return false;
}

static bool repeats_tag(const larch_gateway_ahead *ahead, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (ahead[i].generation != 0 && ahead[i].kem == ahead[at].kem && ahead[i].tag == ahead[at].tag)
            return true;
    return false;
}

/* Whether larch_gateway_receive would open a sealed message now that this datagram brings whole. */
static bool is_sealed(const larch_gateway *gw, uint64_t now_ms, const larch_gateway_datagram *d,
                      larch_direct_sealed *sealed)
{
    larch_coap_message m;
    larch_bytes block1;
    return !d->multicast && larch_coap_endpoint_peek(&gw->endpoint, now_ms, &d->peer, d->bytes, &m) &&
           m.code == LARCH_COAP_POST && larch_coap_path_is(&m, LARCH_DIRECT_PATH_DATA) &&
           !larch_coap_option_find(&m, LARCH_COAP_OPT_BLOCK1, &block1) &&
           larch_direct_parse(m.payload, sealed) == LARCH_DIRECT_OK;
}

/* Fills ahead[at] with what the present key needs; true: it is to be decapsulated. */
static bool look_at(larch_gateway *gw, uint64_t now_ms, const larch_gateway_datagram *group, size_t at,
                    larch_gateway_ahead *ahead)
{
    larch_gateway_ahead *a = &ahead[at];
    larch_direct_sealed sealed;
    a->generation = 0;
    a->has_ss = false;
    if (!is_sealed(gw, now_ms, &group[at], &sealed) || repeats_id(group, at) ||
        !larch_reach_would_grant(&gw->reach, now_ms, &group[at].peer, (uint32_t)at + 1))
        return false;
    const larch_gateway_key *key = larch_gateway_key_at(larch_gateway_keys_of(gw, sealed.kem), 0);
    if (key == NULL || larch_replay_set_room(&key->marks) <= at) /* without room for its mark none is opened */
        return false;
    a->generation = key->generation;
    a->kem = sealed.kem;
    a->kem_ct = sealed.kem_ct;
    a->tag = larch_gateway_tag(key, &sealed);
    return !larch_replay_set_contains(&key->marks, a->tag) && !repeats_tag(ahead, at);
}

/* Decapsulates what is under one key. A single one may as well wait for its turn. */
static void decapsulate(const larch_trace *trace, const uint8_t *dk, larch_gateway_ahead *const *wanted, size_t count)
{
    larch_kem_decaps_item items[GROUP];
    if (count < 2)
        return;
    for (size_t i = 0; i < count; i++)
        items[i] = (larch_kem_decaps_item){.dk = dk, .ct = wanted[i]->kem_ct, .ss = wanted[i]->ss};
    larch_trace_begin(trace, LARCH_STEP_KEM_DECAPS);
    (void)!larch_kem_decaps_batch(wanted[0]->kem, items, count); /* each item has its own error */
    larch_trace_end(trace, LARCH_STEP_KEM_DECAPS, count * LARCH_KEM_SS_LEN);
    for (size_t i = 0; i < count; i++)
        wanted[i]->has_ss = items[i].error == LARCH_OK;
}

static void look_ahead(larch_gateway *gw, uint64_t now_ms, const larch_gateway_datagram *group, size_t count,
                       larch_gateway_ahead ahead[GROUP])
{
    bool wanted[GROUP];
    for (size_t i = 0; i < count; i++)
        wanted[i] = look_at(gw, now_ms, group, i, ahead);
    for (size_t set = 0; set < LARCH_GATEWAY_SETS; set++) {
        const larch_gateway_keys *keys = &gw->keys[set];
        larch_gateway_ahead *together[GROUP];
        size_t n = 0;
        for (size_t i = 0; i < count; i++)
            if (wanted[i] && ahead[i].kem == keys->kem)
                together[n++] = &ahead[i];
        decapsulate(gw->config.trace, keys->key[keys->present].dk, together, n);
    }
}

larch_error larch_gateway_receive_many(larch_gateway *gw, uint64_t now_ms, const larch_gateway_datagram *datagrams,
                                       size_t count, size_t *taken)
{
    larch_gateway_ahead ahead[GROUP];
    larch_error e = LARCH_OK;
    *taken = 0;
    while (e == LARCH_OK && *taken < count) {
        const larch_gateway_datagram *group = datagrams + *taken;
        const size_t room = gw->config.slot_count - gw->slot_used;
        size_t n = count - *taken < GROUP ? count - *taken : GROUP;
        n = n < room ? n : room; /* what finds no slot is handed in again: secrets of it would be for nothing */
        if (n == 0)
            e = LARCH_AGAIN;
        else
            look_ahead(gw, now_ms, group, n, ahead);
        for (size_t i = 0; i < n && e == LARCH_OK; i++) {
            gw->ahead = &ahead[i];
            e = larch_gateway_receive(gw, now_ms, &group[i].peer, group[i].multicast, group[i].bytes);
            if (e == LARCH_OK)
                ++*taken;
        }
        gw->ahead = NULL;
    }
    larch_wipe(ahead, sizeof ahead);
    return e;
}
