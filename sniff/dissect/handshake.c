/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/dissect/handshake.h"

#include <string.h>

#include "sniff/dissect/dissect_int.h"
#include "sniff/dissect/table.h"

typedef struct larch_sniff_session session;

static larch_sniff_handshake *set_of(larch_sniff_handshakes *hs, const larch_peer *client, const larch_peer *server)
{
    const uint64_t hash = larch_sniff_hash_peer(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, client), server);
    return &hs->entries[larch_sniff_hash_set(hash, LARCH_SNIFF_HANDSHAKES)];
}

static bool is_between(const larch_sniff_handshake *h, const larch_peer *client, const larch_peer *server)
{
    return h->first != 0 && larch_peer_equal(&h->client, client) && larch_peer_equal(&h->server, server);
}

larch_sniff_handshake *larch_sniff_handshake_find(larch_sniff_handshakes *hs, const larch_peer *client,
                                                  const larch_peer *server)
{
    larch_sniff_handshake *set = set_of(hs, client, server), *found = NULL;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++)
        if (is_between(&set[i], client, server) && (found == NULL || set[i].newest > found->newest))
            found = &set[i];
    return found;
}

larch_sniff_handshake *larch_sniff_handshake_of(larch_sniff_handshakes *hs, const larch_peer *client,
                                                const larch_peer *server, uint64_t first)
{
    larch_sniff_handshake *set = set_of(hs, client, server);
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++)
        if (first != 0 && set[i].first == first && is_between(&set[i], client, server))
            return &set[i];
    return NULL;
}

larch_sniff_handshake *larch_sniff_handshake_place(larch_sniff_packet *p)
{
    const larch_sniff_datagram *d = &p->datagram;
    larch_sniff_handshake *set = set_of(p->handshakes, &d->source, &d->destination), *oldest = set;
    for (size_t i = 1; i < LARCH_SNIFF_WAYS; i++)
        if (set[i].newest < oldest->newest)
            oldest = &set[i];
    *oldest = (larch_sniff_handshake){.client = d->source,
                                      .server = d->destination,
                                      .first = p->number,
                                      .c_i = {.len = LARCH_SNIFF_NO_ID},
                                      .c_r = {.len = LARCH_SNIFF_NO_ID}};
    return oldest;
}

void larch_sniff_id_set(larch_lake_id *id, larch_bytes bytes)
{
    id->len = LARCH_SNIFF_NO_ID;
    if (bytes.len > LARCH_LAKE_ID_MAX)
        return;
    id->len = (uint8_t)bytes.len;
    if (bytes.len > 0)
        memcpy(id->bytes, bytes.data, bytes.len);
}

static void note_message_1(larch_sniff_packet *p, larch_sniff_handshake *h, const uint8_t *digest)
{
    const larch_lake_message_1 *m = &p->lake.message_1;
    const larch_lake_suite *suite = larch_lake_suite_find(m->selected);
    h->has_message_1 = true;
    memcpy(h->digest, digest, sizeof h->digest);
    h->method = m->method;
    h->suite = m->selected;
    h->offered = p->lake.suites;
    larch_sniff_id_set(&h->c_i, m->c_i);
    if (suite != NULL && larch_lake_observe_message_1(suite, p->lake.bytes, h->h_message_1) != LARCH_OK)
        memset(h->h_message_1, 0, sizeof h->h_message_1); /* as larch_sniff_digest */
    p->handshakes->totals.begun++;
}

larch_sniff_handshake *larch_sniff_handshake_begin(larch_sniff_packet *p)
{
    uint8_t digest[LARCH_SNIFF_DIGEST_LEN];
    larch_sniff_handshake *h = larch_sniff_handshake_find(p->handshakes, &p->datagram.source, &p->datagram.destination);
    larch_sniff_digest(&p->lake.bytes, 1, digest);
    p->claims.agreement.step = LARCH_SNIFF_STEP_BEGINS;
    if (h == NULL || !h->has_message_1 || memcmp(h->digest, digest, sizeof digest) != 0) {
        h = larch_sniff_handshake_place(p);
        note_message_1(p, h, digest);
    } else if (p->has_echo && !h->was_echoed) {
        p->claims.agreement.step = LARCH_SNIFF_STEP_GOES_ON;
    }
    h->was_echoed = h->was_echoed || p->has_echo;
    return h;
}

/* ---- sessions ---------------------------------------------------------- */

static session *find_session(larch_sniff_handshakes *hs, const larch_peer *holder, larch_bytes kid, session **place)
{
    const uint64_t hash = larch_sniff_hash(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, holder), kid.data, kid.len);
    session *set = &hs->sessions[larch_sniff_hash_set(hash, LARCH_SNIFF_SESSIONS)];
    *place = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        session *s = &set[i];
        const bool knows = s->strength != LARCH_SNIFF_STRENGTH_UNKNOWN;
        const bool place_knows = (*place)->strength != LARCH_SNIFF_STRENGTH_UNKNOWN;
        if (s->number != 0 && larch_peer_equal(&s->holder, holder) &&
            larch_bytes_equal((larch_bytes){s->kid.bytes, s->kid.len}, kid))
            return s;
        if (knows != place_knows ? place_knows : s->number < (*place)->number)
            *place = s; /* what says nothing goes first, then the oldest */
    }
    return NULL;
}

static void put_session(larch_sniff_handshakes *hs, const larch_peer *holder, const larch_lake_id *kid, uint64_t number,
                        larch_sniff_strength strength)
{
    const larch_bytes bytes = {kid->bytes, kid->len};
    session *place, *s;
    if (kid->len > LARCH_LAKE_ID_MAX)
        return;
    s = find_session(hs, holder, bytes, &place);
    *(s != NULL ? s : place) = (session){.holder = *holder, .kid = *kid, .number = number, .strength = strength};
}

static larch_peer host_of(const larch_peer *peer)
{
    larch_peer host = *peer;
    host.port = 0;
    return host;
}

/* The client's Sender ID is C_R, and the server's is C_I. [RFC9528 A.1] */
void larch_sniff_handshake_complete(larch_sniff_packet *p, larch_sniff_handshake *h)
{
    const larch_sniff_strength strength =
        h->has_message_1 ? larch_sniff_suite_strength(h->suite) : LARCH_SNIFF_STRENGTH_UNKNOWN;
    const larch_peer client = host_of(&h->client);
    if (h->is_completed)
        return;
    h->is_completed = true;
    p->handshakes->totals.completed++;
    p->handshakes->totals.sessions[strength]++;
    put_session(p->handshakes, &h->server, &h->c_r, p->number, strength);
    put_session(p->handshakes, &client, &h->c_i, p->number, strength);
    p->lake.completes = true;
    p->claims.agreement = (larch_sniff_agreement){.step = LARCH_SNIFF_STEP_COMPLETES,
                                                  .initiator = h->client,
                                                  .responder = h->server,
                                                  .offered = h->offered,
                                                  .selected = h->suite,
                                                  .strength = strength};
}

static session *find_of_holder(larch_sniff_handshakes *hs, const larch_peer *holder, larch_bytes kid)
{
    const larch_peer host = host_of(holder);
    session *place, *s = find_session(hs, holder, kid, &place);
    return s != NULL ? s : find_session(hs, &host, kid, &place);
}

larch_sniff_strength larch_sniff_session_find(larch_sniff_handshakes *hs, const larch_peer *holder, larch_bytes kid)
{
    const session *s = find_of_holder(hs, holder, kid);
    return s != NULL ? s->strength : LARCH_SNIFF_STRENGTH_UNKNOWN;
}

void larch_sniff_session_note_unknown(larch_sniff_handshakes *hs, const larch_peer *holder, larch_bytes kid,
                                      uint64_t number)
{
    larch_lake_id id;
    larch_sniff_id_set(&id, kid);
    if (find_of_holder(hs, holder, kid) != NULL)
        return;
    put_session(hs, holder, &id, number, LARCH_SNIFF_STRENGTH_UNKNOWN);
    hs->totals.sessions[LARCH_SNIFF_STRENGTH_UNKNOWN]++;
}
