/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "demo/attacker.h"
#include "larch/coap_message.h"
#include "larch/direct.h"

static void take_answers(larch_loop_watch *watch, unsigned events)
{
    demo *d = watch->context;
    (void)events;
    (void)larch_udp_receive(&d->attacker, &d->heard);
}

static bool is_answered(demo *d)
{
    (void)d;
    return d->heard.count > 0;
}

/* Of an answer to a message, which may have a receipt behind it. */
static larch_bytes text_of_answer(larch_bytes payload)
{
    const larch_bytes front = {payload.data, payload.len - LARCH_DIRECT_TAG_LEN};
    return payload.len > LARCH_DIRECT_TAG_LEN && larch_direct_answer_find(front) != LARCH_DIRECT_ANSWER_COUNT ? front
                                                                                                              : payload;
}

bool demo_attack(demo *d, larch_bytes datagram, char answer[DEMO_ANSWER_MAX])
{
    larch_coap_message message;
    answer[0] = '\0';
    d->heard.count = 0;
    if (larch_udp_send_to(&d->attacker, &d->relay.front.local, datagram) != 0 || !demo_pump(d, is_answered))
        return false;
    larch_bytes bytes = {d->heard.datagrams[0].bytes, d->heard.datagrams[0].len};
    if (larch_coap_parse(bytes, &message) != LARCH_OK)
        return false;
    const larch_bytes text = text_of_answer(message.payload);
    if (text.len > 20)
        return false;
    snprintf(answer, DEMO_ANSWER_MAX, "%d.%02d %.*s", LARCH_COAP_CLASS(message.code), LARCH_COAP_DETAIL(message.code),
             (int)text.len, (const char *)text.data);
    return true;
}

larch_bytes demo_forge(larch_bytes recorded, unsigned number, uint8_t out[LARCH_COAP_DATAGRAM_MAX])
{
    memcpy(out, recorded.data, recorded.len);
    uint16_t id = (uint16_t)(((unsigned)out[2] << 8 | out[3]) + 1 + number);
    out[2] = (uint8_t)(id >> 8);
    out[3] = (uint8_t)id;
    return (larch_bytes){out, recorded.len};
}

/* ---- opening and closing ------------------------------------------------- */

int demo_attacker_open(demo *d, larch_posix_reason *why)
{
    larch_peer local;
    if (larch_posix_peer_parse("127.0.0.1:0", 0, &local, why) != 0 || larch_udp_open(&d->attacker, &local, why) != 0)
        return -1;
    d->answers = (larch_loop_watch){.fd = d->attacker.fd, .ready = take_answers, .context = d};
    if (larch_loop_add_watch(&d->loop, &d->answers, LARCH_LOOP_READ) == LARCH_OK)
        return 0;
    snprintf(why->text, sizeof why->text, "%s", larch_error_text(LARCH_BUSY));
    return -1;
}

void demo_attacker_close(demo *d)
{
    larch_loop_remove_watch(&d->loop, &d->answers);
    larch_udp_close(&d->attacker);
}
