/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lake_int.h"
#include "larch/crypto.h"

_Static_assert(sizeof(larch_lake_keys) <= 256, "RAM budget");
_Static_assert(sizeof(larch_lake_place_psk) <= 2048, "RAM budget");
_Static_assert(sizeof(larch_lake_place_44) <= 5120, "RAM budget");
_Static_assert(sizeof(larch_lake_place_87) <= 8192, "RAM budget");
/* message_2 of each, with 64 bytes for EAD_2: G_Y, C_R, ID_CRED_R and the signature. */
#define MESSAGE_2(ct, rest) (3 + (ct) + 1 + LARCH_LAKE_ID_MAX + (rest) + 64)
_Static_assert(MESSAGE_2(1120, 0) <= sizeof((larch_lake_place_psk *)0)->answer, "X-Wing");
_Static_assert(MESSAGE_2(768, 1400 + 3 + 2420) <= sizeof((larch_lake_place_44 *)0)->answer, "CCS by value");
_Static_assert(MESSAGE_2(1568, 2 + LARCH_LAKE_KID_MAX + 3 + 4627) <= sizeof((larch_lake_place_87 *)0)->answer,
               "by kid");

void larch_lake_init(larch_lake_session *s, larch_lake_role role)
{
    memset(s, 0, sizeof *s);
    s->keys.role = (uint8_t)role;
    s->state = role == LARCH_LAKE_INITIATOR ? LARCH_LAKE_COMPOSE_MESSAGE_1 : LARCH_LAKE_WAIT_MESSAGE_1;
}

void larch_lake_wipe(larch_lake_session *s) { larch_wipe(s, sizeof *s); }

/* error: the code to send. */
static void abort_session(larch_lake_session *s, uint8_t error)
{
    larch_lake_wipe(s);
    s->error = error;
}

void larch_lake_refuse(larch_lake_session *s) { abort_session(s, LARCH_LAKE_ERROR_UNSPECIFIED); }

bool larch_lake_is_duplicate(const larch_lake_session *s, larch_bytes message)
{
    static const uint8_t none[LARCH_SHA256_LEN];
    uint8_t digest[LARCH_SHA256_LEN];
    return memcmp(s->received, none, sizeof none) != 0 && larch_sha256(&message, 1, digest) == LARCH_OK &&
           memcmp(s->received, digest, sizeof digest) == 0;
}

larch_error larch_lake_note(larch_lake_session *s, larch_bytes message)
{
    return larch_sha256(&message, 1, s->received);
}

/* What message_4 needed goes; the ephemeral key went with message_3. */
static void complete(larch_lake_session *s)
{
    larch_wipe(s->th, sizeof s->th);
    larch_wipe(s->prk, sizeof s->prk);
    s->state = LARCH_LAKE_COMPLETED;
}

larch_error larch_lake_confirm(larch_lake_session *s)
{
    if (s->state != LARCH_LAKE_WAIT_MESSAGE_4 && s->state != LARCH_LAKE_COMPOSE_MESSAGE_4)
        return LARCH_STATE;
    complete(s);
    return LARCH_OK;
}

const larch_lake_keys *larch_lake_keys_of(const larch_lake_session *s)
{
    return s->state == LARCH_LAKE_WAIT_MESSAGE_4 || s->state == LARCH_LAKE_COMPOSE_MESSAGE_4 ||
                   s->state == LARCH_LAKE_COMPLETED
               ? &s->keys
               : NULL;
}

/* Moves ead to the front of the scratch memory, and wipes what is behind it. */
static void clear_scratch(const larch_lake_party *party, larch_bytes *ead)
{
    const size_t kept = ead != NULL ? ead->len : 0;
    if (kept > 0) {
        memmove(party->scratch, ead->data, kept);
        ead->data = party->scratch;
    }
    if (party->scratch_size > kept)
        larch_wipe(party->scratch + kept, party->scratch_size - kept);
}

larch_error larch_lake_end(larch_lake_session *s, const larch_lake_party *party, larch_error e, larch_lake_state next,
                           larch_writer *w, size_t before, larch_bytes *ead)
{
    if (e == LARCH_OK && w != NULL && w->len > w->cap)
        e = LARCH_SPACE;
    clear_scratch(party, e == LARCH_OK ? ead : NULL);
    if (e == LARCH_OK) {
        s->state = (uint8_t)next;
        if (next == LARCH_LAKE_COMPLETED)
            complete(s);
        return LARCH_OK;
    }
    if (w != NULL) {
        const size_t written = w->len < w->cap ? w->len : w->cap;
        if (written > before)
            larch_wipe(w->data + before, written - before);
        w->len = before;
    }
    /* of a message_1 that was never sent, nobody is told */
    abort_session(s, next == LARCH_LAKE_WAIT_MESSAGE_2 ? 0 : s->error != 0 ? s->error : LARCH_LAKE_ERROR_UNSPECIFIED);
    return e;
}

larch_error larch_lake_look_up(larch_lake_session *s, const larch_lake_party *party,
                               const larch_lake_reference *reference, unsigned attempt, larch_lake_credential *out)
{
    const bool is_by_value = reference->kind == LARCH_LAKE_BY_CCS || reference->kind == LARCH_LAKE_BY_CWT;
    memset(out, 0, sizeof *out);
    const larch_error e = party->find(party->context, reference, attempt, out);
    if (e == LARCH_AUTH && attempt == 0 && !is_by_value)
        s->error = LARCH_LAKE_ERROR_CREDENTIAL;
    /* what is not authenticated names nobody */
    return e == LARCH_OK && lake_cred_of(out, reference->owner).len == 0 ? LARCH_STATE : e;
}
