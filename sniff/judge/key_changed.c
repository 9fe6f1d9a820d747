/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway shows another public key than before. If the old key endorses the new one, before or after, that is a notice. */
#include <string.h>

#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "text/peer.h"

static struct larch_sniff_gateway_key *find_key(larch_sniff_alerts *a, const larch_peer *gateway, uint16_t set_number)
{
    uint64_t hash = larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, gateway); /* the sets of one gateway lie together */
    struct larch_sniff_gateway_key *set = &a->gateway_keys.keys[larch_sniff_hash_set(hash, LARCH_SNIFF_GATEWAY_KEYS)],
                                   *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].number != 0 && set[i].set == set_number && larch_peer_equal(&set[i].gateway, gateway))
            return &set[i];
        if (set[i].number < oldest->number)
            oldest = &set[i];
    }
    memset(oldest, 0, sizeof *oldest);
    oldest->gateway = *gateway;
    oldest->set = set_number;
    return oldest;
}

static void set_key(larch_sniff_alert *alert, const uint8_t *hash)
{
    alert->has_key = true;
    memcpy(alert->key, hash, sizeof alert->key);
}

static void raise_endorsed(larch_sniff_alerts *a, const larch_sniff_packet *p, const struct larch_sniff_gateway_key *k)
{
    char gateway[LARCH_TEXT_PEER_MAX], fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, k->hash, fingerprint);
    set_key(larch_sniff_raise(
                a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_KEY_ENDORSED,
                larch_sniff_hash(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &k->gateway), k->hash, sizeof k->hash),
                "%s: an older key, or a root key, names %s (tag not verified here)",
                larch_text_of_peer(&k->gateway, gateway), fingerprint),
            k->hash);
}

static void raise_changed(larch_sniff_alerts *a, const larch_sniff_packet *p, const struct larch_sniff_gateway_key *old)
{
    char gateway[LARCH_TEXT_PEER_MAX];
    char before[LARCH_FINGERPRINT_TEXT_LEN + 1], now[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, old->hash, before);
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, p->claims.key_hash, now);
    larch_sniff_alert *alert =
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_KEY_CHANGED,
                          larch_sniff_hash(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &old->gateway),
                                           p->claims.key_hash, sizeof p->claims.key_hash),
                          "%s shows another %s key, not endorsed by the old one: %s, before (#%llu) %s",
                          larch_text_of_peer(&old->gateway, gateway), p->claims.shows_key->name, now,
                          (unsigned long long)old->number, before);
    set_key(alert, p->claims.key_hash);
    alert->before = old->number;
    alert->has_key_before = true;
    memcpy(alert->key_before, old->hash, sizeof alert->key_before);
}

void larch_sniff_detect_key_changed(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    const larch_peer *gateway = &p->datagram.source;
    if (p->claims.names_key) {
        size_t at =
            larch_sniff_hash_set(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, gateway), LARCH_SNIFF_GATEWAY_KEYS);
        for (struct larch_sniff_gateway_key *k = &a->gateway_keys.keys[at];
             k < &a->gateway_keys.keys[at + LARCH_SNIFF_WAYS]; k++) {
            if (k->number == 0 || !larch_peer_equal(&k->gateway, gateway))
                continue;
            /* the answer does not say which set it is about; a hash fits one key alone */
            memcpy(k->endorsed, p->claims.key_hash, sizeof k->endorsed);
            if (k->changed && memcmp(k->hash, p->claims.key_hash, sizeof k->hash) == 0) {
                k->changed = false;
                raise_endorsed(a, p, k);
            }
        }
        return;
    }
    if (p->claims.shows_key == NULL)
        return;
    struct larch_sniff_gateway_key *k = find_key(a, gateway, p->claims.shows_key->set);
    if (k->number != 0 && memcmp(k->hash, p->claims.key_hash, sizeof k->hash) != 0) {
        const struct larch_sniff_gateway_key old = *k;
        memcpy(k->hash, p->claims.key_hash, sizeof k->hash);
        k->changed = memcmp(k->endorsed, p->claims.key_hash, sizeof k->endorsed) != 0;
        if (k->changed)
            raise_changed(a, p, &old);
        else
            raise_endorsed(a, p, k);
    }
    memcpy(k->hash, p->claims.key_hash, sizeof k->hash);
    k->number = p->number;
}
