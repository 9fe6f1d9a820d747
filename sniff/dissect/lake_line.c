/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/dissect/lake_line.h"

#include <string.h>

#include "sniff/dissect/dissect_int.h"

#define PREFIX "#LAKE_"

static bool begins(larch_bytes line, const char *text)
{
    const size_t len = strlen(text);
    return line.len >= len && memcmp(line.data, text, len) == 0;
}

bool larch_sniff_is_lake_line(larch_bytes line) { return begins(line, PREFIX "2 ") || begins(line, PREFIX "3 "); }

/* What stands up to the next space, or to the end of the line. */
static larch_bytes take_word(larch_bytes *line)
{
    const uint8_t *end = line->len > 0 ? memchr(line->data, ' ', line->len) : NULL;
    const larch_bytes word = {line->data, end != NULL ? (size_t)(end - line->data) : line->len};
    const size_t taken = word.len + (end != NULL);
    line->data += taken;
    line->len -= taken;
    return word;
}

static bool take_hex(larch_bytes *line, uint8_t *out, size_t cap, size_t *len)
{
    const larch_bytes word = take_word(line);
    larch_bytes bytes;
    if (word.len == 0 || !larch_sniff_read_hex(word, out, cap, &bytes))
        return false;
    *len = bytes.len;
    return true;
}

static bool take_hash(larch_bytes *line, larch_lake_secrets *s, uint8_t out[LARCH_LAKE_HASH_MAX])
{
    size_t len;
    return take_hex(line, out, LARCH_LAKE_HASH_MAX, &len) && len == s->hash_len;
}

static const char *parse(larch_bytes line, larch_lake_secrets *s)
{
    static const char wrong_hashes[] = "its hashes are not hexadecimal, all of 32, 48 or 64 bytes";
    size_t len = 0;
    s->after_3 = begins(line, PREFIX "3 ");
    (void)take_word(&line);
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (!take_hex(&line, s->th, sizeof s->th, &len) || (len != 32 && len != 48 && len != 64))
        return wrong_hashes;
    s->hash_len = (uint8_t)len;
    if (!take_hash(&line, s, s->prk) || !take_hash(&line, s, s->next_th) ||
        (!s->after_3 && !take_hash(&line, s, s->prk_3e2m)))
        return wrong_hashes;
    if (s->after_3 && larch_bytes_equal(line, LARCH_TEXT("-"))) {
        line.len = 0;
    } else if (s->after_3) {
        if (!take_hex(&line, s->creds, sizeof s->creds, &len))
            return "its credentials are not hexadecimal, of at most 256 bytes, or \"-\"";
        s->creds_len = (uint16_t)len;
    }
    return line.len > 0 ? "there is more behind its last value" : NULL;
}

larch_error larch_sniff_lake_line_parse(larch_bytes line, larch_lake_secrets *out, const char **why)
{
    memset(out, 0, sizeof *out);
    const char *wrong = parse(line, out);
    if (wrong == NULL)
        return LARCH_OK;
    larch_wipe(out, sizeof *out);
    *why = wrong;
    return LARCH_MALFORMED;
}
