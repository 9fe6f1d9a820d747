/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several datagrams at once. A look ahead, which changes nothing, finds the sealed messages that will be
 * decapsulated in any case; that is done for all of them side by side. Then each datagram takes its usual way,
 * where its secret lies ready. So a look that was mistaken costs time and changes nothing: what is not ready, or
 * ready for another key, is decapsulated in its turn.
 *
 * Nor may it cost time that nobody was granted: known replays and copies that ask for no receipt are left alone, and no
 * more is decapsulated than the buckets then grant, each datagram before it in the group taken to spend from them. (But
 * an address that proves itself within the group may push another one out of a full table.)
 */
#include <string.h>

#include "node/direct_int.h"

#if LARCH_SERVER_GROUP > 1

#define GROUP LARCH_SERVER_GROUP

/* The same bytes again are a copy, if the first are remembered. [RFC7252 4.5] */
static bool repeats(const larch_server_datagram *group, size_t at)
{
    const larch_server_datagram *d = &group[at];
    for (size_t i = 0; i < at; i++)
        if (larch_bytes_equal(group[i].bytes, d->bytes) && larch_peer_equal(&group[i].peer, &d->peer))
            return true;
    return false;
}

static bool repeats_mark(const larch_ahead *ahead, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (ahead[i].service != NULL && ahead[i].kem == ahead[at].kem && ahead[i].mark == ahead[at].mark)
            return true;
    return false;
}

/* Whether the server would hand us a sealed message now that this datagram brings whole. */
static bool is_sealed(const larch_server *srv, uint64_t now_ms, const larch_server_datagram *d, larch_coap_message *m,
                      larch_direct_sealed *sealed)
{
    larch_direct_form form;
    larch_bytes block1, oscore;
    return !d->multicast && larch_coap_endpoint_peek(&srv->endpoint, now_ms, &d->peer, d->bytes, m) &&
           m->code == LARCH_COAP_POST && larch_coap_path_is(m, LARCH_DIRECT_PATH_DATA) &&
           !larch_coap_option_find(m, LARCH_COAP_OPT_BLOCK1, &block1) &&
           !larch_coap_option_find(m, LARCH_COAP_OPT_OSCORE, &oscore) && larch_direct_find_form(m, &form) &&
           larch_direct_parse_form(form, m->payload, sealed) == LARCH_DIRECT_OK;
}

/* Fills all but the mark of ahead[at], and what its mark is made of under the present key; false: it can wait. */
static bool look_at(larch_direct_service *direct, const larch_server *srv, uint64_t now_ms,
                    const larch_server_datagram *group, size_t at, larch_ahead *a,
                    larch_bytes pieces[DIRECT_MARK_PIECES])
{
    larch_direct_sealed sealed;
    larch_coap_message m;
    if (!is_sealed(srv, now_ms, &group[at], &m, &sealed) || repeats(group, at) ||
        !larch_reach_would_grant(&srv->reach, now_ms, &group[at].peer, (uint32_t)at + 1))
        return false;
    const larch_direct_key *key = larch_direct_key_by_age(larch_direct_keys_find(direct, sealed.kem), 0);
    if (key == NULL || !larch_direct_may_fit(key, &sealed) ||
        larch_replay_set_room(&key->marks) <= at) /* without room for its mark none is opened */
        return false;
    a->service = &direct->service;
    a->generation = key->generation;
    a->kem = sealed.kem;
    a->about = sealed.kem_ct.data;
    a->wants_receipt = larch_coap_query_has(&m, LARCH_DIRECT_QUERY_RECEIPT);
    larch_direct_mark_pieces(key, &sealed, pieces);
    return true;
}

/* Whether its turn will need its secret: known replays and copies are opened only for a receipt. */
static bool needs_secret(const larch_direct_keys *keys, const larch_ahead *ahead, size_t at)
{
    return ahead[at].wants_receipt ||
           (!larch_replay_set_contains(&keys->key[keys->present].marks, ahead[at].mark) && !repeats_mark(ahead, at));
}

/* Fills wanted with those of one set that are to be decapsulated. */
static size_t choose(const larch_direct_keys *keys, larch_ahead *ahead, size_t count, larch_ahead **wanted)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (ahead[i].service != NULL && ahead[i].kem == keys->kem && needs_secret(keys, ahead, i))
            wanted[n++] = &ahead[i];
    return n;
}

/* Decapsulates what is under one key. A single one may as well wait for its turn. */
static void decapsulate(const larch_trace *trace, const larch_direct_keys *keys, larch_ahead *const *wanted,
                        size_t count)
{
    larch_kem_decaps_item items[GROUP];
    if (count < 2)
        return;
    for (size_t i = 0; i < count; i++)
        items[i] = (larch_kem_decaps_item){
            .dk = keys->key[keys->present].dk, .ct = {wanted[i]->about, keys->kem->ct_len}, .ss = wanted[i]->secret};
    larch_trace_begin(trace, LARCH_STEP_KEM_DECAPS);
    (void)!larch_kem_decaps_batch(keys->kem, items, count); /* each item has its own error */
    larch_trace_end(trace, LARCH_STEP_KEM_DECAPS, count * LARCH_KEM_SS_LEN);
    for (size_t i = 0; i < count; i++)
        wanted[i]->has_secret = items[i].error == LARCH_OK;
}

void larch_direct_look_ahead(void *context, larch_server *srv, uint64_t now_ms, const larch_server_datagram *datagrams,
                             size_t count, larch_ahead *ahead)
{
    larch_direct_service *direct = context;
    larch_bytes pieces[GROUP * DIRECT_MARK_PIECES];
    larch_ahead *seen[GROUP], *wanted[GROUP];
    uint64_t marks[GROUP];
    size_t n = 0;
    count = count < GROUP ? count : GROUP;
    for (size_t i = 0; i < count; i++)
        if (look_at(direct, srv, now_ms, datagrams, i, &ahead[i], pieces + n * DIRECT_MARK_PIECES))
            seen[n++] = &ahead[i];
    if (n == 0)
        return;
    larch_tag64_many(marks, pieces, DIRECT_MARK_PIECES, n);
    for (size_t i = 0; i < n; i++)
        seen[i]->mark = marks[i];
    for (size_t set = 0; set < LARCH_DIRECT_SETS; set++) {
        const larch_direct_keys *keys = &direct->keys[set];
        decapsulate(direct->config.trace, keys, wanted, choose(keys, ahead, count, wanted));
    }
}

#endif
