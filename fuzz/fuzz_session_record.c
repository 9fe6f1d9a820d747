/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts, observations, keys and sealed records, as a damaged disk may give them back. The first byte chooses. What is taken
 * is written the same again; what is sealed opens as it was, and no other bytes open.
 */
#include <string.h>

#include "fuzz.h"
#include "registry/seal.h"
#include "registry/session_record.h"

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    memset(out, *(const uint8_t *)context, len);
    return LARCH_OK;
}

static void try_context(larch_bytes bytes)
{
    uint8_t again[LARCH_SESSION_RECORD_MAX];
    larch_session_record record;
    if (larch_session_record_take(bytes, &record) != LARCH_OK) {
        require(record.device == 0 && record.parameters.master_secret.data == NULL);
        return;
    }
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_session_record_put(&w, &record);
    require(larch_session_record_fits(&record) && w.len == bytes.len && memcmp(again, bytes.data, w.len) == 0);
}

static void try_observation(larch_bytes bytes)
{
    uint8_t again[LARCH_OBSERVATION_RECORD_MAX];
    larch_observation o;
    if (larch_observation_record_take(bytes, &o) != LARCH_OK) {
        require(o.token_len == 0 && o.name_len == 0);
        return;
    }
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_observation_record_put(&w, &o);
    require(w.len == bytes.len && memcmp(again, bytes.data, w.len) == 0);
}

static void try_key(larch_bytes bytes)
{
    uint8_t again[LARCH_PSK_RECORD_MAX];
    larch_psk_record record;
    if (larch_psk_record_take(bytes, &record) != LARCH_OK) {
        require(record.device == 0 && record.key.kid_len == 0 && record.key.psk_len == 0 && !record.has_credential);
        return;
    }
    require(record.has_credential == (record.method == LARCH_LAKE_METHOD_SIGNATURES));
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_psk_record_put(&w, &record);
    require(w.len == bytes.len && memcmp(again, bytes.data, w.len) == 0);
}

static void try_seal(larch_bytes bytes)
{
    static const larch_seal_key key = {{3}};
    static const larch_seal_place place = {"context", 7, "sealed", 1};
    static uint8_t sealed_bytes[4096 + LARCH_SEAL_OVERHEAD], out[4096];
    uint8_t salt = bytes.len > 0 ? bytes.data[0] : 0;
    const larch_random random = {fill, &salt};
    larch_bytes sealed, plain;
    if (bytes.len > sizeof out)
        return;
    require(larch_seal_open_record(&key, &place, bytes, out, sizeof out, &plain) != LARCH_OK && plain.len == 0);
    require(larch_seal_record(&key, &place, &random, bytes, sealed_bytes, sizeof sealed_bytes, &sealed) == LARCH_OK);
    require(larch_seal_open_record(&key, &place, sealed, out, sizeof out, &plain) == LARCH_OK);
    require(larch_bytes_equal(plain, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const tries[])(larch_bytes bytes) = {try_context, try_observation, try_seal, try_key};
    static bool is_started;
    is_started = is_started || larch_crypto_init() == LARCH_OK;
    require(is_started);
    if (size > 0)
        tries[data[0] % 4]((larch_bytes){data + 1, size - 1});
    return 0;
}
