/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handshake on a board: method 4 with suite -24, both parties, a line for what each does with a message (measure.h). The
 * library is that of a board without signatures and curves. AES-CCM and SHA-256 are the provider's and not measured: in their
 * place stand functions that are made of KMAC256.
 */
#include <string.h>

#include "larch/crypto.h"
#include "larch/enrolment.h"
#include "measure.h"

/* ---- a provider -------------------------------------------------------- */

larch_error larch_sha256(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN])
{
    larch_shake256_of(pieces, count, out, LARCH_SHA256_LEN);
    return LARCH_OK;
}

static void make_tag(const uint8_t *key, larch_bytes nonce, larch_bytes aad, larch_bytes in, uint8_t *tag,
                     size_t tag_len)
{
    const larch_bytes pieces[] = {nonce, aad, in};
    larch_kmac256((larch_bytes){key, LARCH_CCM_KEY_LEN}, (larch_bytes){0}, pieces, 3, tag, tag_len);
}

/* Of plaintexts that are empty, as those of method 4 are. */
larch_error larch_ccm_seal(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad, larch_bytes in,
                           size_t tag_len, uint8_t *out, size_t out_cap)
{
    if (in.len > 0 || out_cap < tag_len)
        return LARCH_SPACE;
    make_tag(key, nonce, aad, in, out, tag_len);
    return LARCH_OK;
}

larch_error larch_ccm_open(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad, larch_bytes in,
                           size_t tag_len, uint8_t *out, size_t out_cap)
{
    uint8_t tag[LARCH_CCM_TAG_LEN];
    (void)out, (void)out_cap;
    if (in.len != tag_len || tag_len > sizeof tag)
        return LARCH_SPACE;
    make_tag(key, nonce, aad, (larch_bytes){0}, tag, tag_len);
    return larch_ct_equal(tag, in.data, tag_len) ? LARCH_OK : LARCH_AUTH;
}

#define NOT_CALLED(name, parameters) \
    larch_error name parameters { return LARCH_STATE; }

NOT_CALLED(larch_sha384, (const larch_bytes *pieces, size_t count, uint8_t *out))
NOT_CALLED(larch_hmac_sha256, (larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t *out))
NOT_CALLED(larch_hmac_sha384, (larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t *out))
NOT_CALLED(larch_hkdf_sha256, (larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t len))
NOT_CALLED(larch_hkdf_sha384, (larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t len))
NOT_CALLED(larch_gcm_seal,
           (larch_bytes key, const uint8_t *nonce, larch_bytes aad, larch_bytes in, uint8_t *out, size_t cap))
NOT_CALLED(larch_gcm_open,
           (larch_bytes key, const uint8_t *nonce, larch_bytes aad, larch_bytes in, uint8_t *out, size_t cap))

static larch_error draw(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0x5a, len);
    return LARCH_OK;
}

/* ---- the parties ------------------------------------------------------- */

#define MESSAGE_MAX 1024

static larch_enrolment enrolment;
static uint8_t credential_bytes[LARCH_ENROLMENT_CREDENTIAL_MAX];
static larch_lake_credential credential;
static const larch_lake_suite *suites[1];
static uint8_t scratch[LARCH_LAKE_SCRATCH_PSK];
static larch_lake_party party;
static larch_lake_session initiator, responder;
static larch_lake_received received;
static uint8_t bytes[4][MESSAGE_MAX];
static larch_writer messages[4];
static larch_lake_oscore oscore;
static larch_lake_resumption next[2];
static larch_error e;

static larch_error find(void *context, const larch_lake_reference *reference, unsigned attempt,
                        larch_lake_credential *out)
{
    (void)context, (void)reference;
    *out = credential;
    return attempt == 0 ? LARCH_OK : LARCH_AUTH;
}

static larch_bytes message(unsigned number) { return (larch_bytes){bytes[number - 1], messages[number - 1].len}; }

static void make_message_1(void)
{
    e = larch_lake_compose_message_1(&initiator, &party, LARCH_LAKE_METHOD_PSK, 0, LARCH_TEXT("initiat"),
                                     (larch_bytes){0}, &messages[0]);
}

static void answer_message_1(void)
{
    const larch_lake_answer answer = {.c_r = LARCH_TEXT("respond")};
    larch_lake_message_1 m;
    if ((e = larch_lake_process_message_1(&responder, &party, message(1), &m)) == LARCH_OK)
        e = larch_lake_compose_message_2(&responder, &party, &m, &answer, &messages[1]);
}

static void answer_message_2(void)
{
    if ((e = larch_lake_process_message_2(&initiator, &party, message(2), &received)) == LARCH_OK)
        e = larch_lake_compose_message_3(&initiator, &party, &credential, (larch_bytes){0}, &messages[2]);
}

static void answer_message_3(void)
{
    if ((e = larch_lake_process_message_3(&responder, &party, message(3), &received)) == LARCH_OK &&
        (e = larch_lake_derive(larch_lake_keys_of(&responder), LARCH_LAKE_KID_LEN, &oscore, &next[0])) == LARCH_OK)
        e = larch_lake_compose_message_4(&responder, &party, (larch_bytes){0}, &messages[3]);
}

static void take_message_4(void)
{
    if ((e = larch_lake_process_message_4(&initiator, &party, message(4), &received)) == LARCH_OK)
        e = larch_lake_derive(larch_lake_keys_of(&initiator), LARCH_LAKE_KID_LEN, &oscore, &next[1]);
}

/* ---- the run ----------------------------------------------------------- */

static void fail(const char *what)
{
    board_put_text("WRONG lake.");
    board_put_text(what);
    board_put('\n');
    board_exit(1);
}

static void measure(const char *what, void (*step)(void))
{
    board_measure("lake.", what, step);
    if (e != LARCH_OK)
        fail(what);
}

int main(void)
{
    suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    enrolment = (larch_enrolment){.name = LARCH_TEXT("board"),
                                  .psk = {1, 2, 3},
                                  .hash = LARCH_COSE_SHAKE256,
                                  .method = LARCH_LAKE_METHOD_PSK,
                                  .suite = LARCH_LAKE_SUITE_PQ_1};
    if (suites[0] == NULL || larch_enrolment_credential(&enrolment, NULL, credential_bytes, &credential) != LARCH_OK)
        fail("credential");
    party = (larch_lake_party){.suites = suites,
                               .suite_count = 1,
                               .methods = 1u << LARCH_LAKE_METHOD_PSK,
                               .find = find,
                               .random = {draw, NULL},
                               .scratch = scratch,
                               .scratch_size = sizeof scratch};
    for (unsigned n = 0; n < 4; n++)
        messages[n] = larch_writer_to(bytes[n], sizeof bytes[n]);
    larch_lake_init(&initiator, LARCH_LAKE_INITIATOR);
    larch_lake_init(&responder, LARCH_LAKE_RESPONDER);
    measure("message_1", make_message_1);
    measure("message_2", answer_message_1);
    measure("message_3", answer_message_2);
    measure("message_4", answer_message_3);
    measure("end", take_message_4);
    if (memcmp(&next[0], &next[1], sizeof next[0]) != 0)
        fail("keys");
    board_put_text("done\n");
    board_exit(0);
}
