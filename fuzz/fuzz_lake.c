/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Untrusted bytes as each message of a LAKE handshake, in method 0 and in method 4. The first byte says which, and whether
 * the rest is the message, or the plaintext in it, as a peer would send it that has the keys. A message that is refused
 * leaves nothing behind; one that is taken for genuine was made by the peer.
 */
#include "fuzz.h"
#include "lake/lake_int.h"
#include "lake_pair.h"

enum { METHODS = 2, MESSAGES = 4 };

static const uint8_t methods[METHODS] = {LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_METHOD_PSK};
static lake_pair p, waiting[METHODS][MESSAGES]; /* for each message, both parties as it arrives */

static void prepare(void)
{
    static const larch_lake_suite *suites[1];
    suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    require(larch_crypto_init() == LARCH_OK);
    for (size_t m = 0; m < METHODS; m++) {
        require(lake_pair_init(&p, methods[m], suites, LARCH_LAKE_BY_KID));
        for (unsigned n = 0; n < MESSAGES; n++) {
            require(lake_pair_step(&p, 2 * n) == LARCH_OK);
            waiting[m][n] = p;
            require(lake_pair_step(&p, 2 * n + 1) == LARCH_OK);
        }
    }
}

/* ---- messages around a plaintext --------------------------------------------------- */

static uint8_t message[LAKE_MESSAGE_MAX], inner[LAKE_MESSAGE_MAX], keystream[LAKE_MESSAGE_MAX];

static void apply(const larch_lake_suite *suite, const uint8_t *prk, unsigned label, const uint8_t *th, uint8_t *at,
                  size_t len)
{
    const larch_bytes context = lake_th(suite, th);
    require(larch_lake_kdf(suite, prk, label, &context, 1, keystream, len) == LARCH_OK);
    for (size_t i = 0; i < len; i++)
        at[i] ^= keystream[i];
}

/* G_Y of the honest message, and the plaintext under the keys that follow from it. */
static void make_message_2(larch_writer *w, larch_bytes plaintext)
{
    const larch_lake_session *s = &p.i.session;
    const larch_lake_suite *suite = s->keys.suite;
    const larch_bytes g_y = {p.bytes[1] + 3, larch_lake_g_y_len(suite)};
    const lake_head head = larch_lake_head_of(suite->hash_len);
    const larch_bytes h_message_1[] = {lake_head_bytes(&head), lake_th(suite, s->th)};
    uint8_t g_xy[LARCH_KEM_SS_LEN], th_2[LAKE_HASH_MAX], prk_2e[LAKE_HASH_MAX];
    require(larch_lake_find_g_xy(suite, lake_scratch_of(&p.i.party), s->ephemeral, g_y, g_xy) == LARCH_OK);
    require(larch_lake_th(suite, g_y, h_message_1, 2, th_2) == LARCH_OK);
    require(larch_lake_extract(suite, th_2, LARCH_BYTES(g_xy), prk_2e) == LARCH_OK);
    larch_cbor_put_bytes_head(w, g_y.len + plaintext.len);
    larch_writer_put(w, g_y);
    larch_writer_put(w, plaintext);
    apply(suite, prk_2e, LAKE_KEYSTREAM_2, th_2, w->data + w->len - plaintext.len, plaintext.len);
}

static void make_sealed(larch_writer *w, const larch_lake_session *s, unsigned label, larch_bytes plaintext)
{
    const size_t len = plaintext.len + lake_tag_len(s->keys.suite);
    uint8_t aad[LAKE_AAD_MAX];
    larch_cbor_put_bytes_head(w, len);
    uint8_t *at = larch_writer_reserve(w, len);
    require(larch_lake_seal(s->keys.suite, s->prk, label, s->th, larch_lake_aad(s->keys.suite, s->th, aad), plaintext,
                            at, len) == LARCH_OK);
}

static larch_bytes wrap(unsigned number, larch_bytes plaintext)
{
    larch_writer w = larch_writer_to(message, sizeof message);
    if (number == 1) {
        make_message_2(&w, plaintext);
    } else if (number == 3 || p.method != LARCH_LAKE_METHOD_PSK) {
        make_sealed(&w, number == 3 ? &p.i.session : &p.r.session, number == 3 ? LAKE_K_4 : LAKE_K_3, plaintext);
    } else {
        larch_cbor_put_bytes(&w, plaintext);
        apply(p.suite, p.r.session.prk, LARCH_LAKE_KEYSTREAM_3A, p.r.session.th, w.data + w.len - plaintext.len,
              plaintext.len);
    }
    return (larch_bytes){message, w.len};
}

/* ---- what holds ---------------------------------------------------------------------- */

/* A message_1 is written again from what was read of it. */
static void check_message_1(larch_bytes in)
{
    larch_lake_message_1 m;
    if (larch_lake_parse_message_1(in, &m) != LARCH_OK) {
        require(is_zero((const uint8_t *)&m, sizeof m));
        return;
    }
    larch_writer w = larch_writer_to(inner, sizeof inner);
    larch_cbor_put_uint(&w, m.method);
    larch_writer_put(&w, m.suites);
    larch_cbor_put_bytes(&w, m.g_x);
    larch_lake_put_identifier(&w, m.c_i);
    larch_writer_put(&w, m.ead);
    require(larch_bytes_equal(in, (larch_bytes){inner, w.len}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (waiting[0][0].suite == NULL)
        prepare();
    if (size < 1 || size > LAKE_MESSAGE_MAX / 2)
        return 0;
    const unsigned number = data[0] & 3, step = 2 * number + 1;
    const bool is_plaintext = (data[0] >> 3 & 1) != 0 && number > 0 && size > 1;
    p = waiting[data[0] >> 2 & 1][number];
    const larch_bytes honest = lake_message(&p, number + 1);
    larch_bytes in = {data + 1, size - 1};
    if (number == 0)
        check_message_1(in);
    if (is_plaintext)
        in = wrap(number, in);
    lake_end *end = lake_actor(&p, step);
    if (lake_pair_process(&p, step, in) != LARCH_OK) {
        require(lake_is_empty(&end->session) && is_zero(end->scratch, sizeof end->scratch));
        require(number == 0 || is_zero((const uint8_t *)&end->received, sizeof end->received));
        return 0;
    }
    /* what is not authenticated: message_1 and, of method 4, message_2; who has the keys may choose EAD_4, and no more */
    require(larch_bytes_equal(in, honest) || number == 0 || (number == 1 && p.method == LARCH_LAKE_METHOD_PSK) ||
            (number == 3 && is_plaintext));
    require(number != 0 || p.message_1.g_x.len == larch_lake_g_x_len(p.suite));
    return 0;
}
