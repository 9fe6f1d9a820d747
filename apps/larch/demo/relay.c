/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "demo/relay.h"
#include "larch/coap_message.h"
#include "larch/direct.h"
#include "system.h"

#define LINKTYPE_IPV4 228 /* frames begin with the IPv4 header */
#define IPV4_LEN      20
#define UDP_LEN       8

/* ---- capture ------------------------------------------------------------- */

static void write_all(demo_relay *relay, const larch_writer *w)
{
    (void)fwrite(w->data, 1, w->len, relay->capture); /* errors are found when the file is closed */
}

static void begin_capture(demo_relay *relay)
{
    uint8_t header[24];
    larch_writer w = larch_writer_to(header, sizeof header);
    larch_writer_put_u32le(&w, 0xa1b2c3d4); /* times in microseconds */
    larch_writer_put_u16le(&w, 2);
    larch_writer_put_u16le(&w, 4);
    larch_writer_put_u32le(&w, 0);
    larch_writer_put_u32le(&w, 0);
    larch_writer_put_u32le(&w, 65535);
    larch_writer_put_u32le(&w, LINKTYPE_IPV4);
    write_all(relay, &w);
}

/* The ones' complement sum of 16-bit words [RFC1071]. */
static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void put_checksum(uint8_t *at, uint32_t sum)
{
    at[0] = (uint8_t)(~sum >> 8);
    at[1] = (uint8_t)~sum;
}

/* One datagram as it would look on a wire to a gateway at CoAP's own port, by which Wireshark knows it. */
static void record(demo_relay *relay, const larch_peer *from, const larch_peer *to, larch_bytes payload)
{
    uint8_t frame[16 + IPV4_LEN + UDP_LEN + LARCH_COAP_DATAGRAM_MAX];
    const uint64_t now_us = larch_posix_unix_ns() / 1000;
    larch_writer w = larch_writer_to(frame, sizeof frame);
    uint16_t udp_len = (uint16_t)(UDP_LEN + payload.len);
    uint16_t ip_len = (uint16_t)(IPV4_LEN + udp_len);

    larch_writer_put_u32le(&w, (uint32_t)(now_us / 1000000));
    larch_writer_put_u32le(&w, (uint32_t)(now_us % 1000000));
    larch_writer_put_u32le(&w, ip_len);
    larch_writer_put_u32le(&w, ip_len);
    uint8_t *ip = frame + w.len;
    larch_writer_put_u16(&w, 0x4500);
    larch_writer_put_u16(&w, ip_len);
    larch_writer_put_u32(&w, 0x00004000);                    /* not fragmented */
    larch_writer_put_u32(&w, (uint32_t)64 << 24 | 17 << 16); /* 64 hops, UDP, checksum below */
    larch_writer_put(&w, (larch_bytes){from->address + 12, 4});
    larch_writer_put(&w, (larch_bytes){to->address + 12, 4});
    put_checksum(ip + 10, sum_words(0, ip, IPV4_LEN));
    uint8_t *udp = frame + w.len;
    larch_writer_put_u16(&w, from == &relay->front.local ? LARCH_COAP_PORT : from->port);
    larch_writer_put_u16(&w, to == &relay->front.local ? LARCH_COAP_PORT : to->port);
    larch_writer_put_u16(&w, udp_len);
    larch_writer_put_u16(&w, 0);
    larch_writer_put(&w, payload);
    /* Both addresses, protocol and length belong to the sum [RFC768]. */
    put_checksum(udp + 6, sum_words(sum_words(17u + udp_len, ip + 12, 8), udp, udp_len));
    write_all(relay, &w);
    relay->datagrams++;
}

/* In the middle of the payload, if there is one. */
static void flip_bit(larch_udp_datagram *d)
{
    larch_coap_message message;
    if (larch_coap_parse((larch_bytes){d->bytes, d->len}, &message) == LARCH_OK && message.payload.len > 0)
        d->bytes[d->len - message.payload.len / 2 - 1] ^= 1;
}

/* ---- relay --------------------------------------------------------------- */

/* Keeps a sealed or protected message, as an attacker on the wire would. */
static void overhear(demo_relay *relay, larch_bytes datagram)
{
    larch_coap_message message;
    larch_bytes option;
    if (larch_coap_parse(datagram, &message) != LARCH_OK || message.code != LARCH_COAP_POST ||
        (!larch_coap_path_is(&message, LARCH_DIRECT_PATH_DATA) &&
         !larch_coap_option_find(&message, LARCH_COAP_OPT_OSCORE, &option)))
        return;
    memcpy(relay->sealed, datagram.data, datagram.len);
    relay->sealed_len = datagram.len;
}

static void take_answers(larch_loop_watch *watch, unsigned events)
{
    demo_relay *relay = watch->context;
    larch_udp_batch *batch = &relay->batch;
    size_t f = 0;
    (void)events;
    while (&relay->flows[f].answers != watch)
        f++;
    (void)larch_udp_receive(&relay->flows[f].back, batch);
    for (size_t i = 0; i < batch->count; i++) {
        larch_bytes bytes = {batch->datagrams[i].bytes, batch->datagrams[i].len};
        if (bytes.len == 0 || relay->is_deaf)
            continue;
        if (relay->is_altering)
            flip_bit(&batch->datagrams[i]);
        record(relay, &relay->front.local, &relay->flows[f].sender, bytes);
        (void)larch_udp_send_to(&relay->front, &relay->flows[f].sender, bytes);
    }
}

static struct demo_flow *flow_of(demo_relay *relay, const larch_peer *sender)
{
    larch_peer local = relay->front.local;
    larch_posix_reason why;
    for (size_t i = 0; i < relay->flow_count; i++)
        if (larch_peer_equal(&relay->flows[i].sender, sender))
            return &relay->flows[i];
    if (relay->flow_count == DEMO_FLOWS)
        return NULL;
    struct demo_flow *flow = &relay->flows[relay->flow_count];
    local.port = 0;
    if (larch_udp_open(&flow->back, &local, &why) != 0)
        return NULL;
    flow->answers = (larch_loop_watch){.fd = flow->back.fd, .ready = take_answers, .context = relay};
    if (larch_loop_add_watch(relay->loop, &flow->answers, LARCH_LOOP_READ) != LARCH_OK) {
        larch_udp_close(&flow->back);
        return NULL;
    }
    flow->sender = *sender;
    relay->flow_count++;
    return flow;
}

static void take_requests(larch_loop_watch *watch, unsigned events)
{
    demo_relay *relay = watch->context;
    larch_udp_batch *batch = &relay->batch;
    (void)events;
    (void)larch_udp_receive(&relay->front, batch);
    for (size_t i = 0; i < batch->count; i++) {
        larch_bytes bytes = {batch->datagrams[i].bytes, batch->datagrams[i].len};
        struct demo_flow *flow = flow_of(relay, &batch->datagrams[i].peer);
        if (flow == NULL || bytes.len == 0)
            continue;
        overhear(relay, bytes);
        record(relay, &flow->sender, &relay->front.local, bytes);
        (void)larch_udp_send_to(&flow->back, &relay->gateway, bytes);
    }
}

/* ---- opening and closing ------------------------------------------------- */

int demo_relay_open(demo_relay *relay, larch_loop *loop, const char *capture_path, larch_posix_reason *why)
{
    larch_peer local;
    memset(relay, 0, sizeof *relay);
    relay->loop = loop;
    relay->front.fd = -1;
    if (larch_posix_peer_parse("127.0.0.1:0", 0, &local, why) != 0 || larch_udp_open(&relay->front, &local, why) != 0)
        return -1;
    relay->requests = (larch_loop_watch){.fd = relay->front.fd, .ready = take_requests, .context = relay};
    relay->capture = fopen(capture_path, "wbe");
    if (relay->capture == NULL)
        snprintf(why->text, sizeof why->text, "%s: %s", capture_path, strerror(errno));
    else if (larch_loop_add_watch(loop, &relay->requests, LARCH_LOOP_READ) != LARCH_OK)
        snprintf(why->text, sizeof why->text, "%s", larch_error_text(LARCH_BUSY));
    if (relay->requests.place == 0) {
        demo_relay_close(relay);
        return -1;
    }
    begin_capture(relay);
    return 0;
}

void demo_relay_close(demo_relay *relay)
{
    larch_loop_remove_watch(relay->loop, &relay->requests);
    larch_udp_close(&relay->front);
    for (size_t i = 0; i < relay->flow_count; i++) {
        larch_loop_remove_watch(relay->loop, &relay->flows[i].answers);
        larch_udp_close(&relay->flows[i].back);
    }
    relay->flow_count = 0;
    if (relay->capture != NULL)
        (void)fclose(relay->capture);
    relay->capture = NULL;
}
