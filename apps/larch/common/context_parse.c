/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a context file. No value is ever repeated in a complaint: it may be a secret in the wrong place. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/context_file.h"
#include "common/hex.h"
#include "text/text.h"

#define NAME_MAX_LEN  24    /* of a key that a complaint repeats: shorter than 16 bytes in hexadecimal */
#define HKDF_SHA_256  (-10) /* direct+HKDF-SHA-256 [RFC9053 6.1.2] */
#define NONCE_FOR_ID  6     /* bytes of the nonce that hold no ID [RFC8613 5.2] */
#define VALUE(member) offsetof(larch_context_file, member)

enum { HEX = 1, ASCII = 2, TEXT = 4, INTEGER = 8, BOOL = 16 };

static const struct {
    const char *name;
    unsigned type;
} types[] = {{"hex", HEX}, {"ascii", ASCII}, {"text", TEXT}, {"integer", INTEGER}, {"bool", BOOL}};

/* IGNORED: libcoap's own affairs. ABSENT: what larch does not have, so it cannot be switched on. */
typedef enum key_use { BYTES, AEAD, HKDF, WINDOW, FREQUENCY, IGNORED, ABSENT } key_use;

typedef struct key_row {
    const char *name;
    unsigned types;
    key_use use;
    size_t offset, min, max; /* of BYTES */
} key_row;

static const key_row keys[] = {
    {"master_secret", HEX | ASCII, BYTES, VALUE(master_secret), LARCH_CONTEXT_SECRET_MIN, LARCH_CONTEXT_VALUE_MAX},
    {"master_salt", HEX | ASCII, BYTES, VALUE(master_salt), 0, LARCH_CONTEXT_VALUE_MAX},
    {"sender_id", HEX | ASCII, BYTES, VALUE(sender_id), 0, LARCH_OSCORE_ID_MAX},
    {"recipient_id", HEX | ASCII, BYTES, VALUE(recipient_id), 0, LARCH_OSCORE_ID_MAX},
    {"id_context", HEX | ASCII, BYTES, VALUE(id_context), 0, LARCH_OSCORE_ID_CONTEXT_MAX},
    {"aead_alg", INTEGER | TEXT, AEAD, 0, 0, 0},
    {"hkdf_alg", INTEGER | TEXT, HKDF, 0, 0, 0},
    {"replay_window", INTEGER, WINDOW, 0, 0, 0},
    {"ssn_freq", INTEGER, FREQUENCY, 0, 0, 0},
    {"rfc8613_b_1_2", BOOL, IGNORED, 0, 0, 0},
    {"rfc8613_b_2", BOOL, ABSENT, 0, 0, 0},
    {"break_sender_key", BOOL, IGNORED, 0, 0, 0},
    {"break_recipient_key", BOOL, IGNORED, 0, 0, 0},
};
enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

/* One line. */
typedef struct entry {
    const key_row *key;
    unsigned type;
    larch_bytes value; /* without its quotes */
} entry;

typedef struct parser {
    larch_context_file *file;
    larch_context_fault *fault;
    unsigned line;
    unsigned given[KEY_COUNT]; /* the line that gave the key */
} parser;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static bool
fail(parser *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(p->fault->text, sizeof p->fault->text, format, arguments); /* NOLINT(clang-analyzer-valist.*) */
    va_end(arguments);
    p->fault->line = p->line;
    return false;
}

static bool is_text(larch_bytes bytes, const char *text) { return larch_bytes_equal(bytes, larch_bytes_of_text(text)); }

/* ---- values ---------------------------------------------------------------- */

static bool take_bytes(parser *p, const entry *e)
{
    larch_context_value *value = (larch_context_value *)(void *)((uint8_t *)p->file + e->key->offset);
    const larch_bytes in = e->value;
    const size_t len = e->type == HEX ? in.len / 2 : in.len;
    unsigned wrong = 0;
    if (e->type == HEX && in.len % 2 != 0)
        return fail(p, "'%s' has an odd number of hexadecimal digits", e->key->name);
    if (len < e->key->min || len > e->key->max)
        return fail(p, "'%s' has %zu bytes, and may have %zu to %zu", e->key->name, len, e->key->min, e->key->max);
    for (size_t i = 0; i < len; i++) {
        const unsigned high = e->type == HEX ? larch_app_hex_digit(in.data[2 * i]) : in.data[i] >> 4,
                       low = e->type == HEX ? larch_app_hex_digit(in.data[2 * i + 1]) : in.data[i] & 15u;
        wrong |= high | low;
        value->bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (wrong > 15)
        return fail(p, "'%s' holds a character that is no hexadecimal digit", e->key->name);
    value->len = len;
    value->line = p->line;
    return true;
}

static bool take_number(parser *p, const entry *e, int *number)
{
    larch_bytes left = e->value;
    const bool is_negative = left.len > 0 && left.data[0] == '-';
    int n = 0;
    if (is_negative)
        left = (larch_bytes){left.data + 1, left.len - 1};
    if (left.len == 0 || left.len > 6 || (left.data[0] == '0' && (left.len > 1 || is_negative)))
        return fail(p, "'%s' is no integer that it can be", e->key->name);
    for (size_t i = 0; i < left.len; i++) {
        if (left.data[i] < '0' || left.data[i] > '9')
            return fail(p, "'%s' is no integer that it can be", e->key->name);
        n = 10 * n + (left.data[i] - '0');
    }
    *number = is_negative ? -n : n;
    return true;
}

static bool take_bool(parser *p, const entry *e, bool *is_true)
{
    *is_true = is_text(e->value, "true");
    return *is_true || is_text(e->value, "false") || fail(p, "'%s' is neither true nor false", e->key->name);
}

static bool take_aead(parser *p, const entry *e)
{
#define NAMED(name, number, key, nonce, tag, text) {text, number},
    static const struct {
        const char *name;
        int number;
    } names[] = {LARCH_COSE_AEADS(NAMED)};
#undef NAMED
    const larch_cose_aead *aead = NULL;
    int number = 0;
    if (e->type == INTEGER && !take_number(p, e, &number))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (e->type == INTEGER ? number == names[i].number : is_text(e->value, names[i].name))
            aead = larch_cose_aead_find(names[i].number);
    if (aead == NULL)
        return fail(p, "larch does not have this aead_alg: it has 10, 30, 1 and 3, AES-CCM-16-64-128 to A256GCM");
    p->file->aead = aead;
    return true;
}

static bool take_hkdf(parser *p, const entry *e)
{
    int number = 0;
    if (e->type == INTEGER && !take_number(p, e, &number))
        return false;
    return (e->type == INTEGER ? number == HKDF_SHA_256 : is_text(e->value, "direct+HKDF-SHA-256")) ||
           fail(p, "larch does not have this hkdf_alg: it has -10, direct+HKDF-SHA-256");
}

static bool take_value(parser *p, const entry *e)
{
    bool is_true;
    int number = 0;
    switch (e->key->use) {
    case BYTES:
        return take_bytes(p, e);
    case AEAD:
        return take_aead(p, e);
    case HKDF:
        return take_hkdf(p, e);
    case WINDOW:
        return take_number(p, e, &number) && ((number >= 1 && number <= LARCH_CONTEXT_WINDOW_MAX) ||
                                              fail(p, "'replay_window' may be 1 to %d", LARCH_CONTEXT_WINDOW_MAX));
    case FREQUENCY:
        return take_number(p, e, &number) && (number >= 1 || fail(p, "'ssn_freq' has to be above 0"));
    case ABSENT:
        return take_bool(p, e, &is_true) &&
               (!is_true || fail(p, "'%s' cannot be true: Appendix B.2 is not built", e->key->name));
    default:
        return take_bool(p, e, &is_true);
    }
}

/* ---- lines ----------------------------------------------------------------- */

/* What stands before the next comma; false: there is none. */
static bool take_word(larch_bytes *line, larch_bytes *word)
{
    const uint8_t *comma = line->len > 0 ? memchr(line->data, ',', line->len) : NULL;
    if (comma == NULL)
        return false;
    *word = (larch_bytes){line->data, (size_t)(comma - line->data)};
    *line = (larch_bytes){comma + 1, line->len - word->len - 1};
    return true;
}

/* Whether a word can only be the name of a key. */
static bool is_name(larch_bytes word)
{
    if (word.len == 0 || word.len > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (!((word.data[i] >= 'a' && word.data[i] <= 'z') || (word.data[i] >= '0' && word.data[i] <= '9') ||
              word.data[i] == '_'))
            return false;
    return true;
}

static bool find_key(parser *p, larch_bytes word, entry *e)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (is_text(word, keys[i].name))
            e->key = &keys[i];
    if (e->key != NULL)
        return true;
    return is_name(word) ? fail(p, "larch does not know the key '%.*s'", (int)word.len, (const char *)word.data)
                         : fail(p, "does not begin with a key");
}

static bool find_type(parser *p, larch_bytes word, entry *e)
{
    const char *name = NULL;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (is_text(word, types[i].name)) {
            e->type = types[i].type;
            name = types[i].name;
        }
    if (name == NULL)
        return fail(p, "'%s' has a type that is none of hex, ascii, text, integer and bool", e->key->name);
    return (e->type & e->key->types) != 0 || fail(p, "'%s' cannot be of type %s", e->key->name, name);
}

static bool take_quotes(parser *p, larch_bytes rest, entry *e)
{
    e->value = rest;
    if (rest.len == 0)
        return fail(p, "'%s' has no value; an empty one is written as \"\"", e->key->name);
    if (rest.data[0] != '"')
        return memchr(rest.data, '"', rest.len) == NULL || fail(p, "'%s' has a quote in its value", e->key->name);
    e->value = (larch_bytes){rest.data + 1, rest.len - 1};
    const uint8_t *end = e->value.len > 0 ? memchr(e->value.data, '"', e->value.len) : NULL;
    if (end == NULL)
        return fail(p, "'%s' lacks its closing quote", e->key->name);
    e->value.len = (size_t)(end - e->value.data);
    return end + 1 == rest.data + rest.len || fail(p, "'%s' has something behind its closing quote", e->key->name);
}

static bool take_line(parser *p, larch_bytes line)
{
    entry e = {0};
    larch_bytes key, type;
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] < 0x20 || line.data[i] > 0x7e)
            return fail(p, "holds a character that is not printable ASCII");
    if (!take_word(&line, &key) || !take_word(&line, &type))
        return fail(p, "is not of the form key,type,value");
    if (!find_key(p, key, &e) || !find_type(p, type, &e) || !take_quotes(p, line, &e))
        return false;
    unsigned *given = &p->given[e.key - keys];
    if (*given != 0)
        return fail(p, "'%s' is given twice: first in line %u", e.key->name, *given);
    *given = p->line;
    return take_value(p, &e);
}

/* ---- the whole ------------------------------------------------------------- */

static bool check_id(parser *p, const char *name, const larch_context_value *id)
{
    const size_t max = (size_t)(p->file->aead->nonce_len - NONCE_FOR_ID);
    p->line = id->line;
    return id->len <= max || fail(p, "'%s' has %zu bytes, and %s allows %zu", name, id->len, p->file->aead->name, max);
}

static bool check_whole(parser *p)
{
    const larch_context_file *f = p->file;
    p->line = 0;
    if (f->master_secret.line == 0 || f->sender_id.line == 0 || f->recipient_id.line == 0)
        return fail(p, "'%s' is missing",
                    f->master_secret.line == 0 ? "master_secret"
                    : f->sender_id.line == 0   ? "sender_id"
                                               : "recipient_id");
    if (!check_id(p, "sender_id", &f->sender_id) || !check_id(p, "recipient_id", &f->recipient_id))
        return false;
    const larch_oscore_parameters parameters = larch_context_file_parameters(f);
    return !larch_bytes_equal(parameters.sender_id, parameters.recipient_id) ||
           fail(p, "'recipient_id' is the same as 'sender_id'");
}

static bool parse(parser *p, larch_bytes bytes)
{
    if (bytes.len > LARCH_CONTEXT_FILE_MAX)
        return fail(p, "is longer than %d bytes", LARCH_CONTEXT_FILE_MAX);
    while (bytes.len > 0) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.len);
        larch_bytes line = {bytes.data, end != NULL ? (size_t)(end - bytes.data) : bytes.len};
        const size_t taken = line.len + (end != NULL);
        bytes = (larch_bytes){bytes.data + taken, bytes.len - taken};
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        p->line++;
        if (line.len > 0 && line.data[0] != '#' && !take_line(p, line))
            return false;
    }
    return check_whole(p);
}

larch_error larch_context_file_parse(larch_bytes bytes, larch_context_file *file, larch_context_fault *fault)
{
    parser p = {.file = file, .fault = fault};
    *file =
        (larch_context_file){.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128), .hash = LARCH_COSE_SHA_256};
    *fault = (larch_context_fault){.line = 0};
    if (parse(&p, bytes))
        return LARCH_OK;
    larch_context_file_wipe(file);
    return LARCH_MALFORMED;
}

larch_oscore_parameters larch_context_file_parameters(const larch_context_file *f)
{
    larch_oscore_parameters p = {.aead = f->aead,
                                 .hash = f->hash,
                                 .master_secret = {f->master_secret.bytes, f->master_secret.len},
                                 .master_salt = {f->master_salt.bytes, f->master_salt.len},
                                 .sender_id = {f->sender_id.bytes, f->sender_id.len},
                                 .recipient_id = {f->recipient_id.bytes, f->recipient_id.len}};
    if (f->id_context.line != 0)
        p.id_context = (larch_bytes){f->id_context.bytes, f->id_context.len};
    return p;
}

static void put_value(larch_writer *w, const char *key, const larch_context_value *value)
{
    if (value->line == 0)
        return;
    larch_text_put(w, key);
    larch_text_put(w, ",hex,\"");
    larch_text_put_hex(w, (larch_bytes){value->bytes, value->len});
    larch_text_put(w, "\"\n");
}

void larch_context_file_put(larch_writer *w, const larch_context_file *f)
{
    put_value(w, "master_secret", &f->master_secret);
    put_value(w, "master_salt", &f->master_salt);
    put_value(w, "sender_id", &f->sender_id);
    put_value(w, "recipient_id", &f->recipient_id);
    put_value(w, "id_context", &f->id_context);
    larch_text_put_format(w, "aead_alg,integer,%d\n", (int)f->aead->number);
}

void larch_context_file_wipe(larch_context_file *file) { larch_wipe(file, sizeof *file); }
