/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/session_record.h"

#include <string.h>

#define VERSION        1
#define VERSION_METHOD 2 /* of a key: with a method and a suite of its own */

static void put_bytes(larch_writer *w, larch_bytes bytes)
{
    larch_writer_put_u8(w, (uint8_t)bytes.len);
    larch_writer_put(w, bytes);
}

static larch_error take_bytes(larch_reader *r, size_t max, larch_bytes *out)
{
    uint8_t len;
    const larch_error e = larch_reader_take_u8(r, &len);
    if (e != LARCH_OK || len > max)
        return LARCH_MALFORMED;
    return larch_reader_take(r, len, out);
}

static larch_error take_version(larch_reader *r)
{
    uint8_t version;
    return larch_reader_take_u8(r, &version) == LARCH_OK && version == VERSION ? LARCH_OK : LARCH_MALFORMED;
}

/* ---- context ------------------------------------------------------------- */

bool larch_session_record_fits(const larch_session_record *record)
{
    const larch_oscore_parameters *p = &record->parameters;
    return record->device != 0 && p->aead != NULL && (p->hash == LARCH_COSE_SHA_256 || p->hash == LARCH_COSE_SHA_384) &&
           p->sender_id.len <= LARCH_OSCORE_ID_MAX && p->recipient_id.len <= LARCH_OSCORE_ID_MAX &&
           p->id_context.len <= LARCH_OSCORE_ID_CONTEXT_MAX && p->master_salt.len <= LARCH_SESSION_SALT_MAX &&
           p->master_secret.len >= LARCH_SESSION_SECRET_MIN && p->master_secret.len <= LARCH_SESSION_SECRET_MAX;
}

void larch_session_record_put(larch_writer *w, const larch_session_record *record)
{
    const larch_oscore_parameters *p = &record->parameters;
    larch_writer_put_u8(w, VERSION);
    larch_writer_put_u64(w, record->device);
    larch_writer_put_u32(w, record->expires_s);
    larch_writer_put_u8(w, (uint8_t)p->aead->number);
    larch_writer_put_u16(w, (uint16_t)p->hash);
    larch_writer_put_u8(w, p->id_context.data != NULL);
    put_bytes(w, p->sender_id);
    put_bytes(w, p->recipient_id);
    put_bytes(w, p->id_context);
    put_bytes(w, p->master_salt);
    put_bytes(w, p->master_secret);
}

static larch_error take_algorithms(larch_reader *r, larch_oscore_parameters *p, uint8_t *has_id_context)
{
    uint8_t aead;
    uint16_t hash;
    if (larch_reader_take_u8(r, &aead) != LARCH_OK || larch_reader_take_u16(r, &hash) != LARCH_OK ||
        larch_reader_take_u8(r, has_id_context) != LARCH_OK || *has_id_context > 1)
        return LARCH_MALFORMED;
    p->aead = larch_cose_aead_find(aead);
    p->hash = (int16_t)hash;
    return LARCH_OK;
}

static larch_error take_parameters(larch_reader *r, larch_oscore_parameters *p)
{
    uint8_t has_id_context;
    if (take_algorithms(r, p, &has_id_context) != LARCH_OK ||
        take_bytes(r, LARCH_OSCORE_ID_MAX, &p->sender_id) != LARCH_OK ||
        take_bytes(r, LARCH_OSCORE_ID_MAX, &p->recipient_id) != LARCH_OK ||
        take_bytes(r, LARCH_OSCORE_ID_CONTEXT_MAX, &p->id_context) != LARCH_OK ||
        take_bytes(r, LARCH_SESSION_SALT_MAX, &p->master_salt) != LARCH_OK ||
        take_bytes(r, LARCH_SESSION_SECRET_MAX, &p->master_secret) != LARCH_OK || r->left.len > 0)
        return LARCH_MALFORMED;
    if (has_id_context == 0 && p->id_context.len > 0)
        return LARCH_MALFORMED;
    if (has_id_context == 0)
        p->id_context.data = NULL;
    return LARCH_OK;
}

larch_error larch_session_record_take(larch_bytes bytes, larch_session_record *record)
{
    larch_reader r = larch_reader_of(bytes);
    memset(record, 0, sizeof *record);
    if (take_version(&r) == LARCH_OK && larch_reader_take_u64(&r, &record->device) == LARCH_OK &&
        larch_reader_take_u32(&r, &record->expires_s) == LARCH_OK &&
        take_parameters(&r, &record->parameters) == LARCH_OK && larch_session_record_fits(record))
        return LARCH_OK;
    memset(record, 0, sizeof *record);
    return LARCH_MALFORMED;
}

/* ---- key ----------------------------------------------------------------- */

static bool is_plain(const larch_psk_record *r)
{
    return r->method == LARCH_LAKE_METHOD_PSK && r->suite == LARCH_LAKE_SUITE_PQ_1 && !r->has_credential;
}

void larch_psk_record_put(larch_writer *w, const larch_psk_record *r)
{
    larch_writer_put_u8(w, is_plain(r) ? VERSION : VERSION_METHOD);
    larch_writer_put_u64(w, r->device);
    larch_writer_put_u8(w, (uint8_t)r->key.psk_hash);
    put_bytes(w, (larch_bytes){r->key.kid, r->key.kid_len});
    put_bytes(w, (larch_bytes){r->key.psk, r->key.psk_len});
    if (is_plain(r))
        return;
    larch_writer_put_u8(w, r->method);
    larch_writer_put_u8(w, (uint8_t)r->suite);
    put_bytes(w, (larch_bytes){r->credential, r->has_credential ? sizeof r->credential : 0});
}

/* Into an array of cap bytes. */
static larch_error copy_bytes(larch_reader *r, uint8_t *out, size_t cap, uint8_t *len)
{
    larch_bytes bytes;
    if (take_bytes(r, cap, &bytes) != LARCH_OK)
        return LARCH_MALFORMED;
    memcpy(out, bytes.data, bytes.len);
    *len = (uint8_t)bytes.len;
    return LARCH_OK;
}

static larch_error take_method(larch_reader *r, larch_psk_record *record)
{
    uint8_t suite, len;
    if (larch_reader_take_u8(r, &record->method) != LARCH_OK || larch_reader_take_u8(r, &suite) != LARCH_OK ||
        copy_bytes(r, record->credential, sizeof record->credential, &len) != LARCH_OK)
        return LARCH_MALFORMED;
    record->suite = (int8_t)suite;
    record->has_credential = len > 0;
    return len == 0 || len == sizeof record->credential ? LARCH_OK : LARCH_MALFORMED;
}

/* A device with a credential has no PSK, and every other has one. */
static bool is_sound(const larch_psk_record *r, uint8_t version)
{
    const bool signs = r->method == LARCH_LAKE_METHOD_SIGNATURES;
    return r->device != 0 && r->key.kid_len > 0 && signs == r->has_credential &&
           (signs ? r->key.psk_len == 0 : r->key.psk_len >= LARCH_SESSION_SECRET_MIN) &&
           (signs || r->method == LARCH_LAKE_METHOD_PSK) && (version == VERSION) == is_plain(r);
}

larch_error larch_psk_record_take(larch_bytes bytes, larch_psk_record *record)
{
    larch_reader r = larch_reader_of(bytes);
    larch_lake_resumption *key = &record->key;
    uint8_t version, hash;
    memset(record, 0, sizeof *record);
    record->method = LARCH_LAKE_METHOD_PSK;
    record->suite = LARCH_LAKE_SUITE_PQ_1;
    if (larch_reader_take_u8(&r, &version) == LARCH_OK && (version == VERSION || version == VERSION_METHOD) &&
        larch_reader_take_u64(&r, &record->device) == LARCH_OK && larch_reader_take_u8(&r, &hash) == LARCH_OK &&
        copy_bytes(&r, key->kid, sizeof key->kid, &key->kid_len) == LARCH_OK &&
        copy_bytes(&r, key->psk, sizeof key->psk, &key->psk_len) == LARCH_OK &&
        (version == VERSION || take_method(&r, record) == LARCH_OK) && r.left.len == 0 && is_sound(record, version)) {
        key->psk_hash = (int8_t)hash;
        return LARCH_OK;
    }
    larch_wipe(record, sizeof *record);
    return LARCH_MALFORMED;
}

/* ---- observation --------------------------------------------------------- */

void larch_observation_record_put(larch_writer *w, const larch_observation *o)
{
    larch_writer_put_u8(w, VERSION);
    larch_writer_put(w, LARCH_BYTES(o->peer.address));
    larch_writer_put_u32(w, o->peer.scope);
    larch_writer_put_u16(w, o->peer.port);
    put_bytes(w, (larch_bytes){o->binding.kid, o->binding.kid_len});
    put_bytes(w, (larch_bytes){o->binding.partial_iv, o->binding.partial_iv_len});
    larch_writer_put_u16(w, o->accept);
    larch_writer_put_u8(w, o->confirmable);
    larch_writer_put_u8(w, o->szx);
    put_bytes(w, (larch_bytes){o->token, o->token_len});
    put_bytes(w, (larch_bytes){o->name, o->name_len});
}

static larch_error take_peer(larch_reader *r, larch_peer *peer)
{
    larch_bytes address;
    if (larch_reader_take(r, sizeof peer->address, &address) != LARCH_OK)
        return LARCH_MALFORMED;
    memcpy(peer->address, address.data, sizeof peer->address);
    const larch_error e = larch_reader_take_u32(r, &peer->scope);
    return e == LARCH_OK ? larch_reader_take_u16(r, &peer->port) : e;
}

larch_error larch_observation_record_take(larch_bytes bytes, larch_observation *o)
{
    larch_reader r = larch_reader_of(bytes);
    memset(o, 0, sizeof *o);
    if (take_version(&r) == LARCH_OK && take_peer(&r, &o->peer) == LARCH_OK &&
        copy_bytes(&r, o->binding.kid, sizeof o->binding.kid, &o->binding.kid_len) == LARCH_OK &&
        copy_bytes(&r, o->binding.partial_iv, sizeof o->binding.partial_iv, &o->binding.partial_iv_len) == LARCH_OK &&
        larch_reader_take_u16(&r, &o->accept) == LARCH_OK && larch_reader_take_u8(&r, &o->confirmable) == LARCH_OK &&
        larch_reader_take_u8(&r, &o->szx) == LARCH_OK && o->confirmable <= 1 && o->szx <= 6 &&
        copy_bytes(&r, o->token, sizeof o->token, &o->token_len) == LARCH_OK &&
        copy_bytes(&r, o->name, sizeof o->name, &o->name_len) == LARCH_OK && r.left.len == 0)
        return LARCH_OK;
    memset(o, 0, sizeof *o);
    return LARCH_MALFORMED;
}
