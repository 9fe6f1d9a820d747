/* SPDX-License-Identifier: Apache-2.0 */
#include "common/wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

larch_udp_batch larch_app_batch;

/* ---- hints --------------------------------------------------------------- */

static const struct {
    int reason;
    larch_app_hint hint;
} hints[] = {
    {ECONNREFUSED, {"the host refuses the port", "start the gateway, or correct the port"}},
    {EACCES,
     {"a rule of a firewall or route, here or on the way, prohibits it", "allow UDP to that address and port there"}},
    {EPERM, {"a firewall of this host prohibits it", "allow UDP to that address and port in its rules"}},
    {ENETUNREACH,
     {"there is no route to that network",
      "check that this host has a network, a route and an address of that family, or correct the address"}},
    {EHOSTUNREACH,
     {"the host is not reached, or a firewall on the way rejects it",
      "check that it is switched on and at that address, and the firewalls before it"}},
    {EHOSTDOWN, {"the host is down", "switch it on, or correct the address"}},
    {ENETDOWN, {"the network interface is down", "set the interface up, or plug in its cable"}},
    {ENODEV, {"the network interface is gone", "check its name behind the % of the address"}},
    {EADDRNOTAVAIL,
     {"this host has no address that can reach that one",
      "wait for the network to give it one, or correct the address"}},
    {EMSGSIZE,
     {"a datagram is longer than the way takes, and nobody on it takes the parts",
      "raise the MTU of that link, or let fragments pass"}},
    {ENOPROTOOPT, {"the host has no UDP", "correct the address"}},
    {EPROTO, {"a router or host on the way calls the datagram malformed", "look for what alters messages on the way"}},
};

larch_app_hint larch_app_hint_of(int reason)
{
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (hints[i].reason == reason)
            return hints[i].hint;
    return (larch_app_hint){strerror(reason), "check the way there"};
}

/* A buffer that is full for a moment is no word about the way. */
static void note(larch_app_wire *wire, int reason)
{
    if (reason != EAGAIN && reason != EWOULDBLOCK && reason != EINTR && reason != ENOBUFS && reason != ENOMEM)
        wire->hint = reason;
}

/* ---- datagrams ----------------------------------------------------------- */

/* Where there is no route yet, there may be one later. */
static void try_connect(larch_app_wire *wire)
{
    if (wire->is_connected)
        return;
    wire->is_connected = larch_udp_connect(&wire->udp, &wire->gateway) == 0;
    if (!wire->is_connected)
        note(wire, errno);
}

int larch_app_wire_open(larch_app_wire *wire, const larch_peer *gateway, larch_posix_reason *why)
{
    const larch_peer any = {.port = 0};
    *wire = (larch_app_wire){.gateway = *gateway};
    return larch_udp_open(&wire->udp, &any, why);
}

void larch_app_wire_close(larch_app_wire *wire) { larch_udp_close(&wire->udp); }

void larch_app_wire_send(larch_app_wire *wire, larch_bytes datagram)
{
    try_connect(wire);
    /* A hint that waits comes in place of the first sending. */
    for (unsigned tries = 0; tries < 2; tries++) {
        if (larch_udp_send_to(&wire->udp, &wire->gateway, datagram) == 0)
            return;
        note(wire, errno);
    }
}

void larch_app_wire_receive(larch_app_wire *wire, larch_udp_batch *batch)
{
    int reason;
    while ((reason = larch_udp_take_report(&wire->udp)) != 0)
        note(wire, reason);
    if (larch_udp_receive(&wire->udp, batch) < 0)
        note(wire, errno);
    if (batch->count > 0)
        wire->hint = 0; /* there is a way after all */
    /* 0.0.0.0 and a zone that is not needed do not come back as they were given. */
    for (size_t i = 0; i < batch->count && wire->is_connected; i++)
        batch->datagrams[i].peer = wire->gateway;
}

/* ---- in words ------------------------------------------------------------ */

void larch_app_wire_explain(const larch_app_wire *wire, const larch_sender *sender, double waited_s,
                            char text[LARCH_APP_FAILURE_MAX])
{
    const bool is_silent = waited_s > 0 || larch_sender_failure_of(sender) == LARCH_SENDER_FAIL_NO_ANSWER;
    const larch_app_hint silence = {larch_sender_failure_text(LARCH_SENDER_FAIL_NO_ANSWER),
                                    larch_sender_failure_advice(LARCH_SENDER_FAIL_NO_ANSWER)};
    const larch_app_hint hint = wire->hint != 0 ? larch_app_hint_of(wire->hint) : silence;
    const char *before = wire->hint != 0 ? ": " : "", *why = wire->hint != 0 ? hint.text : "";
    if (!is_silent)
        larch_app_failure(sender, text);
    else if (waited_s > 0)
        (void)snprintf(text, LARCH_APP_FAILURE_MAX, "no answer within %g s while %s%s%s; %s", waited_s,
                       larch_sender_state_text(larch_sender_state_of(sender)), before, why, hint.advice);
    else
        (void)snprintf(text, LARCH_APP_FAILURE_MAX, "%s%s%s; %s", silence.text, before, why, hint.advice);
}
