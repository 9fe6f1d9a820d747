/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wire that the demo can look at without privileges: senders talk to the
 * relay, the relay to the gateway, and all that passes is written to a capture.
 * Who holds the wire may lead it to another gateway: that is one of the attacks.
 */
#ifndef LARCH_APP_DEMO_RELAY_H
#define LARCH_APP_DEMO_RELAY_H

#include <stdio.h>

#include "loop.h"
#include "udp.h"

#define DEMO_FLOWS 32 /* senders in one demo */

typedef struct demo_relay {
    larch_loop *loop;
    larch_udp front; /* where senders believe the gateway to be */
    larch_loop_watch requests;
    larch_peer gateway;
    bool is_deaf;     /* what the gateway answers is lost */
    bool is_altering; /* one bit of what the gateway answers is flipped */
    size_t flow_count;
    struct demo_flow {
        larch_peer sender;
        larch_udp back; /* its own, so that the gateway can tell senders apart */
        larch_loop_watch answers;
    } flows[DEMO_FLOWS];
    FILE *capture;
    unsigned datagrams;
    size_t sealed_len; /* the last datagram that carried a sealed or protected message */
    uint8_t sealed[LARCH_COAP_DATAGRAM_MAX];
    larch_udp_batch batch;
} demo_relay;

/* Opens the relay's front on a free port of 127.0.0.1 and a pcap file. From then on the loop passes on what arrives.
 * Returns 0; or -1 with the reason. */
int demo_relay_open(demo_relay *relay, larch_loop *loop, const char *capture_path, larch_posix_reason *why);
void demo_relay_close(demo_relay *relay);

#endif
