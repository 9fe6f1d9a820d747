/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer of a key delivery service. Whatever it holds: the JSON reader ends, names and strings lie within the bytes, what was opened is
 * closed in order; a key that is taken, written anew as a container, is taken as the same; a refused one leaves nothing behind.
 */
#include <stdio.h>
#include <string.h>

#include "device/json_read.h"
#include "device/qkd_answer.h"
#include "fuzz.h"

/* Whether it is JSON. */
static bool read_all(larch_bytes in)
{
    device_json j = device_json_of(in);
    unsigned depth = 0;
    larch_bytes text;
    for (size_t tokens = 0;; tokens++) {
        const device_json_token token = device_json_next(&j, &text);
        require(tokens <= in.len);
        if (token == DEVICE_JSON_BAD || token == DEVICE_JSON_END) {
            require(device_json_next(&j, &text) == token);
            require(token == DEVICE_JSON_BAD || depth == 0);
            return token == DEVICE_JSON_END;
        }
        if (token == DEVICE_JSON_BEGIN_OBJECT || token == DEVICE_JSON_BEGIN_ARRAY)
            depth++;
        if (token == DEVICE_JSON_END_OBJECT || token == DEVICE_JSON_END_ARRAY)
            require(depth-- > 0);
        require(depth == device_json_depth(&j) && depth <= DEVICE_JSON_DEPTH);
        if (text.len > 0)
            require(text.data > in.data && text.data + text.len < in.data + in.len);
    }
}

static void put_base64(const uint8_t *key, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3, out += 4) {
        const size_t n = len - i < 3 ? len - i : 3;
        const uint32_t group =
            (uint32_t)key[i] << 16 | (n > 1 ? (uint32_t)key[i + 1] << 8 : 0) | (n > 2 ? key[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            out[k] = k <= n ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    *out = '\0';
}

static void try_again(const device_qkd_key *key)
{
    char base64[48], text[160];
    device_qkd_key again;
    put_base64(key->key, sizeof key->key, base64);
    (void)snprintf(text, sizeof text, "{\"keys\":[{\"key\":\"%s\",\"key_ID\":\"%s\"}]}", base64, key->id);
    require(device_qkd_take_key(larch_bytes_of_text(text), &again) == DEVICE_QKD_FAULT_NONE);
    require(memcmp(&again, key, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const device_qkd_key nothing;
    const larch_bytes in = {data, size};
    device_qkd_key key;
    uint8_t message[64];
    const bool is_json = read_all(in);
    const device_qkd_fault fault = device_qkd_take_key(in, &key);
    require(is_json || fault != DEVICE_QKD_FAULT_NONE);
    require(fault < DEVICE_QKD_FAULT_COUNT && (is_json ? fault != DEVICE_QKD_FAULT_JSON : true));
    if (fault == DEVICE_QKD_FAULT_NONE)
        try_again(&key);
    else
        require(memcmp(&key, &nothing, sizeof key) == 0);
    const size_t len = device_qkd_take_message(in, message, sizeof message);
    require(len <= sizeof message && (is_json || len == 0));
    return 0;
}
