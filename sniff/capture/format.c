/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the formats that captures come in, so that a foreign one is not called damaged. */
#include <string.h>

#include "sniff/capture/file_int.h"

#define CONVERT "Wireshark's editcap makes pcapng of it: editcap FILE FILE.pcapng"

static const struct foreign {
    const char *magic;
    uint8_t len;
    const char *name;
    const char *hint;
} foreigners[] = {
    {"snoop\0\0", 8, "a snoop capture (Solaris)", CONVERT},
    {"btsnoop\0", 8, "a btsnoop capture (Bluetooth)", CONVERT},
    {"\x1c\x00\x01\xac", 4, "a pcap variant of Ixia", CONVERT},
    {"\xac\x01\x00\x1c", 4, "a pcap variant of Ixia", CONVERT},
    {"\x1c\x00\x01\xab", 4, "a pcap variant of Ixia", CONVERT},
    {"\xab\x01\x00\x1c", 4, "a pcap variant of Ixia", CONVERT},
    {"\xa1\xb2\x34\xcd", 4, "a pcap variant (0xa1b234cd)", CONVERT},
    {"\xcd\x34\xb2\xa1", 4, "a pcap variant (0xa1b234cd)", CONVERT},
    {"\xa1\x2b\x3c\x4d", 4, "a pcap variant of Navtel", CONVERT},
    {"\x4d\x3c\x2b\xa1", 4, "a pcap variant of Navtel", CONVERT},
    {"\xa1\xe2\xcb\x12", 4, "a pcap variant (0xa1e2cb12)", CONVERT},
    {"\x12\xcb\xe2\xa1", 4, "a pcap variant (0xa1e2cb12)", CONVERT},
    {"RTSS", 4, "a capture of Microsoft Network Monitor 1", CONVERT},
    {"GMBU", 4, "a capture of Microsoft Network Monitor 2", CONVERT},
    {"TRSNIFF data    ", 16, "a Sniffer capture (DOS)", CONVERT},
    {"XCP", 4, "a NetXRay capture (Sniffer for Windows)", CONVERT},
    {"VL\0", 4, "a NetXRay capture", CONVERT},
    {"\x7fver", 4, "an OmniPeek capture", CONVERT},
    {"iptrace 1.0", 11, "an iptrace capture (AIX)", CONVERT},
    {"iptrace 2.0", 11, "an iptrace capture (AIX)", CONVERT},
    {"TR\0\x01", 4, "a nettl capture (HP-UX)", CONVERT},
    {"TR\0\x64", 4, "a nettl capture (HP-UX)", CONVERT},
    {"ObserverPktBuffe", 16, "an Observer capture", CONVERT},
    {"\x05VNF", 4, "a capture of Visual Networks", CONVERT},
    {"\0\0\x02\0\x12\x05\0\x10", 8, "a K12 capture (Tektronix)", CONVERT},
    {"\xaa\xaa\xaa\xaa", 4, "a 5View capture", CONVERT},
    {"SQLite format 3", 16, "an SQLite database, as Kismet writes them",
     "Kismet makes pcapng of it: kismetdb_to_pcap --in FILE --out FILE.pcapng"},
    {"\x1f\x8b", 2, "packed by gzip", "unpack it on the way: zcat FILE | larch sniff -r -"},
    {"BZh", 3, "packed by bzip2", "unpack it on the way: bzcat FILE | larch sniff -r -"},
    {"\xfd\067zXZ", 6, "packed by xz", "unpack it on the way: xzcat FILE | larch sniff -r -"},
    {"\x28\xb5\x2f\xfd", 4, "packed by zstd", "unpack it on the way: zstdcat FILE | larch sniff -r -"},
    {"\x04\x22\x4d\x18", 4, "packed by lz4", "unpack it on the way: lz4cat FILE | larch sniff -r -"},
    {"PK\x03\x04", 4, "a ZIP archive", "unpack it on the way: unzip -p FILE | larch sniff -r -"},
};

/*  time, a fraction 4 and seconds 4, little-endian | type 1 | flags 1 | record length 2 | losses 2 | wire length 2
 * ERF has no magic number: it is taken for one only if each field of the first record makes sense. */
static bool looks_like_erf(const uint8_t *p)
{
    enum {
        BEGAN = 631152000,
        TYPE_MAX = 48,
        SHORTEST = 17,
        LONGEST = 0x1fff
    }; /* from 1990 on; as types are assigned */
    const uint32_t seconds = (uint32_t)p[7] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[5] << 8 | p[4];
    const unsigned type = p[8] & 0x7f, length = (unsigned)p[10] << 8 | p[11], wire = (unsigned)p[14] << 8 | p[15];
    return seconds > BEGAN && type > 0 && type <= TYPE_MAX && length >= SHORTEST && length <= LONGEST && wire > 0;
}

static bool is_pcap(const uint8_t *p)
{
    static const uint32_t magics[] = {LARCH_SNIFF_PCAP_MICROSECONDS, LARCH_SNIFF_PCAP_NANOSECONDS,
                                      LARCH_SNIFF_PCAP_MODIFIED};
    const uint32_t big = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    const uint32_t little = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (big == magics[i] || little == magics[i])
            return true;
    return false;
}

larch_sniff_format larch_sniff_format_find(larch_bytes head)
{
    if (head.len >= 4 && is_pcap(head.data))
        return (larch_sniff_format){LARCH_SNIFF_FORMAT_PCAP, NULL, NULL};
    if (head.len >= 4 && memcmp(head.data, "\x0a\x0d\x0d\x0a", 4) == 0)
        return (larch_sniff_format){LARCH_SNIFF_FORMAT_PCAPNG, NULL, NULL};
    for (size_t i = 0; i < sizeof foreigners / sizeof foreigners[0]; i++)
        if (head.len >= foreigners[i].len && memcmp(head.data, foreigners[i].magic, foreigners[i].len) == 0)
            return (larch_sniff_format){LARCH_SNIFF_FORMAT_FOREIGN, foreigners[i].name, foreigners[i].hint};
    if (head.len == LARCH_SNIFF_INPUT_HEAD && looks_like_erf(head.data))
        return (larch_sniff_format){LARCH_SNIFF_FORMAT_FOREIGN, "an ERF capture (Endace), it seems", CONVERT};
    return (larch_sniff_format){LARCH_SNIFF_FORMAT_UNKNOWN, NULL, NULL};
}
