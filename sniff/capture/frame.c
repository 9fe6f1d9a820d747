/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/capture/frame.h"

const char *larch_sniff_link_text(uint32_t linktype)
{
    switch (linktype) {
#define LINK_CASE(name, number, text) \
    case (number):                    \
        return text;
        LARCH_SNIFF_LINKS(LINK_CASE)
#undef LINK_CASE
    default:
        return NULL;
    }
}
