/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that knows libpcap. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "sniff/capture.h"

#define BUFFER  (16 << 20) /* bytes in the kernel, for bursts */
#define WAIT_MS 100        /* so that lines come as packets do */

/* UDP, fragments of it among them, and what may turn out to be UDP: IPv6 with extension headers (not
 * TCP, not ICMPv6), and tagged frames. What passes is looked at again; this only spares copies. */
#define FILTER_PLAIN "udp or (ip6 and ip6[6] != 6 and ip6[6] != 58)"
#define FILTER       FILTER_PLAIN " or vlan"

struct larch_sniff_capture {
    pcap_t *pcap;
    uint32_t linktype;
    uint64_t ns_per_tick;
    bool live;
};

static void explain(larch_sniff_trouble *trouble, const char *what, const char *why, const char *hint)
{
    (void)snprintf(trouble->text, sizeof trouble->text, "%s: %s", what, why);
    trouble->hint = hint;
}

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

static larch_sniff_capture *wrap(pcap_t *pcap, bool live, const char *name, larch_sniff_trouble *trouble)
{
    larch_sniff_capture *capture = calloc(1, sizeof *capture);
    if (capture == NULL) {
        pcap_close(pcap);
        explain(trouble, name, "out of memory", "");
        return NULL;
    }
    capture->pcap = pcap;
    capture->live = live;
    capture->linktype = linktype_of(pcap_datalink(pcap));
    capture->ns_per_tick = pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    if (larch_sniff_link_text(capture->linktype) == NULL) {
        const char *link = pcap_datalink_val_to_description(pcap_datalink(pcap));
        (void)snprintf(trouble->text, sizeof trouble->text, "%s: its link type, %s (%lu), cannot be read", name,
                       link != NULL ? link : "unknown", (unsigned long)capture->linktype);
        trouble->hint = "";
        larch_sniff_capture_close(capture);
        return NULL;
    }
    return capture;
}

larch_sniff_capture *larch_sniff_capture_open_file(const char *path, larch_sniff_trouble *trouble)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    bool standard_input = strcmp(path, "-") == 0;
    const char *name = standard_input ? "standard input" : path;
    FILE *file = standard_input ? stdin : fopen(path, "rb");
    if (file == NULL) {
        explain(trouble, path, strerror(errno), "");
        return NULL;
    }
    pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
    if (pcap == NULL) {
        if (!standard_input)
            fclose(file);
        explain(trouble, name, error, "it must be a capture in pcap or pcapng format");
        return NULL;
    }
    return wrap(pcap, false, name, trouble);
}

static const char *live_hint(int status)
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

larch_sniff_capture *larch_sniff_capture_open_live(const char *interface, larch_sniff_trouble *trouble)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(interface, error);
    if (pcap == NULL) {
        explain(trouble, interface, error, "");
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
        explain(trouble, interface, detail[0] != 0 ? detail : pcap_statustostr(status), live_hint(status));
        pcap_close(pcap);
        return NULL;
    }
    set_filter(pcap);
    return wrap(pcap, true, interface, trouble);
}

uint32_t larch_sniff_capture_linktype(const larch_sniff_capture *capture) { return capture->linktype; }

uint32_t larch_sniff_capture_snaplen(const larch_sniff_capture *capture)
{
    int snaplen = pcap_snapshot(capture->pcap);
    return snaplen > 0 ? (uint32_t)snaplen : 0;
}

larch_error larch_sniff_capture_next(larch_sniff_capture *capture, larch_sniff_frame *frame,
                                     larch_sniff_trouble *trouble)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    switch (pcap_next_ex(capture->pcap, &header, &bytes)) {
    case 1:
        /* the precision is asked for, so that tv_usec may hold nanoseconds */
        frame->time_ns =
            (uint64_t)header->ts.tv_sec * UINT64_C(1000000000) + (uint64_t)header->ts.tv_usec * capture->ns_per_tick;
        frame->linktype = capture->linktype;
        frame->bytes = (larch_bytes){bytes, header->caplen};
        frame->wire_len = header->len > header->caplen ? header->len : header->caplen;
        return LARCH_OK;
    case 0:
        return LARCH_AGAIN;
    case PCAP_ERROR_BREAK: /* the end of the file too */
        return LARCH_SPENT;
    default:
        explain(trouble, capture->live ? "capture failed" : "capture file is damaged", pcap_geterr(capture->pcap), "");
        return capture->live ? LARCH_PLATFORM : LARCH_MALFORMED;
    }
}

void larch_sniff_capture_stop(larch_sniff_capture *capture) { pcap_breakloop(capture->pcap); }

uint64_t larch_sniff_capture_drops(larch_sniff_capture *capture)
{
    struct pcap_stat stat;
    if (!capture->live || pcap_stats(capture->pcap, &stat) != 0)
        return 0;
    return (uint64_t)stat.ps_drop + stat.ps_ifdrop;
}

void larch_sniff_capture_close(larch_sniff_capture *capture)
{
    if (capture == NULL)
        return;
    pcap_close(capture->pcap);
    free(capture);
}
