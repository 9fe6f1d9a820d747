/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "address.h"
#include "system.h"
#include "text/peer.h"
#include "udp.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static larch_udp_batch in, out;

static larch_peer peer_of(const char *text)
{
    larch_peer peer;
    larch_posix_reason why;
    if (larch_posix_peer_parse(text, 0, &peer, &why) != 0)
        fail_msg("%s: %s", text, why.text);
    return peer;
}

/* ---- text -------------------------------------------------------------- */

static void reads_and_writes_peers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
        bool ipv4;
    } rows[] = {
        {"192.0.2.1:40000", "192.0.2.1:40000", true},
        {"192.0.2.1", "192.0.2.1:5683", true},
        {"255.255.255.255:0", "255.255.255.255:0", true},
        {"[::ffff:192.0.2.1]:1", "192.0.2.1:1", true},
        {"[::]:5683", "[::]:5683", false},
        {"::", "[::]:5683", false},
        {"::1", "[::1]:5683", false},
        {"[::1]", "[::1]:5683", false},
        {"[2001:DB8:0::1]:65535", "[2001:db8::1]:65535", false},
        {"[fe80::1%lo]:5683", "[fe80::1%lo]:5683", false},
        {"fe80::1%lo", "[fe80::1%lo]:5683", false},
        {"2001:db8::1234", "[2001:db8::1234]:5683", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        larch_peer peer, again;
        larch_posix_reason why;
        char text[LARCH_TEXT_PEER_MAX];
        if (larch_posix_peer_parse(rows[i].text, 5683, &peer, &why) != 0)
            fail_msg("%s: %s", rows[i].text, why.text);
        assert_int_equal(larch_peer_is_ipv4(&peer), rows[i].ipv4);
        larch_text_of_peer(&peer, text);
        assert_string_equal(text, rows[i].canonical);
        assert_int_equal(larch_posix_peer_parse(text, 1, &again, &why), 0);
        assert_true(larch_peer_equal(&peer, &again));
    }
    larch_peer gone = peer_of("[fe80::1%lo]:5683"); /* an interface that is not there any more */
    char text[LARCH_TEXT_PEER_MAX];
    gone.scope = 4000000000u;
    larch_text_of_peer(&gone, text);
    assert_string_equal(text, "[fe80::1%4000000000]:5683");
}

static void refuses_what_is_no_peer(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        ":5683",
        "[]:5683",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:99999999999",
        "[::1",
        "[::1]5683",
        "127.0.0.1:5683x",
        "127.0.0.1:-1",
        "[127.0.0.1]:5683",
        "[::1%no-such-zone]:1",
        "7001",
        "127.1",
        "10.0.1:5683",
        "::1:5683",
        "2001:db8::1:80",
        "[fe80::1]",
        "fe80::1",
        "[ff02::fd]:5683",
        "[::1]:",
        "1:2:3:4:5:6",
        "[localhost]:5683",
        "[::1]:5683:5683",
        "127.0.0.1: 5683",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        larch_peer peer = {.address = {1}, .scope = 2, .port = 3};
        const larch_peer before = peer;
        larch_posix_reason why = {"", false};
        if (larch_posix_peer_parse(rows[i], 5683, &peer, &why) == 0)
            fail_msg("\"%s\" was taken", rows[i]);
        assert_true(strlen(why.text) > 0);
        assert_true(larch_peer_equal(&peer, &before));
    }
}

static void converts_sockaddr(void **state)
{
    (void)state;
    const larch_peer ipv4 = peer_of("192.0.2.1:258"), ipv6 = peer_of("[fe80::1%lo]:258");
    struct sockaddr_storage address;
    larch_peer again;

    assert_int_equal(larch_posix_peer_to_sockaddr(&ipv4, AF_INET, &address), sizeof(struct sockaddr_in));
    assert_int_equal(address.ss_family, AF_INET);
    assert_true(larch_posix_peer_from_sockaddr((struct sockaddr *)&address, &again));
    assert_true(larch_peer_equal(&ipv4, &again));

    assert_int_equal(larch_posix_peer_to_sockaddr(&ipv4, AF_INET6, &address), sizeof(struct sockaddr_in6));
    assert_true(larch_posix_peer_from_sockaddr((struct sockaddr *)&address, &again));
    assert_true(larch_peer_equal(&ipv4, &again));

    assert_int_equal(larch_posix_peer_to_sockaddr(&ipv6, AF_INET6, &address), sizeof(struct sockaddr_in6));
    assert_true(larch_posix_peer_from_sockaddr((struct sockaddr *)&address, &again));
    assert_true(larch_peer_equal(&ipv6, &again) && again.scope != 0);

    assert_int_equal(larch_posix_peer_to_sockaddr(&ipv6, AF_INET, &address), 0);
    address.ss_family = AF_UNIX;
    assert_false(larch_posix_peer_from_sockaddr((struct sockaddr *)&address, &again));
}

/* ---- URIs -------------------------------------------------------------- */

static void reads_uris(void **state)
{
    (void)state;
    static const struct {
        const char *text, *peer, *host, *path, *query;
    } rows[] = {
        {"coap://127.0.0.1", "127.0.0.1:5683", "127.0.0.1", "", ""},
        {"coap://127.0.0.1/", "127.0.0.1:5683", "127.0.0.1", "", ""},
        {"COAP://127.0.0.1:61616/a/b", "127.0.0.1:61616", "127.0.0.1", "a/b", ""},
        {"coap://127.0.0.1:/a/", "127.0.0.1:5683", "127.0.0.1", "a/", ""},
        {"coap://127.0.0.1?x", "127.0.0.1:5683", "127.0.0.1", "", "x"},
        {"coap://127.0.0.1/pqkem-pk?kem=768&y=?/", "127.0.0.1:5683", "127.0.0.1", "pqkem-pk", "kem=768&y=?/"},
        {"coap://[::1]/.well-known/core", "[::1]:5683", "::1", ".well-known/core", ""},
        {"coap://[::1]:1/%C3%a4%20b", "[::1]:1", "::1", "\xc3\xa4 b", ""},
        {"coap://127.0.0.1/a%26b?c%2Fd%3D", "127.0.0.1:5683", "127.0.0.1", "a&b", "c/d="},
        {"coap://[fe80::1%25lo]/", "[fe80::1%lo]:5683", "fe80::1%lo", "", ""},
        {"coap://[fe80::1%lo]/", "[fe80::1%lo]:5683", "fe80::1%lo", "", ""},
        {"coap://255.255.255.255/a", "255.255.255.255:5683", "255.255.255.255", "a", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        larch_posix_uri uri;
        larch_posix_reason why;
        char text[LARCH_TEXT_PEER_MAX];
        if (larch_posix_uri_parse(rows[i].text, &uri, &why) != 0)
            fail_msg("%s: %s", rows[i].text, why.text);
        larch_text_of_peer(&uri.peer, text);
        assert_string_equal(text, rows[i].peer);
        assert_string_equal(uri.host, rows[i].host);
        assert_string_equal(uri.path, rows[i].path);
        assert_string_equal(uri.query, rows[i].query);
    }
}

static void refuses_what_is_no_uri(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "form coap://"},
        {"127.0.0.1", "form coap://"},
        {"coap:/127.0.0.1", "form coap://"},
        {"http://127.0.0.1/", "form coap://"},
        {"coaps://127.0.0.1/", "DTLS"},
        {"coap://", "host is missing"},
        {"coap:///a", "host is missing"},
        {"coap://:5683/", "host is missing"},
        {"coap://[]/", "host is missing"},
        {"coap://me@127.0.0.1/", "user@"},
        {"coap://127.0.0.1/a#b", "fragment"},
        {"coap://127.0.0.1:0/", "port 0"},
        {"coap://127.0.0.1:65536/", "not a port"},
        {"coap://127.0.0.1:x/", "not a port"},
        {"coap://::1/", "brackets"},
        {"coap://[::1/", "closing bracket"},
        {"coap://[::1]x/", "only a port"},
        {"coap://[nowhere]/", "not an IPv6 address"},
        {"coap://127.0.0.1/%", "two hexadecimal"},
        {"coap://127.0.0.1/%4", "two hexadecimal"},
        {"coap://127.0.0.1/%4g", "two hexadecimal"},
        {"coap://127.0.0.1/%4?a", "two hexadecimal"},
        {"coap://127.0.0.1/a%2fb", "cannot express"},
        {"coap://127.0.0.1/a%00b", "cannot express"},
        {"coap://127.0.0.1/?a%26b", "cannot express"},
        {"coap://127.0.0.1/a b", "blank"},
        {"coap://127.0.0.1/a\n", "blank"},
        {"coap://127.0.0.1/a/../b", "segment"},
        {"coap://127.0.0.1/.", "segment"},
        {"coap://127.0.0.1/a/%2e%2E", "segment"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        larch_posix_uri uri = {.path = "before"};
        larch_posix_reason why = {"", false};
        if (larch_posix_uri_parse(rows[i].text, &uri, &why) == 0)
            fail_msg("\"%s\" was taken", rows[i].text);
        if (strstr(why.text, rows[i].why) == NULL)
            fail_msg("\"%s\": %s", rows[i].text, why.text);
        assert_string_equal(uri.path, "before");
    }
}

static void bounds_uri_lengths(void **state)
{
    (void)state;
    enum { MOST = 255 };
    static const char *const before[] = {"coap://", "coap://127.0.0.1/", "coap://127.0.0.1/?"};
    for (size_t part = 0; part < COUNT(before); part++) {
        for (size_t len = MOST; len <= MOST + 1; len++) {
            char text[600];
            larch_posix_uri uri;
            larch_posix_reason why;
            const size_t at = strlen(before[part]);
            memcpy(text, before[part], at);
            memset(text + at, 'a', len);
            text[at + len] = '\0';
            const int e = larch_posix_uri_parse(text, &uri, &why);
            if (part == 0 || len > MOST) /* no host has a name of 255 letters */
                assert_int_equal(e, -1);
            else
                assert_int_equal(e, 0);
            if (len > MOST)
                assert_non_null(strstr(why.text, "longer than 255"));
        }
    }
}

/* ---- sockets ----------------------------------------------------------- */

/* QEMU's emulation of Linux for one program has no IPV6_MULTICAST_ALL, which every Linux since 4.20 has. */
static bool is_emulated(void)
{
    const int fd = socket(AF_INET6, SOCK_DGRAM, 0), off = 0;
    const bool lacks =
        fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof off) != 0 && errno == ENOPROTOOPT;
    close(fd);
    return lacks;
}

static larch_udp opened(const char *address)
{
    if (is_emulated()) {
        print_message("skipped: sockets: this emulation has no IPV6_MULTICAST_ALL\n");
        skip();
    }
    larch_udp udp;
    larch_posix_reason why;
    const larch_peer local = peer_of(address);
    if (larch_udp_open(&udp, &local, &why) != 0)
        fail_msg("%s", why.text);
    assert_true(udp.local.port != 0);
    return udp;
}

static void add(larch_udp_batch *batch, larch_peer peer, const char *text)
{
    larch_udp_datagram *d = &batch->datagrams[batch->count++];
    *d = (larch_udp_datagram){.peer = peer, .len = strlen(text)};
    memcpy(d->bytes, text, strlen(text));
}

static int received(larch_udp *udp)
{
    if (larch_udp_wait(udp, larch_posix_now_ms() + 2000) != 1)
        return 0;
    return larch_udp_receive(udp, &in);
}

static void refuses_a_port_in_use(void **state)
{
    (void)state;
    larch_udp first = opened("[::]:0"), second;
    larch_posix_reason why;
    assert_int_equal(larch_udp_open(&second, &first.local, &why), -1);
    assert_non_null(strstr(why.text, "another program holds this port"));
    assert_int_equal(second.fd, -1);
    larch_udp_close(&second); /* harmless */
    larch_peer foreign = peer_of("192.0.2.254:0");
    memset(foreign.address + 12, 198, 4); /* 198.198.198.198 is not ours */
    assert_int_equal(larch_udp_open(&second, &foreign, &why), -1);
    larch_udp_close(&first);
    assert_int_equal(first.fd, -1);
}

/* A request to each local address is answered from that address. */
static void answers_from_where_it_was_asked(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.1:0", "127.0.0.5:0", "[::1]:0"};
    larch_udp server = opened("[::]:0");
    for (size_t i = 0; i < COUNT(addresses); i++) {
        larch_udp client = opened(i == 2 ? "[::1]:0" : "127.0.0.1:0");
        larch_peer to = peer_of(addresses[i]);
        to.port = server.local.port;
        assert_int_equal(larch_udp_send_to(&client, &to, LARCH_TEXT("ask")), 0);
        assert_int_equal(received(&server), 1);
        const larch_udp_datagram *ask = &in.datagrams[0];
        assert_int_equal(ask->len, 3);
        assert_memory_equal(ask->bytes, "ask", 3);
        assert_true(larch_peer_equal(&ask->peer, &client.local));
        assert_int_equal(ask->peer.via, i + 1);
        assert_true(ask->peer.is_on_link);
        assert_false(ask->multicast);

        out.count = 0;
        add(&out, ask->peer, "answer");
        assert_int_equal(larch_udp_send(&server, &out), 1);
        assert_int_equal(received(&client), 1);
        assert_true(larch_peer_equal(&in.datagrams[0].peer, &to));

        assert_int_equal(larch_udp_send_to(&server, &out.datagrams[0].peer, LARCH_TEXT("more")), 0);
        assert_int_equal(received(&client), 1);
        assert_true(larch_peer_equal(&in.datagrams[0].peer, &to));
        larch_udp_close(&client);
    }
    larch_udp_close(&server);
}

static bool is_near(const larch_posix_links *links, unsigned interface, const char *address)
{
    return larch_posix_links_have(links, interface, peer_of(address).address);
}

/* What is on a link has the prefix of an address of ours there; our own host is near, however it sends. */
static void knows_its_links(void **state)
{
    (void)state;
    larch_posix_links links = {.count = 4,
                               .links = {{.interface = 1, .bits = 96 + 8},
                                         {.interface = 2, .bits = 96 + 22},
                                         {.interface = 2, .bits = 64},
                                         {.interface = 3, .bits = 128}}};
    static const char *const own[] = {"127.0.0.1:0", "192.0.2.17:0", "[2001:db8:1:2::5]:0", "198.51.100.1:0"};
    for (size_t i = 0; i < COUNT(own); i++)
        memcpy(links.links[i].address, peer_of(own[i]).address, 16);
    static const struct {
        const char *address;
        unsigned interface;
        bool is_near;
    } rows[] = {
        {"127.3.2.1:1", 1, true},          {"127.3.2.1:1", 2, false},
        {"192.0.2.254:1", 2, true},        {"192.0.0.1:1", 2, true},
        {"192.0.4.1:1", 2, false},         {"192.0.2.254:1", 3, false},
        {"192.0.2.17:1", 1, true},         /* ours */ {"198.51.100.1:1", 1, true},
        {"198.51.100.2:1", 3, false},      {"[2001:db8:1:2:ffff::]:1", 2, true},
        {"[2001:db8:1:3::5]:1", 2, false}, {"[fe80::1%lo]:1", 9, true},
        {"[fec0::1]:1", 2, false},         {"[::1]:1", 1, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (is_near(&links, rows[i].interface, rows[i].address) != rows[i].is_near)
            fail_msg("%s through %u", rows[i].address, rows[i].interface);
    /* The system's own: read at most every 10 seconds. */
    larch_posix_links real = {0};
    larch_posix_links_refresh(&real, 5000);
    assert_true(is_near(&real, if_nametoindex("lo"), "127.9.9.9:1"));
    assert_false(is_near(&real, if_nametoindex("lo"), "192.0.2.1:1"));
    real.count = 0;
    larch_posix_links_refresh(&real, 14999);
    assert_int_equal(real.count, 0);
    larch_posix_links_refresh(&real, 15000);
    assert_true(real.count > 0);
}

/* More addresses of ours than places for them: the latest are still told apart. */
static void tells_many_own_addresses_apart(void **state)
{
    (void)state;
    larch_udp server = opened("[::]:0"), client = opened("127.0.0.1:0");
    for (int i = 0; i < 2 * LARCH_UDP_LOCALS + 3; i++) {
        larch_peer to = server.local;
        const uint8_t address[16] = {[10] = 0xff, [11] = 0xff, 127, 0, 1, (uint8_t)(i + 1)};
        memcpy(to.address, address, 16);
        assert_int_equal(larch_udp_send_to(&client, &to, LARCH_TEXT("ask")), 0);
        assert_int_equal(received(&server), 1);
        assert_in_range(in.datagrams[0].peer.via, 1, LARCH_UDP_LOCALS);
        assert_int_equal(larch_udp_send_to(&server, &in.datagrams[0].peer, LARCH_TEXT("answer")), 0);
        assert_int_equal(received(&client), 1);
        assert_true(larch_peer_equal(&in.datagrams[0].peer, &to));
    }
    larch_udp_close(&server);
    larch_udp_close(&client);
}

static void knows_broadcasts_and_groups(void **state)
{
    (void)state;
    larch_udp server = opened("[::]:0"), client = opened("[::]:0");
    assert_true(larch_udp_join(&server) > 0);
    assert_true(larch_udp_join(&server) > 0); /* again, as after an interface came up */

    larch_peer neighbourhoods[16];
    const size_t count = larch_udp_neighbourhoods(&client, server.local.port, neighbourhoods, 15);
    neighbourhoods[count] = peer_of("127.255.255.255:0");
    neighbourhoods[count].port = server.local.port;
    for (size_t i = 0; i <= count; i++) {
        char text[LARCH_TEXT_PEER_MAX];
        larch_text_of_peer(&neighbourhoods[i], text);
        if (larch_udp_send_to(&client, &neighbourhoods[i], LARCH_TEXT("who")) != 0) {
            print_message("    %s: %s\n", text, strerror(errno));
            assert_true(i < count); /* an interface may be unable to, the loopback is not */
            continue;
        }
        const int got = received(&server);
        print_message("    %s: %d received\n", text, got);
        assert_true(got == 1 || i < count);
        for (int k = 0; k < got; k++) {
            assert_true(in.datagrams[k].multicast);
            assert_int_equal(in.datagrams[k].peer.via, 0);
        }
    }
    larch_udp_close(&server);
    larch_udp_close(&client);
}

static void carries_batches(void **state)
{
    (void)state;
    enum { ROUNDS = 4 };
    larch_udp server = opened("[::]:0"), client = opened("[::1]:0"), client4 = opened("127.0.0.1:0");
    larch_peer to = peer_of("[::1]:0"), to4 = peer_of("127.0.0.1:0");
    to.port = to4.port = server.local.port;
    for (int round = 0; round < ROUNDS; round++) {
        out.count = 0;
        for (int i = 0; i < LARCH_UDP_BATCH; i++) {
            char text[16];
            snprintf(text, sizeof text, "%d", round * LARCH_UDP_BATCH + i);
            add(&out, round % 2 ? to4 : to, text);
        }
        assert_int_equal(larch_udp_send(round % 2 ? &client4 : &client, &out), LARCH_UDP_BATCH);
    }
    for (int next = 0; next < ROUNDS * LARCH_UDP_BATCH;) {
        assert_true(received(&server) > 0);
        for (size_t i = 0; i < in.count; i++, next++) {
            char text[16];
            snprintf(text, sizeof text, "%d", next);
            const larch_udp *from = next / LARCH_UDP_BATCH % 2 ? &client4 : &client;
            assert_int_equal(in.datagrams[i].len, strlen(text));
            assert_memory_equal(in.datagrams[i].bytes, text, strlen(text));
            assert_true(larch_peer_equal(&in.datagrams[i].peer, &from->local));
        }
    }
    assert_int_equal(larch_udp_receive(&server, &in), 0);
    assert_int_equal(in.count, 0);
    larch_udp_close(&server);
    larch_udp_close(&client);
    larch_udp_close(&client4);
}

/* One that cannot be sent does not hold back the others. */
static void sends_past_a_refused_datagram(void **state)
{
    (void)state;
    larch_udp server = opened("127.0.0.1:0"), client = opened("[::]:0");
    out.count = 0;
    add(&out, server.local, "first");
    add(&out, server.local, "from an address that is not ours");
    out.datagrams[1].peer.via = 1; /* which was ours once */
    memcpy(client.locals[0] + 10, "\xff\xff\xc6\xc6\xc6\xc6", 6);
    add(&out, server.local, "last");
    assert_int_equal(larch_udp_send(&client, &out), 2);
    /* A place in the table that went to an IPv6 address since says nothing about an IPv4 peer. */
    client.locals[0][0] = 0x20;
    assert_int_equal(larch_udp_send_to(&client, &out.datagrams[1].peer, LARCH_TEXT("last")), 0);
    int got = 0;
    while (got < 3) {
        const int n = received(&server);
        assert_true(n > 0);
        got += n;
    }
    assert_memory_equal(in.datagrams[in.count - 1].bytes, "last", 4);
    larch_udp_close(&server);
    larch_udp_close(&client);
}

static void never_hands_out_half_a_datagram(void **state)
{
    (void)state;
    larch_udp server = opened("[::1]:0"), client = opened("[::1]:0");
    static uint8_t bytes[LARCH_COAP_DATAGRAM_MAX + 1];
    for (size_t len = LARCH_COAP_DATAGRAM_MAX; len <= sizeof bytes; len++) {
        assert_int_equal(larch_udp_send_to(&client, &server.local, (larch_bytes){bytes, len}), 0);
        assert_int_equal(received(&server), 1);
        assert_int_equal(in.datagrams[0].len, len);
    }
    static uint8_t longer[2000]; /* it comes cut, and longer than any that may be used */
    assert_int_equal(larch_udp_send_to(&client, &server.local, LARCH_BYTES(longer)), 0);
    assert_int_equal(received(&server), 1);
    assert_int_equal(in.datagrams[0].len, LARCH_UDP_LEN_MAX);
    assert_int_equal(larch_udp_send_to(&client, &server.local, (larch_bytes){bytes, 0}), 0);
    assert_int_equal(received(&server), 1);
    assert_int_equal(in.datagrams[0].len, 0);
    larch_udp_close(&server);
    larch_udp_close(&client);
}

static void waits_until_it_is_time(void **state)
{
    (void)state;
    larch_udp udp = opened("[::1]:0");
    const uint64_t begin_ms = larch_posix_now_ms();
    assert_int_equal(larch_udp_wait(&udp, begin_ms + 30), 0);
    assert_true(larch_posix_now_ms() >= begin_ms + 30);
    assert_int_equal(larch_udp_wait(&udp, 0), 0); /* past already */
    assert_int_equal(larch_udp_send_to(&udp, &udp.local, LARCH_TEXT("x")), 0);
    assert_int_equal(larch_udp_wait(&udp, UINT64_MAX), 1);
    larch_udp_close(&udp);
}

static void draws_random_bytes(void **state)
{
    (void)state;
    const larch_random random = larch_posix_random();
    uint8_t a[64] = {0}, b[64] = {0};
    assert_int_equal(larch_random_fill(&random, a, sizeof a), LARCH_OK);
    assert_int_equal(larch_random_fill(&random, b, sizeof b), LARCH_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(larch_random_fill(&random, a, 0), LARCH_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_peers),
        cmocka_unit_test(refuses_what_is_no_peer),
        cmocka_unit_test(converts_sockaddr),
        cmocka_unit_test(reads_uris),
        cmocka_unit_test(refuses_what_is_no_uri),
        cmocka_unit_test(bounds_uri_lengths),
        cmocka_unit_test(refuses_a_port_in_use),
        cmocka_unit_test(answers_from_where_it_was_asked),
        cmocka_unit_test(knows_its_links),
        cmocka_unit_test(tells_many_own_addresses_apart),
        cmocka_unit_test(knows_broadcasts_and_groups),
        cmocka_unit_test(carries_batches),
        cmocka_unit_test(sends_past_a_refused_datagram),
        cmocka_unit_test(never_hands_out_half_a_datagram),
        cmocka_unit_test(waits_until_it_is_time),
        cmocka_unit_test(draws_random_bytes),
    };
    return cmocka_run_group_tests_name("posix_udp", tests, NULL, NULL);
}
