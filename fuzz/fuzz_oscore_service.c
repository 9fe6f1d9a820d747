/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server with the OSCORE service under a script of datagrams, with and without the key of its session. The first byte
 * chooses whether all answers take numbers of the server's own. Then each step is
 *
 *     kind (1)   port (1)   ms (1)   len (1)   bytes
 *
 * kind selects raw bytes, a message around an OSCORE option, a plaintext under the device's key, a reading, a datagram of
 * before with bytes flipped, a request in plain, or a restart. Whatever comes: a reading is accepted only from a datagram
 * that the device protected, and from none twice; every answer parses; and no nonce protects two answers.
 */
#include <string.h>

#include "fuzz.h"
#include "larch/cbor.h"
#include "session_bench.h"

enum { STEPS = 60, MADE = STEPS, ANSWERS = 4 * STEPS };
enum { RAW, OPTION, PLAINTEXT, READING, COPY, OBSERVE, PLAIN, RESTART };
enum { FAILS = 0x40 }; /* the storage fails in this step */

static session_bench s;

/* What the device protected. */
static struct {
    larch_oscore_binding binding;
    size_t len;
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    bool is_accepted;
} made[MADE];
static size_t made_count;
static uint8_t challenge[LARCH_OSCORE_ECHO_LEN];
static bool has_challenge;

/* What the server protected, under its own number or the nonce of a request. */
static struct {
    bool is_own;
    uint64_t number;
    size_t len;
    uint8_t bytes[32]; /* the end of the ciphertext: its tag depends on all of it */
} answers[ANSWERS];
static size_t answer_count;

/* ---- answers ------------------------------------------------------------- */

static void note_answer(bool is_own, uint64_t number, larch_bytes payload)
{
    if (payload.len > sizeof answers[0].bytes)
        payload = (larch_bytes){payload.data + payload.len - sizeof answers[0].bytes, sizeof answers[0].bytes};
    for (size_t i = 0; i < answer_count; i++)
        if (answers[i].is_own == is_own && answers[i].number == number) {
            require(answers[i].len == payload.len && memcmp(answers[i].bytes, payload.data, payload.len) == 0);
            return;
        }
    if (answer_count == ANSWERS)
        return;
    answers[answer_count].is_own = is_own;
    answers[answer_count].number = number;
    answers[answer_count].len = payload.len;
    memcpy(answers[answer_count++].bytes, payload.data, payload.len);
}

/* Which request it answers is found by trial; one that opens under the binding of another request is bound to it. */
static void look_at(larch_bytes datagram)
{
    larch_coap_message outer, m;
    larch_bytes value;
    uint64_t number;
    bool has_number;
    require(larch_coap_parse(datagram, &outer) == LARCH_OK);
    if (!larch_coap_option_find(&outer, LARCH_COAP_OPT_OSCORE, &value))
        return;
    for (size_t i = made_count; i-- > 0;) {
        if (larch_oscore_unprotect_response(&s.device, &made[i].binding, &outer,
                                            (larch_oscore_scratch){s.inner, sizeof s.inner}, &has_number, &number,
                                            &m) != LARCH_OK)
            continue;
        if (!has_number)
            number = larch_number_at(made[i].binding.partial_iv, made[i].binding.partial_iv_len);
        note_answer(has_number, number, outer.payload);
        if (m.code == LARCH_COAP_UNAUTHORIZED && larch_coap_option_find(&m, LARCH_COAP_OPT_ECHO, &value) &&
            value.len == sizeof challenge) {
            memcpy(challenge, value.data, sizeof challenge);
            has_challenge = true;
        }
        return;
    }
    require(false); /* a protected answer to nothing that the device asked */
}

static void check_identities(void)
{
    for (size_t i = 0; i + 1 < s.stored_count; i++)
        require(!same_id(&s.stored[i].id, &s.stored[s.stored_count - 1].id));
}

/* Returns how many readings were accepted. */
static size_t give(larch_bytes datagram)
{
    const size_t before = s.stored_count;
    larch_peer peer;
    require(larch_server_receive(&s.srv, s.now_ms, &s.peer, false, datagram) == LARCH_OK);
    sessions_store(&s);
    const size_t accepted = s.stored_count - before;
    require(accepted <= 1);
    if (accepted == 1)
        check_identities();
    while (larch_server_send(&s.srv, s.now_ms, &peer, &datagram) == LARCH_OK)
        if (datagram.len > 0)
            look_at(datagram);
    return accepted;
}

/* ---- what the device protects -------------------------------------------- */

/* Any bytes under the device's key and its next number, sealed here: not every plaintext is a message. */
static larch_bytes seal(larch_bytes plaintext, uint8_t *out, size_t cap, larch_oscore_binding *binding)
{
    const larch_cose_aead *aead = s.device.aead;
    const uint64_t number = s.number++;
    uint8_t piv = (uint8_t)number, nonce[LARCH_COSE_AEAD_NONCE_MAX] = {0}, array[32], aad[64];
    const uint8_t option[] = {9, piv, 'd'};
    larch_writer inner = larch_writer_to(array, sizeof array), w = larch_writer_to(aad, sizeof aad);
    larch_coap_builder b;
    larch_bytes datagram;
    require(number < 256);
    *binding = (larch_oscore_binding){.kid_len = 1, .kid = "d", .partial_iv_len = 1, .partial_iv = {piv}};
    nonce[0] = 1;
    nonce[aead->nonce_len - 6] = 'd';
    nonce[aead->nonce_len - 1] = piv;
    for (size_t i = 0; i < aead->nonce_len; i++)
        nonce[i] ^= s.device.common_iv[i];
    larch_cbor_put_array(&inner, 5);
    larch_cbor_put_uint(&inner, 1);
    larch_cbor_put_array(&inner, 1);
    larch_cbor_put_int(&inner, aead->number);
    larch_cbor_put_bytes(&inner, LARCH_TEXT("d"));
    larch_cbor_put_bytes(&inner, (larch_bytes){&piv, 1});
    larch_cbor_put_bytes(&inner, (larch_bytes){NULL, 0});
    larch_cose_put_enc_structure(&w, "Encrypt0", (larch_bytes){NULL, 0}, (larch_bytes){array, inner.len});
    s.token++;
    larch_coap_build(&b, out, cap, LARCH_COAP_CON, LARCH_COAP_POST, ++s.message_id, (larch_bytes){&s.token, 1});
    larch_coap_build_option(&b, LARCH_COAP_OPT_OSCORE, LARCH_BYTES(option));
    const size_t len = plaintext.len + aead->tag_len;
    uint8_t *ciphertext = larch_coap_build_payload_reserve(&b, len);
    require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    require(larch_cose_aead_seal(aead, s.device.sender_key, nonce, (larch_bytes){aad, w.len}, plaintext, ciphertext,
                                 len) == LARCH_OK);
    return datagram;
}

/* Gives it, and remembers it for copies. */
static void give_made(larch_bytes datagram, const larch_oscore_binding *binding)
{
    const size_t at = made_count++;
    made[at].binding = *binding;
    made[at].len = datagram.len;
    memcpy(made[at].bytes, datagram.data, datagram.len);
    made[at].is_accepted = give((larch_bytes){made[at].bytes, made[at].len}) > 0;
}

static void give_plaintext(larch_bytes plaintext)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_oscore_binding binding;
    const larch_bytes datagram = seal(plaintext, out, sizeof out, &binding);
    give_made(datagram, &binding);
}

/* The first byte: an inner Echo, the query n, a GET that observes, an option behind Echo. */
static void give_message(bool observes, larch_bytes bytes)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    const uint8_t flags = bytes.len > 0 ? bytes.data[0] : 0;
    larch_coap_builder b;
    larch_bytes whole;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, observes ? LARCH_COAP_GET : LARCH_COAP_POST, 0,
                     (larch_bytes){NULL, 0});
    if (observes)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, flags >> 4 & 1);
    larch_coap_build_path(&b, "r/t");
    if ((flags & 2) != 0)
        larch_coap_build_query(&b, (flags & 8) != 0 ? "n=7" : "n=8");
    if ((flags & 1) != 0 && has_challenge)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, LARCH_BYTES(challenge));
    if ((flags & 4) != 0)
        larch_coap_build_option(&b, 292, LARCH_TEXT("t")); /* Request-Tag */
    if (!observes && bytes.len > 1)
        larch_coap_build_payload(&b, (larch_bytes){bytes.data + 1, bytes.len - 1});
    require(larch_coap_build_end(&b, &whole) == LARCH_OK);
    out[3] = out[1]; /* the code, in front of the options */
    give_plaintext((larch_bytes){out + 3, whole.len - 3});
}

/* ---- what anybody sends ---------------------------------------------------- */

static void give_option(larch_bytes bytes)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    larch_bytes datagram, option = bytes;
    option.len = option.len > 12 ? 12 : option.len;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_POST, ++s.message_id, (larch_bytes){NULL, 0});
    larch_coap_build_option(&b, LARCH_COAP_OPT_OSCORE, option);
    larch_coap_build_path(&b, "r/t");
    if (bytes.len > option.len)
        larch_coap_build_payload(&b, (larch_bytes){bytes.data + option.len, bytes.len - option.len});
    require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    require(give(datagram) == 0);
}

static void give_plain(larch_bytes bytes)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_POST, ++s.message_id, (larch_bytes){NULL, 0});
    larch_coap_build_path(&b, "r/t");
    if (bytes.len > 0)
        larch_coap_build_payload(&b, bytes);
    require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    require(give(datagram) == 0);
}

/* Whether both are one protected request, whatever else stands outside. */
static bool is_same_request(larch_bytes a, larch_bytes b)
{
    larch_coap_message m, n;
    larch_bytes x, y;
    return larch_coap_parse(a, &m) == LARCH_OK && larch_coap_parse(b, &n) == LARCH_OK &&
           larch_coap_option_find(&m, LARCH_COAP_OPT_OSCORE, &x) &&
           larch_coap_option_find(&n, LARCH_COAP_OPT_OSCORE, &y) && larch_bytes_equal(x, y) &&
           larch_bytes_equal(m.payload, n.payload);
}

/* Which one (1), and then place (1) and bits (1) of each byte to flip. It may be accepted only if what is protected is
 * whole, and was not accepted before. */
static void give_copy(larch_bytes bytes)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    if (bytes.len == 0 || made_count == 0)
        return;
    const size_t at = bytes.data[0] % made_count;
    const larch_bytes first = {made[at].bytes, made[at].len}, copy = {out, made[at].len};
    memcpy(out, first.data, first.len);
    for (size_t i = 1; i + 1 < bytes.len; i += 2)
        out[bytes.data[i] % copy.len] ^= bytes.data[i + 1];
    if (give(copy) == 0)
        return;
    require(is_same_request(first, copy) && !made[at].is_accepted);
    made[at].is_accepted = true;
}

static void restart(void)
{
    s.storage_fails = false;
    larch_server_wipe(&s.srv);
    s.now_ms += 1000;
    sessions_start(&s);
}

static void step(uint8_t kind, uint8_t port, larch_bytes bytes)
{
    s.peer.port = (uint16_t)(40000 + port);
    s.storage_fails = (kind & FAILS) != 0;
    switch (kind & 7) {
    case RAW:
        require(give(bytes) == 0);
        break;
    case OPTION:
        give_option(bytes);
        break;
    case PLAINTEXT:
        give_plaintext(bytes);
        break;
    case READING:
        give_message(false, bytes);
        break;
    case OBSERVE:
        give_message(true, bytes);
        break;
    case COPY:
        give_copy(bytes);
        break;
    case PLAIN:
        give_plain(bytes);
        break;
    default:
        restart();
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    larch_reader r = larch_reader_of((larch_bytes){data, size});
    uint8_t first = 0;
    require(larch_crypto_init() == LARCH_OK);
    (void)!larch_reader_take_u8(&r, &first);
    sessions_begin(&s, 1);
    s.oscore_config.own_numbers = s.oscore.config.own_numbers = (first & 1) != 0;
    made_count = answer_count = 0;
    has_challenge = false;
    for (unsigned i = 0; i < STEPS; i++) {
        uint8_t kind, port, ms, len;
        larch_bytes bytes;
        if (larch_reader_take_u8(&r, &kind) != LARCH_OK || larch_reader_take_u8(&r, &port) != LARCH_OK ||
            larch_reader_take_u8(&r, &ms) != LARCH_OK || larch_reader_take_u8(&r, &len) != LARCH_OK ||
            larch_reader_take(&r, len < r.left.len ? len : r.left.len, &bytes) != LARCH_OK)
            break;
        s.now_ms += (uint64_t)ms * ms;
        step(kind, port, bytes);
    }
    larch_server_wipe(&s.srv);
    return 0;
}
