/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/dissect/key_line.h"

#include <string.h>

#include "sniff/dissect/dissect_int.h"

enum { SENDER_ID, RECIPIENT_ID, SECRET, SALT, ID_CONTEXT, ALGORITHM, COLUMNS };

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

static void skip_spaces(larch_bytes *text)
{
    while (text->len > 0 && is_space(text->data[0])) {
        text->data++;
        text->len--;
    }
}

bool larch_sniff_key_line_is_empty(larch_bytes line)
{
    skip_spaces(&line);
    return line.len == 0 || line.data[0] == '#';
}

static bool take(larch_bytes *text, uint8_t c)
{
    if (text->len == 0 || text->data[0] != c)
        return false;
    text->data++;
    text->len--;
    return true;
}

static bool take_quoted(larch_bytes *text, larch_bytes *value)
{
    if (!take(text, '"'))
        return false;
    const uint8_t *end = text->len > 0 ? memchr(text->data, '"', text->len) : NULL;
    if (end == NULL)
        return false;
    *value = (larch_bytes){text->data, (size_t)(end - text->data)};
    text->len -= value->len + 1;
    text->data = end + 1;
    return true;
}

static bool take_columns(larch_bytes line, larch_bytes columns[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        skip_spaces(&line);
        if (i > 0 && !take(&line, ','))
            return false;
        skip_spaces(&line);
        if (!take_quoted(&line, &columns[i]))
            return false;
    }
    skip_spaces(&line);
    return line.len == 0;
}

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What Wireshark lets stand between two bytes. */
static bool is_separator(uint8_t c) { return c == ':' || c == '-' || c == '.' || c == ' '; }

bool larch_sniff_read_hex(larch_bytes text, uint8_t *out, size_t cap, larch_bytes *bytes)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i += 2) {
        if (len > 0 && is_separator(text.data[i]))
            i++;
        if (i + 2 > text.len || len == cap)
            return false;
        const int high = digit_of(text.data[i]), low = digit_of(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[len++] = (uint8_t)(high << 4 | low);
    }
    *bytes = (larch_bytes){out, len};
    return true;
}

/* "AES-CCM-16-64-128", which Wireshark gives a word in brackets, or "10". */
static const larch_cose_aead *find_algorithm(larch_bytes text)
{
    static const int8_t numbers[] = {
#define NUMBER(name, number, key, nonce, tag, text) (number),
        LARCH_COSE_AEADS(NUMBER)
#undef NUMBER
    };
    static const char star[] = " (CCM*)";
    const size_t star_len = sizeof star - 1;
    int64_t value = text.len > 0 && text.len <= 3 ? 0 : -1;
    for (size_t i = 0; i < text.len && value >= 0; i++)
        value = text.data[i] >= '0' && text.data[i] <= '9' ? value * 10 + (text.data[i] - '0') : -1;
    if (text.len > star_len && memcmp(text.data + text.len - star_len, star, star_len) == 0)
        text.len -= star_len;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const larch_cose_aead *aead = larch_cose_aead_find(numbers[i]);
        if (aead != NULL && (value == aead->number || (text.len == strlen(aead->name) && text.len > 0 &&
                                                       memcmp(text.data, aead->name, text.len) == 0)))
            return aead;
    }
    return NULL;
}

/* NULL: all is well. */
static const char *parse(larch_bytes line, larch_sniff_key_line *out)
{
    larch_oscore_parameters *p = &out->parameters;
    larch_bytes columns[COLUMNS];
    if (!take_columns(line, columns))
        return "it is not six quoted values with commas between them";
    if (!larch_sniff_read_hex(columns[SENDER_ID], out->sender_id, sizeof out->sender_id, &p->sender_id))
        return "its Sender ID is not 0 to 7 bytes in hexadecimal";
    if (!larch_sniff_read_hex(columns[RECIPIENT_ID], out->recipient_id, sizeof out->recipient_id, &p->recipient_id))
        return "its Recipient ID is not 0 to 7 bytes in hexadecimal";
    if (!larch_sniff_read_hex(columns[SECRET], out->secret, sizeof out->secret, &p->master_secret) ||
        p->master_secret.len == 0)
        return "its Master Secret is not 1 to 64 bytes in hexadecimal";
    if (!larch_sniff_read_hex(columns[SALT], out->salt, sizeof out->salt, &p->master_salt))
        return "its Master Salt is not 0 to 64 bytes in hexadecimal";
    if (!larch_sniff_read_hex(columns[ID_CONTEXT], out->id_context, sizeof out->id_context, &p->id_context))
        return "its ID Context is not 0 to 16 bytes in hexadecimal";
    if (p->id_context.len == 0)
        p->id_context.data = NULL;
    p->aead = find_algorithm(columns[ALGORITHM]);
    if (p->aead == NULL)
        return "its algorithm is none that larch has";
    p->hash = LARCH_COSE_SHA_256;
    return NULL;
}

larch_error larch_sniff_key_line_parse(larch_bytes line, larch_sniff_key_line *out, const char **why)
{
    memset(out, 0, sizeof *out);
    const char *wrong = parse(line, out);
    if (wrong == NULL)
        return LARCH_OK;
    larch_wipe(out, sizeof *out);
    *why = wrong;
    return LARCH_MALFORMED;
}
