/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/backup.h"

#include <string.h>

#include "secrets/passphrase.h"

#define MAGIC   LARCH_TEXT("larch-backup")
#define VERSION 1

/* ---- head ------------------------------------------------------------------- */

void larch_backup_head_put(larch_writer *w, const larch_backup_head *head)
{
    larch_writer_put(w, MAGIC);
    larch_writer_put_u8(w, VERSION);
    larch_writer_put_u8(w, head->kind);
    larch_writer_put_u32(w, head->cost.passes);
    larch_writer_put_u32(w, head->cost.memory_kib);
    larch_writer_put_u32(w, head->cost.lanes);
    larch_writer_put(w, LARCH_BYTES(head->salt));
    larch_writer_put(w, LARCH_BYTES(head->machine));
    larch_writer_put_u64(w, head->time_s);
    larch_writer_put_u16(w, head->format);
    larch_writer_put_u32(w, head->schema);
}

static larch_error take_bytes(larch_reader *r, uint8_t *out, size_t len)
{
    larch_bytes bytes;
    const larch_error e = larch_reader_take(r, len, &bytes);
    if (e == LARCH_OK)
        memcpy(out, bytes.data, len);
    return e;
}

static bool is_sound(const larch_backup_head *head)
{
    static const larch_argon2_cost none;
    return head->kind == LARCH_BACKUP_PASSPHRASE
               ? larch_argon2_cost_is_sound(&head->cost)
               : head->kind == LARCH_BACKUP_KEY && memcmp(&head->cost, &none, sizeof none) == 0;
}

static larch_error take_head(larch_reader *r, larch_backup_head *head)
{
    larch_bytes magic;
    uint8_t version;
    if (larch_reader_take(r, MAGIC.len, &magic) != LARCH_OK || !larch_bytes_equal(magic, MAGIC))
        return LARCH_MALFORMED;
    if (larch_reader_take_u8(r, &version) != LARCH_OK)
        return LARCH_MALFORMED;
    if (version != VERSION)
        return version > VERSION ? LARCH_STATE : LARCH_MALFORMED;
    if (larch_reader_take_u8(r, &head->kind) != LARCH_OK || larch_reader_take_u32(r, &head->cost.passes) != LARCH_OK ||
        larch_reader_take_u32(r, &head->cost.memory_kib) != LARCH_OK ||
        larch_reader_take_u32(r, &head->cost.lanes) != LARCH_OK ||
        take_bytes(r, head->salt, sizeof head->salt) != LARCH_OK ||
        take_bytes(r, head->machine, sizeof head->machine) != LARCH_OK ||
        larch_reader_take_u64(r, &head->time_s) != LARCH_OK || larch_reader_take_u16(r, &head->format) != LARCH_OK ||
        larch_reader_take_u32(r, &head->schema) != LARCH_OK)
        return LARCH_MALFORMED;
    return r->left.len == 0 && is_sound(head) ? LARCH_OK : LARCH_MALFORMED;
}

larch_error larch_backup_head_take(larch_bytes bytes, larch_backup_head *head)
{
    larch_reader r = larch_reader_of(bytes);
    memset(head, 0, sizeof *head);
    const larch_error e = take_head(&r, head);
    if (e != LARCH_OK)
        memset(head, 0, sizeof *head);
    return e;
}

static larch_error derive(larch_backup *b, const larch_backup_head *head, larch_bytes secret)
{
    uint8_t ikm[LARCH_SEAL_KEY_LEN];
    larch_writer w = larch_writer_to(b->aad, sizeof b->aad);
    larch_backup_head_put(&w, head);
    larch_error e = LARCH_OK;
    if (head->kind == LARCH_BACKUP_PASSPHRASE) {
        e = larch_passphrase_key(secret, head->salt, &head->cost, ikm);
        secret = LARCH_BYTES(ikm);
    }
    if (e == LARCH_OK)
        e = larch_hkdf_sha256(LARCH_BYTES(head->salt), secret, LARCH_TEXT("larch-backup key"), b->key, sizeof b->key);
    larch_wipe(ikm, sizeof ikm);
    return e;
}

static void put_nonce(const larch_backup *b, bool is_last, uint8_t nonce[LARCH_GCM_NONCE_LEN])
{
    larch_writer w = larch_writer_to(nonce, LARCH_GCM_NONCE_LEN);
    larch_writer_put_u16(&w, 0);
    larch_writer_put_u8(&w, 0);
    larch_writer_put_u64(&w, b->number);
    larch_writer_put_u8(&w, is_last);
}

/* ---- writing ---------------------------------------------------------------------- */

larch_error larch_backup_begin(larch_backup *b, const larch_backup_head *head, larch_bytes secret)
{
    uint8_t bytes[LARCH_BACKUP_HEAD_LEN];
    const larch_error e = derive(b, head, secret);
    b->left = b->number = 0;
    b->at = b->len = 0;
    memcpy(bytes, b->aad, sizeof bytes);
    return e == LARCH_OK ? b->move(b->context, bytes, sizeof bytes) : e;
}

static larch_error seal_chunk(larch_backup *b, bool is_last)
{
    uint8_t nonce[LARCH_GCM_NONCE_LEN];
    put_nonce(b, is_last, nonce);
    larch_error e = larch_gcm_seal(LARCH_BYTES(b->key), nonce, LARCH_BYTES(b->aad), (larch_bytes){b->chunk, b->len},
                                   b->sealed, sizeof b->sealed);
    if (e == LARCH_OK)
        e = b->move(b->context, b->sealed, b->len + LARCH_GCM_TAG_LEN);
    b->number++;
    b->len = 0;
    return e;
}

larch_error larch_backup_put(larch_backup *b, larch_bytes bytes)
{
    larch_error e = LARCH_OK;
    while (e == LARCH_OK && bytes.len > 0) {
        if (b->len == sizeof b->chunk && (e = seal_chunk(b, false)) != LARCH_OK)
            break;
        const size_t room = sizeof b->chunk - b->len, len = bytes.len < room ? bytes.len : room;
        memcpy(b->chunk + b->len, bytes.data, len);
        b->len += len;
        bytes.data += len;
        bytes.len -= len;
    }
    return e;
}

larch_error larch_backup_put_item(larch_backup *b, const char *name, uint64_t size)
{
    uint8_t bytes[1 + LARCH_BACKUP_NAME_MAX + 8];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_bytes all;
    larch_writer_put_u8(&w, (uint8_t)strlen(name));
    larch_writer_put_text(&w, name);
    larch_writer_put_u64(&w, size);
    const larch_error e = larch_writer_finish(&w, &all);
    return e == LARCH_OK ? larch_backup_put(b, all) : e;
}

larch_error larch_backup_end(larch_backup *b)
{
    const uint8_t none = 0;
    const larch_error e = larch_backup_put(b, (larch_bytes){&none, 1});
    return e == LARCH_OK ? seal_chunk(b, true) : e;
}

/* ---- reading ------------------------------------------------------------------------ */

larch_error larch_backup_open(larch_backup *b, const larch_backup_head *head, larch_bytes secret, uint64_t left)
{
    const larch_error e = derive(b, head, secret);
    b->left = left;
    b->number = 0;
    b->at = b->len = 0;
    return e;
}

static larch_error open_chunk(larch_backup *b)
{
    uint8_t nonce[LARCH_GCM_NONCE_LEN];
    const size_t len = b->left < sizeof b->sealed ? (size_t)b->left : sizeof b->sealed;
    if (len < LARCH_GCM_TAG_LEN)
        return LARCH_MALFORMED;
    put_nonce(b, len == b->left, nonce);
    larch_error e = b->move(b->context, b->sealed, len);
    if (e == LARCH_OK)
        e = larch_gcm_open(LARCH_BYTES(b->key), nonce, LARCH_BYTES(b->aad), (larch_bytes){b->sealed, len}, b->chunk,
                           sizeof b->chunk);
    b->left -= len;
    b->number++;
    b->at = 0;
    b->len = e == LARCH_OK ? len - LARCH_GCM_TAG_LEN : 0;
    return e;
}

larch_error larch_backup_take(larch_backup *b, uint8_t *out, size_t len)
{
    while (len > 0) {
        larch_error e;
        if (b->at == b->len && (e = open_chunk(b)) != LARCH_OK)
            return e;
        const size_t there = b->len - b->at, part = len < there ? len : there;
        if (part == 0) /* a chunk of nothing leads nowhere */
            return LARCH_MALFORMED;
        memcpy(out, b->chunk + b->at, part);
        b->at += part;
        out += part;
        len -= part;
    }
    return LARCH_OK;
}

larch_error larch_backup_take_item(larch_backup *b, char name[LARCH_BACKUP_NAME_MAX + 1], uint64_t *size)
{
    uint8_t len, number[8];
    memset(name, 0, LARCH_BACKUP_NAME_MAX + 1);
    larch_error e = larch_backup_take(b, &len, 1);
    if (e != LARCH_OK)
        return e;
    if (len == 0)
        return b->left == 0 && b->at == b->len ? LARCH_AGAIN : LARCH_MALFORMED;
    if (len > LARCH_BACKUP_NAME_MAX)
        return LARCH_MALFORMED;
    if ((e = larch_backup_take(b, (uint8_t *)name, len)) == LARCH_OK &&
        (e = larch_backup_take(b, number, sizeof number)) == LARCH_OK)
        *size = larch_number_at(number, sizeof number);
    if (e != LARCH_OK || strlen(name) != len)
        memset(name, 0, LARCH_BACKUP_NAME_MAX + 1);
    return e == LARCH_OK && name[0] == '\0' ? LARCH_MALFORMED : e;
}
