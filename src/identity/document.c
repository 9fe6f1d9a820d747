/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/crypto.h"
#include "larch/identity.h"
#include "larch/kem.h"

#define VERSION 1

static const char magic[8] = {'l', 'a', 'r', 'c', 'h', '-', 'i', 'd'};

_Static_assert(sizeof magic + 2 == LARCH_IDENTITY_HEAD_LEN, "magic, version, founding entries");

#define FAULT_TEXT(name, text) [LARCH_IDENTITY_FAULT_##name] = (text),
static const char *const fault_texts[] = {LARCH_IDENTITY_FAULTS(FAULT_TEXT)};

const char *larch_identity_fault_text(larch_identity_fault fault)
{
    return (size_t)fault < LARCH_IDENTITY_FAULT_COUNT ? fault_texts[fault] : "?";
}

/* ---- reading ----------------------------------------------------------- */

static bool is_known(uint8_t kind, uint16_t algorithm)
{
    switch (kind) {
    case LARCH_IDENTITY_ROOT:
        return algorithm == 512 || algorithm == 768 || algorithm == 1024 || algorithm == LARCH_XWING_SET;
    case LARCH_IDENTITY_SIGNATURE:
    case LARCH_IDENTITY_AUTHORITY:
        return algorithm == 44 || algorithm == 65 || algorithm == 87;
    default:
        return false;
    }
}

static larch_identity_fault take_entry(larch_reader *r, larch_identity_document *document)
{
    larch_identity_entry *entry = &document->entries[document->count];
    larch_bytes hash;
    if (larch_reader_take_u8(r, &entry->kind) != LARCH_OK || larch_reader_take_u16(r, &entry->algorithm) != LARCH_OK ||
        larch_reader_take(r, sizeof entry->hash, &hash) != LARCH_OK)
        return document->count < document->founding ? LARCH_IDENTITY_FAULT_TRUNCATED : LARCH_IDENTITY_FAULT_TOO_LONG;
    memcpy(entry->hash, hash.data, hash.len);
    if (!is_known(entry->kind, entry->algorithm))
        return LARCH_IDENTITY_FAULT_ENTRY;
    if (larch_identity_find(document, entry->kind, entry->algorithm, false) != NULL)
        return LARCH_IDENTITY_FAULT_TWICE;
    document->count++;
    return LARCH_IDENTITY_FAULT_NONE;
}

static bool has_root(const larch_identity_document *document)
{
    for (size_t i = 0; i < document->founding; i++)
        if (document->entries[i].kind == LARCH_IDENTITY_ROOT)
            return true;
    return false;
}

static larch_identity_fault parse(larch_bytes bytes, larch_identity_document *out)
{
    larch_reader r = larch_reader_of(bytes);
    larch_identity_fault fault = LARCH_IDENTITY_FAULT_NONE;
    larch_bytes front;
    uint8_t version;
    if (larch_reader_take(&r, sizeof magic, &front) != LARCH_OK || memcmp(front.data, magic, sizeof magic) != 0)
        return LARCH_IDENTITY_FAULT_FOREIGN;
    if (larch_reader_take_u8(&r, &version) != LARCH_OK || larch_reader_take_u8(&r, &out->founding) != LARCH_OK)
        return LARCH_IDENTITY_FAULT_TRUNCATED;
    if (version != VERSION)
        return LARCH_IDENTITY_FAULT_VERSION;
    if (out->founding == 0 || out->founding > LARCH_IDENTITY_FOUNDING_MAX)
        return LARCH_IDENTITY_FAULT_FOUNDING;
    while (fault == LARCH_IDENTITY_FAULT_NONE && (r.left.len > 0 || out->count < out->founding))
        fault = out->count < LARCH_IDENTITY_ENTRIES ? take_entry(&r, out) : LARCH_IDENTITY_FAULT_TOO_LONG;
    if (fault == LARCH_IDENTITY_FAULT_NONE && !has_root(out))
        fault = LARCH_IDENTITY_FAULT_ROOTLESS;
    return fault;
}

larch_error larch_identity_parse(larch_bytes document, larch_identity_document *out, larch_identity_fault *fault)
{
    memset(out, 0, sizeof *out);
    const larch_identity_fault found = parse(document, out);
    if (fault != NULL)
        *fault = found;
    if (found == LARCH_IDENTITY_FAULT_NONE)
        return LARCH_OK;
    memset(out, 0, sizeof *out);
    return LARCH_MALFORMED;
}

/* ---- writing ----------------------------------------------------------- */

static void compose(larch_writer *w, const larch_identity_document *document, size_t count)
{
    larch_writer_put(w, (larch_bytes){(const uint8_t *)magic, sizeof magic});
    larch_writer_put_u8(w, VERSION);
    larch_writer_put_u8(w, document->founding);
    for (size_t i = 0; i < count; i++) {
        const larch_identity_entry *entry = &document->entries[i];
        larch_writer_put_u8(w, entry->kind);
        larch_writer_put_u16(w, entry->algorithm);
        larch_writer_put(w, LARCH_BYTES(entry->hash));
    }
}

void larch_identity_compose(larch_writer *w, const larch_identity_document *document)
{
    compose(w, document, document->count);
}

/* ---- what it says ------------------------------------------------------- */

larch_error larch_identity_of(const larch_identity_document *document, uint8_t identity[LARCH_FINGERPRINT_LEN])
{
    uint8_t bytes[LARCH_IDENTITY_DOCUMENT_MAX], hash[LARCH_SHA256_LEN];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    compose(&w, document, document->founding);
    const larch_bytes founding = {bytes, w.len};
    const larch_error e = larch_sha256(&founding, 1, hash);
    if (e == LARCH_OK)
        memcpy(identity, hash, LARCH_FINGERPRINT_LEN);
    return e;
}

const larch_identity_entry *larch_identity_find(const larch_identity_document *document, larch_identity_kind kind,
                                                uint16_t algorithm, bool founding)
{
    const size_t count = founding && document->founding < document->count ? document->founding : document->count;
    for (size_t i = 0; i < count; i++)
        if (document->entries[i].kind == (uint8_t)kind && document->entries[i].algorithm == algorithm)
            return &document->entries[i];
    return NULL;
}
