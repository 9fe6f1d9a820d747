/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of the store, and key files, as a damaged disk may give them back. The first byte chooses. A head that is taken is
 * written the same again, and its bounds hold; a file that opens was sealed, and seals to what opens the same.
 */
#include <string.h>

#include "fuzz.h"
#include "secrets/sealed_files.h"

static const larch_seal_key key = {{3}};

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    memset(out, *(const uint8_t *)context, len);
    return LARCH_OK;
}

static void try_head(larch_bytes bytes)
{
    uint8_t again[LARCH_HEAD_LEN_MAX];
    larch_store_head head;
    if (larch_store_head_take(bytes, &head) != LARCH_OK) {
        require(head.wrapped_len == 0 && head.name[0] == '\0');
        return;
    }
    require(strlen(head.name) <= LARCH_HEAD_NAME_MAX);
    if (head.source == LARCH_STORE_SOURCE_PASSPHRASE)
        require(larch_argon2_cost_is_sound(&head.cost));
    if (head.version == 1)
        return;
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_store_head_put(&w, &head);
    require(w.len == bytes.len && memcmp(again, bytes.data, w.len) == 0);
}

static void try_file(larch_bytes bytes, uint8_t salt)
{
    uint8_t sealed[2 * LARCH_SEALED_FILE_MAX], plain[LARCH_SEALED_FILE_MAX], again[LARCH_SEALED_FILE_MAX];
    const larch_random random = {fill, &salt};
    larch_writer s = larch_writer_to(sealed, sizeof sealed), p = larch_writer_to(plain, sizeof plain),
                 a = larch_writer_to(again, sizeof again);
    if (larch_sealed_files_unseal(&key, "identity.key", bytes, &p) != LARCH_OK)
        return;
    require(larch_sealed_files_seal(&key, &random, "identity.key", (larch_bytes){plain, p.len}, &s) == LARCH_OK ||
            s.len > 0 || p.len > 0);
    if (s.len == 0 || larch_sealed_files_unseal(&key, "identity.key", (larch_bytes){sealed, s.len}, &a) != LARCH_OK)
        return;
    require(a.len <= p.len && memcmp(again, plain, a.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    require(larch_crypto_init() == LARCH_OK);
    if (size < 1)
        return 0;
    const larch_bytes rest = {data + 1, size - 1};
    if ((data[0] & 1) == 0)
        try_head(rest);
    else
        try_file(rest, data[0]);
    return 0;
}
