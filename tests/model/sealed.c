/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER 128

enum { GATEWAY_KEPT, GATEWAY_ADDED, DEVICE, ENDS };

static larch_oscore_context ends[ENDS];
static bool is_on; /* nobody looks at the messages of an ordinary run */
static uint32_t schedule;

static bool derive(void)
{
    static const char *const ids[ENDS][2] = {{"g", "d"}, {"g", "x"}, {"d", "g"}};
    for (unsigned i = 0; i < ENDS; i++) {
        const uint8_t secret[16] = {(uint8_t)schedule, (uint8_t)(schedule >> 8), (uint8_t)(schedule >> 16),
                                    i == GATEWAY_ADDED};
        const larch_oscore_parameters p = {.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                           .hash = LARCH_COSE_SHA_256,
                                           .master_secret = LARCH_BYTES(secret),
                                           .sender_id = larch_bytes_of_text(ids[i][0]),
                                           .recipient_id = larch_bytes_of_text(ids[i][1])};
        if (larch_oscore_context_init(&ends[i], &p) != LARCH_OK)
            return false;
    }
    return true;
}

bool sealed_make_keys(void)
{
    is_on = getenv("LARCH_NONCE_LOG_FILE") != NULL;
    return derive();
}

void sealed_new_schedule(void)
{
    schedule++;
    if (is_on && !derive())
        abort();
}

const larch_oscore_context *sealed_gateway_end(unsigned which) { return &ends[which]; }

/* A message of that code with an Echo and its content as the payload. */
static larch_coap_message build(uint8_t code, larch_bytes echo, unsigned content, uint8_t out[BUFFER])
{
    larch_coap_builder b;
    larch_coap_message m;
    larch_bytes datagram;
    const uint8_t bytes[] = {(uint8_t)(content >> 8), (uint8_t)content};
    larch_coap_build(&b, out, BUFFER, LARCH_COAP_CON, code, 1, LARCH_TEXT("t"));
    if (echo.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, echo);
    larch_coap_build_payload(&b, LARCH_BYTES(bytes));
    if (larch_coap_build_end(&b, &datagram) != LARCH_OK || larch_coap_parse(datagram, &m) != LARCH_OK)
        abort();
    return m;
}

static void protect_request(uint64_t number, const larch_coap_message *m, larch_oscore_binding *binding)
{
    uint8_t scratch[BUFFER] = {0}, out[BUFFER];
    larch_bytes datagram;
    if (larch_oscore_protect_request(&ends[DEVICE], number, m, (larch_oscore_scratch){scratch, BUFFER}, out, BUFFER,
                                     binding, &datagram) != LARCH_OK)
        abort();
}

static void protect_response(const larch_oscore_context *context, const larch_oscore_binding *binding,
                             const uint64_t *own, const larch_coap_message *m)
{
    uint8_t scratch[BUFFER] = {0}, out[BUFFER];
    larch_bytes datagram;
    if (larch_oscore_protect_response(context, binding, own, m, (larch_oscore_scratch){scratch, BUFFER}, out, BUFFER,
                                      &datagram) != LARCH_OK)
        abort();
}

/* What a request of the device leaves behind. */
static larch_oscore_binding bind(const char *kid, uint64_t number)
{
    larch_oscore_binding binding = {.kid_len = 1, .kid = {(uint8_t)*kid}, .partial_iv_len = 1};
    while (binding.partial_iv_len < LARCH_OSCORE_PARTIAL_IV_MAX && number >> (8 * binding.partial_iv_len) != 0)
        binding.partial_iv_len++;
    for (unsigned i = 0; i < binding.partial_iv_len; i++)
        binding.partial_iv[i] = (uint8_t)(number >> (8 * (binding.partial_iv_len - 1u - i)));
    return binding;
}

void sealed_request(uint64_t number, unsigned content, larch_bytes echo)
{
    uint8_t plain[BUFFER];
    larch_oscore_binding binding;
    if (!is_on)
        return;
    const larch_coap_message m = build(LARCH_COAP_POST, echo, content, plain);
    protect_request(number, &m, &binding);
}

void sealed_response(const larch_oscore_context *context, uint64_t request_number, unsigned content)
{
    uint8_t plain[BUFFER];
    if (!is_on)
        return;
    const larch_oscore_binding binding = bind("d", request_number);
    const larch_coap_message m = build(LARCH_COAP_CHANGED, (larch_bytes){NULL, 0}, content, plain);
    protect_response(context, &binding, NULL, &m);
}

void sealed_challenge(const larch_oscore_context *context, uint64_t own, uint64_t request_number,
                      const uint8_t echo[LARCH_OSCORE_ECHO_LEN])
{
    uint8_t plain[BUFFER];
    if (!is_on)
        return;
    const larch_oscore_binding binding = bind("d", request_number);
    const larch_coap_message m = build(LARCH_COAP_UNAUTHORIZED, (larch_bytes){echo, LARCH_OSCORE_ECHO_LEN}, 0, plain);
    protect_response(context, &binding, &own, &m);
}

void sealed_notification(const larch_oscore_context *context, unsigned which, uint64_t own, unsigned content)
{
    uint8_t plain[BUFFER];
    if (!is_on)
        return;
    const larch_oscore_binding binding = bind(which == GATEWAY_KEPT ? "d" : "x", 1);
    const larch_coap_message m = build(LARCH_COAP_CONTENT, (larch_bytes){NULL, 0}, content, plain);
    protect_response(context, &binding, &own, &m);
}
