/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of the load: contexts, first requests, and readings that are protected before the clock starts. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "bench/oscore.h"
#include "larch/coap_message.h"
#include "system.h"

#define FIRST     0x10000 /* so that every Partial IV has three bytes */
#define TRY_MS    200
#define TRIES     3
#define TEXT_LEN  32
#define SERVER_ID 's'
#define HEAD_LEN  5 /* header and token */

larch_oscore_parameters larch_bench_parameters(const larch_bench_devices *devices, unsigned device, bool is_server,
                                               larch_bench_ids *ids)
{
    *ids = (larch_bench_ids){.secret = {1, 2, 3}, .device = (uint8_t)(0x80 + device), .server = SERVER_ID};
    if (!devices->has_one_secret)
        ids->secret[15] = (uint8_t)(device + 1);
    const larch_bytes ours = {&ids->device, 1}, server = {&ids->server, 1};
    return (larch_oscore_parameters){.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                     .hash = LARCH_COSE_SHA_256,
                                     .master_secret = LARCH_BYTES(ids->secret),
                                     .sender_id = is_server ? server : ours,
                                     .recipient_id = is_server ? ours : server};
}

bool larch_bench_devices_init(larch_bench_devices *devices, unsigned count, bool has_one_secret)
{
    larch_bench_ids ids;
    *devices = (larch_bench_devices){.count = count, .has_one_secret = has_one_secret};
    for (unsigned i = 0; i < count; i++) {
        const larch_oscore_parameters p = larch_bench_parameters(devices, i, false, &ids);
        if (larch_oscore_context_init(&devices->contexts[i], &p) != LARCH_OK)
            return false;
        devices->next[i] = FIRST;
    }
    return true;
}

/* ---- requests ------------------------------------------------------------------ */

/* POST /r/NAME of 32 bytes, protected under the device's next number. echo: empty, or that of a challenge. */
static bool protect(larch_bench_devices *devices, unsigned device, larch_bytes echo, uint8_t *out, size_t cap,
                    larch_oscore_binding *binding, larch_bytes *datagram)
{
    static const uint8_t text[TEXT_LEN] = "temperature 21.5 C, humidity 40";
    const uint8_t token[1] = {(uint8_t)devices->next[device]};
    uint8_t plain[LARCH_COAP_DATAGRAM_MAX], scratch[LARCH_BENCH_READING_MAX];
    larch_coap_builder b;
    larch_coap_message message;
    larch_coap_build(&b, plain, sizeof plain, LARCH_COAP_CON, LARCH_COAP_POST, (uint16_t)devices->next[device],
                     LARCH_BYTES(token));
    larch_coap_build_path(&b, "r");
    larch_coap_build_path(&b, LARCH_BENCH_NAME);
    if (echo.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, echo);
    larch_coap_build_payload(&b, LARCH_BYTES(text));
    return larch_coap_build_end(&b, datagram) == LARCH_OK && larch_coap_parse(*datagram, &message) == LARCH_OK &&
           larch_oscore_protect_request(&devices->contexts[device], devices->next[device]++, &message,
                                        (larch_oscore_scratch){scratch, sizeof scratch}, out, cap, binding,
                                        datagram) == LARCH_OK;
}

bool larch_bench_protect(larch_bench_devices *devices, size_t count, uint8_t *out, size_t *len)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_oscore_binding binding;
    larch_bytes datagram;
    *len = 0;
    for (unsigned i = 0; i < devices->count; i++)
        for (size_t k = 0; k < count; k++) {
            if (!protect(devices, i, (larch_bytes){0}, bytes, sizeof bytes, &binding, &datagram))
                return false;
            const size_t behind = datagram.len - HEAD_LEN;
            if (behind > LARCH_BENCH_READING_MAX || (*len != 0 && *len != behind))
                return false;
            memcpy(out, datagram.data + HEAD_LEN, behind);
            *len = behind;
            out += behind;
        }
    return true;
}

static bool open_answer(const larch_oscore_context *context, const larch_oscore_binding *binding, larch_bytes datagram,
                        uint8_t scratch[LARCH_COAP_DATAGRAM_MAX], larch_coap_message *inner)
{
    larch_coap_message outer;
    bool has_number;
    uint64_t number;
    return larch_coap_parse(datagram, &outer) == LARCH_OK &&
           larch_oscore_unprotect_response(context, binding, &outer,
                                           (larch_oscore_scratch){scratch, LARCH_COAP_DATAGRAM_MAX}, &has_number,
                                           &number, inner) == LARCH_OK;
}

bool larch_bench_verify(const larch_bench_devices *devices, unsigned device, uint64_t number, larch_bytes datagram)
{
    uint8_t scratch[LARCH_COAP_DATAGRAM_MAX];
    const larch_oscore_context *context = &devices->contexts[device];
    larch_oscore_binding binding = {.kid_len = 1,
                                    .partial_iv_len = 3,
                                    .kid = {context->sender_id[0]},
                                    .partial_iv = {(uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number}};
    larch_coap_message inner;
    return open_answer(context, &binding, datagram, scratch, &inner) && inner.code == LARCH_COAP_CHANGED;
}

/* ---- the first request ----------------------------------------------------------- */

/* The answer with the request's token. Those to earlier requests, which came late, are passed over. */
static bool exchange(int fd, larch_bytes request, uint8_t *answer, size_t cap, larch_bytes *datagram)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    larch_coap_message m;
    if (send(fd, request.data, request.len, 0) < 0)
        return false;
    while (poll(&ready, 1, TRY_MS) == 1) {
        const ssize_t n = recv(fd, answer, cap, 0);
        *datagram = (larch_bytes){answer, n > 0 ? (size_t)n : 0};
        if (n < 0 || larch_coap_parse(*datagram, &m) != LARCH_OK)
            return false;
        if (m.type == LARCH_COAP_CON) {
            const uint8_t acknowledgement[] = {1u << 6 | LARCH_COAP_ACK << 4, LARCH_COAP_EMPTY, answer[2], answer[3]};
            (void)send(fd, acknowledgement, sizeof acknowledgement, 0);
        }
        if (m.token.len == 1 && m.token.data[0] == request.data[HEAD_LEN - 1])
            return true;
    }
    return false;
}

static bool greet(larch_bench_devices *devices, unsigned device, int fd)
{
    uint8_t request[LARCH_COAP_DATAGRAM_MAX], answer[LARCH_COAP_DATAGRAM_MAX], scratch[LARCH_COAP_DATAGRAM_MAX];
    larch_bytes echo = {0}, datagram;
    larch_oscore_binding binding;
    larch_coap_message inner;
    for (unsigned i = 0; i < TRIES; i++) {
        if (!protect(devices, device, echo, request, sizeof request, &binding, &datagram) ||
            !exchange(fd, datagram, answer, sizeof answer, &datagram) ||
            !open_answer(&devices->contexts[device], &binding, datagram, scratch, &inner))
            return false;
        if (LARCH_COAP_CLASS(inner.code) == 2)
            return true;
        if (!larch_coap_option_find(&inner, LARCH_COAP_OPT_ECHO, &echo))
            return false;
    }
    return false;
}

bool larch_bench_greet(larch_bench_devices *devices, const larch_peer *peer, uint64_t until_ms)
{
    struct sockaddr_storage address;
    const socklen_t len = larch_posix_peer_to_sockaddr(peer, AF_INET, &address);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&address, len) == 0;
    for (unsigned i = 0; ok && i < devices->count; i++)
        while (!(ok = greet(devices, i, fd)) && larch_posix_now_ms() < until_ms)
            (void)poll(NULL, 0, TRY_MS / 4);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}
