/* SPDX-License-Identifier: Apache-2.0 */
#include "device/qkd_answer.h"

#include <string.h>

#include "device/json_read.h"

#define BASE64_MAX 1024 /* of a key that is far too long */

const char *device_qkd_fault_text(device_qkd_fault fault)
{
#define TEXT(name, text) text,
    static const char *const texts[] = {DEVICE_QKD_FAULTS(TEXT)};
#undef TEXT
    return fault < DEVICE_QKD_FAULT_COUNT ? texts[fault] : "?";
}

/* ---- UUIDs -------------------------------------------------------------------------- */

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool device_qkd_take_uuid(larch_bytes text, uint8_t uuid[DEVICE_QKD_UUID_LEN])
{
    uint8_t out[DEVICE_QKD_UUID_LEN] = {0};
    size_t digits = 0;
    if (text.len != DEVICE_QKD_ID_LEN)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.data[i] != '-')
                return false;
            continue;
        }
        const int digit = hex_digit(text.data[i]);
        if (digit < 0)
            return false;
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | digit);
        digits++;
    }
    memcpy(uuid, out, sizeof out);
    return true;
}

/* ---- base64 [RFC4648 4] --------------------------------------------------------------- */

/* All ones if low <= c <= high: without a branch, because the digits are secret. */
static uint32_t mask_of(uint32_t c, uint32_t low, uint32_t high)
{
    return ~(0U - ((c - low) >> 31)) & ~(0U - ((high - c) >> 31));
}

/* Returns the value of the digit c. If c is not a digit of base64, *bad becomes all ones. */
static uint32_t base64_digit(uint32_t c, uint32_t *bad)
{
    const uint32_t upper = mask_of(c, 'A', 'Z'), lower = mask_of(c, 'a', 'z'), number = mask_of(c, '0', '9'),
                   plus = mask_of(c, '+', '+'), slash = mask_of(c, '/', '/');
    *bad |= ~(upper | lower | number | plus | slash);
    return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (number & (c - '0' + 52)) | (plus & 62) | (slash & 63);
}

static device_qkd_fault take_base64(larch_bytes text, uint8_t key[DEVICE_QKD_KEY_LEN])
{
    uint8_t out[BASE64_MAX / 4 * 3];
    size_t pad = 0, len = 0;
    uint32_t bad = 0, left = 0;
    if (text.len > BASE64_MAX || text.len == 0)
        return DEVICE_QKD_FAULT_LENGTH;
    if (text.len % 4 != 0)
        return DEVICE_QKD_FAULT_KEY;
    while (pad < 2 && text.data[text.len - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < text.len; i += 4) {
        const size_t digits = i + 4 == text.len ? 4 - pad : 4;
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++)
            group = group << 6 | (k < digits ? base64_digit(text.data[i + k], &bad) : 0);
        for (size_t k = 0; k < 3; k++)
            if (k < digits - 1)
                out[len++] = (uint8_t)(group >> (16 - 8 * k));
            else
                left |= group >> (16 - 8 * k) & 0xff;
    }
    device_qkd_fault fault = bad != 0 || left != 0       ? DEVICE_QKD_FAULT_KEY
                             : len != DEVICE_QKD_KEY_LEN ? DEVICE_QKD_FAULT_LENGTH
                                                         : DEVICE_QKD_FAULT_NONE;
    if (fault == DEVICE_QKD_FAULT_NONE)
        memcpy(key, out, DEVICE_QKD_KEY_LEN);
    larch_wipe(out, sizeof out);
    return fault;
}

/* ---- containers ----------------------------------------------------------------------- */

/* Where the reader is: { "keys": [ { here */
enum { IN_CONTAINER = 1, IN_KEYS, IN_KEY };

typedef struct container {
    bool in_keys; /* what is open at the depths IN_KEYS and IN_KEY is "keys" and a key */
    size_t lists, keys, ids, values;
    larch_bytes id, value; /* of the key, as they stand there */
} container;

static bool is_text(larch_bytes name, const char *text) { return larch_bytes_equal(name, larch_bytes_of_text(text)); }

/* A member of the container or of a key: reads its value's first token. */
static device_qkd_fault take_member(container *c, device_json *j, unsigned depth, larch_bytes name)
{
    const bool is_list = depth == IN_CONTAINER && is_text(name, "keys");
    const bool is_id = depth == IN_KEY && c->in_keys && is_text(name, "key_ID");
    const bool is_value = depth == IN_KEY && c->in_keys && is_text(name, "key");
    larch_bytes text;
    if (!is_list && !is_id && !is_value)
        return DEVICE_QKD_FAULT_NONE;
    const device_json_token token = device_json_next(j, &text);
    if (token == DEVICE_JSON_BAD)
        return DEVICE_QKD_FAULT_JSON;
    if (token != (is_list ? DEVICE_JSON_BEGIN_ARRAY : DEVICE_JSON_TEXT))
        return DEVICE_QKD_FAULT_CONTAINER;
    if (is_list) {
        c->in_keys = true;
        c->lists++;
    } else if (is_id) {
        c->id = text;
        c->ids++;
    } else {
        c->value = text;
        c->values++;
    }
    return DEVICE_QKD_FAULT_NONE;
}

static device_qkd_fault take_container(container *c, larch_bytes json)
{
    device_json j = device_json_of(json);
    larch_bytes text;
    device_json_token token = device_json_next(&j, &text);
    device_qkd_fault fault = DEVICE_QKD_FAULT_NONE;
    const bool is_object = token == DEVICE_JSON_BEGIN_OBJECT;
    while (fault == DEVICE_QKD_FAULT_NONE && token != DEVICE_JSON_END) {
        token = device_json_next(&j, &text);
        const unsigned depth = device_json_depth(&j);
        if (token == DEVICE_JSON_BAD)
            return DEVICE_QKD_FAULT_JSON;
        if (token == DEVICE_JSON_NAME)
            fault = take_member(c, &j, depth, text);
        else if (token == DEVICE_JSON_END_ARRAY && depth == IN_CONTAINER)
            c->in_keys = false;
        else if (c->in_keys && token == DEVICE_JSON_BEGIN_OBJECT && depth == IN_KEY)
            c->keys++;
        else if (c->in_keys &&
                 ((depth == IN_KEYS && token != DEVICE_JSON_END_OBJECT && token != DEVICE_JSON_END_ARRAY) ||
                  (depth == IN_KEY && token == DEVICE_JSON_BEGIN_ARRAY)))
            fault = DEVICE_QKD_FAULT_CONTAINER; /* an element that is no object */
    }
    if (fault != DEVICE_QKD_FAULT_NONE)
        return fault;
    if (!is_object || c->lists != 1)
        return DEVICE_QKD_FAULT_CONTAINER;
    return c->keys != 1                    ? DEVICE_QKD_FAULT_KEYS
           : c->ids != 1 || c->values != 1 ? DEVICE_QKD_FAULT_CONTAINER
                                           : DEVICE_QKD_FAULT_NONE;
}

device_qkd_fault device_qkd_take_key(larch_bytes json, device_qkd_key *key)
{
    uint8_t text[BASE64_MAX + 1];
    container c = {.in_keys = false};
    device_qkd_fault fault = take_container(&c, json);
    memset(key, 0, sizeof *key);
    if (fault != DEVICE_QKD_FAULT_NONE)
        return fault;
    if (!device_qkd_take_uuid(c.id, key->uuid))
        return DEVICE_QKD_FAULT_ID;
    memcpy(key->id, c.id.data, DEVICE_QKD_ID_LEN);
    fault = take_base64((larch_bytes){text, device_json_unescape(c.value, text, sizeof text)}, key->key);
    larch_wipe(text, sizeof text);
    if (fault != DEVICE_QKD_FAULT_NONE)
        larch_wipe(key, sizeof *key);
    return fault;
}

size_t device_qkd_take_message(larch_bytes json, uint8_t *out, size_t cap)
{
    device_json j = device_json_of(json);
    larch_bytes text, message = {NULL, 0};
    device_json_token token = device_json_next(&j, &text);
    if (token != DEVICE_JSON_BEGIN_OBJECT)
        return 0;
    while (token != DEVICE_JSON_END && token != DEVICE_JSON_BAD) {
        token = device_json_next(&j, &text);
        if (token == DEVICE_JSON_NAME && device_json_depth(&j) == IN_CONTAINER && is_text(text, "message") &&
            (token = device_json_next(&j, &text)) == DEVICE_JSON_TEXT)
            message = text;
    }
    return token == DEVICE_JSON_END ? device_json_unescape(message, out, cap) : 0;
}
