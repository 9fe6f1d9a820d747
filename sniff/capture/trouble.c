/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <pcap/pcap.h> /* for the names of link types alone */

#include "sniff/capture/capture_int.h"

const char *larch_sniff_capture_describe_link(uint32_t linktype)
{
    const char *text = linktype <= INT32_MAX ? pcap_datalink_val_to_description((int)linktype) : NULL;
    return text != NULL ? text : "unknown";
}

void larch_sniff_explain(larch_sniff_trouble *trouble, const char *what, const char *why, const char *hint)
{
    (void)snprintf(trouble->text, sizeof trouble->text, "%s: %s", what, why);
    trouble->hint = hint;
}

void larch_sniff_explain_link(larch_sniff_trouble *trouble, const char *what, uint32_t linktype)
{
    (void)snprintf(trouble->text, sizeof trouble->text, "%s: its link type, %s (%lu), cannot be read", what,
                   larch_sniff_capture_describe_link(linktype), (unsigned long)linktype);
    trouble->hint = "";
}
