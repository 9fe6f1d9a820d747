/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include <string.h>

#include "system.h"
#include "udp.h"

/* Both are too large for a stack. */
static larch_sender sender;
static larch_udp_batch batch;

static void drive(larch_udp *udp, uint64_t end_ms)
{
    larch_peer to;
    larch_bytes datagram;
    for (;;) {
        while (larch_sender_send(&sender, larch_posix_now_ms(), &to, &datagram) == LARCH_OK)
            (void)larch_udp_send_to(udp, &to, datagram); /* else it is lost, and sent again */
        if (larch_sender_state_of(&sender) != LARCH_SENDER_FETCH_KEY || larch_posix_now_ms() >= end_ms)
            return;
        const uint64_t wake_ms = larch_sender_deadline_ms(&sender);
        if (larch_udp_wait(udp, wake_ms < end_ms ? wake_ms : end_ms) <= 0)
            continue;
        (void)larch_udp_receive(udp, &batch);
        for (size_t i = 0; i < batch.count; i++)
            larch_sender_receive(&sender, larch_posix_now_ms(), &batch.datagrams[i].peer,
                                 (larch_bytes){batch.datagrams[i].bytes, batch.datagrams[i].len});
    }
}

larch_sender_failure larch_app_fetch(const larch_peer *peer, const larch_kem *kem, uint64_t timeout_ms, uint8_t *ek,
                                     uint8_t hash[32])
{
    const larch_random random = larch_posix_random();
    const larch_sender_config config = {.random = &random, .kem = kem, .peer = *peer};
    const larch_peer any = {{0}, 0, 0, 0};
    const uint64_t now_ms = larch_posix_now_ms();
    larch_sender_failure failure = LARCH_SENDER_FAIL_PLATFORM;
    larch_posix_reason why;
    larch_udp udp;
    if (larch_udp_open(&udp, &any, &why) != 0)
        return failure;
    if (larch_sender_init(&sender, now_ms, &config) == LARCH_OK && larch_sender_fetch(&sender, now_ms) == LARCH_OK) {
        drive(&udp, now_ms + timeout_ms);
        failure = larch_sender_failure_of(&sender);
        if (larch_sender_state_of(&sender) == LARCH_SENDER_DECIDE) {
            const uint8_t *fresh;
            const larch_bytes key = larch_sender_key(&sender, &fresh);
            memcpy(ek, key.data, key.len);
            memcpy(hash, fresh, 32);
        } else if (failure == LARCH_SENDER_FAIL_NONE) {
            failure = LARCH_SENDER_FAIL_NO_ANSWER;
        }
    }
    larch_sender_wipe(&sender);
    larch_udp_close(&udp);
    return failure;
}
