/* SPDX-License-Identifier: Apache-2.0 */
/* Echo values [RFC9175 2.2]. */
#include "larch/crypto.h"
#include "node/reach_int.h"

static uint64_t mac_of(const larch_reach *reach, uint32_t seconds, const larch_peer *peer)
{
    uint8_t head[10];
    larch_writer w = larch_writer_to(head, sizeof head);
    larch_writer_put_u32(&w, seconds);
    larch_writer_put_u32(&w, peer->scope);
    larch_writer_put_u16(&w, peer->port);
    const larch_bytes pieces[] = {LARCH_BYTES(head), LARCH_BYTES(peer->address)};
    return larch_tag64(reach->echo_key, pieces, 2);
}

/*
 *   0                 4                                  12
 *  +-----------------+----------------------------------+
 *  | seconds of our  | MAC over seconds, port, address  |
 *  | clock, BE       | and zone                         |
 *  +-----------------+----------------------------------+
 */
void larch_reach_echo(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, uint8_t out[LARCH_ECHO_LEN])
{
    larch_writer w = larch_writer_to(out, LARCH_ECHO_LEN);
    uint32_t seconds = (uint32_t)(now_ms / 1000);
    larch_writer_put_u32(&w, seconds);
    larch_writer_put_u64(&w, mac_of(reach, seconds, peer));
}

/* A time to come is very old. */
uint32_t larch_reach_echo_age_s(uint64_t now_ms, larch_bytes echo)
{
    return (uint32_t)(now_ms / 1000) - (uint32_t)larch_number_at(echo.data, 4);
}

bool larch_reach_echo_is_genuine(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, larch_bytes echo)
{
    if (echo.len != LARCH_ECHO_LEN)
        return false;
    const uint32_t seconds = (uint32_t)larch_number_at(echo.data, 4);
    if (larch_reach_echo_age_s(now_ms, echo) > reach->echo_ms / 1000)
        return false;
    return larch_number_at(echo.data + 4, 8) == mac_of(reach, seconds, peer);
}
