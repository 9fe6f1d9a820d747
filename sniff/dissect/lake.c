/* SPDX-License-Identifier: Apache-2.0 */
/* LAKE (EDHOC, RFC 9528) is known by its resource alone, which shows that a port speaks CoAP [RFC9528 A.2]. Its messages
 * are not read, but who sends one is about to use new keys. */
#include "sniff/dissect/dissector.h"

static bool match(const larch_coap_message *request, uint8_t *resource)
{
    static const char *const paths[] = {".well-known/edhoc"};
    return larch_sniff_match_paths(request, paths, 1, resource);
}

static bool read_message(larch_sniff_packet *packet)
{
    packet->claims.renews = packet->kind == LARCH_SNIFF_REQUEST && packet->coap.code == LARCH_COAP_POST;
    return false;
}

const larch_sniff_dissector larch_sniff_dissector_lake = {.match = match, .read = read_message};
