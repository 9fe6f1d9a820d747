/* SPDX-License-Identifier: Apache-2.0 */
/* oscore_talk KEY_LOG: messages under two security contexts, each a line on stdout: who sends it (> the client, < the
 * server), the protected datagram in hexadecimal, and the code, path and payload inside. Writes the contexts' key log. */
#include <stdio.h>

#include "larch/crypto.h"
#include "larch/oscore.h"

typedef struct step {
    bool by_client;
    bool request;
    bool own_number; /* of a response: under a number of its own */
    uint8_t code;
    const char *path; /* NULL: none */
    const char *payload;
} step;

static const step steps[] = {
    {true, true, true, LARCH_COAP_GET, "tv1", ""},
    {false, false, false, LARCH_COAP_CONTENT, NULL, "Hello World!"},
    {true, true, true, LARCH_COAP_POST, "r/temperature", "21.5 degrees in hall 3"},
    {false, false, true, LARCH_COAP_CHANGED, NULL, "stored"},
    {false, true, true, LARCH_COAP_PUT, "led", "on"}, /* the server asks too */
    {true, false, false, LARCH_COAP_CHANGED, NULL, "done"},
    {true, true, true, LARCH_COAP_DELETE, "old", ""},
    {false, false, false, LARCH_COAP_NOT_FOUND, NULL, "no such thing"},
};

static void print_hex(larch_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        printf("%02x", bytes.data[i]);
}

static larch_error build(const step *s, uint16_t id, uint8_t *out, size_t cap, larch_coap_message *message)
{
    const uint8_t token[] = {0x70, (uint8_t)(id >> 8), (uint8_t)id};
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, out, cap, s->request ? LARCH_COAP_CON : LARCH_COAP_ACK, s->code, id, LARCH_BYTES(token));
    if (s->path != NULL)
        larch_coap_build_path(&b, s->path);
    if (s->payload[0] != 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, LARCH_COAP_FORMAT_TEXT);
    larch_coap_build_payload(&b, larch_bytes_of_text(s->payload));
    const larch_error e = larch_coap_build_end(&b, &datagram);
    return e == LARCH_OK ? larch_coap_parse(datagram, message) : e;
}

static larch_error talk(larch_oscore_context ends[2], uint16_t first_id)
{
    larch_oscore_binding binding = {0};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const step *s = &steps[i];
        uint8_t plain[256], memory[256], out[256];
        const larch_oscore_scratch scratch = {memory, sizeof memory};
        larch_oscore_context *from = &ends[s->by_client ? 0 : 1];
        larch_coap_message message;
        larch_bytes datagram;
        uint64_t number = 0;
        larch_error e = build(s, (uint16_t)(first_id + i / 2), plain, sizeof plain, &message);
        if (e == LARCH_OK && s->own_number)
            e = larch_oscore_take_number(from, &number);
        if (e == LARCH_OK)
            e = s->request ? larch_oscore_protect_request(from, number, &message, scratch, out, sizeof out, &binding,
                                                          &datagram)
                           : larch_oscore_protect_response(from, &binding, s->own_number ? &number : NULL, &message,
                                                           scratch, out, sizeof out, &datagram);
        if (e != LARCH_OK)
            return e;
        printf("%c ", s->by_client ? '>' : '<');
        print_hex(datagram);
        printf(" %u.%02u /%s ", LARCH_COAP_CLASS(s->code) + 0u, LARCH_COAP_DETAIL(s->code) + 0u,
               s->path != NULL ? s->path : "");
        print_hex(larch_bytes_of_text(s->payload));
        printf("\n");
    }
    return LARCH_OK;
}

/* Both directions, as a program's key log has them. */
static larch_error begin(larch_oscore_parameters p, uint64_t first_number, larch_oscore_context ends[2], FILE *key_log)
{
    larch_error e = LARCH_OK;
    for (size_t i = 0; i < 2 && e == LARCH_OK; i++) {
        uint8_t line[512];
        larch_writer w = larch_writer_to(line, sizeof line);
        const larch_bytes sender_id = p.sender_id;
        e = larch_oscore_context_init(&ends[i], &p);
        if (e == LARCH_OK)
            e = larch_oscore_keylog_put(&w, &p);
        if (e == LARCH_OK && fwrite(line, 1, w.len, key_log) != w.len)
            e = LARCH_PLATFORM;
        larch_oscore_grant(&ends[i], first_number, first_number + 100);
        p.sender_id = p.recipient_id;
        p.recipient_id = sender_id;
    }
    return e;
}

int main(int argc, char **argv)
{
    static const uint8_t secret[16] = {3, 1, 4, 1, 5, 9, 2, 6}, salt[8] = {2, 7, 1, 8}, context[] = {0x37, 0xcb, 0xf3};
    const larch_oscore_parameters p = {.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                       .hash = LARCH_COSE_SHA_256,
                                       .master_secret = LARCH_BYTES(secret),
                                       .master_salt = LARCH_BYTES(salt),
                                       .sender_id = LARCH_TEXT("dev1"),
                                       .recipient_id = LARCH_TEXT("\x01")};
    larch_oscore_parameters other = {.aead = p.aead,
                                     .hash = p.hash,
                                     .master_secret = LARCH_BYTES(salt),
                                     .sender_id = LARCH_TEXT(""),
                                     .recipient_id = LARCH_TEXT("gateway"),
                                     .id_context = LARCH_BYTES(context)};
    larch_oscore_context ends[2];
    FILE *key_log = argc == 2 ? fopen(argv[1], "wb") : NULL;
    if (key_log == NULL || larch_crypto_init() != LARCH_OK) {
        fputs("usage: oscore_talk KEY_LOG\n", stderr);
        return 2;
    }
    const bool done = begin(p, 0, ends, key_log) == LARCH_OK && talk(ends, 100) == LARCH_OK &&
                      begin(other, 0x0123456789, ends, key_log) == LARCH_OK && talk(ends, 200) == LARCH_OK;
    return fclose(key_log) == 0 && fflush(stdout) == 0 && done ? 0 : 1;
}
