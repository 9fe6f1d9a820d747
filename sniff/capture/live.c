/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that captures through libpcap. */
#include <stdlib.h>

#include <pcap/pcap.h>

#include "sniff/capture/capture_int.h"

#define BUFFER  (16 << 20) /* bytes in the kernel, for bursts */
#define WAIT_MS 100        /* so that lines come as packets do */

/* UDP, fragments of it among them, and what may turn out to be UDP: IPv6 with extension headers (not
 * TCP, not ICMPv6), PPPoE sessions, and tagged frames. What passes is looked at again; this only spares copies. */
#define FILTER_PLAIN "udp or (ip6 and ip6[6] != 6 and ip6[6] != 58) or ether proto 0x8864"
#define FILTER       FILTER_PLAIN " or vlan" /* last: it moves what stands behind it */

struct larch_sniff_live {
    pcap_t *pcap;
    uint32_t linktype;
    uint64_t ns_per_tick;
};

/* The file formats number some link types otherwise than this system's libpcap does. */
static uint32_t linktype_of(int dlt)
{
    switch (dlt) {
    case DLT_RAW:
        return LARCH_SNIFF_LINK_RAW;
#ifdef DLT_LOOP
    case DLT_LOOP:
        return LARCH_SNIFF_LINK_LOOP;
#endif
    default:
        return (uint32_t)dlt;
    }
}

static const char *hint_of(int status)
{
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return "capturing needs a privilege: run it with sudo, or grant it to the program once with\n"
               "  sudo setcap cap_net_raw,cap_net_admin=ep \"$(command -v larch)\"";
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return "`ip link` lists the interfaces; `any` is all of them";
    case PCAP_ERROR_IFACE_NOT_UP:
        return "bring it up: sudo ip link set dev INTERFACE up";
    default:
        return "";
    }
}

/* 802.11 frames may hold several packets, or be encrypted, which the analyst wants told: no filter. */
static void set_filter(pcap_t *pcap)
{
    struct bpf_program program;
    int link = pcap_datalink(pcap);
    if (link == DLT_IEEE802_11 || link == DLT_IEEE802_11_RADIO)
        return;
    if (pcap_compile(pcap, &program, FILTER, 1, PCAP_NETMASK_UNKNOWN) != 0 &&
        pcap_compile(pcap, &program, FILTER_PLAIN, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return; /* the link type takes no filter: all frames come */
    (void)pcap_setfilter(pcap, &program);
    pcap_freecode(&program);
}

static larch_sniff_live *wrap(pcap_t *pcap, const char *name, larch_sniff_trouble *trouble)
{
    larch_sniff_live *live = calloc(1, sizeof *live);
    const uint32_t linktype = linktype_of(pcap_datalink(pcap));
    if (live != NULL && larch_sniff_link_text(linktype) != NULL) {
        *live = (larch_sniff_live){pcap, linktype,
                                   pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000};
        return live;
    }
    if (live == NULL)
        larch_sniff_explain(trouble, name, "out of memory", "");
    else
        larch_sniff_explain_link(trouble, name, linktype);
    free(live);
    pcap_close(pcap);
    return NULL;
}

larch_sniff_live *larch_sniff_live_open(const char *interface, larch_sniff_trouble *trouble)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(interface, error);
    if (pcap == NULL) {
        larch_sniff_explain(trouble, interface, error, "");
        return NULL;
    }
    (void)pcap_set_snaplen(pcap, LARCH_SNIFF_SNAPLEN);
    (void)pcap_set_promisc(pcap, 1);
    (void)pcap_set_buffer_size(pcap, BUFFER);
    (void)pcap_set_timeout(pcap, WAIT_MS);
    (void)pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    int status = pcap_activate(pcap);
    if (status < 0) {
        const char *detail = pcap_geterr(pcap);
        larch_sniff_explain(trouble, interface, detail[0] != 0 ? detail : pcap_statustostr(status), hint_of(status));
        pcap_close(pcap);
        return NULL;
    }
    set_filter(pcap);
    return wrap(pcap, interface, trouble);
}

uint32_t larch_sniff_live_linktype(const larch_sniff_live *live) { return live->linktype; }

larch_error larch_sniff_live_next(larch_sniff_live *live, larch_sniff_frame *frame, larch_sniff_trouble *trouble)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    switch (pcap_next_ex(live->pcap, &header, &bytes)) {
    case 1:
        /* the precision is asked for, so that tv_usec may hold nanoseconds */
        frame->time_ns =
            (uint64_t)header->ts.tv_sec * UINT64_C(1000000000) + (uint64_t)header->ts.tv_usec * live->ns_per_tick;
        frame->linktype = live->linktype;
        frame->bytes = (larch_bytes){bytes, header->caplen};
        frame->wire_len = header->len > header->caplen ? header->len : header->caplen;
        return LARCH_OK;
    case 0:
        return LARCH_AGAIN;
    case PCAP_ERROR_BREAK:
        return LARCH_SPENT;
    default:
        larch_sniff_explain(trouble, "capture failed", pcap_geterr(live->pcap), "");
        return LARCH_PLATFORM;
    }
}

void larch_sniff_live_stop(larch_sniff_live *live) { pcap_breakloop(live->pcap); }

uint64_t larch_sniff_live_drops(larch_sniff_live *live)
{
    struct pcap_stat stat;
    return pcap_stats(live->pcap, &stat) == 0 ? (uint64_t)stat.ps_drop + stat.ps_ifdrop : 0;
}

void larch_sniff_live_close(larch_sniff_live *live)
{
    pcap_close(live->pcap);
    free(live);
}
