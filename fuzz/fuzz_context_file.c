/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Context files. What is read makes a context, and gives the same again when it is written in the plainest form. What
 * is refused leaves nothing behind, and is explained in printable words that repeat no value.
 */
#include <string.h>

#include "common/context_file.h"
#include "fuzz.h"
#include "larch/crypto.h"

static bool is_same(larch_bytes a, larch_bytes b) { return larch_bytes_equal(a, b) && !a.data == !b.data; }

static void check_sound(const larch_context_file *file)
{
    static uint8_t text[LARCH_CONTEXT_FILE_PLAIN_MAX];
    larch_writer w = larch_writer_to(text, sizeof text);
    larch_context_file again;
    larch_context_fault fault;
    larch_oscore_context context;
    const larch_oscore_parameters p = larch_context_file_parameters(file);
    require(larch_oscore_context_init(&context, &p) == LARCH_OK);
    larch_context_file_put(&w, file);
    require(w.len <= sizeof text && larch_context_file_parse((larch_bytes){text, w.len}, &again, &fault) == LARCH_OK);
    const larch_oscore_parameters q = larch_context_file_parameters(&again);
    require(p.aead == q.aead && p.hash == q.hash && is_same(p.id_context, q.id_context));
    require(is_same(p.master_secret, q.master_secret) && is_same(p.master_salt, q.master_salt));
    require(is_same(p.sender_id, q.sender_id) && is_same(p.recipient_id, q.recipient_id));
}

/* No 16 bytes of a secret in hexadecimal, and of the input's words only what can be a key. */
static void check_silence(const char *text)
{
    const char *word = strstr(text, "the key '");
    require(word == NULL || strlen(word) <= strlen("the key ''") + 24);
    for (const char *at = text; *at != '\0'; at++)
        require(strspn(at, "0123456789ABCDEFabcdef") < 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const larch_context_file wiped;
    static bool is_started;
    larch_context_file file;
    larch_context_fault fault;
    if (!is_started)
        require(larch_crypto_init() == LARCH_OK);
    is_started = true;
    memset(&file, 0xa5, sizeof file);
    const larch_error e = larch_context_file_parse((larch_bytes){data, size}, &file, &fault);
    if (e == LARCH_OK) {
        check_sound(&file);
        return 0;
    }
    /* NOLINTNEXTLINE(bugprone-*,cert-*): wiped as a whole */
    require(e == LARCH_MALFORMED && memcmp(&file, &wiped, sizeof file) == 0);
    require(fault.text[0] != '\0' && fault.line <= size + 1);
    for (const char *at = fault.text; *at != '\0'; at++)
        require(*at >= 0x20 && *at <= 0x7e);
    check_silence(fault.text);
    return 0;
}
