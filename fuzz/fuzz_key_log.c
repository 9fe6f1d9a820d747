/* SPDX-License-Identifier: Apache-2.0 */
/* A key log: it is read as a whole or not at all, and each line that is read means what the key log's writer writes. */
#include <string.h>

#include "fuzz.h"
#include "larch/crypto.h"
#include "sniff/dissect/keys.h"
#include "sniff/dissect/lake_line.h"

static bool same(larch_bytes a, larch_bytes b)
{
    return larch_bytes_equal(a, b) && (a.data == NULL) == (b.data == NULL);
}

static void check_line(larch_bytes line)
{
    static uint8_t out[1024];
    larch_sniff_key_line read, again;
    const char *why = NULL;
    larch_writer w = larch_writer_to(out, sizeof out);
    if (larch_sniff_key_line_parse(line, &read, &why) != LARCH_OK) {
        require(why != NULL && read.parameters.aead == NULL);
        return;
    }
    require(why == NULL && larch_oscore_keylog_put(&w, &read.parameters) == LARCH_OK && w.len <= sizeof out);
    require(larch_sniff_key_line_parse((larch_bytes){out, w.len - 1}, &again, &why) == LARCH_OK);
    const larch_oscore_parameters *a = &read.parameters, *b = &again.parameters;
    require(a->aead == b->aead && a->hash == b->hash && same(a->id_context, b->id_context));
    require(same(a->sender_id, b->sender_id) && same(a->recipient_id, b->recipient_id));
    require(same(a->master_secret, b->master_secret) && same(a->master_salt, b->master_salt));
}

static bool check_lake_line(larch_bytes line)
{
    static uint8_t out[2048];
    larch_lake_secrets read, again;
    const char *why = NULL;
    larch_writer w = larch_writer_to(out, sizeof out);
    if (larch_sniff_lake_line_parse(line, &read, &why) != LARCH_OK) {
        require(why != NULL && read.hash_len == 0);
        return false;
    }
    larch_lake_keylog_put(&w, &read);
    require(why == NULL && w.len <= sizeof out);
    require(larch_sniff_lake_line_parse((larch_bytes){out, w.len - 1}, &again, &why) == LARCH_OK);
    require(memcmp(&read, &again, sizeof read) == 0);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static larch_sniff_keys keys;
    larch_sniff_keys_trouble trouble;
    size_t lines = 0, contexts = 0, secrets = 0;
    require(larch_crypto_init() == LARCH_OK);
    const larch_error e = larch_sniff_keys_read(&keys, (larch_bytes){data, size}, &trouble);
    for (size_t at = 0; at < size; lines++) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        const larch_bytes line = {data + at, end != NULL ? (size_t)(end - data) - at : size - at};
        at += line.len + 1;
        if (larch_sniff_is_lake_line(line))
            secrets += check_lake_line(line);
        if (larch_sniff_key_line_is_empty(line))
            continue;
        contexts++;
        check_line(line);
    }
    require(e != LARCH_OK || (keys.count == contexts && trouble.why == NULL));
    require(e == LARCH_OK || (trouble.why != NULL && trouble.line >= 1 && trouble.line <= lines));
    require(keys.secret_count <= secrets); /* the same twice is held once */
    require(e == LARCH_OK || (keys.count == 0 && keys.secret_count == 0));
    return 0;
}
