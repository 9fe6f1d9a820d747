/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sender against a gateway that may say anything. The first byte picks set, pin and manners; then each step is
 *
 *     0  raw         peer (1)   len (1)   bytes            a datagram, from the gateway or another host
 *     1  answer      what (1)   where (2)   flip (1)       what a gateway answers to the last request, one byte altered
 *     2  wait        ms (1), squared and times 16
 *     3  call        which (1)                             fetch, trust, post
 *     4  empty       what (1)                              an acknowledgement or a reset of the last request
 *
 * The gateway holds three direct key pairs and a root. Whatever it does: a message goes only to a key that is pinned,
 * that the caller trusted, or that such a key endorsed, and with an identity only to a key that its root endorsed, never to
 * the root; a message counts as delivered only on 2.04 and OK, or with a receipt; with an identity only with a receipt;
 * no text leaves in the clear; nothing is asked of another host; and everything ends.
 */
#include <string.h>

#include "blocks.h"
#include "larch/coap_block.h"
#include "larch/crypto.h"
#include "larch/sender.h"
#include "sim.h"

enum { OURS, NEXT, STRANGER, ROOT, PAIRS };
enum { STEPS = 48, TO_REST = 400 };

typedef struct pair {
    uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], hash[32];
} pair;

static const char text[] = "a text that nobody else reads";
static pair pairs[2][PAIRS]; /* of ML-KEM-512 and -768 */

/* The identity that names both roots. */
static uint8_t document[LARCH_IDENTITY_DOCUMENT_MAX], document_hash[32], identity[LARCH_FINGERPRINT_LEN];
static size_t document_len;

typedef struct play {
    larch_reader script;
    const larch_kem *kem;
    const pair *keys;
    larch_sim_random random_state;
    larch_random random;
    larch_peer gateway, other;
    larch_sender sender;
    uint64_t now_ms;
    bool vouched[PAIRS];         /* pinned, or trusted by the caller */
    bool endorsed[PAIRS][PAIRS]; /* by the first, of the second */
    bool identified;             /* the caller pinned or trusted the identity, or a key was asked to vouch for it */
    bool proven;                 /* a receipt for the last message was given */
    bool is_over;                /* the caller trusted a key that none of the three is: nobody can look further */
    bool has_request;
    larch_coap_message request; /* the last one, in request_bytes */
    uint8_t request_bytes[LARCH_COAP_DATAGRAM_MAX];
    uint8_t message[LARCH_COAP_BODY_MAX]; /* what was posted, from its blocks */
    size_t message_len;
} play;

/* ---- trust --------------------------------------------------------------- */

static bool has_identity(const play *p) { return larch_trust_has_identity(larch_sender_trust_of(&p->sender)); }

static bool is_trusted(const play *p, unsigned which)
{
    bool trusted[PAIRS];
    if (has_identity(p))
        return p->identified && which != ROOT && p->endorsed[ROOT][which];
    memcpy(trusted, p->vouched, sizeof trusted);
    for (unsigned round = 0; round < PAIRS; round++)
        for (unsigned by = 0; by < PAIRS; by++)
            for (unsigned of = 0; of < PAIRS; of++)
                trusted[of] |= trusted[by] && p->endorsed[by][of];
    return trusted[which];
}

static unsigned pair_of(const play *p, larch_bytes ek)
{
    unsigned which = 0;
    while (which < PAIRS && !larch_bytes_equal(ek, (larch_bytes){p->keys[which].ek, p->kem->ek_len}))
        which++;
    return which;
}

static void check_state(const play *p)
{
    const larch_sender_state state = larch_sender_state_of(&p->sender);
    const unsigned which = pair_of(p, larch_sender_key(&p->sender, NULL));
    if (state == LARCH_SENDER_READY || state == LARCH_SENDER_POST)
        require(which < PAIRS && is_trusted(p, which));
    if (state == LARCH_SENDER_DECIDE)
        require(larch_sender_key(&p->sender, NULL).len == p->kem->ek_len);
    require((state == LARCH_SENDER_FAILED) == (larch_sender_failure_of(&p->sender) != LARCH_SENDER_FAIL_NONE));
}

/* ---- what the sender sends ------------------------------------------------ */

/* The whole message opens with a trusted key, and with that text. */
static void check_message(play *p, size_t len)
{
    larch_direct_sealed sealed;
    uint8_t opened[LARCH_DIRECT_TEXT_MAX];
    size_t opened_len;
    require(larch_direct_parse((larch_bytes){p->message, len}, &sealed) == LARCH_DIRECT_OK && sealed.kem == p->kem);
    p->message_len = len;
    for (unsigned which = 0; which < PAIRS; which++) {
        if (!is_trusted(p, which) ||
            larch_direct_open(&sealed, NULL, p->keys[which].dk, opened, sizeof opened, &opened_len, NULL) != LARCH_OK)
            continue;
        require(opened_len == sizeof text && memcmp(opened, text, sizeof text) == 0);
        return;
    }
    require(false);
}

static void note_request(play *p, const larch_peer *to, larch_bytes datagram)
{
    larch_coap_message m;
    larch_coap_block block = {0, false, 6};
    larch_bytes value;
    require(larch_coap_parse(datagram, &m) == LARCH_OK);
    for (size_t i = 0; i + sizeof text <= datagram.len; i++)
        require(memcmp(datagram.data + i, text, sizeof text) != 0);
    if (m.code == LARCH_COAP_EMPTY || m.code == LARCH_COAP_BAD_OPTION) /* which is for requests of others */
        return;
    require(larch_peer_equal(to, &p->gateway) && LARCH_COAP_CLASS(m.code) == 0);
    memcpy(p->request_bytes, datagram.data, datagram.len);
    require(larch_coap_parse((larch_bytes){p->request_bytes, datagram.len}, &p->request) == LARCH_OK);
    p->has_request = true;
    if (!larch_coap_path_is(&m, LARCH_DIRECT_PATH_DATA))
        return;
    require(larch_sender_state_of(&p->sender) == LARCH_SENDER_POST);
    if (larch_coap_option_find(&m, LARCH_COAP_OPT_BLOCK1, &value))
        require(larch_coap_block_parse(value, &block) == LARCH_OK);
    const size_t at = block.num * larch_coap_block_size(block.szx);
    require(at + m.payload.len <= sizeof p->message);
    if (m.payload.len > 0)
        memcpy(p->message + at, m.payload.data, m.payload.len);
    if (!block.more && m.payload.len > 0) /* else it asks for a later block of the answer */
        check_message(p, at + m.payload.len);
}

static void send(play *p)
{
    larch_peer peer;
    larch_bytes datagram;
    for (unsigned i = 0; larch_sender_send(&p->sender, p->now_ms, &peer, &datagram) == LARCH_OK; i++) {
        require(i < 8);
        note_request(p, &peer, datagram);
    }
    check_state(p);
}

/* ---- what it hears ------------------------------------------------------- */

/* A message counts as delivered after an answer with this code. */
static void check_delivered(const play *p, uint8_t code)
{
    larch_bytes answer;
    require(larch_sender_answer(&p->sender, &answer) == code);
    require(larch_sender_proven(&p->sender) || !has_identity(p));
    require(p->proven || !larch_sender_proven(&p->sender));
    if (code == LARCH_COAP_CHANGED)
        require(larch_bytes_equal(answer, LARCH_TEXT("OK")));
    else
        require(code == LARCH_COAP_UNAUTHORIZED && larch_bytes_equal(answer, LARCH_TEXT("REPLAY")) &&
                larch_sender_proven(&p->sender));
}

static void hear(play *p, const larch_peer *from, larch_bytes datagram)
{
    const larch_sender_state before = larch_sender_state_of(&p->sender);
    larch_coap_message m = {0};
    uint8_t *copy = malloc(datagram.len > 0 ? datagram.len : 1); /* so that a read past its end is seen */
    require(copy != NULL);
    if (datagram.len > 0)
        memcpy(copy, datagram.data, datagram.len);
    const bool parses = larch_coap_parse((larch_bytes){copy, datagram.len}, &m) == LARCH_OK;
    larch_sender_receive(&p->sender, p->now_ms, from, (larch_bytes){copy, datagram.len});
    const larch_sender_state after = larch_sender_state_of(&p->sender);
    if (before != after)
        require(parses && larch_peer_equal(from, &p->gateway));
    if (before == LARCH_SENDER_POST && after == LARCH_SENDER_READY)
        check_delivered(p, m.code);
    free(copy);
    send(p);
}

static void raw(play *p)
{
    const uint8_t from = take(&p->script);
    size_t len = take(&p->script);
    larch_bytes bytes;
    len = len < p->script.left.len ? len : p->script.left.len;
    require(larch_reader_take(&p->script, len, &bytes) == LARCH_OK);
    hear(p, (from & 1) != 0 ? &p->other : &p->gateway, bytes);
}

/* Adds the receipt that whoever can open the message gives. */
static size_t add_receipt(play *p, uint8_t code, uint8_t *out)
{
    larch_direct_sealed sealed;
    larch_direct_receipt receipt;
    uint8_t opened[LARCH_DIRECT_TEXT_MAX];
    size_t opened_len;
    if (larch_direct_parse((larch_bytes){p->message, p->message_len}, &sealed) != LARCH_DIRECT_OK)
        return 0;
    for (unsigned which = 0; which < PAIRS; which++)
        if (larch_direct_open(&sealed, NULL, p->keys[which].dk, opened, sizeof opened, &opened_len, &receipt) ==
            LARCH_OK) {
            require(larch_direct_receipt_make(&receipt, code, out) == LARCH_OK);
            p->proven = true;
            return LARCH_DIRECT_TAG_LEN;
        }
    return 0;
}

/* The body of an answer to the last request: bits 0-1 the key pair that it is made with, 2-3 what else. proves: with a
 * receipt. */
static larch_bytes body_of(play *p, uint8_t what, bool proves, uint8_t *code, uint8_t out[LARCH_DIRECT_NEXT_LEN])
{
    static const uint8_t codes[] = {LARCH_COAP_CHANGED, LARCH_COAP_UNAUTHORIZED, LARCH_COAP_BAD_REQUEST,
                                    LARCH_COAP_SERVICE_UNAVAILABLE};
    static const char *const texts[] = {"OK", "REPLAY", "AUTH_FAIL", "?"};
    const unsigned with = what & 3, other = what >> 2 & 3;
    const pair *holder = &p->keys[with];
    larch_bytes value;
    if (p->request.code == LARCH_COAP_GET && larch_coap_path_is(&p->request, LARCH_DIRECT_PATH_ROOT)) {
        *code = other == 0 ? LARCH_COAP_NOT_FOUND : LARCH_COAP_CONTENT;
        if (larch_coap_query_find(&p->request, "kem", &value))
            return (larch_bytes){holder->ek, p->kem->ek_len};
        return (larch_bytes){document, document_len};
    }
    if (larch_coap_path_is(&p->request, LARCH_DIRECT_PATH_KEY)) {
        *code = p->request.code == LARCH_COAP_GET ? LARCH_COAP_CONTENT : LARCH_COAP_CHANGED;
        return (larch_bytes){holder->ek, p->kem->ek_len};
    }
    if (larch_coap_path_is(&p->request, LARCH_DIRECT_PATH_DATA)) {
        *code = codes[what >> 2 & 3];
        const size_t len = strlen(texts[what & 3]);
        memcpy(out, texts[what & 3], len);
        return (larch_bytes){out, len + (proves ? add_receipt(p, *code, out + len) : 0)};
    }
    *code = LARCH_COAP_CHANGED;
    if (p->request.payload.len != LARCH_DIRECT_HINT_LEN + (size_t)p->kem->ct_len)
        return (larch_bytes){0};
    /* An endorsement of the one by the other. */
    const larch_bytes kem_ct = {p->request.payload.data + LARCH_DIRECT_HINT_LEN, p->kem->ct_len};
    if (larch_coap_path_is(&p->request, LARCH_DIRECT_PATH_ROOT)) {
        require(larch_direct_root_answer(p->kem, holder->dk, kem_ct, holder->hash, document_hash, out) == LARCH_OK);
        p->identified |= is_trusted(p, with);
        return (larch_bytes){out, LARCH_DIRECT_NEXT_LEN};
    }
    require(larch_direct_next_answer(p->kem, holder->dk, kem_ct, holder->hash, p->keys[other].hash, out) == LARCH_OK);
    p->endorsed[with][other] = true;
    return (larch_bytes){out, LARCH_DIRECT_NEXT_LEN};
}

/* Bits 4 to 7: an ETag, an Echo, a separate confirmable response, 5.03 in place of the answer. */
static void answer(play *p)
{
    const uint8_t what = take(&p->script);
    uint8_t out[LARCH_COAP_DATAGRAM_MAX], next[LARCH_DIRECT_NEXT_LEN], code;
    larch_coap_builder b;
    larch_coap_slice slice = {0};
    larch_coap_block up;
    larch_bytes datagram, value;
    const uint8_t where_high = take(&p->script), where_low = take(&p->script);
    const uint8_t flip = take(&p->script);
    if (!p->has_request)
        return;
    larch_bytes body = body_of(p, what, (where_high & 0x80) != 0, &code, next);
    const bool in_blocks = larch_coap_option_find(&p->request, LARCH_COAP_OPT_BLOCK1, &value) &&
                           larch_coap_block_parse(value, &up) == LARCH_OK;
    if (in_blocks && up.more) {
        code = LARCH_COAP_CONTINUE;
        body.len = 0;
    }
    if ((what & 0x80) != 0) {
        code = (what & 0x20) != 0 ? LARCH_COAP_UNAUTHORIZED : LARCH_COAP_SERVICE_UNAVAILABLE;
        body.len = 0;
    }
    if (larch_coap_block2_slice(&p->request, body, &slice) != LARCH_OK)
        return;
    const bool separate = (what & 0x40) != 0 || p->request.type == LARCH_COAP_NON;
    larch_coap_build(&b, out, sizeof out, separate ? LARCH_COAP_CON : LARCH_COAP_ACK, code,
                     (uint16_t)(p->request.message_id + separate), p->request.token);
    if ((what & 0x10) != 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ETAG, LARCH_TEXT("12345678"));
    larch_coap_blocks_build(&b, &slice, body.len, in_blocks ? &up : NULL);
    if ((what & 0x20) != 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, LARCH_TEXT("echo"));
    larch_coap_build_payload(&b, slice.bytes);
    require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    out[(where_high * 256u + where_low) % datagram.len] ^= flip;
    hear(p, &p->gateway, datagram);
}

static void empty(play *p)
{
    const uint8_t type = (take(&p->script) & 1) != 0 ? 0x70 : 0x60;
    const uint8_t datagram[] = {type, 0, (uint8_t)(p->request.message_id >> 8), (uint8_t)p->request.message_id};
    if (p->has_request)
        hear(p, &p->gateway, LARCH_BYTES(datagram));
}

/* ---- the caller ------------------------------------------------------------ */

static void call(play *p)
{
    const larch_sender_state before = larch_sender_state_of(&p->sender);
    switch (take(&p->script) % 3) {
    case 0:
        require((larch_sender_fetch(&p->sender, p->now_ms) == LARCH_STATE) ==
                (before != LARCH_SENDER_IDLE && before != LARCH_SENDER_READY));
        break;
    case 1: {
        const unsigned which = pair_of(p, larch_sender_key(&p->sender, NULL));
        const larch_error e = larch_sender_trust(&p->sender, p->now_ms);
        require((e == LARCH_OK) == (before == LARCH_SENDER_DECIDE));
        if (e == LARCH_OK && which < PAIRS)
            p->vouched[which] = true;
        p->identified |= e == LARCH_OK;
        p->is_over = e == LARCH_OK && which == PAIRS;
        break;
    }
    default:
        require((larch_sender_post(&p->sender, p->now_ms, (larch_bytes){(const uint8_t *)text, sizeof text}) ==
                 LARCH_STATE) == (before != LARCH_SENDER_READY));
        break;
    }
}

/* false: nothing may follow. */
static bool step(play *p)
{
    switch (take(&p->script) % 5) {
    case 0:
        raw(p);
        break;
    case 1:
        answer(p);
        break;
    case 2: {
        const uint64_t ms = take(&p->script);
        p->now_ms += 16 * ms * ms;
        break;
    }
    case 3:
        call(p);
        break;
    default:
        empty(p);
        break;
    }
    return !p->is_over;
}

/* ---- the whole of it --------------------------------------------------------- */

static void make_pairs(void)
{
    static bool made;
    if (made)
        return;
    made = true;
    require(larch_crypto_init() == LARCH_OK);
    for (unsigned set = 0; set < 2; set++)
        for (unsigned which = 0; which < PAIRS; which++) {
            const larch_kem *kem = larch_kem_find(set == 0 ? 512 : 768);
            pair *holder = &pairs[set][which];
            uint8_t seed[LARCH_KEM_SEED_LEN];
            memset(seed, (int)(which + 1), sizeof seed);
            require(larch_kem_keygen(kem, seed, holder->ek, holder->dk) == LARCH_OK);
            require(larch_direct_key_hash((larch_bytes){holder->ek, kem->ek_len}, holder->hash) == LARCH_OK);
        }
    larch_identity_document d = {.founding = 2, .count = 2};
    for (unsigned set = 0; set < 2; set++) {
        d.entries[set] = (larch_identity_entry){.kind = LARCH_IDENTITY_ROOT, .algorithm = set == 0 ? 512 : 768};
        memcpy(d.entries[set].hash, pairs[set][ROOT].hash, sizeof d.entries[set].hash);
    }
    larch_writer w = larch_writer_to(document, sizeof document);
    larch_identity_compose(&w, &d);
    document_len = w.len;
    const larch_bytes whole = {document, document_len};
    require(larch_sha256(&whole, 1, document_hash) == LARCH_OK && larch_identity_of(&d, identity) == LARCH_OK);
}

/* Bit 0: ML-KEM-768; 1: pinned; 2: with the key on record; 3: non-confirmable; 4: as to a prototype; 5: an identity is
 * pinned, on record with its root and, with bit 2, a key whose endorsement is 13 hours old; 6: identifies; 7: is patient. */
static void begin(play *p, uint8_t how)
{
    const bool by_identity = (how & 32) != 0, pinned = (how & 6) != 0 || by_identity;
    p->kem = larch_kem_find((how & 1) != 0 ? 768 : 512);
    p->keys = pairs[how & 1];
    p->random_state.state = 1;
    p->random = larch_sim_random_of(&p->random_state);
    p->gateway = larch_sim_ipv4(0x0a000001, 5683);
    p->other = larch_sim_ipv4(0x0a000002, 5683);
    p->now_ms = 1000;
    p->vouched[OURS] = pinned && !by_identity;
    p->identified = by_identity;
    p->endorsed[ROOT][OURS] = by_identity && (how & 4) != 0;
    larch_trust_basis basis = {.pinned = pinned, .identify = (how & 64) != 0, .age_ms = (uint64_t)13 * 3600 * 1000};
    const larch_sender_config config = {.random = &p->random,
                                        .kem = p->kem,
                                        .peer = p->gateway,
                                        .trust = &basis,
                                        .patience_ms = (how & 128) != 0 ? 100000 : 0,
                                        .non_confirmable = (how & 8) != 0,
                                        .prototype = (how & 16) != 0 && !by_identity};
    basis.pin.kind = by_identity ? LARCH_FINGERPRINT_IDENTITY : LARCH_FINGERPRINT_KEY;
    memcpy(basis.pin.bytes, by_identity ? identity : p->keys[OURS].hash, sizeof basis.pin.bytes);
    if ((how & 4) != 0)
        basis.ek = (larch_bytes){p->keys[OURS].ek, p->kem->ek_len};
    if (by_identity && (how & 2) != 0)
        basis.root_ek = (larch_bytes){p->keys[ROOT].ek, p->kem->ek_len};
    require(larch_sender_init(&p->sender, p->now_ms, &config) == LARCH_OK);
    require(larch_sender_fetch(&p->sender, p->now_ms) == LARCH_OK);
    send(p);
}

/* With silence from now on it comes to rest by itself. */
static void end(play *p)
{
    for (unsigned i = 0; larch_sender_deadline_ms(&p->sender) != UINT64_MAX; i++) {
        require(i < TO_REST);
        if (larch_sender_deadline_ms(&p->sender) > p->now_ms)
            p->now_ms = larch_sender_deadline_ms(&p->sender);
        send(p);
    }
    require(!larch_sender_is_busy(&p->sender));
    bool any = false;
    for (unsigned by = 0; by < PAIRS; by++)
        for (unsigned of = 0; of < PAIRS; of++)
            any |= p->endorsed[by][of];
    require(any || !larch_sender_rotated(&p->sender));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static play p;
    make_pairs();
    p = (play){.script = larch_reader_of((larch_bytes){data, size})};
    begin(&p, take(&p.script));
    for (unsigned i = 0; i < STEPS && p.script.left.len > 0 && step(&p); i++)
        send(&p);
    if (!p.is_over)
        end(&p);
    larch_sender_wipe(&p.sender);
    return 0;
}
