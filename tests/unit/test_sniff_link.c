/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sniff/link/link.h"

#define IP4_HEADER(len, flags, proto) 0x45, 0, 0, (len), 0, 1, (flags), 0, 64, (proto), 0, 0, 192, 0, 2, 7, 192, 0, 2, 1
#define UDP_HEADER(len)               0x9c, 0x40, 0x16, 0x33, 0, (len), 0, 0
#define PACKET                        IP4_HEADER(32, 0, 17), UDP_HEADER(12), 'a', 'b', 'c', 'd'
#define MACS                          2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define SNAP                          0xaa, 0xaa, 3, 0, 0, 0, 8, 0
#define WIFI(fc0, fc1)                (fc0), (fc1), 0, 0, MACS, 2, 0, 0, 0, 0, 3, 0x10, 0
#define IP6_HEADER(len, next)                                                                                        \
    0x60, 0, 0, 0, 0, (len), (next), 64, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0x20, 1, 0xd, 0xb8, \
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define UDP6 UDP_HEADER(12), 'a', 'b', 'c', 'd'

#define ROW(name, link, found, ...)                                                         \
    {                                                                                       \
        name, link, found, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}) \
    }

static const struct row {
    const char *name;
    uint32_t link;
    larch_sniff_found found;
    const uint8_t *bytes;
    size_t len;
} rows[] = {
    ROW("Ethernet", 1, LARCH_SNIFF_DATAGRAM, MACS, 8, 0, PACKET),
    ROW("Ethernet, padded", 1, LARCH_SNIFF_DATAGRAM, MACS, 8, 0, PACKET, 0, 0, 0, 0),
    ROW("802.1Q", 1, LARCH_SNIFF_DATAGRAM, MACS, 0x81, 0, 0, 7, 8, 0, PACKET),
    ROW("QinQ", 1, LARCH_SNIFF_DATAGRAM, MACS, 0x88, 0xa8, 0, 9, 0x81, 0, 0, 7, 8, 0, PACKET),
    ROW("802.3 with SNAP", 1, LARCH_SNIFF_DATAGRAM, MACS, 0, 40, SNAP, PACKET),
    ROW("five tags", 1, LARCH_SNIFF_MALFORMED, MACS, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81,
        0, 0, 1, 8, 0, PACKET),
    ROW("ARP", 1, LARCH_SNIFF_OTHER, MACS, 8, 6, 0, 1),
    ROW("NULL, little-endian", 0, LARCH_SNIFF_DATAGRAM, 2, 0, 0, 0, PACKET),
    ROW("NULL, big-endian", 0, LARCH_SNIFF_DATAGRAM, 0, 0, 0, 2, PACKET),
    ROW("NULL, another family", 0, LARCH_SNIFF_OTHER, 7, 0, 0, 0, PACKET),
    ROW("LOOP", 108, LARCH_SNIFF_DATAGRAM, 0, 0, 0, 2, PACKET),
    ROW("LOOP, IPv6 of Darwin", 108, LARCH_SNIFF_DATAGRAM, 0, 0, 0, 30, IP6_HEADER(12, 17), UDP6),
    ROW("raw", 101, LARCH_SNIFF_DATAGRAM, PACKET),
    ROW("raw IPv6", 101, LARCH_SNIFF_DATAGRAM, IP6_HEADER(12, 17), UDP6),
    ROW("raw, IP version 5", 101, LARCH_SNIFF_MALFORMED, 0x50, 0, 0, 0),
    ROW("IPV4", 228, LARCH_SNIFF_DATAGRAM, PACKET),
    ROW("IPV6", 229, LARCH_SNIFF_DATAGRAM, IP6_HEADER(12, 17), UDP6),
    ROW("SLL", 113, LARCH_SNIFF_DATAGRAM, 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0, PACKET),
    ROW("SLL2", 276, LARCH_SNIFF_DATAGRAM, 8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, PACKET),
    ROW("802.11", 105, LARCH_SNIFF_DATAGRAM, WIFI(0x08, 1), SNAP, PACKET),
    ROW("802.11 QoS", 105, LARCH_SNIFF_DATAGRAM, WIFI(0x88, 1), 0, 0, SNAP, PACKET),
    ROW("802.11 QoS and HT", 105, LARCH_SNIFF_DATAGRAM, WIFI(0x88, 0x81), 0, 0, 0, 0, 0, 0, SNAP, PACKET),
    ROW("802.11 four addresses", 105, LARCH_SNIFF_DATAGRAM, WIFI(0x08, 3), 2, 0, 0, 0, 0, 4, SNAP, PACKET),
    ROW("802.11 protected", 105, LARCH_SNIFF_PROTECTED, WIFI(0x08, 0x41), SNAP, PACKET),
    ROW("802.11 fragment", 105, LARCH_SNIFF_OTHER, WIFI(0x08, 0x05), SNAP, PACKET),
    ROW("802.11 beacon", 105, LARCH_SNIFF_OTHER, WIFI(0x80, 0)),
    ROW("802.11 null data", 105, LARCH_SNIFF_OTHER, WIFI(0x48, 1)),
    ROW("802.11 version 1", 105, LARCH_SNIFF_MALFORMED, WIFI(0x09, 1)),
    ROW("radiotap", 127, LARCH_SNIFF_DATAGRAM, 0, 0, 8, 0, 0, 0, 0, 0, WIFI(0x08, 1), SNAP, PACKET),
    ROW("radiotap, TSFT, FCS", 127, LARCH_SNIFF_DATAGRAM, 0, 0, 17, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10,
        WIFI(0x08, 1), SNAP, PACKET, 1, 2, 3, 4),
    ROW("radiotap, two words, TSFT aligned", 127, LARCH_SNIFF_DATAGRAM, 0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 2, 3, 4, 0x50, 6, 7, 8, 0, WIFI(0x08, 1), SNAP, PACKET),
    ROW("radiotap, data pad", 127, LARCH_SNIFF_DATAGRAM, 0, 0, 9, 0, 2, 0, 0, 0, 0x20, WIFI(0x88, 1), 0, 0, 0, 0, SNAP,
        PACKET),
    ROW("radiotap, wrong FCS", 127, LARCH_SNIFF_OTHER, 0, 0, 9, 0, 2, 0, 0, 0, 0x50, WIFI(0x08, 1), SNAP, PACKET, 0, 0,
        0, 0),
    ROW("radiotap, words without end", 127, LARCH_SNIFF_MALFORMED, 0, 0, 12, 0, 2, 0, 0, 0x80, 0, 0, 0, 0x80),
    ROW("A-MSDU of one", 105, LARCH_SNIFF_DATAGRAM, WIFI(0x88, 1), 0x80, 0, MACS, 0, 40, SNAP, PACKET),
    ROW("A-MSDU past its frame", 105, LARCH_SNIFF_MALFORMED, WIFI(0x88, 1), 0x80, 0, MACS, 0, 41, SNAP, PACKET),
    ROW("IPv4 options", 101, LARCH_SNIFF_DATAGRAM, 0x46, 0, 0, 36, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 7, 192, 0, 2, 1,
        0x94, 4, 0, 0, UDP_HEADER(12), 'a', 'b', 'c', 'd'),
    ROW("IPv4 header of 16", 101, LARCH_SNIFF_MALFORMED, 0x44, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 7, 192, 0,
        2, 1, UDP6),
    ROW("IPv4 longer than its frame", 101, LARCH_SNIFF_MALFORMED, IP4_HEADER(33, 0, 17), UDP6),
    ROW("IPv4 TCP", 101, LARCH_SNIFF_OTHER, IP4_HEADER(32, 0, 6), UDP6),
    ROW("IPv4 fragment", 101, LARCH_SNIFF_FRAGMENT, IP4_HEADER(36, 0x20, 17), UDP_HEADER(30), 1, 2, 3, 4, 5, 6, 7, 8),
    ROW("IPv4 fragment of 12", 101, LARCH_SNIFF_MALFORMED, IP4_HEADER(32, 0x20, 17), UDP6),
    ROW("UDP length 7", 101, LARCH_SNIFF_MALFORMED, IP4_HEADER(32, 0, 17), UDP_HEADER(7), 1, 2, 3, 4),
    ROW("UDP longer than IP", 101, LARCH_SNIFF_MALFORMED, IP4_HEADER(32, 0, 17), UDP_HEADER(13), 1, 2, 3, 4),
    ROW("UDP longer than IP, within the padding", 101, LARCH_SNIFF_MALFORMED, IP4_HEADER(32, 0, 17), UDP_HEADER(14), 1,
        2, 3, 4, 0, 0),
    ROW("IPv4 longer than its frame without FCS", 127, LARCH_SNIFF_MALFORMED, 0, 0, 9, 0, 2, 0, 0, 0, 0x10,
        WIFI(0x08, 1), SNAP, IP4_HEADER(33, 0, 17), UDP6, 0, 0, 0, 0),
    ROW("IPv6 hop-by-hop, routing", 101, LARCH_SNIFF_DATAGRAM, IP6_HEADER(28, 0), 43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 0,
        0, 0, 0, 0, UDP6),
    ROW("IPv6 authentication", 101, LARCH_SNIFF_DATAGRAM, IP6_HEADER(24, 51), 17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1,
        UDP6),
    ROW("IPv6 atomic fragment", 101, LARCH_SNIFF_DATAGRAM, IP6_HEADER(20, 44), 17, 0, 0, 0, 0, 0, 0, 1, UDP6),
    ROW("IPv6 fragment", 101, LARCH_SNIFF_FRAGMENT, IP6_HEADER(24, 44), 17, 0, 0, 1, 0, 0, 0, 1, UDP_HEADER(30), 1, 2,
        3, 4, 5, 6, 7, 8),
    ROW("IPv6 extension past its end", 101, LARCH_SNIFF_MALFORMED, IP6_HEADER(20, 60), 17, 2, 1, 4, 0, 0, 0, 0, UDP6),
    ROW("IPv6 ESP", 101, LARCH_SNIFF_OTHER, IP6_HEADER(12, 50), UDP6),
    ROW("PPPoE", 1, LARCH_SNIFF_DATAGRAM, MACS, 0x88, 0x64, 0x11, 0, 0, 5, 0, 34, 0, 0x21, PACKET, 0, 0),
    ROW("PPPoE, IPv6, tagged", 1, LARCH_SNIFF_DATAGRAM, MACS, 0x81, 0, 0, 7, 0x88, 0x64, 0x11, 0, 0, 5, 0, 54, 0, 0x57,
        IP6_HEADER(12, 17), UDP6),
    ROW("PPPoE, LCP", 1, LARCH_SNIFF_OTHER, MACS, 0x88, 0x64, 0x11, 0, 0, 5, 0, 4, 0xc0, 0x21, 9, 1),
    ROW("PPPoE longer than its frame", 1, LARCH_SNIFF_MALFORMED, MACS, 0x88, 0x64, 0x11, 0, 0, 5, 0, 35, 0, 0x21,
        PACKET),
    ROW("PPPoE, discovery", 1, LARCH_SNIFF_OTHER, MACS, 0x88, 0x63, 0x11, 9, 0, 0, 0, 0),
    ROW("PPPoE, a later version", 1, LARCH_SNIFF_OTHER, MACS, 0x88, 0x64, 0x21, 0, 0, 5, 0, 34, 0, 0x21, PACKET),
    ROW("PPPoE, a link type", 51, LARCH_SNIFF_DATAGRAM, 0x11, 0, 0, 5, 0, 34, 0, 0x21, PACKET),
    ROW("PPPoE, cooked", 113, LARCH_SNIFF_DATAGRAM, 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x88, 0x64, 0x11, 0, 0, 5,
        0, 34, 0, 0x21, PACKET),
    ROW("PPP", 9, LARCH_SNIFF_DATAGRAM, 0, 0x21, PACKET),
    ROW("PPP, address and control", 9, LARCH_SNIFF_DATAGRAM, 0xff, 3, 0, 0x21, PACKET),
    ROW("PPP, short protocol", 9, LARCH_SNIFF_DATAGRAM, 0x21, PACKET),
    ROW("PPP, compressed", 9, LARCH_SNIFF_OTHER, 0, 0xfd, 1, 2, 3),
    ROW("PPP, no protocol", 9, LARCH_SNIFF_MALFORMED, 0xff, 3, 0),
    ROW("PPP over HDLC", 50, LARCH_SNIFF_DATAGRAM, 0xff, 3, 0, 0x21, PACKET),
    ROW("PPP over HDLC, Cisco's", 50, LARCH_SNIFF_DATAGRAM, 0x0f, 0, 8, 0, PACKET),
    ROW("Cisco HDLC", 104, LARCH_SNIFF_DATAGRAM, 0x8f, 0, 8, 0, PACKET),
    ROW("PPP of pppd", 166, LARCH_SNIFF_DATAGRAM, 1, 3, 0, 0x21, PACKET),
    ROW("PPP with direction", 204, LARCH_SNIFF_DATAGRAM, 0, 0xff, 3, 0, 0x57, IP6_HEADER(12, 17), UDP6),
    ROW("unknown link type", 147, LARCH_SNIFF_OTHER, PACKET),
};

static larch_sniff_links *links;

static int setup(void **state)
{
    (void)state;
    links = malloc(sizeof *links);
    return links == NULL;
}

static int teardown(void **state)
{
    (void)state;
    free(links);
    return 0;
}

/* The frame from a heap block of its own, so that a sanitizer sees a read past what was captured. */
static larch_sniff_found step(const struct row *row, size_t captured, size_t wire, larch_sniff_datagram *out,
                              unsigned *datagrams)
{
    uint8_t *copy = malloc(captured > 0 ? captured : 1), seen[16] = {0};
    assert_non_null(copy);
    memcpy(copy, row->bytes, captured);
    larch_sniff_frame frame = {1000, row->link, {copy, captured}, wire};
    larch_sniff_datagram more;
    larch_sniff_links_init(links);
    larch_sniff_links_begin(links, &frame);
    larch_sniff_found found = larch_sniff_links_next(links, out), next = found;
    *datagrams = found == LARCH_SNIFF_DATAGRAM;
    assert_true(out->payload.len <= sizeof seen && out->payload.len <= out->payload_len);
    if (out->payload.len > 0)
        memcpy(seen, out->payload.data, out->payload.len);
    for (unsigned i = 0; next != LARCH_SNIFF_END; i++) {
        assert_true(i < 8);
        next = larch_sniff_links_next(links, &more);
        *datagrams += next == LARCH_SNIFF_DATAGRAM;
    }
    assert_memory_equal(seen, "abcd", out->payload.len < 4 ? out->payload.len : 4);
    free(copy);
    return found;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_sniff_datagram d;
        unsigned datagrams;
        const struct row row = rows[i];
        larch_sniff_found found = step(&row, row.len, row.len, &d, &datagrams);
        if (found != row.found)
            fail_msg("%s: %s, not %s (%s)", row.name, larch_sniff_found_text(found), larch_sniff_found_text(row.found),
                     d.why != NULL ? d.why : "");
        assert_int_equal(datagrams, found == LARCH_SNIFF_DATAGRAM);
        assert_true(found != LARCH_SNIFF_MALFORMED || d.why != NULL);
        if (found != LARCH_SNIFF_DATAGRAM)
            continue;
        assert_int_equal(d.payload_len, 4);
        assert_int_equal(d.payload.len, 4);
        assert_int_equal(d.source.port, 40000);
        assert_int_equal(d.destination.port, 5683);
        assert_int_equal(d.source.address[15], 7);
        assert_int_equal(d.destination.address[15], 1);

        /* Captured short of its wire length, it is cut, never malformed; nothing is invented. */
        for (size_t captured = 0; captured < row.len; captured++) {
            found = step(&row, captured, row.len, &d, &datagrams);
            if (found != LARCH_SNIFF_TRUNCATED && found != LARCH_SNIFF_DATAGRAM)
                fail_msg("%s cut to %zu: %s", row.name, captured, larch_sniff_found_text(found));
            assert_true(found == LARCH_SNIFF_TRUNCATED || d.payload_len == 4);
        }
    }
}

static void test_amsdu_of_two(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {WIFI(0x88, 1), 0x80, 0, MACS, 0, 40, SNAP, PACKET, 0, 0, MACS, 0, 40, SNAP, PACKET};
    struct row row = {"A-MSDU", 105, LARCH_SNIFF_DATAGRAM, bytes, sizeof bytes};
    larch_sniff_datagram d;
    unsigned datagrams;
    assert_int_equal(step(&row, row.len, row.len, &d, &datagrams), LARCH_SNIFF_DATAGRAM);
    assert_int_equal(datagrams, 2);
}

/* ---- fragments --------------------------------------------------------- */

static larch_sniff_found fragment(unsigned at, bool more, const uint8_t *bytes, uint8_t len, uint64_t time_ns,
                                  larch_sniff_datagram *d)
{
    uint8_t packet[20 + 255] = {IP4_HEADER(0, 0, 17)};
    packet[3] = (uint8_t)(20 + len);
    packet[6] = (uint8_t)((more ? 0x20 : 0) | at / 8 >> 8);
    packet[7] = (uint8_t)(at / 8);
    memcpy(packet + 20, bytes, len);
    larch_sniff_frame frame = {time_ns, 101, {packet, (size_t)20 + len}, (size_t)20 + len};
    larch_sniff_links_begin(links, &frame);
    return larch_sniff_links_next(links, d);
}

static void test_fragments(void **state)
{
    (void)state;
    uint8_t udp[48] = {UDP_HEADER(44)};
    larch_sniff_datagram d;
    for (size_t i = 8; i < sizeof udp; i++)
        udp[i] = (uint8_t)i;

    larch_sniff_links_init(links); /* out of order, one of them twice */
    assert_int_equal(fragment(40, false, udp + 40, 4, 1, &d), LARCH_SNIFF_FRAGMENT);
    assert_int_equal(fragment(0, true, udp, 16, 2, &d), LARCH_SNIFF_FRAGMENT);
    assert_int_equal(fragment(0, true, udp, 16, 3, &d), LARCH_SNIFF_FRAGMENT);
    assert_int_equal(fragment(16, true, udp + 16, 24, 4, &d), LARCH_SNIFF_DATAGRAM);
    assert_true(d.reassembled);
    assert_int_equal(d.payload.len, 36);
    assert_memory_equal(d.payload.data, udp + 8, 36);

    larch_sniff_links_init(links); /* other bytes in the same place */
    assert_int_equal(fragment(0, true, udp, 16, 1, &d), LARCH_SNIFF_FRAGMENT);
    udp[9] ^= 1;
    assert_int_equal(fragment(8, true, udp + 8, 8, 2, &d), LARCH_SNIFF_MALFORMED);
    assert_string_equal(d.why, "overlapping IP fragments");
    assert_int_equal(fragment(16, false, udp + 16, 28, 3, &d),
                     LARCH_SNIFF_FRAGMENT); /* begins anew, without the start */

    larch_sniff_links_init(links); /* an end before what was there already, with as many bytes as would fit */
    assert_int_equal(fragment(80, true, udp, 8, 1, &d), LARCH_SNIFF_FRAGMENT);
    assert_int_equal(fragment(0, true, udp, 8, 1, &d), LARCH_SNIFF_FRAGMENT);
    assert_int_equal(fragment(16, false, udp, 8, 1, &d), LARCH_SNIFF_MALFORMED);
    assert_string_equal(d.why, "overlapping IP fragments");

    larch_sniff_links_init(links); /* too late */
    assert_int_equal(fragment(0, true, udp, 16, 1, &d), LARCH_SNIFF_FRAGMENT);
    assert_int_equal(fragment(16, false, udp + 16, 28, UINT64_C(31000000000), &d), LARCH_SNIFF_FRAGMENT);
}

static void test_checksum(void **state)
{
    (void)state;
    uint8_t packet[] = {PACKET};
    larch_sniff_datagram d;
    larch_sniff_frame frame = {1, 101, LARCH_BYTES(packet), sizeof packet};
    /* the pseudo-header sums to 0x8426, the rest to 0x7746 */
    static const struct {
        uint8_t high, low;
        larch_sniff_checksum checksum;
    } sums[] = {{0, 0, LARCH_SNIFF_CHECKSUM_NONE},
                {0xfb, 0x4b, LARCH_SNIFF_CHECKSUM_BAD},
                {0x84, 0x26, LARCH_SNIFF_CHECKSUM_OFFLOADED},
                {0x04, 0x93, LARCH_SNIFF_CHECKSUM_GOOD}};
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        packet[26] = sums[i].high;
        packet[27] = sums[i].low;
        larch_sniff_links_init(links);
        larch_sniff_links_begin(links, &frame);
        assert_int_equal(larch_sniff_links_next(links, &d), LARCH_SNIFF_DATAGRAM);
        assert_int_equal(d.checksum, sums[i].checksum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_amsdu_of_two),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_checksum),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
