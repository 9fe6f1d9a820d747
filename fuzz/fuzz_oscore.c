/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message from outside goes through unprotect, with every key known and none right; a message of ours is protected, and
 * must come back as it was.
 */
#include <string.h>

#include "fuzz.h"
#include "larch/crypto.h"
#include "larch/oscore.h"

static larch_oscore_context client, server;

static void begin(void)
{
    static const uint8_t secret[16] = {7};
    larch_oscore_parameters p = {.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                 .hash = LARCH_COSE_SHA_256,
                                 .master_secret = LARCH_BYTES(secret),
                                 .sender_id = LARCH_TEXT("c"),
                                 .recipient_id = LARCH_TEXT("")};
    if (client.aead != NULL)
        return;
    require(larch_crypto_init() == LARCH_OK && larch_oscore_context_init(&client, &p) == LARCH_OK);
    p.recipient_id = p.sender_id;
    p.sender_id = LARCH_TEXT("");
    require(larch_oscore_context_init(&server, &p) == LARCH_OK);
}

static void parse_option(larch_bytes value)
{
    larch_oscore_option option;
    static uint8_t out[4096];
    larch_writer w = larch_writer_to(out, sizeof out);
    if (larch_oscore_option_parse(value, &option) != LARCH_OK)
        return;
    larch_oscore_option_put(&w, &option); /* one form for one content */
    require(w.len == value.len && (w.len > sizeof out || memcmp(out, value.data, w.len) == 0));
}

static void take_from_outside(const larch_coap_message *outer)
{
    static uint8_t memory[2048];
    const larch_oscore_scratch scratch = {memory, sizeof memory};
    larch_oscore_binding binding = {.kid_len = 1, .kid = "c", .partial_iv_len = 1};
    larch_oscore_option option;
    larch_coap_message inner;
    larch_bytes value;
    uint64_t number;
    bool has_number;
    require(larch_oscore_unprotect_response(&client, &binding, outer, scratch, &has_number, &number, &inner) !=
            LARCH_OK);
    if (!larch_coap_option_find(outer, LARCH_COAP_OPT_OSCORE, &value) ||
        larch_oscore_option_parse(value, &option) != LARCH_OK)
        return;
    require(larch_oscore_unprotect_request(&server, &option, outer, scratch, &binding, &number, &inner) != LARCH_OK);
    require(number == 0 && inner.payload.len == 0);
}

static void protect_and_back(const larch_coap_message *m)
{
    static uint8_t memory[2200], out[2400];
    const larch_oscore_scratch scratch = {memory, sizeof memory};
    larch_oscore_binding sent, received;
    larch_oscore_option option;
    larch_coap_message outer, inner;
    larch_bytes datagram, value;
    uint64_t number;
    const larch_error e =
        larch_oscore_protect_request(&client, 0x112233, m, scratch, out, sizeof out, &sent, &datagram);
    require(e == LARCH_OK || e == LARCH_STATE || e == LARCH_SPACE);
    if (e != LARCH_OK)
        return;
    require(larch_coap_parse(datagram, &outer) == LARCH_OK);
    require(larch_coap_option_find(&outer, LARCH_COAP_OPT_OSCORE, &value));
    require(larch_oscore_option_parse(value, &option) == LARCH_OK);
    const larch_error back =
        larch_oscore_unprotect_request(&server, &option, &outer, scratch, &received, &number, &inner);
    require(back == LARCH_OK || (back == LARCH_MALFORMED && m->code == LARCH_COAP_EMPTY));
    require(back != LARCH_OK || (inner.code == m->code && larch_bytes_equal(inner.payload, m->payload) &&
                                 memcmp(&sent, &received, sizeof sent) == 0 && number == 0x112233));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const larch_bytes input = {data, size};
    larch_coap_message m;
    begin();
    parse_option(input);
    if (size <= 1500 && larch_coap_parse(input, &m) == LARCH_OK) {
        take_from_outside(&m);
        protect_and_back(&m);
    }
    return 0;
}
