/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "finder.h"
#include "larch/coap_message.h"

#define FIRST_MS  2000
#define LAST_MS   30000
#define SETTLE_MS 1000

larch_error larch_finder_start(larch_finder *f, uint64_t now_ms, const larch_kem *kem, const uint8_t *wanted,
                               const larch_random *random)
{
    uint8_t id[2];
    larch_error e = larch_random_fill(random, id, sizeof id);
    if (e != LARCH_OK)
        return e;
    *f = (larch_finder){.kem = kem,
                        .pinned = wanted != NULL,
                        .message_id = (uint16_t)(id[0] << 8 | id[1]),
                        .ask_at_ms = now_ms,
                        .settle_at_ms = UINT64_MAX,
                        .interval_ms = FIRST_MS};
    if (wanted != NULL)
        memcpy(f->wanted, wanted, sizeof f->wanted);
    return LARCH_OK;
}

larch_error larch_finder_ask(larch_finder *f, uint64_t now_ms, uint8_t out[LARCH_FINDER_ASK_MAX], size_t *len)
{
    larch_coap_builder b;
    larch_bytes datagram;
    if (now_ms < f->ask_at_ms)
        return LARCH_AGAIN;
    f->ask_at_ms = now_ms + f->interval_ms;
    f->interval_ms = f->interval_ms < LAST_MS / 2 ? 2 * f->interval_ms : LAST_MS;
    /* Each question anew: a gateway answers a duplicate from its memory, with a key that may be old. */
    larch_coap_build(&b, out, LARCH_FINDER_ASK_MAX, LARCH_COAP_CON, LARCH_COAP_POST, ++f->message_id, (larch_bytes){0});
    larch_coap_build_path(&b, LARCH_DIRECT_PATH_KEY);
    larch_error e = larch_coap_build_end(&b, &datagram);
    if (e == LARCH_OK)
        *len = datagram.len;
    return e;
}

void larch_finder_take(larch_finder *f, uint64_t now_ms, const larch_peer *peer, larch_bytes datagram)
{
    larch_coap_message m;
    uint8_t hash[32];
    if (larch_coap_parse(datagram, &m) != LARCH_OK || LARCH_COAP_CLASS(m.code) != 2 || m.token.len != 0 ||
        m.message_id != f->message_id || larch_kem_check_ek(f->kem, m.payload) != LARCH_OK ||
        larch_direct_key_hash(m.payload, hash) != LARCH_OK)
        return;
    if (!f->pinned || memcmp(hash, f->wanted, sizeof f->wanted) == 0) {
        f->other = *peer;
        f->settle_at_ms = now_ms;
    } else if (f->settle_at_ms == UINT64_MAX) {
        f->other = *peer;
        f->settle_at_ms = now_ms + SETTLE_MS;
    }
}

larch_error larch_finder_found(const larch_finder *f, uint64_t now_ms, larch_peer *gateway)
{
    if (now_ms < f->settle_at_ms)
        return LARCH_AGAIN;
    *gateway = f->other;
    return LARCH_OK;
}
