/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Untrusted bytes as an identity document, and as the file that holds a gateway's own: there is one way to write what
 * is taken, and what is refused leaves nothing behind.
 */
#include <string.h>

#include "flash.h"
#include "fuzz.h"
#include "larch/crypto.h"
#include "larch/identity.h"
#include "larch/store.h"

static void require_zeros(const void *memory, size_t len)
{
    const uint8_t *at = memory;
    for (size_t i = 0; i < len; i++)
        require(at[i] == 0);
}

static void parse_document(larch_bytes input)
{
    uint8_t again[LARCH_IDENTITY_DOCUMENT_MAX], id[LARCH_FINGERPRINT_LEN];
    larch_identity_document document;
    larch_identity_fault fault = LARCH_IDENTITY_FAULT_COUNT;
    memset(&document, 0xaa, sizeof document);
    const larch_error e = larch_identity_parse(input, &document, &fault);
    require((e == LARCH_OK) == (fault == LARCH_IDENTITY_FAULT_NONE) && fault < LARCH_IDENTITY_FAULT_COUNT);
    if (e != LARCH_OK) {
        require(e == LARCH_MALFORMED);
        require_zeros(&document, sizeof document);
        return;
    }
    require(document.founding >= 1 && document.founding <= document.count && document.count <= LARCH_IDENTITY_ENTRIES);
    for (size_t i = 0; i < document.count; i++) {
        const larch_identity_entry *entry = &document.entries[i];
        require(larch_identity_find(&document, (larch_identity_kind)entry->kind, entry->algorithm, false) == entry);
    }
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_identity_compose(&w, &document);
    require(larch_bytes_equal((larch_bytes){again, w.len}, input));
    require(larch_identity_of(&document, id) == LARCH_OK);
}

static void load_file(larch_bytes input)
{
    static larch_flash flash;
    static larch_storage storage;
    larch_stored_identity identity;
    larch_store_fault fault = LARCH_STORE_FAULT_COUNT;
    larch_flash_init(&flash, 1);
    storage = larch_flash_storage(&flash);
    larch_flash_put(&flash, LARCH_STORED_IDENTITY_NAME, input);
    memset(&identity, 0xaa, sizeof identity);
    if (larch_stored_identity_load(&storage, &identity, &fault) != LARCH_OK) {
        require(fault != LARCH_STORE_NONE);
        require_zeros(&identity, sizeof identity);
        require(larch_bytes_equal(larch_flash_look(&flash, LARCH_STORED_IDENTITY_NAME), input));
    } else {
        require(larch_stored_identity_save(&storage, &identity) == LARCH_OK);
        require(larch_bytes_equal(larch_flash_look(&flash, LARCH_STORED_IDENTITY_NAME), input));
    }
    larch_flash_free(&flash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const larch_bytes input = {data, size};
    require(larch_crypto_init() == LARCH_OK);
    parse_document(input);
    if (size > 0 && size <= 4096)
        load_file(input);
    return 0;
}
