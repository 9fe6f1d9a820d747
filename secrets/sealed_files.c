/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/sealed_files.h"

#include <string.h>

#define SUFFIX      ".key"
#define SUFFIX_LEN  (sizeof SUFFIX - 1)
#define VERSION_LEN 1
#define PLAIN_KINDS 0x7fu
#define KIND_AT     5
#define START_AT    8
#define LEN_AT      12
#define FRONT_LEN   16

static bool is_key_file(const char *name)
{
    const size_t len = strlen(name);
    return len > SUFFIX_LEN && strcmp(name + len - SUFFIX_LEN, SUFFIX) == 0;
}

static bool is_head(const char *name) { return strcmp(name, LARCH_SEAL_KEY_NAME) == 0; }

/* ---- records of a file ----------------------------------------------------- */

typedef struct piece {
    uint8_t kind;
    uint32_t start;
    larch_bytes payload, whole;
} piece;

/* Only a record that larch_record_compose makes of its parts is sound. */
static larch_error take_piece(larch_reader *r, piece *p)
{
    uint8_t again[LARCH_RECORD_OVERHEAD + LARCH_RECORD_MAX];
    const uint8_t *at = r->left.data;
    if (r->left.len < LARCH_RECORD_OVERHEAD)
        return LARCH_MALFORMED;
    const size_t len = (size_t)larch_number_at(at + LEN_AT, 4);
    *p = (piece){.kind = at[KIND_AT], .start = (uint32_t)larch_number_at(at + START_AT, 4)};
    if (len > LARCH_RECORD_MAX || larch_reader_take(r, LARCH_RECORD_OVERHEAD + len, &p->whole) != LARCH_OK)
        return LARCH_MALFORMED;
    p->payload = (larch_bytes){at + FRONT_LEN, len};
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_record_compose(&w, (larch_record_kind)p->kind, p->start, p->payload);
    const bool is_sound = w.len == p->whole.len && memcmp(again, p->whole.data, w.len) == 0;
    larch_wipe(again, sizeof again);
    return is_sound ? LARCH_OK : LARCH_MALFORMED;
}

/* Where a record stands. */
typedef struct place_name {
    char column[LARCH_SEAL_NAME_MAX + 1];
    larch_seal_place place;
} place_name;

static larch_error find_place(const char *name, size_t index, uint8_t kind, place_name *p)
{
    const size_t len = strlen(name) - SUFFIX_LEN;
    if (len > LARCH_SEAL_NAME_MAX)
        return LARCH_SPACE;
    memcpy(p->column, name, len);
    p->column[len] = '\0';
    p->place =
        (larch_seal_place){"file", 1 + 256 * (uint64_t)index + (kind & PLAIN_KINDS), p->column, LARCH_STATE_FORMAT};
    return LARCH_OK;
}

static larch_error seal_piece(const larch_seal_key *key, const larch_random *random, const char *name, size_t index,
                              const piece *p, larch_writer *out)
{
    uint8_t bytes[LARCH_RECORD_MAX];
    larch_bytes sealed;
    place_name at;
    larch_error e = find_place(name, index, p->kind, &at);
    if (e == LARCH_OK)
        e = larch_seal_record(key, &at.place, random, p->payload, bytes, sizeof bytes, &sealed);
    if (e == LARCH_OK)
        larch_record_compose(out, (larch_record_kind)(p->kind | LARCH_SEALED_KIND), p->start, sealed);
    return e;
}

static larch_error open_piece(const larch_seal_key *key, const char *name, size_t index, const piece *p,
                              larch_writer *out)
{
    uint8_t bytes[LARCH_RECORD_MAX];
    larch_bytes plain;
    place_name at;
    larch_error e = find_place(name, index, p->kind, &at);
    if (e == LARCH_OK)
        e = larch_seal_open_record(key, &at.place, p->payload, bytes, sizeof bytes, &plain);
    if (e == LARCH_OK)
        larch_record_compose(out, (larch_record_kind)(p->kind & PLAIN_KINDS), p->start, plain);
    larch_wipe(bytes, sizeof bytes);
    return e;
}

larch_error larch_sealed_files_seal(const larch_seal_key *key, const larch_random *random, const char *name,
                                    larch_bytes content, larch_writer *out)
{
    larch_reader r = larch_reader_of(content);
    larch_error e = content.len > 0 ? LARCH_OK : LARCH_MALFORMED;
    for (size_t i = 0; e == LARCH_OK && r.left.len > 0; i++) {
        piece p;
        if ((e = take_piece(&r, &p)) != LARCH_OK)
            break;
        if ((p.kind & LARCH_SEALED_KIND) != 0)
            larch_writer_put(out, p.whole);
        else
            e = seal_piece(key, random, name, i, &p, out);
    }
    return e == LARCH_OK && out->len > out->cap ? LARCH_SPACE : e;
}

larch_error larch_sealed_files_unseal(const larch_seal_key *key, const char *name, larch_bytes content,
                                      larch_writer *out)
{
    larch_reader r = larch_reader_of(content);
    larch_error e = content.len > 0 ? LARCH_OK : LARCH_MALFORMED;
    for (size_t i = 0; e == LARCH_OK && r.left.len > 0; i++) {
        piece p;
        if ((e = take_piece(&r, &p)) != LARCH_OK)
            break;
        if ((p.kind & LARCH_SEALED_KIND) == 0)
            larch_writer_put(out, p.whole);
        else
            e = open_piece(key, name, i, &p, out);
    }
    return e == LARCH_OK && out->len > out->cap ? LARCH_SPACE : e;
}

/* ---- files -------------------------------------------------------------------- */

/* The whole file, as it stands on the medium. LARCH_STATE: it is not there. LARCH_SPACE: it is no key file of larch. */
static larch_error load(const larch_storage *medium, const char *name, uint8_t bytes[LARCH_SEALED_FILE_MAX],
                        larch_bytes *content)
{
    uint32_t size;
    larch_error e = medium->size(medium->context, name, &size);
    if (e != LARCH_OK)
        return e;
    if (size == LARCH_STORAGE_NONE)
        return LARCH_STATE;
    if (size > LARCH_SEALED_FILE_MAX)
        return LARCH_SPACE;
    if (size > 0 && (e = medium->read(medium->context, name, 0, bytes, size)) != LARCH_OK)
        return e;
    *content = (larch_bytes){bytes, size};
    return LARCH_OK;
}

larch_error larch_sealed_files_is_sealed(const larch_storage *medium, const char *name, bool *is_sealed)
{
    uint8_t bytes[LARCH_SEALED_FILE_MAX];
    larch_bytes content;
    const larch_error e = load(medium, name, bytes, &content);
    *is_sealed = false;
    if (e != LARCH_OK)
        return e == LARCH_PLATFORM ? e : LARCH_OK;
    larch_reader r = larch_reader_of(content);
    piece p;
    while (r.left.len > 0 && take_piece(&r, &p) == LARCH_OK)
        *is_sealed = *is_sealed || (p.kind & LARCH_SEALED_KIND) != 0;
    larch_wipe(bytes, sizeof bytes);
    return LARCH_OK;
}

/* The head as a plain record of the key, of the form that registry/seal.c reads. */
static larch_error view_head(const larch_sealed_files *s, larch_writer *out)
{
    uint8_t payload[VERSION_LEN + LARCH_SEAL_KEY_LEN] = {1};
    memcpy(payload + VERSION_LEN, s->key.bytes, sizeof s->key.bytes);
    larch_record_compose(out, LARCH_RECORD_SEAL, s->head_start, LARCH_BYTES(payload));
    larch_wipe(payload, sizeof payload);
    return LARCH_OK;
}

/* The file as it reads, in s->bytes. LARCH_STATE: it is to be read from the medium: it is no key file, nothing is open,
 * or it is not sound, which who reads it finds. */
static larch_error view(larch_sealed_files *s, const char *name, larch_bytes *content)
{
    uint8_t bytes[LARCH_SEALED_FILE_MAX];
    larch_bytes stored;
    if (!is_key_file(name) || !s->has_key)
        return LARCH_STATE;
    larch_writer w = larch_writer_to(s->bytes, sizeof s->bytes);
    larch_error e = load(&s->medium, name, bytes, &stored);
    if (e == LARCH_OK)
        e = is_head(name) ? view_head(s, &w) : larch_sealed_files_unseal(&s->key, name, stored, &w);
    larch_wipe(bytes, sizeof bytes);
    if (e != LARCH_OK)
        return e == LARCH_PLATFORM ? e : LARCH_STATE;
    *content = (larch_bytes){s->bytes, w.len};
    return LARCH_OK;
}

static larch_error files_size(void *context, const char *name, uint32_t *size)
{
    larch_sealed_files *s = context;
    larch_bytes content;
    const larch_error e = view(s, name, &content);
    if (e == LARCH_STATE)
        return s->medium.size(s->medium.context, name, size);
    if (e == LARCH_OK)
        *size = (uint32_t)content.len;
    larch_wipe(s->bytes, sizeof s->bytes);
    return e;
}

static larch_error files_read(void *context, const char *name, uint32_t offset, uint8_t *out, size_t len)
{
    larch_sealed_files *s = context;
    larch_bytes content;
    larch_error e = view(s, name, &content);
    if (e == LARCH_STATE)
        return s->medium.read(s->medium.context, name, offset, out, len);
    if (e == LARCH_OK && (offset > content.len || len > content.len - offset))
        e = LARCH_MALFORMED;
    if (e == LARCH_OK)
        memcpy(out, content.data + offset, len);
    larch_wipe(s->bytes, sizeof s->bytes);
    return e;
}

/* A key that is written for the first time gets its head; later ones keep it, with another start counter. */
static larch_error replace_head(larch_sealed_files *s, larch_bytes content)
{
    uint8_t bytes[LARCH_HEAD_LEN_MAX], record[LARCH_RECORD_OVERHEAD + LARCH_RECORD_MAX];
    larch_reader r = larch_reader_of(content);
    larch_seal_key key;
    larch_bytes payload;
    piece p;
    if (take_piece(&r, &p) != LARCH_OK || p.payload.len != VERSION_LEN + sizeof key.bytes)
        return LARCH_PLATFORM;
    memcpy(key.bytes, p.payload.data + VERSION_LEN, sizeof key.bytes);
    larch_store_head head = s->head;
    larch_error e = LARCH_OK;
    if (s->has_key)
        e = larch_ct_equal(key.bytes, s->key.bytes, sizeof key.bytes) ? LARCH_OK : LARCH_PLATFORM;
    else
        e = s->make != NULL ? s->make(s->make_context, &key, &head) : LARCH_PLATFORM;
    if (e == LARCH_OK && head.version == 1) /* of an older larch: its check value comes now */
        e = larch_store_check(&key, head.check);
    larch_writer w = larch_writer_to(bytes, sizeof bytes), all = larch_writer_to(record, sizeof record);
    larch_store_head_put(&w, &head);
    if (e == LARCH_OK && (e = larch_writer_finish(&w, &payload)) == LARCH_OK) {
        larch_record_compose(&all, LARCH_RECORD_SEAL, p.start, payload);
        e = s->medium.replace(s->medium.context, LARCH_SEAL_KEY_NAME, (larch_bytes){record, all.len}, 0);
    }
    if (e == LARCH_OK) {
        head.version = 2;
        larch_sealed_files_open(s, &head, p.start, &key);
    }
    larch_wipe(&key, sizeof key);
    larch_wipe(&head, sizeof head);
    larch_wipe(bytes, sizeof bytes);
    larch_wipe(record, sizeof record);
    return e == LARCH_OK ? LARCH_OK : LARCH_PLATFORM;
}

/* A caller may leave bytes at the end that are as erased ones to the tail: here they are part of a record. */
static larch_error join_tail(larch_bytes content, uint32_t tail, uint8_t bytes[LARCH_SEALED_FILE_MAX],
                             larch_bytes *whole)
{
    if (content.len > LARCH_SEALED_FILE_MAX || tail > LARCH_SEALED_FILE_MAX - content.len)
        return LARCH_PLATFORM;
    memcpy(bytes, content.data, content.len);
    memset(bytes + content.len, LARCH_STORAGE_ERASED, tail);
    *whole = (larch_bytes){bytes, content.len + tail};
    return LARCH_OK;
}

static larch_error files_replace(void *context, const char *name, larch_bytes content, uint32_t tail)
{
    larch_sealed_files *s = context;
    uint8_t bytes[LARCH_SEALED_FILE_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    if (!is_key_file(name) || (!s->has_key && !is_head(name)))
        return s->medium.replace(s->medium.context, name, content, tail);
    larch_error e = join_tail(content, tail, s->bytes, &content);
    if (e == LARCH_OK)
        e = is_head(name) ? replace_head(s, content) : larch_sealed_files_seal(&s->key, s->random, name, content, &w);
    if (e == LARCH_OK && !is_head(name))
        e = s->medium.replace(s->medium.context, name, (larch_bytes){bytes, w.len}, 0);
    larch_wipe(s->bytes, sizeof s->bytes);
    return e == LARCH_OK ? LARCH_OK : LARCH_PLATFORM; /* what cannot be sealed is not written */
}

static larch_error files_write(void *context, const char *name, uint32_t offset, larch_bytes bytes)
{
    const larch_sealed_files *s = context;
    return s->medium.write(s->medium.context, name, offset, bytes);
}

static larch_error files_sync(void *context, const char *name)
{
    const larch_sealed_files *s = context;
    return s->medium.sync(s->medium.context, name);
}

static larch_error files_remove(void *context, const char *name)
{
    const larch_sealed_files *s = context;
    return s->medium.remove(s->medium.context, name);
}

/* ---- life -------------------------------------------------------------------------- */

void larch_sealed_files_init(larch_sealed_files *s, const larch_storage *medium, const larch_random *random,
                             larch_error (*make)(void *context, const larch_seal_key *key, larch_store_head *head),
                             void *make_context)
{
    memset(s, 0, sizeof *s);
    s->medium = *medium;
    s->random = random;
    s->make = make;
    s->make_context = make_context;
}

larch_error larch_sealed_files_head(const larch_storage *medium, const char *name, larch_store_head *head,
                                    uint32_t *start, larch_store_fault *fault)
{
    uint8_t payload[LARCH_HEAD_LEN_MAX], front[START_AT + 4];
    larch_storage any = *medium;
    size_t len;
    any.start = UINT32_MAX;
    memset(head, 0, sizeof *head);
    *start = 0;
    larch_error e = larch_record_read(&any, name, LARCH_RECORD_SEAL, payload, sizeof payload, &len, fault);
    if (e == LARCH_OK && (e = medium->read(medium->context, name, 0, front, sizeof front)) != LARCH_OK)
        *fault = LARCH_STORE_MEDIUM;
    if (e == LARCH_OK) {
        *start = (uint32_t)larch_number_at(front + START_AT, 4);
        e = larch_store_head_take((larch_bytes){payload, len}, head);
        *fault = e == LARCH_OK ? LARCH_STORE_NONE : e == LARCH_STATE ? LARCH_STORE_VERSION : LARCH_STORE_DAMAGED;
        e = e == LARCH_OK ? LARCH_OK : LARCH_MALFORMED;
    }
    larch_wipe(payload, sizeof payload);
    return e;
}

void larch_sealed_files_open(larch_sealed_files *s, const larch_store_head *head, uint32_t start,
                             const larch_seal_key *key)
{
    s->head = *head;
    s->head_start = start;
    s->key = *key;
    s->has_key = true;
}

larch_storage larch_sealed_files_interface(larch_sealed_files *s)
{
    return (larch_storage){.context = s,
                           .start = s->medium.start,
                           .size = files_size,
                           .read = files_read,
                           .replace = files_replace,
                           .write = files_write,
                           .sync = files_sync,
                           .remove = files_remove};
}

void larch_sealed_files_wipe(larch_sealed_files *s) { larch_wipe(s, sizeof *s); }
