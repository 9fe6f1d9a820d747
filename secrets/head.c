/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/head.h"

#include <string.h>

#define HEAD_VERSION 2
#define OLD_VERSION  1
#define CHECK_USE    "larch-seal check"

const char *larch_store_source_text(unsigned source)
{
#define SOURCE_TEXT(name, number, text) \
    case number:                        \
        return text;
    switch (source) {
        LARCH_STORE_SOURCES(SOURCE_TEXT)
    default:
        return "?";
    }
#undef SOURCE_TEXT
}

bool larch_argon2_cost_is_sound(const larch_argon2_cost *c)
{
    return c->passes >= 1 && c->passes <= LARCH_ARGON2_PASSES_MAX && c->lanes >= 1 &&
           c->lanes <= LARCH_ARGON2_LANES_MAX && c->memory_kib >= 8 * c->lanes &&
           c->memory_kib <= LARCH_ARGON2_MEMORY_KIB_MAX;
}

larch_error larch_store_check(const larch_seal_key *key, uint8_t check[LARCH_HEAD_CHECK_LEN])
{
    return larch_seal_key_derive(key, CHECK_USE, check, LARCH_HEAD_CHECK_LEN);
}

/* ---- writing ------------------------------------------------------------- */

static bool has_name(larch_store_source source)
{
    return source == LARCH_STORE_SOURCE_CREDENTIAL || source == LARCH_STORE_SOURCE_TOKEN;
}

void larch_store_head_put_front(larch_writer *w, const larch_store_head *head)
{
    larch_writer_put_u8(w, HEAD_VERSION);
    larch_writer_put_u8(w, (uint8_t)head->source);
    larch_writer_put(w, LARCH_BYTES(head->check));
    if (has_name(head->source)) {
        larch_writer_put_u8(w, (uint8_t)strlen(head->name));
        larch_writer_put_text(w, head->name);
    }
    if (head->source == LARCH_STORE_SOURCE_PASSPHRASE) {
        larch_writer_put_u32(w, head->cost.passes);
        larch_writer_put_u32(w, head->cost.memory_kib);
        larch_writer_put_u32(w, head->cost.lanes);
    }
    if (head->source != LARCH_STORE_SOURCE_FILE)
        larch_writer_put(w, LARCH_BYTES(head->salt));
}

void larch_store_head_put(larch_writer *w, const larch_store_head *head)
{
    larch_store_head_put_front(w, head);
    larch_writer_put(w, (larch_bytes){head->wrapped, head->wrapped_len});
}

/* ---- reading ------------------------------------------------------------- */

static size_t wrapped_len_of(larch_store_source source)
{
    return source == LARCH_STORE_SOURCE_CREDENTIAL || source == LARCH_STORE_SOURCE_PASSPHRASE
               ? LARCH_SEAL_KEY_LEN + LARCH_GCM_TAG_LEN
               : LARCH_SEAL_KEY_LEN;
}

static larch_error take_into(larch_reader *r, uint8_t *out, size_t len)
{
    larch_bytes bytes;
    const larch_error e = larch_reader_take(r, len, &bytes);
    if (e == LARCH_OK)
        memcpy(out, bytes.data, len);
    return e;
}

static larch_error take_name(larch_reader *r, char name[LARCH_HEAD_NAME_MAX + 1])
{
    uint8_t len;
    larch_error e = larch_reader_take_u8(r, &len);
    if (e != LARCH_OK || len == 0 || len > LARCH_HEAD_NAME_MAX)
        return LARCH_MALFORMED;
    e = take_into(r, (uint8_t *)name, len);
    for (size_t i = 0; e == LARCH_OK && i < len; i++)
        if (name[i] < '!' || name[i] > '~') /* it is shown to people */
            e = LARCH_MALFORMED;
    return e;
}

static larch_error take_cost(larch_reader *r, larch_argon2_cost *cost)
{
    larch_error e;
    if ((e = larch_reader_take_u32(r, &cost->passes)) != LARCH_OK ||
        (e = larch_reader_take_u32(r, &cost->memory_kib)) != LARCH_OK ||
        (e = larch_reader_take_u32(r, &cost->lanes)) != LARCH_OK)
        return e;
    return larch_argon2_cost_is_sound(cost) ? LARCH_OK : LARCH_MALFORMED;
}

static larch_error take_old(larch_reader *r, larch_store_head *head)
{
    head->source = LARCH_STORE_SOURCE_FILE;
    head->wrapped_len = LARCH_SEAL_KEY_LEN;
    return take_into(r, head->wrapped, head->wrapped_len);
}

static larch_error take_body(larch_reader *r, larch_store_head *head)
{
    uint8_t source;
    larch_error e = larch_reader_take_u8(r, &source);
    if (e != LARCH_OK)
        return e;
    if (source < LARCH_STORE_SOURCE_FILE || source > LARCH_STORE_SOURCE_TOKEN)
        return LARCH_STATE;
    head->source = (larch_store_source)source;
    head->wrapped_len = wrapped_len_of(head->source);
    if ((e = take_into(r, head->check, sizeof head->check)) == LARCH_OK && has_name(head->source))
        e = take_name(r, head->name);
    if (e == LARCH_OK && head->source == LARCH_STORE_SOURCE_PASSPHRASE)
        e = take_cost(r, &head->cost);
    if (e == LARCH_OK && head->source != LARCH_STORE_SOURCE_FILE)
        e = take_into(r, head->salt, sizeof head->salt);
    return e == LARCH_OK ? take_into(r, head->wrapped, head->wrapped_len) : e;
}

larch_error larch_store_head_take(larch_bytes payload, larch_store_head *head)
{
    larch_reader r = larch_reader_of(payload);
    memset(head, 0, sizeof *head);
    larch_error e = larch_reader_take_u8(&r, &head->version);
    if (e == LARCH_OK)
        e = head->version == OLD_VERSION    ? take_old(&r, head)
            : head->version == HEAD_VERSION ? take_body(&r, head)
            : head->version > HEAD_VERSION  ? LARCH_STATE
                                            : LARCH_MALFORMED;
    if (e == LARCH_OK && r.left.len > 0)
        e = LARCH_MALFORMED;
    if (e != LARCH_OK)
        larch_wipe(head, sizeof *head);
    return e == LARCH_OK || e == LARCH_STATE ? e : LARCH_MALFORMED;
}
