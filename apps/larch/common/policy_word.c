/* SPDX-License-Identifier: Apache-2.0 */
#include "common/policy_word.h"

#include <string.h>

#include "text/text.h"

static bool is_name(larch_bytes name)
{
    if (name.len == 0 || name.len > LARCH_READING_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] <= ' ' || name.data[i] >= 0x7f || name.data[i] == '/')
            return false;
    return true;
}

static bool skip(larch_bytes *text, const char *prefix)
{
    const size_t len = strlen(prefix);
    if (text->len < len || memcmp(text->data, prefix, len) != 0)
        return false;
    *text = (larch_bytes){text->data + len, text->len - len};
    return true;
}

static void set(larch_policy_entry *entry, larch_bytes name, unsigned rights)
{
    memset(entry, 0, sizeof *entry);
    memcpy(entry->name, name.data, name.len);
    entry->rights = (uint8_t)rights;
}

bool larch_app_policy_parse(larch_bytes text, larch_policy_entry *entry)
{
    unsigned rights = LARCH_POLICY_BOTH;
    if (skip(&text, "report:"))
        rights = LARCH_POLICY_REPORT;
    else if (skip(&text, "read:"))
        rights = LARCH_POLICY_READ;
    (void)skip(&text, "/");
    if (!skip(&text, "r/") || !is_name(text))
        return false;
    set(entry, text, rights);
    return true;
}

void larch_app_policy_put(larch_writer *w, const larch_policy_entry *entry)
{
    larch_text_put(w, entry->rights == LARCH_POLICY_REPORT ? "report:"
                      : entry->rights == LARCH_POLICY_READ ? "read:"
                                                           : "");
    larch_text_put(w, "r/");
    larch_text_put(w, entry->name);
}

void larch_app_policy_put_word(larch_writer *w, const larch_policy_entry *entries, size_t count)
{
    if (count == 0)
        larch_text_put(w, "-");
    for (size_t i = 0; i < count; i++) {
        larch_text_put(w, i > 0 ? "/" : "");
        larch_writer_put_u8(w, (uint8_t)('0' + entries[i].rights));
        larch_text_put(w, entries[i].name);
    }
}

bool larch_app_policy_take_word(larch_bytes word, larch_policy_entry entries[LARCH_POLICY_MAX], size_t *count)
{
    *count = 0;
    if (larch_bytes_equal(word, LARCH_TEXT("-")))
        return true;
    while (*count < LARCH_POLICY_MAX) {
        const uint8_t *slash = word.len > 0 ? memchr(word.data, '/', word.len) : NULL;
        const size_t len = slash != NULL ? (size_t)(slash - word.data) : word.len;
        const larch_bytes name = {word.data + (len > 0), len > 0 ? len - 1 : 0};
        if (!is_name(name) || word.data[0] < '1' || word.data[0] > '3')
            return false;
        set(&entries[(*count)++], name, (unsigned)(word.data[0] - '0'));
        if (slash == NULL)
            return true;
        word = (larch_bytes){word.data + len + 1, word.len - len - 1};
    }
    return false;
}
