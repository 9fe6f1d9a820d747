/* SPDX-License-Identifier: Apache-2.0 */
/* The content of a FILE.state, as text that people may read and should not change. */
#include <string.h>

#include "common/context_state.h"
#include "common/hex.h"
#include "text/text.h"

#define HEAD     "larch-context "
#define ENROLLED "larch-enrolled "
#define VERSION  "1\n"

/* ---- writing ------------------------------------------------------------------- */

static void put_number(larch_writer *w, int64_t number)
{
    larch_text_put(w, number < 0 ? " -" : " ");
    larch_text_put_number(w, (uint64_t)(number < 0 ? -number : number));
}

/* "-" for none. */
static void put_word(larch_writer *w, larch_bytes bytes)
{
    larch_text_put(w, bytes.len > 0 ? " " : " -");
    larch_text_put_hex(w, bytes);
}

static void put_made(larch_writer *w, const larch_context_made *made)
{
    const larch_lake_oscore *o = &made->session;
    if (o->aead != NULL) {
        larch_text_put(w, "\nsession");
        put_number(w, o->aead->number);
        put_number(w, o->hash);
        put_word(w, (larch_bytes){o->master_secret, o->master_secret_len});
        put_word(w, LARCH_BYTES(o->master_salt));
        put_word(w, (larch_bytes){o->sender_id.bytes, o->sender_id.len});
        put_word(w, (larch_bytes){o->recipient_id.bytes, o->recipient_id.len});
        put_number(w, (int64_t)made->made_s);
    }
    if (made->key.psk_len > 0) {
        larch_text_put(w, "\nkey");
        put_number(w, made->key.psk_hash);
        put_word(w, (larch_bytes){made->key.kid, made->key.kid_len});
        put_word(w, (larch_bytes){made->key.psk, made->key.psk_len});
    }
}

void larch_context_record_put(larch_writer *w, const larch_context_record *r)
{
    uint8_t bytes[LARCH_CONTEXT_RECORD_MAX];
    larch_writer body = larch_writer_to(bytes, sizeof bytes);
    larch_text_put(&body, r->is_enrolled ? ENROLLED VERSION "keys " : HEAD VERSION "keys ");
    larch_text_put_hex(&body, LARCH_BYTES(r->keys));
    larch_text_put(&body, "\nnext ");
    larch_text_put_number(&body, r->next);
    larch_text_put(&body, "\nn ");
    larch_text_put_number(&body, r->n);
    larch_text_put(&body, "\nmessages ");
    larch_text_put_number(&body, r->messages);
    if (r->is_enrolled)
        put_made(&body, &r->made);
    larch_text_put(&body, "\ncheck ");
    larch_text_put_digits(&body, larch_crc32(0, (larch_bytes){bytes, body.len}), 16, 8);
    larch_text_put(&body, "\n");
    larch_writer_put(w, (larch_bytes){bytes, body.len});
    larch_wipe(bytes, sizeof bytes);
}

/* ---- reading ------------------------------------------------------------------- */

static bool take_text(larch_reader *r, const char *text)
{
    const larch_bytes wanted = larch_bytes_of_text(text);
    larch_bytes taken;
    larch_reader rest = *r;
    if (larch_reader_take(&rest, wanted.len, &taken) != LARCH_OK || !larch_bytes_equal(taken, wanted))
        return false;
    *r = rest;
    return true;
}

/* Below 2^63. */
static bool take_number(larch_reader *r, uint64_t *number)
{
    uint8_t digit;
    larch_reader rest = *r;
    *number = 0;
    while (larch_reader_take_u8(&rest, &digit) == LARCH_OK && digit >= '0' && digit <= '9') {
        if (*number > (INT64_MAX - 9) / 10)
            return false;
        *number = 10 * *number + (uint64_t)(digit - '0');
        *r = rest;
    }
    return true;
}

static bool take_keys(larch_reader *r, uint8_t keys[LARCH_SHA256_LEN])
{
    static const char digits[] = "0123456789abcdef";
    larch_bytes text;
    if (larch_reader_take(r, (size_t)2 * LARCH_SHA256_LEN, &text) != LARCH_OK)
        return false;
    for (size_t i = 0; i < LARCH_SHA256_LEN; i++) {
        const char *high = strchr(digits, text.data[2 * i]), *low = strchr(digits, text.data[2 * i + 1]);
        if (high == NULL || low == NULL) /* a 0 finds the end of digits, and is found out when it is written again */
            return false;
        keys[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

/* " " and bytes in hexadecimal, or " -". What is read wrongly is found out when it is written again. */
static bool take_word(larch_reader *r, uint8_t *out, size_t cap, uint8_t *len)
{
    uint8_t high;
    *len = 0;
    if (!take_text(r, " "))
        return false;
    if (take_text(r, "-"))
        return true;
    while (larch_reader_take_u8(r, &high) == LARCH_OK && larch_app_hex_digit(high) < 16) {
        uint8_t low;
        if (*len == cap || larch_reader_take_u8(r, &low) != LARCH_OK)
            return false;
        out[(*len)++] = (uint8_t)(larch_app_hex_digit(high) << 4 | (larch_app_hex_digit(low) & 15));
    }
    if (*len > 0) /* the byte behind the digits is not one of them */
        r->left = (larch_bytes){r->left.data - 1, r->left.len + 1};
    return true;
}

static bool take_signed(larch_reader *r, int64_t *number)
{
    uint64_t value;
    if (!take_text(r, " "))
        return false;
    const bool is_negative = take_text(r, "-");
    const bool is_number = take_number(r, &value);
    *number = is_negative ? -(int64_t)value : (int64_t)value;
    return is_number;
}

static bool take_session(larch_reader *r, larch_context_made *made)
{
    larch_lake_oscore *o = &made->session;
    int64_t aead, made_s;
    uint8_t salt_len;
    if (!take_signed(r, &aead) || !take_signed(r, &o->hash) ||
        !take_word(r, o->master_secret, sizeof o->master_secret, &o->master_secret_len) ||
        !take_word(r, o->master_salt, sizeof o->master_salt, &salt_len) ||
        !take_word(r, o->sender_id.bytes, sizeof o->sender_id.bytes, &o->sender_id.len) ||
        !take_word(r, o->recipient_id.bytes, sizeof o->recipient_id.bytes, &o->recipient_id.len) ||
        !take_signed(r, &made_s))
        return false;
    o->aead = larch_cose_aead_find(aead);
    made->made_s = (uint64_t)made_s;
    return o->aead != NULL && salt_len == sizeof o->master_salt && o->master_secret_len >= 16 && made_s >= 0;
}

static bool take_key(larch_reader *r, larch_lake_resumption *key)
{
    int64_t hash;
    if (!take_signed(r, &hash) || !take_word(r, key->kid, sizeof key->kid, &key->kid_len) ||
        !take_word(r, key->psk, sizeof key->psk, &key->psk_len))
        return false;
    key->psk_hash = (int8_t)hash;
    return key->psk_len >= 16 && key->kid_len > 0;
}

static bool take_made(larch_reader *r, larch_context_made *made)
{
    return (!take_text(r, "\nsession") || take_session(r, made)) && (!take_text(r, "\nkey") || take_key(r, &made->key));
}

static larch_error take_head(larch_reader *r, larch_bytes bytes, bool *is_enrolled)
{
    *is_enrolled = take_text(r, ENROLLED);
    if (!*is_enrolled && !take_text(r, HEAD))
        return LARCH_MALFORMED;
    if (take_text(r, VERSION))
        return LARCH_OK;
    return r->left.len > 0 && bytes.len > sizeof HEAD && r->left.data[0] >= '2' && r->left.data[0] <= '9'
               ? LARCH_STATE
               : LARCH_MALFORMED;
}

/* Whatever the fields are read as: a sound file is exactly what they are written as. */
static larch_error parse(larch_bytes bytes, larch_context_record *found)
{
    larch_reader r = larch_reader_of(bytes);
    uint8_t again[LARCH_CONTEXT_RECORD_MAX];
    const larch_error e = take_head(&r, bytes, &found->is_enrolled);
    if (e != LARCH_OK)
        return e;
    if (!take_text(&r, "keys ") || !take_keys(&r, found->keys) || !take_text(&r, "\nnext ") ||
        !take_number(&r, &found->next) || !take_text(&r, "\nn ") || !take_number(&r, &found->n) ||
        !take_text(&r, "\nmessages ") || !take_number(&r, &found->messages) ||
        (found->is_enrolled && !take_made(&r, &found->made)))
        return LARCH_MALFORMED;
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_context_record_put(&w, found);
    const bool is_same = larch_bytes_equal((larch_bytes){again, w.len}, bytes);
    larch_wipe(again, sizeof again);
    return is_same && found->next <= LARCH_OSCORE_NUMBER_MAX + 1 && found->messages <= LARCH_CONTEXT_MESSAGES_MAX &&
                   found->n != 0
               ? LARCH_OK
               : LARCH_MALFORMED;
}

larch_error larch_context_record_parse(larch_bytes bytes, larch_context_record *record)
{
    larch_context_record found;
    memset(&found, 0, sizeof found);
    const larch_error e = parse(bytes, &found);
    if (e == LARCH_OK)
        *record = found;
    larch_wipe(&found, sizeof found);
    return e;
}
