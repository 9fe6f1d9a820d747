/* SPDX-License-Identifier: Apache-2.0 */
/* Words for what is malformed. */
#ifndef LARCH_SNIFF_REASON_H
#define LARCH_SNIFF_REASON_H

#include "larch/coap_message.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why larch_coap_parse refuses these bytes, as a constant text; NULL if it does not. */
const char *larch_sniff_reason_coap(larch_bytes datagram);
/* What RFC 7252 forbids in a message that larch_coap_parse accepts; NULL: nothing. */
const char *larch_sniff_reason_message(const larch_coap_message *message);

#ifdef __cplusplus
}
#endif

#endif
