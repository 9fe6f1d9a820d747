/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/listen.h"

#include <string.h>

#include "common/value.h"
#include "larch/coap_message.h"

#define NAME "gateway"

static const larch_peer any_ipv4 = {.address = {[10] = 0xff, [11] = 0xff}}, any = {.port = 0};

static bool is_address(const larch_peer *peer, const larch_peer *address)
{
    return memcmp(peer->address, address->address, sizeof peer->address) == 0;
}

/* Whether a socket on a takes all that comes to b. */
static bool covers(const larch_peer *a, const larch_peer *b)
{
    return a->port == b->port && a->port != 0 &&
           (is_address(a, &any) || (is_address(a, &any_ipv4) && larch_peer_is_ipv4(b)) || larch_peer_equal(a, b));
}

/* [::] takes IPv4 too, unless 0.0.0.0 is given beside it. */
static bool is_split(const larch_peer *locals, size_t count, size_t at)
{
    for (size_t i = 0; i < count; i++)
        if (is_address(&locals[at], &any) && is_address(&locals[i], &any_ipv4) && locals[i].port == locals[at].port)
            return locals[at].port != 0;
    return false;
}

static larch_exit parse(const gateway_options *options, larch_peer locals[GATEWAY_LISTEN_MAX])
{
    larch_posix_reason why;
    for (size_t i = 0; i < options->listen_count; i++)
        if (larch_posix_peer_parse(options->listen[i], LARCH_COAP_PORT, &locals[i], &why) != 0)
            return larch_app_bad_address(NAME, options->listen[i], &why);
    for (size_t i = 0; i < options->listen_count; i++)
        for (size_t k = 0; k < options->listen_count; k++)
            if (i != k && covers(&locals[i], &locals[k]) &&
                !(is_split(locals, options->listen_count, i) && (larch_peer_is_ipv4(&locals[k]))))
                return larch_app_usage(NAME, "listening on %s takes what comes to %s: leave one of them out",
                                       options->listen[i], options->listen[k]);
    return LARCH_EXIT_DONE;
}

larch_exit gateway_listen_open(const gateway_options *options, larch_udp sockets[GATEWAY_LISTEN_MAX], size_t *count)
{
    larch_peer locals[GATEWAY_LISTEN_MAX];
    larch_posix_reason why;
    const larch_exit code = parse(options, locals);
    *count = 0;
    if (code != LARCH_EXIT_DONE)
        return code;
    for (; *count < options->listen_count; ++*count) {
        const unsigned flags =
            LARCH_UDP_EARLY | (is_split(locals, options->listen_count, *count) ? LARCH_UDP_IPV6_ONLY : 0);
        if (larch_udp_open_as(&sockets[*count], &locals[*count], flags, &why) != 0)
            return larch_app_fail(NAME, "cannot listen on %s; choose another with --listen ADDR:PORT", why.text);
    }
    return LARCH_EXIT_DONE;
}
