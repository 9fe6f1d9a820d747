/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "stranger.h"

enum {
    BLOCK_SZX = 0,
    ENVELOPE = 18 + 768,
    FALSE_LEN = ENVELOPE + 16 + 16,
    COPIES = 16,
    TEXT_LEN = 16,
    CIPHERTEXT_LEN = 10 + 8,
    QUESTION_LEN = LARCH_DIRECT_HINT_LEN + 768
};
#define UNKNOWN_CRITICAL 65001

#define TEXT(name, text) [STRANGER_##name] = (text),
static const char *const texts[] = {STRANGER_REQUESTS(TEXT)};
#undef TEXT

const char *stranger_text(stranger_request request) { return texts[request]; }
bool stranger_is_group(stranger_request request) { return request == STRANGER_CORE_GROUP; }

/* ---- requests ------------------------------------------------------------ */

static const uint8_t one_byte[1] = {3};
static const uint8_t block_bytes[16] = {3, 0, 0, 6};
static const uint8_t unknown_question[QUESTION_LEN] = {0xff, 0xff, 0xff, 0xff};
/* The shortest reading under OSCORE has 1 + 7 + 1 + 1 bytes inside. Flags, Partial IV, kid. */
static const uint8_t ciphertext[CIPHERTEXT_LEN];
static const uint8_t no_kid[] = {1, 9};
static const uint8_t unknown_kid[] = {9, 9, 'x'};
static const uint8_t known_kid[] = {9, 9, 'd'};
static const uint8_t message_3[] = {0x42, 'x', 'y', 0x4a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
static const uint8_t early[1 + 10 + CIPHERTEXT_LEN] = {0x4a};
static const uint8_t false_message[FALSE_LEN] = {3, 0, 0, 3, 16, 0};

static const bench_ask asks[STRANGER_REQUEST_COUNT] = {
    [STRANGER_KEY_512] = {.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_KEY},
    [STRANGER_KEY_768] = {.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_KEY, .query = "kem=768"},
    [STRANGER_KEY_1024] = {.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_KEY, .query = "kem=1024"},
    [STRANGER_KEY_XWING] = {.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_KEY, .query = "kem=xwing"},
    [STRANGER_KEY_LATER] = {.code = LARCH_COAP_GET,
                            .path = LARCH_DIRECT_PATH_KEY,
                            .query = "kem=1024",
                            .has_block2 = true,
                            .block2 = {.num = 1, .szx = LARCH_COAP_BLOCK_SZX}},
    [STRANGER_KEY_PROTOTYPE] = {.code = LARCH_COAP_POST, .path = LARCH_DIRECT_PATH_KEY},
    [STRANGER_KEY_UNKNOWN] = {.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_KEY, .query = "kem=1"},
    [STRANGER_KEY_FORMAT] = {.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_KEY, .has_accept = true},
    [STRANGER_ROOT] = {.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_ROOT},
    [STRANGER_ROOT_KEY] = {.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_ROOT, .query = "kem=512"},
    [STRANGER_ROOT_QUESTION] = {.code = LARCH_COAP_POST, .path = LARCH_DIRECT_PATH_ROOT},
    [STRANGER_NEXT_QUESTION] = {.code = LARCH_COAP_POST, .path = LARCH_DIRECT_PATH_NEXT},
    [STRANGER_UNKNOWN_QUESTION] = {.code = LARCH_COAP_POST,
                                   .path = LARCH_DIRECT_PATH_NEXT,
                                   .payload = {unknown_question, QUESTION_LEN}},
    [STRANGER_CORE] = {.code = LARCH_COAP_GET, .path = ".well-known/core"},
    [STRANGER_CORE_GROUP] = {.type = LARCH_COAP_NON, .code = LARCH_COAP_GET, .path = ".well-known/core"},
    [STRANGER_NO_PATH] = {.code = LARCH_COAP_GET, .path = "x"},
    [STRANGER_NO_METHOD] = {.code = LARCH_COAP_DELETE, .path = ".well-known/core"},
    [STRANGER_NO_OPTION] = {.code = LARCH_COAP_GET, .path = "", .extra = UNKNOWN_CRITICAL},
    [STRANGER_PING] = {.path = ""},
    [STRANGER_MALFORMED] = {.code = LARCH_COAP_GET, .path = ""}, /* and a broken option behind it */
    [STRANGER_GARBAGE] = {.code = LARCH_COAP_POST, .path = LARCH_DIRECT_PATH_DATA, .payload = {one_byte, 1}},
    [STRANGER_OTHER_FORMAT] = {.code = LARCH_COAP_POST,
                               .path = LARCH_DIRECT_PATH_DATA,
                               .has_format = true,
                               .format = LARCH_COAP_FORMAT_TEXT,
                               .payload = {one_byte, 1}},
    [STRANGER_BLOCK] = {.code = LARCH_COAP_POST,
                        .path = LARCH_DIRECT_PATH_DATA,
                        .has_block1 = true,
                        .block1 = {.num = 0, .more = true, .szx = BLOCK_SZX},
                        .payload = {block_bytes, sizeof block_bytes}},
    [STRANGER_FALSE_MESSAGE] = {.code = LARCH_COAP_POST,
                                .path = LARCH_DIRECT_PATH_DATA,
                                .payload = {false_message, sizeof false_message}},
    [STRANGER_MESSAGE] = {.code = LARCH_COAP_POST, .path = LARCH_DIRECT_PATH_DATA},
    [STRANGER_READING_GET] = {.code = LARCH_COAP_GET, .path = "r/temp"},
    [STRANGER_READING_POST] = {.code = LARCH_COAP_POST, .path = "r/temp", .payload = {ciphertext, CIPHERTEXT_LEN}},
    [STRANGER_READING_NO_KID] = {.code = LARCH_COAP_POST,
                                 .oscore = {no_kid, sizeof no_kid},
                                 .path = "",
                                 .payload = {ciphertext, CIPHERTEXT_LEN}},
    [STRANGER_READING_UNKNOWN] = {.code = LARCH_COAP_POST,
                                  .oscore = {unknown_kid, sizeof unknown_kid},
                                  .path = "",
                                  .payload = {ciphertext, CIPHERTEXT_LEN}},
    [STRANGER_READING_FORGED] = {.code = LARCH_COAP_POST,
                                 .oscore = {known_kid, sizeof known_kid},
                                 .path = "",
                                 .payload = {ciphertext, CIPHERTEXT_LEN}},
    [STRANGER_MESSAGE_1] = {.code = LARCH_COAP_POST,
                            .path = LARCH_LAKE_PATH,
                            .has_format = true,
                            .format = LARCH_COAP_FORMAT_CID_EDHOC},
    [STRANGER_MESSAGE_3] = {.code = LARCH_COAP_POST,
                            .path = LARCH_LAKE_PATH,
                            .has_format = true,
                            .format = LARCH_COAP_FORMAT_CID_EDHOC,
                            .payload = {message_3, sizeof message_3}},
    [STRANGER_EARLY] = {.code = LARCH_COAP_POST,
                        .oscore = {unknown_kid, sizeof unknown_kid},
                        .path = "",
                        .extra = LARCH_COAP_OPT_EDHOC,
                        .payload = {early, sizeof early}},
};

/* The forger forges each ciphertext and nonce: nothing is a replay. */
static void make_unlike(uint8_t *sealed, uint64_t number) { memcpy(sealed + 6, &number, sizeof number); }

/* A ciphertext that nobody made costs as much as a genuine one. */
static larch_bytes ask_holder(const world *w, stranger_request request, uint64_t number, uint8_t *out)
{
    const larch_kem *kem = larch_kem_find(512);
    const uint8_t *hash;
    larch_identity_document document;
    larch_bytes bytes;
    (void)larch_gateway_key_of(&w->b.gw, kem, NULL, &hash);
    if (request == STRANGER_ROOT_QUESTION) {
        (void)larch_direct_service_identity(&w->b.gw.direct, &bytes);
        bench_require(larch_identity_parse(bytes, &document, NULL) == LARCH_OK);
        hash = larch_identity_find(&document, LARCH_IDENTITY_ROOT, kem->set, true)->hash;
    }
    memset(out, 0, QUESTION_LEN);
    memcpy(out, hash, LARCH_DIRECT_HINT_LEN);
    memcpy(out + LARCH_DIRECT_HINT_LEN, &number, sizeof number);
    return (larch_bytes){out, QUESTION_LEN};
}

/* true | 4 | suite | G_X | C_I: an encapsulation key of zeros is as good as any other. */
static larch_bytes knock(uint64_t number, uint8_t *out)
{
    static const uint8_t head[] = {0xf5, 4, 0x37, 0x59, 0x03, 0x20};
    memset(out, 0, sizeof head + 800);
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, &number, 2);
    out[sizeof head + 1] &= 0x0f; /* the first coefficient stays below q */
    out[sizeof head + 800] = 0x07;
    return (larch_bytes){out, sizeof head + 800 + 1};
}

larch_bytes stranger_compose(world *w, stranger_request request, uint64_t number, uint8_t out[LARCH_COAP_DATAGRAM_MAX])
{
    static const uint8_t text[TEXT_LEN] = "a good message  ";
    bench_sealed sealed;
    bench_ask ask = asks[request];
    ask.message_id = (uint16_t)number;
    if (request == STRANGER_MESSAGE) {
        bench_seal(&w->b, larch_kem_find(512), LARCH_BYTES(text), &sealed);
        ask.payload = (larch_bytes){sealed.bytes, sealed.len};
    } else if (request == STRANGER_FALSE_MESSAGE) {
        memcpy(sealed.bytes, false_message, sizeof false_message);
        make_unlike(sealed.bytes, number);
        ask.payload = (larch_bytes){sealed.bytes, sizeof false_message};
    } else if (request == STRANGER_NEXT_QUESTION || request == STRANGER_ROOT_QUESTION) {
        ask.payload = ask_holder(w, request, number, sealed.bytes);
    }
    if (request == STRANGER_MESSAGE_1)
        ask.payload = knock(number, sealed.bytes);
    larch_bytes datagram = bench_compose(&ask, out);
    if (request == STRANGER_MALFORMED) {
        out[datagram.len] = 0xf0; /* a reserved delta */
        datagram.len++;
    }
    return datagram;
}

/* ---- addresses ----------------------------------------------------------- */

static larch_peer peer_v6(uint32_t prefix, uint64_t host)
{
    larch_peer peer = {.address = {0x20, 0x01, 0x0d, 0xb8}, .port = 5000};
    for (size_t i = 0; i < 4; i++)
        peer.address[4 + i] = (uint8_t)(prefix >> (24 - 8 * i));
    for (size_t i = 0; i < 8; i++)
        peer.address[8 + i] = (uint8_t)(host >> (56 - 8 * i));
    return peer;
}

/* Spreads numbers over 32 bits, each to another. */
static uint32_t spread(uint64_t number) { return (uint32_t)number * 2654435761u; }

static larch_peer source_of(stranger_source source, uint64_t number)
{
    switch (source) {
    case STRANGER_ANYWHERE:
        return larch_sim_ipv4(0x20000000u | (spread(number) >> 4), 5000);
    case STRANGER_ONE_24:
        return larch_sim_ipv4(0x14000001u + (uint32_t)(number % 254), 5000);
    case STRANGER_ONE_64:
        return peer_v6(0x11, spread(number));
    case STRANGER_SENDERS_24: /* above those of the senders */
        return larch_sim_ipv4(0x0a010020u + (uint32_t)(number % 200), 5000);
    case STRANGER_PROVEN:
        return larch_sim_ipv4(0x15000001u + (uint32_t)(number % 30), 5000);
    case STRANGER_PROVEN_64:
        return peer_v6(0x12, number % 4096);
    case STRANGER_NOTED:
        number %= STRANGER_NOTED_COUNT;
        return larch_sim_ipv4(0x17000000u + ((uint32_t)(number / 4) << 8) + (uint32_t)(number % 4), 5000);
    default:
        return larch_sim_ipv4(0x16000001u + ((uint32_t)(number % 30) << 8), 5000);
    }
}

/* ---- the forger ---------------------------------------------------------- */

/* Its own hosts have asked before, and return the Echo that they got. */
static size_t add_echo(const forger *f, const larch_peer *peer, uint8_t *out, larch_bytes datagram)
{
    uint8_t echo[LARCH_ECHO_LEN], whole[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_message m;
    bench_require(larch_coap_parse(datagram, &m) == LARCH_OK);
    larch_reach_echo(&f->w->b.gw.server.reach, world_now(f->w), peer, echo);
    const bench_ask ask = {.type = m.type,
                           .code = m.code,
                           .message_id = m.message_id,
                           .path = asks[f->request].path,
                           .query = asks[f->request].query,
                           .oscore = asks[f->request].oscore,
                           .has_format = asks[f->request].has_format,
                           .format = asks[f->request].format,
                           .echo = LARCH_BYTES(echo),
                           .payload = m.payload};
    const larch_bytes composed = bench_compose(&ask, whole);
    memcpy(out, composed.data, composed.len);
    return composed.len;
}

static void send_one(forger *f)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    uint64_t number = f->all++;
    larch_bytes datagram;
    if (f->request == STRANGER_DUPLICATE) {
        const bool is_first = number % COPIES == 0;
        number /= COPIES;
        datagram = stranger_compose(f->w, STRANGER_GARBAGE, number, out);
        datagram.len = is_first ? datagram.len : LARCH_COAP_EMPTY_LEN;
        out[0] &= is_first ? 0xff : 0xf0;
    } else {
        datagram = stranger_compose(f->w, f->request, number, out);
    }
    const larch_peer from = source_of(f->source, number);
    if (f->source == STRANGER_PROVEN || f->source == STRANGER_PROVEN_64 || f->source == STRANGER_FAR_PROVEN)
        datagram = (larch_bytes){out, add_echo(f, &from, out, datagram)};
    const larch_peer group = larch_sim_ipv4(0xffffffff, LARCH_COAP_PORT);
    larch_sim_send(f->w->sim, &from, stranger_is_group(f->request) ? &group : &f->w->address, datagram);
}

static uint64_t due(const forger *f, uint64_t now_ms) { return (now_ms - f->begin_ms) * f->rate / 1000; }

static void poll(void *context, uint64_t now_ms)
{
    forger *f = context;
    for (; f->rate > 0 && f->sent < due(f, now_ms); f->sent++)
        send_one(f);
}

static uint64_t deadline(void *context)
{
    const forger *f = context;
    return f->rate > 0 ? f->begin_ms + ((f->sent + 1) * 1000 + f->rate - 1) / f->rate : UINT64_MAX;
}

static void receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast, larch_bytes datagram)
{
    (void)context;
    (void)now_ms;
    (void)from;
    (void)multicast;
    (void)datagram;
}

void forger_begin(forger *f, world *w)
{
    *f = (forger){.w = w};
    const larch_sim_node node = {larch_sim_ipv4(0x13000001, 1), f, receive, poll, deadline};
    larch_sim_add(w->sim, &node);
}

void forger_attack(forger *f, stranger_request request, stranger_source source, uint32_t rate)
{
    f->request = request;
    f->source = source;
    f->rate = rate;
    f->begin_ms = world_now(f->w);
    f->sent = 0;
}

void forger_rewind(forger *f) { f->all = 0; }
void forger_rest(forger *f) { f->rate = 0; }
