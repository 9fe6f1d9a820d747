/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CoAP server and client made of the public endpoint, block-wise transfer and the
 * Linux driver alone, for tests against other people's stacks.
 *
 *     coap_peer serve [ADDR:PORT]            prints "listening ADDR:PORT"
 *     coap_peer [-N] get|put|post|delete URI [PAYLOAD]
 *                                            prints "2.05 Content", then the body; -N: non-confirmable
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "larch/coap_block.h"
#include "larch/coap_client.h"
#include "larch/coap_endpoint.h"
#include "system.h"
#include "text/peer.h"
#include "udp.h"

#define LIFE_S      60 /* nobody has to stop a server that a test forgot */
#define LARGE_LEN   5000
#define SEPARATE_MS 500
#define PENDING     8
#define EXCHANGES   256
#define BODY_MAX    65536

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static larch_udp udp;
static larch_udp_batch in, out;
static larch_coap_endpoint endpoint;
static larch_coap_exchange exchanges[EXCHANGES];
static uint8_t answers[EXCHANGES * 80];
static larch_coap_reassembly reassembly;

static uint8_t large[LARGE_LEN];
static uint8_t stored[LARCH_COAP_BODY_MAX];
static size_t stored_len;

static struct later {
    larch_coap_pending pending;
    uint64_t due_ms; /* 0: free */
} laters[PENDING];

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "coap_peer: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

/* ---- what both roles do ------------------------------------------------ */

static int start(const larch_peer *local)
{
    static const uint16_t understood[] = {LARCH_COAP_OPT_URI_HOST, LARCH_COAP_OPT_URI_PORT,  LARCH_COAP_OPT_URI_PATH,
                                          LARCH_COAP_OPT_ACCEPT,   LARCH_COAP_OPT_URI_QUERY, LARCH_COAP_OPT_BLOCK1,
                                          LARCH_COAP_OPT_BLOCK2};
    const larch_random random = larch_posix_random();
    larch_posix_reason why;
    larch_error e;
    if (larch_udp_open(&udp, local, &why) != 0)
        return complain("socket", why.text);
    const larch_coap_memory memory = {exchanges, COUNT(exchanges), answers, sizeof answers};
    if ((e = larch_coap_endpoint_init(&endpoint, &memory, &random, understood, COUNT(understood))) != LARCH_OK ||
        (e = larch_coap_reassembly_init(&reassembly, &random)) != LARCH_OK)
        return complain("endpoint", larch_error_text(e));
    return EXIT_SUCCESS;
}

/* Sends what is due. True: event happened, and more may be due. */
static bool poll_endpoint(larch_coap_event *event)
{
    larch_peer peer;
    larch_bytes datagram;
    while (larch_coap_endpoint_poll(&endpoint, larch_posix_now_ms(), &peer, &datagram, event) == LARCH_OK) {
        if (datagram.len > 0 && larch_udp_send_to(&udp, &peer, datagram) != 0)
            perror("coap_peer: send");
        if (event->kind != LARCH_COAP_NOTHING)
            return true;
    }
    return false;
}

/* The next free datagram of the outgoing batch, addressed to whoever sent d. */
static larch_udp_datagram *reply_to(const larch_udp_datagram *d)
{
    larch_udp_datagram *reply = &out.datagrams[out.count];
    reply->peer = d->peer;
    reply->len = 0;
    return reply;
}

static void take_datagram(const larch_udp_datagram *d, larch_udp_datagram *reply, larch_coap_event *event)
{
    larch_writer w = larch_writer_to(reply->bytes, sizeof reply->bytes);
    larch_coap_endpoint_receive(&endpoint, larch_posix_now_ms(), &d->peer, d->multicast,
                                (larch_bytes){d->bytes, d->len}, &w, event);
    reply->len = w.len;
}

/* ---- server ------------------------------------------------------------ */

typedef struct result {
    uint8_t code;
    uint16_t format;
    bool has_body; /* and block-wise, if need be */
    larch_bytes body;
    uint8_t etag; /* 0: none */
    bool has_block1;
    larch_coap_block block1;
    bool has_size1;
} result;

static result content(larch_bytes body, uint16_t format, uint8_t etag)
{
    return (result){.code = LARCH_COAP_CONTENT, .format = format, .has_body = true, .body = body, .etag = etag};
}

static result store(const larch_coap_event *request)
{
    result a = {.code = LARCH_COAP_CHANGED};
    larch_bytes body;
    switch (larch_coap_reassembly_take(&reassembly, larch_posix_now_ms(), &request->peer, true, &request->message,
                                       &a.has_block1, &a.block1, &body)) {
    case LARCH_OK:
        if (body.len > sizeof stored)
            return (result){.code = LARCH_COAP_REQUEST_ENTITY_TOO_LARGE};
        if (body.len > 0)
            memcpy(stored, body.data, body.len);
        stored_len = body.len;
        return a;
    case LARCH_AGAIN:
        a.code = LARCH_COAP_CONTINUE;
        a.has_block1 = true;
        return a;
    case LARCH_STATE:
        return (result){.code = LARCH_COAP_REQUEST_ENTITY_INCOMPLETE};
    case LARCH_SPACE:
        return (result){.code = LARCH_COAP_REQUEST_ENTITY_TOO_LARGE, .has_size1 = true};
    case LARCH_PLATFORM:
        return (result){.code = LARCH_COAP_SERVICE_UNAVAILABLE};
    default:
        return (result){.code = LARCH_COAP_BAD_REQUEST};
    }
}

static result handle(const larch_coap_event *request)
{
    const larch_coap_message *m = &request->message;
    const bool get = m->code == LARCH_COAP_GET;
    const result refused = {.code = LARCH_COAP_METHOD_NOT_ALLOWED};
    if (larch_coap_path_is(m, "hello"))
        return get ? content(LARCH_TEXT("hello, world"), LARCH_COAP_FORMAT_TEXT, 0) : refused;
    if (larch_coap_path_is(m, "large"))
        return get ? content(LARCH_BYTES(large), LARCH_COAP_FORMAT_TEXT, 0x5a) : refused;
    if (larch_coap_path_is(m, ".well-known/core"))
        return get ? content(LARCH_TEXT("</hello>,</separate>,</large>;sz=5000,</store>"), LARCH_COAP_FORMAT_LINK, 0)
                   : refused;
    if (larch_coap_path_is(m, "store")) {
        if (get)
            return content((larch_bytes){stored, stored_len}, LARCH_COAP_FORMAT_OCTETS, 0);
        return m->code == LARCH_COAP_PUT || m->code == LARCH_COAP_POST ? store(request) : refused;
    }
    return (result){.code = LARCH_COAP_NOT_FOUND};
}

static larch_error build_answer(const larch_coap_event *request, result a, larch_udp_datagram *reply)
{
    larch_coap_slice slice = {.blockwise = false};
    larch_coap_builder b;
    larch_bytes datagram;
    if (a.has_body && larch_coap_block2_slice(&request->message, a.body, &slice) != LARCH_OK)
        a = (result){.code = LARCH_COAP_BAD_REQUEST};
    const larch_coap_pending pending = larch_coap_pending_of(request);
    larch_error e = larch_coap_answer_begin(&pending, a.code, reply->bytes, sizeof reply->bytes, &b);
    if (e != LARCH_OK)
        return e;
    if (a.etag != 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_ETAG, a.etag);
    if (a.has_body)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, a.format);
    if (a.has_body && slice.blockwise)
        larch_coap_block2_build(&b, &slice, a.body.len);
    if (a.has_block1)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(a.block1));
    if (a.has_size1)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_SIZE1, LARCH_COAP_BODY_MAX);
    if (a.has_body)
        larch_coap_build_payload(&b, slice.bytes);
    const bool remember = request->message.code != LARCH_COAP_GET;
    e = larch_coap_endpoint_answer_end(&endpoint, larch_posix_now_ms(), &pending, &b, remember, &datagram);
    reply->len = e == LARCH_OK ? datagram.len : 0;
    return e;
}

static bool put_off(const larch_coap_event *request, larch_udp_datagram *reply)
{
    for (size_t i = 0; i < COUNT(laters); i++) {
        if (laters[i].due_ms != 0)
            continue;
        const uint64_t now_ms = larch_posix_now_ms();
        larch_writer w = larch_writer_to(reply->bytes, sizeof reply->bytes);
        larch_coap_endpoint_answer_later(&endpoint, now_ms, request, &w, &laters[i].pending);
        laters[i].due_ms = now_ms + SEPARATE_MS;
        reply->len = w.len;
        return true;
    }
    return false;
}

static larch_error respond(const struct later *later)
{
    larch_coap_builder b;
    uint32_t handle;
    larch_error e =
        larch_coap_endpoint_respond(&endpoint, larch_posix_now_ms(), &later->pending, LARCH_COAP_CONTENT, &b, &handle);
    if (e != LARCH_OK)
        return e;
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, LARCH_COAP_FORMAT_TEXT);
    larch_coap_build_payload(&b, LARCH_TEXT("it took a while"));
    return larch_coap_endpoint_request_end(&endpoint, &b, handle);
}

/* Answers what is due; returns when the next one is. */
static uint64_t respond_due(void)
{
    uint64_t next_ms = UINT64_MAX;
    const uint64_t now_ms = larch_posix_now_ms();
    for (size_t i = 0; i < COUNT(laters); i++) {
        if (laters[i].due_ms != 0 && laters[i].due_ms <= now_ms)
            laters[i].due_ms = respond(&laters[i]) == LARCH_AGAIN ? now_ms + 10 : 0;
        if (laters[i].due_ms != 0 && laters[i].due_ms < next_ms)
            next_ms = laters[i].due_ms;
    }
    return next_ms;
}

static void serve_datagram(const larch_udp_datagram *d)
{
    larch_coap_event event;
    larch_udp_datagram *reply = reply_to(d);
    larch_error e;
    take_datagram(d, reply, &event);
    if (event.kind == LARCH_COAP_REQUEST) {
        const bool separate = event.message.code == LARCH_COAP_GET && larch_coap_path_is(&event.message, "separate");
        if ((!separate || !put_off(&event, reply)) && (e = build_answer(&event, handle(&event), reply)) != LARCH_OK)
            (void)complain("answer", larch_error_text(e));
    }
    out.count += reply->len > 0;
}

static int serve(const char *address)
{
    larch_peer local;
    larch_posix_reason why;
    char text[LARCH_TEXT_PEER_MAX];
    if (larch_posix_peer_parse(address, 0, &local, &why) != 0)
        return complain("address", why.text);
    if (start(&local) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)("0123456789abcdefghijklmnopqrstuvwxyz\n"[i % 37]);
    larch_text_of_peer(&udp.local, text);
    printf("listening %s\n", text);
    fflush(stdout);
    alarm(LIFE_S);

    for (;;) {
        larch_coap_event event;
        const uint64_t later_ms = respond_due();
        while (poll_endpoint(&event))
            continue;
        const uint64_t deadline_ms = larch_coap_endpoint_deadline_ms(&endpoint);
        if (larch_udp_wait(&udp, deadline_ms < later_ms ? deadline_ms : later_ms) < 0)
            return complain("wait", "failed");
        out.count = 0;
        if (larch_udp_receive(&udp, &in) < 0)
            return complain("receive", "failed");
        for (size_t i = 0; i < in.count; i++)
            serve_datagram(&in.datagrams[i]);
        (void)larch_udp_send(&udp, &out);
    }
}

/* ---- client ------------------------------------------------------------ */

/* Runs the client to its end. */
static larch_error wait_for_answer(larch_coap_client *client, larch_coap_answer *answer)
{
    larch_error e = LARCH_AGAIN;
    while (e == LARCH_AGAIN) {
        larch_coap_event event;
        while (e == LARCH_AGAIN && poll_endpoint(&event))
            e = larch_coap_client_take(client, larch_posix_now_ms(), &event, answer);
        if (e != LARCH_AGAIN)
            break;
        if (larch_udp_wait(&udp, larch_coap_endpoint_deadline_ms(&endpoint)) < 0 || larch_udp_receive(&udp, &in) < 0)
            return LARCH_PLATFORM;
        out.count = 0;
        for (size_t i = 0; i < in.count && e == LARCH_AGAIN; i++) {
            larch_udp_datagram *reply = reply_to(&in.datagrams[i]);
            take_datagram(&in.datagrams[i], reply, &event);
            out.count += reply->len > 0;
            e = larch_coap_client_take(client, larch_posix_now_ms(), &event, answer);
        }
        (void)larch_udp_send(&udp, &out);
    }
    return e;
}

static int ask(uint8_t method, larch_coap_type type, const char *text, const char *payload)
{
    static larch_coap_client client;
    static uint8_t body[BODY_MAX];
    const larch_peer any = {.port = 0};
    larch_posix_uri uri;
    larch_posix_reason why;
    larch_coap_answer answer;
    if (larch_posix_uri_parse(text, &uri, &why) != 0)
        return complain("URI", why.text);
    if (start(&any) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    alarm(LIFE_S);
    const larch_coap_target to = {.peer = uri.peer, .type = type};
    const larch_coap_ask question = {.method = method,
                                     .path = uri.path,
                                     .query = uri.query[0] != '\0' ? uri.query : NULL,
                                     .payload = {(const uint8_t *)payload, strlen(payload)},
                                     .content_format = payload[0] != '\0' ? LARCH_COAP_FORMAT_TEXT : 0xffff};
    larch_error e = larch_coap_client_ask(&client, &endpoint, larch_posix_now_ms(), &to, &question, body, sizeof body);
    if (e == LARCH_OK)
        e = wait_for_answer(&client, &answer);
    larch_udp_close(&udp);
    if (e != LARCH_OK)
        return complain(text, larch_error_text(e));
    fprintf(stderr, "%" PRIu32 " requests\n", answer.requests);
    printf("%d.%02d %s\n", LARCH_COAP_CLASS(answer.code), LARCH_COAP_DETAIL(answer.code),
           larch_coap_code_text(answer.code));
    fwrite(answer.body.data, 1, answer.body.len, stdout);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint8_t code;
    } methods[] = {
        {"get", LARCH_COAP_GET}, {"put", LARCH_COAP_PUT}, {"post", LARCH_COAP_POST}, {"delete", LARCH_COAP_DELETE}};
    const bool non = argc > 1 && strcmp(argv[1], "-N") == 0;
    argc -= non;
    argv += non;
    if (argc >= 2 && argc <= 3 && !non && strcmp(argv[1], "serve") == 0)
        return serve(argc == 3 ? argv[2] : "[::]:0");
    for (size_t i = 0; argc >= 3 && argc <= 4 && i < COUNT(methods); i++)
        if (strcmp(argv[1], methods[i].name) == 0)
            return ask(methods[i].code, non ? LARCH_COAP_NON : LARCH_COAP_CON, argv[2], argc == 4 ? argv[3] : "");
    fprintf(stderr, "usage: coap_peer serve [ADDR:PORT]\n"
                    "       coap_peer [-N] get|put|post|delete URI [PAYLOAD]\n");
    return 2;
}
