/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the LAKE room share. Names are those of RFC 9528 and draft-ietf-lake-edhoc-psk. */
#ifndef LARCH_LAKE_INT_H
#define LARCH_LAKE_INT_H

#include "base/ct_public.h"
#include "larch/cbor.h"
#include "larch/ecc.h"
#include "larch/lake.h"

/* What this build can do: without signatures and Diffie-Hellman, method 4 is all there is. */
#define LAKE_PROVES (LARCH_ECC || LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87)

#define LAKE_HASH_MAX LARCH_LAKE_HASH_MAX

/* ---- methods (suites.c) [RFC9528 3.2] --------------------------------------- */

typedef struct lake_method {
    uint8_t number;
    bool is_psk;
    bool signs;    /* both parties; else both have static Diffie-Hellman keys, or a PSK */
    bool needs_dh; /* [pqsuites 4] */
} lake_method;

/* NULL: larch does not have it. */
const lake_method *larch_lake_method_find(unsigned number);

static inline bool lake_is_psk(unsigned method) { return !LAKE_PROVES || method == LARCH_LAKE_METHOD_PSK; }

/* The longest C_I and C_R: the OSCORE nonce has room for it. [RFC8613 3.3] */
size_t larch_lake_id_max(const larch_lake_suite *suite);
larch_lake_id larch_lake_id_of(larch_bytes bytes);
static inline larch_bytes lake_id_bytes(const larch_lake_id *id) { return (larch_bytes){id->bytes, id->len}; }

/* ---- hashes and keys (kdf.c) ------------------------------------------------ */

/* Labels of EDHOC_KDF. [RFC9528 4.1.2] */
enum {
    LAKE_KEYSTREAM_2 = 0,
    LAKE_SALT_3E2M = 1,
    LAKE_MAC_2 = 2,
    LAKE_K_3 = 3,
    LAKE_IV_3 = 4,
    LAKE_SALT_4E3M = 5,
    LAKE_MAC_3 = 6,
    LAKE_PRK_OUT = 7,
    LAKE_K_4 = 8,
    LAKE_IV_4 = 9,
    LAKE_PRK_EXPORTER = 10,
    LAKE_KEY_UPDATE = 11
};

/* The most pieces of a context: context_2 = << C_R, ID_CRED_R, TH_2, CRED_R, ? EAD_2 >>, TH_2 behind its head. */
#define LAKE_CONTEXT_PIECES 6

/* A byte string's head. */
typedef struct lake_head {
    uint8_t bytes[9];
    uint8_t len;
} lake_head;

lake_head larch_lake_head_of(size_t len);
static inline larch_bytes lake_head_bytes(const lake_head *head) { return (larch_bytes){head->bytes, head->len}; }
static inline larch_bytes lake_th(const larch_lake_suite *suite, const uint8_t *th)
{
    return (larch_bytes){th, suite->hash_len};
}

/* Each zeroes its output on an error. */

/* TH = H( first as a byte string, the pieces as they are ). count: at most 4. */
LARCH_MUST_USE larch_error larch_lake_th(const larch_lake_suite *suite, larch_bytes first, const larch_bytes *pieces,
                                         size_t count, uint8_t out[LAKE_HASH_MAX]);
LARCH_MUST_USE larch_error larch_lake_hash(const larch_lake_suite *suite, larch_bytes in, uint8_t out[LAKE_HASH_MAX]);
/* EDHOC_Extract, EDHOC_KDF; salt and prk have the hash's length. [RFC9528 4.1.1, 4.1.2] */
LARCH_MUST_USE larch_error larch_lake_extract(const larch_lake_suite *suite, const uint8_t *salt, larch_bytes ikm,
                                              uint8_t out[LAKE_HASH_MAX]);
LARCH_MUST_USE larch_error larch_lake_kdf(const larch_lake_suite *suite, const uint8_t *prk, unsigned label,
                                          const larch_bytes *context, size_t count, uint8_t *out, size_t len);
/* Several EDHOC_KDF of one PRK and context: at most LAKE_OUTPUTS. */
#define LAKE_OUTPUTS 4
typedef struct lake_output {
    unsigned label;
    uint8_t *out;
    size_t len;
} lake_output;
LARCH_MUST_USE larch_error larch_lake_kdf_each(const larch_lake_suite *suite, const uint8_t *prk, larch_bytes context,
                                               const lake_output *outputs, size_t count);
/* PRK_x = EDHOC_Extract( EDHOC_KDF( prk, label, th, hash_length ), ikm ): both steps to PRK_3e2m and PRK_4e3m. */
LARCH_MUST_USE larch_error larch_lake_next_prk(const larch_lake_suite *suite, const uint8_t *prk, unsigned label,
                                               const uint8_t *th, larch_bytes ikm, uint8_t out[LAKE_HASH_MAX]);
/* PRK_out and PRK_exporter, of PRK_4e3m and TH_4. */
LARCH_MUST_USE larch_error larch_lake_finish_keys(larch_lake_keys *keys, const uint8_t *prk_4e3m, const uint8_t *th_4);

/* EDHOC's AEAD with the key and nonce of these labels and this transcript hash. aad: an Enc_structure, encoded. */
LARCH_MUST_USE larch_error larch_lake_seal(const larch_lake_suite *suite, const uint8_t *prk, unsigned key_label,
                                           const uint8_t *th, larch_bytes aad, larch_bytes in, uint8_t *out,
                                           size_t cap);
LARCH_MUST_USE larch_error larch_lake_open(const larch_lake_suite *suite, const uint8_t *prk, unsigned key_label,
                                           const uint8_t *th, larch_bytes aad, larch_bytes in, uint8_t *out,
                                           size_t cap);
static inline size_t lake_tag_len(const larch_lake_suite *suite) { return larch_cose_aead_find(suite->aead)->tag_len; }
/* A_3 of RFC 9528 and A_4 = [ "Encrypt0", h'', TH ]. */
#define LAKE_AAD_MAX (1 + 9 + 1 + 2 + LAKE_HASH_MAX)
larch_bytes larch_lake_aad(const larch_lake_suite *suite, const uint8_t *th, uint8_t out[LAKE_AAD_MAX]);

/* ---- ephemeral keys (exchange.c) -------------------------------------------- */

/* Scratch memory of one call, taken from the front. */
typedef struct lake_scratch {
    uint8_t *at;
    size_t left;
} lake_scratch;

/* len bytes, or NULL. */
uint8_t *larch_lake_take_scratch(lake_scratch *scratch, size_t len);

bool larch_lake_exchange_is_built(const larch_lake_suite *suite);
size_t larch_lake_g_x_len(const larch_lake_suite *suite);
size_t larch_lake_g_y_len(const larch_lake_suite *suite);
/* Initiator: draws the ephemeral secret; g_x: its length out. */
LARCH_MUST_USE larch_error larch_lake_make_g_x(const larch_lake_suite *suite, const larch_random *random,
                                               lake_scratch scratch, uint8_t *ephemeral, uint8_t *g_x);
/* Responder: G_Y and G_XY; ephemeral: Y, where there is one. */
LARCH_MUST_USE larch_error larch_lake_make_g_y(const larch_lake_suite *suite, const larch_random *random,
                                               larch_bytes g_x, const larch_lake_answer *answer, uint8_t *ephemeral,
                                               uint8_t *g_y, uint8_t g_xy[LARCH_KEM_SS_LEN]);
/* Initiator: G_XY. */
LARCH_MUST_USE larch_error larch_lake_find_g_xy(const larch_lake_suite *suite, lake_scratch scratch,
                                                const uint8_t *ephemeral, larch_bytes g_y,
                                                uint8_t g_xy[LARCH_KEM_SS_LEN]);

/* ---- proofs of methods 0 and 3 (prove.c) ------------------------------------ */

/* Signature_or_MAC_2 or _3 [RFC9528 5.3.2, 5.4.2] */
typedef struct lake_proof {
    const larch_lake_suite *suite;
    bool is_signature;
    unsigned label;  /* LAKE_MAC_2 or LAKE_MAC_3 */
    larch_bytes c_r; /* encoded, for context_2; empty for context_3 */
    larch_bytes id_cred;
    const uint8_t *th;
    larch_bytes cred;
    larch_bytes ead;
} lake_proof;

#if LAKE_PROVES
size_t larch_lake_proof_len(const larch_lake_suite *suite, bool is_signature);
/* out: that length. key, with its private part, is used if this is a signature. */
LARCH_MUST_USE larch_error larch_lake_prove(const lake_proof *proof, const uint8_t *prk, const larch_cose_key *key,
                                            const larch_random *random, uint8_t *out);
LARCH_MUST_USE larch_error larch_lake_check_proof(const lake_proof *proof, const uint8_t *prk,
                                                  const larch_cose_key *key, larch_bytes signature_or_mac);
/* Static Diffie-Hellman: G_RX and G_IY, by one's static key and the ephemeral key of the peer, and the other way round. */
LARCH_MUST_USE larch_error larch_lake_dh_of_own(const larch_cose_key *own, const uint8_t *peer_x, uint8_t shared[32]);
LARCH_MUST_USE larch_error larch_lake_dh_of_peer(const uint8_t *ephemeral, const larch_cose_key *peer,
                                                 uint8_t shared[32]);
#endif

/* ---- parts of messages (parts.c) -------------------------------------------- */

/* bstr / -24..23: a byte string that is the encoding of such a number goes as that number. [RFC9528 3.3.2] */
void larch_lake_put_identifier(larch_writer *w, larch_bytes identifier);
LARCH_MUST_USE larch_error larch_lake_take_identifier(larch_reader *r, larch_bytes *out);
/* One byte string, and nothing behind it. */
LARCH_MUST_USE larch_error larch_lake_take_only(larch_bytes in, larch_bytes *out);

/* ID_CRED_x as it is sent: a lone kid goes as identifier. [RFC9528 3.5.3.2] */
larch_bytes larch_lake_lone_kid(larch_bytes id_cred); /* data is NULL: it is none */
void larch_lake_put_sent_id_cred(larch_writer *w, larch_bytes id_cred);
#define LAKE_KID_MAP_MAX (4 + LARCH_LAKE_KID_MAX)
/* What follows of a plaintext; map: memory for the map of a lone kid. LARCH_STATE: a kind that larch does not have. */
LARCH_MUST_USE larch_error larch_lake_take_id_cred(larch_reader *r, uint8_t map[LAKE_KID_MAP_MAX],
                                                   larch_lake_reference *out);

/* Whether all the rest is EAD items, of which the party processes those that are critical. [RFC9528 3.8] */
LARCH_MUST_USE larch_error larch_lake_check_ead(const larch_lake_party *party, larch_bytes ead);

/* ---- sessions (session.c) --------------------------------------------------- */

static inline lake_scratch lake_scratch_of(const larch_lake_party *party)
{
    return (lake_scratch){party->scratch, party->scratch_size};
}

/* The end of a function that had set the state to LARCH_LAKE_ABORTED: after success the next state, else an aborted
 * session that owes an error message, and w, if there is one, as it was. Scratch memory is wiped but for *ead, which
 * moves to its front. */
LARCH_MUST_USE larch_error larch_lake_end(larch_lake_session *s, const larch_lake_party *party, larch_error e,
                                          larch_lake_state next, larch_writer *w, size_t before, larch_bytes *ead);
/* Notes the message for larch_lake_is_duplicate. */
LARCH_MUST_USE larch_error larch_lake_note(larch_lake_session *s, larch_bytes message);
/* find, with LARCH_AUTH as error code 3 to be sent where a reference was unknown. */
LARCH_MUST_USE larch_error larch_lake_look_up(larch_lake_session *s, const larch_lake_party *party,
                                              const larch_lake_reference *reference, unsigned attempt,
                                              larch_lake_credential *out);
static inline larch_bytes lake_cred_of(const larch_lake_credential *credential, larch_lake_role owner)
{
    return owner == LARCH_LAKE_INITIATOR ? credential->cred_i : credential->cred_r;
}

/* ---- the key log (keylog.c) ------------------------------------------------- */

#if LARCH_KEYLOG
/* Hands the party's key log a line, with the secrets after message_2 and after message_3. */
void larch_lake_keylog_2(const larch_lake_party *party, const larch_lake_suite *suite, const uint8_t *th_2,
                         const uint8_t *prk_2e, const uint8_t *th_3, const uint8_t *prk_3e2m);
/* cred_i, cred_r: of method 4; else empty. */
void larch_lake_keylog_3(const larch_lake_party *party, const larch_lake_suite *suite, const uint8_t *th_3,
                         const uint8_t *prk_4e3m, const uint8_t *th_4, larch_bytes cred_i, larch_bytes cred_r);
#endif

/* ---- method 4 (psk.c) ------------------------------------------------------- */

/* The state is checked, and noted as aborted; both commit to the session if all is well. */
LARCH_MUST_USE larch_error larch_lake_compose_psk_3(larch_lake_session *s, const larch_lake_party *party,
                                                    const larch_lake_credential *own, larch_bytes ead_3,
                                                    larch_writer *w);
LARCH_MUST_USE larch_error larch_lake_process_psk_3(larch_lake_session *s, const larch_lake_party *party,
                                                    larch_bytes message, larch_lake_received *out);

#endif
